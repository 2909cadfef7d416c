//! The messages that a chat keeps: what was missed, and what was said before, each shown once.
//!
//! Pure: frames in, frames out. While pages are read, messages that arrive wait, so that what is shown is in order.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use chat_protocol::envelope::REFERENCE;
use chat_protocol::history::{self, Entry, Page};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

/// How long messages wait for a page that does not come.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Ids that are remembered. A page may repeat those of the last minute.
const REMEMBERED: usize = 20_000;

/// Before every id.
const BEGINNING: &str = "00000000000000000000000000";

/// What an arrived frame has led to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Frames to show, in this order.
    pub(super) shown: Vec<String>,
    /// A line before them.
    pub(super) note: Option<String>,
    /// The next request.
    pub(super) request: Option<String>,
}

/// Where a conversation's messages are kept, and which of them were shown.
#[derive(Debug)]
pub(super) struct HistoryReader {
    /// The key of the route that answers `history`.
    action: String,
    /// The other person, if it is a conversation between two.
    with: Option<String>,
    /// Whether the last page is shown on connecting.
    shows_last_page: bool,
    /// Up to which id nothing is missing.
    cursor: Option<String>,
    /// The oldest id that was shown, and whether there are older ones.
    oldest: Option<String>,
    has_older: bool,
    known: HashSet<String>,
    order: VecDeque<String>,
    /// What own messages are marked with, so that a page does not show them again.
    marks: HashSet<String>,
    asked: Option<HistoryRequest>,
    /// Messages that wait until the pages before them have come.
    waiting: Vec<String>,
    requests: u64,
}

#[derive(Debug)]
struct HistoryRequest {
    reference: String,
    what: PageKind,
    until: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PageKind {
    Newest,
    Missed,
    Older,
}

/// What every frame with an envelope may have.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    error: Option<String>,
    message: Option<String>,
}

impl HistoryReader {
    pub(super) fn new(action: String, with: Option<String>, shows_last_page: bool) -> Self {
        Self {
            action,
            with,
            shows_last_page,
            cursor: None,
            oldest: None,
            has_older: true,
            known: HashSet::new(),
            order: VecDeque::new(),
            marks: HashSet::new(),
            asked: None,
            waiting: Vec::new(),
            requests: 0,
        }
    }

    /// A mark for an own message.
    pub(super) fn mark(&mut self, mark: String) -> String {
        self.marks.insert(mark.clone());
        mark
    }

    /// A connection has opened: the request for what was missed.
    pub(super) fn opened(&mut self) -> String {
        match self.cursor.clone().or_else(|| self.oldest.clone()) {
            Some(after) => self.request(PageKind::Missed, json!({ history::AFTER: after })),
            None if self.shows_last_page => self.request(PageKind::Newest, json!({})),
            None => self.request(PageKind::Newest, json!({ history::LIMIT: 1 })),
        }
    }

    /// The request for a page of older messages; `None` if there are none, or a page is under way.
    pub(super) fn older(&mut self) -> Option<String> {
        let before = self.oldest.clone().filter(|_| self.has_older)?;
        let is_idle = self.asked.is_none();
        is_idle.then(|| self.request(PageKind::Older, json!({ history::BEFORE: before })))
    }

    fn request(&mut self, what: PageKind, mut members: Value) -> String {
        self.requests += 1;
        let reference = format!("history-{}", self.requests);
        members["action"] = self.action.as_str().into();
        members[REFERENCE] = reference.as_str().into();
        if let Some(with) = &self.with {
            members[history::WITH] = with.as_str().into();
        }
        self.asked = Some(HistoryRequest {
            reference,
            what,
            until: Instant::now() + TIMEOUT,
        });
        members.to_string()
    }

