//! The cost of a message to a room, and that receivers take no memory.

use super::FigureError;
use crate::chatctl::{Deployed, Programs, Project};
use crate::floors::Floors;
use crate::processes;
use crate::report::{Figure, Quantity};
use crate::room::{Broadcasts, Room};

/// Each message goes to all members except the sender.
const CONFIG: &str = "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n";
const RECEIVERS: [usize; 3] = [10, 100, 1_000];
const WARM_UP: usize = 5;
const MESSAGES: usize = 50;

/// Messages in rooms of different sizes, one after another, while all are open.
pub(crate) async fn room(programs: &Programs, floors: &Floors) -> Result<Vec<Figure>, FigureError> {
    let project = Project::with_config(programs, CONFIG);
    let (deployed, _) = project.deploy()?;
    let endpoint = deployed.status()?.endpoint;
    let mut rooms = Vec::new();
    for receivers in RECEIVERS {
        let name = format!("of-{receivers}");
        rooms.push((
            Room::open(&endpoint, &name, receivers + 1).await?,
            receivers,
        ));
    }

    let mut figures = Vec::new();
    for (room, receivers) in &mut rooms {
        let receivers = *receivers;
        room.play(WARM_UP).await?;
        let broadcasts = room.play(MESSAGES).await?;
        deployed.quiet().await?;
        figures.extend(times(&broadcasts, receivers, floors));
        figures.extend(memory(&deployed, receivers)?);
    }
    for (room, _) in rooms {
        room.end().await?;
    }
    Ok(figures)
}

fn times(broadcasts: &Broadcasts, receivers: usize, floors: &Floors) -> Vec<Figure> {
    let how = format!("{MESSAGES} messages, one after another, {receivers} receivers each");
    let figure = |percent| {
        let name = format!("room of {receivers}: until the last one has it, p{percent}");
        Figure::time(name, broadcasts.times.percentile(percent), &how)
    };
    let rate = broadcasts.deliveries as f64 / broadcasts.elapsed.as_secs_f64();
    let floor = Quantity::PerSecond(floors.echoes_per_second);
    vec![
        figure(50).over(Quantity::Time(floors.message()), "echo + hop + read"),
        figure(99),
        Figure::new(
            format!("room of {receivers}: deliveries"),
            Quantity::PerSecond(rate),
            &how,
        )
        .over(floor, "echoes over 20 connections"),
    ]
}

/// The memory of the stack and of its functions: connections would increase the first, receivers of a message the
/// second.
fn memory(deployed: &Deployed<'_>, receivers: usize) -> Result<Vec<Figure>, FigureError> {
    let pid = deployed.status()?.pid;
    let (own, functions) = processes::usage(pid);
    let how = format!(
        "{} connections open",
        RECEIVERS.iter().sum::<usize>() + RECEIVERS.len()
    );
    let figure = |what: &str, bytes| {
        let name = format!("room of {receivers}: memory of {what}");
        Figure::new(name, Quantity::Bytes(bytes), &how)
    };
    Ok(vec![
        figure("the stack afterwards", own.proportional),
        figure("its functions afterwards", functions.proportional),
        figure("its largest function at its peak", processes::largest(pid)),
    ])
}
