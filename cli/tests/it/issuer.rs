//! A certified OpenID Connect issuer, the npm package `oidc-provider`, on this machine.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::project::peer;

/// A running issuer.
pub(crate) struct Issuer {
    process: Child,
    asking: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub(crate) url: String,
}

impl Issuer {
    pub(crate) fn start() -> Self {
        for variable in ["CHATCTL_JOSE", "CHATCTL_OIDC_PROVIDER"] {
            let _set = peer(variable);
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/issuer.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the tests need Node.js");
        let mut issuer = Self {
            asking: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
            url: String::new(),
        };
        issuer.url = issuer.answer();
        issuer
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

    pub(crate) fn token(&mut self, name: &str) -> String {
        let token = self.asked(&format!("token {name}"));
        assert!(token.starts_with("eyJ"), "{token}");
        token
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
