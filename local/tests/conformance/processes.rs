//! The processes of a function: their number, their environment, their end.

use std::time::Duration;

use chatctl_local::{LogSource, Options, StackNotice};
use serde_json::json;

use crate::puppets::Act;
use crate::runtime_api::{by_hand, request_of};
use crate::world::{World, until, within};

#[tokio::test]
async fn reserved_concurrency_overrides_the_default() {
    let world = World::start(|setup| {
        setup.chat().edit(|stack| {
            stack
                .functions
                .get_mut("default")
                .unwrap()
                .reserved_concurrency = Some(1)
        })
    })
    .await;
    let finish = world.puppets.later("default", Act::ok);
    let mut client = world.connect().await;
    client.send("one").await;
    client.send("two").await;
    let first = world.puppets.event("default", 0).await;
    finish.send(Act::ok()).unwrap();
    assert_eq!(world.puppets.event("default", 1).await.pid, first.pid);
}

#[tokio::test]
async fn slow_messages_do_not_delay_connections_with_quick_messages() {
    let one_process = Options::default().with_max_processes_per_function(1);
    let world = World::start_with(one_process, |setup| setup.chat()).await;
    let mut quick = world.connect().await;
    for number in 0..10 {
        quick.send("quick").await;
        world.puppets.event("default", number).await;
    }
    world.settled().await;
    let finish = world.puppets.later("default", Act::ok);
    let (mut slow, mut new) = (world.connect().await, world.connect().await);
    slow.send("slow").await;
    let held_up = world.puppets.event("default", 10).await;
    // Another connection whose messages may be slow waits for the only process.
    new.send("new").await;
    quick.send("quick again").await;
    let served = world.puppets.event("default", 11).await;
    assert_eq!(served.event["body"], "quick again");
    assert_ne!(served.pid, held_up.pid);
    finish.send(Act::ok()).unwrap();
    assert_eq!(
        world.puppets.event("default", 12).await.event["body"],
        "new"
    );
}

#[tokio::test]
async fn no_concurrency_at_all_is_an_error_at_once() {
    let world = World::start(|setup| {
        setup.chat().edit(|stack| {
            stack
                .functions
                .get_mut("connect")
                .unwrap()
                .reserved_concurrency = Some(0)
        })
    })
    .await;
    assert_eq!(world.upgrade("/v1", "").await.status, 502);
}

#[tokio::test]
async fn a_function_beyond_its_timeout_is_killed_and_its_caller_gets_an_error() {
    let world = World::start(|setup| {
        let short = Duration::from_millis(100);
        setup
            .chat()
            .edit(|stack| stack.functions.get_mut("default").unwrap().timeout = short)
    })
    .await;
    let _never = world.puppets.later("default", Act::ok);
    let mut client = world.connect().await;
    let began = std::time::Instant::now();
    client.gets_error("one", "Internal server error").await;
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    let reported = |notice: &StackNotice| match notice {
        StackNotice::Log(line) => line.text.ends_with("Task timed out after 0.10 seconds"),
        _ => false,
    };
    assert!(
        world.notices().iter().any(reported),
        "{:?}",
        world.notices()
    );
    client.send("two").await;
    assert_ne!(
        world.puppets.event("default", 1).await.pid,
        world.puppets.event("default", 0).await.pid
    );
}

#[tokio::test]
async fn a_function_that_cannot_start_is_started_three_times() {
    let world = World::chat().await;
    let mut processes = world.puppets.by_hand("connect");
    let upgrade = world.upgrade("/v1", "");
    let fail = async {
        for _ in 0..3 {
            let mut process = within(processes.recv()).await.unwrap();
            let body = r#"{"errorMessage":"no table name","errorType":"Config"}"#;
            let reply = within(process.call("POST", "/2018-06-01/runtime/init/error", body))
                .await
                .unwrap();
            assert_eq!(reply.status, 202);
            let again = within(process.call("POST", "/2018-06-01/runtime/init/error", body))
                .await
                .unwrap();
            assert_eq!(again.status, 403);
            process
                .command(&json!({ "do": "exit", "code": 1 }))
                .await
                .unwrap();
        }
    };
    let (answer, ()) = tokio::join!(upgrade, fail);
    assert_eq!(answer.status, 502);
    let text = "INIT_REPORT Status: error Error: no table name";
    let reported =
        |notice: &StackNotice| matches!(notice, StackNotice::Log(line) if line.text == text);
    assert_eq!(
        world
            .notices()
            .iter()
            .filter(|notice| reported(notice))
            .count(),
        3
    );
    assert_eq!(
        world
            .stack
            .status()
            .functions
            .iter()
            .map(|one| one.processes)
            .sum::<usize>(),
        0
    );
}

