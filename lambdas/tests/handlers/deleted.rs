//! Messages that are deleted.

use chat_lambdas::history::{Conversation, Found, History as _, Line, Reader, Ulid};
use chat_lambdas::memory::Call;
use chat_lambdas::store::{ConnectionStore as _, Index};
use chat_protocol::Mode;
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use crate::kept::{context, id, kitchen, name, present};
use crate::scene::Scene;

const CLAIMED: Reader = Reader {
    mode: Mode::Claimed,
    index: Index::FriendAndRoom,
};

const TOKEN: Reader = Reader {
    mode: Mode::Token,
    ..CLAIMED
};

/// The context of Mo, who has these rights.
fn mo(can: &str) -> Value {
    let mut context = context("Mo", "Ann");
    context["exp"] = json!("1900000000");
    context["can"] = json!(can);
    context["claims"] = json!(r#"{"sub":"Mo"}"#);
    context
}

fn ulid(id: &Value) -> Ulid {
    Ulid::from_string(id.as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_text_is_gone_and_all_others_in_the_room_get_the_notice() {
    let scene = Scene::new();
    for (name, connection) in [("Bob", "b"), ("Ann", "tablet"), ("Ann", "q")] {
        scene
            .store
            .join(&present(name, "x", connection, scene.now - 60))
            .await
            .unwrap();
        scene.delivery.open(&id(connection));
    }
    let receipt = scene.ann_says("a secret").await;
    for connection in ["b", "tablet", "q"] {
        assert_eq!(scene.next(connection).unwrap()["text"], "a secret");
    }
    assert!(format!("{:?}", scene.store).contains("a secret"));
    let order = json!({"id": receipt["id"], "ref": "d1"});
    let done = scene.orders(CLAIMED, &order, &context("Ann", "Bob")).await;
    assert_eq!(done, json!({"type": "done", "ref": "d1", "id": done["id"]}));
    let notice = json!({
        "type": "deleted", "id": done["id"], "of": receipt["id"], "by": "Ann", "room": "kitchen", "from": "Ann",
        "at": "2026-01-01T00:00:00.000Z",
    });
    for connection in ["b", "tablet"] {
        assert_eq!(scene.next(connection).unwrap(), notice);
    }
    assert_eq!(scene.next("q"), None);
    assert!(!format!("{:?}", scene.store).contains("a secret"));
    let page = scene
        .asks(CLAIMED, &json!({}), &context("Bob", "Ann"))
        .await;
    assert_eq!(page["entries"], json!([notice]));
    // The notice itself is no message.
    let order = json!({"id": done["id"]});
    assert_eq!(
        scene.orders(CLAIMED, &order, &context("Ann", "Bob")).await["error"],
        "NotFound"
    );
}

#[tokio::test]
async fn only_the_sender_and_moderators_delete_a_message() {
    let scene = Scene::new();
    let receipt = scene.ann_says("hi").await;
    let order = json!({"id": receipt["id"], "ref": "d1"});
    for (reader, context) in [
        (CLAIMED, &context("Bob", "Ann")),
        (CLAIMED, &context("ann", "Bob")),
        (CLAIMED, &json!({"room": "kitchen"})),
        // Nothing proves a right here.
        (CLAIMED, &mo(r#"["moderate"]"#)),
        (TOKEN, &mo(r#"["send"]"#)),
    ] {
        let refused = scene.orders(reader, &order, context).await;
        assert_eq!(
            (&refused["error"], &refused["ref"]),
            (&json!("NotAllowed"), &json!("d1")),
            "{context}"
        );
    }
    let done = scene.orders(TOKEN, &order, &mo(r#"["moderate"]"#)).await;
    assert_eq!(done["type"], "done");
    // Again by its sender, with the same result; a third person is still refused.
    let again = scene.orders(CLAIMED, &order, &context("Ann", "Bob")).await;
    assert_eq!(again, done);
    let refused = scene.orders(CLAIMED, &order, &context("Bob", "Ann")).await;
    assert_eq!(refused["error"], "NotAllowed");
    let page = scene
        .asks(CLAIMED, &json!({}), &context("Bob", "Ann"))
        .await;
    let entries = page["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (&entries[0]["by"], &entries[0]["from"]),
        (&json!("Mo"), &json!("Ann"))
    );
}

#[tokio::test]
async fn a_message_without_a_sender_is_only_deleted_by_moderators() {
    let scene = Scene::new();
    scene.delivery.open(&id("n"));
    let frame = json!({"message": "hi", "ref": "r1"});
    let event = scene.event_at(
        scene.now * 1_000,
        "say",
        "n",
        &frame,
        &json!({"room": "kitchen"}),
    );
    scene.says_kept(&event).await.unwrap();
    let order = json!({"id": scene.next("n").unwrap()["id"], "ref": "d"});
    for context in [json!({"room": "kitchen"}), context("Ann", "Bob")] {
        let refused = scene.orders(CLAIMED, &order, &context).await;
        assert_eq!(refused["error"], "NotAllowed", "{context}");
    }
    let done = scene.orders(TOKEN, &order, &mo(r#"["moderate"]"#)).await;
    assert_eq!(done["type"], "done");
}

#[tokio::test]
async fn between_friends_the_notice_reaches_the_friend_and_the_own_other_devices() {
    let scene = Scene::new();
    for (name, connection) in [("Bob", "b"), ("Ann", "tablet"), ("Ann", "q"), ("Cy", "c")] {
        scene.online(name, connection).await;
    }
    let receipt = scene.ann_tells("psst").await;
    scene.next("b").unwrap();
    let order = json!({"id": receipt["id"], "with": "Bob", "ref": "d1"});
    let done = scene.orders(CLAIMED, &order, &context("Ann", "Bob")).await;
    for connection in ["b", "tablet"] {
        let notice = scene.next(connection).unwrap();
        assert_eq!(
            (&notice["of"], &notice["to"]),
            (&receipt["id"], &json!("Bob"))
        );
    }
    assert_eq!((scene.next("c"), scene.next("q")), (None, None));
    // It is not a message of the room.
    let order = json!({"id": receipt["id"], "ref": "d2"});
    let elsewhere = scene.orders(CLAIMED, &order, &context("Ann", "Bob")).await;
    assert_eq!(elsewhere["error"], "NotFound");
    assert_eq!(done["type"], "done");
}

#[tokio::test]
async fn of_two_orders_at_the_same_time_one_notice_results() {
    let scene = Scene::new();
    let receipt = scene.ann_says("hi").await;
    let of = ulid(&receipt["id"]);
    let other = Line {
        id: Ulid::from_parts(scene.now * 1_000, 7),
        frame: json!({"type": "deleted", "id": Ulid::from_parts(scene.now * 1_000, 7).to_string(), "of": of.to_string(), "by": "Ann",
            "room": "kitchen", "from": "Ann", "at": "x"}).to_string(),
    };
    let (first, expires) = (other.clone(), scene.now + 3_600);
    // Between the look for the message and its replacement.
    scene.store.interrupt_after(1, move |store| {
        let kitchen = kitchen();
        let erased = store.erase(&kitchen, of, &first, expires);
        assert!(erased.now_or_never().unwrap().unwrap());
    });
    let order = json!({"id": receipt["id"], "ref": "d1"});
    let done = scene.orders(CLAIMED, &order, &context("Ann", "Bob")).await;
    assert_eq!(done["id"], other.id.to_string());
    let page = scene
        .asks(CLAIMED, &json!({}), &context("Bob", "Ann"))
        .await;
    assert_eq!(page["entries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_order_after_a_failure_makes_the_entry_that_is_missing() {
    let scene = Scene::new();
    let receipt = scene.ann_tells("hi").await;
    let between = Conversation::Two(name("Bob"), name("Ann"));
    let (of, at) = (ulid(&receipt["id"]), Ulid::from_parts(scene.now * 1_000, 7));
    let frame = json!({"type": "deleted", "id": at.to_string(), "of": of.to_string(), "by": "Ann", "to": "Bob", "from": "Ann", "at": "x"});
    let notice = Line {
        id: at,
        frame: frame.to_string(),
    };
    // What an earlier order has done before it failed.
    scene
        .store
        .erase(&between, of, &notice, scene.now + 3_600)
        .await
        .unwrap();
    assert!(
        scene
            .store
            .find(&between, at, scene.now)
            .await
            .unwrap()
            .is_none()
    );
    let order = json!({"id": receipt["id"], "with": "Bob", "ref": "d1"});
    let done = scene.orders(CLAIMED, &order, &context("Ann", "Bob")).await;
    assert_eq!(done["id"], at.to_string());
    let found = scene.store.find(&between, at, scene.now).await.unwrap();
    assert!(matches!(found, Some(Found::Kept { .. })), "{found:?}");
    // A table that fails is an error, which the sender sees.
    scene.store.break_down(Call::FindKept);
    let event = scene.event_at(0, "delete", "q", &order, &context("Ann", "Bob"));
    let invocation = scene.invocation();
    let failed =
        chat_lambdas::handlers::delete(&event, scene.services(), CLAIMED, &invocation).await;
    assert!(failed.is_err());
}
