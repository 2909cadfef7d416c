//! The load generator: conversations over WebSockets, all on the calling thread.
//!
//! The same code drives the chat (two clients, each of which receives the other's messages) and the bare echo (one
//! client, which receives its own), so that the two can be compared.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chat_protocol::Handshake;
use chat_protocol::envelope::Envelope;
use futures_util::future::{join_all, try_join_all};
use testing::Client;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, Utf8Bytes};

use crate::sample::Sample;
use crate::tally::{Faults, Tally};

/// Longer than any response takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Why a load failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("could not connect to {url}")]
    Connect {
        url: String,
        source: Box<tungstenite::Error>,
    },
    #[error("the connection broke while messages were exchanged")]
    Broken(#[source] Box<tungstenite::Error>),
    #[error("the exchange stalled: {0}")]
    Stuck(Faults),
    #[error("not every message arrived once: {0}")]
    Faults(Faults),
    #[error("no messages were exchanged, so there are no times")]
    Empty,
}

impl From<tungstenite::Error> for LoadError {
    fn from(error: tungstenite::Error) -> Self {
        Self::Broken(Box::new(error))
    }
}

/// One open WebSocket of a client in the chat: the tests' client, which adds nothing to a message but one look at an
/// empty queue.
#[derive(Debug)]
pub(crate) struct ChatClient(Client);

/// Clients in a circle: each receives the messages of the previous one.
#[derive(Debug)]
pub(crate) struct Conversation {
    clients: Vec<ChatClient>,
    tally: Tally,
}

/// The times of a load.
#[derive(Debug)]
pub(crate) struct Load {
    /// The time of each lap.
    pub(crate) laps: Sample,
    pub(crate) messages: usize,
    pub(crate) elapsed: Duration,
}

impl Load {
    pub(crate) fn messages_per_second(&self) -> f64 {
        self.messages as f64 / self.elapsed.as_secs_f64()
    }
}

impl ChatClient {
    /// Opens a WebSocket to `ws://127.0.0.1:PORT/…` with the two names in its handshake.
    pub(crate) async fn open(url: &str, from: &str, to: &str) -> Result<Self, LoadError> {
        let handshake = Handshake::between(from, to);
        let client = Client::open(url, handshake.headers()).await;
        client.map(Self).map_err(|source| LoadError::Connect {
            url: url.to_owned(),
            source: Box::new(source),
        })
    }

    /// The underlying socket, for invalid frames.
    pub(crate) fn into_socket(self) -> TcpStream {
        self.0.stream.into_inner()
    }

    pub(crate) async fn close(mut self) -> Result<(), LoadError> {
        self.goodbye().await
    }

    /// Sends a close frame and waits for the reply.
    pub(crate) async fn goodbye(&mut self) -> Result<(), LoadError> {
        Ok(self.0.end().await.map(drop)?)
    }

    pub(crate) async fn send(&mut self, text: String) -> Result<(), LoadError> {
        Ok(self.0.try_send(text).await?)
    }

    /// The next text.
    pub(crate) async fn receive(&mut self) -> Result<Utf8Bytes, LoadError> {
        Ok(self.0.next_text().await?)
    }

    /// The texts that the server sent before its pong.
    pub(crate) async fn receive_the_rest(&mut self) -> Result<Vec<String>, LoadError> {
        self.0.read_up_to_a_pong().await?;
        let rest = std::iter::from_fn(|| self.0.arrived());
        Ok(rest.map(|text| text.to_string()).collect())
    }
}

impl Conversation {
    /// Two users, each on one connection.
    pub(crate) async fn with_two(url: &str, number: usize) -> Result<Self, LoadError> {
        let (a, b) = (format!("bench-{number}-a"), format!("bench-{number}-b"));
        let clients = vec![
            ChatClient::open(url, &a, &b).await?,
            ChatClient::open(url, &b, &a).await?,
        ];
        Ok(Self {
            clients,
            tally: Tally::new(number),
        })
    }

    /// One connection to a server that echoes its messages.
    pub(crate) async fn with_an_echo(server: SocketAddr, number: usize) -> Result<Self, LoadError> {
        let client = ChatClient::open(&format!("ws://{server}/"), "a", "a").await?;
        Ok(Self {
            clients: vec![client],
            tally: Tally::new(number),
        })
    }

    /// Sends messages one after another, the next when the last has arrived; returns the time of every lap.
    async fn play(&mut self, laps: usize, lap: usize) -> Result<Vec<Duration>, LoadError> {
        let mut times = Vec::with_capacity(laps);
        for _ in 0..laps {
            let started = Instant::now();
            for _ in 0..lap {
                let (number, text) = self.tally.sent();
                let count = self.clients.len();
                self.clients[number % count].send(text).await?;
                let receiver = &mut self.clients[(number + 1) % count];
                while self.tally.arrived(&text_of(&receiver.receive().await?)) != Some(number) {}
            }
            times.push(started.elapsed());
        }
        Ok(times)
    }

