//! A target made of scripts, one an operation: `LOGICAL_ID STATUS [REASON]` lines, `- poll -` between what one poll
//! and the next see. `status STATUS` is what the stack is described as until its own events say otherwise,
//! `throttled` and `expired` are polls that fail.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::event::{DeployEvent, Reporter};
use super::execute::DeployError;
use super::limits::{self, Limit};
use super::target::*;
use super::target_error::{ErrorKind, TargetError};
use crate::config::names::StackName;
use crate::stack::Template;
use crate::stack::change::ChangeSummary;
use crate::stack::progress::{STACK_TYPE, StackEvent};
use crate::stack::status::StackStatus;

/// What one poll sees.
#[derive(Debug, Clone, Default)]
struct Poll {
    events: Vec<StackEvent>,
    status: Option<String>,
    fails: Option<ErrorKind>,
}

/// What is in the way of a deployment, once.
#[derive(Debug, Clone)]
enum InTheWay {
    Busy,
    Leftover(String),
}

/// Plays its scripts, one poll at a time. An empty script means that there is nothing to change.
#[derive(Debug)]
pub(super) struct FakeStacks {
    scripts: Vec<Vec<Poll>>,
    script: Cell<usize>,
    at: Cell<usize>,
    in_the_way: RefCell<Option<InTheWay>>,
    started: Cell<usize>,
    deletions: RefCell<Vec<String>>,
    made: Instant,
    pub(super) here: Here,
}

/// What only a machine's stacks have.
#[derive(Debug)]
pub(super) struct Here {
    /// What is special about the machine, in words between commas.
    pub(super) state: &'static str,
    /// Where its chat is.
    pub(super) url: String,
    /// Whether the stack was deployed and does not run.
    pub(super) is_stopped: bool,
    /// Whether the stack has table data.
    pub(super) has_data: bool,
    /// Where it is written down what is asked of it.
    pub(super) transcript: Rc<RefCell<Transcript>>,
}

impl Here {
    pub(super) fn is(&self, word: &str) -> bool {
        self.state.split(", ").any(|one| one == word)
    }
}

impl FakeStacks {
    pub(super) fn absent() -> Self {
        Self {
            scripts: Vec::new(),
            script: Cell::new(0),
            at: Cell::new(0),
            in_the_way: RefCell::new(None),
            started: Cell::new(0),
            deletions: RefCell::default(),
            made: Instant::now(),
            here: Here {
                state: "empty",
                url: "ws://fake/v1".to_owned(),
                is_stopped: false,
                has_data: false,
                transcript: Rc::default(),
            },
        }
    }

    pub(super) fn scripted(script: &str) -> Self {
        Self::absent().then(script)
    }

    /// The next operation's script.
    pub(super) fn then(mut self, script: &str) -> Self {
        let number = self.scripts.len();
        let polls = script.split("- poll -").enumerate();
        self.scripts.push(
            polls
                .map(|(index, lines)| poll(&format!("{number}.{index}"), lines))
                .collect(),
        );
        self
    }

    /// The first script is an operation that another deployer started.
    pub(super) fn busy(self) -> Self {
        *self.in_the_way.borrow_mut() = Some(InTheWay::Busy);
        self
    }

    /// There is a shell in this status; the first script is its deletion.
    pub(super) fn leftover(self, status: &str) -> Self {
        *self.in_the_way.borrow_mut() = Some(InTheWay::Leftover(status.into()));
        self
    }

    pub(super) fn operation(&self) -> Operation {
        Operation {
            stack: "chat".parse().unwrap(),
            stack_id: None,
            token: Some("1".into()),
        }
    }

    /// What was asked for on the way to deletion.
    pub(super) fn deletions(&self) -> String {
        self.deletions.borrow().join("; ")
    }

    fn start(&self) -> Operation {
        if self.started.replace(self.started.get() + 1) > 0 {
            self.script.set(self.script.get() + 1);
        }
        self.at.set(0);
        self.operation()
    }

    fn polls(&self) -> &[Poll] {
        let polls = self
            .scripts
            .get(self.script.get())
            .map(Vec::as_slice)
            .unwrap_or_default();
        &polls[..polls.len().min(self.at.get() + 1)]
    }

    fn so_far(&self) -> Vec<StackEvent> {
        self.polls()
            .iter()
            .flat_map(|poll| poll.events.clone())
            .collect()
    }
}

fn poll(id: &str, lines: &str) -> Poll {
    let mut poll = Poll::default();
    for (index, line) in lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .enumerate()
    {
        let mut words = line.splitn(3, ' ');
        let logical_id = words.next().unwrap().to_owned();
        match logical_id.as_str() {
            "throttled" => poll.fails = Some(ErrorKind::Unreachable),
            "expired" => poll.fails = Some(ErrorKind::Denied),
            "status" => poll.status = words.next().map(str::to_owned),
            _ => poll.events.push(StackEvent {
                id: format!("{id}.{index}"),
                at: 0.0,
                resource_type: if logical_id == "chat" {
                    STACK_TYPE.into()
                } else {
                    "AWS::X::Y".into()
                },
                logical_id,
                status: words.next().unwrap().into(),
                reason: words.next().map(str::to_owned),
            }),
        }
    }
    poll
}

pub(super) fn deployment() -> Deployment {
    let template = serde_json::json!({"Description": "by chatctl", "Resources": {"Table": {"Type": "AWS::DynamoDB::Table"}}});
    Deployment::new(
        "chat".parse().unwrap(),
        Template::new(template),
        Default::default(),
    )
}

