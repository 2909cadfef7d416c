//! Chromium without a screen, steered through its DevTools port
//! (<https://chromedevtools.github.io/devtools-protocol/>).

use std::process::{Command, Stdio};

use testing::running::{Running, lines};

use crate::devtools::Connection;
use crate::project::{TIMEOUT, peer};
use crate::window::Window;

/// A browser with a profile of its own.
pub(crate) struct Chromium {
    _process: Running,
    address: String,
    main: Connection,
    _profile: tempfile::TempDir,
}

impl Chromium {
    pub(crate) fn start() -> Self {
        let program = peer("CHATCTL_CHROMIUM");
        let folder = program.parent().unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new(&program);
        command
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // Only the packaged one brings these.
        if folder.join("fonts.conf").exists() {
            command
                .env("LD_LIBRARY_PATH", folder.join("lib"))
                .env("FONTCONFIG_FILE", folder.join("fonts.conf"));
        }
        let mut process = Running::start(&mut command);
        let lines = lines(process.stderr.take().unwrap());
        let mut said = String::new();
        let url = loop {
            match lines.recv_timeout(TIMEOUT) {
                Ok(line) => match line.strip_prefix("DevTools listening on ") {
                    Some(url) => break url.to_owned(),
                    None => said.push_str(&format!("\n{line}")),
                },
                Err(error) => panic!("Chromium opened no DevTools port ({error}); it said:{said}"),
            }
        };
        let address = url.split('/').nth(2).unwrap().to_owned();
        Self {
            _process: process,
            main: Connection::open(&url),
            address,
            _profile: profile,
        }
    }

    /// A new window before it shows anything.
    pub(crate) fn blank(&mut self) -> Window {
        let made = self.main.call(
            "Target.createTarget",
            serde_json::json!({ "url": "about:blank", "newWindow": true }),
        );
        let id = made["targetId"].as_str().unwrap();
        Window::from_chromium(Connection::open(&format!(
            "ws://{}/devtools/page/{id}",
            self.address
        )))
    }
}
