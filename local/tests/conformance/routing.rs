//! Statements `routing`: the route of a message.

use chatctl_local::unstable::stack::IntegrationKind;

use crate::setup::{Setup, function_arn};
use crate::world::{Client, World};

/// A stack and a client.
struct Chat {
    world: World,
    client: Client,
}

/// A stack that selects routes by `expression`; the `index`th one of `keys` leads to the function `route{index}`.
async fn selecting(expression: &str, keys: &[&str]) -> Chat {
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
    Chat::with(world).await
}

impl Chat {
    async fn with(world: World) -> Self {
        let client = world.connect().await;
        Self { world, client }
    }

    /// Sends `text` and expects it as the next event of `function`, on route `key`.
    async fn check(&mut self, text: &str, function: &str, key: &str) {
        let index = self.world.puppets.count(function);
        self.client.send(text).await;
        let received = self.world.puppets.event(function, index).await;
        assert_eq!(
            (&received.event["body"], &received.context()["routeKey"]),
            (&text.into(), &key.into())
        );
    }

    /// Like [`Self::check`], for the route `$default`.
    async fn check_default(&mut self, text: &str) {
        self.check(text, "default", "$default").await;
    }
}

#[tokio::test]
async fn routing_1_both_spellings_nested_paths_and_several_variables_select() {
    for expression in ["$request.body.action", "${request.body.action}"] {
        let mut chat = selecting(expression, &["join"]).await;
        chat.check(r#"{"action":"join"}"#, "route0", "join").await;
    }
    let mut chat = selecting("$request.body.service.do", &["join"]).await;
    chat.check(r#"{"service":{"do":"join"}}"#, "route0", "join")
        .await;
    let mut chat = selecting(
        "${request.body.service}/${request.body.action}",
        &["chat/join"],
    )
    .await;
    chat.check(
        r#"{"service":"chat","action":"join"}"#,
        "route0",
        "chat/join",
    )
    .await;
    chat.check_default(r#"{"service":"chat"}"#).await;
}

#[tokio::test]
async fn routing_2_text_that_is_not_json_takes_the_default_route_and_without_one_is_forbidden() {
    let mut chat = selecting("$request.body.action", &["join"]).await;
    chat.check_default("join").await;
    let world =
        World::start(|setup| setup.route("$connect", "connect").route("join", "join")).await;
    let mut client = world.connect().await;
    for text in ["not json", r#"{"action":"other"}"#] {
        client.gets_error(text, "Forbidden").await;
    }
    client.send(r#"{"action":"join"}"#).await;
    world.puppets.event("join", 0).await;
}

#[tokio::test]
async fn routing_3_the_match_is_case_sensitive() {
    let mut chat = selecting("$request.body.action", &["join"]).await;
    chat.check_default(r#"{"action":"Join"}"#).await;
    chat.check_default(r#"{"Action":"join"}"#).await;
}

#[tokio::test]
async fn routing_4_numbers_and_booleans_select_by_their_text() {
    let mut chat = selecting("$request.body.action", &["1", "true"]).await;
    chat.check(r#"{"action":1}"#, "route0", "1").await;
    chat.check(r#"{"action":true}"#, "route1", "true").await;
    chat.check_default(r#"{"action":null}"#).await;
}

#[tokio::test]
async fn routing_5_a_message_never_triggers_connect_or_disconnect() {
    let mut chat = selecting("$request.body.action", &[]).await;
    chat.check_default(r#"{"action":"$connect"}"#).await;
    chat.check_default(r#"{"action":"$disconnect"}"#).await;
    chat.check_default(r#"{"action":"$default"}"#).await;
    assert_eq!(
        (
            chat.world.puppets.count("connect"),
            chat.world.puppets.count("disconnect")
        ),
        (1, 0)
    );
}

#[tokio::test]
async fn routing_6_a_route_outside_the_deployment_answers_forbidden() {
    let undeploy = |setup: Setup| {
        setup.edit(|stack| {
            stack.api.stages.get_mut("v1").unwrap().deployed = Some(vec!["$connect".to_owned()])
        })
    };
    let world = World::start(|setup| undeploy(setup.chat().route("join", "join"))).await;
    let mut client = world.connect().await;
    client.gets_error(r#"{"action":"join"}"#, "Forbidden").await;
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
    let mut chat = Chat::with(world).await;
    chat.check_default("x").await;
}
