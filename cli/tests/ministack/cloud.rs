//! An emulator of its own for every test, and chatctl set up to use it.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::between::Between;

const REGION: &str = "eu-west-1";

/// One emulator, one folder with a config, one chatctl.
pub(crate) struct Cloud {
    emulator: Child,
    pub(crate) port: u16,
    pub(crate) between: Between,
    folder: TempDir,
}

/// What a command has said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Panics with everything that was said unless the command ended with `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Panics unless stderr contains `text`.
    #[track_caller]
    pub(crate) fn explains(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "no {text:?} in\n{}",
            self.stderr
        );
        self
    }

    /// The endpoint in the printed commands.
    #[track_caller]
    pub(crate) fn url(&self) -> String {
        let first = self.stdout.lines().next().unwrap_or_default();
        let (_, url) = first
            .rsplit_once(" -c ")
            .unwrap_or_else(|| panic!("{self:?}"));
        url.to_owned()
    }
}

impl Cloud {
    /// Starts an emulator and waits until it is healthy.
    pub(crate) async fn start() -> Self {
        let program = std::env::var_os("CHATCTL_MINISTACK").expect(
            "CHATCTL_MINISTACK is not set: `cargo xtask test` sets the emulator up and runs this test with it",
        );
        let folder = tempfile::tempdir().unwrap();
        // The port is free when it is chosen; should somebody else take it, the next attempt finds another.
        for _ in 0..5 {
            let port = std::net::TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let mut emulator = start_emulator(Path::new(&program), port, folder.path());
            if is_healthy(&mut emulator, port).await {
                return Self {
                    emulator,
                    port,
                    between: Between::start(port).await,
                    folder,
                };
            }
            emulator.kill().unwrap();
            emulator.wait().unwrap();
        }
        let log = std::fs::read_to_string(folder.path().join("emulator.log")).unwrap_or_default();
        panic!("the emulator does not start:\n{log}");
    }

    /// Writes `chatctl.toml`.
    pub(crate) fn config(&self, text: &str) {
        std::fs::write(self.folder.path().join("chatctl.toml"), text).unwrap();
    }

    /// The folder of the config.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The handlers with `mark` behind their last byte, which changes their digest and nothing else.
    pub(crate) fn handlers(&self, mark: &str) -> PathBuf {
        let path = self.folder.path().join(format!("handlers{mark}"));
        let mut bytes = std::fs::read(built_handlers()).unwrap();
        bytes.extend(mark.as_bytes());
        std::fs::write(&path, bytes).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, executable).unwrap();
        path
    }

    /// chatctl with `words`, ready to be started in the folder of the config.
    pub(crate) fn command(&self, words: &str) -> tokio::process::Command {
        let endpoint = format!(
            "ws://127.0.0.1:{}/_aws/execute-api/{{api}}/{{stage}}",
            self.port
        );
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_chatctl"));
        command
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            // Whatever is built is built by the toolchain of these tests, which HOME does not lead to any more.
            .env("CARGO", env!("CARGO"))
            .env("RUSTC", Path::new(env!("CARGO")).with_file_name("rustc"))
            .env("AWS_ENDPOINT_URL", &self.between.url)
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("CHATCTL_ENDPOINT_TEMPLATE", endpoint)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs chatctl with `words` to its end.
    pub(crate) async fn chatctl(&self, words: &str) -> Said {
        said(self.command(words).output().await.unwrap())
    }

    /// `deploy` with the handlers as they are.
    pub(crate) async fn deploy(&self, more: &str) -> Said {
        self.chatctl(&format!(
            "deploy --yes --handlers {} {more}",
            built_handlers().display()
        ))
        .await
    }

    /// The status of `stack`, as the emulator tells it.
    pub(crate) async fn stack_status(&self, stack: &str) -> Option<String> {
        let client = aws_sdk_cloudformation::Client::new(&self.sdk().await);
        let answer = client.describe_stacks().stack_name(stack).send().await;
        let stack = answer.ok()?.stacks?.pop()?;
        Some(stack.stack_status?.as_str().to_owned())
    }

    /// How many objects there are in the bucket for handlers.
    pub(crate) async fn published(&self) -> usize {
        let config = aws_sdk_s3::config::Builder::from(&self.sdk().await)
            .force_path_style(true)
            .build();
        let bucket = "chatctl-123456789012-eu-west-1";
        let client = aws_sdk_s3::Client::from_conf(config);
        let answer = client
            .list_objects_v2()
            .bucket(bucket)
            .send()
            .await
            .unwrap();
        answer.contents.unwrap_or_default().len()
    }

    /// How many items the stack's table has.
    pub(crate) async fn items(&self, table: &str) -> usize {
        let client = aws_sdk_dynamodb::Client::new(&self.sdk().await);
        let answer = client.scan().table_name(table).send().await.unwrap();
        answer.items.unwrap_or_default().len()
    }

    async fn sdk(&self) -> aws_config::SdkConfig {
        let credentials = aws_sdk_sts::config::Credentials::new("test", "test", None, None, "test");
        aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new(REGION))
            .endpoint_url(format!("http://127.0.0.1:{}", self.port))
            .credentials_provider(aws_sdk_sts::config::SharedCredentialsProvider::new(
                credentials,
            ))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // It ends the functions' processes before it ends itself.
        let pid = rustix::process::Pid::from_child(&self.emulator);
        // A drop has nobody to tell; a process that is gone already is what is wanted.
        if rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok() {
            drop(self.emulator.wait());
        }
    }
}

pub(crate) fn said(output: std::process::Output) -> Said {
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// With a clean environment: functions inherit the emulator's, and a stray variable would hide one that the
/// template forgot.
fn start_emulator(program: &Path, port: u16, folder: &Path) -> Child {
    let log = std::fs::File::create(folder.join("emulator.log")).unwrap();
    let own = folder.join("emulator");
    std::fs::create_dir_all(&own).unwrap();
    std::process::Command::new(program)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &own)
        .env("TMPDIR", &own)
        .env("AUTH", "true")
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("MINISTACK_REGION", REGION)
        .env("MINISTACK_ACCOUNT_ID", "123456789012")
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        .current_dir(&own)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| panic!("could not start {}: {error}", program.display()))
}

async fn is_healthy(emulator: &mut Child, port: u16) -> bool {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline && emulator.try_wait().unwrap().is_none() {
        let answer = crate::between::fetch(port, "GET", "/_ministack/health").await;
        if answer.is_ok_and(|status| status == 200) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

/// The handlers as cargo builds them for tests, built once.
pub(crate) fn built_handlers() -> &'static Path {
    static HANDLERS: OnceLock<PathBuf> = OnceLock::new();
    HANDLERS.get_or_init(|| {
        let output = std::process::Command::new(env!("CARGO"))
            .args([
                "build",
                "--package",
                "chat-lambdas",
                "--bin",
                "chat",
                "--message-format",
                "json",
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let stdout = String::from_utf8(output.stdout).unwrap();
        let executable = stdout.lines().rev().find_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            message["executable"].as_str().map(PathBuf::from)
        });
        executable.expect("cargo tells where it put the binary")
    })
}
