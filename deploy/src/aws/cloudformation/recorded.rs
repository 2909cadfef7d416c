//! Refusals and descriptions that CloudFormation has sent, and the adapter's results. They are facts from LocalStack's
//! tests, which record AWS
//! (<https://github.com/localstack/localstack/tree/8b9a79f05846835cf4dff63ab7eefdde9df83783/tests/aws/services/cloudformation>);
//! each test names its file there and the recording in it. The engine's handling of such states is tested in
//! `engine/cloud/tests/recorded.rs`.

use super::super::stub::{Stub, StubResponse, refusal};
use super::*;
use crate::engine::{Change, StackStatus};

async fn cloud(answers: Vec<StubResponse>) -> (Cloud, Stub) {
    let stub = Stub::answering(answers).await;
    (
        Cloud::new(&stub.config().await, "eu-west-1", &Default::default()),
        stub,
    )
}

fn ids() -> ChangeSetIds {
    ChangeSetIds {
        change_set: "arn:aws:cloudformation:eu-west-1:111111111111:changeSet/c/1".into(),
        stack: "arn:aws:cloudformation:eu-west-1:111111111111:stack/chat/1".into(),
    }
}

fn request(change: Change) -> NewChangeSet {
    NewChangeSet {
        name: "c".into(),
        stack: "chat".into(),
        change,
        template: Template::new(serde_json::json!({"Resources": {}})),
        parameters: Default::default(),
        tags: Default::default(),
        mode: DeployMode::Standard,
    }
}

/// The error of a change set's creation that is refused with `message`.
async fn refused_creation(message: &str) -> (ErrorKind, String) {
    let (cloud, _) = cloud(vec![refusal(400, "ValidationError", message)]).await;
    let error = cloud
        .create_change_set(&request(Change::Create))
        .await
        .unwrap_err();
    let source = error.source.as_ref().unwrap().to_string();
    assert_eq!(source, format!("ValidationError: {message}"));
    (error.kind, error.hint.unwrap_or_default())
}

/// A description of the stack in `status`, with further `members`.
fn described(status: &str, members: &str) -> StubResponse {
    let stack = format!(
        "<StackName>chat</StackName><StackId>arn:1</StackId><CreationTime>2026-01-01T00:00:00Z</CreationTime>\
         <StackStatus>{status}</StackStatus>{members}"
    );
    let body = format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member>{stack}</member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
    );
    (200, body)
}

/// `api/test_changesets.snapshot.json`: `test_name_conflicts`, `test_create_changeset_with_stack_id`.
#[tokio::test]
async fn a_first_change_set_for_a_taken_name_is_reported_as_another_deployment_s() {
    let message = "Stack [chat] already exists and cannot be created again with the changeSet [c].";
    let (kind, hint) = refused_creation(message).await;
    assert_eq!(kind, ErrorKind::Failed);
    assert!(hint.starts_with("another deployment came first"), "{hint}");
}

/// `api/test_changesets.snapshot.json`: `test_changeset_for_deleted_stack`, `test_create_changeset_for_deleted_stack`.
#[tokio::test]
async fn a_change_set_for_a_stack_in_deletion_is_reported_as_another_operation_s() {
    let message = "Stack:arn:1 is in DELETE_IN_PROGRESS state and can not be updated.";
    let (kind, hint) = refused_creation(message).await;
    assert_eq!(kind, ErrorKind::Failed);
    assert!(hint.contains("deploy again to follow that first"), "{hint}");
    let message = "Stack:arn:1 is in DELETE_COMPLETE state and can not be updated.";
    let (kind, hint) = refused_creation(message).await;
    assert_eq!(kind, ErrorKind::Failed);
    assert!(hint.starts_with("another deployment came first"), "{hint}");
}

/// `api/test_update_stack.snapshot.json`: `test_update_with_role_without_permissions`.
#[tokio::test]
async fn a_role_that_cloudformation_cannot_assume_is_not_retried() {
    let message = "Role arn:aws:iam::111111111111:role/r is invalid or cannot be assumed";
    let (kind, hint) = refused_creation(message).await;
    assert_eq!(kind, ErrorKind::Failed);
    assert!(hint.contains("cloudformation.amazonaws.com"), "{hint}");
}

/// `api/test_validations.snapshot.json`: all of its recordings, and `test_linting_error_during_creation` and
/// `test_no_parameters_given` of `api/test_stacks.snapshot.json`.
#[tokio::test]
async fn template_errors_are_passed_on_and_not_taken_for_a_missing_stack() {
    for message in [
        "[/Outputs/MyOutput/Value] 'null' values are not allowed in templates",
        "Template format error: Every Outputs member must contain a Value object",
        "Template format error: At least one Resources member must be defined.",
        "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
        "Template format error: Any Resources member must be an object.",
        "Invalid template resource property 'Invalid'",
        "Parameters: [Input] must have values",
    ] {
        let (kind, _) = refused_creation(message).await;
        assert_eq!(kind, ErrorKind::Unexpected, "{message}");
    }
}

/// `api/test_changesets.snapshot.json`: `test_deleted_changeset`, `test_describe_changeset_after_delete`.
#[tokio::test]
async fn deleting_a_deleted_change_set_is_no_error() {
    let gone = || {
        let message = "ChangeSet [c] does not exist";
        refusal(404, "ChangeSetNotFound", message)
    };
    let (cloud, _) = cloud(vec![gone(), gone()]).await;
    assert_eq!(
        cloud.change_set(&ids()).await.unwrap_err().kind,
        ErrorKind::Failed
    );
    cloud.delete_change_set(&ids()).await.unwrap();
}

