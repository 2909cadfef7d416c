//! What goes wrong, and what is said and left then.

use serde_json::{Value, json};

use crate::chat::two_friends_chat;
use crate::cloud::{Cloud, built_handlers, finished};

/// Adds a resource that waits for a signal which never comes, and fails after `seconds`.
pub(crate) fn with_a_failure(seconds: u32) -> impl Fn(&mut Value) + Send + Sync + 'static {
    move |template| {
        let resources = template["Resources"].as_object_mut().unwrap();
        resources.insert(
            "Handle".into(),
            json!({"Type": "AWS::CloudFormation::WaitConditionHandle"}),
        );
        resources.insert(
            "Patience".into(),
            json!({
                "Type": "AWS::CloudFormation::WaitCondition",
                "DependsOn": ["Stage", "DirectFunction"],
                "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": seconds.to_string(), "Count": 1}
            }),
        );
    }
}

#[tokio::test]
async fn a_first_deployment_that_fails_tells_the_cause_and_the_next_one_cleans_up() {
    let cloud = Cloud::start().await;
    cloud.between.edit_templates(with_a_failure(1));
    cloud
        .deploy("")
        .await
        .exits(3)
        .explains("stack `chat` settled as ROLLBACK_COMPLETE\n  Patience (AWS::CloudFormation::WaitCondition) could not be created")
        .explains("nothing of it is left but its name");
    assert_eq!(
        cloud.stack_status("chat").await.as_deref(),
        Some("ROLLBACK_COMPLETE")
    );
    cloud.between.leave_templates_alone();
    let handlers = crate::cloud::built_handlers().display();
    for words in ["diff", "deploy --dry-run"] {
        let previewed = cloud
            .chatctl(&format!("{words} --handlers {handlers}"))
            .await
            .exits(0);
        previewed.explains("a deployment first removes the empty stack `chat` (ROLLBACK_COMPLETE)");
        assert!(previewed.stdout.contains("+ 26 new"), "{previewed:?}");
        assert_eq!(
            cloud.stack_status("chat").await.as_deref(),
            Some("ROLLBACK_COMPLETE"),
            "{words}"
        );
    }
    let second = cloud.deploy("").await.exits(0);
    second.explains("removing the empty stack `chat` (ROLLBACK_COMPLETE)");
    two_friends_chat(&second.url()).await;
    let asked = cloud.between.asked();
    let at = |action: &str| asked.iter().rposition(|asked| asked == action).unwrap();
    assert!(at("DeleteStack") < at("CreateChangeSet"), "{asked:?}");
}

#[tokio::test]
async fn after_an_update_that_fails_the_version_before_still_serves() {
    let cloud = Cloud::start().await;
    let url = cloud.deploy("").await.exits(0).url();
    cloud.between.edit_templates(with_a_failure(1));
    let newer = cloud.handlers("-newer");
    cloud
        .chatctl(&format!("deploy --yes --handlers {}", newer.display()))
        .await
        .exits(3)
        .explains("settled as UPDATE_ROLLBACK_COMPLETE")
        .explains("the version before still serves");
    two_friends_chat(&url).await;
    let status = cloud.chatctl("status").await.exits(0);
    assert!(
        status.stdout.contains("failure      Patience"),
        "{}",
        status.stdout
    );
}

#[tokio::test]
async fn a_few_throttled_requests_are_nothing_to_speak_of() {
    let cloud = Cloud::start().await;
    cloud
        .between
        .refuse("DescribeStacks", 2, "Throttling", "Rate exceeded");
    cloud
        .between
        .refuse("DescribeStackEvents", 2, "Throttling", "Rate exceeded");
    cloud.deploy("--no-probe").await.exits(0);
}

#[tokio::test]
async fn credentials_that_expire_while_the_stack_is_followed_end_with_4_and_aws_goes_on() {
    let cloud = Cloud::start().await;
    cloud.between.expire_with("ExecuteChangeSet");
    cloud
        .deploy("--no-probe")
        .await
        .exits(4)
        .explains("ExpiredToken: The security token included in the request is expired")
        .explains("so far: the deployment of stack `chat` was started and may go on by itself")
        .explains("renew them");
    cloud.between.renew();
    cloud.deploy("").await.exits(0).explains("both ways");
}

#[tokio::test]
async fn without_the_permission_to_read_events_a_stack_is_followed_by_its_status() {
    let cloud = Cloud::start().await;
    let message = "not authorized to perform: cloudformation:DescribeStackEvents";
    let action = "DescribeStackEvents";
    cloud
        .between
        .refuse(action, usize::MAX, "AccessDenied", message);
    cloud
        .deploy("")
        .await
        .exits(0)
        .explains("following stack `chat` by its status alone")
        .explains("lacks the permission cloudformation:DescribeStackEvents")
        .explains("both ways");
    // An update that has ended is not followed any further: there were twenty more looks, ever slower ones.
    let updated = cloud.deploy("--no-probe --stage v2").await.exits(0);
    assert_eq!(updated.stderr.matches("status alone").count(), 1);
    let asked = cloud.between.asked();
    let executed = asked.iter().rposition(|asked| asked == "ExecuteChangeSet");
    let looks = asked[executed.unwrap()..].iter();
    let looks = looks.filter(|asked| *asked == "DescribeStacks").count();
    assert!(looks < 15, "{looks}");
    let removed = cloud.chatctl("teardown --yes").await.exits(0);
    removed.explains("stack `chat` in eu-west-1 is gone");
}

