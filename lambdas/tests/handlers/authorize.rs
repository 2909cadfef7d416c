use chat_lambdas::handlers::{HandlerError, authorize};
use chat_lambdas::session::Names::Required;
use serde_json::json;

use crate::gateway::{self, ARN, Names};
use crate::scene::{Scene, json_of};

#[test]
fn two_names_are_allowed_to_connect_and_become_the_context() {
    let scene = Scene::new();
    let event = gateway::authorizer("c", (Some("Tom"), Some("Jerry")));
    let policy = authorize(&event, Required, &scene.invocation()).unwrap();
    assert_eq!(
        json_of(&policy),
        json!({
            "principalId": "Tom",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": ARN}],
            },
            "context": {"name": "Tom", "friend": "Jerry"},
        })
    );
}

#[test]
fn who_gives_no_usable_names_is_unauthorized_and_the_reason_is_logged() {
    check((None, Some("Jerry")), "`msgfrom` is missing");
    check((Some("Tom"), None), "`msgto` is missing");
    check(
        (Some(""), Some("Jerry")),
        "`msgfrom` is not a name: it is empty",
    );
    check(
        (Some("Tom"), Some("a/b")),
        "`msgto` is not a name: '/' is not allowed",
    );
}

fn check(names: Names<'_>, reason: &str) {
    let scene = Scene::new();
    let outcome = authorize(
        &gateway::authorizer("c", names),
        Required,
        &scene.invocation(),
    );
    assert!(
        matches!(outcome, Err(HandlerError::Unauthorized)),
        "{names:?}"
    );
    assert!(scene.logged().contains(reason), "{}", scene.logged());
}

#[test]
fn a_hostile_name_cannot_write_into_the_log() {
    let scene = Scene::new();
    let hostile = format!(
        "\u{1b}]0;owned\u{7}\r\n{{\"level\":\"INFO\"}}{}",
        "x".repeat(100_000)
    );
    let event = gateway::authorizer("c", (Some(hostile.as_str()), Some("Jerry")));
    assert!(authorize(&event, Required, &scene.invocation()).is_err());
    let logged = scene.logged();
    assert!(logged.len() < 300 && !logged.contains("owned"), "{logged}");
    assert!(!logged.chars().any(char::is_control), "{logged:?}");
}

#[test]
fn names_are_not_logged_when_all_is_well() {
    let scene = Scene::new();
    let event = gateway::authorizer("c", (Some("Tom"), Some("Jerry")));
    authorize(&event, Required, &scene.invocation()).unwrap();
    let logged = scene.logged();
    assert!(
        !logged.contains("Tom") && !logged.contains("Jerry"),
        "{logged}"
    );
}

#[test]
fn an_event_of_another_kind_is_an_error_and_not_a_refusal() {
    let scene = Scene::new();
    let names = (Some("Tom"), Some("Jerry"));
    for event in [
        gateway::connect("c", names, None),
        gateway::message("c", "hi", None),
    ] {
        let outcome = authorize(&event, Required, &scene.invocation());
        assert!(matches!(outcome, Err(HandlerError::UnexpectedEvent(_))));
    }
}
