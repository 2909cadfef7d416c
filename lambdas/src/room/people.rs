//! Who is in a room.

use futures_util::future::try_join_all;

use super::INLINE_RECEIVERS;
use crate::session::Room;
use crate::shard::Shard;
use crate::store::{ConnectionStore, Member, PageStart, StoreError};

/// The members of `room` with their names; `None` if there are more than [`INLINE_RECEIVERS`].
///
/// Needs `dynamodb:Query`. A room costs what a message to it costs: one read of each of its shards at least.
///
/// # Errors
/// [`StoreError`] if one of the shards could not be read.
pub async fn people(
    room: &Room,
    now: u64,
    store: &impl ConnectionStore,
) -> Result<Option<Vec<Member>>, StoreError> {
    people_up_to(INLINE_RECEIVERS, room, now, store).await
}

/// The same with another limit.
///
/// # Errors
/// [`StoreError`] if one of the shards could not be read.
pub async fn people_up_to(
    at_most: usize,
    room: &Room,
    now: u64,
    store: &impl ConnectionStore,
) -> Result<Option<Vec<Member>>, StoreError> {
    all_up_to(at_most, |shard, start| async move {
        let page = store.people(room, shard, now, start).await?;
        Ok((page.members, page.next))
    })
    .await
}

/// The members that `page` reads of all shards, at the same time; `None` as soon as there are more than `at_most`.
pub(super) async fn all_up_to<M, P>(
    at_most: usize,
    page: impl Fn(Shard, Option<PageStart>) -> P,
) -> Result<Option<Vec<M>>, StoreError>
where
    P: Future<Output = Result<(Vec<M>, Option<PageStart>), StoreError>>,
{
    let mut members = Vec::new();
    let mut unread: Vec<_> = Shard::all().map(|shard| (shard, None)).into();
    while !unread.is_empty() {
        let pages = unread.drain(..).map(|(shard, start)| {
            let page = page(shard, start);
            async move { Ok::<_, StoreError>((shard, page.await?)) }
        });
        for (shard, (page, next)) in try_join_all(pages).await? {
            members.extend(page);
            unread.extend(next.map(|next| (shard, Some(next))));
        }
        if members.len() > at_most {
            return Ok(None);
        }
    }
    Ok(Some(members))
}
