use chat_protocol::Receivers;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Outgoing, Refused};
use crate::event::SocketEvent;
use crate::routes::Rule;
use crate::session::{Names, Session};

/// 2026-01-01T00:00:00.123Z
const MOMENT: u64 = 1_767_225_600_123;

fn rule() -> Rule {
    Rule {
        text: Some("message".to_owned()),
        envelope: true,
        max_text_bytes: 1000,
        ..Rule::default()
    }
}

fn event(route: &str) -> SocketEvent {
    serde_json::from_value(json!({
        "requestContext": {"routeKey": route, "requestTimeEpoch": MOMENT, "eventType": "MESSAGE", "connectionId": "c"},
    }))
    .unwrap()
}

fn session(name: Option<&str>) -> Session {
    let names = Names::Optional;
    Session::parse(
        ("n", name),
        ("f", Some("Bob")),
        ("r", Some("kitchen")),
        names,
    )
    .unwrap()
}

fn outgoing(frame: &Value, receivers: Receivers) -> Result<Value, Refused> {
    let (event, session) = (event("say"), session(Some("Ann")));
    let frame = frame.to_string();
    let outgoing = Outgoing::new(&event, &frame, (&rule(), receivers), &session, 7)?;
    Ok(serde_json::from_str(&outgoing.post).unwrap())
}

fn refused(frame: &Value) -> (&'static str, Value) {
    let refused = outgoing(frame, Receivers::Room).unwrap_err();
    let notice = serde_json::from_str(&refused.frame(Some("say"))).unwrap();
    (refused.error.code(), notice)
}

#[test]
fn a_route_without_envelopes_posts_the_text_and_looks_at_nothing_else() {
    let plain = Rule {
        envelope: false,
        ..rule()
    };
    let frame = r#"{"message":"hi","ref":7,"attributes":[]}"#;
    let reported = |receivers| {
        let (event, session) = (event("say"), session(None));
        let outgoing = Outgoing::new(&event, frame, (&plain, receivers), &session, 7).unwrap();
        assert_eq!(outgoing.post, "hi");
        outgoing.answer(Some(0), receivers, Some("say")).is_some()
    };
    assert!(reported(Receivers::Friend) && !reported(Receivers::Room));
}

#[test]
fn an_envelope_has_sender_receivers_and_api_gateway_s_time() {
    let frame = json!({"action": "say", "message": "h\n\"i\"", "attributes": {"b": "2", "a": ""}});
    let mut to_room = outgoing(&frame, Receivers::Room).unwrap();
    let id = to_room["id"].take();
    assert_eq!(id.as_str().unwrap().len(), 26);
    // The first ten characters are the time (https://github.com/ulid/spec).
    assert!(id.as_str().unwrap().starts_with("01KDVDNA3V"), "{id}");
    assert_eq!(
        to_room,
        json!({"type": "message", "id": null, "route": "say", "from": "Ann", "room": "kitchen", "text": "h\n\"i\"",
               "at": "2026-01-01T00:00:00.123Z", "attributes": {"a": "", "b": "2"}})
    );
    let to_friend = outgoing(&frame, Receivers::Friend).unwrap();
    assert_eq!(
        (&to_friend["to"], &to_friend["room"]),
        (&json!("Bob"), &Value::Null)
    );
}

#[test]
fn two_messages_of_one_millisecond_have_different_ids() {
    let id = || outgoing(&json!({"message": "x"}), Receivers::Room).unwrap()["id"].clone();
    assert_ne!(id(), id());
}

#[test]
fn without_api_gateway_s_time_the_function_s_own_counts() {
    let event = SocketEvent::default();
    let rule = rule();
    let made = Outgoing::new(
        &event,
        r#"{"message":"x"}"#,
        (&rule, Receivers::Room),
        &session(None),
        7,
    )
    .unwrap();
    let made: Value = serde_json::from_str(&made.post).unwrap();
    assert_eq!(made["at"], "1970-01-01T00:00:07.000Z");
    assert_eq!(made.get("from"), None);
}

