//! The stack events in a local stack's folder, oldest first, each with its operation.

use std::io::Write;

use super::{Result, StateFolder};
use crate::engine::TargetError;
use crate::stack::progress::StackEvent;

const NAME: &str = "events.jsonl";

impl StateFolder {
    /// Adds an event of the operation `token`.
    pub(in crate::local) fn add_event(&self, token: &str, event: &StackEvent) -> Result<()> {
        let mut line = serde_json::to_vec(&(token, event)).expect("an event has a JSON form");
        line.push(b'\n');
        let mut file = self.make()?.appending(NAME)?;
        file.write_all(&line)
            .map_err(|error| TargetError::file("write", &self.path.join(NAME), error))
    }

    /// The events of the operation `token` so far. An unfinished line is left for the next read.
    pub(in crate::local) fn events(&self, token: &str) -> Result<Vec<StackEvent>> {
        let bytes = match self.open()? {
            Some(folder) => folder.read(NAME)?.unwrap_or_default(),
            None => Vec::new(),
        };
        let parsed = bytes
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<(String, StackEvent)>(line).ok());
        Ok(parsed
            .filter(|(of, _)| of == token)
            .map(|(_, event)| event)
            .collect())
    }

    /// Empties the list of events.
    pub(in crate::local) fn clear_events(&self) {
        drop(self.remove_file(NAME));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_event_is_left_for_the_next_read() {
        let (_root, folder) = super::super::tests::folder();
        let event = StackEvent {
            id: "1".into(),
            at: 0.5,
            logical_id: "T".into(),
            resource_type: "X".into(),
            status: "CREATE_COMPLETE".into(),
            reason: None,
        };
        folder.add_event("mine", &event).unwrap();
        folder.add_event("other", &event).unwrap();
        let mut file = folder.make().unwrap().appending(NAME).unwrap();
        file.write_all(b"[\"mine\",{\"id\":\"2\"").unwrap();
        assert_eq!(folder.events("mine").unwrap(), [event]);
    }
}
