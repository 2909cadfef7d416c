//! The same for the two functions that rooms need, and for what rooms ask of the other functions.

use serde_json::{Value, json};
use testing::until::eventually;

use super::table;
use crate::between::ask;
use crate::chat::Person;
use crate::cloud::Cloud;
use crate::policies;

/// A stack of rooms whose frames are the text, for everybody but the sender.
const RELAY: &str = "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n";

/// More members than one function serves.
const CROWD: usize = 1_100;

/// Longer ago than a handshake may still be under way, in seconds.
const LONG_AGO: u64 = 3600;

/// A deployed stack of rooms.
struct Rooms {
    cloud: Cloud,
    url: String,
    table: String,
}

impl Rooms {
    async fn deployed(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        let cloud = Cloud::start().await;
        cloud.config(RELAY);
        cloud.between.edit_templates(edit);
        let url = cloud.deploy("--no-probe").await.exits(0).url();
        let table = table(&cloud).await;
        Self { cloud, url, table }
    }

    async fn without(role: &'static str, action: &'static str) -> Self {
        Self::deployed(move |template| policies::take(template, role, action)).await
    }

    /// The same where no authorizer tells who it is.
    async fn unauthorized_without(role: &'static str, action: &'static str) -> Self {
        let edit = move |template: &mut Value| {
            policies::take(template, role, action);
            policies::take_authorizer(template);
        };
        Self::deployed(edit).await
    }

    /// Records so many members of the hall who have no connection any more, in its first shard.
    async fn fill(&self, count: usize) {
        let epoch = std::time::SystemTime::UNIX_EPOCH;
        let now = epoch.elapsed().unwrap().as_secs();
        let rows: Vec<_> = (0..count)
            .map(|number| {
                json!({"PutRequest": {"Item": {
                    // Ids of this form belong to the first shard, where they are looked for to be forgotten.
                    "pk": {"S": "R#hall#0"}, "sk": {"S": format!("C#deadbeef00000{number:03x}")},
                    "connected_at": {"N": (now - LONG_AGO).to_string()},
                    "expires_at": {"N": (now + LONG_AGO).to_string()},
                }}})
            })
            .collect();
        for some in rows.chunks(25) {
            let request = json!({"RequestItems": {&self.table: some}});
            let action = "DynamoDB_20120810.BatchWriteItem";
            ask(self.cloud.port, "dynamodb", action, &request).await;
        }
    }

    async fn enters(&self) -> Person {
        Person::enters(&self.url, "hall").await.unwrap()
    }

    async fn ann_says_hello(&self) -> Person {
        let mut ann = self.enters().await;
        ann.says("hello").await;
        ann
    }

    /// What Bob receives when Ann says hello.
    async fn bob_receives(&self) -> String {
        let mut bob = self.enters().await;
        let _ann = self.ann_says_hello().await;
        bob.receives().await
    }

    /// Waits until `function` has logged a line with all of `words`.
    async fn logs(&self, function: &str, words: &[&str]) {
        let reported = async || {
            let lines = self.cloud.logged(function, "").await;
            let fits = |line: &String| words.iter().all(|word| line.contains(word));
            lines.iter().any(fits)
        };
        let what = format!("{function} logs {words:?}");
        eventually(&what, reported).await;
    }

    async fn has_rows(&self, count: usize) {
        let is_so = async || self.cloud.items(&self.table).await == count;
        let what = format!("there are {count} rows");
        eventually(&what, is_so).await;
    }
}

/// How a function tells that it was refused something of the table or of another function.
fn refused(action: &str) -> String {
    format!("not authorized to perform: {action}")
}

/// How a function tells that it may not post.
const MAY_NOT_POST: [&str; 2] = ["post refused", "execute-api:ManageConnections"];

#[tokio::test]
async fn with_everything_that_is_granted_a_room_denies_nothing_however_large_it_is() {
    for rooms in [
        Rooms::deployed(|_| {}).await,
        Rooms::deployed(policies::take_authorizer).await,
    ] {
        let mut bob = rooms.enters().await;
        let mut ann = rooms.ann_says_hello().await;
        assert_eq!(bob.receives().await, "hello");
        rooms.fill(CROWD).await;
        ann.says("hello, crowd").await;
        assert_eq!(bob.receives().await, "hello, crowd");
        rooms
            .logs("Deliver", &["shard served", "\"gone\":1100"])
            .await;
        assert_eq!(ann.leaves().await, [""; 0]);
        assert_eq!(bob.leaves().await, [""; 0]);
        rooms.has_rows(0).await;
        assert_eq!(rooms.cloud.between.denied(), [""; 0]);
        for function in ["Connect", "Disconnect", "Broadcast", "Deliver"] {
            let lines = rooms.cloud.logged(function, "").await;
            let denied = lines.iter().find(|line| line.contains("not authorized"));
            assert_eq!(denied, None, "{function}");
        }
    }
}