#[tokio::test]
async fn all_problems_are_found_before_anything_is_touched() {
    let cloud = Cloud::start().await;
    let message = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: sts:GetCallerIdentity";
    cloud
        .between
        .refuse("GetCallerIdentity", 1, "AccessDenied", message);
    cloud
        .chatctl("deploy --yes --handlers /nowhere")
        .await
        .exits(4)
        .explains("2 things stand in the way; nothing was touched")
        .explains("could not read the handlers at /nowhere")
        .explains("lacks the permission sts:GetCallerIdentity");
    assert_eq!(cloud.between.asked(), ["GetCallerIdentity"]);
}

#[tokio::test]
async fn the_doctor_tells_problems_line_by_line_and_exits_as_a_deployment_would() {
    let cloud = Cloud::start().await;
    let doctor = format!(
        "doctor --handlers {}",
        crate::cloud::built_handlers().display()
    );
    let healthy = cloud.chatctl(&doctor).await.exits(0);
    assert!(
        healthy
            .stdout
            .contains("ok  credentials  account 123456789012"),
        "{}",
        healthy.stdout
    );
    cloud.between.refuse(
        "GetCallerIdentity",
        1,
        "InvalidClientTokenId",
        "The security token is invalid",
    );
    let ill = cloud.chatctl(&doctor).await.exits(4);
    assert!(ill.stdout.contains("bad credentials"), "{}", ill.stdout);
    let mut command = cloud.command(&format!("{doctor} --output json"));
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY");
    let without = crate::cloud::finished(command.output().await.unwrap()).exits(4);
    assert!(
        without.stdout.contains("found no AWS credentials"),
        "{}",
        without.stdout
    );
    let mut command = cloud.command(&doctor);
    command.env_remove("AWS_REGION");
    let without = crate::cloud::finished(command.output().await.unwrap()).exits(2);
    assert!(without.stdout.contains("--region"), "{}", without.stdout);
}

#[tokio::test]
async fn a_missing_permission_is_named_exits_with_4_and_leaves_nothing() {
    let cloud = Cloud::start().await;
    for (action, permission) in [
        ("CreateChangeSet", "cloudformation:CreateChangeSet"),
        ("DescribeChangeSet", "cloudformation:DescribeChangeSet"),
        ("ExecuteChangeSet", "cloudformation:ExecuteChangeSet"),
    ] {
        let message = format!(
            "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: {permission} on resource: arn:aws:cloudformation:x"
        );
        cloud.between.refuse(action, 1, "AccessDenied", &message);
        cloud
            .deploy("--no-probe")
            .await
            .exits(4)
            .explains(&format!("lacks the permission {permission}"));
        assert_eq!(cloud.stack_status("chat").await, None, "{action}");
    }
}

#[tokio::test]
async fn what_early_validation_refuses_is_reported_by_resource_and_leaves_nothing() {
    let cloud = Cloud::start().await;
    let failed = "<Status>FAILED</Status><ExecutionStatus>UNAVAILABLE</ExecutionStatus><StatusReason>The following \
                  hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck].</StatusReason>";
    cloud.between.answer("DescribeChangeSet", failed);
    let found = "<OperationEvents><member><EventType>VALIDATION_ERROR</EventType>\
                 <LogicalResourceId>Connections</LogicalResourceId><ResourceType>AWS::DynamoDB::Table</ResourceType>\
                 <ValidationStatus>FAILED</ValidationStatus><ValidationFailureMode>FAIL</ValidationFailureMode>\
                 <ValidationStatusReason>Resource of type 'AWS::DynamoDB::Table' with identifier 'x' already exists.\
                 </ValidationStatusReason></member></OperationEvents>";
    cloud.between.answer("DescribeEvents", found);
    cloud
        .deploy("")
        .await
        .exits(3)
        .explains("refuses the change of stack `chat` before anything was begun")
        .explains("Connections (AWS::DynamoDB::Table) could not be accepted: Resource of type")
        .explains("delete it, or deploy under another name with `--stack`");
    assert_eq!(cloud.stack_status("chat").await, None);
}

#[tokio::test]
async fn a_stage_whose_record_complains_although_it_answers_is_warned_of_and_deployed() {
    let cloud = Cloud::start().await;
    // As API Gateway records it of a stage that was made before its routes.
    let words =
        "Deployment attempt failed: At least one route is required before deploying the Api.";
    cloud.between.complain_of_stages(words);
    let handlers = built_handlers().display();
    let mut command = cloud.command(&format!("deploy --yes --handlers {handlers}"));
    // The record is looked at for some three minutes.
    command.env("CHATCTL_TIME_FACTOR", "0.25");
    let deployed = finished(command.output().await.unwrap()).exits(0);
    deployed.explains("both ways");
    deployed.explains(
        "API Gateway's record of the last automatic deployment of stage v1 says: Deployment attempt failed",
    );
    deployed.explains("it answers all the same");
    two_friends_chat(&deployed.url()).await;
}
