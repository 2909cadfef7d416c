//! Messages that are kept, in a table that has changes of rooms announced: they are the table's alone.

use std::ops::Deref;

use super::Announcing;
use crate::history::{Conversation, Found, History, Line, Lines, Section, Ulid};
use crate::store::StoreError;

impl<P, A> History for Announcing<P, A>
where
    P: Deref + Sync,
    P::Target: History + Sync,
    A: Sync,
{
    async fn keep(
        &self,
        conversation: &Conversation,
        line: &Line,
        expires_at: u64,
    ) -> Result<(), StoreError> {
        self.store.keep(conversation, line, expires_at).await
    }

    async fn read(
        &self,
        conversation: &Conversation,
        section: Section,
        now: u64,
    ) -> Result<Lines, StoreError> {
        self.store.read(conversation, section, now).await
    }

    async fn find(
        &self,
        conversation: &Conversation,
        id: Ulid,
        now: u64,
    ) -> Result<Option<Found>, StoreError> {
        self.store.find(conversation, id, now).await
    }

    async fn erase(
        &self,
        conversation: &Conversation,
        id: Ulid,
        notice: &Line,
        expires_at: u64,
    ) -> Result<bool, StoreError> {
        self.store.erase(conversation, id, notice, expires_at).await
    }
}