    /// Until when an answer is waited for.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.asked.as_ref().map(|asked| asked.until)
    }

    /// No answer came: what waits is shown, and what was missed is asked for again over the next connection.
    pub(super) fn give_up(&mut self) -> Taken {
        self.asked = None;
        Taken {
            shown: std::mem::take(&mut self.waiting),
            ..Taken::default()
        }
    }

    /// Takes a frame that has arrived.
    pub(super) fn take(&mut self, frame: String) -> Taken {
        let shown = |frame| Taken {
            shown: vec![frame],
            ..Taken::default()
        };
        let Ok(head) = serde_json::from_str::<Head>(&frame) else {
            return shown(frame);
        };
        let is_answer = self
            .asked
            .as_ref()
            .is_some_and(|asked| head.reference.as_deref() == Some(asked.reference.as_str()));
        match (head.kind.as_deref(), head.id) {
            (Some("history"), _) if is_answer => match serde_json::from_str(&frame) {
                Ok(page) => self.page(&page),
                Err(_) => self.give_up(),
            },
            // An answer that comes after its time; a later page has the same.
            (Some("history"), _) if head.reference.is_some() => Taken::default(),
            (Some("message" | "deleted"), Some(id)) => {
                if !self.is_new(&id) {
                    return Taken::default();
                }
                if self
                    .asked
                    .as_ref()
                    .is_some_and(|asked| asked.what != PageKind::Older)
                {
                    self.waiting.push(frame);
                    return Taken::default();
                }
                if self.cursor.as_ref().is_none_or(|cursor| *cursor < id) && self.cursor.is_some() {
                    self.cursor = Some(id.clone());
                }
                self.oldest.get_or_insert(id);
                shown(frame)
            }
            _ if is_answer && head.error.is_some() => {
                let why = head.message.unwrap_or_default();
                Taken {
                    note: Some(format!("earlier messages cannot be read: {why}")),
                    ..self.give_up()
                }
            }
            _ => shown(frame),
        }
    }

    fn page(&mut self, page: &Page<'_>) -> Taken {
        let what = self
            .asked
            .take()
            .map_or(PageKind::Missed, |asked| asked.what);
        let first = page.entries.first().map(|entry| entry.id().to_owned());
        let last = page.entries.last().map(|entry| entry.id().to_owned());
        let is_position_only = what == PageKind::Newest && !self.shows_last_page;
        let mut taken = Taken::default();
        for entry in &page.entries {
            let is_new = self.is_new(entry.id());
            if is_new && !is_position_only && !self.is_own(entry) {
                taken.shown.push(written(entry));
            }
        }
        if let Some(first) = first
            && self.oldest.as_ref().is_none_or(|oldest| first < *oldest)
        {
            self.oldest = Some(first);
        }
        match what {
            PageKind::Older => {
                self.has_older = page.more;
                taken.note = Some(match taken.shown.len() {
                    0 => "there are no earlier messages".to_owned(),
                    1 => "one earlier message".to_owned(),
                    many => format!("{many} earlier messages"),
                });
                return taken;
            }
            PageKind::Newest => {
                self.has_older = page.more;
                self.cursor = Some(last.unwrap_or_else(|| BEGINNING.to_owned()));
                if !taken.shown.is_empty() {
                    taken.note = Some("what was said before".to_owned());
                }
            }
            PageKind::Missed => {
                let before = self.cursor.clone().unwrap_or_default();
                if let Some(last) = last {
                    if last > before {
                        self.cursor = Some(last.clone());
                    }
                    if page.more {
                        let after = json!({ history::AFTER: last, history::EXACT: true });
                        taken.request = Some(self.request(PageKind::Missed, after));
                        return taken;
                    }
                }
            }
        }
        // Nothing is missing before what came meanwhile.
        for frame in std::mem::take(&mut self.waiting) {
            if let Ok(Head { id: Some(id), .. }) = serde_json::from_str(&frame)
                && self.cursor.as_ref().is_none_or(|cursor| *cursor < id)
            {
                self.cursor = Some(id);
            }
            taken.shown.push(frame);
        }
        taken
    }

    fn is_own(&self, entry: &Entry<'_>) -> bool {
        match entry {
            Entry::Message(message) => {
                let mark = message.attributes.get(REFERENCE);
                mark.is_some_and(|mark| self.marks.contains(mark))
            }
            Entry::Deleted(_) => false,
        }
    }

    fn is_new(&mut self, id: &str) -> bool {
        if !self.known.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

/// The frame of an entry, as it came when it was new.
fn written(entry: &Entry<'_>) -> String {
    serde_json::to_string(entry).expect("texts always serialise")
}

#[cfg(test)]
mod tests;
