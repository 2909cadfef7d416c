//! The figures of `chat_protocol::cost`, with which the command computes costs, beside what the real adapters ask for.

use chat_lambdas::handlers::{Gate, deliver, excess, who};
use chat_lambdas::session::Names;
use chat_lambdas::store::Index;
use chat_protocol::{Mode, cost};
use serde_json::json;

use crate::costs::{Chat, context, event, event_with, invocation};

#[tokio::test]
async fn the_figures_that_the_command_computes_with_are_what_the_adapters_ask_for() {
    for index in [Index::Friend, Index::Room, Index::FriendAndRoom] {
        let chat = Chat::start(Names::Optional, index).await;
        let mut jerry = context("Jerry", "Tom");
        jerry["room"] = json!("hall");
        chat.connect("j", Some(&jerry)).await;
        assert_eq!(chat.meter.units(), cost::connect(index, true), "{index:?}");
        chat.disconnect("j", Some(&jerry)).await;
        assert_eq!(chat.meter.units(), cost::disconnect(index), "{index:?}");
    }
    let chat = Chat::start(Names::Required, Index::Friend).await;
    let tom = context("Tom", "Jerry");
    chat.connect("j", Some(&context("Jerry", "Tom"))).await;
    chat.meter.units();
    chat.direct("t", Some(&tom)).await;
    assert_eq!(chat.meter.units(), cost::to_friend());
    chat.disconnect("j", Some(&context("Jerry", "Tom"))).await;
    chat.meter.units();
    chat.direct("t", Some(&tom)).await;
    assert_eq!(chat.meter.units(), cost::to_absent_friend());
    let gate = Gate::for_mode(Mode::Claimed).with_rate(Some(1));
    let event = event("MESSAGE", "$default", "t", Some(&tom));
    let services = (&chat.store, &chat.delivery);
    excess(&event, &gate, services, &invocation(60))
        .await
        .expect("an answer");
    assert_eq!(chat.meter.units(), cost::counted_message());
}

#[tokio::test]
async fn the_costs_of_a_look_at_a_room_are_those_that_the_command_computes_with() {
    let chat = Chat::start(Names::Optional, Index::Room).await;
    let mut tom = context("Tom", "Jerry");
    tom["room"] = json!("hall");
    for members in [10, 600, 1_000] {
        chat.fill("hall", members).await;
        chat.meter.units();
        let event = event_with("who", "t", &json!({"action": "who"}), &tom);
        let services = (&chat.store, &chat.delivery);
        let answer = who(&event, services, &invocation(60)).await;
        assert_eq!(answer.expect("an answer").status_code(), 200);
        assert_eq!(chat.meter.units(), cost::room(members), "{members} members");
    }
}

#[tokio::test]
async fn the_figures_for_rooms_are_what_the_adapters_ask_for_at_every_size() {
    let mut chat = Chat::start(Names::Optional, Index::FriendAndRoom).await;
    let mut tom = context("Tom", "Jerry");
    tom["room"] = json!("hall");
    for members in [10, 200, 400, 600, 1_000] {
        chat.fill("hall", members).await;
        chat.broadcast("t", Some(&tom)).await;
        assert_eq!(
            chat.meter.units(),
            cost::to_room(members),
            "{members} members"
        );
        let index = Index::FriendAndRoom;
        let of_handshake =
            cost::connect(index, true) + cost::counted_name() + cost::counted_room(members);
        chat.policy.limits.connections_per_name = Some(2);
        chat.policy.limits.room_size = Some(2_000);
        chat.connect("t", Some(&tom)).await;
        assert_eq!(chat.meter.units(), of_handshake, "{members} members");
        chat.disconnect("t", Some(&tom)).await;
        chat.meter.units();
    }
    chat.fill("hall", 2_000).await;
    chat.broadcast("t", Some(&tom)).await;
    let mut units = chat.meter.units();
    let shards = chat.dispatch.take();
    assert_eq!(
        shards.len(),
        usize::try_from(cost::SHARD_INVOCATIONS).expect("few")
    );
    for shard in &shards {
        let services = (&chat.store, &chat.delivery);
        deliver(shard, services, &chat.dispatch, &invocation(60))
            .await
            .expect("a tally");
        units = units + chat.meter.units();
    }
    assert_eq!(units, cost::to_room(2_000));
}
