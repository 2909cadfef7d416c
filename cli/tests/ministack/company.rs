//! A name of the user's own, alarms and access logs, as far as the emulator has them.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request};
use serde_json::{Value, json};
use testing::emulator::{REGION, forward};

use crate::between::ask;
use crate::chat::two_friends_chat;
use crate::cloud::{Cloud, built_handlers};

const NAMED: &str = "[domain]\nname = \"chat.example.com\"\npath = \"team\"\n";

/// Makes a certificate for `name`, which the emulator issues at once.
async fn certificate(cloud: &Cloud, name: &str) -> String {
    let asked = json!({ "DomainName": name, "ValidationMethod": "DNS" });
    let action = "CertificateManager.RequestCertificate";
    let made = ask(cloud.port, "acm", action, &asked).await;
    made["CertificateArn"].as_str().unwrap().to_owned()
}

/// Asks the emulator's Route 53 or API Gateway, as its operator.
async fn rest(cloud: &Cloud, service: &str, method: Method, path: &str, body: &str) -> String {
    let signature = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=0"
    );
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", format!("127.0.0.1:{}", cloud.port))
        .header("x-amz-date", "20260101T000000Z")
        .header("authorization", signature)
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap();
    let response = forward(cloud.port, request).await.unwrap();
    let text = String::from_utf8_lossy(response.body()).into_owned();
    assert!(response.status().is_success(), "{path}: {text}");
    text
}

async fn zone(cloud: &Cloud, name: &str) -> String {
    let body = format!(
        "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Name>{name}</Name>\
         <CallerReference>{name}</CallerReference></CreateHostedZoneRequest>"
    );
    let made = rest(
        cloud,
        "route53",
        Method::POST,
        "/2013-04-01/hostedzone",
        &body,
    )
    .await;
    let (_, rest) = made.split_once("<Id>/hostedzone/").unwrap();
    rest.split('<').next().unwrap().to_owned()
}

async fn log_role(cloud: &Cloud) -> Value {
    let account = rest(cloud, "apigateway", Method::GET, "/account", "").await;
    let account: Value = serde_json::from_str(&account).unwrap();
    account["cloudwatchRoleArn"].clone()
}

#[tokio::test]
async fn without_a_certificate_nothing_is_touched_and_the_line_and_the_remedy_are_said() {
    let cloud = Cloud::start().await;
    cloud.config(NAMED);
    certificate(&cloud, "*.other.example").await;
    let refused = cloud.deploy("").await.exits(2);
    refused
        .explains(
            "chatctl.toml:2:8: ACM in eu-west-1 has no valid certificate for chat.example.com",
        )
        .explains("aws acm request-certificate --domain-name chat.example.com");
    assert_eq!(cloud.stack_status("chat").await, None);
    let doctor = cloud.chatctl("doctor").await.exits(2);
    let said = format!("{}{}", doctor.stdout, doctor.stderr);
    assert!(said.contains("no valid certificate"), "{said}");
}

#[tokio::test]
async fn a_name_gets_its_certificate_its_record_and_is_kept_until_the_teardown() {
    let cloud = Cloud::start().await;
    cloud.config(NAMED);
    certificate(&cloud, "*.example.com").await;
    let zone = zone(&cloud, "example.com").await;
    let first = cloud.deploy("").await.exits(0);
    first
        .explains("chat.example.com/team, certificate")
        .explains(&format!("record in zone example.com ({zone})"))
        .explains("29 to add")
        .explains("1 route answers both ways");
    assert!(!first.stderr.contains("CNAME"), "{}", first.stderr);
    two_friends_chat(&first.url()).await;
    let path = format!("/2013-04-01/hostedzone/{zone}/rrset");
    let records = rest(&cloud, "route53", Method::GET, &path, "").await;
    assert!(records.contains("chat.example.com"), "{records}");
    cloud
        .deploy("")
        .await
        .exits(0)
        .explains("nothing has changed");
    let handlers = built_handlers();
    let diff = format!("diff --exit-code --handlers {}", handlers.display());
    cloud.chatctl(&diff).await.exits(0);
    let outputs = cloud.chatctl("outputs").await.exits(0);
    assert!(
        outputs.stdout.contains("DomainTarget"),
        "{}",
        outputs.stdout
    );
    cloud.chatctl("teardown --yes").await.exits(0);
    let records = rest(&cloud, "route53", Method::GET, &path, "").await;
    assert!(!records.contains("chat.example.com"), "{records}");
}

#[tokio::test]
async fn without_a_zone_the_record_to_make_is_printed() {
    let cloud = Cloud::start().await;
    cloud.config(NAMED);
    certificate(&cloud, "chat.example.com").await;
    let first = cloud.deploy("").await.exits(0);
    first
        .explains("no hosted zone here for its record")
        .explains("Make this record")
        .explains("chat.example.com  CNAME  ");
    let again = cloud.deploy("--output json").await.exits(0);
    let last: Value = serde_json::from_str(again.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["record"]["name"], "chat.example.com");
    assert_eq!(last["record"]["type"], "CNAME");
    assert!(!last["record"]["value"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn the_account_s_role_for_logs_is_made_only_when_that_is_agreed_to() {
    let cloud = Cloud::start().await;
    cloud.config("[logs]\naccess = true\n");
    let refused = cloud.deploy("").await.exits(2);
    refused
        .explains("API Gateway has no role with which it could write logs in eu-west-1")
        .explains("`--log-role` agrees to it beforehand (`--yes` does not)");
    assert_eq!(cloud.stack_status("chat").await, None);
    assert_eq!(cloud.stack_status("chatctl-api-gateway-logs").await, None);
    assert_eq!(log_role(&cloud).await, Value::Null);
    cloud.deploy("--log-role").await.exits(0);
    assert!(log_role(&cloud).await.as_str().unwrap().contains(":role/"));
    // It is there, so the next deployment asks for nothing; and it stays.
    cloud
        .deploy("")
        .await
        .exits(0)
        .explains("nothing has changed");
    cloud.chatctl("teardown --yes").await.exits(0);
    assert!(log_role(&cloud).await.is_string());
    let stack = cloud.stack_status("chatctl-api-gateway-logs").await;
    assert_eq!(stack.as_deref(), Some("CREATE_COMPLETE"));
}

#[tokio::test]
async fn alarms_a_dashboard_and_a_queue_come_and_go_with_the_config() {
    let cloud = Cloud::start().await;
    let room = "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n";
    let alarms = "[alarms]\nemail = \"ops@example.com\"\nkeep-failed-events = true\n";
    cloud.config(&format!("{room}{alarms}"));
    let first = cloud.deploy("").await.exits(0);
    first
        .explains("17 Alarm")
        .explains("1 Dashboard")
        .explains("once that address has confirmed")
        .explains("DeliverRole may sqs:SendMessage on FailedEvents.Arn");
    let outputs = cloud.chatctl("outputs").await.exits(0).stdout;
    assert!(
        outputs.contains("DashboardName") && outputs.contains("FailedEventsUrl"),
        "{outputs}"
    );
    cloud
        .deploy("")
        .await
        .exits(0)
        .explains("nothing has changed");
    cloud.config(&format!(
        "{room}{alarms}client-errors = 7\ndashboard = false\n"
    ));
    let changed = cloud.deploy("").await.exits(0);
    changed.explains("ClientErrorsAlarm").explains("Dashboard");
    cloud.config(room);
    cloud.deploy("").await.exits(0);
    cloud.chatctl("teardown --yes").await.exits(0);
}
