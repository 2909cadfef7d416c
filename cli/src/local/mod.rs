//! The local target: [`Stacks`] and `AssetStore` over a background process that runs chatctl-local.
//!
//! The command and the process share a folder (`folder.rs`) and talk over an authenticated loopback port
//! (`control.rs`). Nothing is ever stopped by an id that a file tells: a process that does not answer with the
//! folder's secret is a stranger. A process whose folder was removed ends itself (`vanished.rs`), and is found until then
//! (`register.rs`).

mod assets;
pub(crate) mod background;
mod control;
pub(crate) mod directory;
mod folder;
pub(crate) mod foreground;
mod logs;
mod memory;
mod open_files;
pub(crate) mod page;
mod process;
mod records;
mod register;
pub(crate) mod secrets;
mod unresponsive;
mod vanished;
mod warnings;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use crate::config::names::StackName;
use crate::engine::limits::{self, Limit};
use crate::engine::{
    Change, ChangeSet, Data, Deployment, Description, Footing, Operation, Prepared, Refusal,
    StackStatus, Stacks, TargetError,
};
use crate::stack::change::ChangeSummary;
use crate::stack::progress::{STACK_TYPE, StackEvent};
use crate::stack::{Outputs, Template};
#[cfg(test)]
pub(crate) use control::FunctionStatus;
pub(crate) use control::LocalStatus;
use folder::StateFolder;
pub(crate) use folder::keep_code;
pub(crate) use logs::LocalLogs;
use records::{Request, Running};
use secrets::References;
use unresponsive::unresponsive_hint;
pub(crate) use warnings::Warnings;

/// Has the functions' processes end with this one, however it ends.
fn guard_processes(notice: &chatctl_local::StackNotice) {
    match notice {
        chatctl_local::StackNotice::ProcessStarted { pid, log_stream } => {
            crate::guard::group_started(*pid, log_stream);
        }
        chatctl_local::StackNotice::ProcessEnded { pid } => crate::guard::group_ended(*pid),
        _ => {}
    }
}

/// Local stacks, kept in `.chatctl/` beside the config.
#[derive(Debug)]
pub(crate) struct LocalTarget {
    root: PathBuf,
    /// A port that flags or the config ask for.
    port: Option<u16>,
    /// What the page on the gateway's port is filled in with.
    page: Option<serde_json::Value>,
    /// The values of the template's dynamic references.
    references: References,
    /// The process that this command started, to notice its early death.
    started: RefCell<Option<Child>>,
    /// Stacks whose files this command has looked at as a whole.
    checked: RefCell<BTreeSet<StackName>>,
    /// What a deletion has left, because it is not ours.
    left: RefCell<Vec<PathBuf>>,
}

impl LocalTarget {
    /// The stacks of the config in `folder`; `port` is what the user asked for.
    pub(crate) fn new(folder: &Path, port: Option<u16>) -> Self {
        Self {
            root: folder.join(".chatctl"),
            port,
            page: None,
            references: Default::default(),
            started: RefCell::default(),
            checked: RefCell::default(),
            left: RefCell::default(),
        }
    }

    /// The same, for deployments whose gateway shows a page with these settings.
    pub(crate) fn showing(self, page: serde_json::Value) -> Self {
        Self {
            page: Some(page),
            ..self
        }
    }

    /// The same, for deployments whose template has these dynamic references.
    pub(crate) fn with_references(self, references: References) -> Self {
        Self { references, ..self }
    }

    fn request(&self, deployment: &Deployment, folder: &StateFolder) -> Request {
        Request {
            page: self.page.clone(),
            references: self.references.clone(),
            ..Request::new(deployment, folder)
        }
    }

    /// The files of `stack`, once they have been found to be ours.
    fn folder(&self, stack: &StackName) -> Result<StateFolder, TargetError> {
        let folder = self.place(stack);
        if !self.checked.borrow().contains(stack) {
            folder.check()?;
            self.checked.borrow_mut().insert(stack.clone());
        }
        Ok(folder)
    }

    /// Where the files of `stack` are, whatever lies there.
    fn place(&self, stack: &StackName) -> StateFolder {
        StateFolder::new(self.root.join(stack.as_ref()))
    }

