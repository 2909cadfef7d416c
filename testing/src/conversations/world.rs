//! What an implementation offers so that scripts can be played over it.

use std::error::Error;

pub use chat_protocol::Handshake;

use super::script::Party;

/// Something went wrong in the implementation itself, not in the conversation.
pub type Fault = Box<dyn Error + Send + Sync>;

/// How a handshake ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Welcome {
    /// The connection is open.
    Accepted,
    /// There is no connection. The text is only shown; scripts do not look into
    /// it, because gateways with and without an authorizer refuse differently.
    Refused(String),
}

/// One implementation of the chat, with the clients that talk to it.
///
/// Each [`Party`] has at most one connection; the player never connects a party twice.
#[expect(
    async_fn_in_trait,
    reason = "played on one task by a test; no caller needs the futures to be Send"
)]
pub trait World {
    /// Opens `party`'s connection.
    ///
    /// # Errors
    /// When there was no answer at all. A refusal is an answer.
    async fn connect(&mut self, party: &Party, handshake: &Handshake) -> Result<Welcome, Fault>;

    /// Sends one text message over `party`'s connection.
    ///
    /// # Errors
    /// When it could not be put on the wire.
    async fn send(&mut self, party: &Party, text: &str) -> Result<(), Fault>;

    /// Waits for the next frame that reaches `party`.
    ///
    /// `None` when none came before the implementation's own deadline. Only a
    /// failing script ever waits that long, so it may be generous.
    ///
    /// # Errors
    /// When the connection broke.
    async fn next_frame(&mut self, party: &Party) -> Result<Option<String>, Fault>;

    /// The next frame that has already reached `party`, without waiting for one.
    ///
    /// # Errors
    /// When the connection broke.
    async fn arrived_frame(&mut self, party: &Party) -> Result<Option<String>, Fault>;

    /// Closes `party`'s connection as a client does, and returns when nothing can be posted to it any more.
    ///
    /// # Errors
    /// When the close could not be completed.
    async fn disconnect(&mut self, party: &Party) -> Result<(), Fault>;

    /// Closes the connections of all `parties`, and returns when nothing can be posted to any of them.
    ///
    /// One after another, unless an implementation can wait for all of them at once.
    ///
    /// # Errors
    /// When one of them could not be closed.
    async fn disconnect_all(&mut self, parties: &[Party]) -> Result<(), Fault> {
        for party in parties {
            self.disconnect(party).await?;
        }
        Ok(())
    }

    /// Ends `party`'s connection without a goodbye.
    ///
    /// When this returns, nothing can be posted to it any more. Whether the
    /// handlers get is up to the gateway; scripts hold either way.
    ///
    /// # Errors
    /// When the connection could not be ended.
    async fn vanish(&mut self, party: &Party) -> Result<(), Fault>;

    /// Returns when everything done so far has had all its effects, so that a frame not here now will never come.
    ///
    /// This is the fence that makes `receives nothing` a fact instead of a
    /// guess. Fakes that finish each step at once have nothing to do. Over
    /// sockets, wait until every invocation caused so far has ended, then ping
    /// every open connection and read up to the pong.
    ///
    /// # Errors
    /// When that point was not reached before the implementation's deadline.
    async fn settle(&mut self) -> Result<(), Fault>;
}
