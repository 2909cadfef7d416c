//! What a new stack will be built from and run, printed before anything of it is started.
//!
//! A clone's build scripts and handlers run with the rights of the user. Whether this is the first time is not read from
//! a file, which the clone could contain: the plan is printed whenever no such stack runs here or is known to AWS.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::terminal::{Output, Terminal};
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::TargetError;
use chatctl_deploy::packaging::{self, Machine, Planned};
use chatctl_deploy::stack::cost::{Estimate, Usage, estimate};

/// Where a stack will be.
#[derive(Debug)]
pub(super) enum StackLocation<'a> {
    /// On this machine, in the background; its state lies in this folder.
    Background(PathBuf),
    /// On this machine, as long as the command runs.
    Foreground,
    /// On AWS, in this region.
    Aws(&'a str),
}

/// Prints what will be built and run for the stack of `settings`; `prebuilt` replaces the handlers of this project.
///
/// # Errors
/// A crate is not there, or is another user's.
pub(super) fn tell(
    terminal: Terminal,
    settings: &Settings,
    prebuilt: Option<&Path>,
    location: &StackLocation<'_>,
) -> Result<(), TargetError> {
    let machine = match location {
        StackLocation::Background(_) | StackLocation::Foreground => Machine::This,
        StackLocation::Aws(_) => Machine::Lambda,
    };
    let planned = packaging::plan(settings, prebuilt, machine)?;
    if terminal.output == Output::Json {
        terminal.result_json(&value(settings, &planned, location));
        return Ok(());
    }
    for line in lines(settings, &planned, location) {
        terminal.step("plan", &line);
    }
    Ok(())
}

fn lines(settings: &Settings, planned: &[Planned], location: &StackLocation<'_>) -> Vec<String> {
    let (mut crates, mut files) = (Vec::new(), Vec::new());
    for one in planned {
        match one {
            Planned::Crate { folder, .. } => crates.push(folder.display().to_string()),
            Planned::Given { path, .. } => files.push(path.display().to_string()),
        }
    }
    crates.dedup();
    let mut lines = Vec::new();
    if !crates.is_empty() {
        lines.push(format!(
            "build {}; build scripts run as you, also those of dependencies",
            crates.join(" and ")
        ));
        files.push("what is built".into());
    }
    let stack = &settings.stack;
    let whose = match location {
        StackLocation::Background(_) | StackLocation::Foreground => ", as you",
        StackLocation::Aws(_) => "",
    };
    let runs = match files.is_empty() {
        true => "it has no functions".to_owned(),
        false => format!("its functions run {}{whose}", files.join(" and ")),
    };
    lines.push(match location {
        StackLocation::Background(folder) => format!(
            "start stack `{stack}` here, in the background; {runs}; its state lies in {}",
            folder.display()
        ),
        StackLocation::Foreground => {
            format!("start stack `{stack}` here, until Ctrl-C; {runs}; its state lies in memory")
        }
        StackLocation::Aws(region) => {
            format!("deploy stack `{stack}` to {region}, once you agree; {runs}")
        }
    });
    if let Some(cost) = cost(settings, location) {
        let Usage {
            people,
            messages_per_day,
            ..
        } = Usage::SAMPLE;
        lines.push(format!(
            "it is charged by use: some ${:.2} a month for {people} people who send {messages_per_day} messages a day each; \
             `chatctl cost` has the parts",
            cost.dollars_per_month
        ));
    }
    lines
}

/// What an example of a chat costs, where anything does.
fn cost(settings: &Settings, location: &StackLocation<'_>) -> Option<Estimate> {
    match location {
        StackLocation::Background(_) | StackLocation::Foreground => None,
        StackLocation::Aws(region) => estimate(settings, &Usage::SAMPLE, Some(region)).ok(),
    }
}

