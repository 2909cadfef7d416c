//! A table of repeated steps. Pure.

use std::time::Duration;

use crate::sample::Sample;

/// The operations on a stack, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    First,
    NoChange,
    Code,
    Hotswap,
    Teardown,
}

impl Step {
    fn word(self) -> &'static str {
        match self {
            Self::First => "first deployment",
            Self::NoChange => "nothing has changed",
            Self::Code => "new handlers",
            Self::Hotswap => "new handlers, past the stack",
            Self::Teardown => "teardown",
        }
    }
}

/// One step of one round with one tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) tool: &'static str,
    pub(super) step: Step,
    pub(super) took: Duration,
    pub(super) requests: usize,
}

/// One line for each step and tool that has parts.
pub(super) fn table(steps: &[Step], parts: &[Part]) -> String {
    let mut tools: Vec<&str> = Vec::new();
    for part in parts {
        if !tools.contains(&part.tool) {
            tools.push(part.tool);
        }
    }
    let mut rows = vec![["step", "by", "requests", "time"].map(str::to_owned)];
    for step in steps {
        for tool in &tools {
            let of: Vec<_> = parts
                .iter()
                .filter(|part| part.step == *step && part.tool == *tool)
                .collect();
            if of.is_empty() {
                continue;
            }
            let times: Vec<_> = of.iter().map(|part| part.took).collect();
            let fewest = of.iter().map(|part| part.requests).min();
            let most = of.iter().map(|part| part.requests).max();
            let requests = match (fewest.unwrap_or(0), most.unwrap_or(0)) {
                (fewest, most) if fewest == most => fewest.to_string(),
                (fewest, most) => format!("{fewest} to {most}"),
            };
            let row = [step.word(), tool, &requests, &spread(&times)];
            rows.push(row.map(str::to_owned));
        }
    }
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let widths = [width(0), width(1), width(2)];
    let line = |row: &[String; 4]| {
        let [a, b, c] = widths;
        format!("{:<a$}  {:<b$}  {:<c$}  {}", row[0], row[1], row[2], row[3])
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The median and the range of the times, in seconds.
pub(super) fn spread(times: &[Duration]) -> String {
    let Some(sample) = Sample::new(times.to_vec()) else {
        return "not measured".to_owned();
    };
    let seconds = |time: Duration| format!("{:.2}", time.as_secs_f64());
    format!(
        "{} s (median of {}, {} to {})",
        seconds(sample.median()),
        sample.len(),
        seconds(sample.smallest()),
        seconds(sample.largest())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_a_line_for_each_tool() {
        let part = |tool, step, millis, requests| Part {
            tool,
            step,
            took: Duration::from_millis(millis),
            requests,
        };
        let parts = [
            part("chatctl", Step::First, 400, 20),
            part("aws", Step::First, 3000, 9),
            part("chatctl", Step::First, 500, 21),
            part("chatctl", Step::First, 600, 20),
            part("chatctl", Step::Hotswap, 70, 12),
        ];
        let expected = "\
step                          by       requests  time
first deployment              chatctl  20 to 21  0.50 s (median of 3, 0.40 to 0.60)
first deployment              aws      9         3.00 s (median of 1, 3.00 to 3.00)
new handlers, past the stack  chatctl  12        0.07 s (median of 1, 0.07 to 0.07)";
        let steps = [Step::First, Step::NoChange, Step::Hotswap];
        assert_eq!(table(&steps, &parts), expected);
    }
}
