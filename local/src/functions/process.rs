//! One process of a function: its start, its clock, its end.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::open_files::limit_as_on_lambda;
use super::output::follow_lines;
use super::pool::{Ending, Job, Pool};
use super::stragglers::end_stragglers;
use super::{Event, Failure, Invocation, Outcome, environment, runtime_api};
use crate::budget::Held;
use crate::gateway::{clock, ids};
use crate::observer::LogSource;

/// What is shared between a process's supervisor and its Runtime API.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) id: u64,
    /// `AWS_LAMBDA_LOG_STREAM_NAME`.
    pub(super) log_stream: String,
    retire: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    began: Instant,
    /// When it first asked for an event.
    started: Option<Instant>,
    idle_since: Option<Instant>,
    running: Option<Running>,
    /// An event is on its way to the process.
    promised: bool,
    /// It is to end even while it works.
    at_once: bool,
    init_error: Option<Failure>,
    invocations: u64,
}

/// An invocation that a process works on.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) request_id: String,
    pub(super) reply: oneshot::Sender<Outcome>,
    pub(super) began: Instant,
    deadline: Instant,
    /// The event counts as long as it is worked on.
    pub(super) held: Held,
}

/// What its clock says about a process.
enum Due {
    Later(Instant),
    StartTooSlow,
    Overdue(Running),
    /// It had nothing to do for long.
    Idle,
}

impl Process {
    pub(super) fn new(id: u64) -> Self {
        let day = clock::iso(clock::now_millis())[..10].replace('-', "/");
        Self {
            id,
            log_stream: format!(
                "{day}/[$LATEST]{}",
                ids::random_text(32, b"0123456789abcdef")
            ),
            retire: Notify::new(),
            state: Mutex::new(State {
                began: Instant::now(),
                started: None,
                idle_since: None,
                running: None,
                promised: false,
                at_once: false,
                init_error: None,
                invocations: 0,
            }),
        }
    }

    /// Notes that the process asks for an event; true the first time.
    pub(super) fn started(&self) -> bool {
        let mut state = self.state();
        state.idle_since = Some(Instant::now());
        state.started.replace(Instant::now()).is_none()
    }

    pub(super) fn has_started(&self) -> bool {
        self.state().started.is_some()
    }

    pub(super) fn is_running(&self) -> bool {
        self.state().running.is_some()
    }

    /// Notes that an event is on its way to the process, or that it could not be sent after all.
    pub(super) fn promise(&self, promised: bool) {
        self.state().promised = promised;
    }

    /// Notes that `job` went to the process; gives back what it is to get.
    pub(super) fn begin(&self, job: Job, timeout: Duration) -> Event {
        let began = Instant::now();
        let Invocation { event, held } = *job.invocation;
        let mut state = self.state();
        state.idle_since = None;
        state.promised = false;
        state.invocations += 1;
        state.running = Some(Running {
            request_id: event.request_id.clone(),
            reply: job.reply,
            began,
            deadline: began + timeout,
            held,
        });
        event
    }

    /// The running invocation, if it is `request_id`. It is answered once.
    pub(super) fn take(&self, request_id: &str) -> Option<Running> {
        let running = &mut self.state().running;
        running.take_if(|running| running.request_id == request_id)
    }

    /// Whether `request_id` is what the process works on.
    pub(super) fn runs(&self, request_id: &str) -> bool {
        let state = self.state();
        let running = state.running.as_ref();
        running.is_some_and(|running| running.request_id == request_id)
    }

    /// Notes why the process could not start; false when it had started already or has said so before.
    pub(super) fn init_failed(&self, failure: Failure) -> bool {
        let mut state = self.state();
        if state.started.is_some() || state.init_error.is_some() {
            return false;
        }
        state.init_error = Some(failure);
        true
    }

    /// Asks the supervisor to end the process.
    pub(super) fn retire(&self, ending: Ending) {
        self.state().at_once |= ending == Ending::Now;
        self.retire.notify_one();
    }

    fn may_end(&self) -> bool {
        let state = self.state();
        state.at_once || (state.running.is_none() && !state.promised)
    }

    /// Milliseconds of the start, to be reported with the first invocation only.
    pub(super) fn init_millis(&self) -> Option<f64> {
        let state = self.state();
        let started = state.started.filter(|_| state.invocations == 1)?;
        Some((started - state.began).as_secs_f64() * 1000.0)
    }

