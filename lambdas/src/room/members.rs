//! Who is in a room: a few who are known at once, or a shard's members page by page.

use futures_util::future::{join, try_join_all};
use futures_util::stream;
use futures_util::stream::StreamExt as _;
use tokio::sync::mpsc;

use super::{RoomPost, Tally};
use crate::delivery::Delivery;
use crate::shard::Shard;
use crate::store::{ConnectionStore, Device, Page, PageStart, StoreError};

/// Who is in a room, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    Few(Vec<Device>),
    /// More than were asked for.
    Many,
}

impl<S: ConnectionStore, D: Delivery> RoomPost<'_, S, D> {
    /// Reads all shards of the room at the same time, and stops as soon as there are more than `at_most` members.
    ///
    /// # Errors
    /// [`StoreError`] when one of the shards could not be read.
    pub async fn audience(&self, at_most: usize) -> Result<Audience, StoreError> {
        let mut members = Vec::new();
        let mut unread: Vec<_> = Shard::all().map(|shard| (shard, None)).into();
        while !unread.is_empty() {
            let pages = unread.drain(..).map(|(shard, start)| async move {
                let page = self.page(shard, start).await?;
                Ok::<_, StoreError>((shard, page))
            });
            for (shard, page) in try_join_all(pages).await? {
                members.extend(page.members);
                unread.extend(page.next.map(|next| (shard, Some(next))));
            }
            if members.len() > at_most {
                return Ok(Audience::Many);
            }
        }
        Ok(Audience::Few(members))
    }

    /// Posts the text to everybody in `shard`, whose next page is read while one is served.
    ///
    /// The result tells whether all of the shard was read; who was found before has been served in any case.
    pub async fn post_to_shard(&self, shard: Shard) -> (Tally, Result<(), StoreError>) {
        let (pages, queue) = mpsc::channel(1);
        let read = async move {
            let mut start = None;
            // The place comes before the page, so that no more than one page ever waits.
            while let Ok(place) = pages.reserve().await {
                let page = self.page(shard, start).await?;
                place.send(page.members);
                match page.next {
                    Some(next) => start = Some(next),
                    None => break,
                }
            }
            Ok(())
        };
        let members = stream::unfold(queue, async |mut queue| Some((queue.recv().await?, queue)))
            .flat_map(stream::iter);
        let (read, tally) = join(read, self.post_to(members)).await;
        (tally, read)
    }

    async fn page(&self, shard: Shard, start: Option<PageStart>) -> Result<Page, StoreError> {
        let now = self.invocation.now;
        let mut page = self.store.members(self.room, shard, now, start).await?;
        page.members
            .retain(|member| member.connection != *self.except);
        Ok(page)
    }
}
