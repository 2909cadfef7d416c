//! Starts and ends of a stack, and that nothing of it remains.

use std::time::Duration;

use chatctl_local::{
    FunctionCodeError, LocalStack, Options, StackNotice, StackRequest, StartError,
};
use testing::ports::own_port;
use testing::processes::exists;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::puppets::{Act, Puppets};
use crate::setup::Setup;
use crate::world::{World, exchange, recorder, signed_by, until, within};

async fn is_open(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).await.is_ok()
}

/// The stack events so far, as `Name STATUS`.
fn events(notices: &[StackNotice]) -> Vec<String> {
    let event = |notice: &StackNotice| match notice {
        StackNotice::Event(event) => Some(format!("{} {}", event.logical_id, event.status)),
        _ => None,
    };
    notices.iter().filter_map(event).collect()
}

#[tokio::test]
async fn stop_closes_connections_runs_disconnect_and_leaves_no_process_and_no_port() {
    let options = Options::default().with_port(own_port());
    let world = World::start_with(options, Setup::chat).await;
    let mut client = world.connect().await;
    client.send("x").await;
    let pids = [
        world.puppets.event("connect", 0).await.pid,
        world.puppets.event("default", 0).await.pid,
    ];
    let port = world.stack.port();
    let tables_endpoint = world.stack.status().tables_endpoint;
    let tables_port = tables_endpoint.rsplit(':').next().unwrap().parse().unwrap();
    let (puppets, stopping) = (world.puppets.clone(), tokio::spawn(world.stack.stop()));
    assert_eq!(client.close_code().await, 1001);
    let disconnect = puppets.event("disconnect", 0).await;
    assert_eq!(disconnect.context()["disconnectStatusCode"], 1001);
    within(stopping).await.unwrap();
    for pid in pids.into_iter().chain([disconnect.pid]) {
        assert!(!exists(pid), "{pid}");
    }
    assert!(!is_open(port).await);
    // Another test of this process may have got that port meanwhile.
    until(async || (!is_open(tables_port).await).then_some(())).await;
}

#[tokio::test]
async fn stop_does_not_wait_for_a_function_that_works_for_ever() {
    let world = World::chat().await;
    let _never = world.puppets.later("default", Act::ok);
    let mut client = world.connect().await;
    client.send("x").await;
    let pid = world.puppets.event("default", 0).await.pid;
    within(world.stack.stop()).await;
    assert!(!exists(pid));
}

