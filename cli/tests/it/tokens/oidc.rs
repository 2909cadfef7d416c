//! A stack in jwt mode, and a certified OpenID Connect issuer: the npm package `oidc-provider`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::Owner;
use super::stack::{chat, deployed};
use crate::project::{eventually, peer};

/// A running issuer.
struct Issuer {
    process: Child,
    asking: ChildStdin,
    answers: BufReader<ChildStdout>,
    url: String,
}

impl Issuer {
    fn start() -> Self {
        for variable in ["CHATCTL_JOSE", "CHATCTL_OIDC_PROVIDER"] {
            peer(variable);
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tokens/oidc.mjs");
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

    fn asked(&mut self, line: &str) -> String {
        writeln!(self.asking, "{line}").unwrap();
        self.answer()
    }

    fn token(&mut self, name: &str) -> String {
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

#[test]
fn tokens_of_an_issuer_are_accepted_by_discovery_and_a_conversation_outlives_a_rotation() {
    let mut issuer = Issuer::start();
    let owner = Owner::new(&format!(
        "[auth]\nmode = \"jwt\"\nissuer = \"{}\"\naudience = [\"chat\"]\n",
        issuer.url
    ));
    let told = deployed(&owner, &[]);
    told.explains("a client without a token is refused (401)");
    told.explains(&format!("a token of {} whose `sub`", issuer.url));
    for command in told.stdout.lines() {
        let header = r#"-H "authorization: Bearer $CHATCTL_TOKEN""#;
        assert!(command.contains(header), "{command}");
    }
    // Tom stays in the chat all the time.
    let mut tom = owner
        .command(&["chat", "--local", "--to", "Jerry"])
        .env("CHATCTL_TOKEN", issuer.token("Tom"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut heard = BufReader::new(tom.stdout.take().unwrap()).lines();
    eventually("Tom is connected", || {
        owner.project.status()["connections"] == 1
    });
    let jerry = issuer.token("Jerry");
    let said = chat(&owner, &["--to", "Tom"], "before\n", Some(&jerry));
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(heard.next().unwrap().unwrap(), "before");
    assert_eq!(issuer.asked("rotate"), "rotated");
    let jerry = issuer.token("Jerry");
    // Keys are asked for only so often, whatever unknown ones tokens name.
    eventually("the new key is known", || {
        let said = chat(&owner, &["--to", "Tom"], "after\n", Some(&jerry));
        assert!(matches!(said.code, 0 | 3), "{}", said.stderr);
        said.code == 0
    });
    assert_eq!(heard.next().unwrap().unwrap(), "after");
    drop(tom.stdin.take());
    assert!(tom.wait().unwrap().success());
    // Somebody else's token, no token, and another name.
    let said = chat(&owner, &[], "", None);
    assert_eq!(said.code, 2);
    said.explains(&issuer.url);
    let stranger = Issuer::start().token("Tom");
    for (words, token) in [
        (&["--to", "Tom"][..], &stranger),
        (&["--as", "Tom"], &jerry),
    ] {
        let said = chat(&owner, words, "", Some(token));
        assert_eq!(said.code, 3, "{}", said.stderr);
    }
}
