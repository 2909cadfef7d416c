//! The costs of the single parts, which bound the cost of everything built from them.

mod echo;
mod table;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::functions::{Function, FunctionError, roles};
use crate::load::{self, Conversation, Load, LoadError};
use crate::sample::Sample;
use crate::server::{Server, ServerError};

/// Why a floor could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FloorError {
    #[error("could not measure the bare echo")]
    Echo(#[from] LoadError),
    #[error("could not measure the Runtime API hop")]
    Function(#[from] FunctionError),
    #[error("could not measure the table read: {attempt}")]
    Table {
        attempt: &'static str,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("could not start {what}")]
    Start {
        what: &'static str,
        source: std::io::Error,
    },
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("no repetition of {0} was requested")]
    Nothing(&'static str),
}

/// All floors.
#[derive(Debug)]
pub(crate) struct Floors {
    /// One message to a bare WebSocket server and back.
    pub(crate) echo: Sample,
    /// Messages per second over 20 connections to it.
    pub(crate) echoes_per_second: f64,
    /// The time from an event for the handlers' binary to its response.
    pub(crate) runtime_api_hop: Sample,
    /// The time from the start of the handlers' binary to its request for an event.
    pub(crate) function_start: Sample,
    /// One Query over a persistent connection.
    pub(crate) table_read: Sample,
    /// A program that does nothing, from its start to its end.
    pub(crate) program: Sample,
}

/// The number of connections for the echo's throughput.
pub(crate) const ECHO_CONNECTIONS: usize = 20;

const ECHO_ROUNDS: usize = 5;
const WARM_UP: usize = 200;
const REPETITIONS: usize = 3_000;
const STARTS: usize = 15;

impl Floors {
    /// The lower bound of one message: one echo, one Runtime API hop, one table read.
    pub(crate) fn message(&self) -> Duration {
        self.echo.median() + self.runtime_api_hop.median() + self.table_read.median()
    }
}

/// Measures every floor, one after another.
pub(crate) async fn measure(handlers: &Path) -> Result<Floors, FloorError> {
    let (echo, echoes_per_second) = echo().await?;
    let mut starts = Vec::with_capacity(STARTS);
    let mut hops = Vec::new();
    for start in 0..STARTS {
        let (mut function, took) = Function::start(handlers, &roles::authorize()).await?;
        starts.push(took);
        if start == 0 {
            function.invoke(WARM_UP).await?;
            hops = function.invoke(REPETITIONS).await?;
        }
        function.stop().await?;
    }
    let table = table::Table::open().await?;
    Ok(Floors {
        echo,
        echoes_per_second,
        runtime_api_hop: Sample::new(hops).ok_or(FloorError::Nothing("hops"))?,
        function_start: Sample::new(starts).ok_or(FloorError::Nothing("starts"))?,
        table_read: table.read(WARM_UP, REPETITIONS).await?,
        program: program()?,
    })
}

/// The best of several rounds, each with its own server: the result depends on where the system runs the two threads,
/// and a floor is the best case.
async fn echo() -> Result<(Sample, f64), FloorError> {
    let (mut alone, mut together) = (Vec::new(), 0.0_f64);
    for _ in 0..ECHO_ROUNDS {
        let server = echo::start()?;
        alone.push(echoes(&server, 1).await?.laps);
        let load = echoes(&server, ECHO_CONNECTIONS).await?;
        together = together.max(load.messages_per_second());
    }
    let best = alone.into_iter().min_by_key(Sample::median);
    Ok((best.ok_or(FloorError::Nothing("echoes"))?, together))
}

async fn echoes(server: &Server, connections: usize) -> Result<Load, FloorError> {
    let mut conversations = Vec::with_capacity(connections);
    for number in 0..connections {
        conversations.push(Conversation::with_an_echo(server.address, number).await?);
    }
    load::play(&mut conversations, WARM_UP, 1).await?;
    let load = load::play(&mut conversations, REPETITIONS, 1).await?;
    load::end(conversations).await?;
    Ok(load)
}

fn program() -> Result<Sample, FloorError> {
    let what = "`true`, a program that does nothing";
    let mut times = Vec::with_capacity(30);
    for _ in 0..30 {
        let started = Instant::now();
        let status = Command::new("true").stdin(Stdio::null()).status();
        status.map_err(|source| FloorError::Start { what, source })?;
        times.push(started.elapsed());
    }
    Sample::new(times).ok_or(FloorError::Nothing(what))
}
