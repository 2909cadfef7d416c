//! The commands that open a chat: one for each of two terminals.

use crate::config::names::PersonName;

/// One person's command.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConnectCommand {
    pub(crate) from: String,
    pub(crate) to: String,
    /// Ready to paste into a POSIX shell.
    pub(crate) command: String,
}

/// The commands with which `from` and `to` reach each other at `url`.
pub(crate) fn connect_commands(
    url: &str,
    from: &PersonName,
    to: &PersonName,
) -> [ConnectCommand; 2] {
    [command(url, from, to), command(url, to, from)]
}

fn command(url: &str, from: &PersonName, to: &PersonName) -> ConnectCommand {
    let [from_header, to_header] = [format!("msgfrom:{from}"), format!("msgto:{to}")];
    ConnectCommand {
        from: from.to_string(),
        to: to.to_string(),
        command: format!(
            "wscat -H {} -H {} -c {}",
            shell_words::quote(&from_header),
            shell_words::quote(&to_header),
            shell_words::quote(url)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use proptest::prelude::*;

    fn lines(from: &str, to: &str) -> String {
        let url = "wss://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/v1";
        let commands = connect_commands(url, &from.parse().unwrap(), &to.parse().unwrap());
        commands.map(|command| command.command + "\n").concat()
    }

    #[test]
    fn the_two_commands_are_each_others_mirror() {
        expect![[r#"
            wscat -H msgfrom:Tom -H msgto:Jerry -c wss://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/v1
            wscat -H msgfrom:Jerry -H msgto:Tom -c wss://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/v1
        "#]]
        .assert_eq(&lines("Tom", "Jerry"));
    }

    #[test]
    fn names_are_quoted_when_a_shell_would_split_them() {
        expect![[r#"
            wscat -H 'msgfrom:Ann Lee' -H 'msgto:O'\''Neil' -c wss://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/v1
            wscat -H 'msgfrom:O'\''Neil' -H 'msgto:Ann Lee' -c wss://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/v1
        "#]]
        .assert_eq(&lines("Ann Lee", "O'Neil"));
    }

    proptest! {
        #[test]
        fn a_shell_reads_back_what_was_meant(from in "[a-zA-Z0-9._@+'-]{1,20}", to in "[a-z '-]{0,8}[a-z]") {
            prop_assume!(!to.starts_with(' '));
            let [first, _] = connect_commands("ws://127.0.0.1:1/v1", &from.parse().unwrap(), &to.parse().unwrap());
            let words = shell_words::split(&first.command).unwrap();
            prop_assert_eq!(words[2].clone(), format!("msgfrom:{from}"));
            prop_assert_eq!(words[4].clone(), format!("msgto:{to}"));
        }
    }
}
