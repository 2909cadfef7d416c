//! The command line, and the commands that texts recommend.

use super::*;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn what_is_built_for_this_machine_needs_no_check_of_a_target() {
    let words = ["chatctl", "deploy", "--local", "--skip-target-check"];
    let error = Cli::command().try_get_matches_from(words).unwrap_err();
    assert_eq!(error.kind(), clap::error::ErrorKind::ArgumentConflict);
}

/// `command` and all visible ones below it.
fn visible<'a>(command: &'a clap::Command, found: &mut Vec<&'a clap::Command>) {
    found.push(command);
    let below = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    below.for_each(|verb| visible(verb, found));
}

#[test]
fn in_every_help_own_options_come_first_and_shared_ones_under_headings_in_one_order() {
    let mut chatctl = Cli::command();
    chatctl.build();
    let mut commands = Vec::new();
    visible(&chatctl, &mut commands);
    let mut unheaded = std::collections::BTreeMap::new();
    for command in commands {
        let name = command.get_name();
        let options = command.get_arguments().filter(|arg| {
            !arg.is_hide_set()
                && !arg.is_positional()
                && !["help", "version"].contains(&arg.get_id().as_str())
        });
        let mut ranks = Vec::new();
        for option in options {
            let rank = option.get_help_heading().map(|heading| {
                let place = options::HEADINGS.iter().position(|one| *one == heading);
                place.unwrap_or_else(|| panic!("{name}: `{heading}` is not in the order"))
            });
            if rank.is_none() {
                let text = option.get_help().map(ToString::to_string);
                let earlier = unheaded.insert((option.get_id().clone(), text), name);
                assert_eq!(
                    earlier, None,
                    "{name} shares {option} and has no heading for it"
                );
            }
            ranks.push(rank);
        }
        assert!(ranks.is_sorted(), "{name}: {ranks:?}");
    }
}

fn invocation(words: &str) -> Invocation {
    let words = shell_words::split(&format!("chatctl {words}")).unwrap();
    let matches = Cli::command().try_get_matches_from(words).unwrap();
    Invocation::new(Cli::command(), &matches).run_by("chatctl")
}

fn check(words: &str, text: &str, expected: &str) {
    assert_eq!(invocation(words).hint(text), expected);
}

#[test]
fn a_command_is_about_the_stack_that_the_user_named() {
    check(
        "deploy --local --stack b --config=c.toml",
        "`chatctl status --local` tells, `chatctl teardown --local` ends it",
        "`chatctl status --local --config c.toml --stack b` tells, `chatctl teardown --local --config c.toml --stack b` ends it",
    );
    check("deploy", "`chatctl status` tells", "`chatctl status` tells");
    check(
        "-q status --stack b --output json",
        "`chatctl deploy` makes it",
        "`chatctl deploy --stack b` makes it",
    );
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
        "`chatctl deploy --local` needs none",
        "`chatctl deploy --local` needs none",
    );
}

#[test]
fn what_is_on_this_machine_is_looked_for_there() {
    check(
        "chat --local",
        "why: `chatctl logs`",
        "why: `chatctl logs --local`",
    );
    check(
        "dev --cargo-profile release --stack b",
        "`chatctl teardown --local --keep-data` ends it",
        "`chatctl teardown --local --keep-data --stack b` ends it",
    );
    // They have no `--local`.
    check(
        "deploy --local",
        "`chatctl doctor`, `chatctl render`",
        "`chatctl doctor`, `chatctl render`",
    );
}

#[test]
fn commands_that_are_about_no_stack_stay_as_they_are() {
    for text in [
        "`chatctl init --print` shows",
        "`chatctl chat --url ws://x --as Tom`",
        "`wscat` and a `chatctl",
    ] {
        check("deploy --local --stack b", text, text);
    }
    // The config says how messages to the address are framed.
    check(
        "dev --config c.toml",
        "`chatctl chat --url ws://x`",
        "`chatctl chat --url ws://x --config c.toml`",
    );
}

#[test]
fn in_a_clone_commands_are_run_by_cargo() {
    let text = invocation("init")
        .run_by("cargo run --")
        .hint("a `chatctl init` b");
    assert_eq!(text, "a `cargo run -- init` b");
}

/// The texts in backticks of the sources below `folder` that begin with `chatctl `.
fn recommended(folder: &std::path::Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            recommended(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(path).unwrap();
            let steps = text
                .split("`chatctl ")
                .skip(1)
                .filter_map(|rest| Some(rest.split_once('`')?.0.to_owned()));
            // What is no command in prose is a placeholder, or code that looks for commands.
            let is_plain = |step: &String| {
                step.starts_with(|first: char| first.is_ascii_lowercase())
                    && !step.contains(['"', '\n'])
            };
            found.extend(steps.filter(is_plain));
        }
    }
}

#[test]
fn every_command_that_a_text_recommends_exists_with_its_options() {
    let clone = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap();
    let mut found = Vec::new();
    recommended(&clone.join("cli/src"), &mut found);
    recommended(&clone.join("deploy/src"), &mut found);
    assert!(found.len() > 50, "{}", found.len());
    let mut chatctl = Cli::command();
    chatctl.build();
    for step in found {
        let mut words = step.split(' ');
        let verb = words.next().unwrap();
        let Some(command) = chatctl.find_subcommand(verb) else {
            panic!("`chatctl {step}` is recommended and does not exist");
        };
        for option in words.filter_map(|word| word.strip_prefix("--")) {
            let name = option.split('=').next().unwrap();
            let mut known = command.get_arguments().filter_map(clap::Arg::get_long);
            assert!(known.any(|long| long == name), "`chatctl {step}`: --{name}");
        }
    }
}

#[test]
fn help_does_not_show_the_name_of_the_program_s_file() {
    for words in [
        vec!["x\u{1b}[31my", "--help"],
        vec!["x\u{1b}[31my", "deploy", "--help"],
    ] {
        let help = Cli::command().try_get_matches_from(&words).unwrap_err();
        let shown = help.render().ansi().to_string();
        assert!(
            !shown.contains("[31my") && shown.contains("chatctl"),
            "{shown}"
        );
    }
}
