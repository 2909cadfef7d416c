//! Stacks whose events may not be read: their status decides, at the pace of every other stack.

use super::super::fake::Spoiled;
use super::*;
use crate::engine::ErrorKind;

/// The longest that is waited for what has ended already.
const AT_ONCE: u32 = 1;

const NOTICE: &str =
    "notice could not events; following stack `chat` by its status alone, without its resources\n";

fn without_events(cloud: FakeCloud) -> FakeCloud {
    cloud.spoiled("events", Spoiled::Denied)
}

/// Deploys over `cloud`: what was reported, how it ended, and how many pauses it took.
async fn followed(cloud: FakeCloud) -> (String, Result<Outputs, DeployError>, u32) {
    let stacks = CloudStacks::new(without_events(cloud));
    let mut transcript = Transcript::default();
    let prepared = prepare(&stacks, deployment(), &mut transcript).await;
    let Prepared::ChangeSet(change_set) = prepared.unwrap() else {
        panic!("nothing changes");
    };
    let before = stacks.cloud.pauses();
    let outcome = execute(&stacks, &change_set, &mut transcript).await;
    let pauses = stacks.cloud.pauses() - before;
    (transcript.lines, outcome, pauses)
}

#[tokio::test]
async fn an_update_that_has_ended_before_the_first_look_is_not_waited_for() {
    let ended = "chat UPDATE_IN_PROGRESS User Initiated\nF UPDATE_COMPLETE\nchat UPDATE_COMPLETE";
    let (lines, outcome, pauses) = followed(changeable("UPDATE_COMPLETE").operation(ended)).await;
    outcome.unwrap();
    assert!(pauses <= AT_ONCE, "{pauses}");
    assert_eq!(lines.matches(NOTICE).count(), 1, "{lines}");
}

#[tokio::test]
async fn the_old_status_permission_after_the_start_is_not_taken_for_the_end() {
    for late in [
        "- poll -\nchat UPDATE_COMPLETE",
        "- poll -\n- poll -\nchat UPDATE_IN_PROGRESS\n- poll -\nchat UPDATE_COMPLETE",
    ] {
        let polls = u32::try_from(late.matches("- poll -").count()).unwrap();
        let (_, outcome, pauses) = followed(changeable("UPDATE_COMPLETE").operation(late)).await;
        outcome.unwrap();
        assert_eq!(pauses, polls, "{late}");
    }
}

#[tokio::test]
async fn a_failed_deployment_is_explained_by_the_words_of_the_stack() {
    for (cloud, script, status) in [
        (
            new_stack(),
            "chat CREATE_IN_PROGRESS User Initiated\n- poll -\n\
             chat ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [F].\n- poll -\nchat ROLLBACK_COMPLETE",
            "ROLLBACK_COMPLETE",
        ),
        (
            changeable("CREATE_COMPLETE"),
            "chat UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to update: [F].\n- poll -\n\
             chat UPDATE_ROLLBACK_COMPLETE",
            "UPDATE_ROLLBACK_COMPLETE",
        ),
    ] {
        let (lines, outcome, _) = followed(cloud.operation(script)).await;
        let words = outcome.unwrap_err().to_string();
        let head = format!("stack `chat` settled as {status}\n  The following resource(s) failed");
        assert!(words.starts_with(&head), "{words}");
        let tail = "[F]. (more is not known: could not events)";
        assert!(words.ends_with(tail), "{words}");
        assert_eq!(lines.matches(NOTICE).count(), 1, "{lines}");
    }
}

#[tokio::test]
async fn an_execution_that_was_not_begun_is_not_taken_for_one_that_has_ended() {
    let cloud = changeable("UPDATE_COMPLETE").spoiled("execute", Spoiled::Ignored);
    let (_, outcome, _) = followed(cloud).await;
    let error = refusal(outcome);
    assert_eq!(error.so_far.as_deref(), Some("nothing was changed"));
}

#[tokio::test]
async fn the_missing_permission_is_reported_once_a_command() {
    let running = "chat UPDATE_IN_PROGRESS\n- poll -\nchat UPDATE_COMPLETE";
    let cloud = changeable("UPDATE_COMPLETE")
        .running(running)
        .operation(running);
    let (lines, outcome, _) = followed(cloud).await;
    outcome.unwrap();
    assert_eq!(lines.matches("status alone").count(), 1, "{lines}");
}

#[tokio::test]
async fn a_deletion_is_over_when_the_stack_is_gone_or_says_that_it_failed() {
    let gone = FakeCloud::with("CREATE_COMPLETE").operation("chat DELETE_COMPLETE");
    let failed = FakeCloud::with("CREATE_COMPLETE")
        .operation("chat DELETE_FAILED The following resource(s) failed to delete: [Role].");
    for (cloud, is_gone) in [(gone, true), (failed, false)] {
        let stacks = CloudStacks::new(without_events(cloud));
        let mut transcript = Transcript::default();
        let outcome = delete_stack(&stacks, &name(), Data::Remove, &mut transcript).await;
        assert_eq!(outcome.is_ok(), is_gone);
        if let Err(error) = outcome {
            let words = error.to_string();
            assert!(words.contains("failed to delete: [Role]."), "{words}");
        }
        assert!(
            stacks.cloud.pauses() <= AT_ONCE,
            "{}",
            stacks.cloud.pauses()
        );
        assert_eq!(transcript.lines.matches(NOTICE).count(), 1);
    }
}

#[tokio::test]
async fn credentials_that_may_not_describe_the_stack_end_the_following_with_what_is_known() {
    let cloud =
        changeable("UPDATE_COMPLETE").operation("chat UPDATE_IN_PROGRESS\n- poll -\nexpired");
    let (_, outcome, _) = followed(cloud).await;
    let error = refusal(outcome);
    assert_eq!(error.kind, ErrorKind::Denied);
    let so_far = error.so_far.unwrap();
    assert!(so_far.contains("was started and may go on"), "{so_far}");
}
