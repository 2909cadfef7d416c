//! A stack with an overlay, and one that goes on without chatctl.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use testing::project::peer;

use crate::chat::two_friends_chat;
use crate::cloud::{Cloud, Finished, built_handlers, finished};

const CONFIG: &str = "[template]\noverlay = \"extra.yaml\"\n";

const EXTRA: &str = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n  Topic:\n    Type: AWS::SNS::Topic\n  DirectFunction:\n    \
                     Properties:\n      MemorySize: 512\n      Environment: { Variables: { QUEUE: !Ref Queue } }\n\
                     Outputs:\n  QueueUrl: { Value: !Ref Queue }\n";

fn extra(cloud: &Cloud, text: &str) {
    std::fs::write(cloud.folder().join("extra.yaml"), text).unwrap();
}

/// The physical ids of the stack's resources, by logical id.
async fn resources(cloud: &Cloud) -> BTreeMap<String, String> {
    let client = aws_sdk_cloudformation::Client::new(&cloud.sdk().await);
    let answer = client
        .list_stack_resources()
        .stack_name("chat")
        .send()
        .await;
    let resources = answer.unwrap().stack_resource_summaries.unwrap_or_default();
    let pair = |resource: aws_sdk_cloudformation::types::StackResourceSummary| {
        Some((
            resource.logical_resource_id?,
            resource.physical_resource_id?,
        ))
    };
    resources.into_iter().filter_map(pair).collect()
}

#[tokio::test]
async fn a_stack_with_an_overlay_is_deployed_compared_updated_and_torn_down_as_a_whole() {
    let cloud = Cloud::start().await;
    cloud.config(CONFIG);
    extra(&cloud, EXTRA);
    let deployed = cloud.deploy("").await.exits(0);
    deployed.explains("overlay extra.yaml: adds 2 resources; adds 1 output; changes DirectFunction (MemorySize, Environment)");
    deployed.explains("+ Queue AWS::SQS::Queue (overlay)");
    deployed.explains("+ Topic AWS::SNS::Topic (overlay)");
    two_friends_chat(&deployed.url()).await;
    let there = resources(&cloud).await;
    assert!(
        there.contains_key("Queue") && there.contains_key("Topic"),
        "{there:?}"
    );
    let outputs = cloud.chatctl("outputs").await.exits(0);
    assert!(outputs.stdout.contains("QueueUrl"), "{}", outputs.stdout);
    cloud
        .deploy("--no-probe")
        .await
        .exits(0)
        .explains("nothing has changed");

    extra(
        &cloud,
        &EXTRA
            .replace("512", "256")
            .replace("  Topic:\n    Type: AWS::SNS::Topic\n", ""),
    );
    let handlers = built_handlers().display();
    let diff = cloud
        .chatctl(&format!("diff --handlers {handlers}"))
        .await
        .exits(0);
    assert!(
        diff.stdout.contains("DirectFunction AWS::Lambda::Function"),
        "{}",
        diff.stdout
    );
    assert!(
        diff.stdout.contains("(overlay: MemorySize)"),
        "{}",
        diff.stdout
    );
    assert!(
        diff.stdout.contains("- Topic AWS::SNS::Topic"),
        "{}",
        diff.stdout
    );
    let json = cloud
        .chatctl(&format!("diff --handlers {handlers} --output json"))
        .await
        .exits(0);
    let json: serde_json::Value =
        serde_json::from_str(json.stdout.lines().last().unwrap()).unwrap();
    let changes = json["summary"]["changes"].as_array().unwrap();
    let function = changes
        .iter()
        .find(|change| change["logicalId"] == "DirectFunction")
        .unwrap();
    assert_eq!(function["overlay"], serde_json::json!(["MemorySize"]));
    cloud.deploy("--no-probe").await.exits(0);
    assert!(!resources(&cloud).await.contains_key("Topic"));

    cloud.chatctl("teardown --yes").await.exits(0);
    assert_eq!(cloud.stack_status("chat").await, None);
}

