//! The engine's [`Machine`]: who works on a stack here, what is left of it, and why it does not answer.

use std::path::PathBuf;
use std::time::Duration;

use super::unresponsive::{unresponsive, unresponsive_hint};
use super::{LocalTarget, control, register};
use crate::config::names::StackName;
use crate::engine::{Activity, ErrorKind, LeftBehind, Machine, Remains, TargetError};
use crate::stack::render::output;

impl Machine for LocalTarget {
    async fn is_running(&self, stack: &StackName) -> Result<bool, TargetError> {
        match self.status(stack).await {
            Ok(status) => Ok(status.is_some()),
            Err(error) if self.response_timeout.is_over() => Err(error),
            // What is wrong is found where it matters.
            Err(_) => Ok(true),
        }
    }

    fn reserve(&self, stack: &StackName) -> Result<impl Sized, TargetError> {
        self.folder(stack)?.reserve()?.ok_or_else(|| {
            TargetError::new(
                ErrorKind::Failed,
                format!("another chatctl command is working on local stack `{stack}`"),
            )
            .with_hint("wait until it is done, then try again")
        })
    }

    fn is_reserved(&self, stack: &StackName) -> Result<bool, TargetError> {
        self.folder(stack)?.is_reserved()
    }

    fn left_behind(&self, stack: &StackName) -> Result<Option<LeftBehind>, TargetError> {
        let folder = self.folder(stack)?;
        if folder.is_alive()? {
            return Ok(None);
        }
        let left = register::find(folder.path());
        Ok(left.map(|mut left| LeftBehind {
            pid: left.pid,
            endpoint: left.outputs.remove(output::URL).unwrap_or_default(),
        }))
    }

    async fn end_left_behind(&self, stack: &StackName) -> Result<(), TargetError> {
        let folder = self.folder(stack)?;
        if folder.is_alive()? {
            return Ok(());
        }
        let Some(left) = register::find(folder.path()) else {
            return Ok(());
        };
        // It may be ending by itself; then it does not respond, which is just as good.
        let asked = control::stop(&left, &self.response_timeout).await;
        let is_gone = || {
            let found = register::find(folder.path());
            Ok::<_, TargetError>(found.is_none().then_some(()))
        };
        if self.response_timeout.until(is_gone).await?.is_some() {
            return Ok(());
        }
        asked.map_err(|error| error.with_hint(unresponsive_hint(&folder, &left)))?;
        Err(unresponsive(&folder, "ended", Some(&left)))
    }

    async fn diagnose(
        &self,
        stack: &StackName,
        silent: Duration,
    ) -> Result<Option<String>, TargetError> {
        self.response_timeout.count(silent);
        // A process that does not answer at all explains more than its functions' logs.
        self.status(stack).await?;
        Ok(self.clues(stack))
    }
}

impl Remains for LocalTarget {
    async fn activity(&self, stack: &StackName) -> Result<Option<Activity>, TargetError> {
        let status = self.status(stack).await?;
        Ok(status.map(|status| Activity {
            functions: status.functions.len(),
            connections: status.connections,
        }))
    }

    fn is_stopped(&self, stack: &StackName) -> Result<bool, TargetError> {
        Self::is_stopped(self, stack)
    }

    fn has_data(&self, stack: &StackName) -> bool {
        let folder = self.place(stack);
        // If the stack's state is unreadable, existing files count as data.
        let template = folder.request().ok().flatten().and_then(|it| it.template());
        let is_table =
            |(_, resource): (&str, &serde_json::Value)| resource["Type"] == "AWS::DynamoDB::Table";
        let has_data = folder.has_data().unwrap_or(true);
        has_data && template.is_none_or(|template| template.resources().any(is_table))
    }

    fn foreign(&self) -> Vec<PathBuf> {
        self.left.borrow().clone()
    }
}
