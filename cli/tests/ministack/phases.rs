//! Ctrl-C in every phase: what was touched, what is said, and that the next command finishes as if nothing had been.

use std::path::Path;

use testing::until::eventually;
use tokio::process::Child;

use crate::between::{Held, Part};
use crate::cloud::{Cloud, Finished, built_handlers, finished};
use crate::interruptions::interrupt;

fn deploy() -> String {
    format!(
        "deploy --yes --no-probe --handlers {}",
        built_handlers().display()
    )
}

/// Which request it is: the one for `action`.
fn asks(action: &'static str) -> impl Fn(&str) -> bool + Send {
    move |name| name == action
}

/// Runs chatctl with `words` until `part` of the request that `which` fits is held.
async fn held_at(
    cloud: &Cloud,
    words: &str,
    part: Part,
    which: impl Fn(&str) -> bool + Send + 'static,
) -> (Child, Held) {
    let mut held = cloud.between.hold(part, which);
    let child = cloud.command(words).spawn().unwrap();
    held.reached().await;
    (child, held)
}

/// The same, and interrupts it there.
async fn interrupted_at(
    cloud: &Cloud,
    words: &str,
    part: Part,
    which: impl Fn(&str) -> bool + Send + 'static,
) -> Finished {
    let (child, _held) = held_at(cloud, words, part, which).await;
    interrupt(&child);
    finished(child.wait_with_output().await.unwrap()).exits(130)
}

/// A first deployment, interrupted at the request for `action`, leaves neither a change set nor a stack.
async fn a_first_change_set_is_taken_back(part: Part, action: &'static str) {
    let cloud = Cloud::start().await;
    interrupted_at(&cloud, &deploy(), part, asks(action))
        .await
        .explains("has been taken back, nothing that serves was changed");
    assert_eq!(cloud.stack_status("chat").await, None);
    goes_on_as_if_nothing_had_been(&cloud).await;
}

/// The next deployment serves, and tears down to nothing but the bucket.
async fn goes_on_as_if_nothing_had_been(cloud: &Cloud) {
    cloud.deploy("").await.exits(0).explains("both ways");
    assert_eq!(cloud.change_sets("chat").await, 0, "none is left over");
    cloud.chatctl("teardown --yes").await.exits(0);
    assert_eq!(cloud.stack_status("chat").await, None);
    assert_eq!(cloud.published().await, 0);
}

/// What is put into our bucket, by its key; the key is empty for what is put on the bucket itself.
fn put_key(name: &str) -> Option<&str> {
    let path = name.strip_prefix("PUT /chatctl-")?;
    Some(path.split_once('/').map_or("", |(_, key)| key))
}

fn is_object(name: &str) -> bool {
    put_key(name).is_some_and(|key| !key.is_empty() && !key.starts_with("uses/"))
}

fn is_bucket(name: &str) -> bool {
    put_key(name).is_some_and(str::is_empty)
}

#[tokio::test]
async fn while_building_nothing_was_touched() {
    let cloud = Cloud::start().await;
    let started = cloud.folder().join("started");
    let write = |name: &str, script: &str| {
        let path = cloud.folder().join(name);
        testing::scripts::write(&path, script);
        path
    };
    let cargo = format!(
        "case $1 in lambda) exit 101;; --version|-V) echo 'cargo 1.95.0';; \
         *) : > {}; exec sleep 600;; esac",
        started.display()
    );
    let processor = std::env::consts::ARCH;
    let rustc = format!(
        "case $1 in -vV) echo 'host: {processor}-unknown-linux-gnu';; \
         --print) case $4 in {processor}*) echo /;; *) echo /nowhere;; esac;; esac"
    );
    let mut command = cloud.command("deploy --yes");
    command
        .env("CARGO", write("cargo", &cargo))
        .env("RUSTC", write("rustc", &rustc))
        .env("CARGO_ZIGBUILD_ZIG_PATH", "/nowhere/zig");
    let child = command.spawn().unwrap();
    let builds = async || Path::exists(&started);
    eventually("it builds", builds).await;
    interrupt(&child);
    finished(child.wait_with_output().await.unwrap())
        .exits(130)
        .explains("interrupted")
        .explains("nothing was touched in AWS");
    let touched: Vec<_> = cloud.between.asked();
    let looks = |name: &str| {
        name.starts_with("HEAD ")
            || name.starts_with("Describe")
            || name.ends_with("/account-settings")
    };
    assert!(
        touched
            .iter()
            .all(|name| name == "GetCallerIdentity" || looks(name)),
        "{touched:?}"
    );
    goes_on_as_if_nothing_had_been(&cloud).await;
}

