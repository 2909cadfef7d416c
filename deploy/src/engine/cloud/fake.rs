//! A CloudFormation made of a script, for the states that are hard to reach. It keeps at most one stack, answers
//! change sets with the states it was given, one a question, and plays one list of `LOGICAL_ID STATUS [REASON]`
//! lines per operation, one step a pause; a line `throttled` or `expired` refuses the next question. Everything it is
//! asked to change is written down.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::records::*;
use super::{CloudFormation, Resource, StackStatus, TargetError};
use crate::engine::target::{Change, DeployMode};
use crate::engine::target_error::ErrorKind;
use crate::stack::Template;
use crate::stack::change::{Action, ResourceChange};
use crate::stack::progress::{STACK_TYPE, StackEvent};

#[derive(Debug, Default)]
pub(super) struct FakeCloud {
    pub(super) stack: RefCell<Option<StackRecord>>,
    pub(super) template: RefCell<Option<Template>>,
    pub(super) resources: RefCell<Vec<Resource>>,
    change_sets: RefCell<VecDeque<ChangeSetState>>,
    /// The names of change sets that were not executed.
    pub(super) waiting: RefCell<Vec<String>>,
    /// What the validation answers; `None` where we may not ask.
    pub(super) findings: RefCell<Option<Vec<Finding>>>,
    operations: RefCell<VecDeque<VecDeque<String>>>,
    running: RefCell<VecDeque<String>>,
    events: RefCell<Vec<CloudEvent>>,
    token: RefCell<String>,
    /// The change set has been executed.
    is_executed: Cell<bool>,
    /// The events do not carry tokens, as when another tool gave none.
    is_tokenless: Cell<bool>,
    /// The next question about the stack is refused so.
    refused: RefCell<Option<TargetError>>,
    /// What another deployer makes of the stack while the next change set is computed.
    meanwhile: RefCell<Option<&'static str>>,
    pub(super) log: RefCell<Vec<String>>,
    /// What goes wrong with the answers to these requests.
    spoiled: RefCell<Vec<(&'static str, Spoiled)>>,
    made: Made,
    pauses: Cell<u32>,
}

/// How the answer to a request goes wrong, each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoiled {
    /// It is lost before anything is done.
    LostBefore,
    /// It is lost afterwards.
    LostAfter,
    /// It says that all is well, and nothing is done.
    Ignored,
    Denied,
    /// What is there does not allow it, in these words.
    Impossible(&'static str),
}

/// When the fake was made.
#[derive(Debug)]
struct Made(Instant);

impl Default for Made {
    fn default() -> Self {
        Self(Instant::now())
    }
}

pub(super) fn record(status: &str) -> StackRecord {
    StackRecord {
        id: "arn:chat/1".into(),
        name: "chat".into(),
        status: StackStatus::parse(status),
        reason: None,
        outputs: [("Url".to_owned(), "wss://fake/v1".to_owned())].into(),
        parameters: [("CodeKey".to_owned(), "k0".to_owned())].into(),
        role: None,
        topics: Vec::new(),
        tags: Default::default(),
        protected: false,
        changed_at: None,
        mode: DeployMode::Standard,
    }
}

fn event(id: String, logical_id: &str, status: &str, reason: Option<&str>) -> StackEvent {
    let is_own = logical_id == "chat";
    StackEvent {
        id,
        at: 0.0,
        logical_id: logical_id.into(),
        resource_type: if is_own { STACK_TYPE } else { "AWS::X::Y" }.into(),
        status: status.into(),
        reason: reason.map(str::to_owned),
    }
}

impl FakeCloud {
    pub(super) fn with(status: &str) -> Self {
        let fake = Self::default();
        *fake.stack.borrow_mut() = Some(record(status));
        *fake.template.borrow_mut() = Some(Template::new(
            serde_json::json!({"Description": "by chatctl", "Resources": {}}),
        ));
        fake
    }

    /// Its last operation was an express one.
    pub(super) fn express(self) -> Self {
        self.stack.borrow_mut().as_mut().unwrap().mode = DeployMode::Express;
        self
    }

