//! The warnings of a running stack: the first ones go to its log, and `status` shows the last few.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The most warnings that are kept.
const KEPT: usize = 3;

/// The most characters of a kept warning: a client can make one as long as a frame.
const MAX_LENGTH: usize = 300;

/// The most warnings that are logged: a client can cause one a frame, and the file is never shortened.
const WRITTEN: u64 = 1000;

/// The warnings of a process since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Warnings {
    /// The number of all warnings, kept or not.
    pub count: u64,
    /// The last few, oldest first.
    pub last: VecDeque<Warning>,
}

/// One warning, on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// Seconds since the Unix epoch.
    pub at: u64,
    pub message: String,
}

impl Warnings {
    /// Adds a warning of the second `at`, and drops the oldest one beyond the limit. Returns the line for the log, if
    /// any.
    pub fn add(&mut self, at: u64, message: &str) -> Option<String> {
        self.count += 1;
        let line = match self.count {
            ..=WRITTEN => Some(message.to_owned()),
            count if count == WRITTEN + 1 => Some(format!(
                "there have been {WRITTEN} warnings: further ones are not logged; `chatctl status --local` \
                 counts them and shows the last ones"
            )),
            _ => None,
        };
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        let mut message = message.to_owned();
        if let Some((end, _)) = message.char_indices().nth(MAX_LENGTH) {
            message.truncate(end);
            message.push('…');
        }
        self.last.push_back(Warning { at, message });
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_last_three_are_kept() {
        let mut warnings = Warnings::default();
        for at in 1..=5 {
            warnings.add(at, &format!("warning {at}"));
        }
        assert_eq!(warnings.count, 5);
        let kept = warnings.last.iter();
        let kept: Vec<_> = kept.map(|it| (it.at, it.message.as_str())).collect();
        assert_eq!(kept, [(3, "warning 3"), (4, "warning 4"), (5, "warning 5")]);
    }

    #[test]
    fn a_flood_of_them_is_counted_and_not_logged() {
        let mut warnings = Warnings::default();
        let flood = WRITTEN + 100;
        let written: Vec<_> = (0..flood).filter_map(|_| warnings.add(0, "w")).collect();
        assert_eq!(warnings.count, flood);
        assert_eq!(written.len() as u64, WRITTEN + 1);
        assert!(
            written
                .last()
                .unwrap()
                .contains("further ones are not logged")
        );
    }

    #[test]
    fn a_long_one_is_cut_between_two_characters() {
        let mut warnings = Warnings::default();
        warnings.add(0, &"ü".repeat(MAX_LENGTH));
        warnings.add(0, &"ü".repeat(MAX_LENGTH + 1));
        assert_eq!(warnings.last[0].message, "ü".repeat(MAX_LENGTH));
        assert_eq!(warnings.last[1].message, "ü".repeat(MAX_LENGTH) + "…");
    }
}