#[tokio::test]
async fn a_mistake_in_an_overlay_asks_aws_nothing() {
    let cloud = Cloud::start().await;
    cloud.config(CONFIG);
    extra(
        &cloud,
        "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties: { QueueName: !Ref Nme }\n",
    );
    for words in ["deploy --yes", "diff", "deploy --dry-run"] {
        let refused = cloud.chatctl(words).await.exits(2);
        refused.explains("extra.yaml:4:30: the template has no resource or parameter `Nme`");
    }
    assert_eq!(cloud.between.asked(), [""; 0]);
}

#[tokio::test]
async fn names_of_iam_s_resources_get_the_capability_that_they_need_and_that_is_said() {
    let cloud = Cloud::start().await;
    cloud.config(CONFIG);
    let role = "Resources:\n  Mine:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: mine\n      AssumeRolePolicyDocument:\n        \
                Version: 2012-10-17\n        Statement: [{ Effect: Allow, Principal: { Service: ec2.amazonaws.com }, Action: sts:AssumeRole }]\n";
    extra(&cloud, role);
    let deployed = cloud.deploy("--no-probe").await.exits(0);
    deployed.explains("(Mine), which CloudFormation makes only with CAPABILITY_NAMED_IAM");
    let asked = cloud.between.bodies("CreateChangeSet");
    assert!(asked[0].contains("CAPABILITY_NAMED_IAM"), "{asked:?}");
}

/// Runs an ejected script as its user does: with the AWS CLI on the PATH, and without chatctl.
async fn script(cloud: &Cloud, script: &Path, more: &[&str]) -> Finished {
    let aws = peer("CHATCTL_AWSCLI");
    let path: Vec<PathBuf> = [
        aws.parent().unwrap(),
        Path::new("/usr/bin"),
        Path::new("/bin"),
    ]
    .map(Path::to_owned)
    .into();
    for folder in &path {
        assert!(!folder.join("chatctl").exists(), "{}", folder.display());
    }
    let mut command = tokio::process::Command::new("sh");
    command
        .arg(script)
        .args(more)
        .env_clear()
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("HOME", cloud.folder())
        .env("AWS_ENDPOINT_URL", &cloud.between.url)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null());
    finished(command.output().await.unwrap())
}

#[tokio::test]
async fn an_ejected_stack_goes_on_without_chatctl_and_nothing_of_it_is_replaced() {
    let cloud = Cloud::start().await;
    cloud.config(CONFIG);
    extra(&cloud, EXTRA);
    let url = cloud.deploy("").await.exits(0).url();
    let before = resources(&cloud).await;
    let handlers = built_handlers().display();
    cloud
        .chatctl(&format!("eject --handlers {handlers} --out mine"))
        .await
        .exits(0);
    let folder = cloud.folder().join("mine");
    let deploy = folder.join("deploy.sh");
    let deployed = script(&cloud, &deploy, &[]).await.exits(0);
    assert!(deployed.stdout.contains("QueueUrl"), "{}", deployed.stdout);
    assert_eq!(resources(&cloud).await, before);
    assert_eq!(
        cloud.stack_status("chat").await.as_deref(),
        Some("UPDATE_COMPLETE")
    );
    two_friends_chat(&url).await;
    // From here on the template is the user's.
    let template = folder.join("template.yaml");
    let text = std::fs::read_to_string(&template).unwrap();
    std::fs::write(
        &template,
        text.replace("MemorySize: 512", "MemorySize: 1024"),
    )
    .unwrap();
    script(&cloud, &deploy, &[]).await.exits(0);
    assert_eq!(resources(&cloud).await, before);
    // And a new stack can be made of it.
    let mut other = std::fs::read_to_string(&deploy).unwrap();
    other = other.replace("${STACK:-chat}", "other");
    std::fs::write(folder.join("other.sh"), other).unwrap();
    script(&cloud, &folder.join("other.sh"), &[]).await.exits(0);
    assert_eq!(
        cloud.stack_status("other").await.as_deref(),
        Some("CREATE_COMPLETE")
    );
}
