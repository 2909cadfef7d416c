//! Parsing of API Gateway's events.

use chat_lambdas::event::SocketEvent;
use chat_lambdas::session::{ConnectionId, InvalidSession, Names, Room, Session};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn names_come_from_headers_of_any_case() {
    for (from, to) in [("msgfrom", "msgto"), ("MsgFrom", "MSGTO")] {
        let event = parsed(json!({"headers": {"Host": "h", from: "Tom", to: "Jerry"}}));
        assert_eq!(
            event.claimed_session(Names::Required),
            Ok(session("Tom", "Jerry"))
        );
    }
}

#[test]
fn names_come_from_the_query_string_where_there_is_no_header() {
    let event = parsed(json!({
        "headers": {"Host": "h", "msgto": "Jerry"},
        "queryStringParameters": {"msgfrom": "Tom", "msgto": "Spike"},
    }));
    assert_eq!(
        event.claimed_session(Names::Required),
        Ok(session("Tom", "Jerry"))
    );
}

#[test]
fn an_empty_header_is_not_replaced_by_the_query_string() {
    let event = parsed(json!({
        "headers": {"msgfrom": "", "msgto": "Jerry"},
        "queryStringParameters": {"msgfrom": "Tom"},
    }));
    assert!(matches!(
        event.claimed_session(Names::Required),
        Err(InvalidSession::Name {
            field: "msgfrom",
            ..
        })
    ));
}

#[test]
fn absent_and_null_fields_are_the_same() {
    let null = json!({
        "headers": null, "queryStringParameters": null, "body": null, "stageVariables": null,
        "requestContext": {"eventType": "MESSAGE", "connectionId": "c", "messageId": null,
            "authorizer": null, "routeKey": null},
    });
    let absent = json!({"requestContext": {"eventType": "MESSAGE", "connectionId": "c"}});
    for event in [parsed(null), parsed(absent)] {
        assert_eq!(event.message(), Ok((ConnectionId::new("c"), "")));
        assert_eq!(event.proven_session(Names::Required), Ok(None));
        assert_eq!(
            event.claimed_session(Names::Required),
            Err(InvalidSession::Missing { field: "msgfrom" })
        );
    }
}

#[test]
fn an_authorizer_context_proves_a_session_only_with_both_names() {
    let proven = |context: Value| {
        parsed(json!({"requestContext": {"authorizer": context}})).proven_session(Names::Required)
    };
    assert_eq!(
        proven(json!({"principalId": "Tom", "name": "Tom", "friend": "Jerry"})),
        Ok(Some(session("Tom", "Jerry")))
    );
    assert_eq!(proven(json!({"principalId": "somebody else's"})), Ok(None));
    assert_eq!(
        proven(json!({"name": "Tom"})),
        Err(InvalidSession::Missing {
            field: "authorizer.friend"
        })
    );
    assert!(proven(json!({"name": "Tom", "friend": "#"})).is_err());
}

#[test]
fn a_room_is_claimed_and_proven_beside_the_names() {
    let claimed = |event| parsed(event).claimed_session(Names::Optional);
    let kitchen = Session {
        room: Room::parse("kitchen").unwrap(),
        ..Session::default()
    };
    assert_eq!(claimed(json!({})), Ok(Session::default()));
    assert_eq!(
        claimed(json!({"headers": {"MsgRoom": "kitchen"}})),
        Ok(kitchen.clone())
    );
    assert_eq!(
        claimed(json!({"queryStringParameters": {"msgroom": "kitchen"}})),
        Ok(kitchen.clone())
    );
    assert!(claimed(json!({"headers": {"msgroom": "a#b"}})).is_err());
    assert!(claimed(json!({"headers": {"msgto": ""}})).is_err());

    let proven = |context: Value| {
        parsed(json!({"requestContext": {"authorizer": context}})).proven_session(Names::Optional)
    };
    assert_eq!(proven(json!({"room": "kitchen"})), Ok(Some(kitchen)));
    assert_eq!(
        proven(json!({"room": "everybody"})),
        Ok(Some(Session::default()))
    );
    assert_eq!(proven(json!({"principalId": "#anonymous"})), Ok(None));
}

#[test]
fn a_body_is_read_unchanged() {
    let body = " {\"action\": \"$connect\"}\n\u{1F600} ";
    let event = parsed(json!({
        "requestContext": {"eventType": "MESSAGE", "routeKey": "$default", "connectionId": "c"},
        "body": body, "isBase64Encoded": false,
    }));
    assert_eq!(event.message().unwrap().1, body);
}

