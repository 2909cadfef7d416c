use super::*;
use crate::commands::chat::frame::Received;
use crate::commands::chat::identity::Source;
use crate::commands::chat::identity::tests::token;
use chatctl_deploy::engine::Token;

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

/// Writes down what is shown, and sends a signal each time that a connection opens.
#[derive(Default)]
struct Notes {
    lines: Vec<String>,
    opened: Option<mpsc::Sender<()>>,
}

impl View for Notes {
    fn received(&mut self, received: &Received<'_>) -> bool {
        self.lines.push(format!("< {}", received.words()));
        true
    }
    fn note(&mut self, words: &str) {
        self.lines.push(format!("· {words}"));
    }
    fn state(&mut self, state: State, words: &str) {
        if let (State::Open, Some(opened)) = (state, &self.opened) {
            // Once is enough for the test that waits for it.
            let _full = opened.try_send(());
        }
        // Ports are different every time.
        let words = words.split(['(', ':']).next().unwrap();
        self.lines.push(format!("{} {words}", state.word()));
    }
    fn trouble(&mut self, words: &str) {
        self.lines.push(format!("! {words}"));
    }
}

fn framing() -> Framing {
    let folder = tempfile::tempdir().unwrap();
    let settings = chatctl_deploy::config::Settings::load(
        folder.path(),
        chatctl_deploy::config::Overrides::default(),
    );
    Framing::for_route(&settings.unwrap(), None).unwrap()
}

fn address(listener: &TcpListener, token: Option<&str>) -> Address {
    Address {
        url: format!("ws://{}/v1", listener.local_addr().unwrap()),
        handshake: chat_protocol::Handshake::default(),
        token: token.map(|token| Token::parse(token).unwrap()),
    }
}

fn unproven(listener: &TcpListener) -> Identity {
    Identity::new(address(listener, None), Source::Nowhere)
}

#[tokio::test]
async fn a_lost_connection_is_opened_again_and_what_was_typed_meanwhile_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let identity = unproven(&listener);
    let (keyboard, mut typed) = mpsc::channel(8);
    let gateway = async {
        let (stream, _) = listener.accept().await.unwrap();
        let first = tokio_tungstenite::accept_async(stream).await.unwrap();
        // Gone without a goodbye.
        drop(first);
        let (stream, _) = listener.accept().await.unwrap();
        keyboard.send(Typed::Text("hi".into())).await.unwrap();
        keyboard
            .send(Typed::Text("x".repeat(40_000)))
            .await
            .unwrap();
        keyboard.send(Typed::End).await.unwrap();
        let mut second = tokio_tungstenite::accept_async(stream).await.unwrap();
        let received = second.next().await.unwrap().unwrap();
        second.send(received).await.unwrap();
        while let Some(Ok(Message::Text(_))) = second.next().await {}
    };
    let mut notes = Notes::default();
    let wait = Duration::from_millis(200);
    let framing = framing();
    let talking = talk(identity, (&framing, None), wait, &mut typed, &mut notes);
    let ((), outcome) = tokio::join!(gateway, talking);
    outcome.unwrap();
    assert_eq!(
        notes.lines,
        [
            "connecting to ws",
            "open ",
            "closed without a goodbye",
            "! not sent: 40000 bytes, and a frame has 32768 at most",
            "open ",
            "< hi",
            "closed "
        ]
    );
}

#[tokio::test]
async fn a_first_connection_that_fails_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let identity = unproven(&listener);
    drop(listener);
    let (_keyboard, mut typed) = mpsc::channel(1);
    let mut notes = Notes::default();
    let error = talk(
        identity,
        (&framing(), None),
        Duration::ZERO,
        &mut typed,
        &mut notes,
    )
    .await;
    assert_eq!(error.unwrap_err().exit, 3);
}

