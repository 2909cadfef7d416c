use aws_config::SdkConfig;
use expect_test::expect_file;

use super::operations::{OPERATIONS, Protocol, config, outcome};
use crate::aws::stub::Fields;
use crate::engine::{ErrorKind, causes};

const TYPED: Fields = &[(
    "x-amzn-errortype",
    "AccessDeniedException:http://internal.amazon.com/coral/com.amazon.coral.service/",
)];
const HTML: Fields = &[("content-type", "text/html")];

/// Responses of AWS, and of what is between it and here.
const JSON: [(&str, u16, Fields, &str); 25] = [
    (
        "denied",
        400,
        &[],
        r#"{"__type":"AccessDeniedException","Message":"User: u is not authorized to perform: a:B on resource: *"}"#,
    ),
    (
        "denied, with a namespace",
        400,
        &[],
        r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}"#,
    ),
    ("denied, by the header", 403, TYPED, r#"{"message":"no"}"#),
    (
        "denied, by the code",
        403,
        &[],
        r#"{"code":"AccessDeniedException","message":"no","__type":"x"}"#,
    ),
    (
        "denied, without a code",
        403,
        &[],
        r#"{"message":"Forbidden"}"#,
    ),
    ("denied, empty", 403, &[], ""),
    ("denied, cut", 403, &[], r#"{"__type":"AccessDeniedExc"#),
    (
        "gone",
        404,
        &[],
        r#"{"__type":"ResourceNotFoundException","message":"no"}"#,
    ),
    (
        "gone, another code",
        404,
        &[],
        r#"{"code":"NotFoundException","message":"no"}"#,
    ),
    (
        "gone, without a code",
        404,
        &[],
        r#"{"message":"Not Found"}"#,
    ),
    ("ended", 410, &[], ""),
    (
        "expired",
        400,
        &[],
        r#"{"__type":"ExpiredTokenException","message":"expired"}"#,
    ),
    (
        "unknown key",
        403,
        &[],
        r#"{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}"#,
    ),
    (
        "throttled",
        400,
        &[],
        r#"{"__type":"com.amazonaws#ThrottlingException","message":"Rate exceeded"}"#,
    ),
    (
        "throttled, by its status",
        429,
        &[],
        r#"{"code":"TooManyRequestsException","message":"slow"}"#,
    ),
    ("throttled, empty", 429, &[], ""),
    (
        "unmodelled",
        400,
        &[],
        r#"{"__type":"SomethingNew","message":"new"}"#,
    ),
    (
        "internal",
        500,
        &[],
        r#"{"__type":"InternalFailure","message":"oops"}"#,
    ),
    ("internal, a page", 500, HTML, "<html>oops</html>"),
    ("unavailable, empty", 503, &[], ""),
    ("a page", 200, HTML, "<html>Log in</html>"),
    ("a page that refuses", 403, HTML, "<html>No</html>"),
    ("empty", 200, &[], ""),
    ("cut", 200, &[], r#"{"a":[{"b""#),
    ("another format", 200, &[], "<a/>"),
];

const XML: [(&str, u16, Fields, &str); 16] = [
    (
        "denied",
        403,
        &[],
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: u is not authorized to perform: a:B on resource: *</Message></Error><RequestId>1</RequestId></ErrorResponse>",
    ),
    ("denied, empty", 403, &[], ""),
    (
        "denied, cut",
        403,
        &[],
        "<ErrorResponse><Error><Code>AccessDen",
    ),
    ("gone, without a code", 404, &[], "<ErrorResponse/>"),
    (
        "expired",
        403,
        &[],
        "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>expired</Message></Error></ErrorResponse>",
    ),
    (
        "unknown key",
        403,
        &[],
        "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>",
    ),
    (
        "throttled",
        400,
        &[],
        "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>",
    ),
    (
        "unmodelled",
        400,
        &[],
        "<ErrorResponse><Error><Code>SomethingNew</Code><Message>new &amp; odd</Message></Error></ErrorResponse>",
    ),
    (
        "internal",
        500,
        &[],
        "<ErrorResponse><Error><Code>InternalFailure</Code></Error></ErrorResponse>",
    ),
    ("internal, a page", 500, HTML, "<html>oops</html>"),
    ("unavailable, empty", 503, &[], ""),
    ("a page", 200, HTML, "<html>Log in</html>"),
    ("a page that refuses", 403, HTML, "<html>No</html>"),
    ("empty", 200, &[], ""),
    (
        "cut",
        200,
        &[],
        "<ListHostedZonesByNameResponse><HostedZones><Host",
    ),
    ("another format", 200, &[], "{}"),
];

/// What is made of each response to `operation`: the attempts, then the kind, the words and the hint of the error.
async fn table(
    config: &SdkConfig,
    operation: &str,
    responses: &[(&str, u16, Fields, &str)],
) -> String {
    let mut lines = format!("== {operation}\n");
    for (name, status, fields, body) in responses {
        let answers = vec![(*status, (*body).to_owned())];
        let (outcome, stub) = outcome(config, operation, 3, fields, answers).await;
        let shown = match outcome {
            Ok(shown) => format!("Ok {shown}"),
            Err(error) => {
                let words: Vec<_> = causes(&error).map(ToString::to_string).collect();
                let hint = error.hint.as_deref().unwrap_or("-");
                let hint: String = hint.chars().take(60).collect();
                format!("{:?} | {} | {hint}", error.kind, words.join(": "))
            }
        };
        let shown = shown.replace(stub.url(), "http://stub");
        lines += &format!(
            "{name} ({status}), {} attempts: {shown}\n",
            stub.asked().len()
        );
    }
    lines
}

#[tokio::test]
async fn every_response_is_understood_as_the_generated_client_understood_it() {
    let config = config().await;
    let mut all = String::new();
    for (operation, protocol) in OPERATIONS
        .into_iter()
        .filter(|(it, _)| *it != "GetMetricData")
    {
        all += &match protocol {
            Protocol::Json | Protocol::Rest => table(&config, operation, &JSON).await,
            Protocol::Xml => table(&config, operation, &XML).await,
        };
    }
    expect_file!["../recorded/refusals.txt"].assert_eq(&all);
}

/// The generated client of CloudWatch spoke another protocol, so its refusals are those of other services in JSON.
#[tokio::test]
async fn refusals_of_cloudwatch_are_understood_as_those_of_dynamodb() {
    let config = config().await;
    let table_s = table(&config, "Query", &JSON).await;
    let expected = table_s
        .replace("== Query", "== GetMetricData")
        .replace(
            "find connections in table chat-Table-1",
            "read the metrics of the stack",
        )
        .replace("dynamodb:Query", "cloudwatch:GetMetricData");
    assert_eq!(table(&config, "GetMetricData", &JSON).await, expected);
    // It once had the query protocol, and a code there.
    let fields: Fields = &[("x-amzn-query-error", "Throttling;Sender")];
    let answers = vec![(
        400,
        r#"{"__type":"SomethingNew","message":"slow"}"#.to_owned(),
    )];
    let (outcome, stub) = outcome(&config, "GetMetricData", 2, fields, answers).await;
    let error = outcome.unwrap_err();
    assert_eq!(
        (error.kind, stub.asked().len()),
        (ErrorKind::Unreachable, 2)
    );
}
