//! `bench functions`: the cost of a handler's process alone: until its first request for an event, for one event, and
//! in memory over many events.

mod growth;
mod process;
mod proofs;
pub(crate) mod roles;
mod signed;

use std::path::{Path, PathBuf};

pub(crate) use process::{Function, FunctionError};

use crate::sample::Sample;
use crate::server::ServerError;
use growth::Growth;
use process::Role;
use signed::SignError;

/// The handlers to measure, and how often.
#[derive(Debug, clap::Args)]
pub(crate) struct FunctionsArgs {
    /// The handlers' executable, built as it is deployed
    #[arg(long, value_name = "PATH")]
    handlers: PathBuf,
    /// Another build of it, measured in turns with the first
    #[arg(long, value_name = "PATH")]
    beside: Option<PathBuf>,
    /// How many events the growth of memory is measured over
    #[arg(long, value_name = "COUNT", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    events: u32,
    /// Only this
    #[arg(long, value_enum)]
    only: Option<Part>,
}

/// What can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Starts, events and memory
    Processes,
    /// What a token costs the authorizer
    Proofs,
}

/// Why the measurement failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FunctionsError {
    #[error("could not drive the handlers")]
    Function(#[from] FunctionError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error("could not read `{path}`")]
    Executable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the memory of a process cannot be read; that needs Linux")]
    Memory,
    #[error("nothing was measured")]
    Nothing,
}

const STARTS: usize = 40;
const WARM_UP: usize = 200;
const REPETITIONS: usize = 3_000;

/// Measures everything; returns the tables.
pub(crate) async fn measure(args: &FunctionsArgs) -> Result<String, FunctionsError> {
    let mut tables = Vec::new();
    if args.only != Some(Part::Proofs) {
        tables.push(processes(args).await?);
    }
    if args.only != Some(Part::Processes) {
        let figures = proofs::measure(&args.handlers).await?;
        tables.push(crate::report::table(&figures));
    }
    Ok(tables.join("\n\n"))
}

async fn processes(args: &FunctionsArgs) -> Result<String, FunctionsError> {
    let builds: Vec<&Path> = [Some(&args.handlers), args.beside.as_ref()]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .collect();
    let services = roles::services()?;
    let roles = [roles::authorize(), roles::direct(services.address)];
    let mut lines = vec![
        "| build | handler | executable | start to the first request for an event | one event | private memory an event |"
            .to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    for role in &roles {
        let starts = in_turns(&builds, role).await?;
        for (build, starts) in builds.iter().zip(starts) {
            let (mut function, _) = Function::start(build, role).await?;
            function.invoke(WARM_UP).await?;
            let hops = Sample::new(function.invoke(REPETITIONS).await?);
            let hops = hops.ok_or(FunctionsError::Nothing)?;
            let growth = growth::over(&mut function, args.events as usize).await?;
            function.stop().await?;
            lines.push(line(build, role, &starts, &hops, &growth)?);
        }
    }
    Ok(lines.join("\n"))
}

/// Starts each build this often, one after another in turns, so that the machine's load is the same for all.
async fn in_turns(builds: &[&Path], role: &Role) -> Result<Vec<Sample>, FunctionsError> {
    let mut times = vec![Vec::with_capacity(STARTS); builds.len()];
    for _ in 0..STARTS {
        for (build, times) in builds.iter().zip(&mut times) {
            let (function, took) = Function::start(build, role).await?;
            times.push(took);
            function.stop().await?;
        }
    }
    let samples = times.into_iter().map(Sample::new).collect::<Option<_>>();
    samples.ok_or(FunctionsError::Nothing)
}

fn line(
    build: &Path,
    role: &Role,
    starts: &Sample,
    hops: &Sample,
    growth: &Growth,
) -> Result<String, FunctionsError> {
    let size = std::fs::metadata(build).map_err(|source| FunctionsError::Executable {
        path: build.to_owned(),
        source,
    })?;
    Ok(format!(
        "| {} | {} | {} bytes | p50 {:.2?}, least {:.2?} ({STARTS}) | p50 {:.1?}, p99 {:.1?} ({REPETITIONS}) | {growth} |",
        build.display(),
        role.handler,
        size.len(),
        starts.median(),
        starts.smallest(),
        hops.median(),
        hops.percentile(99),
    ))
}
