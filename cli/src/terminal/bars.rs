//! Progress on a terminal: a bar, rows for what is under way, failures that stay.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::gate::{Drawing, Shown, Sink, Stderr, Text, draws};
use super::lines::{building_line, repeating_line, seconds, settled_line, silent_line, under_way};
use super::printable::{bounded, printable};
use super::{step_line, step_word};
use chatctl_deploy::engine::{DeployEvent, Reporter, Step};
use chatctl_deploy::stack::progress::{Progress, State};

/// Never more rows than these, whatever the stack's size.
const MAX_ROWS: usize = 6;

/// Draws on stderr; what is finished becomes one line and stays.
#[derive(Debug)]
pub(crate) struct Bars {
    screen: MultiProgress,
    bar: Option<ProgressBar>,
    rows: Vec<ProgressBar>,
    progress: Progress,
    /// The step that runs.
    step: Step,
}

impl Bars {
    pub(crate) fn new() -> Self {
        let bars = Self::on(ProgressDrawTarget::stderr());
        draws(Some(Box::new(Screen(bars.screen.clone()))));
        bars
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let screen = MultiProgress::with_draw_target(target);
        Self {
            screen,
            bar: None,
            rows: Vec::new(),
            progress: Progress::default(),
            step: Step::Prepare,
        }
    }

    fn start(&mut self, step: Step) {
        self.clear();
        self.step = step;
        let style = ProgressStyle::with_template("{prefix} {spinner} {wide_msg} {elapsed}");
        let bar = self
            .screen
            .add(ProgressBar::new_spinner().with_style(style.expect("the template is valid")));
        bar.set_prefix(
            for_bars(&step_word(step.word()).shown())
                .trim_end()
                .to_owned(),
        );
        bar.enable_steady_tick(Duration::from_millis(100));
        self.bar = Some(bar);
        self.progress = Progress::default();
    }

    fn expect(&mut self, resources: usize) {
        self.progress = Progress::new(resources);
        if let Some(bar) = &self.bar {
            let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {elapsed}");
            bar.set_style(style.expect("the template is valid").progress_chars("━╸ "));
            bar.set_length(resources as u64);
        }
    }

    fn draw(&mut self) {
        if let Some(bar) = &self.bar {
            bar.set_length(self.progress.total() as u64);
            bar.set_position(self.progress.done() as u64);
        }
        let running = self.progress.rows(State::Running);
        let mut texts: Vec<_> = running
            .iter()
            .take(MAX_ROWS)
            .map(|row| printable(&format!("  {} {}", row.logical_id, row.resource_type)))
            .collect();
        if running.len() > MAX_ROWS {
            texts[MAX_ROWS - 1] = format!("  and {} more", running.len() - MAX_ROWS + 1);
        }
        while self.rows.len() < texts.len() {
            let style = ProgressStyle::with_template("{prefix:>9} {wide_msg}")
                .expect("the template is valid");
            self.rows.push(
                self.screen
                    .add(ProgressBar::new_spinner().with_style(style)),
            );
        }
        for surplus in self.rows.drain(texts.len()..) {
            surplus.finish_and_clear();
        }
        for (row, text) in self.rows.iter().zip(texts) {
            row.set_message(text);
        }
    }

    /// Prints `text` above the bar, where it stays.
    fn keep(&self, text: impl Into<Text>) {
        let line = step_line(self.step.word(), text);
        // A terminal that has gone is no reason to stop.
        match self.bar {
            Some(_) => drop(self.screen.println(for_bars(&line))),
            // Without a bar its line would not be ended.
            None => drop(Stderr.line(&line)),
        }
    }

    fn clear(&mut self) {
        for bar in self.rows.drain(..).chain(self.bar.take()) {
            bar.finish_and_clear();
        }
    }
}

/// Bars print what they are given.
fn for_bars(shown: &Shown) -> String {
    shown.for_writer(Stderr.is_coloured())
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.clear();
        draws(None);
    }
}

/// The bars, as what is printed beside them has to know of them.
struct Screen(MultiProgress);

impl Drawing for Screen {
    fn print(&self, _text: &Shown, print: &mut dyn FnMut()) {
        self.0.suspend(print);
    }

    fn hide(&self, is_hidden: bool) {
        self.0.set_draw_target(match is_hidden {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        });
    }
}

