//! Odd frames: each member of each request in a shape that it does not have, and what only some readers of JSON take.

use chat_lambdas::event::SocketEvent;
use chat_lambdas::handlers;
use serde_json::{Value, json};

use crate::gateway;
use crate::kept::{CLAIMED, context, id};
use crate::scene::Scene;

/// What Ann, on connection `q`, gets for `frame`, letter by letter, on the route `route`.
async fn reported(scene: &Scene, route: &str, frame: &str) -> Value {
    scene.delivery.open(&id("q"));
    let moment = scene.now * 1_000;
    let context = context("Ann", "Bob");
    let event: SocketEvent = gateway::routed_at(moment, route, "q", frame, Some(&context));
    let (services, invocation) = (scene.services(), scene.invocation());
    let index = CLAIMED.index;
    let answer = match route {
        "history" => handlers::history(&event, services, (CLAIMED, 3_600), &invocation).await,
        "delete" => handlers::delete(&event, services, CLAIMED, &invocation).await,
        "who" => handlers::who(&event, services, &invocation).await,
        "kick" => handlers::kick(&event, services, index, &invocation).await,
        "say" => scene.says_kept(&event).await,
        _ => scene.tells(&event).await,
    };
    answer.unwrap();
    scene.next("q").unwrap_or_default()
}

/// Values of which no member of a request is one.
const ODD: [&str; 9] = [
    "true",
    "7",
    "-1",
    "1e400",
    r#""""#,
    r#""\ud800""#,
    "[]",
    r#"{"$gt":""}"#,
    r#""a#b""#,
];

