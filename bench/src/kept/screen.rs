//! One screen: what it shows, and how it learns what it has missed.

use std::cell::Cell;
use std::collections::BTreeMap;

use chat_protocol::history::{Entry, Frame};
use serde_json::json;
use testing::Client;

use super::chance::RandomNumbers;
use super::{Counts, KeptError, TIMEOUT, connect, is_failure, more};

/// Before every id.
pub(super) const BEGINNING: &str = "00000000000000000000000000";

/// The texts, by the ids of their messages. A client sorts by them, so that the order in which messages come does not count.
pub(super) type Shown = BTreeMap<String, String>;

pub(super) struct Screen<'a> {
    url: &'a str,
    name: String,
    life: u64,
    chance: RandomNumbers,
    counts: &'a Counts,
    shown: Shown,
    /// Up to which id nothing is missing.
    cursor: String,
    /// The page that is asked for: its `ref`, and after which id.
    asked: Option<(String, String)>,
    requests: u64,
}

/// How a connection has ended.
enum Ended {
    Killed,
    /// Nothing is missing, and nothing will come.
    Complete,
}

impl<'a> Screen<'a> {
    pub(super) fn new(
        url: &'a str,
        number: usize,
        life: u64,
        chance: RandomNumbers,
        counts: &'a Counts,
    ) -> Self {
        Self {
            url,
            name: format!("Screen {number}"),
            life,
            chance,
            counts,
            shown: Shown::new(),
            cursor: BEGINNING.to_owned(),
            asked: None,
            requests: 0,
        }
    }

    pub(super) fn start_at(&mut self, cursor: &str) {
        cursor.clone_into(&mut self.cursor);
    }

    /// Shows messages over one connection after another, until nothing is missing after it `is_over`.
    pub(super) async fn watch(mut self, is_over: &Cell<bool>) -> Result<Shown, KeptError> {
        loop {
            // What was said before it was over may have been written before this connection.
            let is_last = is_over.get();
            let client = connect(self.url, &self.name, self.counts).await?;
            match self.converse(client, is_last).await? {
                Ended::Complete => return Ok(self.shown),
                Ended::Killed => more(&self.counts.kills),
            }
        }
    }

    async fn converse(&mut self, mut client: Client, is_last: bool) -> Result<Ended, KeptError> {
        let end = self.chance.moment(self.life);
        let cursor = self.cursor.clone();
        let mut request = Some(self.request(cursor, false));
        loop {
            if let Some(request) = request.take()
                && client.try_send(request).await.is_err()
            {
                return Ok(Ended::Killed);
            }
            let received = tokio::select! {
                received = client.next_text() => received,
                () = tokio::time::sleep_until(end), if !is_last => return Ok(Ended::Killed),
                () = tokio::time::sleep(TIMEOUT), if is_last => {
                    return Err(KeptError::Unreadable(format!("{} got no page", self.name)));
                }
            };
            let Ok(text) = received else {
                return Ok(Ended::Killed);
            };
            if is_failure(&text) {
                // A function was killed at work. The page is asked for again.
                more(&self.counts.failures);
                return Ok(Ended::Killed);
            }
            request = self.take(&text)?;
            if is_last && self.asked.is_none() {
                return Ok(Ended::Complete);
            }
        }
    }

    fn request(&mut self, after: String, is_exact: bool) -> String {
        self.requests += 1;
        let reference = self.requests.to_string();
        let mut frame =
            json!({ "action": "history", "after": after, "limit": 100, "ref": reference });
        if is_exact {
            frame["exact"] = true.into();
        }
        self.asked = Some((reference, after));
        frame.to_string()
    }

    /// Takes a frame; returns the next request.
    fn take(&mut self, text: &str) -> Result<Option<String>, KeptError> {
        // A live message is an entry as it stands.
        if let Ok(entry) = serde_json::from_str::<Entry<'_>>(text) {
            let id = self.show(&entry);
            // While pages are missing, it says nothing about what came before it.
            if self.asked.is_none() && id > self.cursor {
                self.cursor = id;
            }
            return Ok(None);
        }
        let Ok(Frame::History(page)) = serde_json::from_str(text) else {
            return Err(KeptError::Unreadable(text.to_owned()));
        };
        let Some((reference, after)) = self.asked.take() else {
            return Ok(None);
        };
        if page.reference.as_deref() != Some(reference.as_str()) {
            self.asked = Some((reference, after));
            return Ok(None);
        }
        more(&self.counts.pages);
        let mut last = None;
        for entry in &page.entries {
            last = Some(self.show(entry));
        }
        if let Some(last) = &last
            && *last > self.cursor
        {
            self.cursor.clone_from(last);
        }
        match last {
            Some(last) if page.more => Ok(Some(self.request(last, true))),
            _ => {
                let newest = self.shown.keys().next_back();
                if let Some(newest) = newest.filter(|newest| **newest > self.cursor) {
                    self.cursor = newest.clone();
                }
                Ok(None)
            }
        }
    }

    /// Shows a message that is not there yet; returns its id.
    fn show(&mut self, entry: &Entry<'_>) -> String {
        let id = entry.id().to_owned();
        if let Entry::Message(message) = entry {
            self.shown
                .entry(id.clone())
                .or_insert_with(|| message.text.to_string());
        }
        id
    }
}