/// Code whose digest is `key`.
pub(super) fn asset(key: &str) -> Asset {
    Asset {
        bucket: "b".into(),
        key: key.into(),
        architecture: "x86_64",
        size: 1,
        already_there: false,
    }
}

impl Stacks for FakeStacks {
    async fn describe(&self, _stack: &StackName) -> Result<Option<Description>, TargetError> {
        let Some(poll) = self.polls().last() else {
            return Ok(None);
        };
        if let Some(refusal) = poll.fails {
            return Err(TargetError::new(refusal, "scripted"));
        }
        let last = self
            .so_far()
            .into_iter()
            .rfind(|event| event.resource_type == STACK_TYPE)
            .map(|event| event.status);
        let status = last
            .or(poll.status.clone())
            .unwrap_or("CREATE_IN_PROGRESS".into());
        let outputs = [("Url".to_owned(), self.here.url.clone())].into();
        Ok(Some(Description {
            status: StackStatus::parse(&status),
            reason: None,
            outputs,
        }))
    }

    async fn prepare(&self, deployment: Deployment) -> Result<Prepared, TargetError> {
        if self.so_far().is_empty() {
            return Ok(Prepared::NoChanges(Default::default()));
        }
        let summary = ChangeSummary::between(None, &deployment.template, &Default::default());
        Ok(Prepared::ChangeSet(Box::new(ChangeSet {
            id: "1".into(),
            change: Change::Create,
            summary,
            deployment,
        })))
    }

    async fn begin(&self, _change_set: &ChangeSet) -> Result<Operation, TargetError> {
        Ok(self.start())
    }

    async fn delete(
        &self,
        _stack: &StackName,
        _data: Data,
        retained: &[String],
    ) -> Result<Operation, TargetError> {
        self.deletions
            .borrow_mut()
            .push(format!("delete retaining {retained:?}"));
        Ok(self.start())
    }

    async fn events(&self, _operation: &Operation) -> Result<Vec<StackEvent>, TargetError> {
        Ok(self.so_far())
    }

    async fn phase(&self, _operation: &Operation) -> Result<Phase, TargetError> {
        Ok(Phase::Begun)
    }

    fn is_first_without_events(&self) -> bool {
        true
    }

    async fn pause(&self, _quiet: u32) {
        self.at.set(self.at.get() + 1);
    }

    fn longest(&self) -> Limit {
        limits::FOLLOWING
    }

    /// A pause takes five seconds, and nothing else any time.
    fn now(&self) -> Instant {
        let pauses = u32::try_from(self.at.get()).unwrap();
        self.made + Duration::from_secs(5) * pauses
    }

    async fn interrupt(&self, _operation: &Operation) -> TargetError {
        TargetError::interrupted()
    }
}

impl ChangeSets for FakeStacks {
    async fn readiness(&self, _stack: &StackName) -> Result<Readiness, TargetError> {
        Ok(match self.in_the_way.borrow_mut().take() {
            None => Readiness::Ready,
            Some(InTheWay::Busy) => Readiness::Busy(self.start()),
            Some(InTheWay::Leftover(status)) => Readiness::Leftover(StackStatus::parse(&status)),
        })
    }

    async fn abandon(&self) {}

    async fn discard(&self, _change_set: &ChangeSet) -> Result<(), TargetError> {
        Ok(())
    }

    async fn retain_tables(&self, _stack: &StackName) -> Result<Option<Operation>, TargetError> {
        self.deletions.borrow_mut().push("retain tables".into());
        Ok(Some(self.start()))
    }
}

/// Writes down what was reported, a line an event.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    pub(super) lines: String,
}

impl Transcript {
    /// All of it, and how the command has ended: `outcome`, or what the error says.
    pub(super) fn ended(&mut self, outcome: Result<String, DeployError>) -> String {
        let outcome = outcome.unwrap_or_else(|error| match error {
            DeployError::Target(error) => {
                let parts = [
                    Some(format!("error: {error}")),
                    error.so_far.clone(),
                    error.hint.clone(),
                ];
                parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
            }
            DeployError::Unproven(error) => {
                let parts = [
                    Some("error: it does not answer".to_owned()),
                    error.known.clone(),
                    error.so_far.clone(),
                ];
                parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
            }
            error => format!("error: {error}"),
        });
        format!("{}{outcome}\n", std::mem::take(&mut self.lines))
    }

    /// Writes down what is no report.
    pub(super) fn note(&mut self, line: &str) {
        self.lines.push_str(line);
        self.lines.push('\n');
    }
}

impl Reporter for Transcript {
    fn report(&mut self, event: &DeployEvent) {
        let line = match event {
            DeployEvent::Building { name, folder } => {
                format!("building {name} from {}", folder.display())
            }
            DeployEvent::Started(step) => format!("started {step:?}"),
            DeployEvent::Finished { step, detail, .. } => format!("finished {step:?}: {detail}"),
            DeployEvent::Stack(event) => format!("{} {}", event.logical_id, event.status),
            DeployEvent::Notice(text) => format!("notice {text}"),
            DeployEvent::Repeating { cause, .. } => format!("once more after {cause}"),
            DeployEvent::Silent { service, silence } => format!("{service} silent for {silence:?}"),
            DeployEvent::UnderWay { status, quiet } => format!("{status} for {quiet:?}"),
            DeployEvent::Compiling { .. } | DeployEvent::Expecting(_) => return,
        };
        self.note(&line);
    }
}