#[tokio::test]
async fn without_put_item_no_client_can_enter_a_room() {
    let rooms = Rooms::without("ConnectRole", "dynamodb:PutItem").await;
    assert!(Person::enters(&rooms.url, "hall").await.is_err());
    rooms.logs("Connect", &[&refused("dynamodb:PutItem")]).await;
}

#[tokio::test]
async fn without_delete_item_who_has_left_stays_in_the_room() {
    let rooms = Rooms::without("DisconnectRole", "dynamodb:DeleteItem").await;
    assert_eq!(rooms.enters().await.leaves().await, [""; 0]);
    rooms
        .logs("Disconnect", &[&refused("dynamodb:DeleteItem")])
        .await;
    assert_ne!(rooms.cloud.items(&rooms.table).await, 0);
}

#[tokio::test]
async fn without_get_item_who_has_left_stays_in_the_room_where_there_is_no_authorizer() {
    let rooms = Rooms::unauthorized_without("DisconnectRole", "dynamodb:GetItem").await;
    assert_eq!(rooms.enters().await.leaves().await, [""; 0]);
    rooms
        .logs("Disconnect", &[&refused("dynamodb:GetItem")])
        .await;
    assert_ne!(rooms.cloud.items(&rooms.table).await, 0);
}

#[tokio::test]
async fn without_query_no_member_of_the_room_is_found() {
    let rooms = Rooms::without("BroadcastRole", "dynamodb:Query").await;
    let bob = rooms.enters().await;
    let _ann = rooms.ann_says_hello().await;
    rooms.logs("Broadcast", &[&refused("dynamodb:Query")]).await;
    assert_eq!(bob.leaves().await, [""; 0]);
}

#[tokio::test]
async fn without_get_item_a_message_has_no_room_where_there_is_no_authorizer() {
    let rooms = Rooms::unauthorized_without("BroadcastRole", "dynamodb:GetItem").await;
    let bob = rooms.enters().await;
    let _ann = rooms.ann_says_hello().await;
    rooms
        .logs("Broadcast", &[&refused("dynamodb:GetItem")])
        .await;
    assert_eq!(bob.leaves().await, [""; 0]);
}

#[tokio::test]
async fn without_manage_connections_a_room_is_silent() {
    let rooms = Rooms::without("BroadcastRole", "execute-api:ManageConnections").await;
    let bob = rooms.enters().await;
    let _ann = rooms.ann_says_hello().await;
    rooms.logs("Broadcast", &MAY_NOT_POST).await;
    assert_eq!(bob.leaves().await, [""; 0]);
}

#[tokio::test]
async fn without_delete_item_a_member_who_is_gone_is_tried_again_and_again() {
    let rooms = Rooms::without("BroadcastRole", "dynamodb:DeleteItem").await;
    rooms.fill(1).await;
    assert_eq!(rooms.bob_receives().await, "hello", "it stops nobody");
    let refused = refused("dynamodb:DeleteItem");
    let words = ["gone connection not forgotten", &refused];
    rooms.logs("Broadcast", &words).await;
    rooms.has_rows(1).await;
}

#[tokio::test]
async fn without_invoke_function_broadcast_must_serve_a_large_room_itself() {
    let rooms = Rooms::without("BroadcastRole", "lambda:InvokeFunction").await;
    rooms.fill(CROWD).await;
    assert_eq!(
        rooms.bob_receives().await,
        "hello",
        "it is served all the same"
    );
    let refused = refused("lambda:InvokeFunction");
    let words = ["shard not handed over", &refused];
    rooms.logs("Broadcast", &words).await;
    assert_eq!(rooms.cloud.logged("Deliver", "").await, [""; 0]);
}

/// Takes `action` from Deliver and lets Ann speak to a crowd that left an hour ago; waits until Deliver logs `words`.
async fn deliver_logs(words: &[&str], action: &'static str) -> Rooms {
    let rooms = Rooms::without("DeliverRole", action).await;
    rooms.fill(CROWD).await;
    let _ann = rooms.ann_says_hello().await;
    rooms.logs("Deliver", words).await;
    rooms
}

#[tokio::test]
async fn without_query_deliver_finds_no_member() {
    let action = "dynamodb:Query";
    let rooms = deliver_logs(&[&refused(action)], action).await;
    rooms.has_rows(CROWD).await;
}

#[tokio::test]
async fn without_manage_connections_deliver_reaches_no_member() {
    let rooms = deliver_logs(&MAY_NOT_POST, "execute-api:ManageConnections").await;
    let counts = ["shard served", "\"delivered\":0", "\"refused\":1100"];
    rooms.logs("Deliver", &counts).await;
}

#[tokio::test]
async fn without_delete_item_deliver_tries_a_crowd_that_is_gone_again_and_again() {
    let action = "dynamodb:DeleteItem";
    let words = ["gone connection not forgotten", &refused(action)];
    let rooms = deliver_logs(&words, action).await;
    rooms
        .logs("Deliver", &["shard served", "\"gone\":1100"])
        .await;
    rooms.has_rows(CROWD + 1).await;
}
