//! Answers that are lost or mean nothing, stacks that do not settle: what is said is what is known.

use super::super::fake::Spoiled;
use super::*;
use crate::engine::{DeployError, ErrorKind};

const CREATED: &str = "chat CREATE_IN_PROGRESS User Initiated\n- poll -\nchat CREATE_COMPLETE";
const UPDATED: &str = "chat UPDATE_IN_PROGRESS User Initiated\n- poll -\nchat UPDATE_COMPLETE";

/// Deploys over `cloud`; the answer is the error, if there is one, what was reported and what was asked.
async fn outcome(cloud: FakeCloud) -> (Option<TargetError>, String, String) {
    let stacks = CloudStacks::new(cloud);
    let mut transcript = Transcript::default();
    let change_set = change_set(&stacks).await;
    let outcome = execute(&stacks, &change_set, &mut transcript).await;
    let error = match outcome {
        Ok(_) => None,
        Err(DeployError::Target(error)) => Some(error),
        Err(error) => panic!("{error}"),
    };
    (error, transcript.lines, stacks.cloud.asked())
}

fn prepared(cloud: FakeCloud) -> FakeCloud {
    cloud.change_set("CREATE_COMPLETE AVAILABLE")
}

#[tokio::test]
async fn an_execution_whose_answer_was_lost_is_found_and_followed() {
    let cloud = prepared(FakeCloud::with("CREATE_COMPLETE")).operation(UPDATED);
    let (error, lines, _) = outcome(cloud.spoiled("execute", Spoiled::LostAfter)).await;
    assert!(error.is_none(), "{error:?}");
    assert!(lines.ends_with("finished Deploy: 1 resources\n"), "{lines}");
}

#[tokio::test]
async fn an_execution_that_did_not_arrive_is_taken_back_and_nothing_is_said_to_have_changed() {
    for spoiled in [Spoiled::LostBefore, Spoiled::Denied] {
        let cloud = prepared(FakeCloud::with("CREATE_COMPLETE")).operation(UPDATED);
        let (error, _, asked) = outcome(cloud.spoiled("execute", spoiled)).await;
        let error = error.unwrap();
        assert_eq!(error.so_far.as_deref(), Some("nothing was changed"));
        assert!(asked.ends_with("delete change set\n"), "{asked}");
    }
}

#[tokio::test]
async fn an_execution_that_was_answered_and_not_begun_is_no_success() {
    for cloud in [FakeCloud::default(), FakeCloud::with("CREATE_COMPLETE")] {
        let cloud = prepared(cloud).operation(CREATED);
        let (error, ..) = outcome(cloud.spoiled("execute", Spoiled::Ignored)).await;
        let error = error.unwrap();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.message.ends_with("but nothing was begun"), "{error}");
    }
}

#[tokio::test]
async fn a_stack_whose_events_cannot_be_read_is_followed_by_its_status() {
    for spoiled in [Spoiled::Denied, Spoiled::LostBefore] {
        let cloud = prepared(FakeCloud::with("CREATE_COMPLETE")).operation(UPDATED);
        let (error, lines, _) = outcome(cloud.spoiled("events", spoiled)).await;
        assert!(error.is_none(), "{error:?}");
        expect![[r#"
            started Deploy
            notice could not events; following stack `chat` by its status alone, without its resources
            finished Deploy: 1 resources
        "#]]
        .assert_eq(&lines);
    }
}

#[tokio::test]
async fn a_failure_whose_events_cannot_be_read_says_that_its_reason_is_not_known() {
    let failing =
        "chat UPDATE_IN_PROGRESS\n- poll -\nF UPDATE_FAILED no\nchat UPDATE_ROLLBACK_COMPLETE";
    let cloud = prepared(FakeCloud::with("CREATE_COMPLETE")).operation(failing);
    let stacks = CloudStacks::new(cloud.spoiled("events", Spoiled::Denied));
    let outcome = executed(&stacks).await;
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "stack `chat` settled as UPDATE_ROLLBACK_COMPLETE\n  the reason is not known: could not events"
    );
}

#[tokio::test]
async fn a_stack_that_never_settles_is_reported_now_and_then_and_left_to_itself_after_an_hour() {
    let cloud = prepared(FakeCloud::with("CREATE_COMPLETE")).operation("chat UPDATE_IN_PROGRESS");
    let (error, lines, _) = outcome(cloud).await;
    let error = error.unwrap();
    assert_eq!(error.kind, ErrorKind::Failed);
    let message = "stack `chat` has not settled after 60 minutes (UPDATE_IN_PROGRESS)";
    assert_eq!(error.message, message);
    let so_far = error.so_far.unwrap();
    assert!(so_far.contains("was started and may go on"), "{so_far}");
    let reported = lines
        .lines()
        .filter(|line| line.starts_with("UPDATE_IN_PROGRESS for "));
    assert_eq!(reported.count(), 59, "{lines}");
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_is_found_and_followed() {
    let cloud = FakeCloud::with("CREATE_COMPLETE")
        .operation("chat DELETE_IN_PROGRESS\n- poll -\nchat DELETE_COMPLETE")
        .spoiled("delete", Spoiled::LostAfter);
    let stacks = CloudStacks::new(cloud);
    delete_stack(&stacks, &name(), Data::Remove, &mut Transcript::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_deletion_that_did_not_arrive_or_was_not_begun_is_an_error_that_says_so() {
    for (spoiled, so_far) in [
        (Spoiled::LostBefore, "nothing was deleted"),
        (Spoiled::Denied, "nothing was deleted"),
        (Spoiled::Ignored, "nothing was changed"),
    ] {
        let cloud = FakeCloud::with("CREATE_COMPLETE").spoiled("delete", spoiled);
        let stacks = CloudStacks::new(cloud);
        let outcome =
            delete_stack(&stacks, &name(), Data::Remove, &mut Transcript::default()).await;
        assert_eq!(refusal(outcome).so_far.as_deref(), Some(so_far));
    }
}
