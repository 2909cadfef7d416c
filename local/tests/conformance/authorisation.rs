//! Statements `authorisation`: authorizers, and the permissions of a function's role.

use serde_json::{Value, json};

use crate::puppets::Act;
use crate::setup::{ACCOUNT, API, REGION, Setup};
use crate::world::{World, until};

/// The response of an authorizer that accepts a client.
pub(crate) fn allow(context: &Value) -> Act {
    policy(
        "Allow",
        &format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{API}/v1/$connect"),
        context,
    )
}

fn policy(effect: &str, resource: &str, context: &Value) -> Act {
    let statement =
        json!({ "Action": "execute-api:Invoke", "Effect": effect, "Resource": resource });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
    Act::json(&json!({ "principalId": "tom", "policyDocument": document, "context": context }))
}

async fn guarded(identity_sources: &[&str]) -> World {
    World::start(|setup| setup.chat().authorizer(identity_sources)).await
}

#[tokio::test]
async fn a_permission_for_every_principal_includes_api_gateway() {
    let everybody = |setup: Setup| {
        setup.chat().edit(|stack| {
            for permission in &mut stack.permissions {
                permission.principal = "*".to_owned();
            }
        })
    };
    let world = World::start(everybody).await;
    let _client = world.connect().await;
}

#[tokio::test]
async fn authorisation_1_a_missing_or_empty_identity_source_is_401_without_the_authorizer() {
    let world = guarded(&[
        "route.request.header.Authorization",
        "route.request.querystring.user",
    ])
    .await;
    world.puppets.on("authorize", |_| allow(&json!({})));
    for (target, headers) in [
        ("/v1", ""),
        ("/v1?user=tom", ""),
        ("/v1", "Authorization: x\r\n"),
        ("/v1?user=", "Authorization: x\r\n"),
        ("/v1?user=tom", "Authorization: \r\n"),
    ] {
        let answer = world.upgrade(target, headers).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (401, r#"{"message":"Unauthorized"}"#),
            "{target} {headers}"
        );
    }
    assert_eq!(world.puppets.count("authorize"), 0);
    assert_eq!(
        world
            .upgrade("/v1?user=tom", "authorization: x\r\n")
            .await
            .status,
        101
    );
}

