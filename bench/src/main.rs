//! Compares the local stack with its targets, and with the costs of its single parts.
//!
//! `cargo xtask bench local` builds the programs and runs this; `cargo xtask bench deploy` does so for a deployment to
//! AWS, `cargo xtask bench functions` for the handlers alone. A missed target is reported but is no failure, because
//! the machine may be slow. A lost or duplicated message is a failure.

mod backend;
mod chatctl;
mod deploy;
mod figures;
mod floors;
mod functions;
mod kept;
mod load;
mod meter;
mod processes;
mod report;
mod room;
mod sample;
mod server;
mod soak;
mod storm;
mod tally;

use std::process::ExitCode;

use clap::{Parser, ValueEnum as _};

use crate::chatctl::Programs;
use crate::deploy::{DeployArgs, DeployBenchError};
use crate::figures::{FigureError, Part};
use crate::floors::FloorError;
use crate::functions::{FunctionsArgs, FunctionsError};
use crate::kept::{KeptArgs, KeptError};
use crate::soak::{SoakArgs, SoakError};
use crate::storm::{StormArgs, StormError};

/// Measures chatctl
#[derive(Debug, Parser)]
enum Args {
    /// The local stack
    Local(LocalArgs),
    /// A deployment to AWS, against an emulator
    Deploy(DeployArgs),
    /// The local stack under floods; a missed bound is a failure
    Soak(SoakArgs),
    /// Messages that are kept, while connections, functions and the stack are killed; one that is missing or twice is a failure
    Kept(KeptArgs),
    /// A room whose members all reconnect at once, and get announcements; a missed bound is a failure
    Storm(StormArgs),
    /// The handlers' processes by themselves
    Functions(FunctionsArgs),
}

#[derive(Debug, clap::Args)]
struct LocalArgs {
    #[command(flatten)]
    programs: Programs,
    /// Only this; can be repeated
    #[arg(long, value_enum)]
    only: Vec<Part>,
}

#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error("could not make a runtime")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Floor(#[from] FloorError),
    #[error(transparent)]
    Figure(#[from] FigureError),
    #[error(transparent)]
    Deploy(#[from] DeployBenchError),
    #[error(transparent)]
    Soak(#[from] SoakError),
    #[error(transparent)]
    Functions(#[from] FunctionsError),
    #[error(transparent)]
    Kept(#[from] KeptError),
    #[error(transparent)]
    Storm(#[from] StormError),
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// The whole load is generated on this one thread.
fn run(args: &Args) -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(BenchError::Runtime)?;
    let before = load_average();
    let args = match args {
        Args::Local(args) => args,
        Args::Soak(args) => {
            let soaked = soak::run(args);
            say(&machine(&before));
            return Ok(soaked?);
        }
        Args::Kept(args) => return Ok(runtime.block_on(kept::run(args))?),
        Args::Storm(args) => {
            let stormed = runtime.block_on(storm::run(args));
            say(&machine(&before));
            return Ok(stormed?);
        }
        Args::Deploy(args) => {
            let table = runtime.block_on(deploy::measure(args))?;
            say(&format!("{}\n\n{table}", machine(&before)));
            return Ok(());
        }
        Args::Functions(args) => {
            let table = runtime.block_on(functions::measure(args))?;
            say(&format!("{}\n\n{table}", machine(&before)));
            return Ok(());
        }
    };
    let floors = runtime.block_on(floors::measure(&args.programs.handlers))?;
    let mut figures = Vec::new();
    for part in Part::value_variants() {
        if args.only.is_empty() || args.only.contains(part) {
            figures.extend(runtime.block_on(part.measure(&args.programs, &floors))?);
        }
    }
    figures.extend(figures::from_floors(&floors));
    let missed = figures.iter().filter(|it| it.is_reached() == Some(false));
    say(&format!(
        "{}\n\n{}\n\n{} targets missed; every message arrived once",
        machine(&before),
        report::table(&figures),
        missed.count()
    ));
    Ok(())
}

/// The machine, and its load.
fn machine(load_before: &str) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{cores} cores, {}; load average {load_before} before, {} after; clients: one thread, 127.0.0.1",
        model.map_or("unknown processor", |(_, model)| model),
        load_average()
    )
}

/// Over the last minute.
fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ')
        .next()
        .filter(|first| !first.is_empty())
        .unwrap_or("unknown")
        .to_owned()
}

#[expect(clippy::print_stdout, reason = "the table is this program's output")]
fn say(text: &str) {
    println!("{}", printable(text));
}

/// Prints an error and its causes.
#[expect(clippy::print_stderr, reason = "this program reports to its user")]
fn complain(error: &(dyn std::error::Error + 'static)) {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let text = causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ");
    eprintln!("bench: {}", printable(&text));
}

/// `text` without control characters, because it may quote the output of a measured program.
fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}