#[test]
fn a_receipt_goes_to_a_sender_that_asks_and_a_missed_friend_is_reported_to_every_other() {
    let event = event("say");
    let answer = |frame: &str, delivered, receivers| {
        let (rule, session) = (rule(), session(Some("Ann")));
        let outgoing = Outgoing::new(&event, frame, (&rule, receivers), &session, 7).unwrap();
        let answer = outgoing.answer(delivered, receivers, Some("say"))?;
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        if let Some(id) = answer.get_mut("id") {
            let posted: Value = serde_json::from_str(&outgoing.post).unwrap();
            assert_eq!(*id, posted["id"]);
            *id = Value::Null;
        }
        Some(answer)
    };
    let sent = |delivered: Value| json!({"type": "sent", "ref": "r1", "id": null, "delivered": delivered, "stored": false});
    let with = r#"{"message":"x","ref":"r1"}"#;
    assert_eq!(answer(with, Some(2), Receivers::Room), Some(sent(json!(2))));
    assert_eq!(answer(with, None, Receivers::Room), Some(sent(Value::Null)));
    assert_eq!(
        answer(with, Some(0), Receivers::Friend),
        Some(sent(json!(0)))
    );

    let without = r#"{"message":"x"}"#;
    assert_eq!(answer(without, Some(1), Receivers::Friend), None);
    assert_eq!(answer(without, Some(0), Receivers::Room), None);
    let missed = answer(without, Some(0), Receivers::Friend).unwrap();
    assert_eq!(missed["error"], "FriendNotReachable");
    assert_eq!(missed["message"], super::FRIEND_NOT_REACHABLE);
}

#[test]
fn an_error_carries_the_reference() {
    let (code, notice) = refused(&json!({"ref": "r1"}));
    assert_eq!((code, &notice["ref"]), ("MissingText", &json!("r1")));
    let (code, notice) = refused(&json!({"ref": "r1", "message": "x".repeat(1001)}));
    assert_eq!((code, &notice["ref"]), ("TextTooLarge", &json!("r1")));
    let (code, notice) = refused(&json!({"message": "x", "ref": "r1", "attributes": {"a": 1}}));
    assert_eq!((code, &notice["ref"]), ("BadMember", &json!("r1")));
    let (_, notice) = refused(&json!([]));
    assert_eq!(notice.get("ref"), None);
}

#[test]
fn references_and_attributes_are_bounded_and_of_one_type() {
    let with = |member: &str, value: Value| json!({"message": "x", member: value});
    for value in [json!(7), json!(["r"]), json!({}), json!("x".repeat(129))] {
        assert_eq!(
            refused(&with("ref", value.clone())).0,
            "BadMember",
            "{value}"
        );
    }
    let many: serde_json::Map<_, _> = (0..17).map(|i| (i.to_string(), json!(""))).collect();
    for value in [
        json!("x"),
        json!([1]),
        json!({"a": null}),
        json!({"a": {"b": "c"}}),
        many.into(),
        json!({"a": "x".repeat(4096)}),
    ] {
        assert_eq!(
            refused(&with("attributes", value.clone())).0,
            "BadMember",
            "{value}"
        );
    }
    for (member, value) in [
        ("ref", Value::Null),
        ("ref", json!("x".repeat(128))),
        ("attributes", json!({})),
        ("attributes", json!({"a": "x".repeat(4095)})),
    ] {
        assert!(
            outgoing(&with(member, value), Receivers::Room).is_ok(),
            "{member}"
        );
    }
}

#[test]
fn a_text_that_grows_beyond_a_post_in_its_envelope_is_refused() {
    // Each control character becomes six.
    let rule = Rule {
        text: None,
        max_text_bytes: usize::MAX,
        ..rule()
    };
    let frame = "\u{1}".repeat(30_000);
    let (event, session) = (event("say"), session(None));
    let refused = Outgoing::new(&event, &frame, (&rule, Receivers::Room), &session, 7).unwrap_err();
    assert_eq!(refused.error.code(), "TextTooLarge");
}

#[test]
fn a_route_that_does_not_look_into_frames_finds_no_reference_in_them() {
    let rule = Rule {
        text: None,
        ..rule()
    };
    let frame = r#"{"message":"x","ref":"r1"}"#;
    let (event, session) = (event("say"), session(None));
    let made = Outgoing::new(&event, frame, (&rule, Receivers::Room), &session, 7).unwrap();
    assert!(made.answer(Some(1), Receivers::Room, None).is_none());
    let post: Value = serde_json::from_str(&made.post).unwrap();
    assert_eq!(post["text"], frame);
}

proptest! {
    #[test]
    fn no_frame_makes_it_panic_and_every_post_is_json(frame in any::<String>(), text in any::<String>()) {
        let (event, session, rule) = (event("say"), session(None), rule());
        let frames = [frame, json!({"message": text, "ref": text, "attributes": {&text: text}}).to_string()];
        for frame in frames {
            if let Ok(made) = Outgoing::new(&event, &frame, (&rule, Receivers::Room), &session, 7) {
                let post: Value = serde_json::from_str(&made.post).unwrap();
                prop_assert_eq!(&post["type"], "message");
            }
        }
    }
}
