//! The page of the commands in `docs`, made from the flags themselves.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, CommandFactory};
use expect_test::expect_file;

use super::Cli;

/// Begins what is generated.
const BEGIN: &str =
    "<!-- generated: UPDATE_EXPECT=1 cargo test --workspace --bin chatctl reference -->\n";

/// A command with its options, those of its own before those that others share.
fn section(command: &Command) -> String {
    let name = command.get_name();
    let long = command.get_long_about().or(command.get_about());
    let about = long
        .map(ToString::to_string)
        .unwrap_or_default()
        .split("\n\n")
        .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(".\n\n");
    let mut text = format!("\n## chatctl {name}\n\n{}.\n", about.trim_end_matches('.'));
    let mut arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set() && argument.get_id() != "help")
        .collect();
    arguments.sort_by_key(|argument| argument.get_help_heading().is_some());
    if !arguments.is_empty() {
        text += "\n| option | what it does | default |\n|---|---|---|\n";
    }
    for argument in arguments {
        let _infallible = writeln!(text, "{}", row(argument));
    }
    let after = command.get_after_help().map(ToString::to_string);
    if let Some(after) = after {
        let after = after.split_whitespace().collect::<Vec<_>>().join(" ");
        let _infallible = writeln!(text, "\n{after}");
    }
    text
}

fn row(argument: &Arg) -> String {
    let cell = |text: String| text.replace('|', "\\|");
    let takes = argument.get_action().takes_values();
    let value = argument
        .get_value_names()
        .unwrap_or_default()
        .first()
        .filter(|_| takes)
        .map_or(String::new(), |value| format!(" <{value}>"));
    let spelled = match (argument.get_long(), argument.get_short()) {
        (Some(long), Some(short)) => format!("`-{short}`, `--{long}{value}`"),
        (Some(long), None) => format!("`--{long}{value}`"),
        (None, Some(short)) => format!("`-{short}{value}`"),
        (None, None) => format!("`{}`", value.trim()),
    };
    let help = argument
        .get_long_help()
        .or(argument.get_help())
        .map(ToString::to_string)
        .unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    // The help texts of options without a default in the program name what decides.
    let (help, mut default) = match help.rsplit_once(" [default: ") {
        Some((help, default)) => (help.to_owned(), default.trim_end_matches(']').to_owned()),
        None => (help, String::new()),
    };
    if let (true, [first, ..]) = (takes, argument.get_default_values()) {
        default = format!("`{}`", first.to_string_lossy());
    }
    if let Some(variable) = argument.get_env() {
        default = format!("`{}`, else {default}", variable.to_string_lossy());
    }
    let choices: Vec<_> = match takes {
        true => argument.get_possible_values(),
        false => Vec::new(),
    };
    let choices = choices
        .iter()
        .map(|choice| format!("`{}`", choice.get_name()))
        .collect::<Vec<_>>()
        .join(", ");
    let help = if choices.is_empty() {
        help
    } else {
        format!("{help}: {choices}")
    };
    format!("| {} | {} | {} |", cell(spelled), cell(help), cell(default))
}

#[test]
fn the_page_of_the_commands_is_made_from_their_flags() {
    let mut cli = Cli::command();
    cli.build();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/cli.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, _) = text
        .split_once(BEGIN)
        .expect("the page has a generated part");
    let commands = cli
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let sections: String = commands
        .filter(|command| command.get_name() != "help")
        .map(section)
        .collect();
    expect_file![page].assert_eq(&format!("{before}{BEGIN}{sections}"));
}
