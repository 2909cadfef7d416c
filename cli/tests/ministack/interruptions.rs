//! What is left after a no, or Ctrl-C.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::cloud::{Cloud, Finished, built_handlers, finished};
use crate::failures::with_a_failure;
use crate::terminal::answered;

fn deploy() -> String {
    format!("deploy --handlers {}", built_handlers().display())
}

#[tokio::test]
async fn a_declined_first_deployment_leaves_no_change_set_and_no_stack() {
    let cloud = Cloud::start().await;
    answered(cloud.command(&deploy()), "Deploy this?", "n\n")
        .await
        .exits(2)
        .explains("+ 26 new")
        .explains("declined, nothing was changed");
    assert_eq!(cloud.stack_status("chat").await, None);
}

#[tokio::test]
async fn ctrl_c_at_the_question_leaves_no_change_set_and_no_stack() {
    let cloud = Cloud::start().await;
    // A terminal would send the signal to the whole group; here it is sent by hand.
    let mut child = None;
    let command = cloud.command(&deploy());
    let run = interrupted(command, "Deploy this?", &mut child).await;
    run.exits(130)
        .explains("has been taken back, nothing that serves was changed");
    assert_eq!(cloud.stack_status("chat").await, None);
}

#[tokio::test]
async fn without_a_terminal_to_ask_nothing_is_changed() {
    let cloud = Cloud::start().await;
    cloud
        .chatctl(&deploy())
        .await
        .exits(2)
        .explains("say `--yes`");
    assert_eq!(cloud.stack_status("chat").await, None);
}

#[tokio::test]
async fn a_teardown_is_agreed_to_by_the_stack_s_name_only() {
    let cloud = Cloud::start().await;
    cloud.deploy("--no-probe").await.exits(0);
    answered(cloud.command("teardown"), "Type the stack's name", "yes\n")
        .await
        .exits(2);
    assert!(cloud.stack_status("chat").await.is_some());
    answered(cloud.command("teardown"), "Type the stack's name", "chat\n")
        .await
        .exits(0);
    assert_eq!(cloud.stack_status("chat").await, None);
}

#[tokio::test]
async fn ctrl_c_while_following_leaves_aws_to_it_and_the_next_deployment_follows() {
    let cloud = Cloud::start().await;
    // It fails at the test's command, and not before.
    cloud.between.edit_templates(with_a_failure(3600));
    let deploy = format!("{} --yes", deploy());
    let (code, shown) = watched(
        cloud.command(&deploy),
        "DirectFunction created",
        async |child| {
            interrupt(child);
        },
    )
    .await;
    assert_eq!(code, Some(130), "{shown}");
    for text in [
        "AWS goes on with stack `chat` by itself",
        "`chatctl status` tells how far it is",
    ] {
        assert!(shown.contains(text), "{shown}");
    }
    let status = cloud.chatctl("status").await.exits(0);
    assert!(
        status.stdout.contains("CREATE_IN_PROGRESS"),
        "{}",
        status.stdout
    );
    cloud.between.leave_templates_alone();
    let following = "an operation on stack `chat` is already running; it is followed first";
    let (code, shown) = watched(cloud.command(&deploy), following, async |_| {
        cloud.fail("chat", "Patience").await;
    })
    .await;
    assert_eq!(code, Some(0), "{shown}");
    for text in [
        "removing the empty stack `chat` (ROLLBACK_COMPLETE)",
        "both ways",
    ] {
        assert!(shown.contains(text), "{shown}");
    }
}

/// Runs `command` to its end, and does `then` each time it shows a line with `text`; answers how it ended and what it showed.
async fn watched(
    mut command: tokio::process::Command,
    text: &str,
    then: impl AsyncFn(&tokio::process::Child),
) -> (Option<i32>, String) {
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut shown = String::new();
    while let Some(line) = next_line(&mut stderr).await {
        shown.push_str(&line);
        shown.push('\n');
        if line.contains(text) {
            then(&child).await;
        }
    }
    (child.wait().await.unwrap().code(), shown)
}

async fn next_line(
    lines: &mut tokio::io::Lines<BufReader<tokio::process::ChildStderr>>,
) -> Option<String> {
    let line = tokio::time::timeout(Duration::from_secs(120), lines.next_line()).await;
    line.expect("it goes on").unwrap()
}

/// What Ctrl-C sends.
pub(crate) fn interrupt(child: &tokio::process::Child) {
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::INT).unwrap();
}

/// Runs `command` at a terminal and interrupts it once it shows `question`.
async fn interrupted(
    mut command: tokio::process::Command,
    question: &str,
    child: &mut Option<tokio::process::Child>,
) -> Finished {
    use std::process::Stdio;
    use tokio::io::AsyncReadExt;
    let (_master, slave) = crate::pty::open();
    let running = child.insert(command.stdin(Stdio::from(slave)).spawn().unwrap());
    let mut stderr = running.stderr.take().unwrap();
    let mut shown = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&shown).contains(question) {
        let read = tokio::time::timeout(Duration::from_secs(120), stderr.read(&mut byte)).await;
        assert_eq!(
            read.expect("it asks").unwrap(),
            1,
            "{}",
            String::from_utf8_lossy(&shown)
        );
        shown.push(byte[0]);
    }
    interrupt(running);
    let mut child = child.take().unwrap();
    child.stderr = Some(stderr);
    finished(child.wait_with_output().await.unwrap())
}
