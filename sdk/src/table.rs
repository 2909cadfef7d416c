//! A handler's items, which persist between messages.

use chat_lambdas::items::Items as _;

use crate::ChatError;
use crate::error::HandlerKind;
use crate::services::{Services, over};

/// Strings and counters by your own keys, in the chat's table. All handlers of a chat share them, and they stay until
/// they are removed.
///
/// A key has a string and a counter. They never collide with the chat's own items.
#[derive(Debug, Clone)]
pub struct Table {
    pub(crate) services: Services,
    pub(crate) name: String,
    pub(crate) kind: HandlerKind,
}

/// The missing entry of a route's list `permissions`, for one action on the table.
macro_rules! grant {
    ($action:literal) => {
        concat!("{ actions = [\"", $action, "\"], resources = [\"table\"] }")
    };
}

impl Table {
    /// The table's name, for requests of your own.
    ///
    /// ```
    /// # use chat_sdk::fake::FakeChat;
    /// assert_eq!(FakeChat::new().table().name(), "memory");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The string at `key`, if there is one. It includes all earlier writes.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn topic(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     let topic = chat.table().read(&format!("topic of {}", message.room())).await?;
    ///     Ok(topic.unwrap_or_else(|| "anything".to_owned()).into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, "topic?", topic).unwrap().text(), Some("anything"));
    /// ```
    ///
    /// # Errors
    /// [`ChatError`] when the route does not grant `dynamodb:GetItem` on `table`, or the table cannot be read.
    pub async fn read(&self, key: &str) -> Result<Option<String>, ChatError> {
        let read = over!(&self.services, |_, items, _, _| items.read(key).await);
        read.map_err(|error| ChatError::from_table(error, grant!("dynamodb:GetItem"), self.kind))
    }

    /// Replaces the item at `key`, including a counter, by the string `value`.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn set_topic(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    ///     chat.table().write("topic", message.text()).await?;
    ///     Ok(chat.table().read("topic").await?.unwrap_or_default().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, "cooking", set_topic).unwrap().text(), Some("cooking"));
    /// ```
    ///
    /// # Errors
    /// [`ChatError`] when the route does not grant `dynamodb:PutItem` on `table`, or the table cannot be written.
    pub async fn write(&self, key: &str, value: &str) -> Result<(), ChatError> {
        let written = over!(&self.services, |_, items, _, _| items
            .write(key, value)
            .await);
        written.map_err(|error| ChatError::from_table(error, grant!("dynamodb:PutItem"), self.kind))
    }

    /// Removes string and counter at `key`. A missing item is no error.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn forget(chat: &Chat, _: &Message) -> Result<Reply, Error> {
    ///     chat.table().write("topic", "cooking").await?;
    ///     chat.table().remove("topic").await?;
    ///     Ok(format!("{:?}", chat.table().read("topic").await?).into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, "forget", forget).unwrap().text(), Some("None"));
    /// ```
    ///
    /// # Errors
    /// [`ChatError`] when the route does not grant `dynamodb:DeleteItem` on `table`, or the table cannot be written.
    pub async fn remove(&self, key: &str) -> Result<(), ChatError> {
        let removed = over!(&self.services, |_, items, _, _| items.remove(key).await);
        removed
            .map_err(|error| ChatError::from_table(error, grant!("dynamodb:DeleteItem"), self.kind))
    }

    /// Adds `by` to the counter at `key`, which starts at 0, and returns the new value. Concurrent additions all count.
    ///
    /// ```
    /// # use chat_sdk::{Chat, Error, Message, Reply, fake::FakeChat};
    /// async fn take_two(chat: &Chat, _: &Message) -> Result<Reply, Error> {
    ///     chat.table().count("taken", 2).await?;
    ///     Ok(chat.table().count("taken", 0).await?.to_string().into())
    /// }
    /// let chat = FakeChat::new();
    /// let tom = chat.connect("Tom", "kitchen");
    /// assert_eq!(chat.send(&tom, "two", take_two).unwrap().text(), Some("2"));
    /// ```
    ///
    /// # Errors
    /// [`ChatError`] if the route does not grant `dynamodb:UpdateItem` on `table`, or the table cannot be written.
    /// Without a response, and after a fault of DynamoDB (status 500 and above), the addition may have been made. It is not
    /// sent again then, so it is never made twice: call this again if a number too large is better than one too small.
    pub async fn count(&self, key: &str, by: i64) -> Result<i64, ChatError> {
        let counted = over!(&self.services, |_, items, _, _| items.count(key, by).await);
        counted
            .map_err(|error| ChatError::from_table(error, grant!("dynamodb:UpdateItem"), self.kind))
    }
}
