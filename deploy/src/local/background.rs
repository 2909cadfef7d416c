//! The background process that runs one local stack.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chatctl_local::{LocalStack, Observer, Options, StackNotice, Status, TableStorage};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::control::{self, ControlRequest, FunctionStatus, LocalStatus, LocalTraffic, MAX_GIVEN};
use super::folder::StateFolder;
use super::records::{Identity, Request, Running};
use super::secrets::References;
use super::vanished::vanished;
use super::warnings::Warnings;
use super::{memory, register};
use crate::engine::{ErrorKind, TargetError, chain, random_hex};
use crate::stack::progress::{STACK_TYPE, StackEvent};
use crate::stack::render::output;
use crate::stack::status::StackStatus;

/// Runs the stack in `folder` until it is asked to stop. `complain` prints a line to its log, which is stderr.
///
/// # Errors
/// The stack could not be started. Its last stack event has the reason too.
pub async fn run(folder: PathBuf, stack: String, complain: fn(&str)) -> Result<(), TargetError> {
    // Without a terminal of its own, the process is neither reached by Ctrl-C nor ended with the terminal. The call
    // fails only for a group leader, which a process started by `deploy` is not.
    let _own_session = rustix::process::setsid();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let references = given(std::io::stdin())?;
    super::open_files::allow_many();
    let folder = StateFolder::new(folder);
    folder.check()?;
    let no_request = || {
        let message = format!("there is no request in {}", folder.path().display());
        TargetError::new(ErrorKind::Usage, message)
    };
    // Checked before any file is made there, because the folder may not belong to a stack.
    if !folder.is_asked_for()? {
        return Err(no_request());
    }
    let Some(lock) = folder.lock_when_free().await? else {
        return Err(TargetError::new(
            ErrorKind::Failed,
            format!("local stack `{stack}` is already running"),
        ));
    };
    let request = Request {
        references,
        ..folder.request()?.ok_or_else(no_request)?
    };
    let folder = folder.clone().pinned(&lock)?;
    // The previous process's record is no longer valid.
    folder.forget_running()?;
    folder.clear_events();
    let journal = Journal::new(folder.clone(), stack.clone(), complain);
    let outcome = serve(&folder, &lock, &stack, request, &journal).await;
    if let Err(error) = &outcome {
        journal.stack_event(&StackStatus::CreateFailed, Some(error.message.clone()));
    }
    // Ends the stack before its lock is free, so that other commands do not see remains of it.
    crate::guard::dismiss();
    drop(lock);
    outcome
}

/// The values of the stack's secrets, as the command that starts the process writes them.
fn given(input: impl Read) -> Result<References, TargetError> {
    let mut text = Vec::new();
    let read = input.take(MAX_GIVEN).read_to_end(&mut text);
    read.map_err(|error| TargetError::file("read", Path::new("the standard input"), error))?;
    match text.is_empty() {
        true => Ok(References::default()),
        false => serde_json::from_slice(&text).map_err(|_| {
            // Its parts may be secrets.
            TargetError::new(
                ErrorKind::Usage,
                "the standard input has no values of secrets",
            )
        }),
    }
}