/// `api/test_changesets.snapshot.json`: `test_delete_change_set_exception`, `test_describe_change_set_nonexisting`.
/// Without an ARN, the stack must be named too.
#[tokio::test]
async fn a_change_set_is_deleted_by_its_name_and_the_stack_s_which_may_not_exist() {
    let missing = refusal(400, "ValidationError", "Stack [chat] does not exist");
    let (cloud, stub) = cloud(vec![missing]).await;
    let by_name = ChangeSetIds {
        change_set: "c".into(),
        stack: "chat".into(),
    };
    cloud.delete_change_set(&by_name).await.unwrap();
    cloud.delete_change_set(&ids()).await.unwrap();
    let asked = stub.asked();
    assert!(asked[0].contains("StackName=chat"), "{}", asked[0]);
    assert!(asked[1].contains("StackName=arn"), "{}", asked[1]);
}

/// `api/test_changesets.snapshot.json`: `test_empty_changeset`: what has failed cannot be executed.
#[tokio::test]
async fn a_change_set_in_the_wrong_state_is_reported_as_overtaken() {
    let message = "ChangeSet [arn] cannot be executed in its current status of [FAILED]";
    let (cloud, _) = cloud(vec![refusal(400, "InvalidChangeSetStatus", message)]).await;
    let error = cloud.execute_change_set(&ids(), "t").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed);
}

/// `api/test_changesets.snapshot.json`: `test_name_conflicts`: by its id, a stack is found long after its deletion; by
/// its name, a new one is.
#[tokio::test]
async fn a_deleted_stack_is_described_by_its_id() {
    let gone = described(
        "DELETE_COMPLETE",
        "<DeletionTime>2026-01-01T00:00:00Z</DeletionTime>",
    );
    let members = "<StackStatusReason>User Initiated</StackStatusReason>";
    let (cloud, _) = cloud(vec![gone, described("REVIEW_IN_PROGRESS", members)]).await;
    let status = async |name: &str| cloud.stack(name).await.unwrap().unwrap().status;
    assert_eq!(status("arn:1").await, StackStatus::DeleteComplete);
    assert_eq!(status("chat").await, StackStatus::ReviewInProgress);
}

/// `api/test_stacks.snapshot.json`: `test_describe_stack_events_errors`, `test_name_conflicts`,
/// `test_non_existing_stack_message`: the two messages about a missing stack.
#[tokio::test]
async fn a_missing_stack_has_no_events_and_no_description() {
    let reported = [
        "Stack [chat] does not exist",
        "Stack with id chat does not exist",
    ];
    let answers = reported.map(|message| refusal(400, "ValidationError", message));
    let (cloud, _) = cloud(answers.into()).await;
    assert_eq!(cloud.recent_events("chat").await.unwrap(), []);
    assert_eq!(cloud.stack("chat").await.unwrap(), None);
}

/// `api/test_stacks.snapshot.json`: `test_update_termination_protection`.
#[tokio::test]
async fn termination_protection_is_read() {
    let protected = |word: &str| {
        let members = format!("<EnableTerminationProtection>{word}</EnableTerminationProtection>");
        described("CREATE_COMPLETE", &members)
    };
    let (cloud, _) = cloud(vec![protected("true"), protected("false")]).await;
    assert!(cloud.stack("chat").await.unwrap().unwrap().protected);
    assert!(!cloud.stack("chat").await.unwrap().unwrap().protected);
}

/// `api/test_stacks.snapshot.json`: `test_blocked_stack_deletion`: the stack's own reason ends in a space.
#[tokio::test]
async fn a_failed_rollback_names_the_resources_that_were_not_deleted() {
    let reason = "The following resource(s) failed to delete: [BrokenPolicy]. ";
    let members = format!("<StackStatusReason>{reason}</StackStatusReason>");
    let (cloud, _) = cloud(vec![described("ROLLBACK_FAILED", &members)]).await;
    let record = cloud.stack("chat").await.unwrap().unwrap();
    assert_eq!(record.status.word(), "ROLLBACK_FAILED");
    assert_eq!(record.reason.unwrap().trim_end(), reason.trim_end());
}

/// `test_change_sets.snapshot.json`: `TestCaptureUpdateProcess::test_direct_update`, with property values.
#[tokio::test]
async fn a_replacement_has_the_values_before_and_after() {
    let change = "<ResourceChange><Action>Modify</Action><PolicyAction>ReplaceAndDelete</PolicyAction><Replacement>True</Replacement>\
        <LogicalResourceId>Foo</LogicalResourceId><PhysicalResourceId>topic-1</PhysicalResourceId><ResourceType>AWS::SNS::Topic</ResourceType>\
        <Scope><member>Properties</member></Scope><Details><member><ChangeSource>DirectModification</ChangeSource><Evaluation>Static</Evaluation>\
        <Target><Attribute>Properties</Attribute><AttributeChangeType>Modify</AttributeChangeType><Name>TopicName</Name><Path>/Properties/TopicName</Path>\
        <BeforeValue>topic-1</BeforeValue><AfterValue>topic-2</AfterValue><RequiresRecreation>Always</RequiresRecreation></Target></member></Details></ResourceChange>";
    let body = format!(
        "<DescribeChangeSetResponse><DescribeChangeSetResult><Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus>\
         <Changes><member><Type>Resource</Type>{change}</member></Changes></DescribeChangeSetResult></DescribeChangeSetResponse>"
    );
    let (cloud, _) = cloud(vec![(200, body)]).await;
    let state = cloud.change_set(&ids()).await.unwrap();
    let change = &state.changes[0];
    assert_eq!(change.action, crate::stack::change::Action::Replace);
    assert_eq!(change.values[0].before.as_deref(), Some("topic-1"));
    assert_eq!(change.values[0].after.as_deref(), Some("topic-2"));
}