    /// What the deletion of a stack has left in its folder, because chatctl has not made it.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        self.left.borrow().clone()
    }

    /// Keeps other commands away from `stack` until the answer is dropped.
    ///
    /// # Errors
    /// Another command is at work on it.
    pub(crate) fn reserve(&self, stack: &StackName) -> Result<impl Sized + use<>, TargetError> {
        self.folder(stack)?.reserve()?.ok_or_else(|| {
            TargetError::new(
                Refusal::Failed,
                format!("another chatctl command is at work on local stack `{stack}`"),
            )
            .with_hint("wait until it is done, then try again")
        })
    }

    /// What runs now, `None` when nothing does.
    pub(crate) async fn status(
        &self,
        stack: &StackName,
    ) -> Result<Option<LocalStatus>, TargetError> {
        match self.running_soon(stack).await? {
            Some(running) => match control::status(&running).await {
                Ok(status) => Ok(Some(status)),
                Err(error) => {
                    Err(error.with_hint(unresponsive_hint(&self.folder(stack)?, &running)))
                }
            },
            None => Ok(None),
        }
    }

    /// Whether `stack` was deployed but its process is not there, for example after a reboot.
    pub(crate) fn is_stopped(&self, stack: &StackName) -> Result<bool, TargetError> {
        let folder = self.folder(stack)?;
        Ok(folder.is_asked_for()? && !folder.is_alive()?)
    }

    /// Whether there is table data that a teardown would remove. A stack without tables has none.
    pub(crate) fn has_data(&self, stack: &StackName) -> bool {
        let folder = self.place(stack);
        // Where nothing can be said of the stack, what lies there is taken for data.
        let template = folder.request().ok().flatten().and_then(|it| it.template());
        let is_table =
            |(_, resource): (&str, &serde_json::Value)| resource["Type"] == "AWS::DynamoDB::Table";
        let has_data = folder.has_data().unwrap_or(true);
        has_data && template.is_none_or(|template| template.resources().any(is_table))
    }

    /// What the functions wrote last, when they wrote anything.
    pub(crate) fn clues(&self, stack: &StackName) -> Option<String> {
        let folder = self.place(stack);
        let ends = logs::ends(&folder);
        let text = ends
            .iter()
            .map(|(function, line)| format!("\n  {function}: {line}"));
        (!ends.is_empty()).then(|| {
            format!(
                "the stack is up; its functions wrote last ({}):{}",
                folder.logs().display(),
                text.collect::<String>()
            )
        })
    }

    /// What the functions of `stack` have written.
    pub(crate) fn logs(&self, stack: &StackName) -> LocalLogs {
        LocalLogs::new(self.place(stack))
    }

    /// The template of `stack`, as it was deployed last.
    pub(crate) fn template(&self, stack: &StackName) -> Result<Option<Template>, TargetError> {
        let request = self.folder(stack)?.request()?;
        Ok(request.and_then(|request| request.template()))
    }

    /// The template of `stack` as it runs; where nothing runs, as it was deployed last.
    ///
    /// A refused update leaves the old one running, and the new one in what was asked for.
    pub(crate) fn running_template(
        &self,
        stack: &StackName,
    ) -> Result<Option<Template>, TargetError> {
        match self.running(stack)?.and_then(|running| running.template()) {
            Some(template) => Ok(Some(template)),
            None => self.template(stack),
        }
    }

    /// The functions of `stack` by logical id, as it was deployed last.
    pub(crate) fn functions(&self, stack: &StackName) -> Result<Vec<String>, TargetError> {
        let template = self.template(stack)?;
        let functions = template.iter().flat_map(Template::resources);
        let functions =
            functions.filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Function");
        Ok(functions.map(|(id, _)| id.to_owned()).collect())
    }

    /// The folder of `stack`'s state, for messages.
    pub(crate) fn state_folder(&self, stack: &StackName) -> PathBuf {
        self.place(stack).path().to_owned()
    }

    /// The log of the process that runs `stack`: its warnings, and why it ended.
    pub(crate) fn stack_log(&self, stack: &StackName) -> PathBuf {
        self.place(stack).log()
    }

    fn running(&self, stack: &StackName) -> Result<Option<Running>, TargetError> {
        let folder = self.folder(stack)?;
        if folder.is_alive()? {
            folder.running()
        } else {
            Ok(None)
        }
    }
}

impl Stacks for LocalTarget {
    async fn describe(&self, stack: &StackName) -> Result<Option<Description>, TargetError> {
        let folder = self.folder(stack)?;
        // Nobody can tell what a damaged file asks for, but a teardown has to find the stack that it is of.
        let Ok(request) = folder.request() else {
            return Ok(Some(Description {
                status: StackStatus::Failed("CREATE_FAILED".into()),
                outputs: Outputs::new(),
            }));
        };
        let Some(request) = request else {
            let kept = Description {
                status: StackStatus::Deleted,
                outputs: Outputs::new(),
            };
            return Ok(folder.has_data()?.then_some(kept));
        };
        let last = folder
            .events(&request.token)?
            .into_iter()
            .rfind(|event| event.resource_type == STACK_TYPE);
        let status = match last {
            Some(event) => StackStatus::parse(&event.status),
            None => StackStatus::InProgress("CREATE_IN_PROGRESS".into()),
        };
        if !status.is_settled() {
            self.check_started(&folder)?;
        }
        let outputs = self
            .running(stack)?
            .map(|running| running.outputs)
            .unwrap_or_default();
        Ok(Some(Description { status, outputs }))
    }

