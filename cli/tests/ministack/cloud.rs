//! An emulator of its own for every test, and chatctl set up to use it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

pub(crate) use testing::command::{Finished, handlers as built_handlers};
use testing::command::{against, chatctl};
use testing::emulator::{Emulator, REGION};
pub(crate) use testing::project::finished;
use testing::project::{Project, peer};

use crate::between::Between;
use crate::service_models::violations;

/// One emulator, one folder with a config, one chatctl.
pub(crate) struct Cloud {
    _emulator: Emulator,
    pub(crate) port: u16,
    pub(crate) between: Between,
    project: Project,
}

impl Cloud {
    /// Starts an emulator and waits until it is healthy.
    pub(crate) async fn start() -> Self {
        let program = peer("CHATCTL_MINISTACK");
        let project = Project::new("");
        let (between, listener) = Between::bind().await;
        let emulator = Emulator::start(&program, project.path(), &between.url)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        between.serve(listener, emulator.port);
        Self {
            port: emulator.port,
            _emulator: emulator,
            between,
            project,
        }
    }

    /// Writes `chatctl.toml`.
    pub(crate) fn config(&self, text: &str) {
        self.project.configure(text);
    }

    /// The handlers with `mark` behind their last byte, which changes their digest and nothing else.
    pub(crate) fn handlers(&self, mark: &str) -> PathBuf {
        let path = self.folder().join(format!("handlers{mark}"));
        let mut bytes = std::fs::read(built_handlers()).unwrap();
        bytes.extend(mark.as_bytes());
        std::fs::write(&path, bytes).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, executable).unwrap();
        path
    }

    /// chatctl with `words`, ready to be started in the folder of the config.
    pub(crate) fn command(&self, words: &str) -> tokio::process::Command {
        self.command_of(&chatctl(), words)
    }

    /// The same of another build of it.
    pub(crate) fn command_of(&self, program: &Path, words: &str) -> tokio::process::Command {
        let endpoint = format!(
            "ws://127.0.0.1:{}/_aws/execute-api/{{api}}/{{stage}}",
            self.port
        );
        let command = against(program, self.folder(), &self.between.url);
        let mut command = tokio::process::Command::from(command);
        command
            .args(words.split_whitespace())
            // Whatever is built is built by the toolchain of these tests, which HOME does not lead to any more.
            .env("CARGO", env!("CARGO"))
            .env("RUSTC", Path::new(env!("CARGO")).with_file_name("rustc"))
            .env("CHATCTL_ENDPOINT_TEMPLATE", endpoint)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs chatctl with `words` to its end.
    pub(crate) async fn chatctl(&self, words: &str) -> Finished {
        finished(self.command(words).output().await.unwrap())
    }

    /// `deploy` with the handlers as they are.
    pub(crate) async fn deploy(&self, more: &str) -> Finished {
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

    /// How many change sets of `stack` wait to be executed; one that was executed is history.
    pub(crate) async fn change_sets(&self, stack: &str) -> usize {
        let client = aws_sdk_cloudformation::Client::new(&self.sdk().await);
        let answer = client.list_change_sets().stack_name(stack).send().await;
        let summaries = answer.unwrap().summaries.unwrap_or_default();
        let waiting = summaries.iter().filter(|summary| {
            let execution = summary.execution_status.as_ref();
            execution.is_none_or(|status| status.as_str() != "EXECUTE_COMPLETE")
        });
        waiting.count()
    }

    /// Tells a resource of `stack` that waits for a signal that it has failed.
    pub(crate) async fn fail(&self, stack: &str, resource: &str) {
        use aws_sdk_cloudformation::types::ResourceSignalStatus::Failure;
        let client = aws_sdk_cloudformation::Client::new(&self.sdk().await);
        let signal = client
            .signal_resource()
            .stack_name(stack)
            .logical_resource_id(resource)
            .unique_id("1");
        signal.status(Failure).send().await.unwrap();
    }

    /// The tags of `stack`, as `KEY=VALUE`.
    pub(crate) async fn tags(&self, stack: &str) -> Vec<String> {
        let client = aws_sdk_cloudformation::Client::new(&self.sdk().await);
        let answer = client.describe_stacks().stack_name(stack).send().await;
        let stack = answer.unwrap().stacks.unwrap_or_default().pop().unwrap();
        let tags = stack.tags.unwrap_or_default().into_iter();
        let text = |text: Option<String>| text.unwrap_or_default();
        tags.map(|tag| format!("{}={}", text(tag.key), text(tag.value)))
            .collect()
    }

    /// How many handlers there are in the bucket for them.
    pub(crate) async fn published(&self) -> usize {
        let objects = self.objects().await;
        let handlers = objects.iter().filter(|key| !key.starts_with("uses/"));
        handlers.count()
    }

    /// The keys of everything that the bucket for handlers holds.
    pub(crate) async fn objects(&self) -> Vec<String> {
        let config = aws_sdk_s3::config::Builder::from(&self.sdk().await)
            .force_path_style(true)
            .build();
        let bucket = "chatctl-123456789012-eu-west-1-an";
        let client = aws_sdk_s3::Client::from_conf(config);
        let answer = client
            .list_objects_v2()
            .bucket(bucket)
            .send()
            .await
            .unwrap();
        let objects = answer.contents.unwrap_or_default().into_iter();
        objects.filter_map(|object| object.key).collect()
    }

    /// How many items the stack's table has.
    pub(crate) async fn items(&self, table: &str) -> usize {
        let client = aws_sdk_dynamodb::Client::new(&self.sdk().await);
        let answer = client.scan().table_name(table).send().await.unwrap();
        answer.items.unwrap_or_default().len()
    }

    /// Writes a row of `name` for a connection that does not exist, as if it had been made `seconds` ago.
    pub(crate) async fn row_of_a_lost_connection(&self, table: &str, name: &str, seconds: u64) {
        let epoch = std::time::SystemTime::UNIX_EPOCH;
        let now = epoch.elapsed().unwrap().as_secs();
        let item = serde_json::json!({"TableName": table, "Item": {
            "pk": {"S": format!("U#{name}")}, "sk": {"S": "C#00000000deadbeef"},
            "friend": {"S": "Tom"}, "connected_at": {"N": (now - seconds).to_string()},
            "expires_at": {"N": (now + 3600).to_string()},
        }});
        crate::between::ask(self.port, "dynamodb", "DynamoDB_20120810.PutItem", &item).await;
    }

    /// How often the function of this logical id has been run to its end.
    pub(crate) async fn finished_runs(&self, function: &str) -> usize {
        let lines = self.logged(function, "REPORT").await;
        lines
            .iter()
            .filter(|line| line.starts_with("REPORT "))
            .count()
    }

    /// What is in the logs of the functions whose logical id contains `function` and fits `pattern`, of CloudWatch's kind.
    pub(crate) async fn logged(&self, function: &str, pattern: &str) -> Vec<String> {
        let of = |action: &str| format!("Logs_20140328.{action}");
        let ask = |action: String, body: serde_json::Value| async move {
            crate::between::ask(self.port, "logs", &action, &body).await
        };
        let groups = ask(of("DescribeLogGroups"), serde_json::json!({})).await;
        let groups = groups["logGroups"].as_array().cloned().unwrap_or_default();
        let mut lines = Vec::new();
        for group in groups {
            let name = group["logGroupName"].as_str().unwrap();
            if !name.contains(function) {
                continue;
            }
            let body = serde_json::json!({"logGroupName": name, "filterPattern": pattern});
            let events = ask(of("FilterLogEvents"), body).await;
            assert!(
                events["nextToken"].is_null(),
                "one page is all that is read"
            );
            let events = events["events"].as_array().cloned().unwrap_or_default();
            lines.extend(events.iter().filter_map(|event| {
                let message = event["message"].as_str();
                message.map(str::to_owned)
            }));
        }
        lines
    }

    /// The name or id of the resource of `stack` with this logical id.
    pub(crate) async fn physical_id(&self, stack: &str, resource: &str) -> String {
        let client = aws_sdk_cloudformation::Client::new(&self.sdk().await);
        let answer = client.list_stack_resources().stack_name(stack).send().await;
        let resources = answer.unwrap().stack_resource_summaries.unwrap_or_default();
        let found = resources
            .into_iter()
            .find(|one| one.logical_resource_id.as_deref() == Some(resource));
        found.unwrap().physical_resource_id.unwrap()
    }

    /// Puts a value of a metric, by its namespace and name, as AWS's services do it: `at` seconds since the Unix epoch.
    pub(crate) async fn put_metric(
        &self,
        (namespace, name): (&str, &str),
        dimensions: &[(&str, &str)],
        at: u64,
        value: f64,
    ) {
        let dimensions = dimensions
            .iter()
            .map(|(name, value)| serde_json::json!({"Name": name, "Value": value}));
        let body = serde_json::json!({"Namespace": namespace, "MetricData": [{
            "MetricName": name, "Dimensions": dimensions.collect::<Vec<_>>(), "Timestamp": at, "Value": value,
        }]});
        let action = "GraniteServiceVersion20100801.PutMetricData";
        crate::between::ask(self.port, "monitoring", action, &body).await;
    }

    /// Where the config is, and chatctl runs.
    pub(crate) fn folder(&self) -> &Path {
        self.project.path()
    }

    pub(crate) async fn sdk(&self) -> aws_config::SdkConfig {
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

/// What passed on the way to the emulator is judged at the end of each test.
impl Drop for Cloud {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let violations = violations(&self.between.requests());
        assert!(
            violations.is_empty(),
            "AWS's service models know no such requests:\n{}",
            violations.join("\n")
        );
    }
}
