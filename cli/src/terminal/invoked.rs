//! Commands in our words, as the one who reads them has to type them.

/// `text` with its `chatctl …` commands as this user has to type them: with the flags that say which stack it is
/// about, and by `cargo run` for whoever runs a clone by it and has no `chatctl` to call.
pub(super) fn as_invoked(text: &str) -> String {
    typed(text, runner(), &words())
}

fn runner() -> &'static str {
    match (
        std::env::var_os("CARGO_MANIFEST_DIR"),
        cfg!(debug_assertions),
    ) {
        (None, _) => "chatctl",
        (Some(_), true) => "cargo run --",
        (Some(_), false) => "cargo run --release --",
    }
}

/// How any program on this machine starts this chatctl: by its name where it was found by it, else by its path.
pub(crate) fn program() -> String {
    let called = std::env::args_os().next().map(std::path::PathBuf::from);
    let name = called.filter(|called| called.components().count() == 1);
    let path = name.or_else(|| std::env::current_exe().ok());
    let path = path.unwrap_or_else(|| "chatctl".into());
    shell_words::quote(&path.to_string_lossy()).into_owned()
}

/// The flag that names the stack, where the user has named it by a flag or a variable and not in the config.
pub(crate) fn stack_flag() -> String {
    let words = words();
    let of_environment = std::env::var("CHATCTL_STACK").ok();
    let stack = value("--stack", &words).or(of_environment.as_deref());
    stack.map_or_else(String::new, |stack| {
        format!(" --stack {}", shell_words::quote(stack))
    })
}

fn words() -> Vec<String> {
    let words = std::env::args_os().skip(1);
    words.filter_map(|word| word.into_string().ok()).collect()
}

/// Flags whose value says which stack is meant.
const WHICH: [&str; 3] = ["--config", "--stack", "--stage"];
/// Those that say where on AWS it is.
const WHERE: [&str; 2] = ["--region", "--profile"];

fn typed(text: &str, runner: &str, words: &[String]) -> String {
    let mut typed = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("`chatctl ") {
        let (command, after) = after.split_once('`').unwrap_or((after, ""));
        typed += before;
        typed += &format!("`{runner} {command}{}`", missing(command, words));
        rest = after;
    }
    typed + rest
}

/// The flags among `words` that `command` needs as well, to be about the same stack.
fn missing(command: &str, words: &[String]) -> String {
    let has = |flag: &str| command.split(' ').any(|word| word == flag);
    let verb = command.split(' ').next().unwrap_or_default();
    // An address says it all.
    if verb == "init" || has("--url") {
        return String::new();
    }
    let mut flags = String::new();
    let is_local = words.iter().any(|word| word == "--local");
    let has_targets = !matches!(verb, "dev" | "render" | "keys" | "token");
    if is_local && !has("--local") && has_targets && !matches!(verb, "diff" | "doctor") {
        flags += " --local";
    }
    let is_on_aws = !is_local && !has("--local");
    let places: &[&str] = if is_on_aws && has_targets {
        &WHERE
    } else {
        &[]
    };
    for flag in WHICH.iter().chain(places) {
        if let Some(value) = value(flag, words) {
            flags += &format!(" {flag} {}", shell_words::quote(value));
        }
    }
    flags
}

/// What follows `flag`, as a word of its own or behind `=`.
fn value<'a>(flag: &str, words: &'a [String]) -> Option<&'a str> {
    words.iter().enumerate().find_map(|(place, word)| {
        if word == flag {
            return words.get(place + 1).map(String::as_str);
        }
        word.strip_prefix(flag)?.strip_prefix('=')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str, text: &str, expected: &str) {
        let words = shell_words::split(words).unwrap();
        assert_eq!(typed(text, "chatctl", &words), expected);
    }

    #[test]
    fn a_command_is_about_the_stack_that_the_user_named() {
        check(
            "deploy --local --stack b --config=c.toml",
            "`chatctl status --local` tells, `chatctl teardown --local` ends it",
            "`chatctl status --local --config c.toml --stack b` tells, `chatctl teardown --local --config c.toml --stack b` ends it",
        );
        check("deploy", "`chatctl status` tells", "`chatctl status` tells");
    }

    #[test]
    fn a_command_goes_to_the_account_and_region_that_the_user_named() {
        check(
            "deploy --profile 'my prod' --region eu-west-1 --stage v2",
            "`chatctl deploy --protect=false` lifts it",
            "`chatctl deploy --protect=false --stage v2 --region eu-west-1 --profile 'my prod'` lifts it",
        );
        check(
            "deploy --region eu-west-1",
            "`chatctl render` prints it",
            "`chatctl render` prints it",
        );
    }

    #[test]
    fn what_is_on_this_machine_is_looked_for_there() {
        check(
            "chat --local --region x",
            "why: `chatctl logs`",
            "why: `chatctl logs --local`",
        );
        check(
            "dev --cargo-profile release --stack b",
            "`chatctl teardown --local --keep-data` ends it",
            "`chatctl teardown --local --keep-data --stack b` ends it",
        );
    }

    #[test]
    fn commands_that_ask_for_no_stack_stay_as_they_are() {
        for text in [
            "`chatctl init --print` shows",
            "`chatctl chat --url ws://x --as Tom`",
            "`wscat` and a `chatctl",
        ] {
            check("deploy --local --stack b", text, text);
        }
    }

    #[test]
    fn whoever_runs_a_clone_by_cargo_types_cargo() {
        let text = typed("a `chatctl init` b", "cargo run --", &[]);
        assert_eq!(text, "a `cargo run -- init` b");
    }
}
