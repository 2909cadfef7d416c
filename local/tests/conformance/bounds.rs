//! Statements `bounds`: the limits of what one client, or all together, may use.

use std::time::{Duration, Instant};

use chatctl_local::Limits;
use chatctl_local::unstable::stack::Throttle;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::puppets::{Act, later};
use crate::setup::Setup;
use crate::world::{Client, World, until, within};

const KB: usize = 1024;

fn limits() -> Limits {
    Limits::default()
}

/// The most that a client which is cut off can have written: what is read before and after the close frame, and the
/// buffers of both sockets.
const MAX_WRITTEN: usize = 32 * 1024 * KB;

/// Writes `bytes` until the gateway stops reading for good, and reads nothing.
async fn write_until_cut_off(client: &mut Client, bytes: &[u8]) {
    let socket = client.stream.get_mut();
    let mut written = 0;
    let writing = async {
        while socket.write_all(bytes).await.is_ok() {
            written += bytes.len();
        }
    };
    within(writing).await;
    assert!(written < MAX_WRITTEN, "{written} bytes were read");
}

/// A client's frame, masked with zeros.
fn frame(first: u8, content: &[u8]) -> Vec<u8> {
    let short = u8::try_from(content.len()).unwrap();
    [&[first, 0x80 | short, 0, 0, 0, 0], content].concat()
}

/// Reads until the socket's end.
async fn read_to_end(socket: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    // A reset also ends the connection.
    let _reset = within(socket.read_to_end(&mut read)).await;
    read
}

async fn disconnect_code(world: &World, index: usize) -> serde_json::Value {
    let received = world.puppets.event("disconnect", index).await;
    received.context()["disconnectStatusCode"].clone()
}

#[tokio::test]
async fn bounds_1_a_client_that_pings_without_end_is_cut_off_whether_it_reads_or_not() {
    let world = World::chat().await;
    let mut silent = world.connect().await;
    let pings = frame(0x89, &[b'x'; 125]).repeat(200);
    write_until_cut_off(&mut silent, &pings).await;
    assert_eq!(disconnect_code(&world, 0).await, 1008);
    let mut reader = world.connect().await;
    for _ in 0..3_000 {
        if reader.stream.send(Message::Ping("x".into())).await.is_err() {
            break;
        }
    }
    let closed = async {
        loop {
            match reader.stream.next().await {
                Some(Ok(Message::Pong(_))) => {}
                other => break other,
            }
        }
    };
    match within(closed).await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 1008),
        other => panic!("expected a close frame, got {other:?}"),
    }
    until(async || (world.stack.status().queued_bytes == 0).then_some(())).await;
}

/// The bytes that wait to be written have their own limit, which applies below the limit on pings.
#[tokio::test]
async fn unread_pongs_end_the_connection_after_some_time() {
    let limits = limits()
        .with_control_frames(Throttle {
            rate: 1e9,
            burst: 1_000_000_000,
        })
        .with_slow_client_timeout(Duration::from_millis(500));
    let world = World::limited_chat(limits).await;
    let mut silent = world.connect().await;
    let pings = frame(0x89, &[b'x'; 125]).repeat(200);
    write_until_cut_off(&mut silent, &pings).await;
    assert_eq!(disconnect_code(&world, 0).await, 1008);
}

#[tokio::test]
async fn bounds_2_a_client_that_takes_nothing_and_one_that_sends_empty_frames_are_cut_off() {
    let limits = limits().with_slow_client_timeout(Duration::from_millis(500));
    let world = World::limited_chat(limits).await;
    let _silent = world.connect().await;
    let id = world.connection_id(0).await;
    let text = "x".repeat(100 * KB);
    let statuses = until(async || {
        let answer = world.operate("POST", &id, text.as_bytes()).await;
        (answer.status == 410).then_some(answer.status)
    });
    statuses.await;
    assert_eq!(disconnect_code(&world, 0).await, 1008);
    until(async || (world.stack.status().queued_bytes == 0).then_some(())).await;
    let mut endless = world.connect().await;
    let socket = endless.stream.get_mut();
    socket.write_all(&frame(0x01, b"")).await.unwrap();
    write_until_cut_off(&mut endless, &frame(0x00, b"").repeat(1_000)).await;
    assert_eq!(disconnect_code(&world, 1).await, 1008);
}

