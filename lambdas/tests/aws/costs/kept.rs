//! The costs of messages that are kept.

use chat_lambdas::handlers::{broadcast, delete, direct, history};
use chat_lambdas::history::Reader;
use chat_lambdas::routes::Routes;
use chat_lambdas::session::{ConnectionId, Names};
use chat_lambdas::store::Index;
use chat_protocol::{Mode, cost};
use serde_json::{Value, json};

use super::{Chat, context, event_with, invocation};

const READER: Reader = Reader {
    mode: Mode::Claimed,
    index: Index::FriendAndRoom,
};

fn routes() -> Routes {
    Routes::parse(r#"{"say":{"text":"message","envelope":true,"history":86400}}"#).expect("routes")
}

fn message(length: usize) -> Value {
    json!({"message": "x".repeat(length), "ref": "r1"})
}

/// The bill since the last look, which the page about costs must have as the units of `what`.
fn bill_of(what: &str, chat: &Chat) -> String {
    let bill = chat.meter.bill();
    let (mut writes, mut reads) = (0.0, 0.0);
    for request in bill.split(", ") {
        let words: Vec<_> = request.split(' ').collect();
        let units: f64 = words[2].parse().expect("units");
        match words[1] {
            "Query" => reads += units,
            _ => writes += units,
        }
    }
    let price = writes * 0.625 + reads * 0.125;
    let units = match writes > 0.0 {
        true => format!("{writes} WRU, {reads} RRU"),
        false => format!("{reads} RRU"),
    };
    let row = format!("| {what} | {units} | ${price:.3} |\n");
    let page = include_str!("../../../../docs/concepts/data-and-cost.md");
    assert!(
        page.contains(&row),
        "docs/concepts/data-and-cost.md has no row {row}"
    );
    bill
}

impl Chat {
    /// Says something of `length` to the sender's friend.
    async fn tells(&self, context: &Value, length: usize) {
        let event = event_with("say", "t", &message(length), context);
        let (routes, invocation) = (routes(), invocation(60));
        let reported = direct(&event, &self.store, &self.delivery, &routes, &invocation).await;
        assert_eq!(reported.expect("an answer").status_code(), 200);
    }

    /// Says something of `length` to the sender's room. The message's id.
    async fn says(&self, context: &Value, length: usize) -> Value {
        let event = event_with("say", "t", &message(length), context);
        let services = (&self.store, &self.delivery);
        let said = broadcast(&event, services, &self.dispatch, &routes(), &invocation(60)).await;
        assert_eq!(said.expect("an answer").status_code(), 200);
        let receipt = self.delivery.take(&ConnectionId::new("t"));
        let receipt: Value = serde_json::from_str(&receipt.expect("a receipt")).expect("JSON");
        receipt["id"].clone()
    }

    async fn asks(&self, context: &Value, frame: &Value) -> Value {
        let event = event_with("history", "t", frame, context);
        let services = (&self.store, &self.delivery);
        let asked = history(&event, services, (READER, 86_400), &invocation(60)).await;
        assert_eq!(asked.expect("an answer").status_code(), 200);
        let page = self.delivery.take(&ConnectionId::new("t"));
        serde_json::from_str(&page.expect("a page")).expect("JSON")
    }
}

#[tokio::test]
async fn a_kept_message_costs_a_write_per_kilobyte_and_makes_the_look_for_a_friend_consistent() {
    let chat = Chat::start(Names::Required, Index::Friend).await;
    let (tom, jerry) = (context("Tom", "Jerry"), context("Jerry", "Tom"));
    chat.connect("t", Some(&tom)).await;
    chat.connect("j", Some(&jerry)).await;
    chat.meter.bill();
    chat.tells(&tom, 700).await;
    let bill = bill_of(
        "messages to a friend of up to some 700 characters, kept",
        &chat,
    );
    assert_eq!(bill, "1 PutItem 1, 1 Query 1");
    chat.tells(&tom, 10_000).await;
    let bill = bill_of("messages to a friend of 10,000 characters, kept", &chat);
    assert_eq!(bill, "1 PutItem 10, 1 Query 1");
    // A friend who is away is not looked for twice.
    chat.delivery.close(&ConnectionId::new("j"));
    chat.tells(&tom, 300).await;
    assert_eq!(chat.meter.bill(), "1 DeleteItem 1, 1 PutItem 1, 1 Query 1");
}

#[tokio::test]
async fn in_a_room_it_costs_the_write_and_nothing_else() {
    let chat = Chat::start(Names::Optional, Index::Room).await;
    let mut tom = context("Tom", "Jerry");
    tom["room"] = json!("hall");
    chat.connect("t", Some(&tom)).await;
    chat.fill("hall", 10).await;
    chat.meter.bill();
    chat.says(&tom, 300).await;
    let bill = bill_of("messages to a room of up to some 200, kept", &chat);
    assert_eq!(bill, "1 PutItem 1, 4 Query 4");
}

#[tokio::test]
async fn a_page_costs_a_read_for_each_4_kb_and_a_deletion_a_read_two_writes_and_the_receivers() {
    let chat = Chat::start(Names::Optional, Index::Room).await;
    let mut tom = context("Tom", "Jerry");
    tom["room"] = json!("hall");
    chat.connect("t", Some(&tom)).await;
    let mut id = Value::Null;
    for _ in 0..60 {
        id = chat.says(&tom, 100).await;
    }
    chat.meter.bill();
    let page = chat.asks(&tom, &json!({})).await;
    assert_eq!(page["entries"].as_array().expect("entries").len(), 50);
    let bill = bill_of("pages of 50 messages of 100 characters", &chat);
    assert_eq!(bill, "1 Query 4");
    chat.asks(&tom, &json!({"after": id, "exact": true})).await;
    let bill = bill_of("requests for history that find nothing new", &chat);
    assert_eq!(bill, "1 Query 1");
    // Of large messages a page holds few, and more are read: 1 MB at most.
    for _ in 0..40 {
        chat.says(&tom, 30_000).await;
    }
    chat.meter.bill();
    let page = chat.asks(&tom, &json!({})).await;
    assert_eq!(page["entries"].as_array().expect("entries").len(), 1);
    let bill = bill_of("pages of messages of 30,000 characters", &chat);
    assert_eq!(bill, "1 Query 251");

    let order = event_with("delete", "t", &json!({"id": id}), &tom);
    let services = (&chat.store, &chat.delivery);
    let deleted = delete(&order, services, READER, &invocation(60)).await;
    assert_eq!(deleted.expect("an answer").status_code(), 200);
    // One of the queries finds the message, four find the room.
    let what = "deletions of such messages of 100 characters in a room of up to some 200";
    assert_eq!(bill_of(what, &chat), "2 PutItem 2, 5 Query 5");
}

/// What the command computes with is what the adapters ask for.
#[tokio::test]
async fn the_costs_of_history_and_deletions_are_those_that_the_command_computes_with() {
    let chat = Chat::start(Names::Optional, Index::Room).await;
    let mut tom = context("Tom", "Jerry");
    tom["room"] = json!("hall");
    chat.connect("t", Some(&tom)).await;
    let mut id = Value::Null;
    for length in [200, 1_000, 30_000] {
        for _ in 0..60 {
            chat.meter.units();
            id = chat.says(&tom, length).await;
            let expected = cost::to_room(1) + cost::kept(length);
            assert_eq!(chat.meter.units(), expected, "{length} characters");
        }
        chat.asks(&tom, &json!({})).await;
        let expected = cost::page(50, length);
        assert_eq!(chat.meter.units(), expected, "{length} characters");
        chat.asks(&tom, &json!({"after": id, "exact": true})).await;
        assert_eq!(chat.meter.units(), cost::empty_page());
        let order = event_with("delete", "t", &json!({"id": id}), &tom);
        let services = (&chat.store, &chat.delivery);
        let deleted = delete(&order, services, READER, &invocation(60)).await;
        assert_eq!(deleted.expect("an answer").status_code(), 200);
        let expected = cost::deletion(length) + cost::room(1);
        assert_eq!(chat.meter.units(), expected, "{length} characters");
    }
}

#[tokio::test]
async fn the_costs_between_friends_with_history_are_those_that_the_command_computes_with() {
    let chat = Chat::start(Names::Required, Index::Friend).await;
    let (tom, jerry) = (context("Tom", "Jerry"), context("Jerry", "Tom"));
    chat.connect("t", Some(&tom)).await;
    chat.connect("j", Some(&jerry)).await;
    for length in [300, 10_000] {
        chat.meter.units();
        chat.tells(&tom, length).await;
        let expected = cost::to_friend() + cost::kept_for_friend(length);
        assert_eq!(chat.meter.units(), expected, "{length} characters");
        let receipt = chat.delivery.take(&ConnectionId::new("t"));
        let receipt: Value = serde_json::from_str(&receipt.expect("a receipt")).expect("JSON");
        let order = json!({"id": receipt["id"], "with": "Jerry"});
        let order = event_with("delete", "t", &order, &tom);
        let services = (&chat.store, &chat.delivery);
        let deleted = delete(&order, services, READER, &invocation(60)).await;
        assert_eq!(deleted.expect("an answer").status_code(), 200);
        let expected = cost::deletion(length) + cost::look_for_two();
        assert_eq!(chat.meter.units(), expected, "{length} characters");
    }
}
