//! Statements `limits.6` and `bounds.5`: the limits of connections and requests.

use std::time::Duration;

use chatctl_local::unstable::stack::Throttle;
use chatctl_local::{Limits, ManualClock, Options};
use serde_json::Value;

use crate::setup::Setup;
use crate::world::{Client, World, until};

/// One request a second, one at once.
const ONE_A_SECOND: Throttle = Throttle {
    rate: 1.0,
    burst: 1,
};

async fn world(limits: Limits, setup: impl FnOnce(Setup) -> Setup) -> (World, ManualClock) {
    let manual = ManualClock::default();
    let options = Options::default()
        .with_clock(manual.clock())
        .with_limits(limits);
    (World::start_with(options, setup).await, manual)
}

/// A stage whose settings limit the route `key`.
async fn throttled(key: &str, throttle: Throttle) -> (World, ManualClock) {
    world(Limits::default(), |setup| {
        setup.chat().route("join", "join").edit(|stack| {
            let stage = stack.api.stages.get_mut("v1").unwrap();
            stage.throttles.insert(key.to_owned(), throttle);
        })
    })
    .await
}

async fn check_refused_handshake(world: &World) {
    let answer = world.upgrade("/v1", "").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (429, r#"{"message":"Too Many Requests"}"#)
    );
    assert_eq!(
        answer.header("x-amzn-ErrorType"),
        Some("TooManyRequestsException")
    );
}

/// Sends `text` and expects the frame of a throttled message.
async fn check_refused_message(world: &World, client: &mut Client, text: &str) {
    client.send(text).await;
    let frame = client.receive().await;
    let parsed: Value = serde_json::from_str(&frame).unwrap();
    let (connection, request) = (&parsed["connectionId"], &parsed["requestId"]);
    assert_eq!(*connection, world.connection_id(0).await);
    assert_eq!(
        frame,
        format!(
            r#"{{"message": "Too Many Requests", "connectionId":{connection}, "requestId":{request}}}"#
        )
    );
}

#[tokio::test]
async fn limits_6_too_many_connections_are_429_and_too_many_messages_an_error_frame() {
    // New connections, for the whole account.
    let limits = Limits::default().with_new_connections(ONE_A_SECOND);
    let (accounts, manual) = world(limits, Setup::chat).await;
    let _first = accounts.connect().await;
    check_refused_handshake(&accounts).await;
    manual.advance(Duration::from_secs(1));
    let _second = accounts.connect().await;
    assert_eq!(accounts.puppets.count("connect"), 2);
    // Handshakes, by the stage's settings.
    let (stages, manual) = throttled("$connect", ONE_A_SECOND).await;
    let mut client = stages.connect().await;
    check_refused_handshake(&stages).await;
    client.send("the limit is that of another route").await;
    stages.puppets.event("default", 0).await;
    stages.settled().await;
    manual.advance(Duration::from_secs(1));
    let _second = stages.connect().await;
    // Messages of one route.
    let (routes, manual) = throttled("join", ONE_A_SECOND).await;
    let mut client = routes.connect().await;
    let join = r#"{"action":"join"}"#;
    client.send(join).await;
    routes.puppets.event("join", 0).await;
    check_refused_message(&routes, &mut client, join).await;
    client.send("another route").await;
    routes.puppets.event("default", 0).await;
    routes.settled().await;
    check_refused_message(&routes, &mut client, join).await;
    let warnings = routes.warnings();
    assert!(
        matches!(warnings.as_slice(), [one] if one.starts_with("route `join` of stage `v1` exceeds the limits of the stage's settings, 1 a second and 1 at once")),
        "it is reported once: {warnings:?}"
    );
    manual.advance(Duration::from_secs(1));
    client.send(join).await;
    routes.puppets.event("join", 1).await;
    // Posts have no route.
    let id = routes.connection_id(0).await;
    for _ in 0..3 {
        assert_eq!(routes.operate("POST", &id, b"x").await.status, 200);
    }
    // All requests together, for the whole account.
    let limits = Limits::default().with_requests(Throttle {
        rate: 1.0,
        burst: 3,
    });
    let (accounts, manual) = world(limits, Setup::chat).await;
    let mut client = accounts.connect().await;
    let id = accounts.connection_id(0).await;
    client.send("x").await;
    accounts.puppets.event("default", 0).await;
    assert_eq!(accounts.operate("POST", &id, b"x").await.status, 200);
    assert_eq!(client.receive().await, "x");
    check_refused_message(&accounts, &mut client, "x").await;
    check_refused_handshake(&accounts).await;
    let refused = accounts.operate("POST", &id, b"x").await;
    assert_eq!(
        (refused.status, refused.header("x-amzn-ErrorType")),
        (429, Some("LimitExceededException"))
    );
    manual.advance(Duration::from_secs(1));
    assert_eq!(accounts.operate("GET", &id, b"").await.status, 200);
    assert_eq!(accounts.puppets.count("default"), 1);
    let warnings = accounts.warnings();
    assert!(
        matches!(warnings.as_slice(), [one] if one.starts_with("more requests than an AWS account's")),
        "it is reported once: {warnings:?}"
    );
}

