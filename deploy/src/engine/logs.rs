//! The functions' logs of a deployed stack, as one sequence without repetitions.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Inventory, Resource, TargetError};
use crate::config::names::StackName;
use crate::stack::logs::{LogEntry, names};

/// How far back is asked again: events come in late, and not in the order of their times. AWS promises no bound.
const OVERLAP_MS: i64 = 60_000;

/// One event of a log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// Unique within its group.
    pub id: String,
    /// Milliseconds since the Unix epoch.
    pub at: i64,
    /// The log stream, which belongs to one process of a function.
    pub stream: String,
    /// The line as it was logged.
    pub text: String,
}

/// Reads log groups.
pub trait LogGroups {
    /// The events of `group` from `since` on (milliseconds since the Unix epoch); none when there is no such group.
    async fn events(&self, group: &str, since: i64) -> Result<Vec<LogEvent>, TargetError>;
}

/// Reads on in the logs of one stack.
#[derive(Debug)]
pub struct LogReader {
    /// By the function's logical id.
    groups: BTreeMap<String, Group>,
}

/// What a question for news has brought.
#[derive(Debug, Default)]
pub struct LogUpdate {
    /// Oldest first.
    pub entries: Vec<LogEntry>,
    /// Why some of it is missing: the first group that cannot be read.
    pub missing: Option<TargetError>,
}

#[derive(Debug)]
struct Group {
    name: String,
    since: i64,
    /// What was reported already, as far back as is asked again.
    reported: BTreeMap<String, i64>,
}

impl LogReader {
    /// Finds the log groups of the stack's functions; reads from `since` on.
    ///
    /// # Errors
    /// The stack cannot be asked for its resources.
    pub async fn for_stack(
        inventory: &impl Inventory,
        stack: &StackName,
        since: i64,
    ) -> Result<Self, TargetError> {
        let resources = inventory.resources(stack).await?;
        Ok(Self {
            groups: groups(&resources, since),
        })
    }

    /// The functions that have a log, by logical id.
    pub fn functions(&self) -> Vec<String> {
        self.groups.keys().cloned().collect()
    }

    /// Leaves out every function that none of `asked` names.
    pub fn keep(&mut self, asked: &[String]) {
        self.groups
            .retain(|function, _| asked.iter().any(|asked| names(asked, function)));
    }

    /// What was written since the last question. A group that cannot be read keeps nothing of the others back; what it
    /// has is reported the next time.
    pub async fn news(&mut self, source: &impl LogGroups) -> LogUpdate {
        let mut news = LogUpdate::default();
        for (function, group) in &mut self.groups {
            match source.events(&group.name, group.since).await {
                Ok(events) => {
                    news.entries
                        .extend(group.take(events).into_iter().map(|event| {
                            LogEntry::parse(event.at, function, &event.stream, &event.text)
                        }))
                }
                Err(error) => news.missing = news.missing.or(Some(error)),
            }
        }
        news.entries.sort_by_key(|entry| entry.at);
        news
    }

    /// How long to wait between two questions for news, of which `quiet` in a row brought none.
    pub fn pause(&self, quiet: u32) -> Duration {
        let groups = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        SHARE
            .saturating_mul(groups)
            .max(Duration::from_secs(1) * quiet.clamp(1, 5))
    }
}

impl Group {
    /// The events that were not reported before.
    fn take(&mut self, events: Vec<LogEvent>) -> Vec<LogEvent> {
        let mut new = Vec::new();
        for event in events {
            if self.reported.insert(event.id.clone(), event.at).is_none() {
                new.push(event);
            }
        }
        let last = self.reported.values().max().copied();
        if let Some(last) = last {
            self.since = self.since.max(last - OVERLAP_MS);
            self.reported.retain(|_, at| *at >= self.since);
        }
        new
    }
}

/// The template names a function's log group after it: `DirectLogs` is `DirectFunction`'s.
fn groups(resources: &[Resource], since: i64) -> BTreeMap<String, Group> {
    let groups = resources
        .iter()
        .filter(|resource| resource.resource_type == "AWS::Logs::LogGroup");
    groups
        .filter_map(|resource| {
            let name = resource.logical_id.strip_suffix("Logs")?;
            let group = Group {
                name: resource.physical_id.clone(),
                since,
                reported: BTreeMap::new(),
            };
            Some((format!("{name}Function"), group))
        })
        .collect()
}

