//! `chatctl`: deploys a serverless WebSocket chat, on AWS or on one machine.

mod commands;
mod error;
mod terminal;
mod watch;

fn main() -> std::process::ExitCode {
    terminal::tell_panics();
    commands::main()
}
