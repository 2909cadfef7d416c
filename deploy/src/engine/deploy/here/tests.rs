use std::collections::BTreeMap;
use std::rc::Rc;

use expect_test::expect;

use super::*;
use crate::config::{Overrides, Settings};
use crate::engine::fake::{FakeStacks, asset};
use crate::engine::probe::ProbeCredential;
use crate::engine::target::{Asset, ChangeSet};
use crate::engine::target_error::ErrorKind;
use crate::stack::overlay::for_machine;
use crate::stack::render::render;

impl AssetStore for FakeStacks {
    type Handlers = &'static str;

    async fn locate(&self, _: &StackName, handlers: &&'static str) -> Result<Asset, TargetError> {
        Ok(asset(handlers))
    }

    async fn publish(&self, _: &StackName, handlers: &&'static str) -> Result<Asset, TargetError> {
        Ok(asset(handlers))
    }
}

impl FakeStacks {
    fn note(&self, line: &str) {
        self.here.transcript.borrow_mut().note(line);
    }

    fn refusal(&self, state: &str) -> Result<(), TargetError> {
        match self.here.state == state {
            true => Err(TargetError::new(ErrorKind::Failed, state)),
            false => Ok(()),
        }
    }
}

impl Machine for FakeStacks {
    async fn is_new(&self, _: &StackName) -> Result<bool, TargetError> {
        self.refusal("silent")?;
        Ok(self.here.state != "running")
    }

    fn reserve(&self, _: &StackName) -> Result<impl Sized, TargetError> {
        self.refusal("reserved by another")?;
        self.note("reserved");
        Ok(Reservation(self))
    }

    fn left_behind(&self, _: &StackName) -> Result<Option<LeftBehind>, TargetError> {
        let is_left = self.here.state == "left behind";
        Ok(is_left.then(|| LeftBehind {
            pid: 7,
            endpoint: "ws://left/v1".to_owned(),
        }))
    }

    async fn end_left_behind(&self, _: &StackName) -> Result<(), TargetError> {
        self.note("process 7 ended");
        Ok(())
    }

    async fn diagnose(&self, _: &StackName, _: Duration) -> Result<Option<String>, TargetError> {
        Ok(None)
    }
}

/// Writes down when it is given back.
struct Reservation<'a>(&'a FakeStacks);

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.0.note("given back");
    }
}

/// The steps of a command that writes them down beside what is reported.
struct Command<'a>(&'a FakeStacks);

impl Steps for Command<'_> {
    type Found = ();
    type Handlers = &'static str;

    fn announce(&self, (): &()) -> Result<(), TargetError> {
        self.0.note("announced");
        Ok(())
    }

    async fn build(
        &self,
        (): &(),
        _: &mut impl Reporter,
    ) -> Result<BTreeMap<String, &'static str>, TargetError> {
        self.0.note("built");
        Ok([("CodeKey".to_owned(), "k1")].into())
    }

    fn built(&self, handlers: &BTreeMap<String, &'static str>) -> String {
        format!("{handlers:?}")
    }

    async fn agree(
        &self,
        (): &(),
        _: &BTreeMap<String, &'static str>,
        _: &ChangeSet,
    ) -> Result<bool, TargetError> {
        self.0.note("asked about the change");
        Ok(self.0.here.state != "declined")
    }

    fn warn(&self, text: &str) {
        self.0.note(&format!("warned: {text}"));
    }
}

/// Deploys to a machine in this `state`; returns what was shown, asked and reported in its order, and how it ended.
async fn deploy(state: &'static str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::load(folder.path(), Overrides::default()).unwrap();
    let mut stacks = FakeStacks::scripted("chat CREATE_COMPLETE");
    stacks.here.state = state;
    let transcript = Rc::clone(&stacks.here.transcript);
    let here = for_machine(&render(&settings), None, |_| true);
    let request = DeployRequest {
        settings: &settings,
        is_probed: false,
        credential: ProbeCredential::Claims,
    };
    let (command, mut reporter) = (Command(&stacks), &*transcript);
    let deploying = deploy_here(&stacks, &command, &request, here, &mut reporter);
    let outcome = match deploying.await {
        Ok(url) => url,
        Err(error) => format!("error: {error}"),
    };
    format!("{}{outcome}", transcript.take().lines)
}

#[tokio::test]
async fn a_first_deployment_announces_reserves_builds_publishes_compares_asks_and_starts() {
    expect![[r#"
        announced
        reserved
        started Build
        built
        finished Build: {"CodeKey": "k1"}
        started Publish
        finished Publish: 0.0 MB for x86_64, sent
        started Prepare
        finished Prepare: 26 to add
        asked about the change
        started Deploy
        chat CREATE_COMPLETE
        finished Deploy: 26 resources
        given back
        ws://fake/v1"#]]
    .assert_eq(&deploy("empty").await);
}

#[tokio::test]
async fn what_was_left_behind_is_ended_before_anything_is_built() {
    expect![[r#"
        announced
        reserved
        warned: process 7 still serves ws://left/v1 for this stack, whose folder was removed: it is ended; its table data went with the folder
        process 7 ended
        started Build
        built
        finished Build: {"CodeKey": "k1"}
        started Publish
        finished Publish: 0.0 MB for x86_64, sent
        started Prepare
        finished Prepare: 26 to add
        asked about the change
        started Deploy
        chat CREATE_COMPLETE
        finished Deploy: 26 resources
        given back
        ws://fake/v1"#]].assert_eq(&deploy("left behind").await);
}

#[tokio::test]
async fn a_stack_that_runs_is_not_announced_and_a_declined_change_is_not_made() {
    expect![[r#"
        reserved
        started Build
        built
        finished Build: {"CodeKey": "k1"}
        started Publish
        finished Publish: 0.0 MB for x86_64, sent
        started Prepare
        finished Prepare: 26 to add
        asked about the change
        started Deploy
        chat CREATE_COMPLETE
        finished Deploy: 26 resources
        given back
        ws://fake/v1"#]]
    .assert_eq(&deploy("running").await);
    expect![[r#"
        announced
        reserved
        started Build
        built
        finished Build: {"CodeKey": "k1"}
        started Publish
        finished Publish: 0.0 MB for x86_64, sent
        started Prepare
        finished Prepare: 26 to add
        asked about the change
        given back
        error: declined, nothing was changed"#]]
    .assert_eq(&deploy("declined").await);
}

#[tokio::test]
async fn behind_a_process_that_does_not_respond_or_another_command_nothing_is_built() {
    expect!["error: silent"].assert_eq(&deploy("silent").await);
    expect![[r#"
        announced
        error: reserved by another"#]]
    .assert_eq(&deploy("reserved by another").await);
}
