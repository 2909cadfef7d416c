//! The settings of a handler, as the emulator has them, and a secret that only the function reads.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request};
use serde_json::{Value, json};
use testing::command::built_example;
use testing::emulator::{REGION, forward};
use testing::until::eventually;

use crate::chat::Person;
use crate::cloud::Cloud;
use crate::policies;
use crate::routes::crate_of;

const SECRET: &str = "zebra-crossing-4711";

/// Asks the emulator as its operator.
async fn ask(cloud: &Cloud, method: Method, path: &str, target: &str, body: &Value) -> Value {
    let service = if target.is_empty() { "lambda" } else { "ssm" };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", format!("127.0.0.1:{}", cloud.port))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .header("x-amz-date", "20260101T000000Z")
        .header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host;x-amz-date, \
                 Signature=0"
            ),
        )
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap();
    let response = forward(cloud.port, request).await.unwrap();
    let text = String::from_utf8_lossy(response.body()).into_owned();
    assert!(response.status().is_success(), "{path} {target}: {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

fn config() -> String {
    let architecture = std::env::consts::ARCH.replace("aarch64", "arm64");
    format!(
        "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"do\"\nhandler = \"do\"\nmemory = 256\ntimeout = 7\n\
         log-level = \"debug\"\nreserved-concurrency = 5\nenvironment = {{ GREETING = \"good morning\" }}\n\
         secrets = {{ KEY = {{ ssm = \"/chat/key\" }} }}\n\
         permissions = [{{ actions = [\"execute-api:ManageConnections\"], resources = [\"connections\"] }}]\n\
         [handlers]\nprofile = \"dev\"\n[aws]\narchitecture = \"{architecture}\"\n"
    )
}

fn main_of_handler() -> String {
    format!(
        "use std::os::unix::process::CommandExt;\n\
         fn main() {{ panic!(\"{{}}\", std::process::Command::new({:?}).exec()) }}\n",
        built_example("chat-sdk", "everything")
    )
}

const ASKS: &str = r#"{"action":"do","do":"tell-secret","text":"KEY"}"#;

#[tokio::test]
async fn a_function_has_its_settings_and_reads_a_secret_that_its_configuration_does_not_show() {
    let cloud = Cloud::start().await;
    let parameter = json!({ "Name": "/chat/key", "Value": SECRET, "Type": "SecureString" });
    ask(
        &cloud,
        Method::POST,
        "/",
        "AmazonSSM.PutParameter",
        &parameter,
    )
    .await;
    crate_of(&cloud, "do", &main_of_handler());
    cloud.config(&config());
    let url = cloud.deploy("--no-probe").await.exits(0).url();
    let all = ask(
        &cloud,
        Method::GET,
        "/2015-03-31/functions/",
        "",
        &Value::Null,
    )
    .await;
    let functions = all["Functions"].as_array().unwrap().iter();
    let mut handlers = functions.filter(|function| {
        let name = function["FunctionName"].as_str().unwrap_or_default();
        name.contains("HandlerDo")
    });
    let function = handlers.next().unwrap();
    assert_eq!(function["MemorySize"], 256);
    assert_eq!(function["Timeout"], 7);
    let variables = &function["Environment"]["Variables"];
    assert_eq!(variables["GREETING"], "good morning");
    assert_eq!(variables["SECRETS"], r#"{"KEY":"ssm:/chat/key"}"#);
    assert!(!all.to_string().contains(SECRET), "{all}");

    let mut tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    tom.says(ASKS).await;
    assert_eq!(
        tom.receives().await,
        SECRET.chars().rev().collect::<String>()
    );
    assert_eq!(cloud.between.denied(), [""; 0]);
    // Neither the template nor any other request of the deployment has the value.
    assert!(!format!("{:?}", cloud.between.requests()).contains(SECRET));
    for words in ["render", "diff --handlers H", "logs", "status"] {
        let words = words.replace('H', crate::cloud::built_handlers().to_str().unwrap());
        let said = cloud.chatctl(&words).await;
        let text = format!("{}{}", said.stdout, said.stderr);
        assert!(!text.contains(SECRET), "{words}: {text}");
    }
}

#[tokio::test]
async fn without_the_permission_that_follows_from_it_a_function_reads_no_secret() {
    let cloud = Cloud::start().await;
    let parameter = json!({ "Name": "/chat/key", "Value": SECRET, "Type": "String" });
    ask(
        &cloud,
        Method::POST,
        "/",
        "AmazonSSM.PutParameter",
        &parameter,
    )
    .await;
    crate_of(&cloud, "do", &main_of_handler());
    cloud.config(&config());
    cloud.between.edit_templates(|template: &mut Value| {
        policies::take(template, "HandlerDoRole", "ssm:GetParameter");
    });
    let url = cloud.deploy("--no-probe").await.exits(0).url();
    let mut tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    tom.says(ASKS).await;
    let is_denied = async || {
        let denied = cloud.between.denied();
        denied.iter().any(|name| name.contains("GetParameter"))
    };
    eventually("reading the secret is denied", is_denied).await;
}
