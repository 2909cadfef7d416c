//! Each action of each role is needed: taken away alone, something breaks. On the local target, whose IAM decides by
//! the very policies of the rendered template.

mod announce;
mod auth;
mod kept;
mod limits;
mod requests;
mod reviews;
mod rooms;
mod secrets;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use chatctl_local::{LocalStack, Observer, Options, StackNotice, StackRequest};
use serde_json::{Value, json};

use crate::conversations::Chat;
use crate::policies;
use crate::project::{Project, built_example, eventually, handlers};

/// The template that `config` is rendered to.
fn rendered(config: &str) -> Value {
    let rendered = Project::new(config).run(&["render", "--format", "json"]);
    serde_json::from_str(&rendered.stdout).unwrap()
}

/// The rendered template without `action` in `role`.
fn template_without(role: &str, action: &str) -> Value {
    without(rendered(""), role, action)
}

/// `template` without `action` in `role` and in the policies that are attached to it.
fn without(mut template: Value, role: &str, action: &str) -> Value {
    policies::take(&mut template, role, action);
    template
}

/// Without an authorizer the sessions come from the table, as behind a gateway that ignores authorizers.
fn without_authorizer(mut template: Value) -> Value {
    give_reads_of_sessions(&mut template);
    policies::take_authorizer(&mut template);
    template
}

/// Lets functions read sessions from the table, as in a template for something that stands in for AWS.
fn give_reads_of_sessions(template: &mut Value) {
    for role in [
        "DisconnectRole",
        "DirectRole",
        "BroadcastRole",
        "WhoRole",
        "KickRole",
        "HistoryRole",
        "DeleteRole",
    ] {
        let policies = template["Resources"].get_mut(role);
        let policies = policies.and_then(|role| role["Properties"]["Policies"].as_array_mut());
        for policy in policies.into_iter().flatten() {
            if policy["PolicyName"] == "table" {
                let statements = policy["PolicyDocument"]["Statement"].as_array_mut();
                let statements = statements.unwrap();
                let resource = statements[0]["Resource"].clone();
                statements.push(json!({"Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": resource}));
            }
        }
    }
}

struct Stack {
    stack: LocalStack,
    logged: Arc<Mutex<Vec<String>>>,
}

async fn start(template: &Value) -> Stack {
    start_with(template, &[], BTreeMap::new()).await
}

/// The same with other code for some functions, and with the values of `references`.
async fn start_with(
    template: &Value,
    codes: &[(&str, &Path)],
    references: BTreeMap<String, String>,
) -> Stack {
    let code_of = |id: &str, function: &Value| {
        let other = codes.iter().find(|(of, _)| *of == id);
        match (other, function["Properties"]["Handler"] == "bootstrap") {
            (Some((_, path)), _) => (*path).to_owned(),
            // A handler of that name is the user's.
            (None, true) => built_example("chat-sdk", "filter"),
            (None, false) => handlers().to_owned(),
        }
    };
    let functions = template["Resources"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Function");
    let request = StackRequest::new("chat", template.to_string())
        .with_parameters(
            // Of the user's code, too.
            template["Parameters"]
                .as_object()
                .unwrap()
                .keys()
                .filter(|name| name.starts_with("Code") || name.ends_with("CodeKey"))
                .map(|name| (name.clone(), "x".into()))
                .collect(),
        )
        .with_references(references)
        .with_code(
            functions
                .map(|(id, function)| (id.clone(), code_of(id, function)))
                .collect(),
        );
    let logged = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&logged);
    let observer = Observer::new(move |notice| {
        sink.lock().unwrap().push(match notice {
            StackNotice::Log(line) => format!("{}: {}", line.function, line.text),
            StackNotice::Warning(text) => text,
            _ => return,
        });
    });
    let stack = LocalStack::start(request, Options::default(), observer)
        .await
        .unwrap();
    Stack { stack, logged }
}

impl Stack {
    /// Runs what a client does away from the stack's own thread, which it would otherwise block.
    async fn client<T: Send + 'static>(
        &self,
        work: impl FnOnce(String) -> T + Send + 'static,
    ) -> T {
        let endpoint = self.stack.endpoint();
        tokio::task::spawn_blocking(move || work(endpoint))
            .await
            .unwrap()
    }

    /// Waits until the stack has said something with `words` in it.
    async fn tells(&self, words: &[&str]) {
        let logged = Arc::clone(&self.logged);
        let what = format!("it is told: {words:?}");
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let received = move || {
            let logged = logged.lock().unwrap();
            logged
                .iter()
                .any(|line| words.iter().all(|word| line.contains(word)))
        };
        tokio::task::spawn_blocking(move || eventually(&what, received))
            .await
            .unwrap();
    }

    /// Waits until `function` has said that it may not do `action`.
    async fn tells_of_a_denial(&self, function: &str, action: &str) {
        let denied = format!("not authorized to perform: {action}");
        self.tells(&[function, &denied]).await;
    }

    /// Tom connects, says something to himself, and leaves. Answers what he received.
    async fn tom_talks_to_himself(&self) -> String {
        let received = self.client(|endpoint| {
            let mut tom = Chat::open(&endpoint, "Tom", "Tom");
            tom.say("hello");
            let received = tom.receive();
            tom.close();
            received
        });
        received.await
    }

    /// The log so far, in which nothing was denied.
    fn logged_without_a_denial(&self) -> String {
        let logged = self.logged.lock().unwrap().join("\n");
        assert!(
            !logged.contains("AccessDenied") && !logged.contains("does not allow"),
            "{logged}"
        );
        logged
    }
}