#[tokio::test]
async fn stop_does_not_wait_for_an_idle_keep_alive_connection() {
    let world = World::chat().await;
    let mut idle = TcpStream::connect(("127.0.0.1", world.stack.port()))
        .await
        .unwrap();
    idle.write_all(b"GET /v1 HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    assert_ne!(within(idle.read(&mut [0; 1024])).await.unwrap(), 0);
    let began = std::time::Instant::now();
    within(world.stack.stop()).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn a_stack_that_stops_serves_posts_until_disconnect_is_over() {
    let world = World::chat().await;
    let finish = world.puppets.later("disconnect", Act::ok);
    let mut client = world.connect().await;
    let path = format!("/v1/@connections/{}", world.connection_id(0).await);
    let port = world.stack.port();
    let (puppets, stopping) = (world.puppets.clone(), tokio::spawn(world.stack.stop()));
    assert_eq!(client.close_code().await, 1001);
    puppets.event("disconnect", 0).await;
    let authorization = signed_by("AKIA", "execute-api");
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\n\r\n");
    let answer = within(exchange(port, &head, b"")).await;
    assert_eq!(answer.status, 410, "it answers");
    finish.send(Act::ok()).unwrap();
    within(stopping).await.unwrap();
}

#[tokio::test]
async fn a_dropped_stack_ends_its_processes() {
    let world = World::chat().await;
    world.connect().await;
    let pid = world.puppets.event("connect", 0).await.pid;
    let port = world.stack.port();
    drop(world.stack);
    until(async || (!exists(pid) && !is_open(port).await).then_some(())).await;
}

#[tokio::test]
async fn start_reports_every_resource_in_order() {
    let world = World::start(|setup| setup.route("$default", "default").table("chat")).await;
    assert_eq!(
        events(&world.notices()),
        [
            "test CREATE_IN_PROGRESS",
            "Api CREATE_IN_PROGRESS",
            "Api CREATE_COMPLETE",
            "default CREATE_IN_PROGRESS",
            "default CREATE_COMPLETE",
            "chatTable CREATE_IN_PROGRESS",
            "chatTable CREATE_COMPLETE",
            "test CREATE_COMPLETE",
        ]
    );
    assert_eq!(
        world.stack.endpoint(),
        format!("ws://127.0.0.1:{}/v1", world.stack.port())
    );
    assert_eq!(world.stack.outputs()["Url"], "wss://x");
    assert_eq!(world.stack.resources().len(), 3);
}

#[tokio::test]
async fn a_taken_port_is_a_clear_error() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = other.local_addr().unwrap().port();
    let setup = Setup::empty(Puppets::new().await.bootstrap()).chat();
    let options = Options::default().with_port(port);
    let (observer, notices) = recorder();
    let error = LocalStack::start_resolved(setup.stack, setup.code, options, observer)
        .await
        .unwrap_err();
    let expected = format!(
        "port {port} is taken: stop the program that listens there, or choose another port"
    );
    assert_eq!(error.to_string(), expected);
    assert!(notices.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_failed_start_leaves_nothing() {
    let port = own_port();
    let setup = Setup::empty(Puppets::new().await.bootstrap())
        .chat()
        .table("chat")
        .edit(|stack| {
            let table = stack.tables.get_mut("chatTable").unwrap();
            table
                .create
                .as_object_mut()
                .unwrap()
                .remove("AttributeDefinitions");
        });
    let (observer, notices) = recorder();
    let options = Options::default().with_port(port);
    let error = LocalStack::start_resolved(setup.stack, setup.code, options, observer)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("could not create table `chat` as the template defines it"),
        "{error}"
    );
    let events = events(&notices.lock().unwrap());
    let tail = [
        "chatTable CREATE_FAILED",
        "test ROLLBACK_IN_PROGRESS",
        "test ROLLBACK_COMPLETE",
    ];
    assert_eq!(events[events.len() - 3..], tail);
    assert!(!is_open(port).await);
}

#[tokio::test]
async fn functions_without_code_are_named_all_at_once() {
    let mut setup = Setup::empty(Puppets::new().await.bootstrap()).chat();
    let connect = setup.code.remove("connect").unwrap();
    setup.code.remove("default");
    let start = LocalStack::start_resolved(
        setup.stack.clone(),
        setup.code.clone(),
        Options::default(),
        recorder().0,
    );
    match start.await {
        Err(error @ StartError::Code(FunctionCodeError::Missing { .. })) => {
            let reported = error.to_string();
            assert!(
                reported.starts_with("functions `connect`, `default` have no code"),
                "{reported}"
            );
        }
        other => panic!("{other:?}"),
    }
    setup.code.insert("connect".to_owned(), connect);
    setup
        .code
        .insert("default".to_owned(), "/nowhere/bootstrap".into());
    let start =
        LocalStack::start_resolved(setup.stack, setup.code, Options::default(), recorder().0);
    match start.await {
        Err(StartError::Code(FunctionCodeError::Unusable { function, .. })) => {
            assert_eq!(function, "default")
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_template_that_cannot_be_run_is_refused_before_anything_starts() {
    let request = StackRequest::new("test", "Resources: {}");
    let (observer, notices) = recorder();
    let error = LocalStack::start(request, Options::default(), observer)
        .await
        .unwrap_err();
    assert!(matches!(error, StartError::Template(_)), "{error:?}");
    assert!(notices.lock().unwrap().is_empty());
}

#[tokio::test]
async fn start_is_quick() {
    let setup = Setup::empty(Puppets::new().await.bootstrap())
        .chat()
        .table("chat");
    let began = std::time::Instant::now();
    let start =
        LocalStack::start_resolved(setup.stack, setup.code, Options::default(), recorder().0);
    let stack = start.await.unwrap();
    assert!(is_open(stack.port()).await);
    let took = began.elapsed();
    // The goal is 150 ms, but the machine may be busy, and this build is not optimised.
    assert!(took < Duration::from_millis(1500), "{took:?}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stack_runs_on_a_runtime_of_several_threads_as_well() {
    let world = World::start(|setup| setup.chat().two_way("echo", "echo")).await;
    world.puppets.on("echo", |received| {
        let text = received.event["body"].as_str().unwrap();
        Act::json(&serde_json::json!({ "statusCode": 200, "body": text }))
    });
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(world.connect().await);
    }
    for (index, client) in clients.iter_mut().enumerate() {
        client
            .send(&format!(r#"{{"action":"echo","n":{index}}}"#))
            .await;
    }
    for (index, client) in clients.iter_mut().enumerate() {
        assert_eq!(
            client.receive().await,
            format!(r#"{{"action":"echo","n":{index}}}"#)
        );
    }
    within(world.stack.stop()).await;
}
