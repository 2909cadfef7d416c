//! The connection of a chat, and the one that it replaces as long as both deliver.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use chatctl_deploy::engine::client::{Closed, Connection};

/// For so long the old connection is listened to when another one replaces it: messages may be under way to it.
const OVERLAP: Duration = Duration::from_secs(2);

pub(super) struct Lines {
    line: Connection,
    before: Option<Before>,
    /// What `line` has brought since its successor began to open, which may bring it, too.
    since: Option<HashMap<String, usize>>,
}

struct Before {
    line: Connection,
    until: Instant,
    /// What each of the two has brought, and how often.
    old: HashMap<String, usize>,
    new: HashMap<String, usize>,
}

impl Lines {
    pub(super) fn new(line: Connection) -> Self {
        Self {
            line,
            before: None,
            since: None,
        }
    }

    /// Another connection begins to open, which is to replace this one.
    pub(super) fn expect_successor(&mut self) {
        self.since = Some(HashMap::new());
    }

    /// The other connection did not open.
    pub(super) fn stay(&mut self) {
        self.since = None;
    }

    /// Goes on with `line`, and listens to the old one for a while.
    pub(super) fn replace(&mut self, line: Connection) {
        let old = std::mem::replace(&mut self.line, line);
        let before = Before {
            line: old,
            until: Instant::now() + OVERLAP,
            old: self.since.take().unwrap_or_default(),
            new: HashMap::new(),
        };
        if let Some(older) = self.before.replace(before) {
            tokio::spawn(older.line.close());
        }
    }

    /// Sends one text frame, over the newer connection.
    ///
    /// # Errors
    /// As for [`Connection::send`].
    pub(super) async fn send(&mut self, text: &str) -> Result<(), Closed> {
        self.line.send(text).await
    }

    /// The next text, each only once.
    ///
    /// # Errors
    /// The newer connection is closed.
    pub(super) async fn recv(&mut self) -> Result<String, Closed> {
        loop {
            let Some(before) = &mut self.before else {
                let received = self.line.recv().await;
                if let (Ok(text), Some(since)) = (&received, &mut self.since) {
                    *since.entry(text.clone()).or_default() += 1;
                }
                return received;
            };
            let (received, is_old) = tokio::select! {
                received = self.line.recv() => (Some(received), false),
                received = before.line.recv() => (Some(received), true),
                () = tokio::time::sleep_until(before.until) => (None, true),
            };
            match received {
                Some(Ok(text)) if before.is_twin(&text, is_old) => {}
                Some(received) if received.is_ok() || !is_old => return received,
                _ => {
                    if let Some(before) = self.before.take() {
                        tokio::spawn(before.line.close());
                    }
                }
            }
        }
    }

    /// Closes both.
    pub(super) async fn close(self) {
        if let Some(before) = self.before {
            before.line.close().await;
        }
        self.line.close().await;
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