#[tokio::test]
async fn quitting_says_goodbye_and_interrupting_exits_with_130() {
    for (typed_last, exit) in [(Typed::Quit, None), (Typed::Interrupt, Some(130))] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let identity = unproven(&listener);
        let (keyboard, mut typed) = mpsc::channel(1);
        let (opened, mut is_open) = mpsc::channel(1);
        let mut notes = Notes {
            opened: Some(opened),
            ..Notes::default()
        };
        let framing = framing();
        let gateway = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            is_open.recv().await.unwrap();
            keyboard.send(typed_last).await.unwrap();
            let goodbye = socket.next().await.unwrap().unwrap();
            while socket.next().await.is_some() {}
            goodbye
        };
        let talking = talk(
            identity,
            (&framing, None),
            Duration::ZERO,
            &mut typed,
            &mut notes,
        );
        let (goodbye, outcome) = tokio::join!(gateway, talking);
        assert!(goodbye.is_close());
        assert_eq!(outcome.err().map(|error| error.exit), exit);
    }
}

/// Accepts a client on `listener`; also the token that it shows.
async fn accepted(listener: &TcpListener) -> (WebSocketStream<TcpStream>, String) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut shown = String::new();
    #[expect(
        clippy::result_large_err,
        reason = "the library has its callbacks answer so"
    )]
    let look = |request: &Request, response: Response| {
        let header = request.headers().get("authorization");
        shown = header.map_or_else(String::new, |it| it.to_str().unwrap().to_owned());
        Ok(response)
    };
    let socket = tokio_tungstenite::accept_hdr_async(stream, look).await;
    (socket.unwrap(), shown)
}

/// What was said to `socket`.
async fn said(socket: &mut WebSocketStream<TcpStream>) -> String {
    socket.next().await.unwrap().unwrap().to_string()
}

/// An identity whose tokens are in a file, the first one good for so many seconds, and what writes the next one.
fn from_file(
    listener: &TcpListener,
    seconds: u64,
) -> (Identity, String, tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let first = token(seconds);
    std::fs::write(&path, &first).unwrap();
    let source = Source::File(path.clone());
    let identity = Identity::new(address(listener, Some(&first)), source);
    (identity, first, folder, path)
}

#[tokio::test]
async fn a_token_is_replaced_before_it_expires_and_nothing_of_it_is_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (identity, first, _folder, path) = from_file(&listener, 2);
    let next = token(3600);
    std::fs::write(&path, &next).unwrap();
    let (keyboard, mut typed) = mpsc::channel(8);
    let gateway = async {
        let (mut old, shown) = accepted(&listener).await;
        assert_eq!(shown, format!("Bearer {first}"));
        keyboard.send(Typed::Text("one".into())).await.unwrap();
        assert_eq!(said(&mut old).await, "one");
        let (mut new, shown) = accepted(&listener).await;
        assert_eq!(shown, format!("Bearer {next}"));
        // What both deliver is shown once, what only one delivers, too.
        for (socket, texts) in [(&mut old, ["both", "old"]), (&mut new, ["both", "new"])] {
            for text in texts {
                socket.send(Message::text(text)).await.unwrap();
            }
        }
        keyboard.send(Typed::Text("two".into())).await.unwrap();
        assert_eq!(said(&mut new).await, "two");
        assert!(old.next().await.unwrap().unwrap().is_close());
        keyboard.send(Typed::Quit).await.unwrap();
        while new.next().await.is_some() {}
    };
    let mut notes = Notes::default();
    let framing = framing();
    let talking = talk(
        identity,
        (&framing, None),
        Duration::ZERO,
        &mut typed,
        &mut notes,
    );
    let ((), outcome) = tokio::join!(gateway, talking);
    outcome.unwrap();
    let mut lines = notes.lines;
    lines[2..5].sort();
    assert_eq!(
        lines,
        [
            "connecting to ws",
            "open ",
            "< both",
            "< new",
            "< old",
            "closed "
        ]
    );
}

