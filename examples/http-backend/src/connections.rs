//! The open connections, and posts to them.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::error::{DisplayErrorContext, SdkError};
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use futures_util::future::join_all;

/// All open connections since this process started. Keep them in a database if they must survive a restart.
#[derive(Debug)]
pub(crate) struct Connections {
    client: Client,
    ids: Mutex<BTreeSet<String>>,
}

impl Connections {
    /// No connections yet. `client` posts to them.
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            ids: Mutex::default(),
        }
    }

    /// Adds a new connection.
    pub(crate) fn add(&self, id: String) {
        self.ids().insert(id);
    }

    /// Removes a closed connection.
    pub(crate) fn forget(&self, id: &str) {
        self.ids().remove(id);
    }

    /// Posts `frame` to all connections except `sender`. Closed ones are removed and do not stop the others.
    ///
    /// # Errors
    /// The first failure that does not mean a closed connection. The others have received the frame.
    pub(crate) async fn post_to_others(&self, sender: &str, frame: String) -> Result<(), String> {
        // Copied, because the lock must not be held during the posts.
        let others: Vec<String> = self
            .ids()
            .iter()
            .filter(|id| *id != sender)
            .cloned()
            .collect();
        let posts = others.iter().map(|id| self.post(id, &frame));
        join_all(posts).await.into_iter().collect()
    }

    async fn post(&self, id: &str, frame: &str) -> Result<(), String> {
        let post = self.client.post_to_connection().connection_id(id);
        match post.data(Blob::new(frame)).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_gone(&error) => {
                self.forget(id);
                Ok(())
            }
            Err(error) => Err(format!(
                "could not post to connection {id}: {}",
                DisplayErrorContext(error)
            )),
        }
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // A panic never leaves a set of ids half changed.
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_gone(error: &SdkError<PostToConnectionError>) -> bool {
    error
        .as_service_error()
        .is_some_and(PostToConnectionError::is_gone_exception)
}