#[tokio::test]
async fn a_process_that_waits_when_the_stack_ends_gets_no_response() {
    let (world, mut client, _processes, mut process) = by_hand().await;
    let received = within(process.next()).await.unwrap();
    within(process.respond(&request_of(&received), r#"{"statusCode":200,"body":"x"}"#))
        .await
        .unwrap();
    assert_eq!(client.receive().await, "x");
    // Runtimes take a response for an event, whatever its status, and panic if it is not one.
    let waiting = process.call("GET", "/2018-06-01/runtime/invocation/next", "");
    let (reply, ()) = tokio::join!(within(waiting), within(world.stack.stop()));
    assert!(reply.is_none(), "{reply:?}");
}

#[tokio::test]
async fn the_environment_is_lambdas_and_nothing_is_inherited() {
    let world = World::start(|setup| {
        setup.chat().edit(|stack| {
            let variables = &mut stack.functions.get_mut("connect").unwrap().environment;
            variables.insert("TABLE".to_owned(), "chat".to_owned());
        })
    })
    .await;
    let mut processes = world.puppets.by_hand("connect");
    let upgrade = world.upgrade("/v1", "");
    let look = async {
        let mut process = within(processes.recv()).await.unwrap();
        let received = within(process.next()).await.unwrap();
        within(process.respond(&request_of(&received), r#"{"statusCode":200}"#))
            .await
            .unwrap();
        process
    };
    let (answer, process) = tokio::join!(upgrade, look);
    assert_eq!(answer.status, 101);
    let variables = &process.variables;
    let functions = format!("http://127.0.0.1:{}", world.stack.port());
    let endpoint = format!("{functions}/v1");
    for (name, value) in [
        ("TABLE", "chat"),
        ("_HANDLER", "connect-handler"),
        ("AWS_LAMBDA_FUNCTION_NAME", "connect"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/connect"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_DEFAULT_REGION", "eu-central-1"),
        ("TZ", ":UTC"),
        ("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI", &endpoint),
        ("AWS_ENDPOINT_URL_LAMBDA", &functions),
        (
            "AWS_ENDPOINT_URL_DYNAMODB",
            &world.stack.status().tables_endpoint,
        ),
        ("LAMBDA_TASK_ROOT", process.folder.to_str().unwrap()),
    ] {
        assert_eq!(
            variables.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }
    assert!(variables["AWS_ACCESS_KEY_ID"].starts_with("ASIA"));
    for inherited in [
        "HOME",
        "USER",
        "CARGO_MANIFEST_DIR",
        "_X_AMZN_TRACE_ID",
        "AWS_EXECUTION_ENV",
    ] {
        assert!(!variables.contains_key(inherited), "{inherited}");
    }
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>, "File descriptors".
/// Only Linux tells what limits a process has.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_may_have_as_many_files_open_as_on_lambda() {
    let (_world, _client, _processes, process) = by_hand().await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.pid)).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let words: Vec<_> = line.unwrap().split_whitespace().skip(3).collect();
    assert_eq!(words, ["1024", "1024", "files"]);
}

#[tokio::test]
async fn output_is_reported_line_by_line() {
    let (world, _client, _processes, mut process) = by_hand().await;
    process
        .command(&json!({ "do": "stdout", "text": "one\ntwo" }))
        .await
        .unwrap();
    process
        .command(&json!({ "do": "stderr", "text": "three" }))
        .await
        .unwrap();
    let lines = until(async || {
        let line = |notice| match notice {
            StackNotice::Log(line) if line.source != LogSource::Platform => {
                Some((line.source, line.text))
            }
            _ => None,
        };
        let mut lines: Vec<_> = world.notices().into_iter().filter_map(line).collect();
        lines.sort_by_key(|(source, _)| *source == LogSource::Stderr);
        (lines.len() == 3).then_some(lines)
    })
    .await;
    let expected = [
        (LogSource::Stdout, "one"),
        (LogSource::Stdout, "two"),
        (LogSource::Stderr, "three"),
    ];
    assert_eq!(
        lines,
        expected.map(|(source, text)| (source, text.to_owned()))
    );
}