fn value(
    settings: &Settings,
    planned: &[Planned],
    location: &StackLocation<'_>,
) -> serde_json::Value {
    let (mut build, mut run) = (Vec::new(), Vec::new());
    for one in planned {
        match one {
            Planned::Crate { name, folder } => {
                build.push(json!({"name": name, "crate": folder.display().to_string()}));
            }
            Planned::Given { name, path } => {
                run.push(json!({"name": name, "path": path.display().to_string()}));
            }
        }
    }
    let (target, state, region) = match location {
        StackLocation::Background(folder) => ("local", Some(folder.display().to_string()), None),
        StackLocation::Foreground => ("local", None, None),
        StackLocation::Aws(region) => ("aws", None, Some(region)),
    };
    let mut value = json!({
        "type": "plan", "stack": settings.stack, "target": target, "region": region,
        "build": build, "given": run, "state": state, "throttle": settings.throttle,
    });
    if let Some(cost) = cost(settings, location) {
        value["cost"] = json!({
            "people": Usage::SAMPLE.people, "messagesPerDay": Usage::SAMPLE.messages_per_day,
            "dollarsPerMonth": (cost.dollars_per_month * 100.0).round() / 100.0, "pricesOf": cost.prices_of,
        });
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatctl_deploy::config::Overrides;
    use expect_test::expect;

    fn settings() -> Settings {
        let folder = tempfile::tempdir().unwrap();
        Settings::load(folder.path(), Overrides::default()).unwrap()
    }

    fn built(name: &str, folder: &str) -> Planned {
        Planned::Crate {
            name: name.into(),
            folder: folder.into(),
        }
    }

    #[test]
    fn every_crate_every_executable_and_the_state_folder_are_named_before_anything_runs() {
        let (own, roll) = (
            built("handlers", "/clone/lambdas"),
            built("roll", "/my/roll"),
        );
        let given = Planned::Given {
            name: "handlers".into(),
            path: "/tmp/chat".into(),
        };
        let background = StackLocation::Background("/my/.chatctl/chat".into());
        let mut text = String::new();
        for (planned, location) in [
            (vec![own, roll.clone()], &background),
            (vec![given.clone(), roll], &StackLocation::Foreground),
            (vec![given], &StackLocation::Aws("eu-west-1")),
            (vec![], &background),
        ] {
            for line in lines(&settings(), &planned, location) {
                text.push_str(&format!("{line}\n"));
            }
            text.push_str(&format!("{}\n\n", value(&settings(), &planned, location)));
        }
        expect![[r#"
            build /clone/lambdas and /my/roll; build scripts run as you, also those of dependencies
            start stack `chat` here, in the background; its functions run what is built, as you; its state lies in /my/.chatctl/chat
            {"type":"plan","stack":"chat","target":"local","region":null,"build":[{"name":"handlers","crate":"/clone/lambdas"},{"name":"roll","crate":"/my/roll"}],"given":[],"state":"/my/.chatctl/chat","throttle":{"rate":500,"burst":1000}}

            build /my/roll; build scripts run as you, also those of dependencies
            start stack `chat` here, until Ctrl-C; its functions run /tmp/chat and what is built, as you; its state lies in memory
            {"type":"plan","stack":"chat","target":"local","region":null,"build":[{"name":"roll","crate":"/my/roll"}],"given":[{"name":"handlers","path":"/tmp/chat"}],"state":null,"throttle":{"rate":500,"burst":1000}}

            deploy stack `chat` to eu-west-1, once you agree; its functions run /tmp/chat
            it is charged by use: some $0.99 a month for 100 people who send 50 messages a day each; `chatctl cost` has the parts
            {"type":"plan","stack":"chat","target":"aws","region":"eu-west-1","build":[],"given":[{"name":"handlers","path":"/tmp/chat"}],"state":null,"throttle":{"rate":500,"burst":1000},"cost":{"people":100,"messagesPerDay":50,"dollarsPerMonth":0.99,"pricesOf":"us-east-1"}}

            start stack `chat` here, in the background; it has no functions; its state lies in /my/.chatctl/chat
            {"type":"plan","stack":"chat","target":"local","region":null,"build":[],"given":[],"state":"/my/.chatctl/chat","throttle":{"rate":500,"burst":1000}}

        "#]].assert_eq(&text);
    }
}
