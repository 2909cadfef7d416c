//! MiniStack, an emulator of AWS that we have no part in, as tests and benchmarks use it: a process of its own on a
//! free port, and a way to pass requests on to it.
//!
//! Nothing in here names chatctl.

mod requests;

use requests::ask_status;
pub use requests::{Fault, forward, name};

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::ports::own_port;
use crate::until::{TIMEOUT, try_until};

/// The region that it plays.
pub const REGION: &str = "eu-west-1";

/// The account that it plays.
pub const ACCOUNT: &str = "123456789012";

/// How often it is started: a program that is no test may take the port first.
const ATTEMPTS: usize = 5;

/// Why there is no emulator.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// Its program or its folder cannot be used.
    #[error("could not start {program}")]
    Start {
        /// What was to be started.
        program: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// It never answered.
    #[error("{program} does not answer; it said:\n{log}")]
    Silent {
        /// What was started.
        program: String,
        /// What it wrote.
        log: String,
    },
}

/// A running emulator; it is ended when this is dropped, and its functions' processes with it.
#[derive(Debug)]
pub struct Emulator {
    child: Child,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
}

impl Emulator {
    /// Starts `program` with its state in `folder` and IAM switched on, and waits until it answers.
    ///
    /// Functions find AWS at `seen_by`, which may be a proxy that does not pass anything on yet. They inherit the
    /// emulator's environment, which is otherwise empty: a stray variable would hide one that a template forgot.
    ///
    /// # Errors
    /// [`EmulatorError`]
    pub async fn start(
        program: &Path,
        folder: &Path,
        seen_by: &str,
    ) -> Result<Self, EmulatorError> {
        let failed = |source| EmulatorError::Start {
            program: program.display().to_string(),
            source,
        };
        for _ in 0..ATTEMPTS {
            let port = own_port();
            let child = spawn(program, port, folder, seen_by).map_err(failed)?;
            let mut emulator = Self { child, port };
            if emulator.answers().await {
                return Ok(emulator);
            }
        }
        Err(EmulatorError::Silent {
            program: program.display().to_string(),
            log: std::fs::read_to_string(folder.join("emulator.log")).unwrap_or_default(),
        })
    }

    async fn answers(&mut self) -> bool {
        let health = try_until(TIMEOUT, async || {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return Ok(false);
            }
            let status = ask_status(self.port, "GET", "/_ministack/health").await;
            status.ok().filter(|it| *it == 200).map(|_| true).ok_or(())
        });
        health.await.unwrap_or(false)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It ends the functions' processes before it ends itself.
        let pid = rustix::process::Pid::from_child(&self.child);
        // A drop cannot report; a process that is gone already is what is wanted.
        if rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok() {
            drop(self.child.wait());
        }
    }
}

fn spawn(program: &Path, port: u16, folder: &Path, seen_by: &str) -> std::io::Result<Child> {
    let log = std::fs::File::create(folder.join("emulator.log"))?;
    let own = folder.join("emulator");
    std::fs::create_dir_all(&own)?;
    Command::new(program)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &own)
        .env("TMPDIR", &own)
        .env("AUTH", "true")
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("MINISTACK_REGION", REGION)
        .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
        .env("AWS_ENDPOINT_URL", seen_by)
        .current_dir(&own)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}
