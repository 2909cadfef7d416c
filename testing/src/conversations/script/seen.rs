//! Receipts, deletions and pages of history in a line.

use super::name;
use crate::conversations::expected::{Entry, Expected};

/// What comes after `sees`.
pub(super) fn seen(what: &str) -> Option<Expected> {
    if let Some(reference) = what.strip_suffix(" done") {
        return Some(Expected::Done(reference.to_owned()));
    }
    if let Some((text, by)) = what.split_once(" deleted by ") {
        return Some(Expected::Deleted(by.to_owned(), text.to_owned()));
    }
    let (reference, count) = what.split_once(" delivered to ")?;
    let count = count.parse().ok()?;
    if let Some(reference) = reference.strip_suffix(" changed and") {
        return Some(Expected::ChangedReceipt(reference.to_owned(), count));
    }
    Some(match reference.strip_suffix(" stored and") {
        Some(reference) => Expected::Stored(reference.to_owned(), count),
        None => Expected::Receipt(reference.to_owned(), count),
    })
}

/// What comes after `finds`.
pub(super) fn found(page: &str) -> Result<Expected, String> {
    let (page, more) = match page.strip_suffix(" and more") {
        Some(page) => (page, true),
        None => (page, false),
    };
    if page == "nothing" {
        return Ok(Expected::Page(Vec::new(), more));
    }
    let entry = |entry: &str| {
        if let Some(by) = entry.strip_suffix(" deletes") {
            return Ok(Entry::Deleted(by.to_owned()));
        }
        let (sender, text) = name(entry)?;
        let text = text.strip_prefix(": ");
        let text =
            text.ok_or("an entry is a sender, a colon and a text, or a name and `deletes`")?;
        Ok(Entry::Message(sender, text.to_owned()))
    };
    let entries = page
        .split(" | ")
        .map(entry)
        .collect::<Result<_, String>>()?;
    Ok(Expected::Page(entries, more))
}
