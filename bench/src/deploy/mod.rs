//! `bench deploy`: the requests and the time of a deployment to AWS, against an emulator, compared with AWS's own
//! command line and the same template. It does not include the time that AWS itself needs for a resource.

mod awscli;
mod chatctl;
mod depth;
mod proxy;
mod rounds;

use std::path::PathBuf;
use std::time::Duration;

use testing::command::against;
use testing::emulator::{Emulator, EmulatorError, REGION};

use crate::chatctl::Programs;
use proxy::Proxy;
use rounds::{Part, Step};

/// The programs to compare, and the number of rounds.
#[derive(Debug, clap::Args)]
pub(crate) struct DeployArgs {
    #[command(flatten)]
    programs: Programs,
    /// MiniStack's executable
    #[arg(long, value_name = "PATH")]
    ministack: PathBuf,
    /// The AWS command line's executable
    #[arg(long, value_name = "PATH")]
    aws: PathBuf,
    /// How often everything is done
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// Why the measurement failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeployBenchError {
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    #[error("could not {attempt}")]
    System {
        attempt: &'static str,
        source: std::io::Error,
    },
    #[error("`{command}` failed:\n{stderr}")]
    Failed { command: String, stderr: String },
    #[error("`{command}` printed unexpected output: {what}")]
    Unreadable { command: String, what: String },
    #[error("the template cannot be parsed: {0}")]
    Template(&'static str),
}

impl DeployBenchError {
    fn system(attempt: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::System { attempt, source }
    }
}

/// Measures everything; returns the table.
pub(crate) async fn measure(args: &DeployArgs) -> Result<String, DeployBenchError> {
    let folder = tempfile::tempdir().map_err(DeployBenchError::system("make a folder"))?;
    let (proxy, listener) = Proxy::bind().await?;
    let emulator = Emulator::start(&args.ministack, folder.path(), &proxy.url).await?;
    proxy.serve(listener, emulator.port);
    let bench = Bench {
        args,
        folder: folder.path().to_owned(),
        proxy,
        port: emulator.port,
    };
    let template = bench.rendered().await?;
    let depth = depth::deepest(&template)?;
    let handlers = [
        bench.handlers("first")?,
        bench.handlers("second")?,
        bench.handlers("third")?,
    ];
    let mut parts = Vec::new();
    let mut packaging = Vec::new();
    for _ in 0..args.rounds {
        let (round, packed) = bench.chatctl_round(&handlers).await?;
        parts.extend(round);
        packaging.extend(packed);
        parts.extend(bench.awscli_round(&handlers).await?);
    }
    let steps = [
        Step::First,
        Step::NoChange,
        Step::Code,
        Step::Hotswap,
        Step::Teardown,
    ];
    Ok(format!(
        "{}\n\npackaging (zip), in none of these times: {}\nthe longest chain of resources, each of which depends on the previous one: {depth}",
        rounds::table(&steps, &parts),
        rounds::spread(&packaging),
    ))
}

/// The shared parts of all rounds.
struct Bench<'a> {
    args: &'a DeployArgs,
    folder: PathBuf,
    proxy: Proxy,
    port: u16,
}

/// The cost of one command.
struct Measured {
    took: Duration,
    requests: usize,
    stdout: String,
}

impl Bench<'_> {
    /// The handlers with `mark` appended, which only changes their digest.
    fn handlers(&self, mark: &str) -> Result<PathBuf, DeployBenchError> {
        let failed = || DeployBenchError::system("copy the handlers");
        let path = self.folder.join(format!("handlers-{mark}"));
        let mut bytes = std::fs::read(&self.args.programs.handlers).map_err(failed())?;
        bytes.extend(mark.as_bytes());
        std::fs::write(&path, bytes).map_err(failed())?;
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, executable).map_err(failed())?;
        Ok(path)
    }

    /// Runs `program` with `words` against the emulator, to its end.
    async fn run(
        &self,
        program: &std::path::Path,
        words: &[&str],
    ) -> Result<Measured, DeployBenchError> {
        let before = self.proxy.requests();
        let started = std::time::Instant::now();
        let command = against(program, &self.folder, &self.proxy.url);
        let output = tokio::process::Command::from(command)
            .args(words)
            // For AWS's command line.
            .env("AWS_DEFAULT_REGION", REGION)
            .env(
                "CHATCTL_ENDPOINT_TEMPLATE",
                format!(
                    "ws://127.0.0.1:{}/_aws/execute-api/{{api}}/{{stage}}",
                    self.port
                ),
            )
            .output()
            .await
            .map_err(DeployBenchError::system("start a program"))?;
        let took = started.elapsed();
        if !output.status.success() {
            return Err(DeployBenchError::Failed {
                command: format!("{} {}", program.display(), words.join(" ")),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned()
                    + &String::from_utf8_lossy(&output.stdout),
            });
        }
        Ok(Measured {
            took,
            requests: self.proxy.requests() - before,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        })
    }
}

/// One measured step of one round with one tool.
fn part(tool: &'static str, step: Step, took: Duration, requests: usize) -> Part {
    Part {
        tool,
        step,
        took,
        requests,
    }
}
