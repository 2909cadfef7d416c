//! The cost of a message through an HTTP backend instead of a handler.

use super::{FigureError, ROUND_TRIPS, ROUNDS, WARM_UP};
use crate::backend::Backend;
use crate::chatctl::{Programs, Project};
use crate::floors::Floors;
use crate::load;
use crate::report::{Figure, Quantity};
use crate::sample::Sample;

/// One pair whose messages go through an HTTP backend, and one whose messages go through the handler, in turns.
pub(crate) async fn backend(
    programs: &Programs,
    floors: &Floors,
) -> Result<Vec<Figure>, FigureError> {
    let backend = Backend::start()?;
    let over_http = Project::with_config(programs, &backend.config());
    let by_handler = Project::new(programs);
    let (over_http, _) = over_http.deploy()?;
    let (by_handler, _) = by_handler.deploy()?;
    let endpoint = over_http.status()?.endpoint;
    backend.post_through(&endpoint);
    let mut pairs = [
        load::pairs(&endpoint, 1).await?,
        load::pairs(&by_handler.status()?.endpoint, 1).await?,
    ];
    for pair in &mut pairs {
        load::play(pair, WARM_UP, 2).await?;
    }
    let mut laps = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (pair, laps) in pairs.iter_mut().zip(&mut laps) {
            laps.push(load::play(pair, ROUND_TRIPS / ROUNDS, 2).await?.laps);
        }
    }
    over_http.quiet().await?;
    by_handler.quiet().await?;
    for pair in pairs {
        load::end(pair).await?;
    }
    let [http, handler] = laps.map(Sample::joined);
    let (http, handler) = (
        http.ok_or(FigureError::Nothing("round trips"))?,
        handler.ok_or(FigureError::Nothing("round trips"))?,
    );
    let how = format!(
        "{} round trips of two messages, one pair, in turns with a handler's",
        http.len()
    );
    let beside = Quantity::Time(handler.percentile(50));
    let echoes = Quantity::Time(floors.echo.percentile(50) * 2);
    let figure = |percent| {
        let name = format!("round trip through an HTTP backend, p{percent}");
        Figure::time(name, http.percentile(percent), &how)
    };
    Ok(vec![
        figure(50).over(beside, "the handler's, same run"),
        figure(50).over(echoes, "two echoes"),
        figure(99).over(
            Quantity::Time(handler.percentile(99)),
            "the handler's, same run",
        ),
    ])
}
