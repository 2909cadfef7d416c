use super::super::stub::{Stub, StubResponse, refusal};
use super::*;
use crate::engine::Change;
use crate::engine::cloud::ParameterValue;
use crate::stack::change::Action;

async fn cloud(answers: Vec<StubResponse>) -> (Cloud, Stub) {
    let stub = Stub::answering(answers).await;
    (
        Cloud::new(&stub.config().await, "eu-west-1", &Default::default()),
        stub,
    )
}

fn ids() -> ChangeSetIds {
    ChangeSetIds {
        change_set: "arn:cs".into(),
        stack: "arn:stack".into(),
    }
}

fn page(action: &str, members: &str) -> StubResponse {
    (
        200,
        format!("<{action}Response><{action}Result>{members}</{action}Result></{action}Response>"),
    )
}

#[tokio::test]
async fn a_missing_stack_is_a_result_and_no_error() {
    let (cloud, _) = cloud(vec![refusal(
        400,
        "ValidationError",
        "Stack with id chat does not exist",
    )])
    .await;
    assert_eq!(cloud.stack("chat").await.unwrap(), None);
}

#[tokio::test]
async fn expired_credentials_are_reported_as_such() {
    let (cloud, _) = cloud(vec![refusal(
        403,
        "ExpiredToken",
        "The security token included in the request is expired",
    )])
    .await;
    let error = cloud.stack("chat").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(
        error
            .hint
            .unwrap()
            .starts_with("the credentials have expired: renew them")
    );
}

#[tokio::test]
async fn a_missing_permission_is_named_by_aws_s_name() {
    let (cloud, _) = cloud(vec![refusal(
        403,
        "AccessDenied",
        "User: arn:aws:iam::1:user/ann is not authorized to perform: cloudformation:DescribeStacks on resource: arn:aws:cloudformation:x",
    )])
    .await;
    let error = cloud.stack("chat").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert_eq!(
        error.hint.unwrap(),
        "the identity lacks the permission cloudformation:DescribeStacks"
    );
}

#[tokio::test]
async fn throttling_may_be_tried_again() {
    let (cloud, _) = cloud(vec![refusal(400, "Throttling", "Rate exceeded")]).await;
    assert_eq!(
        cloud.stack("chat").await.unwrap_err().kind,
        ErrorKind::Unreachable
    );
}

#[tokio::test]
async fn an_operation_in_progress_is_distinguished_from_other_refusals() {
    let message = "Stack:arn is in UPDATE_IN_PROGRESS state and can not be updated.";
    let (cloud, _) = cloud(vec![refusal(400, "ValidationError", message)]).await;
    let error = cloud.execute_change_set(&ids(), "t").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed);
    assert!(error.hint.unwrap().contains("deploy again to follow"));
}

#[tokio::test]
async fn an_obsolete_change_set_is_explained_by_another_deployment() {
    let (cloud, _) = cloud(vec![refusal(
        400,
        "InvalidChangeSetStatus",
        "cannot be executed in its current execution status of [OBSOLETE]",
    )])
    .await;
    let error = cloud.execute_change_set(&ids(), "t").await.unwrap_err();
    assert!(
        error
            .hint
            .unwrap()
            .starts_with("another deployment came first")
    );
}

#[tokio::test]
async fn statuses_and_actions_that_the_sdk_does_not_know_are_passed_on() {
    let stack = "<Stacks><member><StackName>chat</StackName><StackId>arn</StackId><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>BRAND_NEW</StackStatus></member></Stacks>";
    let (cloud, _) = cloud(vec![
        page("DescribeStacks", stack),
        page(
            "DescribeChangeSet",
            "<Status>ALSO_NEW</Status><ExecutionStatus>NEW_TOO</ExecutionStatus><Changes>\
             <member><Type>Resource</Type><ResourceChange><Action>Levitate</Action><LogicalResourceId>T</LogicalResourceId>\
             <ResourceType>AWS::DynamoDB::Table</ResourceType></ResourceChange></member></Changes>",
        ),
    ])
    .await;
    assert_eq!(
        cloud.stack("chat").await.unwrap().unwrap().status.word(),
        "BRAND_NEW"
    );
    let state = cloud.change_set(&ids()).await.unwrap();
    assert_eq!(
        (state.status.as_str(), state.execution.as_str()),
        ("ALSO_NEW", "NEW_TOO")
    );
    assert_eq!(state.changes[0].action, Action::MayReplace);
}

