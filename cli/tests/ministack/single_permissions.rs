//! One permission that is missing, and every verb: the permission is named, the exit code is true, and what can be done without it is
//! done.

use expect_test::expect;

use crate::cloud::Cloud;

/// Every verb about a stack on AWS that comes to an end; the last one would remove it.
const VERBS: [&str; 9] = [
    "deploy",
    "diff",
    "status",
    "outputs",
    "print-connect-commands",
    "connections",
    "logs",
    "doctor",
    "teardown --yes",
];

/// How `verb` ends, and whether it names `permission`.
async fn ended(cloud: &Cloud, verb: &str, permission: &str) -> String {
    let handlers = crate::cloud::built_handlers().display();
    let ended = match verb {
        "deploy" => cloud.deploy("--no-probe").await,
        "diff" | "doctor" => {
            cloud
                .chatctl(&format!("{verb} --handlers {handlers}"))
                .await
        }
        verb => cloud.chatctl(verb).await,
    };
    let said = format!("{}{}", ended.stdout, ended.stderr);
    let is_named = said.contains(permission);
    assert!(
        is_named || ended.code == 0,
        "{verb} without {permission}: {said}"
    );
    let named = if is_named {
        "names the permission"
    } else {
        "without a word"
    };
    format!("{verb}: {} {named}\n", ended.code)
}

#[tokio::test]
async fn a_single_missing_permission_is_named_by_each_verb_that_needs_it() {
    let cloud = Cloud::start().await;
    cloud.deploy("--no-probe").await.exits(0);
    let mut outcome = String::new();
    for action in ["DescribeStacks", "ListStackResources", "GetTemplate"] {
        let permission = format!("cloudformation:{action}");
        let message = format!("not authorized to perform: {permission}");
        let refused = usize::MAX;
        cloud
            .between
            .refuse(action, refused, "AccessDenied", &message);
        outcome += &format!("without {action}\n");
        for verb in VERBS {
            outcome += &ended(&cloud, verb, &permission).await;
        }
        cloud.between.allow(action);
    }
    expect![[r#"
        without DescribeStacks
        deploy: 4 names the permission
        diff: 4 names the permission
        status: 4 names the permission
        outputs: 4 names the permission
        print-connect-commands: 4 names the permission
        connections: 4 names the permission
        logs: 4 names the permission
        doctor: 4 names the permission
        teardown --yes: 4 names the permission
        without ListStackResources
        deploy: 4 names the permission
        diff: 0 without a word
        status: 0 names the permission
        outputs: 0 without a word
        print-connect-commands: 0 without a word
        connections: 0 without a word
        logs: 4 names the permission
        doctor: 0 without a word
        teardown --yes: 4 names the permission
        without GetTemplate
        deploy: 4 names the permission
        diff: 4 names the permission
        status: 0 names the permission
        outputs: 0 without a word
        print-connect-commands: 0 names the permission
        connections: 0 names the permission
        logs: 0 without a word
        doctor: 0 without a word
        teardown --yes: 4 names the permission
    "#]]
    .assert_eq(&outcome);
    cloud.chatctl("teardown --yes").await.exits(0);
}