#[test]
fn each_kind_of_event_is_recognised_by_its_type() {
    let kinds = [
        ("CONNECT", "$connect"),
        ("MESSAGE", "$default"),
        ("MESSAGE", "sendMessage"),
        ("DISCONNECT", "$disconnect"),
        // No such kind exists, so no method accepts it.
        ("MESSAGE", "$connect"),
        ("MESSAGE", "$disconnect"),
        ("CONNECT", "$default"),
        ("DISCONNECT", "$connect"),
    ];
    let accepted = kinds.map(|(kind, route)| {
        let event = parsed(json!({
            "requestContext": {"eventType": kind, "routeKey": route, "connectionId": "c"}
        }));
        assert!(event.authorizing().is_err());
        [
            event.connecting().is_ok(),
            event.message().is_ok(),
            event.disconnecting().is_ok(),
        ]
    });
    let none = [false; 3];
    assert_eq!(
        accepted,
        [
            [true, false, false],
            [false, true, false],
            [false, true, false],
            [false, false, true],
            none,
            none,
            none,
            none,
        ]
    );
}

#[test]
fn an_authorizer_event_is_recognised_by_its_type() {
    let mut event = json!({
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:eu-west-1:000000000000:a1/v1/$connect",
        "requestContext": {"eventType": "CONNECT", "routeKey": "$connect", "connectionId": "c"},
    });
    assert!(
        parsed(event.clone())
            .authorizing()
            .unwrap()
            .ends_with("/v1/$connect")
    );
    event["type"] = json!("TOKEN");
    assert!(parsed(event).authorizing().is_err());
}

#[test]
fn an_unexpected_event_is_described_briefly() {
    let error = parsed(json!({
        "requestContext": {"eventType": format!("MESS\n{}", "x".repeat(1000)), "connectionId": ""}
    }))
    .connecting()
    .unwrap_err()
    .to_string();
    assert!(
        error.starts_with(r#"expected a CONNECT event, got event type "MESS\nxxx"#),
        "{error}"
    );
    assert!(error.len() < 200, "{error}");
}

proptest! {
    #[test]
    fn no_json_makes_the_reader_panic(event in anything()) {
        if let Ok(event) = serde_json::from_value::<SocketEvent>(event) {
            let kinds = [
                event.authorizing().is_ok(),
                event.connecting().is_ok(),
                event.message().is_ok(),
                event.disconnecting().is_ok(),
            ];
            prop_assert!(kinds[1..].iter().filter(|kind| **kind).count() <= 1);
            if let Ok(session) = event.claimed_session(Names::Required) {
                prop_assert!(session.name.is_some());
            }
            if let Ok(Some(session)) = event.proven_session(Names::Required) {
                prop_assert!(session.friend.is_some());
            }
        }
    }

    #[test]
    fn a_valid_name_survives_an_event(
        name in "[A-Za-z0-9._@+'-]{1,64}", friend in "[A-Za-z0-9]( [a-z]{1,20}){0,3}"
    ) {
        let claimed = parsed(json!({"headers": {"msgfrom": name, "msgto": friend}})).claimed_session(Names::Required);
        let proven = parsed(json!({"requestContext": {"authorizer": {"name": name, "friend": friend}}}))
            .proven_session(Names::Required);
        prop_assert_eq!(claimed.unwrap(), session(&name, &friend));
        prop_assert_eq!(proven.unwrap().unwrap(), session(&name, &friend));
    }
}

/// Any JSON, in which the relevant fields are more frequent than by chance.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(
            &[
                "CONNECT",
                "MESSAGE",
                "DISCONNECT",
                "REQUEST",
                "$connect",
                "Tom"
            ][..]
        )
        .prop_map(Value::from),
    ];
    let key = prop_oneof![
        any::<String>(),
        prop::sample::select(
            &[
                "requestContext",
                "headers",
                "queryStringParameters",
                "body",
                "type",
                "methodArn",
                "eventType",
                "routeKey",
                "connectionId",
                "authorizer",
                "name",
                "friend",
                "msgfrom",
                "msgto",
                "msgroom",
                "room",
            ][..]
        )
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn parsed(event: Value) -> SocketEvent {
    serde_json::from_value(event).expect("an event of the documented shape")
}

fn session(name: &str, friend: &str) -> Session {
    let (name, friend) = (("name", Some(name)), ("friend", Some(friend)));
    Session::parse(name, friend, ("room", None), Names::Required).expect("two valid names")
}
