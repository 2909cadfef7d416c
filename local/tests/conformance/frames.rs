//! Statements 61 to 65: frames, their limits, and the time limits of a connection.

use std::time::Duration;

use chatctl_local::{Limits, Options};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

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
        client.0.send(Message::Frame(frame)).await.unwrap();
    }
}

#[tokio::test]
async fn c61_a_binary_frame_closes_with_1003() {
    let (world, mut client) = connected().await;
    client.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(client.close_code().await, 1003);
    let received = world.puppets.event("disconnect", 0).await;
    assert_eq!(received.context()["disconnectStatusCode"], 1003);
    assert_eq!(world.puppets.count("default"), 0);
}

#[tokio::test]
async fn c62_a_frame_of_32_kb_works_and_one_byte_more_closes_with_1009() {
    let (world, mut client) = connected().await;
    client.send(&"x".repeat(FRAME)).await;
    assert_eq!(
        world.puppets.event("default", 0).await.event["body"]
            .as_str()
            .unwrap()
            .len(),
        FRAME
    );
    client.send(&"x".repeat(FRAME + 1)).await;
    assert_eq!(client.close_code().await, 1009);
    assert_eq!(world.puppets.count("default"), 1);
}

#[tokio::test]
async fn c62_128_kb_in_four_frames_work_and_one_byte_more_closes_with_1009() {
    let (world, mut client) = connected().await;
    let piece = "x".repeat(FRAME);
    send_in_frames(&mut client, &[piece.as_str(); 4]).await;
    assert_eq!(
        world.puppets.event("default", 0).await.event["body"]
            .as_str()
            .unwrap()
            .len(),
        4 * FRAME
    );
    send_in_frames(&mut client, &[&piece, &piece, &piece, &piece, "x"]).await;
    assert_eq!(client.close_code().await, 1009);
}

#[tokio::test]
async fn c63_an_idle_connection_is_closed_with_1001() {
    let limits = Limits {
        idle_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let world = World::start_with(
        Options {
            limits,
            ..Options::default()
        },
        Setup::chat,
    )
    .await;
    let mut client = world.connect().await;
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
async fn c63_messages_and_posts_restart_the_idle_timer_and_pings_do_not() {
    let idle = Duration::from_millis(1000);
    let limits = Limits {
        idle_timeout: idle,
        ..Limits::default()
    };
    let world = World::start_with(
        Options {
            limits,
            ..Options::default()
        },
        Setup::chat,
    )
    .await;
    let began = tokio::time::Instant::now();
    let mut client = world.connect().await;
    let id = world.connection_id(0).await;
    let mut by_message = true;
    while began.elapsed() < 2 * idle {
        if by_message {
            client.send("x").await;
        } else {
            assert_eq!(
                world.operate("POST", &id, b"y").await.status,
                200,
                "open after {:?}",
                began.elapsed()
            );
            assert_eq!(client.receive().await, "y");
        }
        by_message = !by_message;
        tokio::time::sleep(idle / 10).await;
    }
    let code = within(async {
        loop {
            client
                .0
                .send(Message::Ping(Vec::new().into()))
                .await
                .unwrap();
            match client.0.next().await {
                Some(Ok(Message::Close(frame))) => return u16::from(frame.unwrap().code),
                Some(Ok(_)) => tokio::time::sleep(idle / 10).await,
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
    assert_eq!(code, 1001);
}

#[tokio::test]
async fn c64_the_duration_limit_closes_even_a_busy_connection() {
    let limits = Limits {
        connection_duration: Duration::from_millis(300),
        ..Limits::default()
    };
    let world = World::start_with(
        Options {
            limits,
            ..Options::default()
        },
        Setup::chat,
    )
    .await;
    let mut client = world.connect().await;
    let code = within(async {
        loop {
            // The last ones may meet a closed connection.
            let _closed = client.0.send(Message::text("x")).await;
            let wait = tokio::time::timeout(Duration::from_millis(10), client.0.next());
            if let Ok(Some(Ok(Message::Close(frame)))) = wait.await {
                return u16::from(frame.unwrap().code);
            }
        }
    })
    .await;
    assert_eq!(code, 1001);
}

#[tokio::test]
async fn c65_a_ping_is_answered_with_its_pong() {
    let (_world, mut client) = connected().await;
    client
        .0
        .send(Message::Ping(b"are you there".to_vec().into()))
        .await
        .unwrap();
    match within(client.0.next()).await {
        Some(Ok(Message::Pong(payload))) => assert_eq!(&payload[..], b"are you there"),
        other => panic!("expected a pong, got {other:?}"),
    }
}

#[tokio::test]
async fn invalid_text_closes_with_1007_and_an_unmasked_frame_with_1002() {
    let (_world, mut client) = connected().await;
    let frame = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    client.0.send(Message::Frame(frame)).await.unwrap();
    assert_eq!(client.close_code().await, 1007);
    let world = World::chat().await;
    let mut client = world.connect().await;
    client
        .0
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
    let socket = client.0.get_mut();
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
    let limits = Limits {
        concurrent_messages: 2,
        ..Limits::default()
    };
    let world = World::start_with(
        Options {
            limits,
            ..Options::default()
        },
        Setup::chat,
    )
    .await;
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
    // The connection itself stays attentive meanwhile.
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
