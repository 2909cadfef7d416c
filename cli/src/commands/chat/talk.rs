//! The conversation: connects, sends what is typed, shows what is received, connects again.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::frame::Framing;
use crate::error::CommandError;
use chatctl_deploy::engine::client::{Address, Connection, connect, pause};

/// What comes from the keyboard, or from the pipe.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Text(String),
    /// The end of the input; answers may still be received.
    End,
    Quit,
    Interrupt,
}

/// Where the conversation is shown.
pub(super) trait View {
    /// Shows a text that came in. `false` when its reader has gone.
    fn received(&mut self, text: &str) -> bool;

    /// The connection's state has changed.
    fn state(&mut self, state: State, words: &str);

    /// A text was not sent, or may not have arrived.
    fn trouble(&mut self, words: &str);
}

/// The connection's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Connecting,
    Open,
    Closed,
    /// The chat cannot be reached; another attempt follows.
    Waiting,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Waiting => "waiting",
        }
    }
}

/// How the talk ends, failures aside.
enum Leave {
    Done,
    Interrupted,
}

/// After a connection that lasted this long, the next attempt follows soon.
const GOOD: Duration = Duration::from_secs(10);

/// After the end of the input, a gateway that cannot be reached is tried this many times.
const LAST_ATTEMPTS: u32 = 5;

/// Talks until the user leaves.
///
/// # Errors
/// The first connection does not open; a later one is refused for good; the user interrupts.
pub(super) async fn talk(
    address: &Address,
    framing: &Framing,
    wait: Duration,
    typed: &mut mpsc::Receiver<Typed>,
    view: &mut impl View,
) -> Result<(), CommandError> {
    let mut talk = Talk {
        framing,
        wait,
        typed,
        view,
        unsent: VecDeque::new(),
        ended: false,
    };
    match talk.connections(address).await? {
        Leave::Done => Ok(()),
        Leave::Interrupted => Err(chatctl_deploy::engine::TargetError::interrupted().into()),
    }
}

struct Talk<'a, V> {
    framing: &'a Framing,
    wait: Duration,
    typed: &'a mut mpsc::Receiver<Typed>,
    view: &'a mut V,
    /// Frames that wait for a connection.
    unsent: VecDeque<String>,
    ended: bool,
}

impl<V: View> Talk<'_, V> {
    async fn connections(&mut self, address: &Address) -> Result<Leave, CommandError> {
        let mut was_open = false;
        let mut attempt = 0;
        self.view
            .state(State::Connecting, &format!("to {}", address.url));
        loop {
            let next = pause(attempt, random());
            match self.meanwhile(connect(address)).await {
                Err(leave) => return Ok(leave),
                Ok(Ok(connection)) => {
                    was_open = true;
                    self.view.state(State::Open, "");
                    let since = Instant::now();
                    if let Some(leave) = self.converse(connection).await {
                        return Ok(leave);
                    }
                    if self.ended && self.unsent.is_empty() {
                        return Ok(Leave::Done);
                    }
                    if since.elapsed() > GOOD {
                        attempt = 0;
                    }
                }
                Ok(Err(error)) if !was_open || !error.may_pass() => return Err(error.into()),
                Ok(Err(error)) if self.ended && attempt >= LAST_ATTEMPTS => {
                    return Err(error.into());
                }
                Ok(Err(error)) => {
                    let words = format!("{:.1} s to try again: {error}", next.as_secs_f64());
                    self.view.state(State::Waiting, &words);
                }
            }
            attempt += 1;
            if let Err(leave) = self.meanwhile(tokio::time::sleep(next)).await {
                return Ok(leave);
            }
        }
    }

    /// Waits for `work`, and takes in meanwhile what is typed.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Leave> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                typed = self.typed.recv(), if !self.ended => self.take(typed)?,
                () = chatctl_deploy::interrupt::requested() => return Err(Leave::Interrupted),
            }
        }
    }

    /// Sends and receives until the connection is closed, or the user leaves.
    async fn converse(&mut self, mut connection: Connection) -> Option<Leave> {
        let mut last = Instant::now();
        loop {
            while let Some(frame) = self.unsent.pop_front() {
                if let Err(closed) = connection.send(&frame).await {
                    self.view.state(State::Closed, &closed.to_string());
                    self.view
                        .trouble("your last message may not have arrived: it is not sent again");
                    return None;
                }
                last = Instant::now();
            }
            let outcome = tokio::select! {
                received = connection.recv() => match received {
                    Ok(text) => {
                        last = Instant::now();
                        if self.view.received(&text) { Ok(()) } else { Err(Leave::Done) }
                    }
                    Err(closed) => {
                        self.view.state(State::Closed, &closed.to_string());
                        return None;
                    }
                },
                typed = self.typed.recv(), if !self.ended => self.take(typed),
                () = tokio::time::sleep_until(last + self.wait), if self.ended => Err(Leave::Done),
                () = chatctl_deploy::interrupt::requested() => Err(Leave::Interrupted),
            };
            if let Err(leave) = outcome {
                connection.close().await;
                self.view.state(State::Closed, "");
                return Some(leave);
            }
        }
    }

    fn take(&mut self, typed: Option<Typed>) -> Result<(), Leave> {
        match typed {
            Some(Typed::Text(text)) => match self.framing.frame(&text) {
                Ok(frame) => self.unsent.push_back(frame),
                Err(words) => self.view.trouble(&words),
            },
            Some(Typed::End) | None => self.ended = true,
            Some(Typed::Quit) => return Err(Leave::Done),
            Some(Typed::Interrupt) => return Err(Leave::Interrupted),
        }
        Ok(())
    }
}

/// In 0..1.
fn random() -> f64 {
    let mut bytes = [0u8; 2];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{SinkExt, StreamExt};
    use tokio::net::TcpListener;
    use tokio_tungstenite::tungstenite::Message;

    /// Writes down what is shown, and signals each connection that opens.
    #[derive(Default)]
    struct Notes {
        lines: Vec<String>,
        opened: Option<mpsc::Sender<()>>,
    }

    impl View for Notes {
        fn received(&mut self, text: &str) -> bool {
            self.lines.push(format!("< {text}"));
            true
        }
        fn state(&mut self, state: State, words: &str) {
            if let (State::Open, Some(opened)) = (state, &self.opened) {
                // The test waits for the first one only.
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
        Framing::of(&settings.unwrap(), None).unwrap()
    }

    fn address(listener: &TcpListener) -> Address {
        Address {
            url: format!("ws://{}/v1", listener.local_addr().unwrap()),
            handshake: chat_protocol::Handshake::default(),
        }
    }

    #[tokio::test]
    async fn a_lost_connection_is_opened_again_and_what_was_typed_meanwhile_is_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = address(&listener);
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
        let talking = talk(&address, &framing, wait, &mut typed, &mut notes);
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
        let address = address(&listener);
        drop(listener);
        let (_keyboard, mut typed) = mpsc::channel(1);
        let mut notes = Notes::default();
        let error = talk(&address, &framing(), Duration::ZERO, &mut typed, &mut notes).await;
        assert_eq!(error.unwrap_err().exit, 3);
    }

    #[tokio::test]
    async fn quitting_closes_the_connection_and_interrupting_exits_with_130() {
        for (typed_last, exit) in [(Typed::Quit, None), (Typed::Interrupt, Some(130))] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = address(&listener);
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
            let talking = talk(&address, &framing, Duration::ZERO, &mut typed, &mut notes);
            let (goodbye, outcome) = tokio::join!(gateway, talking);
            assert!(goodbye.is_close());
            assert_eq!(outcome.err().map(|error| error.exit), exit);
        }
    }
}