#[tokio::test]
async fn while_checking_nothing_was_touched() {
    let cloud = Cloud::start().await;
    interrupted_at(&cloud, &deploy(), Part::Request, asks("GetCallerIdentity"))
        .await
        .explains("nothing was touched in AWS");
    assert_eq!(cloud.between.asked(), ["GetCallerIdentity"]);
    goes_on_as_if_nothing_had_been(&cloud).await;
}

#[tokio::test]
async fn while_publishing_there_is_no_half_object_and_no_stack() {
    let cloud = Cloud::start().await;
    interrupted_at(&cloud, &deploy(), Part::Request, is_object)
        .await
        .explains("no stack was touched");
    assert_eq!(cloud.published().await, 0);
    assert_eq!(cloud.stack_status("chat").await, None);
    goes_on_as_if_nothing_had_been(&cloud).await;
}

#[tokio::test]
async fn a_bucket_that_was_half_made_is_finished_by_the_next_deployment() {
    let cloud = Cloud::start().await;
    interrupted_at(&cloud, &deploy(), Part::Answer, is_bucket).await;
    let before = cloud.between.asked().len();
    cloud.deploy("--no-probe").await.exits(0);
    let asked = cloud.between.asked();
    let settings = asked[before..]
        .iter()
        .filter(|name| is_bucket(name))
        .count();
    assert_eq!(
        settings, 2,
        "expiry and policy: the rest is a new bucket's own"
    );
    goes_on_as_if_nothing_had_been(&cloud).await;
}

#[tokio::test]
async fn before_the_change_set_s_id_is_known_it_is_taken_back_by_its_name() {
    a_first_change_set_is_taken_back(Part::Answer, "CreateChangeSet").await;
}

#[tokio::test]
async fn while_a_first_change_set_is_prepared_neither_it_nor_its_stack_stays() {
    a_first_change_set_is_taken_back(Part::Request, "DescribeChangeSet").await;
}

#[tokio::test]
async fn while_an_update_is_prepared_the_stack_stays_as_it_is_without_the_change_set() {
    let cloud = Cloud::start().await;
    cloud.deploy("--no-probe").await.exits(0);
    cloud.config("[logs]\nretention-days = 30\n");
    for (part, action) in [
        (Part::Answer, "CreateChangeSet"),
        (Part::Request, "DescribeChangeSet"),
    ] {
        interrupted_at(&cloud, &deploy(), part, asks(action)).await;
        assert_eq!(cloud.change_sets("chat").await, 0, "{action}");
        let status = cloud.stack_status("chat").await;
        assert_eq!(status.as_deref(), Some("CREATE_COMPLETE"), "{action}");
    }
    goes_on_as_if_nothing_had_been(&cloud).await;
}

#[tokio::test]
async fn while_changes_are_only_shown_the_change_set_that_tells_them_is_taken_back() {
    let cloud = Cloud::start().await;
    cloud.deploy("--no-probe").await.exits(0);
    cloud.config("[logs]\nretention-days = 30\n");
    for words in ["diff", "deploy --dry-run"] {
        let words = format!("{words} --handlers {}", built_handlers().display());
        for (part, action) in [
            (Part::Answer, "CreateChangeSet"),
            (Part::Request, "DescribeChangeSet"),
        ] {
            interrupted_at(&cloud, &words, part, asks(action))
                .await
                .explains("nothing was changed");
            assert_eq!(cloud.change_sets("chat").await, 0, "{words}: {action}");
        }
    }
    goes_on_as_if_nothing_had_been(&cloud).await;
}

