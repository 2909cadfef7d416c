//! Pages of messages that are kept, and who may read them.

use chat_lambdas::handlers;
use chat_lambdas::history::Reader;
use chat_lambdas::routes::Routes;
use chat_lambdas::store::{ConnectionStore as _, Index};
use chat_protocol::Mode;
use serde_json::{Value, json};

use crate::kept::{CLAIMED, KITCHEN, context, id, present, texts};
use crate::scene::Scene;

#[tokio::test]
async fn entries_are_what_receivers_got_and_expire() {
    let mut scene = Scene::new();
    let bob = present("Bob", "Ann", "b", scene.now - 60);
    scene.store.join(&bob).await.unwrap();
    scene.delivery.open(&id("b"));
    let receipt = scene.ann_says("hi \"you\" \u{1F600}").await;
    assert_eq!(
        receipt,
        json!({"type": "sent", "ref": "r1", "id": receipt["id"], "delivered": 1, "stored": true})
    );
    let got = scene.next("b").unwrap();
    let page = scene
        .asks(CLAIMED, &json!({"ref": "h1"}), &context("Bob", "Ann"))
        .await;
    assert_eq!(
        page,
        json!({"type": "history", "room": "kitchen", "entries": [got], "more": false, "ref": "h1"})
    );
    scene.now += 3_599;
    assert_eq!(
        texts(
            &scene
                .asks(CLAIMED, &json!({}), &context("Bob", "Ann"))
                .await
        )
        .len(),
        1
    );
    scene.now += 1;
    assert_eq!(
        texts(
            &scene
                .asks(CLAIMED, &json!({}), &context("Bob", "Ann"))
                .await
        )
        .len(),
        0
    );
    let of = json!({"id": receipt["id"]});
    assert_eq!(
        scene.orders(CLAIMED, &of, &context("Ann", "Bob")).await["error"],
        "NotFound"
    );
}

#[tokio::test]
async fn a_reader_reads_its_own_room_and_the_conversations_that_its_token_allows() {
    let scene = Scene::new();
    scene.ann_tells("psst").await;
    let proven = |claims: Value| {
        let mut context = context("Ann", "Bob");
        context["exp"] = json!("1900000000");
        context["claims"] = json!(claims.to_string());
        context
    };
    let (bob, cy) = (json!({"with": "Bob"}), json!({"with": "Cy"}));
    let reader = |mode| Reader {
        mode,
        index: Index::FriendAndRoom,
    };
    let claims = |to: Value| proven(json!({"sub": "Ann", "to": to}));
    let (open, long) = (proven(json!({"sub": "Ann"})), proven(json!({})));
    for (mode, context, frame, is_read) in [
        (Mode::Claimed, &context("Ann", "Bob"), &bob, true),
        (Mode::Claimed, &context("Ann", "Bob"), &cy, true),
        (Mode::Claimed, &json!({"room": KITCHEN}), &bob, false),
        (Mode::Token, &open, &cy, true),
        (Mode::Jwt, &claims(json!(["Bob", "Cy"])), &cy, true),
        (Mode::Token, &claims(json!("Bob")), &bob, true),
        (Mode::Token, &claims(json!("Bob")), &cy, false),
        (Mode::Jwt, &claims(json!(["Bob"])), &cy, false),
        (Mode::Jwt, &claims(json!([])), &cy, false),
        // What was too long for the context may have named friends.
        (Mode::Token, &long, &cy, false),
        (Mode::Token, &long, &bob, true),
        // What a user's authorizer narrows is no claim.
        (Mode::Handler, &open, &cy, false),
        (Mode::Handler, &open, &bob, true),
        (Mode::Token, &open, &json!({"room": "attic"}), false),
        (Mode::Claimed, &open, &json!({"room": "attic"}), false),
        (Mode::Token, &open, &json!({"room": KITCHEN}), true),
    ] {
        let answer = scene.asks(reader(mode), frame, context).await;
        let expected = if is_read {
            Value::Null
        } else {
            json!("NotAllowed")
        };
        assert_eq!(answer["error"], expected, "{mode:?} {context} {frame}");
        let order = scene.orders(reader(mode), &json!({"id": "00000000000000000000000000", "with": frame["with"], "room": frame["room"]}), context).await;
        let expected = if is_read { "NotFound" } else { "NotAllowed" };
        assert_eq!(order["error"], expected, "{mode:?} {context} {frame}");
    }
    // Without rooms, the friend is meant.
    let friends = Reader {
        mode: Mode::Claimed,
        index: Index::Friend,
    };
    let page = scene
        .asks(friends, &json!({}), &context("Ann", "Bob"))
        .await;
    assert_eq!((&page["with"], texts(&page)), (&json!("Bob"), vec!["psst"]));
    let page = scene
        .asks(friends, &json!({}), &context("Bob", "Ann"))
        .await;
    assert_eq!((&page["with"], texts(&page)), (&json!("Ann"), vec!["psst"]));
}

