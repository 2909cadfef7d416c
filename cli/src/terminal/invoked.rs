//! Further commands in hints, spelt as this user has to type them.

use clap::ArgMatches;
use clap::parser::ValueSource;

/// The options that say which stack a command is about, in the order in which a hint repeats them.
const WHICH_STACK: [&str; 6] = ["local", "config", "stack", "stage", "region", "profile"];

/// How this command was called.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// What runs chatctl.
    runner: &'static str,
    /// All commands with their options.
    chatctl: clap::Command,
    /// Those of [`WHICH_STACK`] that were given on the command line, with their values.
    given: Vec<(&'static str, Option<String>)>,
}

/// A command that a hint recommends: one of chatctl's verbs with its arguments.
#[derive(Debug)]
struct NextStep<'a> {
    verb: &'a str,
    words: Vec<&'a str>,
}

impl<'a> NextStep<'a> {
    fn parse(text: &'a str) -> Self {
        let mut words = text.split(' ');
        Self {
            verb: words.next().unwrap_or_default(),
            words: words.collect(),
        }
    }

    fn has(&self, option: &str) -> bool {
        let mut words = self.words.iter().filter_map(|word| word.strip_prefix("--"));
        words.any(|word| word.split('=').next() == Some(option))
    }
}

impl Invocation {
    /// The one that `chatctl` has parsed into `matches`.
    pub(crate) fn new(mut chatctl: clap::Command, matches: &ArgMatches) -> Self {
        chatctl.build();
        let given = matches.subcommand().map(|(_, matches)| given(matches));
        Self {
            runner: runner(),
            chatctl,
            given: given.unwrap_or_default(),
        }
    }

    /// `text` with each of its commands (`` `chatctl VERB …` ``) about the same stack as this one.
    pub(super) fn spelt(&self, text: &str) -> String {
        let mut spelt = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("`chatctl ") {
            let (command, after) = after.split_once('`').unwrap_or((after, ""));
            let missing = self.missing(&NextStep::parse(command));
            spelt += before;
            spelt += &format!("`{} {command}{missing}`", self.runner);
            rest = after;
        }
        spelt + rest
    }

    /// The options that `step` needs as well, to be about the same stack.
    fn missing(&self, step: &NextStep<'_>) -> String {
        let Some(mut verb) = self.chatctl.find_subcommand(step.verb) else {
            return String::new();
        };
        let nested = step.words.first();
        if let Some(nested) = nested.and_then(|word| verb.find_subcommand(word)) {
            verb = nested;
        }
        // An address says it all but how messages are framed.
        let is_addressed = step.has("url");
        let mut missing = String::new();
        for (option, value) in &self.given {
            let takes = |arg: &clap::Arg| arg.get_long() == Some(option);
            let Some(arg) = verb.get_arguments().find(|arg| takes(arg)) else {
                continue;
            };
            let names = |long: Option<&str>| long.is_some_and(|long| step.has(long));
            let mut others = verb.get_arguments().filter(|other| names(other.get_long()));
            let has_conflict = others.any(|other| {
                let either = [(arg, other), (other, arg)];
                let conflict = |(one, other): (&clap::Arg, &clap::Arg)| {
                    let conflicts = verb.get_arg_conflicts_with(one);
                    conflicts
                        .iter()
                        .any(|found| found.get_id() == other.get_id())
                };
                either.into_iter().any(conflict)
            });
            if step.has(option) || (is_addressed && *option != "config") || has_conflict {
                continue;
            }
            missing += &format!(" --{option}");
            if let Some(value) = value {
                missing += &format!(" {}", shell_words::quote(value));
            }
        }
        missing
    }
}

/// The options of `matches` that say which stack is meant; those of the environment are there for the next command, too.
fn given(matches: &ArgMatches) -> Vec<(&'static str, Option<String>)> {
    let options = WHICH_STACK.into_iter().filter(|option| {
        let is_known = matches.try_contains_id(option).is_ok();
        is_known && matches.value_source(option) == Some(ValueSource::CommandLine)
    });
    options
        .map(|option| {
            let values = matches.get_raw(option);
            let value = values
                .and_then(|mut values| values.next())
                .map(|value| value.to_string_lossy().into_owned());
            (option, value.filter(|_| option != "local"))
        })
        .collect()
}

/// How any program on this machine runs this chatctl: by its name if it was found by it, else by its path.
pub(crate) fn program() -> String {
    let called = std::env::args_os().next().map(std::path::PathBuf::from);
    let name = called.filter(|called| called.components().count() == 1);
    let path = name
        .or_else(|| std::env::current_exe().ok())
        .unwrap_or_else(|| "chatctl".into());
    shell_words::quote(&path.to_string_lossy()).into_owned()
}

/// How this user runs chatctl: by `cargo run` in a clone, where there is no `chatctl` to call.
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

#[cfg(test)]
impl Invocation {
    /// The same, run by `runner`.
    pub(crate) fn run_by(self, runner: &'static str) -> Self {
        Self { runner, ..self }
    }

    /// `text` as a hint shows it.
    pub(crate) fn hint(&self, text: &str) -> String {
        self.spelt(text)
    }
}