#[tokio::test]
async fn a_kill_at_the_question_leaves_an_empty_stack_for_the_next_deployment() {
    let cloud = Cloud::start().await;
    let changes = asks("DescribeChangeSet");
    let (mut child, _held) = held_at(&cloud, &deploy(), Part::Request, changes).await;
    child.kill().await.unwrap();
    let status = cloud.stack_status("chat").await;
    assert_eq!(status.as_deref(), Some("REVIEW_IN_PROGRESS"));
    let next = cloud.deploy("").await.exits(0);
    next.explains("both ways");
    next.explains("removing the empty stack `chat` (REVIEW_IN_PROGRESS): an earlier deployment stopped before it was agreed to");
    cloud.chatctl("teardown --yes").await.exits(0);
}

#[tokio::test]
async fn while_following_aws_goes_on_and_the_next_deployment_finds_it_done() {
    let cloud = Cloud::start().await;
    let events = asks("DescribeStackEvents");
    interrupted_at(&cloud, &deploy(), Part::Request, events)
        .await
        .explains("AWS goes on with stack `chat` by itself")
        .explains("the same command again follows it and goes on");
    cloud
        .deploy("")
        .await
        .exits(0)
        .explains("nothing has changed");
    goes_on_as_if_nothing_had_been(&cloud).await;
}

#[tokio::test]
async fn while_verifying_the_stack_is_deployed_and_the_user_can_see_it() {
    let cloud = Cloud::start().await;
    interrupted_at(&cloud, &deploy(), Part::Request, asks("ListStackResources"))
        .await
        .explains("stack `chat` is deployed, only the proof that it answers is missing");
    goes_on_as_if_nothing_had_been(&cloud).await;
}

#[tokio::test]
async fn while_swapping_what_has_begun_is_finished_and_the_user_can_see_it() {
    let cloud = Cloud::start().await;
    cloud.deploy("--no-probe").await.exits(0);
    let newer = cloud.handlers("-newer");
    let words = format!("deploy --yes --hotswap --handlers {}", newer.display());
    let is_swap = |name: &str| name.starts_with("PUT /2015-03-31/functions/");
    let (child, held) = held_at(&cloud, &words, Part::Answer, is_swap).await;
    // None waits for another: the first has not come back yet.
    let all_at_once = async || {
        let asked = cloud.between.asked();
        asked.iter().filter(|name| is_swap(name)).count() == 4
    };
    eventually("all functions are swapped at once", all_at_once).await;
    interrupt(&child);
    drop(held);
    finished(child.wait_with_output().await.unwrap())
        .exits(130)
        .explains("new code in 4 of 4 functions")
        .explains("only the proof that it answers is missing");
    cloud.deploy("").await.exits(0).explains("both ways");
}

#[tokio::test]
async fn while_probing_the_stack_is_deployed_and_the_user_can_see_it() {
    let cloud = Cloud::start().await;
    // Accepts connections and never says a word.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let words = format!("deploy --yes --handlers {}", built_handlers().display());
    let mut command = cloud.command(&words);
    command.env(
        "CHATCTL_ENDPOINT_TEMPLATE",
        format!("ws://{address}/{{api}}/{{stage}}"),
    );
    let child = command.spawn().unwrap();
    let (_probe, _) = silent.accept().await.unwrap();
    interrupt(&child);
    finished(child.wait_with_output().await.unwrap())
        .exits(130)
        .explains("stack `chat` is deployed, only the proof that it answers is missing")
        .explains("`chatctl print-connect-commands` prints how to connect");
    let status = cloud.stack_status("chat").await;
    assert_eq!(status.as_deref(), Some("CREATE_COMPLETE"));
    goes_on_as_if_nothing_had_been(&cloud).await;
}

#[tokio::test]
async fn while_a_teardown_is_followed_aws_goes_on_and_a_second_one_says_so() {
    let cloud = Cloud::start().await;
    cloud.deploy("--no-probe").await.exits(0);
    let events = asks("DescribeStackEvents");
    interrupted_at(&cloud, "teardown --yes", Part::Request, events)
        .await
        .explains("AWS goes on with stack `chat` by itself");
    cloud
        .chatctl("teardown --yes")
        .await
        .exits(0)
        .explains("there is no stack `chat`");
    cloud.deploy("").await.exits(0).explains("both ways");
}
