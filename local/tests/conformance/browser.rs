//! Web pages are refused where AWS would require a signature.

use serde_json::json;

use crate::setup::Setup;
use crate::world::{Answer, World, exchange, signed_by, within};

fn chat(setup: Setup) -> Setup {
    setup.chat().function("worker").table("chat")
}

/// A request as a browser sends it for a page: `from` are the browser's headers.
async fn ask(port: u16, request: &str, from: &str, body: &str) -> Answer {
    let head = format!(
        "{request} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n{from}\r\n",
        body.len()
    );
    within(exchange(port, &head, body.as_bytes())).await
}

/// The headers of browsers for pages of other sites, and for a site whose name resolves to this machine.
const PAGES: [&str; 3] = [
    "Host: 127.0.0.1\r\nOrigin: https://evil.example\r\n",
    "Host: 127.0.0.1\r\nSec-Fetch-Site: cross-site\r\n",
    "Host: evil.example\r\n",
];

#[tokio::test]
async fn a_page_cannot_invoke_a_function_even_without_a_preflight() {
    let world = World::start(chat).await;
    let invocation =
        "POST /2015-03-31/functions/worker/invocations?X-Amz-Credential=AKIA%2F20260101";
    for page in PAGES {
        let answer = ask(world.stack.port(), invocation, page, "{}").await;
        assert_eq!(answer.status, 403, "{page}");
        assert!(answer.body.contains("Web pages"), "{}", answer.body);
    }
    let answer = ask(
        world.stack.port(),
        &invocation.replace("worker", "nobody"),
        "Host: localhost\r\n",
        "{}",
    )
    .await;
    assert_eq!(answer.status, 404, "a program is served");
}

#[tokio::test]
async fn a_page_cannot_post_to_connections_and_a_program_can() {
    let world = World::start(chat).await;
    let mut client = world.connect().await;
    let id = world.connection_id(0).await;
    let post = format!("POST /v1/@connections/{id}?X-Amz-Credential=AKIA%2F20260101");
    for page in PAGES {
        let answer = ask(world.stack.port(), &post, page, "from a page").await;
        assert_eq!(answer.status, 403, "{page}");
    }
    let program = "Host: localhost\r\n";
    let answer = ask(world.stack.port(), &post, program, "from a program").await;
    assert_eq!(answer.status, 200);
    assert_eq!(client.receive().await, "from a program");
}

#[tokio::test]
async fn a_page_is_refused_by_every_service_on_the_gateway_s_port_and_a_program_is_not() {
    let world = World::start(chat).await;
    let port = world.stack.port();
    let _client = world.connect().await;
    let id = world.connection_id(0).await;
    let signed = "?X-Amz-Credential=AKIA%2F20260101";
    let target = |operation: &str| format!("X-Amz-Target: {operation}\r\n");
    for (request, headers) in [
        (format!("GET /v1/@connections/{id}"), String::new()),
        (format!("POST /v1/@connections/{id}"), String::new()),
        (format!("GET /@stage/@connections/{id}"), String::new()),
        (format!("POST /@stage/@connections/{id}"), String::new()),
        (format!("OPTIONS /v1/@connections/{id}"), String::new()),
        (
            "POST /2015-03-31/functions/worker/invocations".to_owned(),
            "X-Amz-Invocation-Type: DryRun\r\n".to_owned(),
        ),
        ("POST /".to_owned(), target("AmazonSSM.GetParameter")),
        ("POST /".to_owned(), target("secretsmanager.GetSecretValue")),
        ("POST /".to_owned(), target("AmazonSSM.PutParameter")),
        (format!("DELETE /@stage/@connections/{id}"), String::new()),
        (format!("DELETE /v1/@connections/{id}"), String::new()),
    ] {
        let request = request + signed;
        for page in PAGES {
            let from_page = format!("{page}{headers}");
            let answer = ask(port, &request, &from_page, "{}").await;
            assert_eq!(answer.status, 403, "{request} {page}");
            assert!(answer.body.contains("Web pages"), "{request} {page}");
        }
        let from_program = format!("Host: localhost\r\n{headers}");
        let answer = ask(port, &request, &from_program, "{}").await;
        assert!(!answer.body.contains("Web pages"), "{request}");
    }
}

#[tokio::test]
async fn a_page_cannot_read_tables_and_its_preflight_is_refused() {
    let world = World::start(chat).await;
    let endpoint = world.stack.status().tables_endpoint;
    let port = endpoint.rsplit(':').next().unwrap().parse().unwrap();
    let signed = format!(
        "Authorization: {}\r\nX-Amz-Date: 20260101T000000Z\r\nX-Amz-Target: DynamoDB_20120810.Scan\r\n\
         Content-Type: application/x-amz-json-1.0\r\n",
        signed_by("AKIAOPERATOR", "dynamodb")
    );
    let scan = json!({ "TableName": "chat" }).to_string();
    for page in PAGES {
        let preflight = format!("{page}Access-Control-Request-Method: POST\r\n");
        for (request, headers) in [
            ("OPTIONS /", preflight),
            ("POST /", page.to_owned() + &signed),
        ] {
            let answer = ask(port, request, &headers, &scan).await;
            assert_eq!(answer.status, 403, "{request} {page}");
            assert_eq!(answer.header("Access-Control-Allow-Origin"), None);
        }
    }
    let answer = ask(
        port,
        "POST /",
        &format!("Host: localhost\r\n{signed}"),
        &scan,
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_page_may_open_a_websocket_as_on_aws() {
    let world = World::start(chat).await;
    let origin = "Origin: https://somewhere.example\r\n";
    assert_eq!(world.upgrade("/v1", origin).await.status, 101);
}
