//! The commands that open a chat, one for each of two terminals.

use chat_protocol::{Field, Handler, Handshake, Mode, Names, Receivers, variable};

use crate::config::Settings;
use crate::config::names::PersonName;
use crate::stack::Template;

/// The command of one user.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectCommand {
    /// The name of its user.
    pub from: String,
    /// The friend's name.
    pub to: String,
    /// Ready to paste into a POSIX shell.
    pub command: String,
}

/// How a connect command proves who connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Not at all: names are claims.
    None,
    /// By a token that the shell puts in: `$(command)` or `$VARIABLE`.
    Shell(String),
    /// By the token itself.
    Token(String),
}

impl Credential {
    /// The option of wscat, with a space behind it. A colon and a space follow the header's name, as RFC 6750 has it.
    fn option(&self) -> String {
        use chat_protocol::auth::{HEADER, SCHEME};
        match self {
            Self::None => String::new(),
            // Inside of double quotes a shell replaces it, and does not split what it becomes.
            Self::Shell(expression) => format!("-H \"{HEADER}: {SCHEME} {expression}\" "),
            Self::Token(token) => {
                let header = format!("{HEADER}: {SCHEME} {token}");
                format!("-H {} ", shell_words::quote(&header))
            }
        }
    }
}

/// The names that a chat requires from a client that connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredIdentity {
    /// The user's name and the friend's.
    Friends,
    /// Who it is.
    Name,
    /// Nothing. A backend may require more, but its requirements are not in the config.
    Nothing,
}

impl RequiredIdentity {
    /// What the chat of `settings` requires.
    pub fn from_settings(settings: &Settings) -> Self {
        Self::for_receivers(settings.receivers(), settings.has_own_functions())
    }

    /// What the deployed chat with this `template` requires, even if the config has changed since.
    ///
    /// The logical ids of our functions are stable and show it. A stack that is not ours requires nothing.
    pub fn from_deployed(template: &Template) -> Self {
        let has = |function: &str| template.resources().any(|(id, _)| id == function);
        let has = |handler: Handler| has(&format!("{}Function", handler.family()));
        let receivers = Receivers::ALL
            .into_iter()
            .filter(|receivers| has(receivers.handler()));
        Self::for_receivers(receivers, has(Handler::Connect))
    }

    fn for_receivers(receivers: impl Iterator<Item = Receivers>, has_connect: bool) -> Self {
        match Names::for_receivers(receivers) {
            Names::Required => Self::Friends,
            Names::Optional if has_connect => Self::Name,
            Names::Optional => Self::Nothing,
        }
    }

    /// `from`'s handshake: `common`, and the names for talking to `to`.
    pub(super) fn handshake(
        self,
        common: Handshake,
        from: &PersonName,
        to: &PersonName,
    ) -> Handshake {
        let (from, to) = match self {
            Self::Friends => (Some(from), Some(to)),
            Self::Name => (Some(from), None),
            Self::Nothing => (None, None),
        };
        common
            .with_some(Field::From, from.map(AsRef::as_ref))
            .with_some(Field::To, to.map(AsRef::as_ref))
    }
}

/// How a chat with this `template` has its clients prove their names, whatever the config says by now.
pub fn deployed_mode(template: &Template) -> Mode {
    let authorizer = format!("{}Function", Handler::Authorize.family());
    let said = template
        .resources()
        .find(|(id, _)| *id == authorizer)
        .map(|(_, function)| &function["Properties"]["Environment"]["Variables"])
        .and_then(|variables| variables[variable::AUTH_MODE].as_str());
    let mut modes = Mode::ALL.into_iter();
    let named = modes.find(|mode| said == Some(mode.word()));
    named.unwrap_or_default()
}

/// The commands with which the two users of `settings` connect to each other at `url`, each with one of `credentials`.
pub fn connect_commands(
    url: &str,
    settings: &Settings,
    required: RequiredIdentity,
    credentials: &[Credential; 2],
) -> [ConnectCommand; 2] {
    let Settings { from, to, .. } = settings;
    let said = settings.handshake();
    let [first, second] = credentials;
    [(from, to, first), (to, from, second)]
        .map(|(from, to, credential)| command(url, &said, from, to, required, credential))
}

/// The arguments of `chatctl` with which the first user talks to the second without wscat.
pub fn chat_command(settings: &Settings, required: RequiredIdentity, more: &str) -> String {
    let name = |name: &PersonName| shell_words::quote(name.as_ref()).into_owned();
    let (from, to) = (name(&settings.from), name(&settings.to));
    match required {
        RequiredIdentity::Friends => format!("chat{more} --as {from} --to {to}"),
        RequiredIdentity::Name => format!("chat{more} --as {from}"),
        RequiredIdentity::Nothing => format!("chat{more}"),
    }
}

