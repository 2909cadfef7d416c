//! Statements `limits.1` to `limits.5`: frames, their limits, and the time limits of a connection.

use std::time::Duration;

use chatctl_local::{Clock, Limits, Options};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::puppets::{Act, later};
use crate::setup::Setup;
use crate::world::{Client, World, until, within};

const FRAME: usize = 32 * 1024;

async fn connected() -> (World, Client) {
    let world = World::chat().await;
    let client = world.connect().await;
    (world, client)
}

/// Sends `pieces` as the frames of one text message.
async fn send_in_frames(client: &mut Client, pieces: &[&str]) {
    for (index, piece) in pieces.iter().enumerate() {
        let kind = if index == 0 {
            Data::Text
        } else {
            Data::Continue
        };
        let frame = Frame::message(
            piece.as_bytes().to_vec(),
            OpCode::Data(kind),
            index + 1 == pieces.len(),
        );
        client.stream.send(Message::Frame(frame)).await.unwrap();
    }
}

#[tokio::test]
async fn limits_1_a_binary_frame_closes_with_1003() {
    let (world, mut client) = connected().await;
    client
        .stream
        .send(Message::binary(vec![1, 2, 3]))
        .await
        .unwrap();
    assert_eq!(client.close_code().await, 1003);
    let received = world.puppets.event("disconnect", 0).await;
    assert_eq!(received.context()["disconnectStatusCode"], 1003);
    assert_eq!(world.puppets.count("default"), 0);
}

#[tokio::test]
async fn limits_2_frames_of_32_kb_and_messages_of_128_kb_work_and_larger_ones_close_with_1009() {
    let (world, mut client) = connected().await;
    let piece = "x".repeat(FRAME);
    let received = async |index| {
        let event = world.puppets.event("default", index).await.event;
        event["body"].as_str().unwrap().len()
    };
    client.send(&piece).await;
    assert_eq!(received(0).await, FRAME);
    send_in_frames(&mut client, &[piece.as_str(); 4]).await;
    assert_eq!(received(1).await, 4 * FRAME);
    send_in_frames(&mut client, &[&piece, &piece, &piece, &piece, "x"]).await;
    assert_eq!(client.close_code().await, 1009);
    let mut client = world.connect().await;
    client.send(&"x".repeat(FRAME + 1)).await;
    assert_eq!(client.close_code().await, 1009);
    assert_eq!(world.puppets.count("default"), 2);
}

/// Checks that two pings are answered: an event before the first one would have happened before the second.
async fn still_open(client: &mut Client) {
    for _ in 0..2 {
        client
            .stream
            .send(Message::Ping(Bytes::new()))
            .await
            .unwrap();
        match within(client.stream.next()).await {
            Some(Ok(Message::Pong(_))) => {}
            other => panic!("expected a pong, got {other:?}"),
        }
    }
}

#[tokio::test]
async fn limits_3_ten_idle_minutes_close_with_1001_and_messages_and_posts_begin_them_anew() {
    let (world, manual) = World::by_hand(Setup::chat).await;
    let nearly = || manual.advance(Duration::from_secs(599));
    let mut client = world.connect().await;
    let id = world.connection_id(0).await;
    nearly();
    still_open(&mut client).await;
    client.send("x").await;
    world.puppets.event("default", 0).await;
    world.settled().await;
    nearly();
    still_open(&mut client).await;
    assert_eq!(world.operate("POST", &id, b"y").await.status, 200);
    assert_eq!(client.receive().await, "y");
    nearly();
    // Pings do not count, nor does describing the connection.
    still_open(&mut client).await;
    assert_eq!(world.operate("GET", &id, b"").await.status, 200);
    manual.advance(Duration::from_secs(1));
    let frame = client.closed().await.unwrap();
    assert_eq!(
        (u16::from(frame.code), frame.reason.as_str()),
        (1001, "Going away")
    );
    let received = world.puppets.event("disconnect", 0).await;
    assert_eq!(received.context()["disconnectStatusCode"], 1001);
    assert_eq!(received.context()["disconnectReason"], "Going away");
}

