//! The figures of the local stack, measured from the user's side: chatctl as a program, clients over sockets.

mod backend;
mod envelope;
mod room;

use std::time::Duration;

use clap::ValueEnum;

use self::backend::backend;
use self::envelope::envelope;
use self::room::room;
use crate::chatctl::{ChatctlError, Programs, Project};
use crate::floors::{ECHO_CONNECTIONS, Floors};
use crate::load::{self, ChatClient, Load, LoadError};
use crate::meter::Meter;
use crate::processes;
use crate::report::{Figure, Quantity, spread};
use crate::sample::Sample;
use crate::server::ServerError;

/// The figures that can be selected. The floors are always measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Start,
    Help,
    Messages,
    Backend,
    Envelope,
    Room,
    Memory,
}

impl Part {
    /// Measures them.
    pub(crate) async fn measure(
        self,
        programs: &Programs,
        floors: &Floors,
    ) -> Result<Vec<Figure>, FigureError> {
        match self {
            Self::Start => start(programs, floors).await,
            Self::Help => help(programs, floors),
            Self::Messages => messages(programs, floors).await,
            Self::Backend => backend(programs, floors).await,
            Self::Envelope => envelope(programs).await,
            Self::Room => room(programs, floors).await,
            Self::Memory => memory(programs).await,
        }
    }
}

/// Why a figure could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FigureError {
    #[error(transparent)]
    Chatctl(#[from] ChatctlError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("the local stack does not report its memory, which only works on Linux")]
    NoMemory,
    #[error("no repetition of {0} was requested")]
    Nothing(&'static str),
}

const STARTS: usize = 15;
const HELPS: usize = 30;
const ROUND_TRIPS: usize = 3_000;
const PAIRS: usize = 10;
const ROUNDS: usize = 3;
/// For each pair in each round: 10,000 messages in total.
const LAPS: usize = 500;
const CLIENTS: usize = 100;
const WARM_UP: usize = 200;

const fn millis(count: u64) -> Quantity {
    Quantity::Time(Duration::from_millis(count))
}

/// The aim for one pair, p50.
const ROUND_TRIP: Quantity = Quantity::Time(Duration::from_micros(900));
/// The aim for [`PAIRS`] pairs, in messages.
const THROUGHPUT: Quantity = Quantity::PerSecond(5_000.0);

/// The time until a stack accepts its first client.
async fn start(programs: &Programs, floors: &Floors) -> Result<Vec<Figure>, FigureError> {
    let (mut endpoints, mut handshakes, mut deploys) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let project = Project::new(programs);
        let (dev, started, took) = project.dev()?;
        let client = ChatClient::open(&dev.endpoint, "Tom", "Jerry").await?;
        handshakes.push(started.elapsed());
        endpoints.push(took);
        client.close().await?;
        drop(dev);
        let (_deployed, took) = project.deploy()?;
        deploys.push(took);
    }
    let floor = Quantity::Time(floors.program.median());
    let figure = |name: &str, times| {
        let sample = Sample::new(times).ok_or(FigureError::Nothing("starts"))?;
        let figure = Figure::time(name, sample.median(), spread(&sample, "starts"));
        Ok::<_, FigureError>(figure.over(floor, "empty program"))
    };
    Ok(vec![
        figure("dev: start to endpoint printed", endpoints)?,
        figure("dev: start to first accepted handshake", handshakes)?.below(millis(150)),
        figure("deploy --local: start to its exit", deploys)?.below(millis(150)),
    ])
}

/// The time of `chatctl --help`.
fn help(programs: &Programs, floors: &Floors) -> Result<Vec<Figure>, FigureError> {
    let project = Project::new(programs);
    let mut times = Vec::with_capacity(HELPS);
    for _ in 0..HELPS {
        let started = std::time::Instant::now();
        project.run(&["--help"])?;
        times.push(started.elapsed());
    }
    let sample = Sample::new(times).ok_or(FigureError::Nothing("runs"))?;
    let figure = Figure::time("chatctl --help", sample.median(), spread(&sample, "runs"));
    let floor = Quantity::Time(floors.program.median());
    Ok(vec![figure.below(millis(10)).over(floor, "empty program")])
}

