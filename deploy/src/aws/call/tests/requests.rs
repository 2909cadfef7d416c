use aws_config::SdkConfig;
use expect_test::expect_file;

use super::operations::{OPERATIONS, config, outcome};

/// A response of success to each operation, with a second page where there may be one.
fn answers(operation: &str) -> Vec<(u16, String)> {
    let pages = |first: &str, last: &str| vec![(200, first.to_owned()), (200, last.to_owned())];
    match operation {
        "ListCertificates" => pages(
            r#"{"CertificateSummaryList":[],"NextToken":"more"}"#,
            r#"{"CertificateSummaryList":[]}"#,
        ),
        "FilterLogEvents" => pages(r#"{"events":[],"nextToken":"more"}"#, r#"{"events":[]}"#),
        "GetMetricData" => pages(
            r#"{"MetricDataResults":[],"NextToken":"more"}"#,
            r#"{"MetricDataResults":[]}"#,
        ),
        "ListHostedZonesByName" => vec![(
            200,
            "<ListHostedZonesByNameResponse><HostedZones/><IsTruncated>false</IsTruncated>\
             <MaxItems>100</MaxItems></ListHostedZonesByNameResponse>"
                .to_owned(),
        )],
        "DeleteConnection" => vec![(204, String::new())],
        "PostToConnection" => vec![(200, String::new())],
        _ => vec![(200, "{}".to_owned())],
    }
}

/// Headers that every request has, or whose values differ from one to the next.
const OTHERS: [&str; 9] = [
    "host",
    "authorization",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "user-agent",
    "x-amz-user-agent",
    "x-amz-date",
    "connection",
    "content-length",
];

/// One request as lines: method and path, headers, what the signature covers, and the body. JSON is in one spelling.
async fn recorded(config: &SdkConfig, operation: &str) -> String {
    let (outcome, stub) = outcome(config, operation, 1, &[], answers(operation)).await;
    let shown = outcome.unwrap_or_else(|error| panic!("{operation}: {error:?}"));
    let mut lines = format!("== {operation}\n-> {shown}\n");
    for (asked, headers) in stub.asked().iter().zip(stub.headers()) {
        let mut parts = asked.splitn(3, ' ');
        let (method, uri) = (parts.next().unwrap(), parts.next().unwrap());
        lines += &format!("{method} {uri}\n");
        let mut named: Vec<_> = headers
            .iter()
            .filter(|(name, _)| !OTHERS.contains(&name.as_str()))
            .map(|(name, value)| format!("  {name}: {}\n", value.to_str().unwrap()))
            .collect();
        named.sort();
        lines += &named.concat();
        let authorization = headers["authorization"].to_str().unwrap();
        let covered = authorization.split(", Signature").next().unwrap();
        // The day of the signature.
        let (key, scope) = covered.split_once("AKIDTEST/").unwrap();
        lines += &format!("  authorization: {key}AKIDTEST/{}\n", &scope[9..]);
        let body = parts.next().unwrap_or_default();
        let body = match serde_json::from_str::<serde_json::Value>(body) {
            Ok(value) => sorted(value).to_string(),
            Err(_) => body.to_owned(),
        };
        lines += &format!("  {body}\n");
    }
    lines
}

/// `value` with the keys of its objects in order.
fn sorted(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            let entries = entries.into_iter().map(|(key, value)| (key, sorted(value)));
            serde_json::Value::Object(entries.collect())
        }
        serde_json::Value::Array(values) => values.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[tokio::test]
async fn every_request_is_what_the_generated_client_sent() {
    let config = config().await;
    let mut all = String::new();
    for (operation, _) in OPERATIONS
        .into_iter()
        .filter(|(it, _)| *it != "GetMetricData")
    {
        all += &recorded(&config, operation).await;
    }
    expect_file!["../recorded/requests.txt"].assert_eq(&all);
}