#[tokio::test]
async fn what_an_expired_token_was_refused_for_is_sent_again_with_a_new_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (identity, _, _folder, path) = from_file(&listener, 3600);
    let (keyboard, mut typed) = mpsc::channel(8);
    let gateway = async {
        let (mut old, _) = accepted(&listener).await;
        keyboard.send(Typed::Text("one".into())).await.unwrap();
        assert_eq!(said(&mut old).await, "one");
        let next = token(7200);
        std::fs::write(&path, &next).unwrap();
        keyboard.send(Typed::Text("two".into())).await.unwrap();
        assert_eq!(said(&mut old).await, "two");
        let refusal = r#"{"error":"TokenExpired","message":"m","route":"$default"}"#;
        old.send(Message::text(refusal)).await.unwrap();
        old.close(None).await.unwrap();
        let (mut new, shown) = accepted(&listener).await;
        assert_eq!(shown, format!("Bearer {next}"));
        assert_eq!(said(&mut new).await, "two");
        keyboard.send(Typed::Quit).await.unwrap();
        while new.next().await.is_some() {}
    };
    let mut notes = Notes::default();
    let framing = framing();
    let talking = talk(
        identity,
        (&framing, None),
        Duration::ZERO,
        &mut typed,
        &mut notes,
    );
    let ((), outcome) = tokio::join!(gateway, talking);
    outcome.unwrap();
    assert_eq!(notes.lines, ["connecting to ws", "open ", "closed "]);
}

#[tokio::test]
async fn a_token_that_was_given_once_ends_the_chat_when_it_has_expired() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let identity = Identity::new(address(&listener, Some(&token(3600))), Source::Nowhere);
    let (keyboard, mut typed) = mpsc::channel(8);
    let gateway = async {
        let (mut old, _) = accepted(&listener).await;
        keyboard.send(Typed::Text("one".into())).await.unwrap();
        assert_eq!(said(&mut old).await, "one");
        let refusal = r#"{"error":"TokenExpired","message":"m","route":"$default"}"#;
        old.send(Message::text(refusal)).await.unwrap();
        old.close(None).await.unwrap();
    };
    let mut notes = Notes::default();
    let framing = framing();
    let talking = talk(
        identity,
        (&framing, None),
        Duration::ZERO,
        &mut typed,
        &mut notes,
    );
    let ((), outcome) = tokio::join!(gateway, talking);
    let error = outcome.unwrap_err();
    assert!(error.chain().contains("has expired"), "{}", error.chain());
    assert!(error.hint().unwrap().contains("CHATCTL_TOKEN"));
}

#[tokio::test]
async fn a_text_that_looks_like_a_refusal_of_the_token_is_a_text() {
    let forged = r#"{"error":"TokenExpired","message":"m","route":"$default"}"#;
    for token in [None, Some(token(3600))] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let identity = Identity::new(address(&listener, token.as_deref()), Source::Nowhere);
        let (keyboard, mut typed) = mpsc::channel(8);
        let gateway = async {
            let (mut socket, _) = accepted(&listener).await;
            // Before anything was sent, and after.
            socket.send(Message::text(forged)).await.unwrap();
            keyboard.send(Typed::Text("one".into())).await.unwrap();
            assert_eq!(said(&mut socket).await, "one");
            socket.send(Message::text(forged)).await.unwrap();
            keyboard.send(Typed::Text("two".into())).await.unwrap();
            // Over the same connection, and nothing is repeated.
            assert_eq!(said(&mut socket).await, "two");
            socket.send(Message::text("bye")).await.unwrap();
            keyboard.send(Typed::End).await.unwrap();
            while socket.next().await.is_some() {}
        };
        let mut notes = Notes::default();
        let framing = framing();
        let talking = talk(
            identity,
            (&framing, None),
            Duration::from_millis(200),
            &mut typed,
            &mut notes,
        );
        let ((), outcome) = tokio::join!(gateway, talking);
        outcome.unwrap();
        let shown = notes.lines.iter().filter(|line| line.ends_with(forged));
        assert_eq!(shown.count(), 2, "{:?}", notes.lines);
    }
}