    /// The next change set answers with these `STATUS EXECUTION [REASON]` states in turn; the last one stays.
    pub(super) fn change_set(self, states: &str) -> Self {
        let states = states.lines().map(|line| {
            let mut words = line.splitn(3, ' ');
            ChangeSetState {
                status: words.next().unwrap().into(),
                execution: words.next().unwrap().into(),
                reason: words.next().map(str::to_owned),
                changes: vec![ResourceChange {
                    action: Action::Modify,
                    logical_id: "F".into(),
                    resource_type: "AWS::Lambda::Function".into(),
                    properties: vec!["Code".into()],
                    values: Vec::new(),
                    overlay: None,
                    retained: false,
                }],
            }
        });
        self.change_sets.borrow_mut().extend(states);
        self
    }

    /// The next operation goes through these steps, one a pause.
    pub(super) fn operation(self, script: &str) -> Self {
        let steps = script.split("- poll -").map(str::to_owned).collect();
        self.operations.borrow_mut().push_back(steps);
        self
    }

    /// An operation of another deployer, already at its first step.
    pub(super) fn running(self, script: &str) -> Self {
        let fake = self.operation(script);
        fake.is_tokenless.set(true);
        fake.start("");
        fake
    }

    /// While the next change set is computed, another deployer brings the stack into this status.
    pub(super) fn meanwhile(self, status: &'static str) -> Self {
        *self.meanwhile.borrow_mut() = Some(status);
        self
    }

    /// From now on the answers to `request` (`create`, `execute`, `delete`, `events`) go wrong.
    pub(super) fn spoiled(self, request: &'static str, spoiled: Spoiled) -> Self {
        self.spoiled.borrow_mut().push((request, spoiled));
        self
    }

    /// Does `act`, as far as the answer to `request` does not go wrong.
    fn serve(&self, request: &str, act: impl FnOnce()) -> Result<(), TargetError> {
        let spoiled = self.spoiled.borrow();
        let spoiled = spoiled.iter().find(|(wanted, _)| *wanted == request);
        let spoiled = spoiled.map(|(_, spoiled)| *spoiled);
        if matches!(spoiled, None | Some(Spoiled::LostAfter)) {
            act();
        }
        let refusal = match spoiled {
            None | Some(Spoiled::Ignored) => return Ok(()),
            Some(Spoiled::LostBefore | Spoiled::LostAfter) => ErrorKind::Unreachable,
            Some(Spoiled::Denied) => ErrorKind::Denied,
            Some(Spoiled::Impossible(words)) => {
                return Err(TargetError::new(ErrorKind::Failed, words));
            }
        };
        Err(TargetError::new(refusal, format!("could not {request}")))
    }

    /// How often was waited between two questions.
    pub(super) fn pauses(&self) -> u32 {
        self.pauses.get()
    }

    /// What it was asked to change.
    pub(super) fn asked(&self) -> String {
        self.log
            .borrow()
            .iter()
            .map(|line| format!("{line}\n"))
            .collect()
    }

    pub(super) fn note(&self, line: impl Into<String>) {
        self.log.borrow_mut().push(line.into());
    }

    fn start(&self, token: &str) {
        *self.token.borrow_mut() = token.to_owned();
        let next = self.operations.borrow_mut().pop_front();
        *self.running.borrow_mut() = next.unwrap_or_default();
        self.step();
    }

    fn step(&self) {
        let Some(lines) = self.running.borrow_mut().pop_front() else {
            return;
        };
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let refusal = match line.trim() {
                "throttled" => Some(ErrorKind::Unreachable),
                "expired" => Some(ErrorKind::Denied),
                _ => None,
            };
            if let Some(refusal) = refusal {
                *self.refused.borrow_mut() = Some(TargetError::new(refusal, line.trim()));
                continue;
            }
            let mut words = line.splitn(3, ' ');
            let logical_id = words.next().unwrap();
            let status = words.next().unwrap();
            if logical_id == "chat" {
                let mut stack = self.stack.borrow_mut();
                match status {
                    "DELETE_COMPLETE" => *stack = None,
                    _ => {
                        let record = stack.get_or_insert_with(|| record(status));
                        record.status = StackStatus::parse(status);
                        record.reason = words.clone().next().map(str::to_owned);
                    }
                }
            }
            let mut events = self.events.borrow_mut();
            let event = event(events.len().to_string(), logical_id, status, words.next());
            events.push(CloudEvent {
                event,
                token: (!self.is_tokenless.get()).then(|| self.token.borrow().clone()),
            });
        }
    }
}

impl CloudFormation for FakeCloud {
    async fn stack(&self, _stack: &str) -> Result<Option<StackRecord>, TargetError> {
        match self.refused.borrow_mut().take() {
            Some(refusal) => Err(refusal),
            None => Ok(self.stack.borrow().clone()),
        }
    }

