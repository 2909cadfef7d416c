//! A person at a terminal.

use chat_protocol::{Field, Handshake};
use testing::Client;
use testing::until::within;
use tokio_tungstenite::tungstenite::Error;

/// What a sender gets whose friend is not there.
pub(crate) use chat_protocol::FRIEND_NOT_REACHABLE as NOTICE;

pub(crate) struct Person(Client);

impl Person {
    pub(crate) async fn connects(url: &str, from: &str, to: &str) -> Result<Self, Error> {
        Self::connects_with(url, &Handshake::between(from, to)).await
    }

    pub(crate) async fn enters(url: &str, room: &str) -> Result<Self, Error> {
        Self::connects_with(url, &Handshake::default().with(Field::Room, room)).await
    }

    /// Enters `room` under a name.
    pub(crate) async fn enters_as(url: &str, name: &str, room: &str) -> Result<Self, Error> {
        let handshake = Handshake::default().with(Field::From, name);
        Self::connects_with(url, &handshake.with(Field::Room, room)).await
    }

    async fn connects_with(url: &str, handshake: &Handshake) -> Result<Self, Error> {
        Client::open(url, handshake.headers()).await.map(Self)
    }

    pub(crate) async fn says(&mut self, text: &str) {
        self.0.send(text).await;
    }

    /// The next text, or a panic when none comes.
    pub(crate) async fn receives(&mut self) -> String {
        within(self.0.next_text()).await.unwrap().to_string()
    }

    /// Closes the connection; returns the texts that came before the other side closed it.
    pub(crate) async fn leaves(mut self) -> Vec<String> {
        let texts = within(self.0.end()).await.unwrap();
        texts.iter().map(ToString::to_string).collect()
    }
}

/// Two friends exchange a message each.
pub(crate) async fn two_friends_chat(url: &str) {
    let mut tom = Person::connects(url, "Tom", "Jerry").await.unwrap();
    let mut jerry = Person::connects(url, "Jerry", "Tom").await.unwrap();
    tom.says("hi").await;
    assert_eq!(jerry.receives().await, "hi");
    jerry.says("hi yourself").await;
    assert_eq!(tom.receives().await, "hi yourself");
    assert_eq!(tom.leaves().await, [""; 0]);
    assert_eq!(jerry.leaves().await, [""; 0]);
}