    fn due(&self, pool: &Pool) -> Due {
        let now = Instant::now();
        let mut state = self.state();
        // An invocation that begins later is due no earlier than its timeout from now: no need to be told of it.
        let next = now + pool.runnable.function.timeout;
        let limit = match (state.started, state.idle_since) {
            (None, _) => state.began + pool.limits.init_timeout,
            (Some(_), Some(since)) => since + pool.limits.process_idle,
            (Some(_), None) => match state.running.take_if(|running| running.deadline <= now) {
                Some(running) => return Due::Overdue(running),
                None => {
                    return Due::Later(
                        state
                            .running
                            .as_ref()
                            .map_or(next, |running| running.deadline),
                    );
                }
            },
        };
        match state.started {
            _ if now < limit => Due::Later(next.min(limit)),
            None => Due::StartTooSlow,
            Some(_) => Due::Idle,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the process and stays with it until it is gone, and its whole process group with it.
pub(super) async fn run(pool: Arc<Pool>, process: Arc<Process>) {
    let failure = match start(&pool, &process).await {
        Ok((child, listener)) => {
            let pid = child.id();
            if let Some(pid) = pid {
                pool.process_started(pid, &process.log_stream);
            }
            limit_as_on_lambda(&child);
            let failure = supervise(&pool, &process, child, listener).await;
            if let Some(pid) = pid {
                pool.process_is_gone(pid);
            }
            failure
        }
        Err(error) => {
            let path = pool.runnable.code.bootstrap.display();
            Failure::new(
                "Runtime.InvalidEntrypoint",
                format!("could not start `{path}`: {error}"),
            )
        }
    };
    let running = process.state().running.take();
    if let Some(running) = running {
        let text = format!(
            "RequestId: {} Error: {}",
            running.request_id, failure.message
        );
        pool.platform_log(&process.log_stream, text);
        pool.finish(running.reply, Outcome::Failed(failure.clone()));
    }
    let retired = pool.is_retired();
    let failed_start = (!process.has_started() && !retired).then(|| {
        let failure = process.state().init_error.take().unwrap_or(failure);
        let text = format!("INIT_REPORT Status: error Error: {}", failure.message);
        pool.platform_log(&process.log_stream, text);
        failure
    });
    pool.process_ended(&process, failed_start);
}

async fn start(pool: &Pool, process: &Process) -> std::io::Result<(Child, TcpListener)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let runtime_api = listener.local_addr()?.to_string();
    let code = &pool.runnable.code;
    let mut command = Command::new(&code.bootstrap);
    command
        .env_clear()
        .envs(environment::environment(
            &pool.runnable,
            &process.log_stream,
            &runtime_api,
        ))
        .current_dir(&code.root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    // A file that was written a moment ago may still be open for writing in a child that another thread just forked.
    for _ in 0..20 {
        match command.spawn() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            spawned => return Ok((spawned?, listener)),
        }
    }
    Ok((command.spawn()?, listener))
}

/// Serves the process until it ends, by itself or by its clock; tells what its end means for what it was running.
async fn supervise(
    pool: &Arc<Pool>,
    process: &Arc<Process>,
    mut child: Child,
    listener: TcpListener,
) -> Failure {
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let _runtime_api = AbortOnDrop(tokio::spawn(runtime_api::serve(
        listener,
        Arc::clone(pool),
        Arc::clone(process),
    )));
    let mut output = follow_output(pool, process, &mut child);
    let mut check = Instant::now();
    let failure = loop {
        tokio::select! {
            status = child.wait() => break exited(status),
            () = process.retire.notified() => {
                // A busy one comes back here when it has answered.
                if process.may_end() {
                    terminate(group, &mut child, pool.limits.shutdown_grace).await;
                    break stopped();
                }
            }
            () = tokio::time::sleep_until(check) => match process.due(pool) {
                Due::Later(instant) => check = instant,
                Due::StartTooSlow => {
                    kill(group, &mut child).await;
                    let limit = pool.limits.init_timeout.as_secs_f64();
                    break Failure::new("Runtime.InitTimeout", format!("init timed out after {limit:.2} seconds"));
                }
                Due::Overdue(running) => {
                    kill(group, &mut child).await;
                    let limit = pool.runnable.function.timeout.as_secs_f64();
                    let message = format!("{} Task timed out after {limit:.2} seconds", running.request_id);
                    pool.platform_log(&process.log_stream, message.clone());
                    pool.finish(running.reply, Outcome::Failed(Failure::new("Sandbox.Timedout", message)));
                    break stopped();
                }
                Due::Idle if pool.withdraw(process.id) => {
                    terminate(group, &mut child, pool.limits.shutdown_grace).await;
                    break stopped();
                }
                Due::Idle => check = Instant::now() + Duration::from_secs(1),
            },
        }
    };
    // What the process started must not outlive it, in its group or out of it.
    signal(group, Signal::KILL);
    let log_stream = process.log_stream.clone();
    let ending = tokio::task::spawn_blocking(move || end_stragglers(&log_stream));
    // It fails only while the runtime itself ends.
    let _ended = ending.await;
    let rest = async { while output.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(1), rest)
        .await
        .is_err()
    {
        pool.platform_log(
            &process.log_stream,
            "its output stays open after its end; not read further".to_owned(),
        );
    }
    failure
}

fn follow_output(pool: &Arc<Pool>, process: &Arc<Process>, child: &mut Child) -> JoinSet<()> {
    let mut output = JoinSet::new();
    let sink = |source| {
        let (pool, process) = (Arc::clone(pool), Arc::clone(process));
        move |line| pool.log(&process.log_stream, source, line)
    };
    if let Some(stdout) = child.stdout.take() {
        output.spawn(follow_lines(stdout, sink(LogSource::Stdout)));
    }
    if let Some(stderr) = child.stderr.take() {
        output.spawn(follow_lines(stderr, sink(LogSource::Stderr)));
    }
    output
}

async fn terminate(group: Option<Pid>, child: &mut Child, grace: Duration) {
    signal(group, Signal::TERM);
    if tokio::time::timeout(grace, child.wait()).await.is_err() {
        kill(group, child).await;
    }
}

async fn kill(group: Option<Pid>, child: &mut Child) {
    signal(group, Signal::KILL);
    // It fails only for a child that was waited for already.
    let _status = child.wait().await;
}

fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // It fails when nobody is left in the group, which is what we want.
        let _gone = kill_process_group(group, signal);
    }
}

fn exited(status: std::io::Result<ExitStatus>) -> Failure {
    use std::os::unix::process::ExitStatusExt as _;
    let message = match status.map(|status| (status.code(), status.signal())) {
        Ok((Some(0), _)) | Err(_) => "Runtime exited without providing a reason".to_owned(),
        Ok((Some(code), _)) => format!("Runtime exited with error: exit status {code}"),
        Ok((None, number)) => format!(
            "Runtime exited with error: signal: {}",
            number.unwrap_or_default()
        ),
    };
    Failure::new("Runtime.ExitError", message)
}

fn stopped() -> Failure {
    Failure::new("Runtime.ExitError", "the process was stopped")
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
