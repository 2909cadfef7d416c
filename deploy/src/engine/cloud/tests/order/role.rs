//! The role for API Gateway's logs, and what is said of it when the deployment ends otherwise.

use super::*;
use crate::engine::probe::ProbeError;

/// A first deployment that makes the role for logs.
fn with_log_role() -> Case {
    let cloud = FakeCloud::default()
        .change_set(CHANGE)
        .operation("chat CREATE_COMPLETE")
        .change_set(CHANGE)
        .operation("chat UPDATE_COMPLETE");
    *cloud.template.borrow_mut() = Some(deployment().template);
    Case {
        cloud,
        lacks_log_role: true,
        ..Case::default()
    }
}

#[tokio::test]
async fn the_role_for_logs_is_asked_about_after_the_build_and_made_before_publishing() {
    expect![[r#"
        started Check
        looked
        finished Check: all is well
        announced
        started Build
        built
        finished Build: {"CodeKey": "k1"}
        asked about the role for logs
        started Prepare
        finished Prepare: 1 to change
        started Deploy
        chat CREATE_COMPLETE
        finished Deploy: 2 resources
        started Publish
        finished Publish: 0.0 MB for x86_64, sent
        started Prepare
        finished Prepare: 1 to change
        asked about the change
        started Deploy
        chat UPDATE_COMPLETE
        finished Deploy: 26 resources
        started Verify
        finished Verify: 4 functions run what was published
        Deployed { url: "wss://fake/v1", missing_record: None }
        --
        create change set Create Standard
        execute
        create change set Update Standard
        execute
    "#]]
    .assert_eq(&deploy(with_log_role()).await);
}

#[tokio::test]
async fn a_deployment_that_fails_after_the_role_was_made_says_that_it_was_made() {
    let denied = Case {
        is_denied: true,
        ..with_log_role()
    };
    let declined = Case {
        state: "declined",
        ..with_log_role()
    };
    let unasked = Case {
        state: "without a terminal",
        ..with_log_role()
    };
    let mut ends = String::new();
    for case in [denied, declined, unasked] {
        let ended = deploy(case).await;
        ends.push_str(end(&ended).lines().next().unwrap());
        ends.push('\n');
    }
    expect![[r#"
        error: no such bucket; API Gateway's role for logs was made, and stays; beside that, no stack was touched; what was published already serves the next deployment
        error: declined, the chat's own stack was not changed; API Gateway's role for logs was made, and stays; `chatctl diff` shows again what would change
        error: no terminal; API Gateway's role for logs was made, and stays
    "#]].assert_eq(&ends);
}

#[test]
fn every_error_of_a_deployment_can_say_what_was_made_beside_it() {
    let stack = || "chat".parse().unwrap();
    let target = TargetError::interrupted().after(|| "nothing was begun".to_owned());
    let probe = ProbeError::NoAnswer {
        url: "wss://fake/v1".to_owned(),
        waited: std::time::Duration::ZERO,
    };
    let vanished = DeployError::Vanished {
        stack: stack(),
        so_far: None,
    };
    let made = [target.into(), probe.into(), vanished].map(|error: DeployError| {
        match error.beside("the role was made") {
            DeployError::Target(error) => error.so_far,
            DeployError::Unproven(error) => error.so_far,
            DeployError::RolledBack(error) => error.so_far,
            DeployError::Vanished { so_far, .. } => so_far,
        }
    });
    assert_eq!(
        made.map(Option::unwrap),
        [
            "the role was made; beside that, nothing was begun",
            "the role was made",
            "the role was made"
        ]
    );
}

#[tokio::test]
async fn without_the_role_that_was_declined_nothing_is_published() {
    let case = Case {
        lacks_log_role: true,
        state: "without the role",
        ..Case::default()
    };
    expect![[r#"
        started Check
        looked
        finished Check: all is well
        announced
        started Build
        built
        finished Build: {"CodeKey": "k1"}
        asked about the role for logs
        error: declined
        --
    "#]]
    .assert_eq(&deploy(case).await);
}
