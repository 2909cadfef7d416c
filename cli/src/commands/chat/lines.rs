//! The connection of a chat, and the one that it replaces as long as both deliver.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use chatctl_deploy::engine::chat::{Incoming, Line};

/// For so long the old connection is listened to when another one replaces it: messages may be under way to it.
const OVERLAP: Duration = Duration::from_secs(2);

pub(super) struct Lines {
    line: Line,
    before: Option<Before>,
}

struct Before {
    line: Line,
    until: Instant,
    /// What each of the two has brought, and how often.
    old: HashMap<String, usize>,
    new: HashMap<String, usize>,
}

impl Lines {
    pub(super) fn new(line: Line) -> Self {
        Self { line, before: None }
    }

    /// Goes on with `line`, and listens to the old one for a while.
    pub(super) fn replace(&mut self, line: Line) {
        let old = std::mem::replace(&mut self.line, line);
        let before = Before {
            line: old,
            until: Instant::now() + OVERLAP,
            old: HashMap::new(),
            new: HashMap::new(),
        };
        if let Some(older) = self.before.replace(before) {
            tokio::spawn(older.line.leave());
        }
    }

    /// Sends one text frame, over the newer connection.
    ///
    /// # Errors
    /// As for [`Line::say`].
    pub(super) async fn say(&mut self, text: &str) -> Result<(), String> {
        self.line.say(text).await
    }

    /// The next text, each only once, or the end of the newer connection.
    pub(super) async fn hear(&mut self) -> Incoming {
        loop {
            let Some(before) = &mut self.before else {
                return self.line.hear().await;
            };
            let (incoming, is_old) = tokio::select! {
                incoming = self.line.hear() => (incoming, false),
                incoming = before.line.hear() => (incoming, true),
                () = tokio::time::sleep_until(before.until) => (Incoming::Closed(String::new()), true),
            };
            match incoming {
                Incoming::Text(text) if before.is_twin(&text, is_old) => {}
                Incoming::Text(text) => return Incoming::Text(text),
                Incoming::Closed(_) if is_old => {
                    if let Some(before) = self.before.take() {
                        tokio::spawn(before.line.leave());
                    }
                }
                closed @ Incoming::Closed(_) => return closed,
            }
        }
    }

    /// Says goodbye.
    pub(super) async fn leave(self) {
        if let Some(before) = self.before {
            before.line.leave().await;
        }
        self.line.leave().await;
    }
}

impl Before {
    /// Whether the other connection has brought this already.
    fn is_twin(&mut self, text: &str, is_old: bool) -> bool {
        let (mine, theirs) = match is_old {
            true => (&mut self.old, &self.new),
            false => (&mut self.new, &self.old),
        };
        let count = mine.entry(text.to_owned()).or_default();
        *count += 1;
        theirs.get(text).copied().unwrap_or_default() >= *count
    }
}
