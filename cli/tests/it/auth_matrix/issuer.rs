//! An OpenID Connect issuer on loopback that can change its keys, be slow, talk nonsense, and be down.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// How an issuer behaves.
#[derive(Debug, Clone)]
pub(super) enum Mood {
    Serving(Vec<Value>),
    /// Accepts connections, and ends them without an answer.
    Down,
    /// Accepts requests, and does not answer as long as any client waits.
    Slow,
    /// Answers everything with this.
    Saying(&'static str),
    /// Answers with a document that does not end.
    Endless,
}

pub(super) struct Issuer {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    mood: Mood,
    requests: usize,
}

impl Issuer {
    pub(super) fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { mood, requests: 0 }));
        let (shared, own_url) = (Arc::clone(&state), url.clone());
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, url) = (Arc::clone(&shared), own_url.clone());
                std::thread::spawn(move || serve(stream, &state, &url));
            }
        });
        Self { url, state }
    }

    pub(super) fn become_(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    /// How many requests it has had.
    pub(super) fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>, url: &str) {
    let mut text = Vec::new();
    let mut piece = [0; 2_048];
    while !text.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(read) => text.extend_from_slice(&piece[..read]),
        }
    }
    let mood = {
        let mut state = state.lock().unwrap();
        state.requests += 1;
        state.mood.clone()
    };
    let request = String::from_utf8_lossy(&text);
    let is_discovery = request.starts_with("GET /.well-known/openid-configuration ");
    let body = match mood {
        Mood::Serving(_) if is_discovery => {
            json!({"issuer": url, "jwks_uri": format!("{url}/keys")}).to_string()
        }
        Mood::Serving(keys) => json!({ "keys": keys }).to_string(),
        Mood::Down => return,
        Mood::Slow => {
            // Until the client gives up.
            let _patient = stream.set_read_timeout(Some(Duration::from_secs(60)));
            let _ended = stream.read(&mut piece);
            return;
        }
        Mood::Saying(text) => text.to_owned(),
        Mood::Endless => {
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
            let mut written = stream.write_all(head.as_bytes());
            while written.is_ok() {
                written = stream.write_all(&[b' '; 4_096]);
            }
            return;
        }
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    let _sent = stream.write_all(answer.as_bytes());
}
