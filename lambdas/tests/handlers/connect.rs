use chat_lambdas::event::SocketEvent;
use chat_lambdas::handlers::{Answer, HandlerError, connect};
use chat_lambdas::memory::Call;
use serde_json::json;

use crate::gateway::{self, Names, context};
use crate::scene::{BEGIN, FRIENDS, Scene, json_of, presence};

const TOM: Names<'static> = (Some("Tom"), Some("Jerry"));

#[tokio::test]
async fn a_proven_session_is_recorded_once_and_expires_after_two_hours_and_a_quarter() {
    let scene = Scene::new();
    let event = gateway::connect("c", (None, None), Some(&context("Tom", "Jerry")));
    let answer = run(&scene, &event).await;
    assert_eq!(json_of(&answer), json!({"statusCode": 200}));
    assert_eq!(scene.store.rows(), [presence("Tom", "Jerry", "c", BEGIN)]);
    assert_eq!(scene.store.rows()[0].expires_at(), BEGIN + 8_100);
    assert!(scene.store.sessions().is_empty());
}

#[tokio::test]
async fn without_an_authorizer_the_session_is_recorded_for_later_events_too() {
    let scene = Scene::new();
    let answer = run(&scene, &gateway::connect("c", TOM, None)).await;
    assert_eq!(answer.status_code(), 200);
    let expected = [presence("Tom", "Jerry", "c", BEGIN)];
    assert_eq!(scene.store.rows(), expected);
    assert_eq!(scene.store.sessions(), expected);
}

#[tokio::test]
async fn what_was_proven_beats_what_is_claimed() {
    let scene = Scene::new();
    let claims = (Some("Mallory"), Some("Jerry"));
    run(
        &scene,
        &gateway::connect("c", claims, Some(&context("Tom", "Jerry"))),
    )
    .await;
    assert_eq!(scene.rows(), ["Tom/c"]);
}

#[tokio::test]
async fn half_a_context_is_not_completed_by_claims() {
    let scene = Scene::new();
    let half = json!({"principalId": "Tom", "name": "Tom"});
    let answer = run(&scene, &gateway::connect("c", TOM, Some(&half))).await;
    assert_eq!(answer.status_code(), 400);
    assert!(scene.rows().is_empty());
}

#[tokio::test]
async fn two_devices_of_one_person_are_two_rows() {
    let scene = Scene::new();
    for connection in ["a", "b"] {
        run(&scene, &gateway::connect(connection, TOM, None)).await;
    }
    assert_eq!(scene.rows(), ["Tom/a", "Tom/b"]);
}

#[tokio::test]
async fn unusable_names_are_refused_with_the_reason_and_leave_nothing_behind() {
    let scene = Scene::new();
    let answer = run(&scene, &gateway::connect("c", (Some("Tom"), None), None)).await;
    let reason = "`msgto` is missing; give it as a header or in the query string";
    assert_eq!(json_of(&answer), json!({"statusCode": 400, "body": reason}));
    assert!(scene.logged().contains(reason), "{}", scene.logged());
    assert!(scene.rows().is_empty() && scene.store.sessions().is_empty());
}

#[tokio::test]
async fn a_broken_table_refuses_the_connection_and_leaves_nobody_findable() {
    for call in [Call::Remember, Call::RememberSession] {
        let scene = Scene::new();
        scene.store.break_down(call);
        let answer = run(&scene, &gateway::connect("c", TOM, None)).await;
        assert_eq!(json_of(&answer), json!({"statusCode": 500}));
        assert!(scene.rows().is_empty(), "{call:?}");
        assert!(
            scene.logged().contains("was told to fail"),
            "{}",
            scene.logged()
        );
    }
}

#[tokio::test]
async fn names_appear_in_no_log_line_by_default() {
    let scene = Scene::new();
    run(&scene, &gateway::connect("c", TOM, None)).await;
    let logged = scene.logged();
    assert!(logged.contains("connectionId"), "{logged}");
    assert!(
        !logged.contains("Tom") && !logged.contains("Jerry"),
        "{logged}"
    );
}

#[tokio::test]
async fn events_of_another_kind_are_errors() {
    let scene = Scene::new();
    let events = [
        gateway::message(
            "c",
            r#"{"action":"$connect"}"#,
            Some(&context("Tom", "Jerry")),
        ),
        gateway::disconnect("c", Some(&context("Tom", "Jerry"))),
    ];
    for event in events {
        let outcome = connect(&event, &scene.store, FRIENDS, &scene.invocation()).await;
        assert!(matches!(outcome, Err(HandlerError::UnexpectedEvent(_))));
    }
    assert!(scene.rows().is_empty());
}

async fn run(scene: &Scene, event: &SocketEvent) -> Answer {
    let outcome = connect(event, &scene.store, FRIENDS, &scene.invocation()).await;
    outcome.expect("a CONNECT event is always answered")
}
