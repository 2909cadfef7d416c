//! The executable that runs as every function of the chat on AWS.

use std::process::ExitCode;

fn main() -> ExitCode {
    chat_lambdas::run()
}