#[tokio::test]
async fn authorisation_2_unauthorized_is_401_deny_is_403_and_anything_else_is_500() {
    let world = guarded(&[]).await;
    world
        .puppets
        .on("authorize", |_| Act::Fail("Error", "Unauthorized"));
    assert_eq!(world.upgrade("/v1", "").await.status, 401);
    world
        .puppets
        .on("authorize", |_| policy("Deny", "*", &json!({})));
    let denied = world.upgrade("/v1", "").await;
    assert_eq!(
        (denied.status, denied.header("x-amzn-ErrorType")),
        (403, Some("AccessDeniedException"))
    );
    world.puppets.on("authorize", |_| {
        policy("Allow", "arn:aws:execute-api:*:*:*/v1/other", &json!({}))
    });
    assert_eq!(world.upgrade("/v1", "").await.status, 403);
    let warnings = || world.warnings().pop().unwrap();
    assert!(
        warnings().contains("neither allows nor denies"),
        "{}",
        warnings()
    );
    world
        .puppets
        .on("authorize", |_| Act::Fail("Error", "a bug"));
    assert_eq!(world.upgrade("/v1", "").await.status, 500);
    assert!(warnings().contains("Error: a bug"), "{}", warnings());
    world.puppets.on("authorize", |_| Act::Exit(1));
    assert_eq!(world.upgrade("/v1", "").await.status, 500);
    for (answer, why) in [
        ("null", "its response is null"),
        ("{}", "no principalId"),
        (r#""Allow""#, "its response is a string"),
        (r#"{"isAuthorized":true}"#, "only HTTP APIs support"),
        (
            r#"{"principalId":"x","policyDocument":{}}"#,
            "policyDocument cannot be used",
        ),
    ] {
        world
            .puppets
            .on("authorize", move |_| Act::Answer(answer.to_owned()));
        assert_eq!(world.upgrade("/v1", "").await.status, 500, "{answer}");
        assert!(warnings().contains(why), "{answer}: {}", warnings());
    }
    world
        .puppets
        .on("authorize", |_| allow(&json!({ "list": ["not", "flat"] })));
    assert_eq!(world.upgrade("/v1", "").await.status, 500);
    assert!(
        warnings().contains("`list` of its context is a list"),
        "{}",
        warnings()
    );
    world
        .puppets
        .on("authorize", |_| allow(&json!({ "big": "x".repeat(9000) })));
    assert_eq!(world.upgrade("/v1", "").await.status, 500);
    assert!(warnings().contains("8192 at most"), "{}", warnings());
    assert_eq!(world.puppets.count("connect"), 0);
}

#[tokio::test]
async fn an_authorizer_that_may_not_be_invoked_is_500() {
    let world = World::start(|setup| {
        let only_routes = format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{API}/v1/*");
        setup.chat().authorizer(&[]).edit(|stack| {
            for permission in &mut stack.permissions {
                permission.source_arn = Some(only_routes.clone());
            }
        })
    })
    .await;
    assert_eq!(world.upgrade("/v1", "").await.status, 500);
    assert!(
        world
            .warnings()
            .iter()
            .any(|warning| warning.contains("/authorizers/auth01")),
        "{:?}",
        world.warnings()
    );
}

#[tokio::test]
async fn authorisation_3_the_authorizer_event_has_the_method_arn_and_the_upgrade_s_headers() {
    let world = guarded(&[]).await;
    world.puppets.on("authorize", |_| allow(&json!({})));
    world.connect_to("/v1", "X-Tag: one\r\n").await;
    let received = world.puppets.event("authorize", 0).await;
    let event = &received.event;
    assert_eq!(event["type"], "REQUEST");
    assert_eq!(
        event["methodArn"],
        format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{API}/v1/$connect")
    );
    assert_eq!(
        received.keys(),
        [
            "headers",
            "methodArn",
            "multiValueHeaders",
            "multiValueQueryStringParameters",
            "queryStringParameters",
            "requestContext",
            "stageVariables",
            "type"
        ]
    );
    for map in [
        "multiValueQueryStringParameters",
        "queryStringParameters",
        "stageVariables",
    ] {
        assert_eq!(event[map], json!({}), "{map}");
    }
    assert_eq!(event["headers"]["Connection"], "Upgrade");
    assert_eq!(event["headers"]["Upgrade"], "websocket");
    assert_eq!(event["headers"]["content-length"], "0");
    assert_eq!(event["headers"]["X-Tag"], "one");
    assert!(received.context().get("authorizer").is_none());
    let connect = world.puppets.event("connect", 0).await;
    assert_eq!(
        connect.context()["connectionId"],
        received.context()["connectionId"]
    );
}

#[tokio::test]
async fn authorisation_4_context_values_arrive_as_strings_in_all_events() {
    let world = guarded(&[]).await;
    world.puppets.on("authorize", |_| {
        allow(&json!({ "room": "green", "level": 1, "admin": true }))
    });
    let mut client = world.connect().await;
    client.send("x").await;
    client.close(None).await;
    let expected = json!({ "principalId": "tom", "room": "green", "level": "1", "admin": "true" });
    for function in ["connect", "default", "disconnect"] {
        assert_eq!(
            world.puppets.event(function, 0).await.context()["authorizer"],
            expected,
            "{function}"
        );
    }
}

#[tokio::test]
async fn authorisation_5_a_rest_style_resource_does_not_allow_connect() {
    let world = guarded(&[]).await;
    let rest = format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{API}/v1/*/*");
    world
        .puppets
        .on("authorize", move |_| policy("Allow", &rest, &json!({})));
    assert_eq!(world.upgrade("/v1", "").await.status, 403);
    let all = format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{API}/v1/*");
    world
        .puppets
        .on("authorize", move |_| policy("Allow", &all, &json!({})));
    assert_eq!(world.upgrade("/v1", "").await.status, 101);
}

#[tokio::test]
async fn a_role_without_manage_connections_is_refused_with_aws_s_message() {
    let statement = json!([{
        "Effect": "Allow",
        "Action": "execute-api:ManageConnections",
        "Resource": format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{API}/v1/POST/@connections/*"),
    }]);
    let world = World::start(|setup| setup.chat().policy(&statement)).await;
    let mut client = world.connect().await;
    let path = format!("/v1/@connections/{}", world.connection_id(0).await);
    let key = world.puppets.variables()[0]["AWS_ACCESS_KEY_ID"].clone();
    assert_eq!(
        world.manage(&key, "POST", &path, b"allowed").await.status,
        200
    );
    assert_eq!(client.receive().await, "allowed");
    for method in ["GET", "DELETE"] {
        let answer = world.manage(&key, method, &path, b"").await;
        assert_eq!(
            (answer.status, answer.header("x-amzn-ErrorType")),
            (403, Some("AccessDeniedException"))
        );
        let message = format!(
            "User: arn:aws:sts::{ACCOUNT}:assumed-role/chat-role/connect is not authorized to perform: \
             execute-api:ManageConnections on resource: \
             arn:aws:execute-api:{REGION}:********9012:{API}/v1/{method}/@connections/{{connectionId}}"
        );
        assert_eq!(answer.body, json!({ "Message": message }).to_string());
    }
    // The operator signs with a key of their own.
    assert_eq!(
        world.manage("AKIAOPERATOR", "GET", &path, b"").await.status,
        200
    );
    client.send("still open").await;
    until(async || (world.puppets.count("default") == 1).then_some(())).await;
}

#[tokio::test]
async fn conditions_can_use_the_global_condition_keys() {
    let (statement, resource) = (
        |condition: serde_json::Value| {
            json!([{
                "Effect": "Allow",
                "Action": "execute-api:ManageConnections",
                "Resource": "*",
                "Condition": condition,
            }])
        },
        format!("arn:aws:iam::{ACCOUNT}:role/chat-role"),
    );
    for (condition, status) in [
        (json!({ "Bool": { "aws:SecureTransport": "true" } }), 200),
        (
            json!({ "StringEquals": { "aws:RequestedRegion": REGION } }),
            200,
        ),
        (
            json!({ "StringEquals": { "aws:RequestedRegion": "us-west-1" } }),
            403,
        ),
        (
            json!({ "ArnEquals": { "aws:PrincipalArn": resource } }),
            200,
        ),
        (
            json!({ "IpAddress": { "aws:SourceIp": "127.0.0.0/8" } }),
            200,
        ),
        (
            json!({ "NotIpAddress": { "aws:SourceIp": "127.0.0.0/8" } }),
            403,
        ),
        (
            json!({ "DateGreaterThan": { "aws:CurrentTime": "2020-01-01T00:00:00Z" } }),
            200,
        ),
        (json!({ "NumericLessThan": { "aws:EpochTime": 5 } }), 403),
        (
            json!({ "Null": { "aws:MultiFactorAuthPresent": "true" } }),
            200,
        ),
    ] {
        let world = World::start(|setup| setup.chat().policy(&statement(condition.clone()))).await;
        let _client = world.connect().await;
        let path = format!("/v1/@connections/{}", world.connection_id(0).await);
        let key = world.puppets.variables()[0]["AWS_ACCESS_KEY_ID"].clone();
        let answer = world.manage(&key, "GET", &path, b"").await;
        assert_eq!(answer.status, status, "{condition}");
    }
}

#[tokio::test]
async fn an_authorizers_policy_may_have_conditions() {
    let world = guarded(&[]).await;
    for (block, status) in [("127.0.0.0/8", 101), ("10.0.0.0/8", 403)] {
        world.puppets.on("authorize", move |_| {
            Act::json(&json!({
                "principalId": "tom",
                "policyDocument": { "Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow",
                    "Action": "execute-api:Invoke",
                    "Resource": "*",
                    "Condition": { "IpAddress": { "aws:SourceIp": block } },
                }] },
            }))
        });
        assert_eq!(world.upgrade("/v1", "").await.status, status, "{block}");
    }
}
