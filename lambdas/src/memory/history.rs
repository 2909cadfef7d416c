//! The entries of conversations, in memory.

use super::MemoryStore;
use super::call::Call;
use super::kept::StoredEntry;
use crate::history::{Conversation, Found, History, Line, Lines, Order, Section, Ulid};
use crate::store::StoreError;

impl History for MemoryStore {
    async fn keep(
        &self,
        conversation: &Conversation,
        line: &Line,
        expires_at: u64,
    ) -> Result<(), StoreError> {
        let key = (conversation.partition(), line.id);
        let kept = StoredEntry {
            frame: Some(line.frame.clone()),
            notice: None,
            expires_at,
        };
        self.call(Call::Keep, |table| {
            table.kept.insert(key, kept);
        })
    }

    async fn read(
        &self,
        conversation: &Conversation,
        section: Section,
        now: u64,
    ) -> Result<Lines, StoreError> {
        let partition = conversation.partition();
        self.call(Call::ReadHistory, |table| {
            let range = (partition.clone(), section.first)..=(partition, section.last);
            let rows = table.kept.range(range);
            let most = usize::from(section.rows);
            let rows: Vec<_> = match section.order {
                Order::OldestFirst => rows.take(most).collect(),
                Order::NewestFirst => rows.rev().take(most).collect(),
            };
            // A page is full before it is known whether it was the last one, as in DynamoDB.
            let at = rows
                .last()
                .filter(|_| rows.len() == most)
                .map(|((_, id), _)| *id);
            let visible = rows.into_iter().filter(|(_, kept)| kept.expires_at > now);
            let lines = visible.filter_map(|((_, id), kept)| {
                let frame = kept.frame.clone()?;
                Some(Line { id: *id, frame })
            });
            Lines {
                lines: lines.collect(),
                at,
            }
        })
    }

    async fn find(
        &self,
        conversation: &Conversation,
        id: Ulid,
        now: u64,
    ) -> Result<Option<Found>, StoreError> {
        let key = (conversation.partition(), id);
        self.call(Call::FindKept, |table| {
            let kept = table.kept.get(&key).filter(|kept| kept.expires_at > now)?;
            let expires_at = kept.expires_at;
            match (&kept.frame, &kept.notice) {
                (Some(frame), _) => Some(Found::Kept {
                    frame: frame.clone(),
                    expires_at,
                }),
                (None, notice) => Some(Found::Erased {
                    notice: notice.clone()?,
                    expires_at,
                }),
            }
        })
    }

    async fn erase(
        &self,
        conversation: &Conversation,
        id: Ulid,
        notice: &Line,
        expires_at: u64,
    ) -> Result<bool, StoreError> {
        let key = (conversation.partition(), id);
        self.call(Call::Erase, |table| {
            let Some(kept) = table.kept.get_mut(&key).filter(|kept| kept.frame.is_some()) else {
                return false;
            };
            *kept = StoredEntry {
                frame: None,
                notice: Some(notice.clone()),
                expires_at,
            };
            true
        })
    }
}
