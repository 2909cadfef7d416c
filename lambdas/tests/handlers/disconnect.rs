use chat_lambdas::handlers::{HandlerError, ProxyResponse, connect, disconnect};
use chat_lambdas::memory::Call;
use chat_lambdas::store::Index;
use serde_json::{Value, json};

use crate::gateway::{self, context, room_context};
use crate::scene::{FRIENDS, ROOMS, Scene, json_of};

#[tokio::test]
async fn only_this_connection_is_forgotten() {
    let scene = Scene::new();
    scene.online("Tom", "old").await;
    scene.online("Tom", "new").await;
    scene.online("Ann", "old").await;
    let answer = run(&scene, "old", Some(&context("Tom", "Jerry"))).await;
    assert_eq!(json_of(&answer), json!({"statusCode": 200}));
    assert_eq!(scene.rows(), ["Ann/old", "Tom/new"]);
}

#[tokio::test]
async fn without_an_authorizer_the_record_has_the_connection_s_user() {
    let scene = Scene::new();
    for connection in ["a", "b"] {
        let event = gateway::connect(connection, (Some("Tom"), Some("Jerry")), None);
        let connected = connect(&event, &scene.store, FRIENDS, &scene.invocation()).await;
        assert_eq!(connected.unwrap().status_code(), 200);
    }
    assert_eq!(run(&scene, "a", None).await.status_code(), 200);
    assert_eq!(scene.rows(), ["Tom/b"]);
    assert_eq!(scene.store.sessions().len(), 1);
}

#[tokio::test]
async fn a_second_disconnect_and_an_unknown_one_are_no_errors() {
    let scene = Scene::new();
    scene.online("Tom", "t").await;
    let tom = context("Tom", "Jerry");
    for (connection, context) in [("t", Some(&tom)), ("t", Some(&tom)), ("stranger", None)] {
        assert_eq!(run(&scene, connection, context).await.status_code(), 200);
    }
    assert!(scene.rows().is_empty());
}

#[tokio::test]
async fn a_removal_that_failed_halfway_can_be_repeated() {
    let scene = Scene::new();
    let event = gateway::connect("c", (Some("Tom"), Some("Jerry")), None);
    let connected = connect(&event, &scene.store, FRIENDS, &scene.invocation()).await;
    assert_eq!(connected.unwrap().status_code(), 200);
    scene.store.break_down(Call::Forget);
    assert_eq!(run(&scene, "c", None).await.status_code(), 500);
    assert_eq!(
        scene.store.sessions().len(),
        1,
        "the record of the remaining row is still there"
    );
}

#[tokio::test]
async fn a_broken_table_is_a_500_and_logged() {
    for (call, context) in [
        (Call::Forget, Some(context("Tom", "Jerry"))),
        (Call::SessionOf, None),
    ] {
        let scene = Scene::new();
        scene.store.break_down(call);
        let answer = run(&scene, "c", context.as_ref()).await;
        assert_eq!(json_of(&answer), json!({"statusCode": 500}));
        assert!(
            scene.logged().contains("is set to fail"),
            "{}",
            scene.logged()
        );
    }
}

#[tokio::test]
async fn a_member_leaves_its_room_and_both_rows_go_where_there_are_two() {
    let scene = Scene::new();
    scene.online("Tom", "c").await;
    for (room, connection) in [("hall", "c"), ("hall", "d"), ("attic", "c")] {
        scene.present(room, connection).await;
    }
    let tom = json!({"name": "Tom", "friend": "Jerry", "room": "hall"});
    run_in(Index::FriendAndRoom, &scene, "c", Some(&tom)).await;
    assert!(scene.rows().is_empty());
    assert_eq!(scene.members(), ["attic/c", "hall/d"]);
    run_in(Index::Room, &scene, "d", Some(&room_context("hall"))).await;
    assert_eq!(scene.members(), ["attic/c"]);
}

#[tokio::test]
async fn a_row_that_cannot_be_removed_does_not_stop_the_removal_of_the_other() {
    let scene = Scene::new();
    scene.store.break_down(Call::Forget);
    scene.online("Tom", "c").await;
    scene.present("everybody", "c").await;
    let answer = run_in(
        Index::FriendAndRoom,
        &scene,
        "c",
        Some(&context("Tom", "Jerry")),
    )
    .await;
    assert_eq!(answer.status_code(), 500);
    assert!(scene.members().is_empty());
}

#[tokio::test]
async fn without_an_authorizer_the_record_has_the_room() {
    let scene = Scene::new();
    let event = gateway::connect("c", gateway::in_room("hall"), None);
    connect(&event, &scene.store, ROOMS, &scene.invocation())
        .await
        .unwrap();
    assert_eq!(
        run_in(Index::Room, &scene, "c", None).await.status_code(),
        200
    );
    assert!(scene.members().is_empty() && scene.store.sessions().is_empty());
}

#[tokio::test]
async fn events_of_another_kind_are_errors() {
    let scene = Scene::new();
    scene.online("Tom", "t").await;
    let tom = context("Tom", "Jerry");
    let events = [
        gateway::message("t", r#"{"action":"$disconnect"}"#, Some(&tom)),
        gateway::connect("t", (Some("Tom"), Some("Jerry")), Some(&tom)),
    ];
    for event in events {
        let outcome = disconnect(&event, &scene.store, Index::Friend, &scene.invocation()).await;
        assert!(matches!(outcome, Err(HandlerError::UnexpectedEvent(_))));
    }
    assert_eq!(scene.rows(), ["Tom/t"]);
}

async fn run(scene: &Scene, connection: &str, context: Option<&Value>) -> ProxyResponse {
    run_in(Index::Friend, scene, connection, context).await
}

async fn run_in(
    index: Index,
    scene: &Scene,
    connection: &str,
    context: Option<&Value>,
) -> ProxyResponse {
    let event = gateway::disconnect(connection, context);
    let outcome = disconnect(&event, &scene.store, index, &scene.invocation()).await;
    outcome.expect("a DISCONNECT event is always answered")
}