#[tokio::test]
async fn bounds_5_a_client_that_goes_on_after_many_refusals_is_read_at_their_rate() {
    let limits = Limits::default()
        .with_concurrent_messages(1)
        .with_refusals(Throttle {
            rate: 1.0,
            burst: 2,
        });
    let (world, manual) = world(limits, |setup| {
        setup.chat().route("join", "join").edit(|stack| {
            let stage = stack.api.stages.get_mut("v1").unwrap();
            stage.throttles.insert("join".to_owned(), ONE_A_SECOND);
        })
    })
    .await;
    let mut client = world.connect().await;
    let join = r#"{"action":"join"}"#;
    client.send(join).await;
    world.puppets.event("join", 0).await;
    // Two refusals are free; the third one waits for a second, and what follows waits with it.
    for _ in 0..3 {
        check_refused_message(&world, &mut client, join).await;
    }
    client.send("another route").await;
    world.settled().await;
    assert_eq!(world.puppets.count("default"), 0);
    // Another client is read meanwhile.
    let mut second = world.connect().await;
    second.send("another route").await;
    world.puppets.event("default", 0).await;
    manual.advance(Duration::from_secs(1));
    world.puppets.event("default", 1).await;
}

#[tokio::test]
async fn a_limit_of_zero_refuses_every_client_and_is_reported_at_the_start() {
    let zero = Throttle {
        rate: 100.0,
        burst: 0,
    };
    let (world, manual) = throttled("$connect", zero).await;
    let warnings =
        until(async || Some(world.warnings()).filter(|warnings| !warnings.is_empty())).await;
    assert!(
        warnings[0].starts_with("stage `v1` refuses every request on `$connect`,"),
        "{warnings:?}"
    );
    check_refused_handshake(&world).await;
    manual.advance(Duration::from_secs(3600));
    check_refused_handshake(&world).await;
}

#[tokio::test]
async fn by_default_a_burst_of_500_connections_and_thousands_of_messages_is_accepted() {
    let limits = Limits::default();
    assert_eq!(
        (limits.new_connections.rate, limits.new_connections.burst),
        (500.0, 500)
    );
    assert_eq!(
        (limits.requests.rate, limits.requests.burst),
        (10_000.0, 5_000)
    );
}

/// AWS has no such limit; it is this machine's.
#[tokio::test]
async fn clients_without_room_are_refused_until_another_leaves_and_that_is_reported_once() {
    let limits = Limits::default().with_connections(2);
    let world = World::limited_chat(limits).await;
    let (first, mut second) = (world.connect().await, world.connect().await);
    for _ in 0..2 {
        let answer = world.upgrade("/v1", "").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (503, r#"{"message":"Service Unavailable"}"#)
        );
    }
    assert_eq!(world.puppets.count("connect"), 2);
    second.send("x").await;
    world.puppets.event("default", 0).await;
    first.close(None).await;
    until(async || (world.upgrade("/v1", "").await.status == 101).then_some(())).await;
    let warnings = world.warnings();
    assert!(
        matches!(warnings.as_slice(), [one] if one.starts_with("refused a connection, because 2 clients are connected")),
        "{warnings:?}"
    );
}
