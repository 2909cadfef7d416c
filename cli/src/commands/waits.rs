//! How long commands wait, and what their help texts promise of it.

use std::cell::RefCell;

use crate::error::CommandError;
use crate::terminal::Terminal;
use chatctl_deploy::engine::limits::{self, Limit};
use chatctl_deploy::engine::{TargetError, silence};

/// `work`, which only asks AWS, within its limit; a long silence is reported.
///
/// # Errors
/// That of `work`, or there is no end of it.
pub(super) fn asking<T, E: Into<CommandError>>(
    terminal: Terminal,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, CommandError>> {
    let work = asked(work);
    async move {
        let reporter = RefCell::new(terminal.progress());
        silence::telling(&reporter, work).await
    }
}

/// The same, where another reporter reports the silence.
pub(super) fn asked<T, E: Into<CommandError>>(
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, CommandError>> {
    let work = Box::pin(work);
    limits::within(
        limits::ASKING,
        async move { work.await.map_err(Into::into) },
        |minutes| TargetError::late("find out everything that is needed", minutes).into(),
    )
}

/// Everything of a deployment that does not wait for CloudFormation's work: the checks, what a hotswap looks at,
/// publishing, the change set, its execution or its end, the protection, the proof.
const DEPLOYING: Limit = limits::ASKING
    .and(limits::ASKING)
    .and(limits::PUBLISHING)
    .and(limits::COMPUTING)
    .and(limits::CALL)
    .and(limits::ASKING)
    .and(limits::CALL)
    .and(limits::CALL)
    .and(limits::PROVING)
    .and(REPEATING);

/// The change set of a first deployment that is made once more, and its execution.
const REPEATING: Limit = limits::COMPUTING.and(limits::ASKING);

pub(super) fn of_deploy() -> String {
    // What is in the way, and the deployment; and both again where it is made once more.
    let once = limits::FOLLOWING.and(limits::FOLLOWING);
    let cloudformation = once.and(once);
    format!(
        "Ends within {} minutes, of which {} are for CloudFormation, which goes on by itself when they are over; on this \
         machine (`--local`) within {} minutes. Not counted: the build, your answer, and the upload at {} KB a second or \
         more.",
        DEPLOYING.and(cloudformation).in_minutes(),
        cloudformation.in_minutes(),
        LOCAL.in_minutes(),
        limits::SLOWEST_UPLOAD / 1024,
    )
}

/// Ending what runs and starting anew, with a probe.
const LOCAL: Limit = limits::STARTING.and(limits::BEGINNING);

pub(super) fn of_teardown() -> String {
    let asking = limits::ASKING.and(limits::ASKING);
    format!(
        "Ends within {} minutes, of which {} are for CloudFormation, which goes on by itself when they are over; on this \
         machine (`--local`) within {} minutes. Not counted: your answer.",
        asking.and(limits::TEARING_DOWN).in_minutes(),
        limits::TEARING_DOWN.in_minutes(),
        LOCAL.in_minutes(),
    )
}

pub(super) fn of_diff() -> String {
    let all = limits::ASKING
        .and(limits::ASKING)
        .and(limits::COMPUTING)
        .and(limits::CALL);
    format!(
        "Ends within {} minutes. Not counted: the build.",
        all.in_minutes()
    )
}

pub(super) fn of_asking() -> String {
    format!("Ends within {} minutes.", limits::ASKING.in_minutes())
}

pub(super) fn of_status() -> String {
    format!(
        "Ends within {} minutes. With `--watch` it ends with Ctrl-C, when the stack is gone, or when AWS has not answered {} \
         questions in a row.",
        limits::ASKING.in_minutes(),
        UNANSWERED_QUESTIONS,
    )
}

pub(super) fn of_doctor() -> String {
    format!(
        "Ends within {} minutes. Not counted: what cargo and rustc take to answer.",
        limits::ASKING.in_minutes()
    )
}

/// How often in a row AWS may not answer, or answer that it was asked too often, before following a log ends.
pub(super) const UNANSWERED_QUESTIONS: u32 = 10;

pub(super) fn of_logs() -> String {
    format!(
        "Ends within {} minutes, and at most {} more for every further page of the log. With `--follow` it ends with Ctrl-C, \
         or when AWS has not answered {} questions in a row.",
        limits::ASKING.in_minutes(),
        limits::CALL.in_minutes(),
        UNANSWERED_QUESTIONS,
    )
}

pub(super) fn of_connections() -> String {
    format!(
        "Ends within {} minutes. With `--watch` it ends with Ctrl-C, or when a look takes longer than that.",
        limits::ASKING.in_minutes()
    )
}

pub(super) fn of_session() -> String {
    format!(
        "Begins within {} minutes, and ends with Ctrl-C.",
        limits::ASKING.in_minutes()
    )
}

pub(super) fn of_chat() -> String {
    format!(
        "Begins within {} minutes, and ends when you leave; in a pipe after the end of the input, or when the chat cannot be \
         reached any more.",
        limits::ASKING.in_minutes()
    )
}

pub(super) const OF_DEV: &str = "Ends with Ctrl-C. How long a build takes is not limited.";

pub(super) const AT_ONCE: &str = "Ends at once: it asks nothing outside of this machine.";
