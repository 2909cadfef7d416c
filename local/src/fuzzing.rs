//! What the fuzz targets of this crate run. A test runs the same over the inputs in `fuzz/corpus`.

#![expect(
    clippy::missing_panics_doc,
    reason = "a panic is how a target reports what it finds"
)]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::http::head;
use crate::iam::{Decision, Policy, Request, decide};
use crate::lambda::unpack;
use crate::options::Options;
use crate::schema::Schema;
use crate::template;
use crate::websocket::{accept_key, read_frames};

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// Each target's name, and the target.
pub const TARGETS: [(&str, Target); 6] = [
    ("request_head", request_head),
    ("frames", frames),
    ("template", template),
    ("policy", policy),
    ("schema", schema),
    ("zip", zip),
];

/// The two texts of an input, which a line `---` parts.
fn halves(data: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(data).ok()?;
    Some(text.split_once("\n---\n").unwrap_or((text, "")))
}

/// What a client sends before anything is known of it.
pub fn request_head(data: &[u8]) {
    let Ok(Some(head)) = head::parse(data) else {
        return;
    };
    let again = head::parse(&data[..head.length]);
    assert_eq!(again.ok().flatten().as_ref(), Some(&head));
    let cut = head::parse(&data[..head.length - 1]);
    assert!(!matches!(cut, Ok(Some(_))), "a part of a head is none");
    let _names = (head.is_upgrade(), head.stage(), head.query_pairs());
    if let Err(refusal) = accept_key(&head) {
        assert!(refusal.to_bytes().starts_with(b"HTTP/1.1 4"));
    }
}

/// What a client sends after its handshake. The first byte says how much of it arrives at a time.
pub fn frames(data: &[u8]) {
    let Some((first, frames)) = data.split_first() else {
        return;
    };
    let whole = read_frames(frames, usize::MAX);
    let pieces = read_frames(frames, usize::from(*first).max(1));
    assert_eq!(whole, pieces, "frames depend on how they arrive");
}

/// A template, in YAML or JSON.
pub fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let identity = Options::default().identity("chat");
    let resolve = || template::resolve(text, &BTreeMap::new(), &identity);
    match resolve() {
        Ok(stack) => assert_eq!(resolve().as_ref(), Ok(&stack), "two readings differ"),
        Err(error) => {
            assert!(!error.problems.is_empty());
            assert!(!error.to_string().is_empty());
        }
    }
}

/// A policy, and the action and the resource of a request, a line each.
pub fn policy(data: &[u8]) {
    let Some((document, request)) = halves(data) else {
        return;
    };
    let parsed = serde_json::from_str::<Value>(document).map(|document| Policy::parse(&document));
    let policy = match parsed {
        Ok(Ok(policy)) => policy,
        Ok(Err(error)) => return assert!(!error.to_string().is_empty()),
        Err(_) => return,
    };
    let mut lines = request.lines().map(str::to_owned);
    let mut line = || lines.next().unwrap_or_default();
    let request = Request::new(line(), line());
    let keys = ("dynamodb:LeadingKeys".to_owned(), vec![line()]);
    let request = request.with_context(BTreeMap::from([keys]));
    let one = |effect: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","Action":"*","Resource":"*"}}}}"#
        );
        let document = serde_json::from_str(&text).expect("it is JSON");
        Policy::parse(&document).expect("it is a policy")
    };
    let alone = decide(std::slice::from_ref(&policy), &request);
    let with = |effect: &str| {
        let both = decide(&[policy.clone(), one(effect)], &request);
        assert_eq!(both, decide(&[one(effect), policy.clone()], &request));
        both
    };
    assert_eq!(with("Deny"), Decision::ExplicitlyDenied);
    let is_denied = alone == Decision::ExplicitlyDenied;
    assert_eq!(with("Allow") == Decision::ExplicitlyDenied, is_denied);
}

/// A model's schema, and a message.
pub fn schema(data: &[u8]) {
    let Some((document, message)) = halves(data) else {
        return;
    };
    let Ok(document) = serde_json::from_str::<Value>(document) else {
        return;
    };
    let Ok(schema) = Schema::parse(&document) else {
        return;
    };
    let message = serde_json::from_str(message).unwrap_or_else(|_| Value::from(message));
    if let Some(judged) = schema.judge_in_passing(&message) {
        assert_eq!(judged, schema.judge(&message));
    }
}

/// A function's code, as a zip file.
pub fn zip(data: &[u8]) {
    const ROOM: u64 = 64 * 1024;
    static RUN: AtomicU64 = AtomicU64::new(0);
    let run = RUN.fetch_add(1, Ordering::Relaxed);
    let name = format!("chatctl-fuzzing-{}-{run}", std::process::id());
    let outer = std::env::temp_dir().join(name);
    let root = outer.join("inner/root");
    std::fs::create_dir_all(&root).expect("there is a temporary folder");
    let _any = unpack(Cursor::new(data), "x.zip".as_ref(), &root, ROOM);
    let siblings = std::fs::read_dir(outer.join("inner")).expect("it is there");
    assert_eq!(siblings.count(), 1, "something was written outside");
    assert!(bytes(&root) <= ROOM + 1, "more was written than may be");
    std::fs::remove_dir_all(&outer).expect("it is ours");
}

/// The length of all files below `folder`.
fn bytes(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("it is there");
    let sizes = entries.map(|entry| {
        let path = entry.expect("it can be read").path();
        let found = std::fs::symlink_metadata(&path).expect("it is there");
        assert!(!found.is_symlink(), "a link leads out");
        if found.is_dir() {
            bytes(&path)
        } else {
            found.len()
        }
    });
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_input_of_the_corpus_makes_a_target_panic() {
        testing::corpus::replay(&TARGETS);
    }
}
