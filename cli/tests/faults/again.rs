//! First deployments that are rolled back for what passes by itself, and others.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::cloud::{Cloud, State};
use crate::command::{Finished, Folder};
use crate::faults::Fault;
use crate::stack::Failure;

const DEPLOY: &str = "deploy --yes --no-probe --handlers handlers-1";

/// What API Gateway says when parts of one API are made side by side
/// (<https://github.com/hashicorp/terraform-provider-aws/issues/18018>).
const BUSY: Failure = Failure {
    logical_id: "ConnectRoute",
    kind: "AWS::ApiGatewayV2::Route",
    reason: "Unable to complete operation due to concurrent modification. Please try again later. (Service: ApiGatewayV2, Status Code: 409, Request ID: 1)",
};

/// What CloudFormation makes of it (<https://github.com/brefphp/bref/issues/868>).
const INTERNAL: Failure = Failure {
    logical_id: "ConnectIntegration",
    kind: "AWS::ApiGatewayV2::Integration",
    reason: "Internal Failure",
};

const UNKNOWN_ROLE: Failure = Failure {
    logical_id: "DirectFunction",
    kind: "AWS::Lambda::Function",
    reason: "The role defined for the function cannot be assumed by Lambda. (Service: Lambda, Status Code: 400, Request ID: 1)",
};

const TOO_OFTEN: Failure = Failure {
    logical_id: "DefaultRoute",
    kind: "AWS::ApiGatewayV2::Route",
    reason: "Too Many Requests (Service: ApiGatewayV2, Status Code: 429, Request ID: 1)",
};

const CANCELLED: Failure = Failure {
    logical_id: "DirectRole",
    kind: "AWS::IAM::Role",
    reason: "Resource creation cancelled",
};

const DENIED: Failure = Failure {
    logical_id: "DirectRole",
    kind: "AWS::IAM::Role",
    reason: "User: arn:aws:iam::1:user/ann is not authorized to perform: iam:CreateRole on resource: x",
};

const TAKEN: Failure = Failure {
    logical_id: "Connections",
    kind: "AWS::DynamoDB::Table",
    reason: "chat-Connections already exists",
};

fn failing(operations: &[&[Failure]]) -> State {
    State {
        failures: operations
            .iter()
            .map(|failures| failures.to_vec())
            .collect(),
        ..State::default()
    }
}

/// Runs `words` where the operations on stacks fail so; how it ends, and how often a change set was executed.
async fn run(words: &str, operations: &[&[Failure]]) -> (Finished, State, usize) {
    let cloud = Cloud::with(failing(operations), None).await;
    let ended = Folder::new().run(&cloud.url, words).await;
    let state = cloud.state();
    let tries = state
        .served
        .iter()
        .filter(|name| *name == "ExecuteChangeSet")
        .count();
    (ended, state, tries)
}

#[tokio::test]
async fn what_passes_by_itself_is_tried_once_more_and_said_in_text_and_in_json() {
    for failures in [
        &[BUSY][..],
        &[INTERNAL, CANCELLED],
        &[UNKNOWN_ROLE],
        &[CANCELLED, TOO_OFTEN, BUSY],
    ] {
        let (ended, state, tries) = run(DEPLOY, &[failures]).await;
        assert_eq!((ended.code, tries), (0, 2), "{ended:?}");
        assert_eq!(state.status(), "CREATE_COMPLETE");
        let said =
            "stack chat was rolled back, for a reason that passes by itself; once more, after: ";
        assert_eq!(ended.stderr.matches(said).count(), 1, "{}", ended.stderr);
        assert!(
            ended
                .stderr
                .contains("removing the empty stack `chat` (ROLLBACK_COMPLETE)")
        );
    }
    let words = format!("{DEPLOY} --output json");
    let (ended, _, tries) = run(&words, &[&[BUSY]]).await;
    assert_eq!((ended.code, tries), (0, 2), "{ended:?}");
    let lines = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let repeating: Vec<_> = lines.filter(|line| line["type"] == "repeating").collect();
    assert_eq!(repeating.len(), 1, "{}", ended.stdout);
    assert_eq!(repeating[0]["stack"], "chat");
    assert_eq!(repeating[0]["cause"]["logicalId"], "ConnectRoute");
    let remedy = &repeating[0]["cause"]["remedy"];
    assert_eq!(remedy, "deploy again");
}

