//! The entries of conversations, in DynamoDB.
//!
//! | item | `pk` | `sk` | attributes |
//! |---|---|---|---|
//! | a message that is kept, or a deletion | `M#R#<room>`, or `M#U#<name>#<name>` of both people in order | the entry's id | `frame`, `expires_at` |
//! | what is left of a deleted message | the same | the message's id | `deleted`, `expires_at` |
//!
//! Names contain no `#`, so no two conversations have the same partition.

use chat_protocol::table::{DELETED, EXPIRES_AT, FRAME, PARTITION, SORT};

use super::DynamoStore;
use super::dynamo::{Attribute, Operation, Parameters};
use super::rows::{Item, item_key, number, read_number, read_text, text};
use crate::history::{Conversation, Found, History, Line, Lines, Order, Section, Ulid};
use crate::store::StoreError;

/// A consistent query in the partition of `conversation` for items whose sort key is so.
fn entries(conversation: &Conversation, sort: &str) -> Parameters {
    Parameters::key_condition(format!("{PARTITION} = :pk AND {SORT} {sort}"))
        .consistent_read(true)
        .value(":pk", Attribute::text(conversation.partition()))
}

impl History for DynamoStore {
    async fn keep(
        &self,
        conversation: &Conversation,
        line: &Line,
        expires_at: u64,
    ) -> Result<(), StoreError> {
        let mut item = key(conversation, line.id);
        item.extend([text(FRAME, &line.frame), number(EXPIRES_AT, expires_at)]);
        self.put(item, "keep a message").await
    }

    async fn read(
        &self,
        conversation: &Conversation,
        section: Section,
        now: u64,
    ) -> Result<Lines, StoreError> {
        let id = |id: Ulid| Attribute::text(id.to_string());
        let query = entries(conversation, "BETWEEN :first AND :last")
            .filter(format!("{EXPIRES_AT} > :now AND attribute_exists(#frame)"))
            .projection(format!("{SORT}, #frame"))
            .name("#frame", FRAME)
            .value(":first", id(section.first))
            .value(":last", id(section.last))
            .value(":now", Attribute::number(now))
            .scan_index_forward(section.order == Order::OldestFirst)
            .limit(section.rows);
        let page = self
            .send(Operation::Query, query, "read the history")
            .await?;
        let line = |item: &Item| {
            let frame = read_text(item, FRAME)?.to_owned();
            Some(Line {
                id: id_of(item)?,
                frame,
            })
        };
        Ok(Lines {
            lines: page.items().iter().filter_map(line).collect(),
            at: page.last_evaluated_key.as_ref().and_then(id_of),
        })
    }

    async fn find(
        &self,
        conversation: &Conversation,
        id: Ulid,
        now: u64,
    ) -> Result<Option<Found>, StoreError> {
        // Not `GetItem`: no function of a stack with an authorizer has that permission.
        let query = entries(conversation, "= :id").value(":id", Attribute::text(id.to_string()));
        let answer = self.send(Operation::Query, query, "find a message").await?;
        let item = answer.items().first();
        Ok(item.and_then(|item| found(item, now)))
    }

    async fn erase(
        &self,
        conversation: &Conversation,
        id: Ulid,
        notice: &Line,
        expires_at: u64,
    ) -> Result<bool, StoreError> {
        let mut item = key(conversation, id);
        item.extend([
            text(DELETED, &notice.frame),
            text(NOTICE, &notice.id.to_string()),
            number(EXPIRES_AT, expires_at),
        ]);
        let put = Parameters::item(item)
            .condition("attribute_exists(#frame)")
            .name("#frame", FRAME);
        self.holds(Operation::PutItem, put, "delete a message")
            .await
    }
}

/// The id of the deletion's own entry.
const NOTICE: &str = "notice";

fn key(conversation: &Conversation, id: Ulid) -> Item {
    item_key(&conversation.partition(), &id.to_string())
}

fn id_of(item: &Item) -> Option<Ulid> {
    Ulid::from_string(read_text(item, SORT)?).ok()
}

fn found(item: &Item, now: u64) -> Option<Found> {
    let expires_at = read_number(item, EXPIRES_AT);
    if expires_at <= now {
        return None;
    }
    if let Some(frame) = read_text(item, FRAME) {
        let frame = frame.to_owned();
        return Some(Found::Kept { frame, expires_at });
    }
    let notice = Line {
        id: Ulid::from_string(read_text(item, NOTICE)?).ok()?,
        frame: read_text(item, DELETED)?.to_owned(),
    };
    Some(Found::Erased { notice, expires_at })
}
