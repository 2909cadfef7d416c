//! A page of a conversation, as large as its reader wants and a frame may be.

use chat_protocol::history::{MAX_ENTRIES_BYTES, OVERLAP_SECONDS};

use super::{Conversation, History, Order, Section, Ulid};
use crate::store::StoreError;

/// The rows of a read after one without any entry. Only the messages of routes that keep them for different times can lead there:
/// the expired ones of one among those of another.
const MANY_ROWS: u16 = 1_000;

/// The entries that a reader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The newest ones.
    Newest,
    /// The newest ones with smaller ids.
    Before(Ulid),
    /// The oldest ones with larger ids, and the overlap of [`OVERLAP_SECONDS`] before them.
    After(Ulid),
    /// The oldest ones with larger ids.
    ExactlyAfter(Ulid),
}

/// Some entries of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Their frames, oldest first.
    pub frames: Vec<String>,
    /// Whether there are more in the direction that was wanted.
    pub has_more: bool,
}

/// Reads a page of at most `most` entries. It has one at least if there is any, and beyond the first one no more than
/// [`MAX_ENTRIES_BYTES`].
///
/// Entries are kept for `seconds` at most, so that rows which have expired are not looked at, although the database still has
/// them.
///
/// # Errors
/// [`StoreError`]
pub async fn page(
    history: &impl History,
    conversation: &Conversation,
    (wanted, most): (Wanted, usize),
    seconds: u32,
    now: u64,
) -> Result<Page, StoreError> {
    let Some(mut section) = section(wanted, seconds, now) else {
        return Ok(Page::default());
    };
    let mut page = Page::default();
    let mut bytes = 0;
    let mut is_empty = false;
    'reading: loop {
        // One more shows whether more follow.
        let rows = u16::try_from(most - page.frames.len() + 1).unwrap_or(MANY_ROWS);
        section.rows = if is_empty { MANY_ROWS } else { rows };
        let read = history.read(conversation, section, now).await?;
        is_empty = read.lines.is_empty();
        for line in read.lines {
            let with_it = bytes + line.frame.len() + ",".len();
            let is_full = with_it > MAX_ENTRIES_BYTES && !page.frames.is_empty();
            if page.frames.len() == most || is_full {
                page.has_more = true;
                break 'reading;
            }
            bytes = with_it;
            page.frames.push(line.frame);
        }
        let rest = read.at.and_then(|at| rest(section, at));
        match rest {
            Some(rest) => section = rest,
            None => break,
        }
    }
    if section.order == Order::NewestFirst {
        page.frames.reverse();
    }
    Ok(page)
}

/// The ids that are wanted and cannot have expired; `None` if there are none.
fn section(wanted: Wanted, seconds: u32, now: u64) -> Option<Section> {
    let moment = |milliseconds| Ulid::from_parts(milliseconds, 0);
    let oldest = moment(now.saturating_sub(seconds.into()).saturating_mul(1_000));
    let (first, last, order) = match wanted {
        Wanted::Newest => (oldest, Ulid::max(), Order::NewestFirst),
        Wanted::Before(id) => (oldest, previous(id)?, Order::NewestFirst),
        Wanted::After(id) => {
            let overlap = OVERLAP_SECONDS * 1_000;
            let first = moment(id.timestamp_ms().saturating_sub(overlap));
            (first, Ulid::max(), Order::OldestFirst)
        }
        Wanted::ExactlyAfter(id) => (next(id)?, Ulid::max(), Order::OldestFirst),
    };
    let first = first.max(oldest);
    (first <= last).then_some(Section {
        first,
        last,
        order,
        rows: 0,
    })
}

/// The section behind the row `at`.
fn rest(section: Section, at: Ulid) -> Option<Section> {
    let rest = match section.order {
        Order::OldestFirst => Section {
            first: next(at)?,
            ..section
        },
        Order::NewestFirst => Section {
            last: previous(at)?,
            ..section
        },
    };
    (rest.first <= rest.last).then_some(rest)
}

fn next(id: Ulid) -> Option<Ulid> {
    id.0.checked_add(1).map(Ulid)
}

fn previous(id: Ulid) -> Option<Ulid> {
    id.0.checked_sub(1).map(Ulid)
}