#[tokio::test]
async fn in_express_mode_it_is_tried_once_more_as_well() {
    let (ended, state, tries) = run(&format!("{DEPLOY} --express"), &[&[UNKNOWN_ROLE]]).await;
    assert_eq!((ended.code, tries), (0, 2), "{ended:?}");
    assert_eq!(state.status(), "CREATE_COMPLETE");
}

#[tokio::test]
async fn what_fails_twice_is_not_tried_a_third_time() {
    let (ended, state, tries) = run(DEPLOY, &[&[BUSY], &[TOO_OFTEN], &[BUSY]]).await;
    assert_eq!((ended.code, tries), (3, 2), "{ended:?}");
    assert_eq!(state.status(), "ROLLBACK_COMPLETE");
    let said =
        "stack `chat` settled as ROLLBACK_COMPLETE, as it did at the first try\n  DefaultRoute";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("deploy again in a minute; nothing of it is left but its name")
    );
}

#[tokio::test]
async fn what_a_user_must_repair_is_not_tried_again_also_beside_what_passes() {
    for failures in [
        &[TAKEN][..],
        &[BUSY, TAKEN],
        &[DENIED, TOO_OFTEN],
        &[CANCELLED],
    ] {
        let (ended, state, tries) = run(DEPLOY, &[failures]).await;
        assert_eq!((ended.code, tries), (3, 1), "{ended:?}");
        assert_eq!(state.status(), "ROLLBACK_COMPLETE");
        assert!(!ended.stderr.contains("once more"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn an_update_is_never_tried_again() {
    let folder = Folder::new();
    let cloud = Cloud::with(State::default(), None).await;
    assert_eq!(folder.run(&cloud.url, DEPLOY).await.code, 0);
    let before = State {
        failures: [vec![BUSY]].into(),
        ..cloud.state()
    };
    let cloud = Cloud::with(before, None).await;
    let ended = folder.run(&cloud.url, &DEPLOY.replace("-1", "-2")).await;
    assert_eq!(ended.code, 3, "{ended:?}");
    assert_eq!(cloud.state().status(), "UPDATE_ROLLBACK_COMPLETE");
    assert!(!ended.stderr.contains("once more"), "{}", ended.stderr);
}

/// Ctrl-C after the first try, while AWS does not answer `request`; what is said, and that the next deployment serves.
async fn interrupted_between_the_tries_at(request: &str) {
    let folder = Folder::new();
    let spoiled = Some((request.to_owned(), Fault::Silence));
    let cloud = Cloud::with(failing(&[&[BUSY]]), spoiled).await;
    let mut command = folder.command(&cloud.url, DEPLOY);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("once more") {
        let read = stderr.read_line(&mut said).await.unwrap();
        assert!(read > 0, "it ends before: {said}");
    }
    let pid = rustix::process::Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    stderr.read_to_string(&mut said).await.unwrap();
    let status = child.wait().await.unwrap();
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.contains("error: interrupted"), "{said}");
    let so_far = "so far: the first try was rolled back, the second one was not begun; what is left of stack `chat` is \
                  empty, and the next `chatctl deploy` removes it";
    assert!(said.contains(so_far), "{said}");
    let tries = cloud.state().served;
    assert_eq!(
        tries
            .iter()
            .filter(|name| *name == "ExecuteChangeSet")
            .count(),
        1
    );
    let healthy = Cloud::with(cloud.state(), None).await;
    assert_eq!(folder.run(&healthy.url, DEPLOY).await.code, 0);
    assert_eq!(healthy.state().status(), "CREATE_COMPLETE");
}

#[tokio::test]
async fn ctrl_c_between_the_tries_ends_it_there_and_says_where_that_is() {
    interrupted_between_the_tries_at("DeleteStack").await;
}
