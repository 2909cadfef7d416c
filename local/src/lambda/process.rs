//! Runs one process of the operating system: starts it, follows it, and ends it with all its descendants.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, setpriority_process};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::environment;
use super::job::Failure;
use super::open_files::limit_as_on_lambda;
use super::output::follow_lines;
use super::pool::Termination;
use super::runnable::Runnable;
use super::stragglers::end_stragglers;
use crate::observer::LogSource;

/// The owner of a process.
pub(super) trait Supervisor: Clone + Send + Sync + 'static {
    /// `AWS_LAMBDA_LOG_STREAM_NAME`.
    fn log_stream(&self) -> &str;

    /// The process is about to start: from now on it may exist.
    fn starts(&self);

    /// The process does not exist, because it could not be started.
    fn did_not_start(&self);

    /// The process has started, and has not done anything yet.
    fn started(&self, pid: u32);

    /// The process and its descendants have ended.
    fn ended(&self, pid: u32);

    /// The process, or its runner, has written a line.
    fn wrote(&self, source: LogSource, line: String);

    /// Checks the process's deadlines; returns the time of the next check.
    fn look(&self) -> Instant;

    /// Serves its Runtime API until the future is dropped.
    fn serve(self, listener: TcpListener) -> impl Future<Output = ()> + Send;
}

/// Runs the process until it has ended with its whole process group. Returns the failure for the invocation that it was
/// working on.
pub(super) async fn run(
    runnable: &Runnable,
    grace: Duration,
    order: oneshot::Receiver<Termination>,
    supervisor: &impl Supervisor,
) -> Failure {
    supervisor.starts();
    match start(runnable, supervisor.log_stream()).await {
        Ok((child, listener)) => {
            let pid = child.id();
            if let Some(pid) = pid {
                supervisor.started(pid);
            }
            limit_as_on_lambda(&child);
            yield_to_the_gateway(&child);
            let failure = follow(child, listener, grace, order, supervisor).await;
            if let Some(pid) = pid {
                supervisor.ended(pid);
            }
            failure
        }
        Err(error) => {
            supervisor.did_not_start();
            let path = runnable.code.bootstrap.display();
            Failure::new(
                "Runtime.InvalidEntrypoint",
                format!("could not start `{path}`: {error}"),
            )
        }
    }
}

async fn start(runnable: &Runnable, log_stream: &str) -> std::io::Result<(Child, TcpListener)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let runtime_api = listener.local_addr()?.to_string();
    let code = &runnable.code;
    let mut command = Command::new(&code.bootstrap);
    command
        .env_clear()
        .envs(environment::environment(runnable, log_stream, &runtime_api))
        .current_dir(&code.root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    // A file that was just written may still be open for writing in a child that another thread has forked.
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

/// How much less of a busy processor functions get than the stack itself, as `nice` counts.
const NICE: i32 = 5;

/// On AWS functions take no processor time from API Gateway. Here many busy ones would delay every message of the others.
fn yield_to_the_gateway(child: &Child) {
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    // At worst it has the usual priority.
    let _unchanged = pid.map(|pid| setpriority_process(Some(pid), NICE));
}

/// Serves the process until it ends, by itself or because it is asked to.
async fn follow(
    mut child: Child,
    listener: TcpListener,
    grace: Duration,
    mut order: oneshot::Receiver<Termination>,
    supervisor: &impl Supervisor,
) -> Failure {
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let _runtime_api = AbortOnDropHandle::new(tokio::spawn(supervisor.clone().serve(listener)));
    let mut output = follow_output(supervisor, &mut child);
    let mut check = Instant::now();
    let failure = loop {
        tokio::select! {
            status = child.wait() => break exited(status),
            order = &mut order => {
                // The sender is only dropped together with everything else.
                let order = order.unwrap_or_else(|_| Termination::stop());
                match order.at_once {
                    true => kill(group, &mut child).await,
                    false => terminate(group, &mut child, grace).await,
                }
                break order.why;
            }
            () = tokio::time::sleep_until(check) => check = supervisor.look(),
        }
    };
    // Descendants must not outlive the process, inside or outside of its group.
    signal(group, Signal::KILL);
    let mark = format!("AWS_LAMBDA_LOG_STREAM_NAME={}", supervisor.log_stream());
    let ending = tokio::task::spawn_blocking(move || end_stragglers(&mark));
    // Fails only while the runtime itself shuts down.
    let _ended = ending.await;
    let rest = async { while output.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(1), rest)
        .await
        .is_err()
    {
        supervisor.wrote(
            LogSource::Platform,
            "its output stays open after its end; stopped reading it".to_owned(),
        );
    }
    failure
}

fn follow_output(supervisor: &impl Supervisor, child: &mut Child) -> JoinSet<()> {
    let mut output = JoinSet::new();
    let sink = |source| {
        let supervisor = supervisor.clone();
        move |line| supervisor.wrote(source, line)
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
    // Fails only for a child that was waited for already.
    let _status = child.wait().await;
}

fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // Fails when the group is empty, which is the goal.
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
