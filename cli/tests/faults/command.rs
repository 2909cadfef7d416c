//! chatctl in a folder of its own, in a hurry.

use std::path::Path;
use std::time::Duration;

pub(crate) use testing::command::Finished;
use testing::command::{against, chatctl};
use testing::project::Project;

/// A minute is as long as this many seconds.
const MINUTE: f64 = 1.8;

/// A folder with handlers in two versions.
pub(crate) struct Folder(Project);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Project::new("");
        for version in ["1", "2"] {
            let path = folder.path().join(format!("handlers-{version}"));
            std::fs::write(&path, executable(version)).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&path, mode).unwrap();
        }
        Self(folder)
    }

    /// The same, with a template that is too large for a request.
    pub(crate) fn with_a_large_template() -> Self {
        let folder = Self::new();
        let config = "[template]\noverlay = \"extra.yaml\"\n";
        let text = "x".repeat(60_000);
        let overlay = format!(
            "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Metadata: {{ Text: {text} }}\n"
        );
        folder.0.configure(config);
        std::fs::write(folder.path().join("extra.yaml"), overlay).unwrap();
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs chatctl with `words` against the AWS at `url`.
    ///
    /// # Panics
    /// It takes longer than its help promises.
    pub(crate) async fn run(&self, url: &str, words: &str) -> Finished {
        let verb = words.split_whitespace().next().unwrap();
        let mut command = self.command(url, words);
        let output = tokio::time::timeout(worst_case(verb), command.output()).await;
        let output =
            output.unwrap_or_else(|_| panic!("`chatctl {words}` takes longer than it may"));
        output.unwrap().into()
    }

    /// chatctl with `words` against the AWS at `url`, to be started.
    pub(crate) fn command(&self, url: &str, words: &str) -> tokio::process::Command {
        let command = against(&chatctl(), self.path(), url);
        let mut command = tokio::process::Command::from(command);
        command
            .args(words.split_whitespace())
            .env("CHATCTL_TIME_FACTOR", (MINUTE / 60.0).to_string())
            .kill_on_drop(true);
        command
    }
}

/// What the help of `verb` promises, in the hurry that the tests are in, and what a busy machine takes beside it.
fn worst_case(verb: &str) -> Duration {
    let help = std::process::Command::new(chatctl())
        .args([verb, "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, promise) = help.rsplit_once("Ends within ").unwrap();
    let minutes = promise.split_whitespace().next().unwrap();
    Duration::from_secs_f64(minutes.parse::<f64>().unwrap() * MINUTE + 20.0)
}

/// The smallest file that Lambda's loader would take: an ELF header and one segment.
fn executable(mark: &str) -> Vec<u8> {
    let mut file = vec![0; 64 + 56];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\x7fELF\x02\x01\x01");
    // An executable at a fixed address, for x86_64.
    put(16, &[2, 0, 62, 0, 1]);
    put(32, &64u64.to_le_bytes());
    put(52, &[64, 0, 56, 0, 1, 0]);
    put(64, &1u32.to_le_bytes());
    put(96, &120u64.to_le_bytes());
    file.extend(mark.as_bytes());
    file
}