    async fn footing(&self, _stack: &StackName) -> Result<Footing, TargetError> {
        // Whoever asks has reserved the stack, and a start replaces whatever is left of an earlier one.
        Ok(Footing::Ready)
    }

    async fn prepare(&self, deployment: Deployment) -> Result<Prepared, TargetError> {
        let folder = self.folder(&deployment.stack)?;
        let running = self.running_soon(&deployment.stack).await?;
        let old = folder.request()?;
        let new = self.request(&deployment, &folder);
        let moves = |running: &Running| self.port.is_some_and(|port| port != running.port);
        let before = |function: &String| old.as_ref()?.code.get(function);
        let new_code = new.code.iter();
        let new_code = new_code
            .filter(|(function, folder)| before(function) != Some(folder))
            .map(|(function, _)| function.clone())
            .collect();
        let change = match (&old, &running) {
            (Some(old), Some(running)) if !moves(running) => {
                if running.applied == new.digest() && old.digest() == new.digest() {
                    return Ok(Prepared::NoChanges(running.outputs.clone()));
                }
                Change::Update
            }
            (Some(_), Some(running)) => {
                self.check_port(running)?;
                Change::Move
            }
            // One that has failed to start may have left nothing to start with.
            (Some(_), None) if folder.has_data()? => Change::Restart,
            (_, None) | (None, _) => Change::Create,
        };
        let before = old
            .and_then(|old| old.template())
            .filter(|_| change == Change::Update);
        let summary = ChangeSummary::between(before.as_ref(), &deployment.template, &new_code);
        Ok(Prepared::ChangeSet(Box::new(ChangeSet {
            id: new.token,
            change,
            summary,
            deployment,
        })))
    }

    async fn abandon(&self) {
        // Preparing only compares.
    }

    async fn discard(&self, _change_set: &ChangeSet) -> Result<(), TargetError> {
        Ok(())
    }

    async fn begin(&self, change_set: &ChangeSet) -> Result<Operation, TargetError> {
        let stack = &change_set.deployment.stack;
        let folder = self.folder(stack)?;
        let request = Request {
            token: change_set.id.clone(),
            ..self.request(&change_set.deployment, &folder)
        };
        match (change_set.change, self.running_soon(stack).await?) {
            (Change::Update, Some(running)) => {
                folder.write_request(&request)?;
                control::update(&running)
                    .await
                    .map_err(|error| error.with_hint(unresponsive_hint(&folder, &running)))?;
            }
            _ => {
                // Held until the process is there, so that one that another command has started, and that has not
                // begun yet, finds this request and not the one before.
                let held = self.stopped(stack).await?;
                folder.forget_running()?;
                folder.write_request(&Request {
                    port: self.port,
                    ..request
                })?;
                self.spawn(&folder, stack)?;
                drop(held);
            }
        }
        Ok(Operation {
            stack: stack.clone(),
            stack_id: String::new(),
            token: change_set.id.clone(),
        })
    }

    async fn retain_tables(&self, _stack: &StackName) -> Result<Option<Operation>, TargetError> {
        // Deleting with `Data::Keep` leaves them.
        Ok(None)
    }

    async fn delete(
        &self,
        stack: &StackName,
        data: Data,
        _spare: &[String],
    ) -> Result<Operation, TargetError> {
        self.stop(stack).await?;
        let folder = self.folder(stack)?;
        *self.left.borrow_mut() = match data {
            Data::Remove => folder.remove()?,
            Data::Keep => folder.remove_all_but_data()?,
        };
        Ok(Operation {
            stack: stack.clone(),
            stack_id: String::new(),
            token: String::new(),
        })
    }

    async fn events(&self, operation: &Operation) -> Result<Vec<StackEvent>, TargetError> {
        self.folder(&operation.stack)?.events(&operation.token)
    }

    async fn has_begun(&self, _operation: &Operation) -> Result<bool, TargetError> {
        // What it is asked for lies in a file, under the operation's own token.
        Ok(true)
    }

    async fn pause(&self, _quiet: u32) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    fn longest(&self) -> Limit {
        limits::STARTING
    }

    async fn interrupt(&self, operation: &Operation) -> TargetError {
        // An update is one step inside the running process: it happens or it does not. A process that is still
        // starting is ended, and takes down what it has started.
        let started = self.started.borrow_mut().take();
        if let Some(mut child) = started {
            let pid = rustix::process::Pid::from_child(&child);
            if rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok() {
                drop(tokio::task::spawn_blocking(move || child.wait()).await);
                self.place(&operation.stack).forget_request();
            }
        }
        crate::interrupt::interrupted()
    }
}