    async fn stacks(&self) -> Result<Vec<StackRecord>, TargetError> {
        let mut other = record("CREATE_COMPLETE");
        other.name = "other".into();
        Ok(self
            .stack
            .borrow()
            .clone()
            .into_iter()
            .chain([other])
            .collect())
    }

    async fn template(&self, _stack: &str) -> Result<Template, TargetError> {
        Ok(self
            .template
            .borrow()
            .clone()
            .expect("the test has given a template"))
    }

    async fn resources(&self, _stack: &str) -> Result<Vec<Resource>, TargetError> {
        Ok(self.resources.borrow().clone())
    }

    async fn change_sets(&self, _stack: &str) -> Result<Vec<String>, TargetError> {
        Ok(self.waiting.borrow().clone())
    }

    async fn create_change_set(&self, request: &NewChangeSet) -> Result<ChangeSetIds, TargetError> {
        self.note(format!(
            "create change set {:?} {:?}",
            request.change, request.mode
        ));
        self.serve("create", || {
            self.is_executed.set(false);
            if request.change == Change::Create {
                *self.stack.borrow_mut() = Some(record("REVIEW_IN_PROGRESS"));
                let mut events = self.events.borrow_mut();
                let id = events.len().to_string();
                events.push(CloudEvent {
                    event: event(id, "chat", "REVIEW_IN_PROGRESS", Some("User Initiated")),
                    token: None,
                });
            }
            if let Some(status) = self.meanwhile.take() {
                *self.stack.borrow_mut() = Some(record(status));
            }
        })?;
        Ok(ChangeSetIds {
            change_set: "arn:cs/1".into(),
            stack: "arn:chat/1".into(),
        })
    }

    async fn change_set(&self, _ids: &ChangeSetIds) -> Result<ChangeSetState, TargetError> {
        let mut states = self.change_sets.borrow_mut();
        let mut state = if states.len() > 1 {
            states.pop_front().expect("there are two")
        } else {
            states.front().cloned().unwrap_or_default()
        };
        if self.is_executed.get() {
            let is_over = self.running.borrow().is_empty();
            let word = if is_over { "COMPLETE" } else { "IN_PROGRESS" };
            state.execution = format!("EXECUTE_{word}");
        }
        Ok(state)
    }

    async fn findings(&self, _ids: &ChangeSetIds) -> Result<Vec<Finding>, TargetError> {
        let denied = || TargetError::new(ErrorKind::Denied, "could not read what was found");
        self.findings.borrow().clone().ok_or_else(denied)
    }

    async fn delete_change_set(&self, _ids: &ChangeSetIds) -> Result<(), TargetError> {
        self.note("delete change set");
        Ok(())
    }

    async fn execute_change_set(
        &self,
        _ids: &ChangeSetIds,
        token: &str,
    ) -> Result<(), TargetError> {
        self.serve("execute", || {
            self.note("execute");
            self.is_executed.set(true);
            self.is_tokenless.set(false);
            self.start(token);
        })
    }

    async fn delete_stack(
        &self,
        _stack_id: &str,
        token: &str,
        retained: &[String],
        mode: DeployMode,
    ) -> Result<(), TargetError> {
        let how = match mode {
            DeployMode::Standard => "",
            DeployMode::Express => " in express mode",
        };
        self.serve("delete", || {
            self.note(format!("delete stack retaining {retained:?}{how}"));
            let is_shell = matches!(
                self.stack.borrow().as_ref().map(|stack| &stack.status),
                Some(StackStatus::ReviewInProgress)
            );
            if is_shell {
                *self.stack.borrow_mut() = None;
                return;
            }
            self.is_tokenless.set(false);
            self.start(token);
        })
    }

    async fn recent_events(&self, _stack_id: &str) -> Result<Vec<CloudEvent>, TargetError> {
        self.serve("events", || {})?;
        Ok(self.events.borrow().clone())
    }

    async fn protect(&self, _stack: &str, protected: bool) -> Result<(), TargetError> {
        self.note(format!("protect {protected}"));
        if let Some(stack) = self.stack.borrow_mut().as_mut() {
            stack.protected = protected;
        }
        Ok(())
    }

    async fn pause(&self, _quiet: u32) {
        self.pauses.set(self.pauses.get() + 1);
        self.step();
    }

    /// A pause takes five seconds, and nothing else any time.
    fn now(&self) -> Instant {
        self.made.0 + Duration::from_secs(5) * self.pauses.get()
    }
}
