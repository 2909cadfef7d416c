//! `chatctl`: deploys a serverless WebSocket chat, on AWS or on one machine.

mod aws;
mod commands;
mod config;
mod engine;
mod error;
mod guard;
mod interrupt;
mod local;
mod packaging;
mod programs;
mod scratch;
mod stack;
mod terminal;
mod watch;

fn main() -> std::process::ExitCode {
    terminal::tell_panics();
    commands::main()
}
