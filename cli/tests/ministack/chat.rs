//! A person at a terminal.

use std::time::Duration;

use chat_protocol::{Field, Handshake};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

pub(crate) type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// How long something that must come may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What a sender is told whose friend is not there.
pub(crate) use chat_protocol::FRIEND_NOT_REACHABLE as NOTICE;

pub(crate) struct Person {
    socket: Socket,
}

impl Person {
    pub(crate) async fn connects(
        url: &str,
        from: &str,
        to: &str,
    ) -> Result<Self, tungstenite::Error> {
        Self::connects_with(url, &Handshake::between(from, to)).await
    }

    pub(crate) async fn enters(url: &str, room: &str) -> Result<Self, tungstenite::Error> {
        Self::connects_with(url, &Handshake::default().with(Field::Room, room)).await
    }

    async fn connects_with(url: &str, handshake: &Handshake) -> Result<Self, tungstenite::Error> {
        let mut request = url.into_client_request()?;
        for (name, value) in handshake.headers() {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        Ok(Self { socket })
    }

    pub(crate) async fn says(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next text, or a panic when none comes.
    pub(crate) async fn hears(&mut self) -> String {
        let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
        let message = next
            .expect("nothing is heard")
            .expect("the connection is open")
            .unwrap();
        message.into_text().unwrap().to_string()
    }

    /// Says goodbye; the answer is whatever was still heard before the other side's goodbye.
    pub(crate) async fn leaves(mut self) -> Vec<String> {
        self.socket.close(None).await.unwrap();
        let mut heard = Vec::new();
        let end = tokio::time::timeout(PATIENCE, async {
            while let Some(Ok(message)) = self.socket.next().await {
                if let Message::Text(text) = message {
                    heard.push(text.to_string());
                }
            }
        });
        end.await.expect("the other side says goodbye too");
        heard
    }
}

/// Two friends exchange a message each.
pub(crate) async fn two_friends_chat(url: &str) {
    let mut tom = Person::connects(url, "Tom", "Jerry").await.unwrap();
    let mut jerry = Person::connects(url, "Jerry", "Tom").await.unwrap();
    tom.says("hi").await;
    assert_eq!(jerry.hears().await, "hi");
    jerry.says("hi yourself").await;
    assert_eq!(tom.hears().await, "hi yourself");
    assert_eq!(tom.leaves().await, [""; 0]);
    assert_eq!(jerry.leaves().await, [""; 0]);
}
