//! The printed table. Pure.

use std::fmt;
use std::time::Duration;

use crate::sample::Sample;

/// A measured quantity, or a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Quantity {
    Time(Duration),
    PerSecond(f64),
    Bytes(u64),
    Count(usize),
}

/// The target of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    Below(Quantity),
    AtLeast(Quantity),
}

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) target: Option<Target>,
    pub(crate) measured: Quantity,
    /// The multiple of a floor, and the floor's name.
    pub(crate) ratio: Option<(f64, &'static str)>,
    /// The number and kind of measurements.
    pub(crate) how: String,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, measured: Quantity, how: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            target: None,
            measured,
            ratio: None,
            how: how.into(),
        }
    }

    pub(crate) fn time(
        name: impl Into<String>,
        measured: Duration,
        how: impl Into<String>,
    ) -> Self {
        Self::new(name, Quantity::Time(measured), how)
    }

    pub(crate) fn below(self, limit: Quantity) -> Self {
        Self {
            target: Some(Target::Below(limit)),
            ..self
        }
    }

    pub(crate) fn at_least(self, limit: Quantity) -> Self {
        Self {
            target: Some(Target::AtLeast(limit)),
            ..self
        }
    }

    /// Adds the ratio to `floor`, whose name is `name`.
    pub(crate) fn over(self, floor: Quantity, name: &'static str) -> Self {
        let ratio = self.measured.number() / floor.number();
        Self {
            ratio: Some((ratio, name)),
            ..self
        }
    }

    /// Returns `None` if there is no target.
    pub(crate) fn is_reached(&self) -> Option<bool> {
        Some(match self.target? {
            Target::Below(limit) => self.measured.number() < limit.number(),
            Target::AtLeast(limit) => self.measured.number() >= limit.number(),
        })
    }

    fn cells(&self) -> [String; 5] {
        let target = match self.target {
            Some(Target::Below(limit)) => format!("< {limit}"),
            Some(Target::AtLeast(limit)) => format!(">= {limit}"),
            None => "-".to_owned(),
        };
        let verdict = match self.is_reached() {
            Some(true) => " reached",
            Some(false) => " MISSED",
            None => "",
        };
        let ratio = self.ratio.map_or("-".to_owned(), |(ratio, name)| {
            format!("{ratio:.2} x {name}")
        });
        let measured = format!("{}{verdict}", self.measured);
        [self.name.clone(), target, measured, ratio, self.how.clone()]
    }
}

/// The median and the range of the times.
pub(crate) fn spread(sample: &Sample, what: &str) -> String {
    let (smallest, largest) = (
        Quantity::Time(sample.smallest()),
        Quantity::Time(sample.largest()),
    );
    format!("median of {} {what}, {smallest} to {largest}", sample.len())
}

impl Quantity {
    fn number(self) -> f64 {
        match self {
            Self::Time(time) => time.as_secs_f64(),
            Self::PerSecond(count) => count,
            Self::Bytes(bytes) => bytes as f64,
            Self::Count(count) => count as f64,
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) if *time < Duration::from_millis(1) => {
                write!(formatter, "{:.0} us", time.as_secs_f64() * 1e6)
            }
            Self::Time(time) => write!(formatter, "{:.2} ms", time.as_secs_f64() * 1e3),
            Self::PerSecond(count) => write!(formatter, "{count:.0}/s"),
            Self::Count(count) => write!(formatter, "{count}"),
            Self::Bytes(bytes) => write!(formatter, "{:.1} MiB", *bytes as f64 / 1024.0 / 1024.0),
        }
    }
}

/// The figures as a table with headings.
pub(crate) fn table(figures: &[Figure]) -> String {
    let head = ["figure", "target", "measured", "ratio to its floor", "how"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head)
        .chain(figures.iter().map(Figure::cells))
        .collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..5).map(width).collect();
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(&widths);
        let line: String = cells
            .map(|(cell, width)| format!("{cell:<width$}  "))
            .collect();
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_missed_when_it_is_met_exactly_and_a_minimum_is_not() {
        let ten = Quantity::PerSecond(10.0);
        let figure = Figure::new("f", ten, "");
        assert_eq!(figure.is_reached(), None);
        assert_eq!(figure.clone().below(ten).is_reached(), Some(false));
        assert_eq!(figure.at_least(ten).is_reached(), Some(true));
    }

    #[test]
    fn the_table_has_a_line_for_each_figure_in_columns() {
        let time = |micros| Quantity::Time(Duration::from_micros(micros));
        let figures = [
            Figure::new("round trip, p50", time(2500), "3000 times")
                .below(time(2000))
                .over(time(1000), "echo"),
            Figure::new("memory", Quantity::Bytes(3 << 19), "once")
                .below(Quantity::Bytes(60 << 20)),
            Figure::new("echo", time(40), "often"),
        ];
        let expected = "\
figure           target      measured         ratio to its floor  how
round trip, p50  < 2.00 ms   2.50 ms MISSED   2.50 x echo         3000 times
memory           < 60.0 MiB  1.5 MiB reached  -                   once
echo             -           40 us            -                   often";
        assert_eq!(table(&figures), expected);
    }
}
