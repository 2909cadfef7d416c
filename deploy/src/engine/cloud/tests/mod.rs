//! The verbs over a scripted CloudFormation: what they ask of it in states that no emulator reaches.

mod account;
mod again;
mod lost;
mod order;
mod recorded;
mod sequence;
mod swap;
mod teardown;
mod trouble;
mod validation;
mod without_events;

use expect_test::{Expect, expect};

use super::fake::FakeCloud;
use super::*;
use crate::engine::fake::{Transcript, deployment};
use crate::engine::target::{ChangeSet, ChangeSets, Data, Prepared, Stacks};
use crate::engine::teardown::delete_stack;
use crate::engine::{DeployError, execute, prepare};
use crate::stack::Outputs;
use crate::stack::connect::RequiredIdentity;

fn name() -> StackName {
    "chat".parse().unwrap()
}

/// The target's refusal in `outcome`, which must be one.
fn refusal<T: std::fmt::Debug>(outcome: Result<T, DeployError>) -> TargetError {
    match outcome {
        Err(DeployError::Target(error)) => error,
        other => panic!("no refusal: {other:?}"),
    }
}

/// The change set that is prepared for the next deployment; there must be a change.
async fn change_set(stacks: &CloudStacks<FakeCloud>) -> ChangeSet {
    match prepare(stacks, deployment(), &mut Transcript::default()).await {
        Ok(Prepared::ChangeSet(change_set)) => *change_set,
        other => panic!("no change: {other:?}"),
    }
}

/// Executes the change set that is prepared for the next deployment.
async fn executed(stacks: &CloudStacks<FakeCloud>) -> Result<Outputs, DeployError> {
    let change_set = change_set(stacks).await;
    execute(stacks, &change_set, &mut Transcript::default()).await
}

/// The refusal to prepare a deployment, and what had been asked for until then.
async fn refused(cloud: FakeCloud) -> (TargetError, String) {
    let stacks = CloudStacks::new(cloud);
    let outcome = prepare(&stacks, deployment(), &mut Transcript::default()).await;
    (refusal(outcome), stacks.cloud.asked())
}

/// A stack that chatctl has deployed, in this state, and the change set that is prepared for it.
fn changeable(status: &str) -> FakeCloud {
    FakeCloud::with(status).change_set("CREATE_COMPLETE AVAILABLE")
}

/// The same of a stack that is to be made.
fn new_stack() -> FakeCloud {
    FakeCloud::default().change_set("CREATE_COMPLETE AVAILABLE")
}

/// `cloud` with the template of a chat in its stack.
fn of_a_chat(cloud: FakeCloud) -> FakeCloud {
    *cloud.template.borrow_mut() = Some(deployment().template);
    cloud
}