#[tokio::test]
async fn a_page_is_a_frame_and_all_of_them_together_have_each_entry_once_in_order() {
    let mut scene = Scene::new();
    let mut expected = Vec::new();
    for number in 0..130 {
        scene.now += 1;
        let length = if number % 40 == 7 {
            32_000
        } else {
            number * 10
        };
        let text = format!("{number:03}{}", "x".repeat(length));
        scene.ann_says(&text).await;
        expected.push(text);
    }
    for (chain, direction) in [("before", -1), ("after", 1)] {
        let mut seen: Vec<String> = Vec::new();
        let mut ask = match chain {
            "before" => json!({"limit": 100}),
            _ => json!({"after": "00000000000000000000000000", "exact": true, "limit": 100}),
        };
        loop {
            let page = scene.asks(CLAIMED, &ask, &context("Bob", "Ann")).await;
            let entries = page["entries"].as_array().unwrap();
            let size = page.to_string().len();
            assert!(size <= 32 * 1024 || entries.len() == 1, "{size}");
            assert!(!entries.is_empty());
            let mut texts: Vec<_> = texts(&page).into_iter().map(str::to_owned).collect();
            let (first, last) = (&entries[0]["id"], &entries[entries.len() - 1]["id"]);
            match direction {
                1 => {
                    ask["after"] = last.clone();
                    seen.append(&mut texts);
                }
                _ => {
                    ask["before"] = first.clone();
                    texts.append(&mut seen);
                    seen = texts;
                }
            }
            if page["more"] == false {
                break;
            }
        }
        assert!(seen == expected, "{chain}");
    }
}

#[tokio::test]
async fn the_longest_message_that_is_kept_fits_a_page_and_a_longer_one_is_refused() {
    let scene = Scene::new();
    let routes = r#"{"tell":{"text":"message","envelope":true,"history":3600}}"#;
    let routes = Routes::parse(routes).unwrap();
    let mut longest = 0;
    for length in [129_000, 130_000, 131_000] {
        let frame = json!({"message": "x".repeat(length), "ref": "\u{1}".repeat(128)});
        scene.delivery.open(&id("a"));
        let event = scene.event("tell", "a", &frame, &context("Ann", "Bob"));
        let services = (&scene.store, &scene.delivery);
        handlers::direct(&event, services.0, services.1, &routes, &scene.invocation())
            .await
            .unwrap();
        match scene.next("a").unwrap()["error"].as_str() {
            Some(error) => assert_eq!(error, "TextTooLarge"),
            None => longest = length,
        }
    }
    assert_eq!(longest, 129_000);
    let ask = json!({"with": "Bob", "ref": "\u{1}".repeat(128)});
    let page = scene.asks(CLAIMED, &ask, &context("Ann", "Bob")).await;
    assert!(page.to_string().len() <= 128 * 1024);
    assert_eq!(texts(&page)[0].len(), 129_000);
}

#[tokio::test]
async fn an_overlap_of_a_minute_repeats_what_may_have_been_written_late() {
    let mut scene = Scene::new();
    for text in ["old", "late", "last"] {
        scene.ann_says(text).await;
        scene.now += 40;
    }
    let newest = scene
        .asks(CLAIMED, &json!({"limit": 1}), &context("Bob", "Ann"))
        .await;
    let last = &newest["entries"][0]["id"];
    let page = async |frame: Value| scene.asks(CLAIMED, &frame, &context("Bob", "Ann")).await;
    assert_eq!(texts(&page(json!({"after": last})).await), ["late", "last"]);
    assert_eq!(
        texts(&page(json!({"after": last, "exact": true})).await),
        [""; 0]
    );
}