#[tokio::test]
async fn each_member_of_a_request_is_refused_in_each_shape_that_it_does_not_have() {
    let scene = Scene::new();
    let ulid = r#""01KDVDNA3VZ45Q3VGG66KE622W""#;
    for (route, member, beside) in [
        ("history", "room", ""),
        ("history", "with", ""),
        ("history", "before", ""),
        ("history", "after", ""),
        ("history", "limit", ""),
        (
            "history",
            "exact",
            r#","after":"01KDVDNA3VZ45Q3VGG66KE622W""#,
        ),
        ("delete", "id", ""),
        ("delete", "room", r#","id":"01KDVDNA3VZ45Q3VGG66KE622W""#),
        ("delete", "with", r#","id":"01KDVDNA3VZ45Q3VGG66KE622W""#),
        ("who", "after", ""),
        ("kick", "name", ""),
    ] {
        for odd in ODD {
            let fits = match member {
                "limit" => odd == "7",
                "exact" => odd == "true",
                _ => false,
            };
            let frame = format!(r#"{{"{member}":{odd}{beside},"ref":"r"}}"#);
            let answer = reported(&scene, route, &frame).await;
            let expected = if fits {
                Value::Null
            } else {
                json!("BadMember")
            };
            assert_eq!(answer["error"], expected, "{route} {frame} {answer}");
            assert_eq!(answer["ref"], "r", "{route} {frame}");
        }
    }
    for limit in [
        "0",
        "101",
        "1e9",
        "5.0",
        "5.5",
        "-0.0",
        r#""5""#,
        "18446744073709551617",
    ] {
        let frame = format!(r#"{{"limit":{limit}}}"#);
        let answer = reported(&scene, "history", &frame).await;
        assert_eq!(answer["error"], "BadMember", "{frame}");
    }
    for together in [
        format!(r#""before":{ulid},"after":{ulid}"#),
        format!(r#""before":{ulid},"exact":true"#),
        r#""exact":true"#.to_owned(),
        r#""room":"kitchen","with":"Bob""#.to_owned(),
    ] {
        let answer = reported(&scene, "history", &format!("{{{together}}}")).await;
        assert_eq!(answer["error"], "BadMember", "{together}");
    }
}

#[tokio::test]
async fn an_id_is_a_ulid_and_none_that_its_decoder_would_shorten_to_one() {
    let scene = Scene::new();
    let stored = scene.ann_says("hi").await;
    let id = stored["id"].as_str().unwrap();
    // Two bits more than an id has: the decoder takes `8` for `0`, `9` for `1`, and so on.
    for first in ["8", "G", "R", "Z"] {
        let beyond = format!("{first}{}", &id[1..]);
        for (route, member) in [
            ("delete", "id"),
            ("history", "before"),
            ("history", "after"),
        ] {
            let frame = json!({ member: beyond }).to_string();
            let answer = reported(&scene, route, &frame).await;
            assert_eq!(answer["error"], "BadMember", "{route} {frame}");
        }
    }
    for odd in [
        &id[1..],
        &format!("{id}0"),
        &format!(" {}", &id[1..]),
        &id.replace('0', "O"),
        "IIIIIIIIIIIIIIIIIIIIIIIIII",
        "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
    ] {
        let answer = reported(&scene, "delete", &json!({ "id": odd }).to_string()).await;
        assert_eq!(answer["error"], "BadMember", "{odd}");
    }
    for known in ["00000000000000000000000000", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"] {
        let answer = reported(&scene, "delete", &json!({ "id": known }).to_string()).await;
        assert_eq!(answer["error"], "NotFound", "{known}");
        for member in ["before", "after"] {
            let answer = reported(&scene, "history", &json!({ member: known }).to_string()).await;
            assert_eq!(answer["type"], "history", "{member} {known}");
        }
    }
    // Either case is the same id.
    let lower = json!({"id": id.to_lowercase(), "ref": "r"}).to_string();
    assert_eq!(reported(&scene, "delete", &lower).await["type"], "done");
}

#[tokio::test]
async fn a_request_is_an_object_and_what_is_beside_its_members_is_not_looked_at() {
    let scene = Scene::new();
    scene.ann_says("one").await;
    scene.ann_says("two").await;
    for frame in ["", "hi", "null", "7", "[]", r#"["limit"]"#, "{", r#"{} {}"#] {
        for route in ["history", "delete", "who", "kick"] {
            let answer = reported(&scene, route, frame).await;
            assert_eq!(answer["error"], "BadJson", "{route} {frame}");
        }
    }
    let nested = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for beside in ["1e400", r#""\ud800""#, &nested] {
        let frame = format!(r#"{{"x":{beside},"limit":1,"ref":"r"}}"#);
        let page = reported(&scene, "history", &frame).await;
        assert_eq!(page["entries"].as_array().map(Vec::len), Some(1), "{page}");
        assert_eq!((&page["more"], &page["ref"]), (&json!(true), &json!("r")));
    }
}

#[tokio::test]
async fn a_message_whose_ref_or_attributes_cannot_be_read_is_not_sent_without_them() {
    let scene = Scene::new();
    let nested = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let many: Value = (0..17).map(|it| (it.to_string(), json!(""))).collect();
    for (member, odd) in [
        ("ref", r#""\ud800""#),
        ("ref", "1e400"),
        ("ref", "7"),
        ("ref", "{}"),
        ("ref", &json!("x".repeat(129)).to_string()),
        ("attributes", r#"{"a":"\udc00"}"#),
        ("attributes", r#"{"a":1e400}"#),
        ("attributes", &format!(r#"{{"a":{nested}}}"#)),
        ("attributes", r#"{"a":{"b":"c"}}"#),
        ("attributes", r#"[["a","b"]]"#),
        ("attributes", r#""a""#),
        ("attributes", &many.to_string()),
        ("attributes", &json!({"a": "x".repeat(4_096)}).to_string()),
    ] {
        for route in ["say", "tell"] {
            let frame = format!(r#"{{"message":"hi","{member}":{odd}}}"#);
            let answer = reported(&scene, route, &frame).await;
            assert_eq!(answer["error"], "BadMember", "{route} {frame:.60}");
        }
    }
    let page = reported(&scene, "history", "{}").await;
    assert_eq!(page["entries"], json!([]));
    let odd = r#"{"message":"","ref":"","attributes":{"":"","__proto__":"x"},"x":1e400}"#;
    let receipt = reported(&scene, "say", odd).await;
    assert_eq!(
        (&receipt["type"], &receipt["ref"]),
        (&json!("sent"), &json!(""))
    );
    let page = reported(&scene, "history", "{}").await;
    let attributes = &page["entries"][0]["attributes"];
    assert_eq!(*attributes, json!({"": "", "__proto__": "x"}));
}
