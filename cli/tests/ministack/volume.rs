//! How much a command says besides its results: `-v` shows its requests, `-q` leaves out what can be left out.

use serde_json::Value;

use crate::cloud::{Cloud, Finished, built_handlers};
use crate::terminal::at_a_terminal;

const SECRET: &str = "secretkeycanary0123456789";
const TOKEN: &str = "sessiontokencanary0123456789";

/// Runs chatctl with temporary keys that no output may contain.
async fn with_canaries(cloud: &Cloud, words: &str) -> Finished {
    let mut command = cloud.command(words);
    command
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN);
    let said = crate::cloud::finished(command.output().await.unwrap());
    for canary in [SECRET, TOKEN, "Credential=", "Signature"] {
        let all = format!("{}{}", said.stdout, said.stderr);
        assert!(!all.contains(canary), "{canary} in\n{all}");
    }
    said
}

/// The lines about requests, each of which has a method, a service, an operation, an outcome and a time, and no more.
fn requests(stderr: &str) -> Vec<&str> {
    let lines = stderr
        .lines()
        .filter_map(|line| line.strip_prefix("  request "));
    let shape = regex_lite::Regex::new(
        r"^(GET|PUT|POST|HEAD|DELETE|PATCH) [a-z0-9-]+ [^ ?&=@]+ (\d{3}|failed \(.+\)|given up) \d+ ms$",
    )
    .unwrap();
    lines
        .inspect(|line| assert!(shape.is_match(line), "{line}"))
        .collect()
}

#[tokio::test]
async fn a_verbose_deployment_shows_every_request_and_neither_keys_nor_tokens() {
    let cloud = Cloud::start().await;
    let handlers = built_handlers();
    let words = format!("-v deploy --yes --handlers {}", handlers.display());
    let deployed = with_canaries(&cloud, &words).await.exits(0);
    let shown = requests(&deployed.stderr);
    for request in [
        "POST sts GetCallerIdentity 200 ",
        "POST cloudformation DescribeStacks ",
        "HEAD s3 HeadBucket 404 ",
        "PUT s3 PutObject 200 ",
        "POST cloudformation CreateChangeSet 200 ",
        "POST cloudformation ExecuteChangeSet 200 ",
        "GET lambda GetFunctionConfiguration 200 ",
        "GET websocket 127.0.0.1:",
    ] {
        let is_shown = shown.iter().any(|line| line.starts_with(request));
        assert!(is_shown, "no {request:?} in\n{}", deployed.stderr);
    }
    // What is not about requests is as ever.
    let deployed = deployed.explains("probe 1 route answers both ways");
    assert_eq!(deployed.stdout.lines().count(), 2, "{}", deployed.stdout);
    let status = with_canaries(&cloud, "status -v --output json")
        .await
        .exits(0);
    let value: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(value["status"], "CREATE_COMPLETE");
    let shown = requests(&status.stderr);
    assert_eq!(shown.len(), status.stderr.lines().count());
    assert!(!shown.is_empty());
}

#[tokio::test]
async fn a_quiet_command_prints_its_results_and_still_asks_and_fails_aloud() {
    let cloud = Cloud::start().await;
    let deploy = format!("deploy -q --handlers {}", built_handlers().display());
    let asked = at_a_terminal(cloud.command(&deploy), &[("Deploy this?", "n\r")]).await;
    let shown = asked.exits(2).shows();
    assert!(shown.contains("IAM: + "), "{shown}");
    assert!(shown.contains("error: declined"), "{shown}");
    assert!(!shown.contains("publish"), "{shown}");
    let deployed = cloud.chatctl(&format!("{deploy} --yes")).await.exits(0);
    // A warning stays: nothing proves names in this chat.
    let warning = deployed.stderr.trim();
    assert!(warning.contains("can connect under any name"), "{warning}");
    assert_eq!(warning.lines().count(), 1, "{warning}");
    assert_eq!(deployed.stdout.lines().count(), 2, "{}", deployed.stdout);
    let typed = &[("eu-west-1:", "chat\r")];
    let gone = at_a_terminal(cloud.command("teardown -q"), typed).await;
    let shown = gone.exits(0).shows();
    assert!(shown.contains("goes:  stack `chat`"), "{shown}");
    assert!(!shown.contains("is gone"), "{shown}");
    let missing = cloud.chatctl("status -q").await.exits(2);
    missing.explains("there is no stack `chat`");
}
