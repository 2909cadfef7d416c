//! How long commands wait, and what their help texts promise of it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::CommandError;
use crate::terminal::Terminal;
use chatctl_deploy::engine::limits::{self, Share};
use chatctl_deploy::engine::{TargetError, longest, silence};

thread_local! {
    /// What a command may spend on asking, however often it asks.
    static ASKING: Rc<Share> = Rc::new(Share::new(limits::ASKING));
}

/// `work`, which only asks AWS, within the limit that everything has that a command asks; a long silence is reported.
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
        silence::reporting(&reporter, work).await
    }
}

/// The same, where another reporter reports the silence.
pub(super) fn asked<T, E: Into<CommandError>>(
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, CommandError>> {
    let work = Box::pin(work);
    let share = ASKING.with(Rc::clone);
    async move {
        let work = async move { work.await.map_err(Into::into) };
        share.within(work, late).await
    }
}

/// `work`, which is one of any number of looks: each has a limit of its own.
///
/// # Errors
/// As for [`asking`].
pub(super) fn looking<T, E: Into<CommandError>>(
    terminal: Terminal,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, CommandError>> {
    let work = Box::pin(work);
    let work = async move { work.await.map_err(Into::into) };
    let work = limits::within(limits::ASKING, work, late);
    async move {
        let reporter = RefCell::new(terminal.progress());
        silence::reporting(&reporter, work).await
    }
}

fn late(minutes: u64) -> CommandError {
    TargetError::late("find out everything that is needed", minutes).into()
}

pub(super) fn deploy_help() -> String {
    format!(
        "Ends within {} minutes, of which {} are for CloudFormation, which goes on by itself when they are over; within {} \
         more where it makes the role for API Gateway's logs; on this machine (`--local`) within {} minutes. Not counted: the \
         build, your answer, and the upload at {} KB a second or more.",
        longest::DEPLOYING.and(longest::FOLLOWING).at_most_minutes(),
        longest::FOLLOWING.at_most_minutes(),
        longest::MAKING_LOG_ROLE
            .and(longest::FOLLOWING)
            .at_most_minutes(),
        longest::DEPLOYING_HERE.at_most_minutes(),
        limits::SLOWEST_UPLOAD / 1024,
    )
}

pub(super) fn teardown_help() -> String {
    format!(
        "Ends within {} minutes, of which {} are for CloudFormation, which goes on by itself when they are over; on this \
         machine (`--local`) within {} minutes. Not counted: your answer.",
        longest::TEARING_DOWN.at_most_minutes(),
        limits::TEARING_DOWN.at_most_minutes(),
        longest::TEARING_DOWN_HERE.at_most_minutes(),
    )
}

pub(super) fn diff_help() -> String {
    format!(
        "Ends within {} minutes. Not counted: the build.",
        limits::ASKING.and(longest::PREVIEWING).at_most_minutes()
    )
}

pub(super) fn asking_help() -> String {
    format!("Ends within {} minutes.", limits::ASKING.at_most_minutes())
}

pub(super) fn question_help() -> String {
    format!("{} Not counted: your answer.", asking_help())
}

pub(super) fn status_help() -> String {
    format!(
        "Ends within {} minutes. With `--watch` it ends with Ctrl-C, when the stack is gone, or when more than {} \
         requests in a row had no response from AWS.",
        limits::ASKING.at_most_minutes(),
        MAX_UNANSWERED,
    )
}

pub(super) fn doctor_help() -> String {
    format!(
        "Ends within {} minutes. Not counted: what cargo and rustc take to answer.",
        limits::ASKING.and(limits::ASIDE).at_most_minutes()
    )
}

/// How many requests in a row may have no response of AWS, or be throttled, before a command that watches ends.
pub(super) const MAX_UNANSWERED: u32 = 10;

pub(super) fn logs_help() -> String {
    format!(
        "Ends within {} minutes, and at most {} more for every further page of the log. With `--follow` it ends with Ctrl-C, \
         or when more than {} requests in a row had no response from AWS.",
        limits::ASKING.at_most_minutes(),
        limits::CALL.at_most_minutes(),
        MAX_UNANSWERED,
    )
}

pub(super) fn connections_help() -> String {
    format!(
        "Ends within {} minutes. With `--watch` it ends with Ctrl-C, or when a look takes longer than that.",
        limits::ASKING.at_most_minutes()
    )
}

pub(super) fn session_help() -> String {
    format!(
        "Begins within {} minutes, and ends with Ctrl-C.",
        limits::ASKING.at_most_minutes()
    )
}

pub(super) fn chat_help() -> String {
    format!(
        "Begins within {} minutes, and ends when you leave; in a pipe after the end of the input, or when the chat cannot be \
         reached any more.",
        limits::ASKING.and(limits::HANDSHAKE).at_most_minutes()
    )
}

pub(super) const DEV_HELP: &str = "Ends with Ctrl-C. How long a build takes is not limited.";

pub(super) const EJECT_HELP: &str =
    "Makes no request to AWS. How long a build takes is not limited.";

pub(super) const AT_ONCE: &str = "Ends at once: it makes no request beyond this machine.";
