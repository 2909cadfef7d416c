use chat_lambdas::handlers::{Gate, ProxyResponse, connect_proven, refusal};
use chat_lambdas::session::ConnectionId;
use chat_protocol::Mode::{self, Claimed, Jwt, Token};
use serde_json::{Value, json};

use crate::gateway;
use crate::scene::{BEGIN, FRIENDS, Scene, json_of};

/// What becomes of a frame that comes with `context`, and what its sender receives.
async fn frame(scene: &Scene, mode: Mode, context: &Value) -> (Option<Value>, Vec<Value>) {
    let tom = ConnectionId::new("t");
    scene.delivery.open(&tom);
    let event = gateway::message("t", "hi", Some(context));
    let refused = refusal(
        &event,
        &Gate::for_mode(mode),
        &scene.delivery,
        &scene.invocation(),
    )
    .await;
    let received = std::iter::from_fn(|| scene.delivery.take(&tom));
    let received = received.map(|frame| serde_json::from_str(&frame).unwrap());
    (
        refused.unwrap().map(|answer| json_of(&answer)),
        received.collect(),
    )
}

fn context(expires_at: u64, can: Option<&str>) -> Value {
    let mut context = gateway::context("Tom", "Jerry");
    context["exp"] = json!(expires_at.to_string());
    if let Some(can) = can {
        context["can"] = json!(can);
    }
    context
}

#[tokio::test]
async fn a_frame_passes_as_long_as_the_token_is_good_and_allows_to_send() {
    let scene = Scene::new();
    for mode in [Token, Jwt] {
        for can in [None, Some(r#"["send"]"#), Some(r#"["moderate","send"]"#)] {
            let passed = frame(&scene, mode, &context(BEGIN + 1, can)).await;
            assert_eq!(passed, (None, vec![]), "{mode:?} {can:?}");
        }
    }
    // Where names are claims, nothing expires.
    let claimed = frame(&scene, Claimed, &gateway::context("Tom", "Jerry")).await;
    assert_eq!(claimed, (None, vec![]));
}

#[tokio::test]
async fn a_frame_without_the_right_to_send_is_answered_and_the_connection_stays() {
    let scene = Scene::new();
    for can in ["[]", r#"["moderate"]"#, r#"["send messages"]"#] {
        let (answer, reported) = frame(&scene, Token, &context(BEGIN + 1, Some(can))).await;
        assert_eq!(answer, Some(json!({"statusCode": 403})));
        assert_eq!(reported[0]["error"], "NotAllowed");
        assert_eq!(reported[0]["route"], "$default");
    }
    let stays = frame(&scene, Token, &context(BEGIN + 1, None)).await;
    assert_eq!(stays.0, None);
}

#[tokio::test]
async fn a_frame_after_the_token_s_end_is_answered_and_the_connection_is_ended() {
    let scene = Scene::new();
    let broken = json!({"name": "Tom", "friend": "Jerry", "exp": "x"});
    for context in [
        context(BEGIN, None),
        context(BEGIN - 1, Some(r#"["send"]"#)),
        context(0, Some("[]")),
        // Opened before the stack asked for tokens.
        gateway::context("Tom", "Jerry"),
        broken,
    ] {
        let tom = ConnectionId::new("t");
        scene.delivery.open(&tom);
        let event = gateway::message("t", "hi", Some(&context));
        let posts = &scene.delivery;
        let refused = refusal(&event, &Gate::for_mode(Token), posts, &scene.invocation()).await;
        assert_eq!(
            refused.unwrap(),
            Some(ProxyResponse::status(403)),
            "{context}"
        );
        // The fake forgets what it had for a connection that is ended.
        assert_eq!(scene.delivery.take(&tom), None, "{context}");
        let ended = refusal(&event, &Gate::for_mode(Token), posts, &scene.invocation()).await;
        assert_eq!(ended.unwrap(), Some(ProxyResponse::status(403)));
    }
    assert!(
        scene.logged().contains("TokenExpired"),
        "{}",
        scene.logged()
    );
}

#[tokio::test]
async fn what_a_handshake_claims_counts_for_nothing_where_an_authorizer_must_prove_it() {
    let scene = Scene::new();
    let claimed = (Some("Tom"), Some("Jerry"));
    for context in [None, Some(gateway::context("Tom", "Jerry"))] {
        let event = gateway::connect("c", claimed, context.as_ref());
        let answer = connect_proven(&event, &scene.store, FRIENDS, &scene.invocation()).await;
        assert_eq!(answer.unwrap(), ProxyResponse::status(401), "{context:?}");
    }
    assert_eq!(scene.rows(), [""; 0]);
    let proven = context(BEGIN + 60, None);
    let event = gateway::connect("c", claimed, Some(&proven));
    let answer = connect_proven(&event, &scene.store, FRIENDS, &scene.invocation()).await;
    assert_eq!(answer.unwrap(), ProxyResponse::status(200));
    assert_eq!(scene.rows(), ["Tom/c"]);
}

#[tokio::test]
async fn the_subprotocol_is_selected_if_the_client_offers_it() {
    let scene = Scene::new();
    let proven = context(BEGIN + 60, None);
    for (offer, selected) in [
        (
            "chatctl, chatctl.token.a.b.c",
            json!({"Sec-WebSocket-Protocol": "chatctl"}),
        ),
        ("chatctl.token.a.b.c", Value::Null),
        ("other", Value::Null),
    ] {
        let event = gateway::connect_with(&[("Sec-WebSocket-Protocol", offer)], &proven);
        let answer = connect_proven(&event, &scene.store, FRIENDS, &scene.invocation()).await;
        let answer = json_of(&answer.unwrap());
        assert_eq!(
            (&answer["statusCode"], &answer["headers"]),
            (&json!(200), &selected),
            "{offer}"
        );
    }
}
