//! First deployments that are rolled back for what passes by itself.

use super::*;
use crate::engine::again::execute_with_second_try;

const BUSY: &str =
    "Unable to complete operation due to concurrent modification. Please try again later.";

/// A CloudFormation whose next operation fails for `reason` and is rolled back to `end`.
fn failing(cloud: FakeCloud, reason: &str, end: &str) -> FakeCloud {
    let script = format!(
        "chat CREATE_IN_PROGRESS User Initiated\nR CREATE_FAILED {reason}\n- poll -\nchat ROLLBACK_IN_PROGRESS\n\
         - poll -\nchat {end}"
    );
    *cloud.template.borrow_mut() = Some(deployment().template);
    cloud
        .change_set("CREATE_COMPLETE AVAILABLE")
        .operation(&script)
}

/// What is reported of a first try that was busy, until the empty stack that it leaves is being deleted.
const FIRST_TRY: &str = "\
started Deploy
chat CREATE_IN_PROGRESS
R CREATE_FAILED
chat ROLLBACK_IN_PROGRESS
chat ROLLBACK_COMPLETE
once more after R (AWS::X::Y) could not be created: Unable to complete operation due to concurrent modification. Please try again later.
  meaning: parts of one API were changed at the same moment, but API Gateway allows one change at a time
started Prepare
notice removing the empty stack `chat` (ROLLBACK_COMPLETE): an earlier first deployment failed, and CloudFormation updates no stack in that state
chat DELETE_IN_PROGRESS
";

/// Deploys after [`FIRST_TRY`], and returns what was reported since then, asked and answered.
async fn tried_again(cloud: FakeCloud, expected: Expect) {
    let reported = reported(cloud).await;
    let since = reported.strip_prefix(FIRST_TRY);
    expected.assert_eq(since.unwrap_or_else(|| panic!("{reported}")));
}

/// Deploys, trying once more where that makes sense, and returns what was reported, asked and answered.
async fn deployed(cloud: FakeCloud, expected: Expect) {
    expected.assert_eq(&reported(cloud).await);
}

async fn reported(cloud: FakeCloud) -> String {
    let stacks = CloudStacks::new(cloud);
    let change_set = change_set(&stacks).await;
    stacks.cloud.log.borrow_mut().clear();
    let mut transcript = Transcript::default();
    let outcome = match execute_with_second_try(&stacks, change_set, &mut transcript).await {
        Ok(_) => "done".to_owned(),
        Err(DeployError::Target(error)) => {
            format!(
                "error: {error}\nso far: {}",
                error.so_far.as_deref().unwrap_or_default()
            )
        }
        Err(error) => format!("error: {error}"),
    };
    let asked = stacks.cloud.asked();
    format!("{}{outcome}\n--\n{asked}", transcript.lines)
}

#[tokio::test]
async fn the_empty_stack_goes_and_the_same_deployment_is_made_once_more() {
    let cloud = failing(FakeCloud::default(), BUSY, "ROLLBACK_COMPLETE")
        .operation("chat DELETE_IN_PROGRESS\n- poll -\nchat DELETE_COMPLETE")
        .operation("chat CREATE_COMPLETE");
    tried_again(
        cloud,
        expect![[r#"
        chat DELETE_COMPLETE
        finished Prepare: 1 to change
        started Deploy
        chat CREATE_COMPLETE
        finished Deploy: 1 resources
        done
        --
        execute
        delete stack retaining []
        create change set Create Standard
        execute
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_stack_that_another_tool_makes_between_the_tries_is_not_changed() {
    let cloud = failing(FakeCloud::default(), BUSY, "ROLLBACK_COMPLETE")
        .operation("chat DELETE_IN_PROGRESS\n- poll -\nchat DELETE_COMPLETE\nchat CREATE_COMPLETE");
    tried_again(
        cloud,
        expect![[r#"
        chat DELETE_COMPLETE
        chat CREATE_COMPLETE
        finished Prepare: 1 to change
        error: another deployment of stack `chat` got in between
        so far: the first try was rolled back, the second one was not begun
        --
        execute
        delete stack retaining []
        create change set Update Standard
        delete change set
    "#]],
    )
    .await;
}

#[tokio::test]
async fn what_could_not_be_taken_back_is_not_tried_again() {
    let cloud = failing(FakeCloud::default(), BUSY, "ROLLBACK_FAILED");
    deployed(cloud, expect![[r#"
        started Deploy
        chat CREATE_IN_PROGRESS
        R CREATE_FAILED
        chat ROLLBACK_IN_PROGRESS
        chat ROLLBACK_FAILED
        error: stack `chat` settled as ROLLBACK_FAILED
          R (AWS::X::Y) could not be created: Unable to complete operation due to concurrent modification. Please try again later.
          meaning: parts of one API were changed at the same moment, but API Gateway allows one change at a time
        --
        execute
    "#]]).await;
}

#[tokio::test]
async fn an_empty_stack_that_cannot_be_removed_ends_it_with_that_cause() {
    let cloud = failing(FakeCloud::default(), BUSY, "ROLLBACK_COMPLETE").operation(
        "chat DELETE_IN_PROGRESS\nRole DELETE_FAILED has policies\n- poll -\nchat DELETE_FAILED",
    );
    tried_again(
        cloud,
        expect![[r#"
        Role DELETE_FAILED
        chat DELETE_FAILED
        error: stack `chat` settled as DELETE_FAILED
          Role (AWS::X::Y) could not be deleted: has policies
        --
        execute
        delete stack retaining []
    "#]],
    )
    .await;
}

#[tokio::test]
async fn without_the_events_nothing_is_known_to_pass_by_itself() {
    let cloud = failing(FakeCloud::default(), BUSY, "ROLLBACK_COMPLETE")
        .spoiled("events", super::super::fake::Spoiled::Denied);
    deployed(
        cloud,
        expect![[r#"
        started Deploy
        notice could not events; following stack `chat` by its status alone, without its resources
        error: stack `chat` settled as ROLLBACK_COMPLETE
          the reason is not known: could not events
        --
        execute
    "#]],
    )
    .await;
}