    async fn receive_the_rest(&mut self) -> Result<(), LoadError> {
        for client in &mut self.clients {
            for text in client.receive_the_rest().await? {
                self.tally.arrived(&text_of(&text));
            }
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<(), LoadError> {
        for client in &mut self.clients {
            client.goodbye().await?;
        }
        Ok(())
    }
}

/// The message in `frame`: in its envelope, or the frame itself.
fn text_of(frame: &str) -> Cow<'_, str> {
    match serde_json::from_str(frame) {
        Ok(Envelope::Message(message)) => Cow::Owned(message.text.into_owned()),
        _ => frame.into(),
    }
}

/// `count` conversations between two clients.
pub(crate) async fn pairs(url: &str, count: usize) -> Result<Vec<Conversation>, LoadError> {
    let mut pairs = Vec::with_capacity(count);
    for number in 0..count {
        pairs.push(Conversation::with_two(url, number).await?);
    }
    Ok(pairs)
}

/// Runs `laps` laps of `lap` messages in all conversations at once, each with one message in progress.
pub(crate) async fn play(
    conversations: &mut [Conversation],
    laps: usize,
    lap: usize,
) -> Result<Load, LoadError> {
    let messages = conversations.len() * laps * lap;
    let started = Instant::now();
    let all = join_all(conversations.iter_mut().map(|it| it.play(laps, lap)));
    let times = tokio::time::timeout(TIMEOUT, all).await;
    let elapsed = started.elapsed();
    let Ok(times) = times else {
        return Err(LoadError::Stuck(faults(conversations)));
    };
    let times: Vec<Vec<Duration>> = times.into_iter().collect::<Result<_, _>>()?;
    Ok(Load {
        laps: Sample::new(times.concat()).ok_or(LoadError::Empty)?,
        messages,
        elapsed,
    })
}

/// Receives the remaining messages, ends the conversations, and checks that every message arrived once.
///
/// No message may be in progress inside the server: only written ones are waited for.
pub(crate) async fn end(mut conversations: Vec<Conversation>) -> Result<(), LoadError> {
    let rest = async {
        try_join_all(conversations.iter_mut().map(Conversation::receive_the_rest)).await?;
        try_join_all(conversations.iter_mut().map(Conversation::close)).await
    };
    match tokio::time::timeout(TIMEOUT, rest).await {
        Ok(ended) => ended.map(drop)?,
        Err(_elapsed) => return Err(LoadError::Stuck(faults(&conversations))),
    }
    match faults(&conversations) {
        faults if faults.none() => Ok(()),
        faults => Err(LoadError::Faults(faults)),
    }
}

fn faults(conversations: &[Conversation]) -> Faults {
    conversations.iter().map(|it| it.tally.faults()).sum()
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::Message;

    use super::*;

    /// A server that answers every text with the texts that `answers` returns.
    async fn server(answers: fn(String) -> Vec<String>) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                tokio::spawn(async move {
                    while let Some(Ok(message)) = socket.next().await {
                        if let Message::Text(text) = message {
                            for answer in answers(text.to_string()) {
                                socket.send(Message::text(answer)).await.unwrap();
                            }
                        }
                    }
                });
            }
        });
        address
    }

    async fn faults_of(answers: fn(String) -> Vec<String>) -> Faults {
        let server = server(answers).await;
        let mut conversations = Vec::new();
        for number in 0..3 {
            let conversation = Conversation::with_an_echo(server, number).await;
            conversations.push(conversation.unwrap());
        }
        let load = play(&mut conversations, 5, 2).await.unwrap();
        assert_eq!((load.messages, load.laps.len()), (30, 15));
        match end(conversations).await {
            Ok(()) => Faults::default(),
            Err(LoadError::Faults(faults)) => faults,
            Err(error) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn a_correct_server_delivers_every_message_once() {
        assert!(faults_of(|text| vec![text]).await.none());
    }

    #[tokio::test]
    async fn every_repeated_message_is_noticed() {
        let faults = faults_of(|text| vec![text.clone(), text]).await;
        assert_eq!((faults.lost, faults.doubled), (0, 30));
    }

    #[tokio::test]
    async fn a_notice_among_the_messages_is_foreign() {
        let faults = faults_of(|text| vec!["Your friend is away".into(), text]).await;
        assert_eq!((faults.lost, faults.doubled), (0, 0));
        assert_eq!(faults.foreign.len(), 30);
    }
}