/// What each group adds to the pause. In some Regions CloudWatch takes five of these questions a second, from the whole
/// account (<https://docs.aws.amazon.com/general/latest/gr/cwl_region.html>): this leaves one to others.
const SHARE: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ErrorKind;
    use std::cell::RefCell;

    /// Holds events for good, as CloudWatch does, and writes down from when on it was asked. A group that `fails` is not
    /// there for a question.
    #[derive(Default)]
    struct Kept {
        events: RefCell<Vec<LogEvent>>,
        asked: RefCell<Vec<i64>>,
        fails: RefCell<Option<&'static str>>,
    }

    impl Kept {
        fn add(&self, id: &str, at: i64) {
            self.events.borrow_mut().push(LogEvent {
                id: id.into(),
                at,
                stream: "s".into(),
                text: id.into(),
            });
        }
    }

    impl LogGroups for Kept {
        async fn events(&self, group: &str, since: i64) -> Result<Vec<LogEvent>, TargetError> {
            self.asked.borrow_mut().push(since);
            if self
                .fails
                .borrow()
                .is_some_and(|fails| group.contains(fails))
            {
                return Err(TargetError::new(ErrorKind::Unreachable, "asked too often"));
            }
            let events = self.events.borrow();
            Ok(events
                .iter()
                .filter(|event| event.at >= since)
                .cloned()
                .collect())
        }
    }

    fn reader() -> LogReader {
        reader_of(&["DirectLogs"])
    }

    fn reader_of(logs: &[&str]) -> LogReader {
        let resource = |id: &str, kind: &str| Resource {
            logical_id: id.into(),
            physical_id: format!("chat-{id}-1X"),
            resource_type: kind.into(),
        };
        let mut resources = vec![resource("DirectFunction", "AWS::Lambda::Function")];
        resources.extend(logs.iter().map(|id| resource(id, "AWS::Logs::LogGroup")));
        LogReader {
            groups: groups(&resources, 1_000),
        }
    }

    async fn news(reader: &mut LogReader, kept: &Kept) -> String {
        let news = reader.news(kept).await;
        let news = news.entries.iter().map(|entry| entry.message.as_str());
        news.collect::<Vec<_>>().join(" ")
    }

    #[tokio::test]
    async fn nothing_is_reported_twice_and_what_comes_in_late_is_reported_still() {
        let (kept, mut reader) = (Kept::default(), reader());
        kept.add("before", 999);
        kept.add("b", 200_000);
        kept.add("a", 150_000);
        assert_eq!(news(&mut reader, &kept).await, "a b");
        assert_eq!(news(&mut reader, &kept).await, "");
        kept.add("late", 190_000);
        kept.add("c", 400_000);
        assert_eq!(news(&mut reader, &kept).await, "late c");
        assert_eq!(news(&mut reader, &kept).await, "");
        assert_eq!(*kept.asked.borrow(), [1_000, 140_000, 140_000, 340_000]);
        let group = &reader.groups["DirectFunction"];
        assert_eq!(
            group.reported.len(),
            1,
            "what is not asked again is forgotten"
        );
    }

    #[tokio::test]
    async fn a_group_that_cannot_be_read_keeps_nothing_back_and_loses_nothing() {
        let (kept, mut reader) = (Kept::default(), reader_of(&["ALogs", "BLogs"]));
        kept.add("a", 2_000);
        *kept.fails.borrow_mut() = Some("BLogs");
        let part = reader.news(&kept).await;
        assert_eq!((part.entries.len(), part.missing.is_some()), (1, true));
        *kept.fails.borrow_mut() = None;
        assert_eq!(
            news(&mut reader, &kept).await,
            "a",
            "that of the other group"
        );
    }

    #[test]
    fn many_groups_are_asked_less_often_than_the_account_may_ask() {
        let seconds = |groups: &[&str], quiet| reader_of(groups).pause(quiet).as_secs_f64();
        assert_eq!(seconds(&["ALogs"], 0), 1.0);
        assert_eq!(seconds(&["ALogs"], 99), 5.0);
        let many = ["A", "B", "C", "D", "E", "F", "G"].map(|name| format!("{name}Logs"));
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(seconds(&many, 0), 1.75);
    }

    #[test]
    fn a_function_is_chosen_by_its_name() {
        let mut reader = reader();
        reader.keep(&["connect".into(), "direct".into()]);
        assert_eq!(reader.functions(), ["DirectFunction"]);
        reader.keep(&["connect".into()]);
        assert!(reader.functions().is_empty());
    }
}
