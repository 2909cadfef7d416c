//! The handlers for this machine, as the local target starts them: the same sources as on AWS, with the command's own
//! profile. So a clone that has just built the command need not compile their dependencies again, and `cargo install`
//! installs both.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The command looks for this text before it starts an executable that lies beside it.
    std::hint::black_box(chat_sources::MARK);
    chat_lambdas::run()
}
