//! A program that a test has started.

use std::io::{BufRead, BufReader, Read};
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};

/// A started program, which is killed when this is dropped: also when its test fails.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts `command`.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let child = command.spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}")))
    }

    /// The first line on standard output, which is closed afterwards.
    pub fn first_line(&mut self) -> String {
        let mut line = String::new();
        let output = self.0.stdout.take().expect("stdout is piped");
        BufReader::new(output).read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The lines on standard output, as they come.
    pub fn lines(&mut self) -> Receiver<String> {
        lines(self.0.stdout.take().expect("stdout is piped"))
    }
}

/// The lines of `output`, as they come. It is read to its end, so that the program never waits for a reader.
pub fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // The test may be over.
            drop(sender.send(line));
        }
    });
    lines
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
