//! The local target: `Stacks` and `AssetStore` over a background process that runs chatctl-local.
//!
//! The command and the process share a folder (`folder.rs`) and communicate over an authenticated loopback port
//! (`control.rs`). No process is ever stopped by an id from a file: a process that does not respond with the folder's
//! secret is foreign. A process whose folder was removed ends itself (`vanished.rs`), and is found until then
//! (`register.rs`).

mod assets;
pub mod background;
mod control;
mod folder;
pub mod foreground;
mod logs;
mod machine;
mod memory;
mod open_files;
pub mod page;
mod process;
mod records;
mod register;
mod rendering;
mod response_timeout;
pub mod secrets;
mod stacks;
mod unresponsive;
mod vanished;
pub mod vitals;
mod warnings;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Child;

use crate::config::names::StackName;
use crate::engine::{Deployment, TargetError};
use crate::stack::Template;
pub use control::FunctionStatus;
pub use control::LocalStatus;
pub use control::LocalTraffic;
use folder::StateFolder;
pub use folder::keep_code;
pub use logs::LocalLogs;
use records::{Request, Running};
pub use rendering::template_here;
use response_timeout::ResponseTimeout;
use secrets::References;
use unresponsive::unresponsive_hint;
pub use warnings::Warnings;

/// A variable that only the environment of a function's process has.
fn mark(log_stream: &str) -> String {
    format!("AWS_LAMBDA_LOG_STREAM_NAME={log_stream}")
}

/// Registers the functions' processes to be ended with this one, however it ends.
fn guard_processes(notice: &chatctl_local::StackNotice) {
    match notice {
        chatctl_local::StackNotice::ProcessStarts { log_stream } => {
            crate::guard::process_starts(&mark(log_stream));
        }
        chatctl_local::StackNotice::ProcessDidNotStart { log_stream } => {
            crate::guard::process_starts_no_more(&mark(log_stream));
        }
        chatctl_local::StackNotice::ProcessStarted { pid, log_stream } => {
            crate::guard::group_started(*pid, &mark(log_stream));
        }
        chatctl_local::StackNotice::ProcessEnded { pid } => crate::guard::group_ended(*pid),
        _ => {}
    }
}

/// The local target: stacks are kept in `.chatctl/` beside the config.
#[derive(Debug)]
pub struct LocalTarget {
    root: PathBuf,
    /// The port that a flag or the config sets.
    port: Option<u16>,
    /// The settings of the web client on the gateway's port.
    page: Option<serde_json::Value>,
    /// The values of the template's dynamic references, and of secrets.
    references: References,
    /// Variables of this command's environment that no process of the stack gets, because they hold secrets.
    hidden: Vec<String>,
    /// The process that this command started, to notice if it ends early.
    started: RefCell<Option<Child>>,
    /// Stacks whose files this command has checked completely.
    checked: RefCell<BTreeSet<StackName>>,
    /// Files that a deletion has left because they are not ours.
    left: RefCell<Vec<PathBuf>>,
    /// For how long this command has waited for the process.
    response_timeout: ResponseTimeout,
}

impl LocalTarget {
    /// The stacks of the config in `folder`, with the user's `port`.
    pub fn new(folder: &Path, port: Option<u16>) -> Self {
        Self {
            root: folder.join(".chatctl"),
            port,
            page: None,
            references: Default::default(),
            hidden: Vec::new(),
            started: RefCell::default(),
            checked: RefCell::default(),
            left: RefCell::default(),
            response_timeout: ResponseTimeout::default(),
        }
    }

    /// Adds the web client with these settings to the gateway of deployed stacks.
    pub fn showing(self, page: serde_json::Value) -> Self {
        Self {
            page: Some(page),
            ..self
        }
    }

    /// Adds the values of the dynamic references in deployed templates.
    pub fn with_references(self, references: References) -> Self {
        Self { references, ..self }
    }

