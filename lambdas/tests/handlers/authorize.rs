use chat_lambdas::handlers::{Admission, HandlerError, authorize};
use chat_lambdas::session::Names::{Optional, Required};
use serde_json::json;

use crate::gateway::{self, ARN, Claims, Names};
use crate::scene::{Scene, json_of};

const REQUIRED: Admission = Admission::new(Required);

#[test]
fn two_names_are_allowed_to_connect_and_become_the_context() {
    let scene = Scene::new();
    let event = gateway::authorizer("c", (Some("Tom"), Some("Jerry")));
    let policy = authorize(&event, &REQUIRED, &scene.invocation()).unwrap();
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
fn with_optional_names_the_context_has_the_given_names_and_always_the_room() {
    let scene = Scene::new();
    let policy = |claims: Claims<'_>| {
        let event = gateway::authorizer("c", claims);
        let policy =
            json_of(&authorize(&event, &Admission::new(Optional), &scene.invocation()).unwrap());
        (policy["principalId"].clone(), policy["context"].clone())
    };
    // Without any field, later events would look like those of a gateway without authorizers.
    assert_eq!(
        policy(Claims::default()),
        (json!("#anonymous"), json!({"room": "everybody"}))
    );
    let tom = Claims {
        from: Some("Tom"),
        room: Some("hall"),
        ..Claims::default()
    };
    assert_eq!(
        policy(tom),
        (json!("Tom"), json!({"name": "Tom", "room": "hall"}))
    );
}

#[test]
fn a_room_that_is_no_name_is_unauthorized_in_every_stack() {
    let scene = Scene::new();
    for (names, claims) in [
        (Optional, gateway::in_room("a#b")),
        (
            Required,
            Claims {
                from: Some("Tom"),
                to: Some("Jerry"),
                room: Some(""),
            },
        ),
    ] {
        let event = gateway::authorizer("c", claims);
        let outcome = authorize(&event, &Admission::new(names), &scene.invocation());
        assert!(matches!(outcome, Err(HandlerError::Unauthorized)));
    }
    assert!(
        scene.logged().contains("`msgroom` is not a name"),
        "{}",
        scene.logged()
    );
}

#[test]
fn without_valid_names_a_client_is_unauthorized_and_the_reason_is_logged() {
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
        &REQUIRED,
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
    assert!(authorize(&event, &REQUIRED, &scene.invocation()).is_err());
    let logged = scene.logged();
    assert!(logged.len() < 300 && !logged.contains("owned"), "{logged}");
    assert!(!logged.chars().any(char::is_control), "{logged:?}");
}

#[test]
fn names_of_accepted_clients_are_not_logged() {
    let scene = Scene::new();
    let event = gateway::authorizer("c", (Some("Tom"), Some("Jerry")));
    authorize(&event, &REQUIRED, &scene.invocation()).unwrap();
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
        let outcome = authorize(&event, &REQUIRED, &scene.invocation());
        assert!(matches!(outcome, Err(HandlerError::UnexpectedEvent(_))));
    }
}
