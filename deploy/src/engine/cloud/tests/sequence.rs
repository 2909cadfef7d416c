//! A deployment from its handlers to the proof, in its order: what is asked of each part, and what is left when it stops in
//! between.

use std::collections::BTreeMap;

use super::account::FakeAccount;
use super::*;
use crate::config::{Overrides, Settings};
use crate::engine::deploy::{CloudDeployment, Content};
use crate::engine::{CloudOptions, DeployRequest};

fn template() -> Template {
    Template::new(
        serde_json::json!({"Description": "by chatctl", "Resources": {
            "F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": {"Ref": "CodeKey"}}}}
        }}),
    )
}

/// A stack that is deployed with `template`, with the key `k0`.
fn deployed_before() -> FakeCloud {
    let cloud = FakeCloud::with("CREATE_COMPLETE");
    *cloud.template.borrow_mut() = Some(template());
    let mut stack = cloud.stack.borrow_mut();
    let parameters = &mut stack.as_mut().unwrap().parameters;
    parameters.insert("CodeBucket".into(), "b".into());
    parameters.insert("Architecture".into(), "x86_64".into());
    drop(stack);
    cloud
}

const CHANGE: &str = "CREATE_COMPLETE AVAILABLE";

/// Deploys `handlers` to `cloud`, answering `agrees`; returns what was reported, how it ended, and what was asked for.
async fn deploy(
    cloud: FakeCloud,
    handlers: &'static str,
    options: CloudOptions,
    agrees: bool,
) -> String {
    let digest = if options.is_hotswap { "k0" } else { "k1" };
    let account = FakeAccount::new(cloud, digest, &["F"]);
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::load(folder.path(), Overrides::default()).unwrap();
    let request = DeployRequest {
        settings: &settings,
        is_probed: false,
        credential: crate::engine::probe::ProbeCredential::Claims,
    };
    let deployment = CloudDeployment {
        account: &account,
        request: &request,
        options: &options,
        has_made_log_role: false,
    };
    let content = Content {
        template: template(),
        parameters: &BTreeMap::new(),
        handlers: &[("CodeKey".to_owned(), handlers)].into(),
    };
    let mut transcript = Transcript::default();
    let asked = async |change_set: &ChangeSet| {
        account.note(format!("ask {}", change_set.summary));
        Ok(agrees)
    };
    let deploying = deployment.apply(content, asked, &mut transcript).await;
    let ended = transcript.ended(deploying.map(|(url, _)| url));
    format!("{ended}--\n{}", account.stacks.cloud.asked())
}

#[tokio::test]
async fn a_deployment_publishes_asks_executes_and_verifies_in_this_order() {
    let cloud = FakeCloud::default()
        .change_set(CHANGE)
        .operation("chat CREATE_COMPLETE");
    let options = CloudOptions {
        protect: Some(true),
        ..CloudOptions::default()
    };
    expect![[r#"
        started Publish
        finished Publish: 0.0 MB for x86_64, sent
        started Prepare
        finished Prepare: 1 to change
        started Deploy
        chat CREATE_COMPLETE
        finished Deploy: 1 resources
        started Verify
        finished Verify: the function runs what was published
        wss://fake/v1
        --
        create change set Create Standard
        ask 1 to change
        execute
        protect true
    "#]]
    .assert_eq(&deploy(cloud, "k1", options, true).await);
}

#[tokio::test]
async fn a_declined_change_set_is_taken_back_and_nothing_is_executed() {
    let cloud = deployed_before().change_set(CHANGE);
    expect![[r#"
        started Publish
        finished Publish: 0.0 MB for x86_64, sent
        started Prepare
        finished Prepare: 1 to change
        error: declined, nothing was changed; `chatctl diff` shows again what would change
        --
        create change set Update Standard
        ask 1 to change
        delete change set
    "#]]
    .assert_eq(&deploy(cloud, "k1", CloudOptions::default(), false).await);
}

#[tokio::test]
async fn what_cannot_be_published_touches_no_stack() {
    expect![[r#"
        started Publish
        error: no such bucket; no stack was touched; what was published already serves the next deployment
        --
    "#]]
    .assert_eq(&deploy(deployed_before(), "denied", CloudOptions::default(), true).await);
}

fn hotswap_wanted() -> CloudOptions {
    CloudOptions {
        is_hotswap: true,
        ..CloudOptions::default()
    }
}

#[tokio::test]
async fn a_hotswap_of_nothing_but_code_asks_no_question_and_makes_no_change_set() {
    expect![[r#"
        started Publish
        finished Publish: 0.0 MB for x86_64, sent
        started Deploy
        finished Deploy: new code in 1 of 1 functions, bypassing CloudFormation
        notice the stack's own record now differs from what runs, until the next `chatctl deploy`
        started Verify
        finished Verify: the function runs what was published
        wss://fake/v1
        --
    "#]]
    .assert_eq(&deploy(deployed_before(), "k1", hotswap_wanted(), true).await);
}

#[tokio::test]
async fn a_hotswap_of_more_than_code_is_a_full_deployment() {
    let cloud = FakeCloud::with("CREATE_COMPLETE").change_set(CHANGE);
    let transcript = deploy(cloud, "k1", hotswap_wanted(), false).await;
    assert!(transcript.contains("more than the handlers has changed: a full deployment"));
    assert!(transcript.contains("ask 1 to change"), "{transcript}");
    let none = FakeCloud::default().change_set(CHANGE);
    let transcript = deploy(none, "k1", hotswap_wanted(), false).await;
    assert!(transcript.contains("there is no stack yet: a full deployment"));
}
