use std::collections::BTreeMap;
use std::rc::Rc;

use expect_test::expect;

use super::*;
use crate::config::{Overrides, Settings};
use crate::engine::deploy::steps::Steps;
use crate::engine::fake::{FakeStacks, asset};
use crate::engine::probe::ProbeCredential;
use crate::engine::probe::tests::two_clients;
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
        match self.here.is(state) {
            true => Err(TargetError::new(ErrorKind::Failed, state)),
            false => Ok(()),
        }
    }
}

impl Machine for FakeStacks {
    async fn is_running(&self, _: &StackName) -> Result<bool, TargetError> {
        self.refusal("silent")?;
        Ok(self.here.is("running"))
    }

    fn reserve(&self, _: &StackName) -> Result<impl Sized, TargetError> {
        self.refusal("reserved by another")?;
        self.note("reserved");
        Ok(Reservation(self))
    }

    fn is_reserved(&self, _: &StackName) -> Result<bool, TargetError> {
        Ok(self.here.is("reserved by another"))
    }

    fn left_behind(&self, _: &StackName) -> Result<Option<LeftBehind>, TargetError> {
        let is_left = self.here.is("left behind");
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
        self.note("asked why it does not answer");
        Ok(Some("its functions fail".to_owned()))
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
        if self.0.here.is("interrupted") {
            return Err(TargetError::interrupted());
        }
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
        Ok(!self.0.here.is("declined"))
    }
}

impl LocalSteps for Command<'_> {
    fn warn(&self, text: &str) {
        self.0.note(&format!("warned: {text}"));
    }
}

/// Deploys to a machine in this `state`; returns what was shown, asked and reported in its order, and how it ended. Where
/// there is a `chat`, it is probed.
async fn deploy(state: &'static str, chat: Option<String>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::load(folder.path(), Overrides::default()).unwrap();
    let mut stacks = FakeStacks::scripted("chat CREATE_COMPLETE");
    stacks.here.state = state;
    let is_probed = chat.is_some();
    stacks.here.url = chat.unwrap_or("ws://fake/v1".to_owned());
    let transcript = Rc::clone(&stacks.here.transcript);
    let here = for_machine(&render(&settings), None, |_| true);
    let request = DeployRequest {
        settings: &settings,
        is_probed,
        credential: ProbeCredential::Claims,
    };
    let (command, mut reporter) = (Command(&stacks), &*transcript);
    let deploying = deploy_here(&stacks, &command, &request, here, &mut reporter).await;
    transcript
        .take()
        .ended(deploying.map(|_| "deployed".to_owned()))
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
        deployed
    "#]]
    .assert_eq(&deploy("empty", None).await);
}

#[tokio::test]
async fn the_probe_comes_last_and_the_stack_is_reserved_until_it_is_over() {
    let url = two_clients(|text| text).await;
    let lines = deploy("empty", Some(url)).await;
    let (_, end) = lines.split_once("started Probe").unwrap();
    let (probed, end) = end.split_once(", slowest ").unwrap();
    assert_eq!(probed, "\nfinished Probe: 1 route answers both ways");
    assert!(end.ends_with("ms\ngiven back\ndeployed\n"), "{end}");
}

#[tokio::test(start_paused = true)]
async fn a_chat_that_does_not_answer_is_an_error_with_the_machine_s_reason() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let lines = deploy("empty", Some(url)).await;
    let end = lines.split_once("finished Deploy").unwrap().1;
    expect![[r#"
        : 26 resources
        started Probe
        asked why it does not answer
        given back
        error: it does not answer; its functions fail; stack `chat` runs, only the proof that it answers is missing
    "#]].assert_eq(end);
}

#[tokio::test]
async fn what_was_left_behind_is_ended_before_anything_is_built() {
    let lines = deploy("left behind", None).await;
    expect![[r#"
        announced
        reserved
        warned: process 7 still serves ws://left/v1 for this stack, whose folder was removed: it is ended; its table data went with the folder
        process 7 ended
        started Build
    "#]].assert_eq(lines.split_once("built").unwrap().0);
}

#[tokio::test]
async fn a_stack_that_runs_is_not_announced() {
    let lines = deploy("running", None).await;
    expect![[r#"
        reserved
        started Build
    "#]]
    .assert_eq(lines.split_once("built").unwrap().0);
}

#[tokio::test]
async fn a_declined_change_is_not_made_and_an_interruption_says_that_nothing_was_changed() {
    let lines = deploy("declined", None).await;
    expect![[r#"
        : 26 to add
        asked about the change
        given back
        error: declined, nothing was changed; see what would change with `chatctl render`
    "#]]
    .assert_eq(lines.split_once("finished Prepare").unwrap().1);
    let lines = deploy("left behind, interrupted", None).await;
    expect![[r#"

        given back
        error: interrupted; process 7, which was left behind, was ended; nothing else that runs was changed
    "#]].assert_eq(lines.split_once("started Build").unwrap().1);
    let lines = deploy("interrupted", None).await;
    expect![[r#"

        given back
        error: interrupted; nothing that runs was changed
    "#]]
    .assert_eq(lines.split_once("started Build").unwrap().1);
}

#[tokio::test]
async fn behind_a_process_that_does_not_respond_or_another_command_nothing_is_built() {
    expect![[r#"
        error: silent
    "#]]
    .assert_eq(&deploy("silent", None).await);
    expect![[r#"
        announced
        error: reserved by another
    "#]]
    .assert_eq(&deploy("reserved by another", None).await);
}
