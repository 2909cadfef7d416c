//! The processes that chatctl starts itself, and that outlive a command: a local stack, and the guard.
//!
//! No parser of arguments runs in them, because the code that it touches would stay in their memory as long as they run.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{Context, Run, run};
use crate::error::CommandError;
use crate::terminal::Terminal;
use chatctl_deploy::guard;
use chatctl_deploy::local::background;

/// Such a process.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Process {
    /// Runs the local stack of this name, whose state lies in the folder, until a command stops it.
    LocalStack(PathBuf, String),
    /// Ends the processes that another chatctl has started, once that one has ended.
    Guard,
}

impl Process {
    /// The process that the arguments ask for; `None` if they are a user's.
    pub(super) fn from_arguments(arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        // More than any of them has.
        let arguments: Vec<_> = arguments.take(4).collect();
        match arguments.as_slice() {
            [verb] if verb == "guard" => Some(Self::Guard),
            [verb, folder, stack] if verb == "local-stack" => {
                Some(Self::LocalStack(folder.into(), stack.to_str()?.to_owned()))
            }
            _ => None,
        }
    }

    /// Runs it to its end.
    pub(super) fn run(self) -> ExitCode {
        match self {
            // It is what the others start to clean up after them, and has no guard of its own.
            Self::Guard => {
                guard::run(std::io::stdin().lock());
                ExitCode::SUCCESS
            }
            Self::LocalStack(folder, stack) => {
                guard::enable();
                let context = Context {
                    terminal: Terminal::default(),
                };
                let outcome = run(LocalStack { folder, stack }, &context);
                guard::dismiss();
                context.ended(outcome)
            }
        }
    }
}

struct LocalStack {
    folder: PathBuf,
    stack: String,
}

impl Run for LocalStack {
    async fn run(self, _context: &Context) -> Result<(), CommandError> {
        // The process's standard error is its log file.
        let complain = |text: &str| Terminal::default().say(text);
        Ok(background::run(self.folder, self.stack, complain).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_chatctl_starts_itself_differs_from_what_users_type() {
        let process = |line: &str| Process::from_arguments(line.split(' ').map(OsString::from));
        assert_eq!(process("guard"), Some(Process::Guard));
        let stack = Process::LocalStack("/state".into(), "chat".into());
        assert_eq!(process("local-stack /state chat"), Some(stack));
        for line in [
            "guard now",
            "local-stack",
            "local-stack /state chat more",
            "deploy --local",
            "",
        ] {
            assert_eq!(process(line), None, "{line}");
        }
    }
}