#[tokio::test]
async fn a_change_set_is_read_to_its_last_page_with_values_and_replacements() {
    let change = |id: &str, replacement: &str| {
        format!(
            "<Changes><member><Type>Resource</Type><ResourceChange><PolicyAction>ReplaceAndDelete</PolicyAction><Action>Modify</Action>\
             <LogicalResourceId>{id}</LogicalResourceId><ResourceType>AWS::DynamoDB::Table</ResourceType>\
             <Replacement>{replacement}</Replacement><Details><member><Target><Attribute>Properties</Attribute>\
             <Name>TableName</Name><Path>/Properties/TableName</Path><BeforeValue>a</BeforeValue><AfterValue>b</AfterValue>\
             </Target></member></Details></ResourceChange></member></Changes><Status>CREATE_COMPLETE</Status>\
             <ExecutionStatus>AVAILABLE</ExecutionStatus><StatusReason></StatusReason>"
        )
    };
    let first = format!("{}<NextToken>2</NextToken>", change("A", "True"));
    let (cloud, stub) = cloud(vec![
        page("DescribeChangeSet", &first),
        page("DescribeChangeSet", &change("B", "Conditional")),
    ])
    .await;
    let state = cloud.change_set(&ids()).await.unwrap();
    let actions: Vec<_> = state.changes.iter().map(|change| change.action).collect();
    assert_eq!(actions, [Action::Replace, Action::MayReplace]);
    assert_eq!(state.reason, None, "an empty reason is none");
    assert_eq!(state.changes[0].properties, ["TableName"]);
    assert_eq!(state.changes[0].values[0].after.as_deref(), Some("b"));
    assert!(stub.asked()[0].contains("IncludePropertyValues=true"));
}

