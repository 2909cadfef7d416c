//! Progress as plain lines, for logs and pipes.

use std::collections::BTreeSet;
use std::time::Duration;

use super::gate::{Sink, Text};
use super::printable::bounded;
use super::{Role, STEP_COLUMNS, step_word};
use chatctl_deploy::engine::{DeployEvent, Reporter, Step};
use chatctl_deploy::stack::cause::Cause;
use chatctl_deploy::stack::progress::{STACK_TYPE, StackEvent};

/// Writes one line an event to `out`; every line stands alone.
#[derive(Debug)]
pub(crate) struct Lines<W> {
    out: W,
    compiled: usize,
    /// The step that runs.
    step: Step,
    /// Resources that have been updated: what is deleted under their names is what they have replaced.
    updated: BTreeSet<String>,
}

impl<W: Sink> Lines<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            out,
            compiled: 0,
            step: Step::Prepare,
            updated: BTreeSet::new(),
        }
    }

    fn stack(&mut self, event: &StackEvent) {
        let is_former = match event.status.as_str() {
            "UPDATE_COMPLETE" => {
                self.updated.insert(event.logical_id.clone());
                false
            }
            "DELETE_COMPLETE" => self.updated.contains(&event.logical_id),
            _ => false,
        };
        match settled_line(event) {
            Some(text) if is_former => self.line(self.step, Text::from("former ").and(text)),
            Some(text) => self.line(self.step, text),
            None => {}
        }
    }

    fn line(&mut self, step: Step, text: impl Into<Text>) {
        // A log that cannot be written is no reason to stop.
        let line = step_word(step.word()).and(text).shown();
        drop(self.out.line(&line.stepped_in(STEP_COLUMNS)));
    }
}

/// What is built, and from where.
pub(super) fn building_line(name: &str, folder: &std::path::Path) -> String {
    format!("{name} from {}", folder.display())
}

/// That a deployment is made once more.
pub(super) fn repeating_line(stack: &str, cause: &Cause) -> String {
    let cause = cause.to_string();
    let first = cause.lines().next().unwrap_or_default();
    format!(
        "stack {stack} was rolled back, for a reason that passes by itself; once more, after: {first}"
    )
}

/// That an answer is missing.
pub(super) fn silent_line(service: &str, silence: Duration) -> String {
    format!("{service} has not answered for {} s", silence.as_secs())
}

/// That a stack is still being changed although it reports no events.
pub(super) fn under_way(status: &str, quiet: Duration) -> String {
    format!("still {status}, no news for {} min", quiet.as_secs() / 60)
}

/// What a settled resource is called to a reader; `None` while it is under way.
pub(super) fn settled_line(event: &StackEvent) -> Option<Text> {
    let StackEvent {
        logical_id,
        resource_type,
        status,
        reason,
        ..
    } = event;
    let word = match status.as_str() {
        "CREATE_COMPLETE" => "created",
        "UPDATE_COMPLETE" => "updated",
        "DELETE_COMPLETE" => "deleted",
        "DELETE_SKIPPED" => "kept",
        failed if failed.ends_with("_FAILED") => {
            let reason = reason.as_deref().unwrap_or("no reason given");
            let text = bounded(&format!("{logical_id} {status}: {reason}"));
            return Some(Role::Failure.paint(text));
        }
        _ => return None,
    };
    (resource_type != STACK_TYPE).then(|| format!("{logical_id} {word}").into())
}

/// A duration as a person reads it.
pub(super) fn seconds(took: std::time::Duration) -> String {
    format!("{:.1}s", took.as_secs_f64())
}

impl<W: Sink> Reporter for Lines<W> {
    fn report(&mut self, event: &DeployEvent) {
        match event {
            DeployEvent::Started(step) => self.step = *step,
            DeployEvent::Building { name, folder } => {
                self.line(Step::Build, building_line(name, folder));
            }
            DeployEvent::Expecting(_) => {}
            DeployEvent::Compiling { unit, count } => {
                // The next build counts from one again.
                self.compiled = self.compiled.min(*count);
                // One line in a while shows that it goes on.
                if count - self.compiled >= 25 {
                    self.compiled = *count;
                    self.line(Step::Build, format!("{count} crates so far, {unit}"));
                }
            }
            DeployEvent::Notice(text) => self.line(self.step, bounded(text)),
            DeployEvent::Repeating { stack, cause } => {
                self.line(self.step, bounded(&repeating_line(stack, cause)));
            }
            DeployEvent::Silent { service, silence } => {
                self.line(self.step, silent_line(service, *silence));
            }
            DeployEvent::UnderWay { status, quiet } => {
                self.line(self.step, under_way(status, *quiet));
            }
            DeployEvent::Stack(event) => self.stack(event),
            DeployEvent::Finished { step, detail, took } => {
                self.line(*step, format!("{}, {}", bounded(detail), seconds(*took)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn every_line_stands_alone_and_failures_say_why() {
        let mut lines = Lines::new(String::new());
        let event = |id: &str, status: &str, reason: Option<&str>| {
            DeployEvent::Stack(StackEvent {
                id: id.into(),
                at: 0.0,
                logical_id: id.into(),
                resource_type: "AWS::DynamoDB::Table".into(),
                status: status.into(),
                reason: reason.map(str::to_owned),
            })
        };
        for event in [
            DeployEvent::Started(Step::Build),
            DeployEvent::Building {
                name: "handlers".into(),
                folder: "/clone/lambdas".into(),
            },
            DeployEvent::Compiling {
                unit: "serde".into(),
                count: 1,
            },
            DeployEvent::Compiling {
                unit: "hyper".into(),
                count: 25,
            },
            // The next build.
            DeployEvent::Compiling {
                unit: "roll".into(),
                count: 2,
            },
            DeployEvent::Finished {
                step: Step::Build,
                detail: "4.1 MB".into(),
                took: Duration::from_millis(1234),
            },
            DeployEvent::Started(Step::Deploy),
            DeployEvent::Notice("it is followed first".into()),
            event("Connections", "CREATE_IN_PROGRESS", None),
            DeployEvent::UnderWay {
                status: "CREATE_IN_PROGRESS".into(),
                quiet: Duration::from_secs(60),
            },
            DeployEvent::Silent {
                service: "AWS",
                silence: Duration::from_secs(20),
            },
            event("Connections", "CREATE_COMPLETE", None),
            event("Permission", "UPDATE_COMPLETE", None),
            event("Permission", "DELETE_COMPLETE", None),
            event("Api", "CREATE_FAILED", Some("name taken")),
        ] {
            lines.report(&event);
        }
        // The bar keeps the indentation, which an expectation would otherwise lose.
        let text: String = lines.out.lines().map(|line| format!("|{line}\n")).collect();
        expect![[r#"
            |    build handlers from /clone/lambdas
            |    build 25 crates so far, hyper
            |    build 4.1 MB, 1.2s
            |   deploy it is followed first
            |   deploy still CREATE_IN_PROGRESS, no news for 1 min
            |   deploy AWS has not answered for 20 s
            |   deploy Connections created
            |   deploy Permission updated
            |   deploy former Permission deleted
            |   deploy Api CREATE_FAILED: name taken
        "#]]
        .assert_eq(&text);
    }
}
