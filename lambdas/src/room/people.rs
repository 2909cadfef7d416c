//! Who is in a room.

use futures_util::future::try_join_all;

use super::INLINE_RECEIVERS;
use crate::session::Room;
use crate::shard::Shard;
use crate::store::{ConnectionStore, Member, StoreError};

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
    let mut people = Vec::new();
    let mut unread: Vec<_> = Shard::all().map(|shard| (shard, None)).into();
    while !unread.is_empty() {
        let pages = unread.drain(..).map(|(shard, start)| async move {
            let page = store.people(room, shard, now, start).await?;
            Ok::<_, StoreError>((shard, page))
        });
        for (shard, page) in try_join_all(pages).await? {
            people.extend(page.members);
            unread.extend(page.next.map(|next| (shard, Some(next))));
        }
        if people.len() > at_most {
            return Ok(None);
        }
    }
    Ok(Some(people))
}
