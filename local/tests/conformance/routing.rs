//! Statements 31 to 36: which route a message takes.

use chatctl_local::stack::IntegrationKind;

use crate::setup::{Setup, function_arn};
use crate::world::{Client, World};

async fn world(expression: &str, keys: &[&str]) -> (World, Client) {
    let world = World::start(|setup| {
        let setup = keys
            .iter()
            .enumerate()
            .fold(setup.chat(), |setup, (index, key)| {
                setup.route(key, &format!("route{index}"))
            });
        setup.edit(|stack| stack.api.route_selection_expression = expression.to_owned())
    })
    .await;
    let client = world.connect().await;
    (world, client)
}

/// Sends `text` and expects it as the next event of `function`, on route `key`.
async fn check(world: &World, client: &mut Client, text: &str, function: &str, key: &str) {
    let index = world.puppets.count(function);
    client.send(text).await;
    let received = world.puppets.event(function, index).await;
    assert_eq!(
        (&received.event["body"], &received.context()["routeKey"]),
        (&text.into(), &key.into())
    );
}

#[tokio::test]
async fn c31_both_spellings_nested_paths_and_several_variables_select() {
    for expression in ["$request.body.action", "${request.body.action}"] {
        let (world, mut client) = world(expression, &["join"]).await;
        check(
            &world,
            &mut client,
            r#"{"action":"join"}"#,
            "route0",
            "join",
        )
        .await;
    }
    let (nested, mut client) = world("$request.body.service.do", &["join"]).await;
    check(
        &nested,
        &mut client,
        r#"{"service":{"do":"join"}}"#,
        "route0",
        "join",
    )
    .await;
    let (several, mut client) = world(
        "${request.body.service}/${request.body.action}",
        &["chat/join"],
    )
    .await;
    check(
        &several,
        &mut client,
        r#"{"service":"chat","action":"join"}"#,
        "route0",
        "chat/join",
    )
    .await;
    check(
        &several,
        &mut client,
        r#"{"service":"chat"}"#,
        "default",
        "$default",
    )
    .await;
}

#[tokio::test]
async fn c32_text_that_is_not_json_takes_the_default_route_and_without_one_is_forbidden() {
    let (with_default, mut client) = world("$request.body.action", &["join"]).await;
    check(&with_default, &mut client, "join", "default", "$default").await;
    let world =
        World::start(|setup| setup.route("$connect", "connect").route("join", "join")).await;
    let mut client = world.connect().await;
    for text in ["not json", r#"{"action":"other"}"#] {
        client.send(text).await;
        let frame = client.receive().await;
        assert!(
            frame.starts_with(r#"{"message": "Forbidden", "connectionId":""#),
            "{frame}"
        );
    }
    client.send(r#"{"action":"join"}"#).await;
    world.puppets.event("join", 0).await;
}

#[tokio::test]
async fn c33_the_match_is_case_sensitive() {
    let (world, mut client) = world("$request.body.action", &["join"]).await;
    check(
        &world,
        &mut client,
        r#"{"action":"Join"}"#,
        "default",
        "$default",
    )
    .await;
    check(
        &world,
        &mut client,
        r#"{"Action":"join"}"#,
        "default",
        "$default",
    )
    .await;
}

#[tokio::test]
async fn c34_numbers_and_booleans_select_by_their_text() {
    let (world, mut client) = world("$request.body.action", &["1", "true"]).await;
    check(&world, &mut client, r#"{"action":1}"#, "route0", "1").await;
    check(&world, &mut client, r#"{"action":true}"#, "route1", "true").await;
    check(
        &world,
        &mut client,
        r#"{"action":null}"#,
        "default",
        "$default",
    )
    .await;
}

#[tokio::test]
async fn c35_a_message_never_triggers_connect_or_disconnect() {
    let (world, mut client) = world("$request.body.action", &[]).await;
    check(
        &world,
        &mut client,
        r#"{"action":"$connect"}"#,
        "default",
        "$default",
    )
    .await;
    check(
        &world,
        &mut client,
        r#"{"action":"$disconnect"}"#,
        "default",
        "$default",
    )
    .await;
    check(
        &world,
        &mut client,
        r#"{"action":"$default"}"#,
        "default",
        "$default",
    )
    .await;
    assert_eq!(
        (
            world.puppets.count("connect"),
            world.puppets.count("disconnect")
        ),
        (1, 0)
    );
}

#[tokio::test]
async fn c36_a_route_outside_the_deployment_answers_forbidden() {
    let undeploy = |setup: Setup| {
        setup.edit(|stack| {
            stack.api.stages.get_mut("v1").unwrap().deployed = Some(vec!["$connect".to_owned()])
        })
    };
    let world = World::start(|setup| undeploy(setup.chat().route("join", "join"))).await;
    let mut client = world.connect().await;
    client.send(r#"{"action":"join"}"#).await;
    assert!(
        client
            .receive()
            .await
            .starts_with(r#"{"message": "Forbidden""#)
    );
    assert_eq!(world.puppets.count("join"), 0);
}

#[tokio::test]
async fn a_stage_variable_names_the_function_of_a_route() {
    let world = World::start(|setup| {
        setup.chat().edit(|stack| {
            let stage = stack.api.stages.get_mut("v1").unwrap();
            stage.variables.insert("f".to_owned(), "default".to_owned());
            let integration = stack.api.integrations.get_mut("default").unwrap();
            integration.kind = IntegrationKind::Function {
                arn: function_arn("${stageVariables.f}"),
            };
        })
    })
    .await;
    let mut client = world.connect().await;
    check(&world, &mut client, "x", "default", "$default").await;
}
