//! Posts that nobody goes on with: what there is no time for is given up.

use futures_util::stream::{self, Stream};
use serde_json::json;

use super::{Audience, INLINE_RECEIVERS, Rest, RoomPost, Tally};
use crate::delivery::Delivery;
use crate::log::reasons;
use crate::shard::Shard;
use crate::store::{ConnectionStore, Device, StoreError};

impl<S: ConnectionStore, D: Delivery> RoomPost<'_, S, D> {
    /// Posts the text to everybody in the room, however many are in it, as long as there is time.
    ///
    /// Needs `dynamodb:Query`, `dynamodb:DeleteItem` and `execute-api:ManageConnections` (`POST` only).
    ///
    /// # Errors
    /// [`StoreError`] when the room could not be read: nobody has got anything then.
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

    /// Posts the text to `receivers`.
    pub(crate) async fn post_to_few(&self, receivers: impl Stream<Item = Device>) -> Tally {
        let (tally, rest) = self.post_to(Vec::new(), receivers).await;
        self.give_up(tally, &rest)
    }

    /// Posts the text to everybody in `shard`. Others have got it already, so a shard that cannot be read is no reason to fail.
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
