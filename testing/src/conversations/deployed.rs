//! Scripts over real sockets, to a stack that is deployed somewhere.

use std::collections::BTreeMap;

use super::script::Party;
use super::world::{Fault, Handshake, Welcome, World};
use crate::Client;
use crate::until::{TIMEOUT, within};

/// A stack that reports when nothing is under way in it.
#[expect(
    async_fn_in_trait,
    reason = "played on one task by a test; no caller needs the futures to be Send"
)]
pub trait Deployed {
    /// Returns when everything that was done has had its effects: `open` connections are left, `sent` messages were
    /// sent and `ended` connections ended until now, each since the stack was deployed.
    ///
    /// # Errors
    /// When that point was not reached in time.
    async fn quiet(&self, open: usize, sent: usize, ended: usize) -> Result<(), Fault>;

    /// The same, when functions that wait on purpose have ended, too.
    ///
    /// # Errors
    /// As of [`quiet`](Self::quiet).
    async fn settled(&self, open: usize, sent: usize, ended: usize) -> Result<(), Fault> {
        self.quiet(open, sent, ended).await
    }
}

/// A deployed stack, and the parties that are connected to it.
#[derive(Debug)]
pub struct OverSockets<D> {
    /// The stack.
    pub deployed: D,
    /// Messages that were sent so far.
    pub sent: usize,
    /// Connections that have ended so far.
    pub ended: usize,
    endpoint: String,
    open: BTreeMap<Party, Client>,
}

impl<D: Deployed> OverSockets<D> {
    /// Over `deployed`, whose clients connect to `endpoint`.
    pub fn new(deployed: D, endpoint: String) -> Self {
        Self {
            deployed,
            sent: 0,
            ended: 0,
            endpoint,
            open: BTreeMap::new(),
        }
    }

    /// Ends the connections that a failed script has left.
    ///
    /// # Errors
    /// As of [`Deployed::quiet`].
    pub async fn clear(&mut self) -> Result<(), Fault> {
        self.ended += std::mem::take(&mut self.open).len();
        self.quiet().await
    }

    async fn quiet(&self) -> Result<(), Fault> {
        let open = self.open.len();
        self.deployed.quiet(open, self.sent, self.ended).await
    }

    fn client(&mut self, party: &Party) -> &mut Client {
        let open = self.open.get_mut(party);
        open.expect("the player knows who is connected")
    }

    fn remove(&mut self, party: &Party) -> Client {
        self.ended += 1;
        let open = self.open.remove(party);
        open.expect("the player knows who is connected")
    }
}

impl<D: Deployed> World for OverSockets<D> {
    async fn connect(&mut self, party: &Party, handshake: &Handshake) -> Result<Welcome, Fault> {
        match Client::open(&self.endpoint, handshake.headers()).await {
            Ok(client) => {
                self.open.insert(party.clone(), client);
                Ok(Welcome::Accepted)
            }
            Err(error) => Ok(Welcome::Refused(error.to_string())),
        }
    }

    async fn send(&mut self, party: &Party, text: &str) -> Result<(), Fault> {
        self.sent += 1;
        Ok(self.client(party).try_send(text).await?)
    }

    async fn next_frame(&mut self, party: &Party) -> Result<Option<String>, Fault> {
        let next = self.client(party).next_text();
        match tokio::time::timeout(TIMEOUT, next).await {
            Ok(text) => Ok(Some(text?.to_string())),
            Err(_elapsed) => Ok(None),
        }
    }

    async fn arrived_frame(&mut self, party: &Party) -> Result<Option<String>, Fault> {
        let arrived = self.client(party).arrived();
        Ok(arrived.map(|text| text.to_string()))
    }

    async fn disconnect(&mut self, party: &Party) -> Result<(), Fault> {
        self.disconnect_all(std::slice::from_ref(party)).await
    }

    async fn disconnect_all(&mut self, parties: &[Party]) -> Result<(), Fault> {
        for party in parties {
            within(self.remove(party).end()).await?;
        }
        self.quiet().await
    }

    async fn vanish(&mut self, party: &Party) -> Result<(), Fault> {
        // Its TCP connection closes without a close frame.
        drop(self.remove(party));
        self.quiet().await
    }

    async fn settle(&mut self) -> Result<(), Fault> {
        let open = self.open.len();
        self.deployed.settled(open, self.sent, self.ended).await?;
        for client in self.open.values_mut() {
            client.read_up_to_a_pong().await?;
        }
        Ok(())
    }
}
