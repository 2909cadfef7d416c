//! Measures whether a process grows with the number of events.

use std::fmt;

use super::FunctionsError;
use super::process::Function;
use crate::processes;

/// The number of events before the first sample, so that buffers, pools and the allocator have reached their size.
const WARM_UP: usize = 5_000;

/// The number of samples for the regression line.
const SAMPLES: usize = 100;

/// A process's private memory over the number of events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    events: usize,
    first: u64,
    last: u64,
    line: Slope,
}

/// The slope of the least-squares line, in bytes per event.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Slope {
    value: f64,
    /// Half the 95 % confidence interval, if the distances were independent.
    noise: f64,
}

/// Invokes `function` this often, and reads its private memory at intervals.
pub(super) async fn over(function: &mut Function, events: usize) -> Result<Growth, FunctionsError> {
    function.invoke(WARM_UP).await?;
    let pid = function.id().ok_or(FunctionsError::Memory)?;
    let step = (events / SAMPLES).max(1);
    let mut points = Vec::with_capacity(SAMPLES + 1);
    for sample in 0..=SAMPLES {
        let private = processes::private(pid).ok_or(FunctionsError::Memory)?;
        points.push(((sample * step) as f64, private as f64));
        if sample < SAMPLES {
            function.invoke(step).await?;
        }
    }
    let line = slope(&points).ok_or(FunctionsError::Nothing)?;
    Ok(Growth {
        events: SAMPLES * step,
        first: points[0].1 as u64,
        last: points[SAMPLES].1 as u64,
        line,
    })
}

/// Returns `None` for fewer than three points, or for points with the same x.
fn slope(points: &[(f64, f64)]) -> Option<Slope> {
    let count = points.len() as f64;
    if points.len() < 3 {
        return None;
    }
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let spread = points
        .iter()
        .map(|(x, _)| (x - mean_x).powi(2))
        .sum::<f64>();
    if spread == 0.0 {
        return None;
    }
    let together = points
        .iter()
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum::<f64>();
    let value = together / spread;
    let distance = |(x, y): &(f64, f64)| y - (mean_y + value * (x - mean_x));
    let squares = points
        .iter()
        .map(|point| distance(point).powi(2))
        .sum::<f64>();
    let noise = 1.96 * (squares / (count - 2.0) / spread).sqrt();
    Some(Slope { value, noise })
}

impl fmt::Display for Growth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Slope { value, noise } = self.line;
        write!(
            formatter,
            "{value:.3} \u{b1} {noise:.3} bytes ({} events: {} kB to {} kB)",
            self.events,
            self.first / 1024,
            self.last / 1024
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_is_found_whatever_its_offset() {
        let points: Vec<_> = (0..50)
            .map(|x| (f64::from(x), 7.0 + 145.0 * f64::from(x)))
            .collect();
        let slope = slope(&points).unwrap();
        assert!(
            (slope.value - 145.0).abs() < 1e-9 && slope.noise < 1e-6,
            "{slope:?}"
        );
    }

    #[test]
    fn a_constant_with_noise_has_no_significant_slope() {
        let points: Vec<_> = (0..100)
            .map(|x| (f64::from(x), f64::from(x % 2) * 4096.0))
            .collect();
        let slope = slope(&points).unwrap();
        assert!(slope.value.abs() < slope.noise, "{slope:?}");
    }

    #[test]
    fn too_few_points_have_no_line() {
        assert_eq!(slope(&[(0.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(slope(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
    }
}