#[tokio::test]
async fn limits_4_two_hours_close_even_a_busy_connection() {
    let (world, manual) = World::by_hand(Setup::chat).await;
    let mut client = world.connect().await;
    // Twelve times nine minutes and 59 seconds, then 11 more.
    for index in 0..12 {
        manual.advance(Duration::from_secs(599));
        client.send("x").await;
        world.puppets.event("default", index).await;
        world.settled().await;
    }
    manual.advance(Duration::from_secs(11));
    still_open(&mut client).await;
    client.send("x").await;
    world.puppets.event("default", 12).await;
    world.settled().await;
    manual.advance(Duration::from_secs(1));
    assert_eq!(client.close_code().await, 1001);
    let received = world.puppets.event("disconnect", 0).await;
    assert_eq!(received.context()["disconnectStatusCode"], 1001);
}

#[tokio::test]
async fn a_faster_clock_shortens_the_limits_of_a_connection() {
    // Ten minutes in 60 milliseconds.
    let options = Options::default().with_clock(Clock::faster(10_000.try_into().unwrap()));
    let world = World::start_with(options, Setup::chat).await;
    let mut client = world.connect().await;
    assert_eq!(client.close_code().await, 1001);
}

#[tokio::test]
async fn limits_5_a_ping_is_answered_with_its_pong() {
    let (_world, mut client) = connected().await;
    client
        .stream
        .send(Message::Ping(b"are you there".to_vec().into()))
        .await
        .unwrap();
    match within(client.stream.next()).await {
        Some(Ok(Message::Pong(payload))) => assert_eq!(&payload[..], b"are you there"),
        other => panic!("expected a pong, got {other:?}"),
    }
}

#[tokio::test]
async fn invalid_text_closes_with_1007_and_an_unmasked_frame_with_1002() {
    let (_world, mut client) = connected().await;
    let frame = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    client.stream.send(Message::Frame(frame)).await.unwrap();
    assert_eq!(client.close_code().await, 1007);
    let world = World::chat().await;
    let mut client = world.connect().await;
    client
        .stream
        .get_mut()
        .write_all(&[0x81, 0x01, b'x'])
        .await
        .unwrap();
    assert_eq!(client.close_code().await, 1002);
}

#[tokio::test]
async fn a_post_beyond_32_kb_leaves_in_frames_of_at_most_32_kb() {
    let (world, mut client) = connected().await;
    let id = world.connection_id(0).await;
    assert_eq!(
        world
            .operate("POST", &id, "x".repeat(80_000).as_bytes())
            .await
            .status,
        200
    );
    let socket = client.stream.get_mut();
    let mut sizes = Vec::new();
    loop {
        let mut head = [0; 2];
        within(socket.read_exact(&mut head)).await.unwrap();
        let length = match head[1] {
            126 => usize::from(within(socket.read_u16()).await.unwrap()),
            127 => usize::try_from(within(socket.read_u64()).await.unwrap()).unwrap(),
            short => usize::from(short),
        };
        sizes.push((head[0], length));
        within(socket.read_exact(&mut vec![0; length]))
            .await
            .unwrap();
        if head[0] & 0x80 != 0 {
            break;
        }
    }
    assert_eq!(
        sizes,
        [(0x01, FRAME), (0x00, FRAME), (0x80, 80_000 - 2 * FRAME)]
    );
}

#[tokio::test]
async fn messages_beyond_a_connections_share_wait_in_the_socket() {
    let limits = Limits::default().with_concurrent_messages(2);
    let world = World::limited_chat(limits).await;
    let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
    world.puppets.on("default", move |_| {
        let (finish, act) = later();
        begun.send(finish).unwrap();
        act
    });
    let mut client = world.connect().await;
    for _ in 0..3 {
        client.send("x").await;
    }
    let first = within(begins.recv()).await.unwrap();
    let second = within(begins.recv()).await.unwrap();
    let in_flight = || {
        world
            .stack
            .status()
            .functions
            .iter()
            .map(|one| one.in_flight)
            .sum::<usize>()
    };
    assert_eq!(in_flight(), 2);
    // The connection itself stays responsive meanwhile.
    let id = world.connection_id(0).await;
    assert_eq!(world.operate("POST", &id, b"hello").await.status, 200);
    assert_eq!(client.receive().await, "hello");
    assert_eq!(in_flight(), 2);
    first.send(Act::ok()).unwrap();
    second.send(Act::ok()).unwrap();
    let third = within(begins.recv()).await.unwrap();
    third.send(Act::ok()).unwrap();
    until(async || (in_flight() == 0).then_some(())).await;
}
