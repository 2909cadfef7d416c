//! A local stack with real handlers, and clients that present tokens to it.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;
use testing::blocking::Client;

use crate::project::{Project, TIMEOUT};

/// How a token travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Bearer,
    Subprotocol,
    Query,
}

impl Transport {
    pub(super) const ALL: [Self; 3] = [Self::Bearer, Self::Subprotocol, Self::Query];
}

pub(super) struct Stack {
    project: Project,
    endpoint: String,
}

/// What a handshake was answered with.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Head and body.
    pub(super) text: String,
}

impl Stack {
    /// Deploys `config`, beside which `keys` lie.
    pub(super) fn start(config: &str, keys: &[Value]) -> Self {
        let project = Project::new(config);
        write_keys(&project, keys);
        let endpoint = project.deployed(&["--no-probe"]);
        let endpoint = format!("ws://{}", endpoint.split("://").nth(1).unwrap());
        Self { project, endpoint }
    }

    /// Deploys the same again, with other keys.
    pub(super) fn change_keys(&self, keys: &[Value]) {
        write_keys(&self.project, keys);
        self.project.deployed(&["--no-probe"]);
    }

    /// Shakes hands with `token`, and with `headers` beside it.
    pub(super) fn knock(
        &self,
        transport: Transport,
        token: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (address, path) = self.endpoint["ws://".len()..].split_once('/').unwrap();
        let mut head = String::new();
        let mut query = String::new();
        match (transport, token) {
            (_, None) => {}
            (Transport::Bearer, Some(token)) => {
                head = format!("Authorization: Bearer {token}\r\n");
            }
            (Transport::Subprotocol, Some(token)) => {
                head = format!("Sec-WebSocket-Protocol: chatctl, chatctl.token.{token}\r\n");
            }
            (Transport::Query, Some(token)) => query = format!("?token={token}"),
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let request = testing::upgrade_head(address, &format!("/{path}{query}"), &head);
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = Vec::new();
        let mut piece = [0; 4_096];
        while !text.windows(4).any(|end| end == b"\r\n\r\n") {
            let read = stream.read(&mut piece).unwrap();
            assert_ne!(read, 0, "the gateway answers");
            text.extend_from_slice(&piece[..read]);
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, text }
    }

    /// Connects with a bearer token and `headers`, which must succeed.
    pub(super) fn open(&self, token: &str, headers: &[(&str, &str)]) -> Client {
        let bearer = format!("Bearer {token}");
        let all = [&[("authorization", bearer.as_str())], headers].concat();
        Client::open(&self.endpoint, all).unwrap()
    }

    /// The reasons for which the authorizer has refused handshakes.
    pub(super) fn reasons(&self) -> Vec<String> {
        let log = self.log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let refusals = lines
            .filter(|line: &Value| line["message"].as_str() == Some("handshake not authorized"));
        refusals
            .map(|line| line["fields"]["reason"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Everything that the functions have written.
    pub(super) fn log(&self) -> String {
        let log = self.project.run(&["logs", "--local", "--output", "json"]);
        assert_eq!(log.code, 0, "{}", log.stderr);
        log.stdout
    }
}

fn write_keys(project: &Project, keys: &[Value]) {
    if !keys.is_empty() {
        let text = serde_json::json!({ "keys": keys }).to_string();
        std::fs::write(project.path().join("chatctl.keys.json"), text).unwrap();
    }
}
