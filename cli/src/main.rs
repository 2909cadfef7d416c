//! `chatctl`: deploys a serverless WebSocket chat, on AWS or on one machine.

mod commands;
mod error;
mod terminal;
mod watch;

/// For the local stack, where it takes less time than glibc's, and returns the memory that a flood has taken.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    terminal::tell_panics();
    commands::main()
}