async fn serve(
    folder: &StateFolder,
    lock: &File,
    stack: &str,
    request: Request,
    journal: &Arc<Journal>,
) -> Result<(), TargetError> {
    journal.begin(&request.token);
    journal.stack_event(&StackStatus::CreateInProgress, None);
    let identity = folder.identity()?;
    folder.check_code(&request.code)?;
    folder.check_tables()?;
    let options = Options::default()
        .with_port(request.port.unwrap_or(identity.port))
        .with_seed(identity.seed.clone())
        .with_tables(TableStorage::File(folder.tables()))
        .with_max_processes_per_function(MAX_PROCESSES);
    let control = TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(|error| no_control_port(error.into()))?;
    let control_port = control
        .local_addr()
        .map_err(|error| no_control_port(error.into()))?
        .port();
    let running_stack = LocalStack::start(request.of_stack(stack), options, journal.observer())
        .await
        .map_err(|error| TargetError::new(ErrorKind::Failed, chain(&error)))?;
    running_stack.show_page(request.page.as_ref().map(super::page::filled_in));
    let mut running = Running {
        pid: std::process::id(),
        port: running_stack.port(),
        control_port,
        secret: random_hex::<16>(),
        applied: request.digest(),
        template: Some(request.template.clone()),
        outputs: outputs(&running_stack),
    };
    folder.write_identity(&Identity {
        port: running.port,
        ..identity
    })?;
    folder.write_running(&running)?;
    folder.drop_other_code(&request.code);
    // Commands use this entry only once the folder is gone.
    let _entry = register::enter(folder.path(), &running).await;
    journal.stack_event(&StackStatus::CreateComplete, None);

    let (sender, mut asked) = mpsc::channel(8);
    let server = tokio::spawn(control::serve(control, running.secret.clone(), sender));
    let lock_file = folder.path().join("lock");
    let mut vanished = std::pin::pin!(vanished(lock, &lock_file));
    loop {
        let next = tokio::select! {
            next = asked.recv() => next.unwrap_or(ControlRequest::Stop),
            () = crate::interrupt::requested() => ControlRequest::Stop,
            () = &mut vanished => {
                journal.fall_silent();
                (journal.complain)("stopping the stack: its folder was removed, moved or replaced");
                ControlRequest::Stop
            }
        };
        match next {
            ControlRequest::Stop => break,
            // The command that asked may have ended; that changes nothing.
            ControlRequest::Status(reply) => drop(reply.send(status(&running_stack, journal))),
            ControlRequest::Update(references) => {
                let stack = (stack, &running_stack);
                update(folder, stack, references, &mut running, journal).await?;
            }
        }
    }
    running_stack.stop().await;
    server.abort();
    Ok(())
}

/// Far more than a chat on one machine needs at once, but few enough to stay small.
const MAX_PROCESSES: usize = 10;

/// Updates the running stack to `request.json`. A refused update leaves the old one running.
async fn update(
    folder: &StateFolder,
    (name, stack): (&str, &LocalStack),
    references: References,
    running: &mut Running,
    journal: &Arc<Journal>,
) -> Result<(), TargetError> {
    let Some(request) = folder.request()? else {
        return Ok(());
    };
    let request = Request {
        references,
        ..request
    };
    folder.clear_events();
    journal.begin(&request.token);
    journal.stack_event(&StackStatus::UpdateInProgress, None);
    // Code other than the deployed code must not run, but is no reason to end the running stack.
    if let Err(error) = folder.check_code(&request.code) {
        journal.stack_event(&StackStatus::UpdateFailed, Some(chain(&error)));
        return Ok(());
    }
    match stack.update(request.of_stack(name)).await {
        Ok(_) => {
            stack.show_page(request.page.as_ref().map(super::page::filled_in));
            running.applied = request.digest();
            running.template = Some(request.template.clone());
            running.outputs = outputs(stack);
            folder.write_running(running)?;
            folder.drop_other_code(&request.code);
            journal.stack_event(&StackStatus::UpdateComplete, None);
        }
        Err(error) => {
            // The old stack keeps running. What was changed of its tables is taken back already, or named in the error.
            journal.stack_event(&StackStatus::UpdateFailed, Some(chain(&error)));
        }
    }
    Ok(())
}

/// The outputs as the template defines them, but with addresses that this machine can reach.
fn outputs(stack: &LocalStack) -> BTreeMap<String, String> {
    let mut outputs = stack.outputs();
    let sockets = stack.endpoint();
    if let Some(posts) = outputs.get_mut(output::CONNECTIONS_URL) {
        *posts = sockets.replacen("ws", "http", 1);
    }
    outputs.insert(output::URL.into(), sockets);
    outputs
}