/// Controls how the begun invocations end.
type Begun = mpsc::UnboundedReceiver<oneshot::Sender<Act>>;

/// A stack with little room, whose function responds when the test decides.
async fn with_little_room() -> (World, Begun) {
    let limits = limits()
        .with_queued_bytes(2 * 1024 * KB)
        .with_slow_client_timeout(Duration::from_secs(1));
    let world = World::limited_chat(limits).await;
    let (begun, begins) = mpsc::unbounded_channel();
    world.puppets.on("default", move |_| {
        let (finish, act) = later();
        begun.send(finish).unwrap();
        act
    });
    (world, begins)
}

#[tokio::test]
async fn bounds_3_what_waits_is_bounded_over_all_connections_and_reading_goes_on_afterwards() {
    let (world, mut begins) = with_little_room().await;
    let text = "x".repeat(30 * KB);
    let mut flood = Vec::new();
    for _ in 0..20 {
        let mut client = world.connect().await;
        for _ in 0..10 {
            client.send(&text).await;
        }
        flood.push(client);
    }
    // Six megabytes were sent; less is read than the two that may wait.
    let first = within(begins.recv()).await.unwrap();
    let mut most = 0;
    let mut pair = world.connect().await;
    pair.send("small").await;
    first.send(Act::ok()).unwrap();
    // All are delivered in the end, the small one long before the last.
    let mut small_at = None;
    for done in 1..20 * 10 + 1 {
        let next = within(begins.recv()).await.unwrap();
        let queued = world.stack.status().queued_bytes;
        most = queued.max(most);
        next.send(Act::ok()).unwrap();
        let small = || {
            let bodies = world.puppets.bodies("default");
            bodies.iter().any(|body| body == "small")
        };
        if small_at.is_none() && small() {
            small_at = Some(done);
        }
    }
    assert!(most <= 2 * 1024 * KB, "{most}");
    assert!(most > 500 * KB, "{most}");
    assert!(small_at.is_some_and(|at| at < 100), "{small_at:?}");
    until(async || (world.stack.status().queued_bytes == 0).then_some(())).await;
    for client in &mut flood {
        client.stream.close(None).await.unwrap();
    }
    what_waits_for_clients_is_bounded().await;
}

/// Posts to clients that read nothing until none takes another post.
async fn what_waits_for_clients_is_bounded() {
    let world = World::limited_chat(limits().with_queued_bytes(2 * 1024 * KB)).await;
    let mut silent = Vec::new();
    for index in 0..10 {
        let client = world.connect().await;
        silent.push((client, world.connection_id(index).await));
    }
    let text = "x".repeat(60 * KB);
    let mut most = 0;
    let mut refused = 0;
    // A few refusals in a row may come while the gateway still writes to the sockets.
    while refused < 10 * silent.len() {
        for (_, id) in &silent {
            let status = world.operate("POST", id, text.as_bytes()).await.status;
            refused = match status {
                200 => 0,
                429 => refused + 1,
                other => panic!("{other}"),
            };
            most = world.stack.status().queued_bytes.max(most);
        }
    }
    assert!(most <= 2 * 1024 * KB, "{most}");
    // No client reaches its own limit of a megabyte.
    assert!((300 * KB..1024 * KB).contains(&most), "{most}");
    let mut pair = world.connect().await;
    pair.send("small").await;
    world.puppets.event("default", 0).await;
    let (mut reader, id) = silent.pop().unwrap();
    drop(silent);
    let again = async || (world.operate("POST", &id, b"again").await.status == 200).then_some(());
    let (_, ()) = tokio::join!(
        async { while reader.receive().await != "again" {} },
        until(again)
    );
    until(async || (world.stack.status().queued_bytes == 0).then_some(())).await;
}