/// The memory of the whole stack, after 10,000 messages and with 100 clients.
async fn memory(programs: &Programs) -> Result<Vec<Figure>, FigureError> {
    let project = Project::new(programs);
    let (deployed, _) = project.deploy()?;
    let before = deployed.status()?;
    let mut pairs = load::pairs(&before.endpoint, CLIENTS / 2).await?;
    let laps = 10_000 / CLIENTS;
    let load = load::play(&mut pairs, laps, 2).await?;
    deployed.quiet().await?;
    let bytes = deployed
        .status()?
        .memory_bytes
        .ok_or(FigureError::NoMemory)?;
    let (own, functions) = processes::usage(before.pid);
    load::end(pairs).await?;
    let mib = |bytes| Quantity::Bytes(bytes);
    let how = format!(
        "{} messages, {CLIENTS} clients still connected",
        load.messages
    );
    let shares = format!(
        "cross-check in /proc: stack {}, its functions {}",
        mib(own.proportional),
        mib(functions.proportional)
    );
    let figure = |name: &str, bytes, how| Figure::new(name, mib(bytes), how);
    Ok(vec![
        figure("memory, shared pages once, from status", bytes, how)
            .below(Quantity::Bytes(60 << 20)),
        figure(
            "memory, shared pages once, in /proc",
            own.proportional + functions.proportional,
            shares,
        ),
        figure(
            "memory, resident, in /proc",
            own.resident + functions.resident,
            String::from("sum over all processes"),
        ),
        figure(
            "memory of an idle stack",
            before.memory_bytes.ok_or(FigureError::NoMemory)?,
            String::from("before its first client"),
        ),
    ])
}

/// One pair with one message in progress, then ten.
async fn messages(programs: &Programs, floors: &Floors) -> Result<Vec<Figure>, FigureError> {
    let project = Project::new(programs);
    let (deployed, _) = project.deploy()?;
    let status = deployed.status()?;
    let mut one = load::pairs(&status.endpoint, 1).await?;
    load::play(&mut one, WARM_UP, 2).await?;
    let meter = Meter::start(status.pid);
    let alone = load::play(&mut one, ROUND_TRIPS, 2).await?;
    let alone_costs = meter.stop(&alone);
    deployed.quiet().await?;
    load::end(one).await?;

    let mut ten = load::pairs(&status.endpoint, PAIRS).await?;
    load::play(&mut ten, WARM_UP / 2, 2).await?;
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let meter = Meter::start(status.pid);
        let load = load::play(&mut ten, LAPS, 2).await?;
        let costs = meter.stop(&load);
        rounds.push((load, costs));
    }
    deployed.quiet().await?;
    load::end(ten).await?;
    rounds.sort_by_key(|(load, _)| load.elapsed);
    let (together, together_costs) = &rounds[ROUNDS / 2];
    Ok([
        round_trips(&alone.laps, floors),
        alone_costs,
        throughput(together, floors),
        together_costs.clone(),
    ]
    .concat())
}

fn round_trips(laps: &Sample, floors: &Floors) -> Vec<Figure> {
    let how = format!("{} round trips of two messages, one pair", laps.len());
    let parts = Quantity::Time(floors.message() * 2);
    let echoes = |percent| Quantity::Time(floors.echo.percentile(percent) * 2);
    let p50 = Figure::time("round trip, p50", laps.percentile(50), &how).below(ROUND_TRIP);
    let p99 = Figure::time("round trip, p99", laps.percentile(99), &how).below(millis(5));
    vec![
        p50.clone().over(echoes(50), "two echoes"),
        Figure {
            target: None,
            ..p50
        }
        .over(parts, "two (echo + hop + read)"),
        p99.over(echoes(99), "two echoes, p99"),
    ]
}

fn throughput(load: &Load, floors: &Floors) -> Vec<Figure> {
    let how = format!(
        "{PAIRS} pairs, median of {ROUNDS} rounds of {} messages",
        load.messages
    );
    let floor = Quantity::PerSecond(floors.echoes_per_second);
    let rate = Figure::new(
        "throughput",
        Quantity::PerSecond(load.messages_per_second()),
        &how,
    );
    let times = |percent| {
        Figure::time(
            format!("throughput: round trip, p{percent}"),
            load.laps.percentile(percent),
            &how,
        )
    };
    vec![
        rate.at_least(THROUGHPUT).over(floor, "20 echoes"),
        times(50),
        times(99),
    ]
}

/// The floors as lines of the table.
pub(crate) fn from_floors(floors: &Floors) -> Vec<Figure> {
    let line = |name: &str, sample: &Sample, what: &str| {
        let how = format!(
            "{}, p99 {}",
            spread(sample, what),
            Quantity::Time(sample.percentile(99))
        );
        Figure::time(name, sample.median(), how)
    };
    let rate = Quantity::PerSecond(floors.echoes_per_second);
    vec![
        line(
            "floor: bare WebSocket echo",
            &floors.echo,
            "messages, best of 5 rounds",
        ),
        Figure::new(
            "floor: bare WebSocket echo",
            rate,
            format!("{ECHO_CONNECTIONS} connections, best of 5 rounds"),
        ),
        line(
            "floor: Runtime API hop",
            &floors.runtime_api_hop,
            "invocations of authorize",
        ),
        line("floor: table read", &floors.table_read, "queries"),
        line(
            "floor: function's process, start to ready",
            &floors.function_start,
            "starts",
        ),
        line("floor: empty program", &floors.program, "runs of true"),
    ]
}
