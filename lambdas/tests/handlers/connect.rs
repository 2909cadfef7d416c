use chat_lambdas::event::SocketEvent;
use chat_lambdas::handlers::{HandlerError, ProxyResponse, connect};
use chat_lambdas::memory::Call;
use chat_lambdas::session::{Name, Names as SessionNames};
use chat_lambdas::store::Index;
use serde_json::json;

use crate::gateway::{self, Names, context, room_context};
use crate::scene::{BEGIN, FRIENDS, ROOMS, Scene, json_of, member, presence};

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
async fn a_proven_session_overrides_claims() {
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
async fn a_banned_name_is_refused_until_the_ban_ends_and_leaves_no_rows() {
    let scene = Scene::new();
    scene.store.ban(Name::parse("Tom").unwrap(), BEGIN + 1);
    let answer = run(&scene, &gateway::connect("c", TOM, None)).await;
    assert_eq!(answer.status_code(), 403);
    let logged = scene.logged();
    assert!(logged.contains("has banned the name until 2"), "{logged}");
    assert!(scene.rows().is_empty() && scene.store.sessions().is_empty());
    scene.store.ban(Name::parse("Tom").unwrap(), BEGIN);
    let answer = run(&scene, &gateway::connect("c", TOM, None)).await;
    assert_eq!(answer.status_code(), 200);
}

#[tokio::test]
async fn a_table_that_cannot_tell_of_a_ban_lets_no_name_in() {
    let scene = Scene::new();
    scene.store.break_down(Call::BanOf);
    let answer = run(&scene, &gateway::connect("c", TOM, None)).await;
    assert_eq!(json_of(&answer), json!({"statusCode": 500}));
    assert!(scene.rows().is_empty());
}

#[tokio::test]
async fn two_devices_of_one_user_are_two_rows() {
    let scene = Scene::new();
    for connection in ["a", "b"] {
        run(&scene, &gateway::connect(connection, TOM, None)).await;
    }
    assert_eq!(scene.rows(), ["Tom/a", "Tom/b"]);
}

#[tokio::test]
async fn invalid_names_are_refused_with_the_reason_and_leave_no_rows() {
    let scene = Scene::new();
    let answer = run(&scene, &gateway::connect("c", (Some("Tom"), None), None)).await;
    let reason = "`msgto` is missing; send it as a header or in the query string";
    assert_eq!(json_of(&answer), json!({"statusCode": 400, "body": reason}));
    assert!(scene.logged().contains(reason), "{}", scene.logged());
    assert!(scene.rows().is_empty() && scene.store.sessions().is_empty());
}

#[tokio::test]
async fn a_broken_table_refuses_the_connection_and_leaves_no_findable_row() {
    for call in [Call::Remember, Call::RememberSession] {
        let scene = Scene::new();
        scene.store.break_down(call);
        let answer = run(&scene, &gateway::connect("c", TOM, None)).await;
        assert_eq!(json_of(&answer), json!({"statusCode": 500}));
        assert!(scene.rows().is_empty(), "{call:?}");
        assert!(
            scene.logged().contains("is set to fail"),
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
async fn in_a_stack_of_rooms_a_connection_is_a_member_of_its_room_and_nothing_else() {
    let scene = Scene::new();
    let context = room_context("hall");
    let event = gateway::connect("c", gateway::in_room("attic"), Some(&context));
    assert_eq!(run_in(ROOMS, &scene, &event).await.status_code(), 200);
    assert_eq!(scene.store.members(), [member("hall", "c", BEGIN)]);
    assert!(scene.rows().is_empty() && scene.store.sessions().is_empty());
}

#[tokio::test]
async fn with_both_indexes_a_connection_is_found_by_name_and_by_room() {
    let scene = Scene::new();
    let both = (SessionNames::Required, Index::FriendAndRoom);
    let context = json!({"name": "Tom", "friend": "Jerry", "room": "hall"});
    let event = gateway::connect("c", (None, None), Some(&context));
    assert_eq!(run_in(both, &scene, &event).await.status_code(), 200);
    assert_eq!(scene.rows(), ["Tom/c"]);
    assert_eq!(scene.members(), ["hall/c"]);
}

#[tokio::test]
async fn without_an_authorizer_an_anonymous_session_is_recorded_with_its_room() {
    let scene = Scene::new();
    let event = gateway::connect("c", gateway::in_room("hall"), None);
    assert_eq!(run_in(ROOMS, &scene, &event).await.status_code(), 200);
    assert_eq!(scene.store.sessions(), [member("hall", "c", BEGIN)]);
    assert_eq!(scene.members(), ["hall/c"]);
}

#[tokio::test]
async fn a_room_that_cannot_be_joined_refuses_the_connection() {
    let scene = Scene::new();
    scene.store.break_down(Call::Join);
    let event = gateway::connect("c", gateway::in_room("hall"), None);
    assert_eq!(run_in(ROOMS, &scene, &event).await.status_code(), 500);
    assert!(scene.members().is_empty());
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

async fn run(scene: &Scene, event: &SocketEvent) -> ProxyResponse {
    run_in(FRIENDS, scene, event).await
}

async fn run_in(
    policy: (SessionNames, Index),
    scene: &Scene,
    event: &SocketEvent,
) -> ProxyResponse {
    let outcome = connect(event, &scene.store, policy, &scene.invocation()).await;
    outcome.expect("a CONNECT event is always answered")
}