    /// Keeps these variables of this command's environment from the stack's processes.
    pub fn hiding(self, variables: impl Iterator<Item = String>) -> Self {
        Self {
            hidden: variables.collect(),
            ..self
        }
    }

    fn request(&self, deployment: &Deployment, folder: &StateFolder) -> Request {
        Request {
            page: self.page.clone(),
            references: self.references.clone(),
            ..Request::new(deployment, |digest| folder.code(digest))
        }
    }

    /// The folder of `stack`, after a check that its files are ours.
    fn folder(&self, stack: &StackName) -> Result<StateFolder, TargetError> {
        let folder = self.place(stack);
        if !self.checked.borrow().contains(stack) {
            folder.check()?;
            self.checked.borrow_mut().insert(stack.clone());
        }
        Ok(folder)
    }

    /// The folder of `stack`, unchecked.
    fn place(&self, stack: &StackName) -> StateFolder {
        StateFolder::new(self.root.join(stack.as_ref()))
    }

    /// The status of `stack`, `None` if it does not run.
    pub async fn status(&self, stack: &StackName) -> Result<Option<LocalStatus>, TargetError> {
        match self.running_soon(stack).await? {
            Some(running) => match control::status(&running, &self.response_timeout).await {
                Ok(status) => Ok(Some(status)),
                Err(error) => {
                    Err(error.with_hint(unresponsive_hint(&self.folder(stack)?, &running)))
                }
            },
            None => Ok(None),
        }
    }

    /// Whether a process runs `stack`, or starts to. It is not asked.
    ///
    /// # Errors
    /// The stack's files cannot be read.
    pub fn is_running(&self, stack: &StackName) -> Result<bool, TargetError> {
        self.folder(stack)?.is_alive()
    }

    /// The port on which `stack` serves, `None` if it does not run. The process is not asked.
    ///
    /// # Errors
    /// The stack's files cannot be read.
    pub fn port(&self, stack: &StackName) -> Result<Option<u16>, TargetError> {
        Ok(self.running(stack)?.map(|running| running.port))
    }

    /// Whether `stack` was deployed but does not run, for example after a reboot.
    pub fn is_stopped(&self, stack: &StackName) -> Result<bool, TargetError> {
        let folder = self.folder(stack)?;
        Ok(folder.is_asked_for()? && !folder.is_alive()?)
    }

    /// The last log lines of the functions, if there are any.
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

    /// The logs of `stack`'s functions.
    pub fn logs(&self, stack: &StackName) -> LocalLogs {
        LocalLogs::new(self.place(stack))
    }

    /// The template of `stack`'s last deployment.
    pub fn template(&self, stack: &StackName) -> Result<Option<Template>, TargetError> {
        let request = self.folder(stack)?.request()?;
        Ok(request.and_then(|request| request.template()))
    }

    /// The template of `stack` as it runs, or of its last deployment if it does not run.
    ///
    /// They differ after a refused update: the old stack keeps running, and the request has the new template.
    pub fn running_template(&self, stack: &StackName) -> Result<Option<Template>, TargetError> {
        match self.running(stack)?.and_then(|running| running.template()) {
            Some(template) => Ok(Some(template)),
            None => self.template(stack),
        }
    }

    /// The logical ids of `stack`'s functions in its last deployment.
    pub fn functions(&self, stack: &StackName) -> Result<Vec<String>, TargetError> {
        let template = self.template(stack)?;
        let functions = template.iter().flat_map(Template::resources);
        let functions =
            functions.filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Function");
        Ok(functions.map(|(id, _)| id.to_owned()).collect())
    }

    /// The folder of `stack`'s state, for messages.
    pub fn state_folder(&self, stack: &StackName) -> PathBuf {
        self.place(stack).path().to_owned()
    }

    /// The log of the process that runs `stack`: its warnings, and the reason for its end.
    pub fn stack_log(&self, stack: &StackName) -> PathBuf {
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