#[tokio::test]
async fn events_are_read_back_to_the_operation_s_begin_and_no_further() {
    let event = |id: &str, logical: &str, kind: &str, status: &str| {
        format!(
            "<member><EventId>{id}</EventId><StackId>arn</StackId><StackName>chat</StackName><LogicalResourceId>{logical}</LogicalResourceId>\
             <ResourceType>{kind}</ResourceType><ResourceStatus>{status}</ResourceStatus>\
             <Timestamp>2026-01-01T00:00:00Z</Timestamp><ClientRequestToken>t</ClientRequestToken></member>"
        )
    };
    let stack = "AWS::CloudFormation::Stack";
    let newest = format!(
        "<StackEvents>{}{}</StackEvents><NextToken>2</NextToken>",
        event("4", "chat", stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        event("3", "F", "AWS::Lambda::Function", "UPDATE_COMPLETE")
    );
    let oldest = format!(
        "<StackEvents>{}{}</StackEvents><NextToken>3</NextToken>",
        event("2", "chat", stack, "UPDATE_IN_PROGRESS"),
        event("1", "chat", stack, "CREATE_COMPLETE")
    );
    let (cloud, stub) = cloud(vec![
        page("DescribeStackEvents", &newest),
        page("DescribeStackEvents", &oldest),
    ])
    .await;
    let events = cloud.recent_events("arn").await.unwrap();
    let ids: Vec<_> = events.iter().map(|event| event.event.id.as_str()).collect();
    assert_eq!(ids, ["2", "3", "4"]);
    assert_eq!(events[0].token.as_deref(), Some("t"));
    assert_eq!(stub.asked().len(), 2);
}

#[tokio::test]
async fn express_sets_rollback_and_standard_does_not() {
    let answer = page(
        "CreateChangeSet",
        "<Id>arn:cs</Id><StackId>arn:stack</StackId>",
    );
    let (cloud, stub) = cloud(vec![answer]).await;
    let mut request = NewChangeSet {
        name: "c".into(),
        stack: "chat".into(),
        change: Change::Create,
        template: Template::new(serde_json::json!({"Resources": {}})),
        parameters: [("CodeKey".to_owned(), ParameterValue::Previous)].into(),
        tags: Default::default(),
        mode: DeployMode::Express,
    };
    assert_eq!(cloud.create_change_set(&request).await.unwrap(), ids());
    request.mode = DeployMode::Standard;
    cloud.create_change_set(&request).await.unwrap();
    let asked = stub.asked();
    assert!(
        asked[0].contains("DeploymentConfig.Mode=EXPRESS&DeploymentConfig.DisableRollback=false"),
        "{}",
        asked[0]
    );
    // So that a retried request does not create a second one of that name.
    assert!(asked[0].contains("ClientToken=c"), "{}", asked[0]);
    assert!(asked[0].contains("UsePreviousValue=true") && asked[0].contains("CAPABILITY_IAM"));
    assert!(!asked[1].contains("DeploymentConfig") && !asked[1].contains("DisableRollback"));
}

#[tokio::test]
async fn findings_are_requested_by_the_change_set_s_id_and_read_to_the_last_page() {
    let member =
        |members: &str| format!("<OperationEvents><member>{members}</member></OperationEvents>");
    let failed = "<EventType>VALIDATION_ERROR</EventType><LogicalResourceId>Connections</LogicalResourceId>\
        <ResourceType>AWS::DynamoDB::Table</ResourceType><ValidationName>NAME_CONFLICT_VALIDATION</ValidationName>\
        <ValidationFailureMode>FAIL</ValidationFailureMode><ValidationStatus>FAILED</ValidationStatus>\
        <ValidationStatusReason>already exists</ValidationStatusReason><ValidationPath>/Resources/Connections</ValidationPath>";
    let warned = "<EventType>VALIDATION_ERROR</EventType><ValidationFailureMode>WARN</ValidationFailureMode>\
        <ValidationName>SERVICE_QUOTA</ValidationName>";
    let progress = "<EventType>PROGRESS_EVENT</EventType>";
    let first = format!("{}<NextToken>2</NextToken>", member(failed));
    let (cloud, stub) = cloud(vec![
        page("DescribeEvents", &first),
        page(
            "DescribeEvents",
            &format!("{}<NextToken>3</NextToken>", member(warned)),
        ),
        page("DescribeEvents", &member(progress)),
    ])
    .await;
    let findings = cloud.findings(&ids()).await.unwrap();
    assert_eq!(
        findings,
        [
            Finding {
                logical_id: "Connections".into(),
                resource_type: "AWS::DynamoDB::Table".into(),
                path: Some("/Resources/Connections".into()),
                reason: "already exists".into(),
                is_warning: false,
            },
            Finding {
                logical_id: String::new(),
                resource_type: String::new(),
                path: None,
                reason: "SERVICE_QUOTA".into(),
                is_warning: true,
            }
        ]
    );
    assert!(stub.asked()[0].contains("ChangeSetName=arn%3Acs"));
    assert!(stub.asked()[2].contains("NextToken=3"));
}

#[tokio::test]
async fn an_express_deletion_sets_the_mode_and_a_standard_one_does_not() {
    let (cloud, stub) = cloud(vec![page("DeleteStack", "")]).await;
    for mode in [DeployMode::Express, DeployMode::Standard] {
        cloud.delete_stack("arn", "t", &[], mode).await.unwrap();
    }
    assert!(stub.asked()[0].contains("DeploymentConfig.Mode=EXPRESS"));
    assert!(!stub.asked()[1].contains("DeploymentConfig"));
}

#[test]
fn pauses_grow_to_five_seconds_without_new_events() {
    let pauses: Vec<_> = [0, 1, 2, 3, 4, 5, 100]
        .map(|quiet| pause_after(quiet).as_millis())
        .into();
    assert_eq!(pauses, [400, 400, 800, 1600, 3200, 5000, 5000]);
}

#[tokio::test]
async fn change_sets_are_listed_to_the_last_page() {
    let member = |name: &str| {
        format!("<Summaries><member><ChangeSetName>{name}</ChangeSetName></member></Summaries>")
    };
    let (cloud, _) = cloud(vec![
        page(
            "ListChangeSets",
            &format!("{}<NextToken>2</NextToken>", member("a")),
        ),
        page("ListChangeSets", &member("b")),
    ])
    .await;
    assert_eq!(cloud.change_sets("chat").await.unwrap(), ["a", "b"]);
}

#[tokio::test]
async fn cloudformation_acts_with_the_role_and_tells_the_topics_of_the_config() {
    let created = "<CreateChangeSetResponse><CreateChangeSetResult><Id>arn:c</Id><StackId>arn:s</StackId></CreateChangeSetResult></CreateChangeSetResponse>";
    let stub = Stub::answering(vec![(200, created.to_owned())]).await;
    let text = "[aws]\nrole-arn = \"arn:aws:iam::123456789012:role/r\"\nnotification-arns = [\"arn:aws:sns:eu-west-1:123456789012:t\"]\n";
    let settings = crate::config::Settings::read(
        std::path::Path::new("chatctl.toml"),
        text,
        "".into(),
        Default::default(),
    )
    .unwrap();
    let cloud = Cloud::new(&stub.config().await, "eu-west-1", &settings.aws.rules);
    let request = NewChangeSet {
        name: "chatctl-1".into(),
        stack: "chat".into(),
        change: crate::engine::Change::Create,
        template: Template::new(serde_json::json!({})),
        parameters: Default::default(),
        tags: Default::default(),
        mode: DeployMode::Standard,
    };
    cloud.create_change_set(&request).await.unwrap();
    let _deleted = cloud
        .delete_stack("chat", "t", &[], DeployMode::Standard)
        .await;
    let asked = stub.asked();
    let role = "RoleARN=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr";
    assert!(
        asked[0].contains(role) && asked[1].contains(role),
        "{asked:?}"
    );
    assert!(
        asked[0].contains("NotificationARNs.member.1=arn%3Aaws%3Asns"),
        "{asked:?}"
    );
}