impl Reporter for Bars {
    fn report(&mut self, event: &DeployEvent) {
        match event {
            DeployEvent::Started(step) => self.start(*step),
            DeployEvent::Expecting(resources) => self.expect(*resources),
            DeployEvent::Building { name, folder } => {
                self.keep(building_line(name, folder));
            }
            DeployEvent::Compiling { unit, count } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(printable(&format!("{count} crates, {unit}")));
                }
            }
            DeployEvent::Notice(text) => self.keep(bounded(text)),
            DeployEvent::Repeating { stack, cause } => {
                self.keep(bounded(&repeating_line(stack, cause)));
            }
            DeployEvent::Silent { service, silence } => self.keep(silent_line(service, *silence)),
            DeployEvent::UnderWay { status, quiet } => self.keep(under_way(status, *quiet)),
            DeployEvent::Stack(event) => {
                self.progress.apply(event);
                if event.status.ends_with("_FAILED")
                    && let Some(text) = settled_line(event)
                {
                    self.keep(text);
                }
                self.draw();
            }
            DeployEvent::Finished { step, detail, took } => {
                self.clear();
                // Not through the bars: without one they would leave the line unended.
                let text = format!("{}, {}", bounded(detail), seconds(*took));
                drop(Stderr.line(&step_line(step.word(), text)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatctl_deploy::stack::progress::StackEvent;
    use expect_test::{Expect, expect};
    use indicatif::InMemoryTerm;

    fn check(script: &str, expected: Expect) {
        let term = InMemoryTerm::new(24, 80);
        let mut bars = Bars::on(ProgressDrawTarget::term_like(Box::new(term.clone())));
        bars.report(&DeployEvent::Started(Step::Deploy));
        bars.report(&DeployEvent::Expecting(10));
        for line in script.lines() {
            let (logical_id, status) = line.split_once(' ').unwrap();
            bars.report(&DeployEvent::Stack(StackEvent {
                id: line.into(),
                at: 0.0,
                logical_id: logical_id.into(),
                resource_type: "AWS::IAM::Role".into(),
                status: status.into(),
                reason: status.ends_with("FAILED").then(|| "name taken".into()),
            }));
        }
        for row in bars.rows.iter().chain(&bars.bar) {
            row.force_draw();
        }
        let screen: String = term
            .contents()
            .lines()
            .map(|line| format!("|{}\n", line.trim_end()))
            .collect();
        expected.assert_eq(&screen.replace(" 0s", " T"));
    }

    #[test]
    fn rows_show_what_is_under_way_and_failures_stay() {
        check(
            "A CREATE_COMPLETE\nB CREATE_IN_PROGRESS\nC CREATE_FAILED\nD CREATE_IN_PROGRESS",
            expect![[r#"
                |   deploy C CREATE_FAILED: name taken
                |   deploy ━━━━━━╸                                                        1/10 T
                |            B AWS::IAM::Role
                |            D AWS::IAM::Role
            "#]],
        );
    }

    #[test]
    fn there_are_never_more_rows_than_fit() {
        let many: Vec<_> = (0..9)
            .map(|n| format!("Role{n} CREATE_IN_PROGRESS"))
            .collect();
        check(
            &many.join("\n"),
            expect![[r#"
                |   deploy                                                                0/10 T
                |            Role0 AWS::IAM::Role
                |            Role1 AWS::IAM::Role
                |            Role2 AWS::IAM::Role
                |            Role3 AWS::IAM::Role
                |            Role4 AWS::IAM::Role
                |            and 4 more
            "#]],
        );
    }

    #[test]
    fn no_name_or_reason_of_a_stack_reaches_the_terminal_raw() {
        const EVIL: &str = "\u{1b}]0;evil\u{7}\u{9b}2J\r\n";
        let term = InMemoryTerm::new(24, 80);
        let mut bars = Bars::on(ProgressDrawTarget::term_like(Box::new(term.clone())));
        bars.report(&DeployEvent::Started(Step::Deploy));
        bars.report(&DeployEvent::Compiling {
            unit: format!("{EVIL}unit"),
            count: 1,
        });
        bars.report(&DeployEvent::Notice(format!("{EVIL}notice")));
        for status in ["CREATE_IN_PROGRESS", "CREATE_FAILED"] {
            bars.report(&DeployEvent::Stack(StackEvent {
                id: "1".into(),
                at: 0.0,
                logical_id: format!("{EVIL}{status}"),
                resource_type: format!("AWS::{EVIL}Role"),
                status: status.into(),
                reason: Some(format!("{EVIL}reason")),
            }));
        }
        for row in bars.rows.iter().chain(&bars.bar) {
            row.force_draw();
        }
        let drawn = term.moves_since_last_check();
        assert!(drawn.contains("␛]0;evil␇"), "{drawn}");
        for raw in [
            "\u{1b}]", "\\u{1b}]", "\u{7}", "\\u{7}", "\u{9b}", "\\u{9b}",
        ] {
            assert!(!drawn.contains(raw), "{raw:?} in {drawn}");
        }
    }
}
