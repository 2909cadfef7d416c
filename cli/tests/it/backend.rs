//! The requests that a user's backend gets from the rendered templates, whatever people say.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use serde_json::{Value, json};
use testing::blocking::{self, Client};
use testing::http::Server;
use tokio_tungstenite::tungstenite::Error;

use crate::project::{Project, TIMEOUT};

/// One request.
#[derive(Debug)]
struct Recorded {
    path: String,
    headers: Vec<String>,
    body: String,
}

impl Recorded {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// A server that records its requests and answers with one status.
struct Backend {
    server: Server,
    status: Arc<AtomicU16>,
    recorded: Receiver<Recorded>,
}

impl Backend {
    fn start() -> Self {
        let status = Arc::new(AtomicU16::new(200));
        let (sender, recorded) = channel();
        let shared = status.clone();
        let server = blocking::server(move |request, _connection| {
            answer(request, sender.clone(), shared.clone())
        });
        Self {
            server,
            status,
            recorded,
        }
    }

    fn config(&self) -> String {
        let url = |path: &str| format!("http = \"http://{}/{path}\"\n", self.server.address);
        format!(
            "[[routes]]\nkey = \"$connect\"\n{}[[routes]]\nkey = \"$disconnect\"\n{}\
             [[routes]]\nkey = \"send\"\n{}text = \"the-text\"\n[[routes]]\nkey = \"$default\"\n{}",
            url("in"),
            url("out"),
            url("send"),
            url("else")
        )
    }

    fn recorded_at(&self, path: &str) -> Recorded {
        let recorded = self
            .recorded
            .recv_timeout(TIMEOUT)
            .expect("the backend is told something");
        assert_eq!(recorded.path, path);
        recorded
    }
}

async fn answer(
    request: Request<Incoming>,
    sender: Sender<Recorded>,
    status: Arc<AtomicU16>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        format!("{name}: {}", value.to_ascii_lowercase())
    });
    let recorded = Recorded {
        path: head.uri.to_string(),
        headers: headers.collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    // The test may be over.
    sender.send(recorded).ok();
    let response = Response::builder().status(status.load(Ordering::SeqCst));
    Ok(response.body(Full::default()).unwrap())
}

#[test]
fn a_backend_receives_valid_json_for_any_message_and_decides_who_may_connect() {
    let backend = Backend::start();
    let project = Project::new(&backend.config());
    let url = project.deployed(&["--no-probe"]);

    let asked = format!("{url}?room=it%27s%20%22%5C%22&empty=");
    let mut socket = Client::open(&asked, [("x-say", "it's \"quoted\" \\ 1")]).unwrap();
    let came = backend.recorded_at("/in");
    let recorded = came.json();
    let id = recorded["connectionId"].as_str().unwrap().to_owned();
    assert_eq!(recorded["stage"], "v1");
    assert!(recorded["domainName"].is_string());
    assert_eq!(recorded["params"]["querystring"]["room"], "it's \"\\\"");
    assert_eq!(
        recorded["params"]["header"]["x-say"],
        "it's \"quoted\" \\ 1"
    );
    // What would make a server answer an upgrade, or refuse one.
    for header in came
        .headers
        .iter()
        .filter(|header| header.starts_with("sec-websocket-"))
    {
        assert!(header.ends_with(": 0"), "{header}");
    }
    assert!(
        !came
            .headers
            .iter()
            .any(|header| header.starts_with("upgrade:"))
    );
    assert!(
        came.headers
            .contains(&"content-type: application/json".to_owned())
    );

    for text in [
        "plain",
        "it's \"quoted\"",
        "back\\slash and \\n no line",
        "a\nline\r\n\tand a tab\u{8}\u{c}",
        "<b>&amp;</b></script>",
        "ümlaut 漢字 🙂 \u{2028}",
        "$input.body #set($x = 1) ${context.stage}",
        "",
    ] {
        let frame = json!({ "action": "send", "the-text": text }).to_string();
        socket.send(&frame);
        let recorded = backend.recorded_at("/send").json();
        let expected =
            json!({ "connectionId": id, "routeKey": "send", "message": text, "body": frame });
        assert_eq!(recorded, expected);
        if !text.is_empty() {
            socket.send(text);
            let expected = json!({ "connectionId": id, "routeKey": "$default", "body": text });
            assert_eq!(backend.recorded_at("/else").json(), expected);
        }
    }
    for value in [json!(1), json!({"a": ["it's"]}), json!([true, null])] {
        let frame = json!({ "action": "send", "the-text": value }).to_string();
        socket.send(&frame);
        assert_eq!(backend.recorded_at("/send").json()["message"], value);
    }
    socket.close();
    assert_eq!(
        backend.recorded_at("/out").json(),
        json!({ "connectionId": id })
    );

    backend.status.store(401, Ordering::SeqCst);
    match Client::open(&url, []) {
        // None of the stack's integration responses fits it.
        Err(Error::Http(answer)) => assert_eq!(answer.status(), 500),
        other => panic!("{other:?}"),
    }
}

/// No command shows the value, and no file but the private request holds it.
#[test]
fn a_secret_reaches_the_backend_and_nothing_else() {
    use std::os::unix::fs::PermissionsExt;
    const SECRET: &str = "s3cret-0123456789abcdef";
    let backend = Backend::start();
    let secret = "secret-header = { name = \"X-Chat-Secret\", secretsmanager = \"chat\", file = \"secret\" }\n";
    let config = backend
        .config()
        .replace("[[routes]]\n", &format!("[[routes]]\n{secret}"));
    let project = Project::new(&config);

    let missing = project.deploy(&["--no-probe"]);
    assert_eq!(missing.code, 2, "{}", missing.stderr);
    missing.explains("could not read its secret");

    let file = project.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    project.deploy(&["--no-probe"]).explains("chmod 600");

    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let deployed = project.deploy(&["--no-probe"]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let url = deployed.stdout.lines().next().unwrap();
    let url = url.rsplit(' ').next().unwrap();
    let sent = format!("x-chat-secret: {SECRET}");
    // A client that sends the header itself does not get through with it.
    let mut socket = Client::open(url, [("x-chat-secret", "guessed")]).unwrap();
    let proven = |recorded: Recorded| {
        let mut headers = recorded.headers.iter();
        assert!(headers.any(|header| *header == sent), "{recorded:?}");
        let values = recorded.headers.iter();
        let values = values.filter(|header| header.starts_with("x-chat-secret:"));
        assert_eq!(values.count(), 1, "{recorded:?}");
    };
    proven(backend.recorded_at("/in"));
    socket.send("hi");
    proven(backend.recorded_at("/else"));

    for words in [
        &["status", "--local", "--output", "json"][..],
        &["outputs", "--local"],
        &["logs", "--local"],
        &["render"],
        &["render", "--output", "json"],
    ] {
        let shown = project.run(words);
        assert_eq!(shown.code, 0, "{}", shown.stderr);
        assert!(!format!("{}{}", shown.stdout, shown.stderr).contains(SECRET));
    }
    for entry in std::fs::read_dir(project.state()).unwrap().flatten() {
        let holds = std::fs::read(entry.path())
            .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(SECRET));
        assert!(!holds, "{entry:?}");
    }

    // Another value is another deployment.
    std::fs::write(&file, "another-value\n").unwrap();
    let deployed = project.deploy(&["--no-probe"]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    socket.send("hi");
    let recorded = backend.recorded_at("/else");
    assert!(
        recorded
            .headers
            .contains(&"x-chat-secret: another-value".to_owned())
    );
}
