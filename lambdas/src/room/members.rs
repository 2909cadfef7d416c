//! The members of a room: a few at once, or a shard's page by page.

use futures_util::future::{Either, select};
use futures_util::stream;
use futures_util::stream::StreamExt as _;
use tokio::sync::mpsc;

use super::people::all_up_to;
use super::{Rest, RoomPost, Tally};
use crate::delivery::Delivery;
use crate::shard::Shard;
use crate::store::{ConnectionStore, Device, Page, PageStart, StoreError};

/// The members of a room, up to a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// All of them.
    Few(Vec<Device>),
    /// More than the limit.
    Many,
}

impl<S: ConnectionStore, D: Delivery> RoomPost<'_, S, D> {
    /// Reads all shards of the room at the same time, and stops as soon as there are more than `at_most` members.
    ///
    /// # Errors
    /// [`StoreError`] if one of the shards could not be read.
    pub async fn audience(&self, at_most: usize) -> Result<Audience, StoreError> {
        let members = all_up_to(at_most, |shard, start| async move {
            let page = self.page(shard, start).await?;
            Ok((page.members, page.next))
        });
        Ok(members.await?.map_or(Audience::Many, Audience::Few))
    }

    /// Posts the message to `from.postponed` and to every member of `shard` after `from.last`. The next page is read
    /// while one is served.
    ///
    /// Returns the remaining members, or that the shard could not be read to its end. The members found before have
    /// been served in any case.
    pub async fn post_to_shard(
        &self,
        shard: Shard,
        from: Rest,
    ) -> (Tally, Result<Rest, StoreError>) {
        let (pages, queue) = mpsc::channel(1);
        let mut start = from.last.clone().map(PageStart);
        let mut read = Box::pin(async move {
            // The slot comes before the page, so that at most one page ever waits.
            while let Ok(place) = pages.reserve().await {
                let page = self.page(shard, start).await?;
                place.send(page.members);
                match page.next {
                    Some(next) => start = Some(next),
                    None => break,
                }
            }
            Ok(())
        });
        let members = stream::unfold(queue, async |mut queue| Some((queue.recv().await?, queue)))
            .flat_map(stream::iter);
        let mut posted = Box::pin(self.post_to(from.postponed, members));
        // When all posts are made for which there is time, a page that is still being read is not needed.
        let (tally, mut rest, read) = match select(&mut read, &mut posted).await {
            Either::Left((read, _)) => {
                let (tally, rest) = posted.await;
                (tally, rest, read)
            }
            Either::Right(((tally, rest), _)) => (tally, rest, Ok(())),
        };
        rest.last = rest.last.or(from.last);
        (tally, read.map(|()| rest))
    }

    async fn page(&self, shard: Shard, start: Option<PageStart>) -> Result<Page, StoreError> {
        let now = self.invocation.now;
        let mut page = self.store.members(self.room, shard, now, start).await?;
        page.members
            .retain(|member| member.connection != *self.except);
        Ok(page)
    }
}
