//! One sender: what it sends, and what it does about messages without a receipt.
//!
//! A message without a receipt may be kept, or not. It is in doubt for [`DOUBT`], the longest time in which it can still be
//! written. Then the history says which, and only what is not there is sent again. So no message is there twice.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use chat_protocol::history::{Entry, Frame};
use serde::Deserialize;
use serde_json::json;
use testing::Client;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::chance::RandomNumbers;
use super::screen::BEGINNING;
use super::{Counts, KeptError, TIMEOUT, connect, is_failure, more};

/// Messages of a sender without a receipt.
const IN_FLIGHT: usize = 16;

/// How long a message can still be written after its connection has ended: the timeout of an integration, 29 seconds, and one
/// more.
const DOUBT: Duration = Duration::from_secs(30);

/// Doubts are decided together, because the history since the oldest is read for it.
const TOGETHER: Duration = Duration::from_secs(10);

/// How long a page may take before it is asked for again, as its function may have been killed.
const PAGE: Duration = Duration::from_secs(5);

pub(super) struct Sender<'a> {
    url: &'a str,
    number: usize,
    /// How long a connection lasts at most, in milliseconds.
    life: u64,
    chance: RandomNumbers,
    counts: &'a Counts,
    /// What is to be sent, the next one first.
    left: VecDeque<usize>,
    /// What was sent over this connection and has no receipt yet.
    waiting: BTreeSet<usize>,
    doubts: VecDeque<Unacknowledged>,
    /// The largest id in a receipt.
    newest: String,
}

/// What was sent over a connection that has ended, and has no receipt.
struct Unacknowledged {
    numbers: BTreeSet<usize>,
    since: Instant,
    /// The largest id in a receipt when the connection opened. What was sent over it has larger ones.
    after: String,
}

/// A receipt, or another frame.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", default)]
    kind: &'a str,
    #[serde(rename = "ref", default)]
    reference: &'a str,
    #[serde(default)]
    id: &'a str,
    #[serde(default)]
    stored: bool,
}

impl<'a> Sender<'a> {
    pub(super) fn new(
        url: &'a str,
        number: usize,
        messages: usize,
        life: u64,
        chance: RandomNumbers,
        counts: &'a Counts,
    ) -> Self {
        Self {
            url,
            number,
            life,
            chance,
            counts,
            left: (0..messages).collect(),
            waiting: BTreeSet::new(),
            doubts: VecDeque::new(),
            newest: BEGINNING.to_owned(),
        }
    }

    /// Sends everything once, and what is found to be missing again, over one connection after another that is killed.
    pub(super) async fn send(&mut self) -> Result<(), KeptError> {
        while !self.left.is_empty() || !self.waiting.is_empty() {
            let client = self.connect().await?;
            let end = self.chance.moment(self.life);
            self.converse(client, Some(end)).await;
            more(&self.counts.kills);
        }
        Ok(())
    }

    /// Sends again what is missing, until everything has a receipt or was found. Nothing is killed, and nothing that was sent
    /// before is under way any more.
    pub(super) async fn finish(&mut self) -> Result<(), KeptError> {
        let began = Instant::now();
        while !(self.doubts.is_empty() && self.left.is_empty()) {
            if began.elapsed() > TIMEOUT {
                return Err(KeptError::Unreadable(format!(
                    "{} gets no receipt",
                    self.name()
                )));
            }
            let client = self.connect().await?;
            self.converse(client, None).await;
        }
        Ok(())
    }

    fn name(&self) -> String {
        format!("Sender {}", self.number)
    }

    async fn connect(&self) -> Result<Client, KeptError> {
        connect(self.url, &self.name(), self.counts).await
    }

