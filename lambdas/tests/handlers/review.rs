//! Reviews: each verdict, each way to give none, and both fallbacks.

use std::collections::HashMap;

use chat_lambdas::handlers;
use chat_lambdas::memory::{MemoryReviewers, Review};
use chat_lambdas::review::{Fallback, NOT_REVIEWED, ReviewError, Reviewed, Reviewer};
use chat_lambdas::routes::Routes;
use chat_lambdas::session::ConnectionId;
use serde_json::{Value, json};

use crate::gateway;
use crate::scene::{Scene, json_of};

/// Every route takes texts of up to 40 bytes and delivers envelopes; in the room, the sender gets a copy.
const ROUTES: &str = r#"{"say":{"text":"message","includeSender":true,"maxTextBytes":40,"envelope":true},"whisper":{"text":"message","maxTextBytes":40,"envelope":true},"free":{"text":"message","envelope":true},"bare":{"text":"message"}}"#;

/// What becomes of one message.
#[derive(Debug)]
struct Outcome {
    status: Value,
    /// What the other one received, without its id and time.
    received: Vec<Value>,
    /// What the sender received.
    reported: Vec<Value>,
    logged: String,
    /// What the function was asked.
    asked: Vec<(String, Value)>,
}

/// Sends `frame` on `route` to a room or a friend, with `review` as the function.
async fn said(route: &str, frame: &Value, review: Option<Review>, fallback: Fallback) -> Outcome {
    let scene = Scene::new();
    let reviewers = MemoryReviewers::default();
    if let Some(review) = review {
        reviewers.answer_with(review);
    }
    let reviewer = |function: &str| Reviewer {
        function: function.to_owned(),
        fallback,
        timeout_ms: 2_000,
    };
    let by_key = HashMap::from([
        ("say".to_owned(), reviewer("filter")),
        ("whisper".to_owned(), reviewer("filter")),
        ("bare".to_owned(), reviewer("filter")),
    ]);
    let rules = Reviewed::new(Routes::parse(ROUTES).unwrap(), by_key, &reviewers);
    let (tom, jerry) = (ConnectionId::new("t"), scene.present("hall", "j").await);
    scene.online("Jerry", "j").await;
    scene.delivery.open(&tom);
    let mut context = gateway::context("Tom", "Jerry");
    context["room"] = json!("hall");
    context["exp"] = json!("1900000000");
    context["can"] = json!(r#"["send","shout"]"#);
    context["claims"] = json!(r#"{"sub":"Tom","level":3}"#);
    let event = gateway::routed(route, "t", &frame.to_string(), Some(&context));
    let invocation = scene.invocation();
    let answer = match route {
        "say" => {
            let (services, dispatch) = (scene.services(), &scene.dispatch);
            handlers::broadcast(&event, services, dispatch, &rules, &invocation).await
        }
        _ => handlers::direct(&event, &scene.store, &scene.delivery, &rules, &invocation).await,
    };
    let frames = |connection: &ConnectionId| -> Vec<Value> {
        let frames = std::iter::from_fn(|| scene.delivery.take(connection));
        frames
            .map(|frame| {
                let mut frame: Value = serde_json::from_str(&frame).unwrap();
                for varying in ["id", "at"] {
                    frame.as_object_mut().unwrap().remove(varying);
                }
                frame
            })
            .collect()
    };
    Outcome {
        status: json_of(&answer.unwrap())["statusCode"].clone(),
        received: frames(&jerry),
        reported: frames(&tom),
        logged: scene.logged(),
        asked: reviewers
            .take()
            .into_iter()
            .map(|(function, question)| (function, serde_json::from_slice(&question).unwrap()))
            .collect(),
    }
}

fn frame() -> Value {
    json!({"message": "spam 7391", "ref": "r1", "attributes": {"color": "red"}})
}

fn message(route: &str, text: &str, attributes: Value) -> Value {
    let mut message = json!({"type": "message", "route": route, "from": "Tom", "text": text});
    match route {
        "say" => message["room"] = json!("hall"),
        _ => message["to"] = json!("Jerry"),
    }
    if attributes != json!({}) {
        message["attributes"] = attributes;
    }
    message
}

fn receipt(is_changed: bool) -> Value {
    let mut receipt = json!({"type": "sent", "ref": "r1", "delivered": 1, "stored": false});
    if is_changed {
        receipt["changed"] = json!(true);
    }
    receipt
}

fn refusal(route: &str, reason: &str) -> Value {
    json!({"error": "Refused", "message": reason, "route": route, "ref": "r1"})
}

fn verdict(json: &str) -> Result<Vec<u8>, ReviewError> {
    Ok(json.as_bytes().to_vec())
}

#[tokio::test]
async fn an_allowed_message_arrives_as_it_was_sent() {
    for route in ["say", "whisper"] {
        let allow: Review = |_| verdict(r#"{"verdict":"allow"}"#);
        let outcome = said(route, &frame(), Some(allow), Fallback::Refuse).await;
        let sent = message(route, "spam 7391", json!({"color": "red"}));
        assert_eq!(outcome.status, 200);
        assert_eq!(outcome.received, [sent]);
        assert_eq!(outcome.reported.last(), Some(&receipt(false)));
    }
}

#[tokio::test]
async fn the_function_is_asked_once_and_sees_what_would_be_delivered_and_its_sender() {
    for route in ["say", "whisper"] {
        let allow: Review = |_| verdict(r#"{"verdict":"allow"}"#);
        let outcome = said(route, &frame(), Some(allow), Fallback::Refuse).await;
        let [(function, question)] = &outcome.asked[..] else {
            panic!("{:?}", outcome.asked);
        };
        assert_eq!(function, "filter");
        let mut asked = question["message"].clone();
        for member in ["id", "at"] {
            let varying = asked.as_object_mut().unwrap().remove(member);
            assert!(varying.unwrap().as_str().unwrap().len() > 20);
        }
        let mut expected = message(route, "spam 7391", json!({"color": "red"}));
        expected.as_object_mut().unwrap().remove("type");
        assert_eq!(asked, expected);
        let sender = json!({"connectionId": "t", "can": ["send", "shout"], "claims": {"sub": "Tom", "level": 3}});
        assert_eq!(question["sender"], sender);
    }
}

#[tokio::test]
async fn a_changed_message_arrives_changed_at_all_receivers_and_the_receipt_says_so() {
    for (answer, text, attributes) in [
        (
            (|_| verdict(r#"{"verdict":"change","text":"spam ****"}"#)) as Review,
            "spam ****",
            json!({"color": "red"}),
        ),
        (
            |_| verdict(r#"{"verdict":"change","attributes":{}}"#),
            "spam 7391",
            json!({}),
        ),
        (
            |_| verdict(r#"{"verdict":"change","text":"","attributes":{"flag":"x"}}"#),
            "",
            json!({"flag": "x"}),
        ),
    ] {
        for route in ["say", "whisper"] {
            let outcome = said(route, &frame(), Some(answer), Fallback::Refuse).await;
            let changed = message(route, text, attributes.clone());
            assert_eq!(outcome.received, std::slice::from_ref(&changed));
            let mut reported = outcome.reported;
            assert_eq!(reported.pop(), Some(receipt(true)));
            // The sender's own copy.
            let copies = if route == "say" {
                vec![changed]
            } else {
                vec![]
            };
            assert_eq!(reported, copies);
        }
    }
    // A change that changes nothing is none.
    let same: Review = |_| verdict(r#"{"verdict":"change","text":"spam 7391"}"#);
    let outcome = said("say", &frame(), Some(same), Fallback::Refuse).await;
    assert_eq!(outcome.reported.last(), Some(&receipt(false)));
}

#[tokio::test]
async fn a_refused_message_reaches_its_sender_alone_with_the_reason() {
    for route in ["say", "whisper"] {
        for fallback in [Fallback::Allow, Fallback::Refuse] {
            let no: Review = |_| verdict(r#"{"verdict":"refuse","reason":"no \"spam\", please"}"#);
            let outcome = said(route, &frame(), Some(no), fallback).await;
            assert_eq!(outcome.status, 400);
            assert_eq!(outcome.received, [json!(null); 0]);
            assert_eq!(outcome.reported, [refusal(route, "no \"spam\", please")]);
            assert!(!outcome.logged.contains("please"), "{}", outcome.logged);
        }
    }
}

#[tokio::test]
async fn a_refusal_counts_with_any_reason() {
    let nothing: Review = |_| verdict(r#"{"verdict":"refuse","reason":" "}"#);
    let outcome = said("say", &frame(), Some(nothing), Fallback::Allow).await;
    let words = outcome.reported[0]["message"].as_str().unwrap();
    assert_eq!(words, "Refused by the chat's review");
    let long: Review = |_| {
        let reason = "\u{e9}".repeat(1_000);
        Ok(json!({"verdict": "refuse", "reason": reason})
            .to_string()
            .into_bytes())
    };
    let outcome = said("say", &frame(), Some(long), Fallback::Allow).await;
    let words = outcome.reported[0]["message"].as_str().unwrap();
    assert_eq!(words, "\u{e9}".repeat(512));
    assert_eq!(outcome.received, [json!(null); 0]);
}

/// Every way to give no usable verdict, and words of its log line.
fn failures() -> Vec<(Option<Review>, &'static str)> {
    vec![
        (None, "did not answer within 2s"),
        (
            Some(|_| {
                Err(ReviewError::Failed {
                    kind: "HandlerError".to_owned(),
                })
            }),
            "failed with HandlerError",
        ),
        (
            Some(|_| {
                Err(ReviewError::NotInvoked {
                    source: "429".into(),
                })
            }),
            "was not invoked: 429",
        ),
        (Some(|_| verdict("")), "is no verdict"),
        (Some(|_| verdict("null")), "is no verdict"),
        (Some(|_| verdict("spam 7391")), "is no verdict"),
        (Some(|_| verdict(r#"{"statusCode":200}"#)), "is no verdict"),
        (
            Some(|_| verdict(r#"{"verdict":"change"}"#)),
            "is no verdict",
        ),
        (Some(|_| Ok(vec![0xff, 0xfe])), "is no verdict"),
        (
            Some(|_| {
                let text = "x".repeat(41);
                Ok(json!({"verdict": "change", "text": text})
                    .to_string()
                    .into_bytes())
            }),
            "longer than the route allows",
        ),
        (
            Some(|_| {
                let attributes = json!({"a": "x".repeat(4_096)});
                Ok(json!({"verdict": "change", "attributes": attributes})
                    .to_string()
                    .into_bytes())
            }),
            "4096 bytes",
        ),
        (
            Some(|_| {
                let many = (0..17).map(|number| (number.to_string(), json!("x")));
                let many: serde_json::Map<_, _> = many.collect();
                Ok(json!({"verdict": "change", "attributes": many})
                    .to_string()
                    .into_bytes())
            }),
            "16 attributes",
        ),
        (Some(|_| Ok(vec![b' '; 1_048_577])), "more than 1 MB"),
    ]
}

#[tokio::test(start_paused = true)]
async fn without_a_usable_verdict_the_fallback_decides_and_the_log_has_the_reason() {
    for (review, reason) in failures() {
        for route in ["say", "whisper"] {
            let outcome = said(route, &frame(), review, Fallback::Refuse).await;
            assert_eq!(outcome.status, 400, "{reason}");
            assert_eq!(outcome.received, [json!(null); 0], "{reason}");
            assert_eq!(outcome.reported, [refusal(route, NOT_REVIEWED)], "{reason}");
            assert!(outcome.logged.contains(reason), "{}", outcome.logged);

            let outcome = said(route, &frame(), review, Fallback::Allow).await;
            assert_eq!(outcome.status, 200, "{reason}");
            let sent = message(route, "spam 7391", json!({"color": "red"}));
            assert_eq!(outcome.received, [sent], "{reason}");
            assert_eq!(outcome.reported.last(), Some(&receipt(false)), "{reason}");
            assert!(outcome.logged.contains(reason), "{}", outcome.logged);
            assert!(!outcome.logged.contains("7391"), "{}", outcome.logged);
        }
    }
}

#[tokio::test]
async fn a_route_without_a_review_and_a_frame_that_breaks_a_rule_ask_no_function() {
    let no: Review = |_| verdict(r#"{"verdict":"refuse","reason":"no"}"#);
    let outcome = said("free", &frame(), Some(no), Fallback::Refuse).await;
    assert_eq!((outcome.received.len(), outcome.asked.len()), (1, 0));
    let outcome = said("say", &json!({"massage": "x"}), Some(no), Fallback::Refuse).await;
    assert_eq!((outcome.status, outcome.asked.len()), (json!(400), 0));
    assert_eq!(outcome.reported[0]["error"], "MissingText");
}

/// No config leads there. A function whose variables contradict one another must not let messages pass.
#[tokio::test]
async fn a_message_without_an_envelope_passes_no_review() {
    let yes: Review = |_| verdict(r#"{"verdict":"allow"}"#);
    let outcome = said("bare", &frame(), Some(yes), Fallback::Refuse).await;
    assert_eq!((outcome.received.len(), outcome.asked.len()), (0, 0));
    assert_eq!(outcome.reported[0]["message"], NOT_REVIEWED);
    assert!(
        outcome.logged.contains("no envelopes"),
        "{}",
        outcome.logged
    );
}

/// What a verdict has beside its own members, or in another spelling, changes nothing of a message.
#[tokio::test]
async fn a_verdict_changes_text_and_attributes_and_nothing_else() {
    let forged: Review = |_| {
        verdict(
            r#"{"verdict":"change","text":"t","from":"Mallory","id":"x","room":"attic","to":"Cy","message":{"from":"Mallory"}}"#,
        )
    };
    for route in ["say", "whisper"] {
        let outcome = said(route, &frame(), Some(forged), Fallback::Refuse).await;
        let expected = message(route, "t", json!({"color": "red"}));
        assert_eq!(outcome.received, [expected], "{route}");
    }
    let twice: Review = |_| verdict(r#"{"verdict":"allow","verdict":"refuse","reason":"x"}"#);
    let outcome = said("say", &frame(), Some(twice), Fallback::Refuse).await;
    assert_eq!(outcome.received.len(), 0);
}
