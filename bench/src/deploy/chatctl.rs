//! A round by chatctl.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::rounds::{Part, Step};
use super::{Bench, DeployBenchError, Measured, part};

const TOOL: &str = "chatctl";

impl Bench<'_> {
    /// The template, rendered by chatctl.
    pub(super) async fn rendered(&self) -> Result<Value, DeployBenchError> {
        let words = ["render", "--format", "json"];
        let rendered = self.run(&self.args.programs.chatctl, &words).await?;
        serde_json::from_str(&rendered.stdout).map_err(|error| unreadable("render", &error))
    }

    /// From the first deployment to the teardown. Also returns the time of packaging, which is in none of the parts.
    pub(super) async fn chatctl_round(
        &self,
        [first, second, third]: &[PathBuf; 3],
    ) -> Result<(Vec<Part>, Vec<Duration>), DeployBenchError> {
        let (mut parts, mut packed) = (Vec::new(), Vec::new());
        for (step, handlers, more) in [
            (Step::First, first, None),
            (Step::NoChange, first, None),
            (Step::Code, second, None),
            (Step::Hotswap, third, Some("--hotswap")),
        ] {
            let handlers = handlers.to_string_lossy();
            let mut words = vec!["deploy", "--yes", "--no-probe", "--output", "json"];
            words.extend(["--handlers", &handlers]);
            words.extend(more);
            let measured = self.run(&self.args.programs.chatctl, &words).await?;
            let packaging = packaging(&measured)?;
            let took = measured.took.saturating_sub(packaging);
            parts.push(part(TOOL, step, took, measured.requests));
            packed.push(packaging);
        }
        let words = ["teardown", "--yes"];
        let measured = self.run(&self.args.programs.chatctl, &words).await?;
        let Measured { took, requests, .. } = measured;
        parts.push(part(TOOL, Step::Teardown, took, requests));
        Ok((parts, packed))
    }
}

/// The time of the step `build`, as chatctl reports it.
fn packaging(measured: &Measured) -> Result<Duration, DeployBenchError> {
    for line in measured.stdout.lines() {
        let event: Value =
            serde_json::from_str(line).map_err(|error| unreadable("deploy", &error))?;
        if event["type"] == "finished" && event["step"] == "build" {
            let millis = event["milliseconds"].as_u64();
            return Ok(Duration::from_millis(millis.unwrap_or_default()));
        }
    }
    Err(unreadable("deploy", &"it reports no build"))
}

fn unreadable(command: &str, what: &dyn std::fmt::Display) -> DeployBenchError {
    DeployBenchError::Unreadable {
        command: format!("chatctl {command}"),
        what: what.to_string(),
    }
}