/// Deploys over `cloud`, which finds no change.
async fn nothing_has_changed(cloud: FakeCloud) {
    deployed(
        cloud,
        expect![[r#"
        started Prepare
        finished Prepare: nothing has changed
        no changes {"Url": "wss://fake/v1"}
        --
        create change set Update Standard
        delete change set
    "#]],
    )
    .await;
}

/// Deploys over `cloud`, which makes a stack of one function.
async fn one_function_is_made(cloud: FakeCloud) {
    deployed(
        cloud,
        expect![[r#"
        started Prepare
        finished Prepare: 1 to change
        started Deploy
        chat CREATE_IN_PROGRESS
        F CREATE_IN_PROGRESS
        F CREATE_IN_PROGRESS
        F CREATE_COMPLETE
        chat CREATE_COMPLETE
        finished Deploy: 1 resources
        done
        --
        create change set Create Standard
        execute
    "#]],
    )
    .await;
}

/// Deploys, agreeing to everything, and returns what was reported, asked and answered.
async fn deployed(cloud: FakeCloud, expected: Expect) {
    let stacks = CloudStacks::new(cloud);
    let mut transcript = Transcript::default();
    let outcome = match prepare(&stacks, deployment(), &mut transcript).await {
        Err(error) => format!("error: {error}"),
        Ok(Prepared::NoChanges(outputs)) => format!("no changes {outputs:?}"),
        Ok(Prepared::ChangeSet(change_set)) => {
            match execute(&stacks, &change_set, &mut transcript).await {
                Ok(_) => "done".to_owned(),
                Err(error) => format!("error: {error}"),
            }
        }
    };
    let asked = stacks.cloud.asked();
    expected.assert_eq(&format!("{}{outcome}\n--\n{asked}", transcript.lines));
}

#[tokio::test]
async fn a_change_set_that_takes_its_time_is_waited_for() {
    let cloud = FakeCloud::default()
        .change_set("CREATE_PENDING UNAVAILABLE\nCREATE_IN_PROGRESS UNAVAILABLE\nBRAND_NEW UNAVAILABLE\nCREATE_COMPLETE AVAILABLE")
        .operation("chat CREATE_IN_PROGRESS User Initiated\nF CREATE_IN_PROGRESS\n- poll -\nF CREATE_IN_PROGRESS Resource creation Initiated\nF CREATE_COMPLETE\n- poll -\nchat CREATE_COMPLETE");
    one_function_is_made(cloud).await;
}

#[tokio::test]
async fn no_change_is_success_and_leaves_no_change_set() {
    let cloud = FakeCloud::with("UPDATE_COMPLETE")
        .change_set("FAILED UNAVAILABLE The submitted information didn't contain changes.");
    nothing_has_changed(cloud).await;
}

#[tokio::test]
async fn an_obsolete_change_set_is_not_executed_and_the_error_names_the_faster_one() {
    let cloud = FakeCloud::with("CREATE_COMPLETE").change_set("CREATE_COMPLETE OBSOLETE");
    deployed(
        cloud,
        expect![[r#"
        started Prepare
        error: another deployment of stack `chat` got in between
        --
        create change set Update Standard
        delete change set
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_refused_first_change_set_leaves_no_shell() {
    let cloud =
        FakeCloud::default().change_set("FAILED UNAVAILABLE Template error: no such parameter");
    deployed(
        cloud,
        expect![[r#"
        started Prepare
        error: CloudFormation refuses the change of stack `chat`: Template error: no such parameter
        --
        create change set Create Standard
        delete change set
        delete stack retaining []
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_deployment_by_another_user_is_followed_first() {
    let cloud = FakeCloud::with("UPDATE_IN_PROGRESS")
        .running("chat UPDATE_IN_PROGRESS\n- poll -\nchat UPDATE_COMPLETE_CLEANUP_IN_PROGRESS\n- poll -\nchat UPDATE_COMPLETE")
        .change_set("FAILED UNAVAILABLE No updates are to be performed.");
    deployed(
        cloud,
        expect![[r#"
        started Prepare
        notice an operation on stack `chat` is already running; it is followed first
        chat UPDATE_IN_PROGRESS
        chat UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
        chat UPDATE_COMPLETE
        finished Prepare: nothing has changed
        no changes {"Url": "wss://fake/v1"}
        --
        create change set Update Standard
        delete change set
    "#]],
    )
    .await;
}

#[tokio::test]
async fn the_shell_of_a_failed_creation_is_deleted_before_a_new_one() {
    let cloud = FakeCloud::with("ROLLBACK_FAILED")
        .operation("chat DELETE_IN_PROGRESS\n- poll -\nchat DELETE_COMPLETE")
        .change_set("CREATE_COMPLETE AVAILABLE")
        .operation("chat CREATE_COMPLETE");
    deployed(cloud, expect![[r#"
        started Prepare
        notice removing what is left of stack `chat` (ROLLBACK_FAILED): an earlier first deployment failed, and CloudFormation updates no stack in that state
        chat DELETE_IN_PROGRESS
        chat DELETE_COMPLETE
        finished Prepare: 1 to change
        started Deploy
        chat CREATE_COMPLETE
        finished Deploy: 1 resources
        done
        --
        delete stack retaining []
        create change set Create Standard
        execute
    "#]])
    .await;
}

#[tokio::test]
async fn a_stack_that_is_stuck_is_not_touched() {
    deployed(
        FakeCloud::with("UPDATE_ROLLBACK_FAILED"),
        expect![[r#"
        started Prepare
        error: stack `chat` is stuck: UPDATE_ROLLBACK_FAILED
        --
    "#]],
    )
    .await;
}

#[tokio::test]
async fn after_a_failed_express_operation_the_next_one_is_express_too() {
    let cloud = FakeCloud::with("UPDATE_FAILED")
        .express()
        .change_set("CREATE_COMPLETE AVAILABLE")
        .operation("chat UPDATE_COMPLETE");
    deployed(
        cloud,
        expect![[r#"
        started Prepare
        finished Prepare: 1 to change
        started Deploy
        chat UPDATE_COMPLETE
        finished Deploy: 1 resources
        done
        --
        create change set Update Express
        execute
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_declined_first_change_set_leaves_nothing() {
    let stacks = CloudStacks::new(new_stack());
    let change_set = change_set(&stacks).await;
    stacks.discard(&change_set).await.unwrap();
    assert_eq!(*stacks.cloud.stack.borrow(), None);
    expect![[r#"
        create change set Create Standard
        delete change set
        delete stack retaining []
    "#]]
    .assert_eq(&stacks.cloud.asked());
}

#[tokio::test]
async fn a_declined_update_leaves_the_stack_alone() {
    let cloud = changeable("CREATE_COMPLETE");
    let stacks = CloudStacks::new(cloud);
    let change_set = change_set(&stacks).await;
    stacks.discard(&change_set).await.unwrap();
    assert_eq!(
        stacks.cloud.asked(),
        "create change set Update Standard\ndelete change set\n"
    );
}

#[tokio::test]
async fn what_a_chat_asks_of_its_clients_follows_from_the_template_that_is_deployed() {
    let cloud = FakeCloud::with("UPDATE_ROLLBACK_COMPLETE");
    let room = serde_json::json!({"Resources": {"ConnectFunction": {}, "BroadcastFunction": {}}});
    *cloud.template.borrow_mut() = Some(Template::new(room));
    let stacks = CloudStacks::new(cloud);
    let deployed = stacks.deployed_template(&name()).await.unwrap();
    assert_eq!(
        RequiredIdentity::from_deployed(&deployed),
        RequiredIdentity::Name
    );
}

#[tokio::test]
async fn the_code_of_other_stacks_is_reported_and_the_stack_s_own_is_not() {
    let stacks = CloudStacks::new(FakeCloud::with("CREATE_COMPLETE"));
    let others = stacks.code_of_others(&name()).await.unwrap();
    let others: Vec<_> = others.into_iter().collect();
    assert_eq!(others, [("other".into(), ["k0".into()].into())]);
}

#[tokio::test]
async fn a_stack_of_something_else_is_neither_deployed_over_nor_set_to_keep_its_tables() {
    let stacks = CloudStacks::new(foreign("CREATE_COMPLETE"));
    for error in [
        stacks.prepare(deployment()).await.unwrap_err(),
        stacks.retain_tables(&name()).await.unwrap_err(),
        stacks.own_template(&name()).await.unwrap_err(),
    ] {
        assert!(error.message.contains("chatctl has not deployed it"));
    }
    assert_eq!(stacks.cloud.asked(), "");
}

#[tokio::test]
async fn what_is_left_of_a_stack_of_something_else_is_not_removed_for_a_deployment() {
    for status in ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"] {
        let stacks = CloudStacks::new(foreign(status));
        let error = refusal(prepare(&stacks, deployment(), &mut Transcript::default()).await);
        assert!(error.message.contains("chatctl has not deployed it"));
        assert_eq!(stacks.cloud.asked(), "", "{status}");
    }
}

#[tokio::test]
async fn a_shell_goes_with_our_own_change_set_and_stays_with_another_tool_s() {
    let waiting = |names: &[&str]| {
        let cloud = changeable("REVIEW_IN_PROGRESS");
        cloud
            .waiting
            .borrow_mut()
            .extend(names.iter().map(|name| (*name).to_owned()));
        CloudStacks::new(cloud)
    };
    for names in [&[][..], &["chatctl-0123456789abcdef"]] {
        let stacks = waiting(names);
        let prepared = prepare(&stacks, deployment(), &mut Transcript::default()).await;
        assert!(prepared.is_ok());
        let asked = stacks.cloud.asked();
        assert_eq!(
            asked,
            "delete stack retaining []\ncreate change set Create Standard\n"
        );
    }
    let stacks = waiting(&[
        "chatctl-0123456789abcdef",
        "awscli-cloudformation-package-deploy-1",
    ]);
    let error = refusal(prepare(&stacks, deployment(), &mut Transcript::default()).await);
    assert!(error.message.contains("chatctl has not deployed it"));
    assert_eq!(stacks.cloud.asked(), "");
}

/// A stack that has not been deployed by chatctl.
fn foreign(status: &str) -> FakeCloud {
    let cloud = FakeCloud::with(status);
    let foreign = serde_json::json!({"Resources": {"Orders": {"Type": "AWS::DynamoDB::Table"}}});
    *cloud.template.borrow_mut() = Some(Template::new(foreign));
    cloud
}
