//! The cost of what a route adds to a message, beside a plain one.

use super::{FigureError, ROUND_TRIPS, ROUNDS, WARM_UP};
use crate::chatctl::{Programs, Project};
use crate::load;
use crate::report::{Figure, Quantity};
use crate::sample::Sample;

/// What a route to a friend may add, by its lines in the config.
const ADDED: [(&str, &str); 2] = [
    ("with its sender", "envelope = true\n"),
    (
        "with its sender, kept",
        "envelope = true\nhistory = \"7d\"\n",
    ),
];

/// The most that it may take, in round trips of plain messages.
const MAX_FACTOR: f64 = 1.6;

/// One pair for each addition, and one with plain messages, in turns.
pub(crate) async fn envelope(programs: &Programs) -> Result<Vec<Figure>, FigureError> {
    let mut figures = Vec::new();
    for (name, lines) in ADDED {
        let route = format!("[[routes]]\nkey = \"$default\"\n{lines}");
        let (added, plain) = (
            Project::with_config(programs, &route),
            Project::new(programs),
        );
        let stacks = [added.deploy()?.0, plain.deploy()?.0];
        let mut pairs = Vec::new();
        for stack in &stacks {
            let mut pair = load::pairs(&stack.status()?.endpoint, 1).await?;
            load::play(&mut pair, WARM_UP, 2).await?;
            pairs.push(pair);
        }
        let mut laps = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (pair, laps) in pairs.iter_mut().zip(&mut laps) {
                laps.push(load::play(pair, ROUND_TRIPS / ROUNDS, 2).await?.laps);
            }
        }
        for stack in &stacks {
            stack.quiet().await?;
        }
        for pair in pairs {
            load::end(pair).await?;
        }
        let [added, plain] = laps.map(Sample::joined);
        let added = added.ok_or(FigureError::Nothing("round trips"))?;
        let plain = plain.ok_or(FigureError::Nothing("round trips"))?;
        let how = format!(
            "{} round trips of two messages, one pair, in turns with plain ones",
            added.len()
        );
        for percent in [50, 99] {
            let beside = plain.percentile(percent);
            let figure = Figure::time(
                format!("round trip of a message {name}, p{percent}"),
                added.percentile(percent),
                &how,
            );
            let figure = match percent {
                50 => figure.below(Quantity::Time(beside.mul_f64(MAX_FACTOR))),
                _ => figure,
            };
            figures.push(figure.over(Quantity::Time(beside), "plain ones, same run"));
        }
    }
    Ok(figures)
}
