//! Issuers of tokens on this machine, each a program that answers lines.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use crate::command::peer;
use crate::running::Running;

/// A program that answers each line on its stdin by one on its stdout.
#[derive(Debug)]
pub struct Answering {
    asking: ChildStdin,
    answers: BufReader<ChildStdout>,
    _program: Running,
}

impl Answering {
    /// Starts `program` with `script`; the second part is its first line.
    pub fn start(program: impl AsRef<Path>, script: impl AsRef<Path>) -> (Self, String) {
        let mut command = Command::new(program.as_ref());
        command
            .arg(script.as_ref())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut program = Running::start(&mut command);
        let mut answering = Self {
            asking: program.stdin.take().unwrap(),
            answers: BufReader::new(program.stdout.take().unwrap()),
            _program: program,
        };
        let first = answering.answer();
        (answering, first)
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The answer to `line`.
    pub fn asked(&mut self, line: &str) -> String {
        writeln!(self.asking, "{line}").unwrap();
        self.answer()
    }
}

/// A certified OpenID Connect issuer, the npm package `oidc-provider`.
#[derive(Debug)]
pub struct Issuer {
    process: Answering,
    /// The issuer's identifier, under which its keys are discovered.
    pub url: String,
}

impl Issuer {
    /// Starts it with one key.
    #[must_use]
    pub fn start() -> Self {
        for variable in ["CHATCTL_JOSE", "CHATCTL_OIDC_PROVIDER"] {
            let _set = peer(variable);
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/issuer.mjs");
        let (process, url) = Answering::start("node", script);
        Self { process, url }
    }

    /// The answer to `line`, of the kinds that `issuer.mjs` describes.
    pub fn asked(&mut self, line: &str) -> String {
        self.process.asked(line)
    }

    /// An access token for `name`.
    pub fn token(&mut self, name: &str) -> String {
        let token = self.asked(&format!("token {name}"));
        assert!(token.starts_with("eyJ"), "{token}");
        token
    }
}