fn status(stack: &LocalStack, journal: &Journal) -> LocalStatus {
    let Status {
        started_at,
        connections,
        functions,
        tables_endpoint,
        traffic,
        ..
    } = stack.status();
    let functions = functions.into_iter().map(|function| {
        let status = FunctionStatus {
            processes: function.processes,
            invocations: function.invocations,
            errors: function.errors,
            in_flight: function.in_flight,
            throttles: function.throttles,
            durations: function
                .durations
                .into_iter()
                .map(|(longest, count)| (micros(longest), count))
                .collect(),
        };
        (function.logical_id, status)
    });
    LocalStatus {
        endpoint: stack.endpoint(),
        pid: std::process::id(),
        started_at: since_epoch(started_at).as_secs(),
        connections,
        functions: functions.collect(),
        tables_endpoint,
        memory_bytes: memory::used_by_this_process_and_its_children(),
        traffic: LocalTraffic {
            handshakes: traffic.handshakes,
            received: traffic.received,
            sent: traffic.sent,
            client_errors: traffic.client_errors,
            throttled: traffic.throttled,
            integration_errors: traffic.integration_errors,
            execution_errors: traffic.execution_errors,
        },
        warnings: journal.warnings().clone(),
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Zero for a clock that is set to an earlier time.
fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn no_control_port(source: Box<dyn std::error::Error + Send + Sync>) -> TargetError {
    TargetError {
        source: Some(source),
        ..TargetError::new(
            ErrorKind::Failed,
            "could not listen on a loopback port for commands",
        )
    }
}

/// Records what happens: stack events where commands read them, log lines in a file per function.
#[derive(Debug)]
struct Journal {
    folder: StateFolder,
    stack: String,
    token: Mutex<String>,
    count: AtomicU64,
    logs: super::logs::LogFiles,
    warnings: Mutex<Warnings>,
    /// The folder is gone, and must not be created again.
    silent: AtomicBool,
    complain: fn(&str),
}

impl Journal {
    fn new(folder: StateFolder, stack: String, complain: fn(&str)) -> Arc<Self> {
        let logs = super::logs::LogFiles::new(folder.clone());
        Arc::new(Self {
            folder,
            stack,
            token: Default::default(),
            count: AtomicU64::new(0),
            logs,
            warnings: Default::default(),
            silent: AtomicBool::new(false),
            complain,
        })
    }

    fn fall_silent(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }

    fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    fn begin(&self, token: &str) {
        token.clone_into(&mut self.token.lock().expect("no holder of this lock panics"));
    }

    fn observer(self: &Arc<Self>) -> Observer {
        let journal = Arc::clone(self);
        Observer::new(move |notice| match notice {
            StackNotice::Event(_) | StackNotice::Log(_) if journal.is_silent() => {}
            StackNotice::Event(event) if event.resource_type != STACK_TYPE => {
                journal.add(
                    event.logical_id,
                    event.resource_type,
                    event.status,
                    event.reason,
                );
            }
            StackNotice::Log(line) => journal.logs.write(&line),
            StackNotice::Warning(text) => {
                let now = since_epoch(SystemTime::now()).as_secs();
                let line = journal.warnings().add(now, &text);
                if let Some(line) = line {
                    (journal.complain)(&line);
                }
            }
            other => super::guard_processes(&other),
        })
    }

    fn warnings(&self) -> MutexGuard<'_, Warnings> {
        let lock = self.warnings.lock();
        lock.expect("no holder of this lock panics")
    }

    fn stack_event(&self, status: &StackStatus, reason: Option<String>) {
        let word = status.word().to_owned();
        self.add(self.stack.clone(), STACK_TYPE.into(), word, reason);
    }

    fn add(
        &self,
        logical_id: String,
        resource_type: String,
        status: String,
        reason: Option<String>,
    ) {
        let token = self
            .token
            .lock()
            .expect("no holder of this lock panics")
            .clone();
        let id = format!("{token}-{}", self.count.fetch_add(1, Ordering::Relaxed));
        let at = since_epoch(SystemTime::now()).as_secs_f64();
        let event = StackEvent {
            id,
            at,
            logical_id,
            resource_type,
            status,
            reason,
        };
        if let Err(error) = self.folder.add_event(&token, &event) {
            (self.complain)(&chain(&error));
        }
    }
}
