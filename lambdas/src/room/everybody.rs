//! Posts to a room, or a shard, without a successor: members for whom there is no time are dropped.

use futures_util::stream::{self, Stream};
use serde_json::json;

use super::{Audience, INLINE_RECEIVERS, Rest, RoomPost, Tally};
use crate::delivery::Delivery;
use crate::log::reasons;
use crate::shard::Shard;
use crate::store::{ConnectionStore, Device, StoreError};

impl<S: ConnectionStore, D: Delivery> RoomPost<'_, S, D> {
    /// Posts the message to every member of the room, however large it is, as long as there is time.
    ///
    /// Needs `dynamodb:Query`, `dynamodb:DeleteItem` and `execute-api:ManageConnections` (`POST` only).
    ///
    /// # Errors
    /// [`StoreError`] if the room could not be read, before any post.
    pub async fn post_to_everybody(&self) -> Result<Tally, StoreError> {
        match self.audience(INLINE_RECEIVERS).await? {
            Audience::Few(members) => Ok(self.post_to_few(stream::iter(members)).await),
            Audience::Many => {
                let mut tally = Tally::default();
                for shard in Shard::all() {
                    tally = tally.and(self.serve_shard(shard).await);
                }
                Ok(tally)
            }
        }
    }

    /// Posts the message to `receivers`.
    pub(crate) async fn post_to_few(&self, receivers: impl Stream<Item = Device>) -> Tally {
        let (tally, rest) = self.post_to(Vec::new(), receivers).await;
        self.give_up(tally, &rest)
    }

    /// Posts the message to every member of `shard`. Other members already have it, so an unreadable shard is no error.
    pub(crate) async fn serve_shard(&self, shard: Shard) -> Tally {
        let (tally, read) = self.post_to_shard(shard, Rest::everybody()).await;
        match read {
            Ok(rest) => self.give_up(tally, &rest),
            Err(error) => {
                let fields = [
                    ("shard", json!(shard.number())),
                    ("reason", json!(reasons(&error))),
                ];
                self.log.error("shard not served", fields);
                tally
            }
        }
    }
}