fn command(
    url: &str,
    common: &Handshake,
    from: &PersonName,
    to: &PersonName,
    required: RequiredIdentity,
    credential: &Credential,
) -> ConnectCommand {
    let handshake = required.handshake(common.clone(), from, to);
    let header = |(name, value)| format!("-H {} ", shell_words::quote(&format!("{name}:{value}")));
    let headers: String = handshake.headers().map(header).collect();
    let proof = credential.option();
    ConnectCommand {
        from: from.to_string(),
        to: to.to_string(),
        command: format!("wscat {headers}{proof}-c {}", shell_words::quote(url)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;
    use crate::stack::render::render;
    use expect_test::expect;
    use proptest::prelude::*;

    fn lines(from: &str, to: &str) -> String {
        let url = "wss://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/v1";
        let [from, to] = [from, to].map(|name| name.parse().unwrap());
        let pairs = [(&from, &to), (&to, &from)];
        let commands = pairs.map(|(from, to)| {
            let said = Handshake::default();
            let required = RequiredIdentity::Friends;
            command(url, &said, from, to, required, &Credential::None)
        });
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

    #[test]
    fn commands_have_only_the_names_that_the_chat_uses() {
        let command = |required| {
            command(
                "ws://x/v1",
                &Handshake::default(),
                &"Tom".parse().unwrap(),
                &"Jerry".parse().unwrap(),
                required,
                &Credential::None,
            )
            .command
        };
        assert_eq!(
            command(RequiredIdentity::Name),
            "wscat -H msgfrom:Tom -c ws://x/v1"
        );
        assert_eq!(command(RequiredIdentity::Nothing), "wscat -c ws://x/v1");
    }

    #[test]
    fn a_token_stands_behind_the_names_and_a_shell_may_put_it_in() {
        let line = |credential: Credential| {
            let [tom, ann] = ["Tom", "Ann Lee"].map(|name| name.parse().unwrap());
            let (said, friends) = (Handshake::default(), RequiredIdentity::Friends);
            command("ws://x/v1", &said, &tom, &ann, friends, &credential).command
        };
        let shell = Credential::Shell("$(chatctl token --as 'Ann Lee')".into());
        assert_eq!(
            line(shell),
            r#"wscat -H msgfrom:Tom -H 'msgto:Ann Lee' -H "authorization: Bearer $(chatctl token --as 'Ann Lee')" -c ws://x/v1"#
        );
        let token = line(Credential::Token("a.b-_.c".into()));
        assert_eq!(
            shell_words::split(&token).unwrap()[6],
            "authorization: Bearer a.b-_.c"
        );
    }

    #[test]
    fn the_mode_of_a_deployed_chat_is_that_of_its_authorizer() {
        for (variables, expected) in [
            (serde_json::json!({}), Mode::Claimed),
            (serde_json::json!({"AUTH_MODE": "token"}), Mode::Token),
            (serde_json::json!({"AUTH_MODE": "jwt"}), Mode::Jwt),
            (serde_json::json!({"AUTH_MODE": "handler"}), Mode::Handler),
        ] {
            let template = Template::new(serde_json::json!({"Resources": {"AuthorizeFunction": {
                "Properties": {"Environment": {"Variables": variables}}
            }}}));
            assert_eq!(deployed_mode(&template), expected);
        }
        assert_eq!(
            deployed_mode(&Template::new(serde_json::json!({}))),
            Mode::Claimed
        );
    }

    #[test]
    fn a_template_requires_the_same_names_as_its_config() {
        let room = "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n";
        let http = |key| format!("[[routes]]\nkey = \"{key}\"\nhttp = \"https://b.example\"\n");
        let backend = ["$connect", "$disconnect", "$default"].map(http).concat();
        let both = format!("{room}[[routes]]\nkey = \"send\"\n");
        let handler = "[[routes]]\nkey = \"roll\"\nhandler = \"roll\"\n";
        for (config, expected) in [
            ("", RequiredIdentity::Friends),
            (&both, RequiredIdentity::Friends),
            (room, RequiredIdentity::Name),
            (handler, RequiredIdentity::Name),
            (&backend, RequiredIdentity::Nothing),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("chatctl.toml"), config).unwrap();
            let settings = Settings::load(folder.path(), Overrides::default()).unwrap();
            assert_eq!(
                RequiredIdentity::from_settings(&settings),
                expected,
                "{config}"
            );
            let deployed = RequiredIdentity::from_deployed(&render(&settings));
            assert_eq!(deployed, expected, "{config}");
        }
    }

    proptest! {
        #[test]
        fn a_shell_reads_the_quoted_names_back(from in "[a-zA-Z0-9._@+'-]{1,20}", to in "[a-z '-]{0,8}[a-z]") {
            prop_assume!(!to.starts_with(' '));
            let lines = lines(&from, &to);
            let words = shell_words::split(lines.lines().next().unwrap()).unwrap();
            prop_assert_eq!(words[2].clone(), format!("msgfrom:{from}"));
            prop_assert_eq!(words[4].clone(), format!("msgto:{to}"));
        }
    }
}