    /// Sends over `client` until `end`; without one, until everything has a receipt.
    async fn converse(&mut self, mut client: Client, end: Option<Instant>) {
        let after = self.newest.clone();
        let is_due = |doubt: &Unacknowledged| doubt.since.elapsed() >= DOUBT + TOGETHER;
        if self
            .doubts
            .front()
            .is_some_and(|oldest| end.is_none() || is_due(oldest))
        {
            let since = match end {
                Some(_) => Instant::now().checked_sub(DOUBT),
                None => Some(Instant::now()),
            };
            if self.decide(&mut client, since).await.is_none() {
                return;
            }
        }
        self.exchange(&mut client, end).await;
        let numbers = std::mem::take(&mut self.waiting);
        if !numbers.is_empty() {
            let since = Instant::now();
            self.doubts.push_back(Unacknowledged {
                numbers,
                since,
                after,
            });
        }
        // Without a goodbye, and with messages under way.
        drop(client);
    }

    async fn exchange(&mut self, client: &mut Client, end: Option<Instant>) {
        loop {
            while self.waiting.len() < IN_FLIGHT
                && let Some(number) = self.left.pop_front()
            {
                // What could not be sent may have arrived, too.
                self.waiting.insert(number);
                more(&self.counts.sent);
                if client.try_send(self.frame(number)).await.is_err() {
                    return;
                }
            }
            if self.waiting.is_empty() {
                return;
            }
            let received = tokio::select! {
                received = client.next_text() => received,
                () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => return,
                () = sleep(TIMEOUT) => return,
            };
            match received {
                Ok(text) => self.take(&text),
                Err(_) => return,
            }
        }
    }

    fn frame(&self, number: usize) -> String {
        let text = self.text(number);
        json!({ "action": "say", "message": text, "ref": text }).to_string()
    }

    fn text(&self, number: usize) -> String {
        format!("{}-{number}", self.number)
    }

    fn take(&mut self, text: &str) {
        if is_failure(text) {
            return more(&self.counts.failures);
        }
        let Ok(Head {
            kind: "sent",
            reference,
            id,
            stored: true,
        }) = serde_json::from_str(text)
        else {
            return;
        };
        if self.newest.as_str() < id {
            id.clone_into(&mut self.newest);
        }
        let number = reference
            .rsplit_once('-')
            .and_then(|(_, number)| number.parse().ok());
        if number.is_some_and(|number| self.waiting.remove(&number)) {
            more(&self.counts.receipts);
        }
    }

    /// Looks for the doubtful messages of connections that ended before `since`. Those that are not kept will be sent again.
    /// `None` if no answer comes.
    async fn decide(&mut self, client: &mut Client, since: Option<Instant>) -> Option<()> {
        let mut after = self.doubts.front()?.after.clone();
        let mut found = BTreeSet::new();
        loop {
            let request =
                json!({ "action": "history", "after": after, "exact": true, "limit": 100 });
            client.try_send(request.to_string()).await.ok()?;
            match timeout(PAGE, self.page(client, &mut found)).await.ok()?? {
                Some(last) => after = last,
                None => break,
            }
        }
        while let Some(doubt) = self.doubts.pop_front_if(|doubt| Some(doubt.since) <= since) {
            for number in doubt.numbers {
                if found.contains(&self.text(number)) {
                    more(&self.counts.found);
                } else {
                    more(&self.counts.again);
                    self.left.push_back(number);
                }
            }
        }
        Some(())
    }

    /// Adds the texts of the next page to `found`; returns the last id, if there are more pages.
    async fn page(
        &self,
        client: &mut Client,
        found: &mut BTreeSet<String>,
    ) -> Option<Option<String>> {
        loop {
            let text = client.next_text().await.ok()?;
            if is_failure(&text) {
                more(&self.counts.failures);
                return None;
            }
            let Ok(Frame::History(page)) = serde_json::from_str(&text) else {
                continue;
            };
            found.extend(page.entries.iter().filter_map(|entry| match entry {
                Entry::Message(message) => Some(message.text.to_string()),
                Entry::Deleted(_) => None,
            }));
            let last = page.entries.last().filter(|_| page.more);
            return Some(last.map(|last| last.id().to_owned()));
        }
    }
}
