//! Issuers of tokens on this machine, each a program that answers lines.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::project::peer;

/// A program that answers each line on its stdin by one on its stdout.
pub(crate) struct Answering {
    process: Child,
    asking: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Answering {
    /// Starts `program` with a script in the folder of these tests; the second part is its first line.
    pub(crate) fn start(program: impl AsRef<Path>, script: &str) -> (Self, String) {
        let program = program.as_ref();
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/it")
            .join(script);
        let mut process = Command::new(program)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("the tests need {}: {error}", program.display()));
        let mut answering = Self {
            asking: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        };
        let first = answering.answer();
        (answering, first)
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub(crate) fn asked(&mut self, line: &str) -> String {
        writeln!(self.asking, "{line}").unwrap();
        self.answer()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A certified OpenID Connect issuer, the npm package `oidc-provider`.
pub(crate) struct Issuer {
    process: Answering,
    pub(crate) url: String,
}

impl Issuer {
    pub(crate) fn start() -> Self {
        for variable in ["CHATCTL_JOSE", "CHATCTL_OIDC_PROVIDER"] {
            let _set = peer(variable);
        }
        let (process, url) = Answering::start("node", "issuer.mjs");
        Self { process, url }
    }

    pub(crate) fn asked(&mut self, line: &str) -> String {
        self.process.asked(line)
    }

    pub(crate) fn token(&mut self, name: &str) -> String {
        let token = self.asked(&format!("token {name}"));
        assert!(token.starts_with("eyJ"), "{token}");
        token
    }
}