#[tokio::test]
async fn unfinished_messages_are_dropped_when_there_is_little_room() {
    let (world, mut begins) = with_little_room().await;
    let piece = "x".repeat(30 * KB);
    let mut unfinished = Vec::new();
    for _ in 0..40 {
        let mut client = world.connect().await;
        for kind in [Data::Text, Data::Continue, Data::Continue] {
            let frame = Frame::message(piece.clone().into_bytes(), OpCode::Data(kind), false);
            client.stream.send(Message::Frame(frame)).await.unwrap();
        }
        unfinished.push(client);
    }
    until(async || (world.stack.status().queued_bytes > 1024 * KB).then_some(())).await;
    assert!(world.stack.status().queued_bytes <= 2 * 1024 * KB);
    // They end one after another, until there is room for others again.
    disconnect_code(&world, 0).await;
    let mut client = world.connect().await;
    client.send(&piece).await;
    within(begins.recv())
        .await
        .unwrap()
        .send(Act::ok())
        .unwrap();
    until(async || (world.stack.status().queued_bytes < 1024 * KB).then_some(())).await;
}

#[tokio::test]
async fn bounds_4_a_connection_without_a_websocket_is_closed_when_it_has_no_request() {
    let limits = limits()
        .with_keep_alive_timeout(Duration::from_millis(300))
        .with_head_timeout(Duration::from_millis(300));
    let world = World::limited_chat(limits).await;
    let open = async || {
        TcpStream::connect(("127.0.0.1", world.stack.port()))
            .await
            .unwrap()
    };
    let mut kept = open().await;
    let request = b"GET /v1 HTTP/1.1\r\nHost: h\r\n\r\n";
    kept.write_all(request).await.unwrap();
    let answer = read_to_end(&mut kept).await;
    assert!(answer.starts_with(b"HTTP/1.1 426"));
    let (mut silent, mut slow) = (open().await, open().await);
    slow.write_all(b"GET /v1 HTTP/1.1\r\nX: ").await.unwrap();
    for socket in [&mut silent, &mut slow] {
        assert_eq!(read_to_end(socket).await, b"");
    }
    until(async || (world.stack.status().sockets == 0).then_some(())).await;
}

#[tokio::test]
async fn waiting_sockets_exclude_no_client() {
    let limits = limits().with_connections(4).with_sockets(8);
    let world = World::limited_chat(limits).await;
    let address = ("127.0.0.1", world.stack.port());
    let mut crowd = Vec::new();
    for number in 0..30 {
        let mut socket = TcpStream::connect(address).await.unwrap();
        if number % 2 == 0 {
            let request = b"GET /v1 HTTP/1.1\r\nHost: h\r\n\r\n";
            socket.write_all(request).await.unwrap();
            assert_ne!(within(socket.read(&mut [0; 512])).await.unwrap(), 0);
        }
        crowd.push(socket);
    }
    assert!(world.stack.status().sockets <= 8);
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(world.connect().await);
    }
    // A fifth one is refused for lack of room, and all others are served.
    assert_eq!(world.upgrade("/v1", "").await.status, 503);
    for (index, client) in clients.iter_mut().enumerate() {
        client.send("x").await;
        world.puppets.event("default", index).await;
    }
    let id = world.connection_id(0).await;
    assert_eq!(world.operate("POST", &id, b"y").await.status, 200);
    drop(crowd);
}

#[tokio::test]
async fn an_endless_head_is_cut_off_on_the_ports_of_tables_and_processes() {
    let world = World::start(|setup: Setup| setup.chat().table("chat")).await;
    world.connect().await;
    world.puppets.event("connect", 0).await;
    let tables = world
        .stack
        .status()
        .tables_endpoint
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let process = world.puppets.variables()[0]["AWS_LAMBDA_RUNTIME_API"].clone();
    let cut_off = async |address: String| {
        let mut socket = TcpStream::connect(&address).await.unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        let began = Instant::now();
        assert_eq!(read_to_end(&mut socket).await, b"", "{address}");
        began.elapsed()
    };
    let (first, second) = tokio::join!(cut_off(tables), cut_off(process));
    for took in [first, second] {
        assert!((4..15).contains(&took.as_secs()), "{took:?}");
    }
}