#[tokio::test]
async fn with_every_action_in_place_nothing_is_denied_with_or_without_an_authorizer() {
    let template = rendered("");
    for template in [template.clone(), without_authorizer(template)] {
        let stack = start(&template).await;
        assert_eq!(stack.tom_talks_to_himself().await, "hello");
        stack.tells(&["DisconnectFunction", "disconnected"]).await;
        stack.logged_without_a_denial();
    }
}

#[tokio::test]
async fn connect_needs_put_item_to_let_clients_in() {
    let stack = start(&template_without("ConnectRole", "dynamodb:PutItem")).await;
    let refused = stack
        .client(|endpoint| Chat::try_open(&endpoint, Some("Tom"), Some("Tom")).err())
        .await;
    assert!(refused.unwrap().contains("500"));
    stack
        .tells_of_a_denial("ConnectFunction", "dynamodb:PutItem")
        .await;
}

#[tokio::test]
async fn connect_needs_query_to_keep_banned_names_out() {
    let stack = start(&template_without("ConnectRole", "dynamodb:Query")).await;
    let refused = stack
        .client(|endpoint| Chat::try_open(&endpoint, Some("Tom"), Some("Tom")).err())
        .await;
    assert!(refused.unwrap().contains("500"));
    stack
        .tells_of_a_denial("ConnectFunction", "dynamodb:Query")
        .await;
}

#[tokio::test]
async fn disconnect_needs_delete_item_to_forget_who_left() {
    let stack = start(&template_without("DisconnectRole", "dynamodb:DeleteItem")).await;
    stack.tom_talks_to_himself().await;
    stack
        .tells_of_a_denial("DisconnectFunction", "dynamodb:DeleteItem")
        .await;
}

#[tokio::test]
async fn disconnect_needs_get_item_to_know_who_left_where_there_is_no_authorizer() {
    let template = without_authorizer(rendered(""));
    let stack = start(&without(template, "DisconnectRole", "dynamodb:GetItem")).await;
    stack.tom_talks_to_himself().await;
    stack
        .tells_of_a_denial("DisconnectFunction", "dynamodb:GetItem")
        .await;
}

#[tokio::test]
async fn direct_needs_query_to_find_the_friend() {
    let stack = start(&template_without("DirectRole", "dynamodb:Query")).await;
    let received = stack.tom_talks_to_himself().await;
    assert!(received.contains("Internal server error"), "{received}");
    stack
        .tells_of_a_denial("DirectFunction", "dynamodb:Query")
        .await;
}

#[tokio::test]
async fn direct_needs_get_item_to_know_the_sender_where_there_is_no_authorizer() {
    let template = without_authorizer(rendered(""));
    let stack = start(&without(template, "DirectRole", "dynamodb:GetItem")).await;
    let received = stack.tom_talks_to_himself().await;
    assert!(received.contains("Internal server error"), "{received}");
    stack
        .tells_of_a_denial("DirectFunction", "dynamodb:GetItem")
        .await;
}

#[tokio::test]
async fn direct_needs_manage_connections_to_deliver_anything() {
    let stack = start(&template_without(
        "DirectRole",
        "execute-api:ManageConnections",
    ))
    .await;
    let connected = stack.client(|endpoint| {
        let mut tom = Chat::open(&endpoint, "Tom", "Tom");
        tom.say("hello");
        tom
    });
    let _tom = connected.await;
    stack
        .tells(&["DirectFunction", "execute-api:ManageConnections"])
        .await;
}

#[tokio::test]
async fn direct_needs_delete_item_to_forget_a_device_that_is_gone() {
    let template = template_without("DirectRole", "dynamodb:DeleteItem");
    let stack = start(&template).await;
    // A row of a connection that was open an hour ago, and whose end the table does not show.
    let status = stack.stack.status();
    let table = status.tables[0].name.clone();
    let now = now();
    let item = json!({"TableName": table, "Item": {
        "pk": {"S": "U#Jerry"}, "sk": {"S": "C#AAAAAAAAIAMCAAA="}, "friend": {"S": "Tom"},
        "connected_at": {"N": (now - 3600).to_string()}, "expires_at": {"N": (now + 3600).to_string()},
    }});
    put_item(&status.tables_endpoint, &item).await;
    let received = stack.client(|endpoint| {
        let mut tom = Chat::open(&endpoint, "Tom", "Jerry");
        tom.say("hello");
        tom.receive()
    });
    let received = received.await;
    assert!(
        received.contains("not reachable") || received.contains("Internal server error"),
        "{received}"
    );
    stack
        .tells_of_a_denial("DirectFunction", "dynamodb:DeleteItem")
        .await;
}

#[tokio::test]
async fn every_role_needs_both_log_actions_to_log() {
    for function in ["Authorize", "Connect", "Disconnect", "Direct"] {
        for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
            let stack = start(&template_without(&format!("{function}Role"), action)).await;
            stack.tom_talks_to_himself().await;
            let words = format!("`{function}Function` does not allow {action}");
            stack.tells(&[&words]).await;
        }
    }
}

/// In seconds since the epoch.
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// Writes one item.
async fn put_item(endpoint: &str, body: &Value) {
    table_request(endpoint, "PutItem", body).await;
}

/// One signed DynamoDB request. Any key but a function's own is the operator's.
async fn table_request(endpoint: &str, operation: &str, body: &Value) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = endpoint.trim_start_matches("http://");
    let body = body.to_string();
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nX-Amz-Target: DynamoDB_20120810.{operation}\r\n\
         X-Amz-Date: 20260101T000000Z\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=operator/20260101/us-east-1/dynamodb/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
