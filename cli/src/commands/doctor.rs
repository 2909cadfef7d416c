//! `chatctl doctor`
//!
//! It shows checks, and makes few: those of a deployment are in [`preflight`], so that `deploy` makes
//! them, too.

use std::cell::RefCell;

use serde_json::json;

use super::aws::preflight;
use super::permissions;
use super::{AwsArgs, Context, HandlersArgs, Run, StackArgs};
use crate::error::CommandError;
use crate::terminal::{Output, Role, Text, bounded};
use chatctl_deploy::engine::preflight::{Check, chain, judge};
use chatctl_deploy::engine::{network, silence};

/// Check everything that a deployment to AWS needs, and change nothing
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::doctor_help())]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    handlers: HandlersArgs,
    #[command(flatten)]
    aws: AwsArgs,
    #[command(flatten)]
    stack: StackArgs,
}

impl Run for DoctorArgs {
    const ENDS_ANYWHERE: bool = true;

    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let settings = self.stack.settings(None, Some(&self.aws))?;
        let source = self.handlers.source();
        let reporter = RefCell::new(terminal.progress());
        let looking = async {
            let network = network::summary().await;
            let (mut checks, found) = preflight(&settings, source).await;
            if let Some(found) = &found {
                checks.push(
                    permissions::check(&settings, &found.account.target, &found.account.identity)
                        .await,
                );
            }
            Ok::<_, CommandError>((network, (checks, found)))
        };
        let looking = silence::reporting(&reporter, looking);
        let (network, (mut checks, found)) = looking.await?;
        if let Err(error) = &network {
            // The same stands in the way of AWS; once is enough.
            let reported = |check: &Check| matches!(&check.outcome, Err(other) if other.to_string() == error.to_string());
            checks.retain(|check| !reported(check));
        }
        checks.insert(0, Check::new("network", network));
        if let Some(caution) = found.and_then(|found| found.account.identity.caution()) {
            checks.push(Check::new("partition", Ok(caution.to_owned())));
        }
        checks.extend(super::tokens::check(&settings));
        if terminal.output == Output::Json {
            let rows: Vec<_> = checks
            .iter()
            .map(|check| match &check.outcome {
                Ok(found) => match &check.caution {
                    None => json!({"subject": check.subject, "ok": true, "found": found}),
                    Some(caution) => json!({
                        "subject": check.subject, "ok": true, "found": found, "warning": caution,
                    }),
                },
                Err(error) => json!({
                    "subject": check.subject, "ok": false, "problem": chain(error), "hint": error.hint,
                }),
            })
            .collect();
            terminal.result_json(&json!({"type": "result", "checks": rows}));
        } else {
            for check in &checks {
                terminal.result_painted(line(check));
            }
        }
        let problems = checks.iter().filter(|check| check.outcome.is_err()).count();
        match judge(checks) {
            Ok(_) => Ok(()),
            Err(error) => Err(CommandError::reported(error, problems)),
        }
    }
}

fn line(check: &Check) -> Text {
    let subject = check.subject;
    match &check.outcome {
        Ok(found) => {
            let line = Role::Step
                .paint("ok ")
                .plain(format!(" {subject:<12} {found}"));
            match &check.caution {
                Some(caution) => caution.lines().fold(line, |text, caution| {
                    text.plain(format!("\n{:16} ", ""))
                        .and(Role::Hint.paint(caution))
                }),
                None => line,
            }
        }
        Err(error) => {
            let line = Role::Failure.paint("bad");
            let chain = bounded(&chain(error)).replace('\n', &format!("\n{:19}", ""));
            let line = line.plain(format!(" {subject:<12} {chain}"));
            match &error.hint {
                Some(hint) => line
                    .plain(format!("\n{:16} ", ""))
                    .and(Role::Hint.paint(hint)),
                None => line,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatctl_deploy::engine::{ErrorKind, TargetError};
    use expect_test::expect;

    #[test]
    fn every_check_has_a_line_and_a_problem_says_what_to_do() {
        let problem = TargetError::new(
            ErrorKind::Denied,
            "could not read the identity of the credentials",
        );
        let checks = [
            Check::new("region", Ok("eu-west-1".into())),
            Check::new("credentials", Err(problem.with_hint("renew them"))),
            Check::aside("concurrency", "10 at a time".into(), Some("few".into())),
        ];
        let text: String = checks
            .iter()
            .map(|check| format!("{}\n", line(check).without_style()))
            .collect();
        expect![[r#"
            ok  region       eu-west-1
            bad credentials  could not read the identity of the credentials
                             renew them
            ok  concurrency  10 at a time
                             few
        "#]]
        .assert_eq(&text);
    }
}
