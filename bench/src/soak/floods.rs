//! The floods. Each is limited to this machine, to a number of connections and to its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chat_protocol::Field;
use clap::ValueEnum;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::load::ChatClient;

/// The kinds of hostile clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Pings, and no answer is read
    Pings,
    /// 128 KB to friends who read nothing
    Unread,
    /// Sockets that send nothing
    Silent,
    /// Sockets that send a byte of their head now and then
    Trickling,
    /// Sockets that send 10 KB of a head that does not end
    LongHeads,
    /// HTTP requests whose connections are kept
    KeepAlive,
    /// Frames without content, of a message that does not end
    EmptyFrames,
    /// Messages of 100 KB without their last frame
    Unfinished,
    /// 50 clients that send as much as they can
    Messages,
    /// Connections that are opened and closed
    Storm,
    /// A room whose members read nothing
    Room,
}

/// The shared state of all clients of a flood.
#[derive(Debug, Clone)]
struct Flood {
    url: String,
    address: String,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
}

impl Kind {
    pub(super) fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Pings => "pings, nothing read, 4 clients",
            Self::Unread => "128 KB to 200 friends who read nothing",
            Self::Silent => "1,000 silent sockets",
            Self::Trickling => "1,000 trickling heads",
            Self::LongHeads => "1,000 heads of 10 KB without an end",
            Self::KeepAlive => "1,000 kept HTTP connections",
            Self::EmptyFrames => "empty frames, 4 clients",
            Self::Unfinished => "100 KB without the last frame, 1,000 clients",
            Self::Messages => "50 clients that send what they can",
            Self::Storm => "connections opened and closed, 20 at once",
            Self::Room => "a room of 200 that reads nothing",
        }
    }

    /// Whether the posts alone exceed an AWS account's limit, so that the pair's posts wait for the quota, as on AWS.
    pub(super) const fn uses_up_the_account(self) -> bool {
        matches!(self, Self::Room)
    }

    /// The unit of the count.
    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::Pings => "batches of 200 pings",
            Self::EmptyFrames => "batches of 1,000 frames",
            Self::Unread | Self::Unfinished | Self::Messages | Self::Room => "messages",
            Self::Silent | Self::Trickling | Self::LongHeads | Self::Storm => "connections",
            Self::KeepAlive => "requests",
        }
    }

    const fn clients(self) -> usize {
        match self {
            Self::Pings | Self::EmptyFrames => 4,
            Self::Unread | Self::Room => 200,
            Self::Messages => 50,
            Self::Storm => 20,
            _ => 1_000,
        }
    }
}

/// Floods until `stop`.
pub(super) async fn flood(kind: Kind, url: String, stop: Arc<AtomicBool>, done: Arc<AtomicU64>) {
    let address = url.trim_start_matches("ws://");
    let address = address.split('/').next().unwrap_or_default().to_owned();
    let flood = Flood {
        url,
        address,
        stop,
        done,
    };
    let mut clients = JoinSet::new();
    for number in 0..kind.clients() {
        let flood = flood.clone();
        clients.spawn(async move {
            // A client that is refused or disconnected returns after a while.
            while !flood.is_over() {
                let _cut_off = flood.client(kind, number).await;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
    }
    while !flood.is_over() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    clients.shutdown().await;
}

impl Flood {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns `None` at the first failure.
    async fn client(&self, kind: Kind, number: usize) -> Option<()> {
        match kind {
            Kind::Pings => {
                let mut socket = self.connection(number).await?;
                let pings = frame(0x89, &[b'x'; 125]).repeat(200);
                self.repeat(&mut socket, &pings).await
            }
            Kind::EmptyFrames => {
                let mut socket = self.connection(number).await?;
                socket.write_all(&frame(0x01, b"")).await.ok()?;
                let frames = frame(0x00, b"").repeat(1_000);
                self.repeat(&mut socket, &frames).await
            }
            Kind::Unread => {
                let (own, friend) = (format!("unread-{number}"), format!("silent-{number}"));
                let _friend = self.connect(&self.url, &friend, &own).await?;
                let mut socket = self.connect(&self.url, &own, &friend).await?;
                self.repeat(&mut socket, &message(128 * 1024)).await
            }
            Kind::Unfinished => {
                let mut socket = self.connection(number).await?;
                let whole = message(100 * 1024);
                let without_end = &whole[..whole.len() - 1];
                socket.write_all(without_end).await.ok()?;
                self.count();
                closed(&mut socket).await
            }
            Kind::Messages => {
                let name = format!("busy-{number}");
                let socket = self.connect(&self.url, &name, &name).await?;
                let (mut reader, mut writer) = socket.into_split();
                let messages = frame(0x81, b"as much as I can").repeat(100);
                let reading = async {
                    let mut read = vec![0; 64 * 1024];
                    while let Ok(1..) = reader.read(&mut read).await {}
                };
                let writing = async {
                    while writer.write_all(&messages).await.is_ok() {
                        self.done.fetch_add(100, Ordering::Relaxed);
                    }
                };
                tokio::join!(reading, writing);
                None
            }
            Kind::Storm => loop {
                drop(self.connection(number).await?);
                self.count();
                tokio::time::sleep(Duration::from_millis(60)).await;
            },
            Kind::Room => {
                let url = format!("{}?{}=soak", self.url, Field::Room.name());
                let mut socket = self.connect(&url, &format!("member-{number}"), "x").await?;
                if number >= 2 {
                    return closed_unread(&mut socket).await;
                }
                let text = format!(r#"{{"action":"room","text":"{}"}}"#, "x".repeat(8_000));
                self.repeat(&mut socket, &frame(0x81, text.as_bytes()))
                    .await
            }
            Kind::Silent => {
                let mut socket = self.socket().await?;
                closed(&mut socket).await
            }
            Kind::Trickling => {
                let mut socket = self.socket().await?;
                socket.write_all(b"GET /v1 HTTP/1.1\r\nX: ").await.ok()?;
                loop {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    socket.write_all(b"x").await.ok()?;
                }
            }
            Kind::LongHeads => {
                let mut socket = self.socket().await?;
                let head = format!("GET /v1 HTTP/1.1\r\nX: {}", "x".repeat(10_000));
                socket.write_all(head.as_bytes()).await.ok()?;
                closed(&mut socket).await
            }
            Kind::KeepAlive => {
                let mut socket = self.socket().await?;
                let head = b"GET /v1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
                socket.write_all(head).await.ok()?;
                self.count();
                closed(&mut socket).await
            }
        }
    }

    /// A WebSocket of a user whose friend is not connected.
    async fn connection(&self, number: usize) -> Option<TcpStream> {
        let name = format!("flood-{number}");
        self.connect(&self.url, &name, "absent").await
    }

    async fn connect(&self, url: &str, from: &str, to: &str) -> Option<TcpStream> {
        Some(ChatClient::open(url, from, to).await.ok()?.into_socket())
    }

    async fn socket(&self) -> Option<TcpStream> {
        let socket = TcpStream::connect(&self.address).await.ok()?;
        self.count();
        Some(socket)
    }

    /// Writes `bytes` repeatedly, and reads nothing.
    async fn repeat(&self, socket: &mut TcpStream, bytes: &[u8]) -> Option<()> {
        loop {
            socket.write_all(bytes).await.ok()?;
            self.count();
            // Lets the other clients of this thread run.
            tokio::task::yield_now().await;
        }
    }
}

/// Reads until the other end has closed.
async fn closed(socket: &mut TcpStream) -> Option<()> {
    let mut read = [0; 1024];
    while let Ok(1..) = socket.read(&mut read).await {}
    None
}

/// Waits as long as a flood may take, without reading.
async fn closed_unread(_socket: &mut TcpStream) -> Option<()> {
    std::future::pending().await
}

/// A client's frame, masked with zeros. `first` is its first byte.
fn frame(first: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match u8::try_from(content.len()) {
        Ok(short @ ..126) => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(content);
    frame
}

/// A text message of `size` bytes, in frames of at most 32 KB.
fn message(size: usize) -> Vec<u8> {
    let text = vec![b'x'; size];
    let pieces: Vec<&[u8]> = text.chunks(32 * 1024).collect();
    let last = pieces.len().saturating_sub(1);
    let frames = pieces.iter().enumerate().map(|(index, piece)| {
        let kind = u8::from(index == 0);
        let end = if index == last { 0x80 } else { 0 };
        frame(kind | end, piece)
    });
    frames.collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_into_frames_of_which_only_the_last_ends_it() {
        assert_eq!(frame(0x81, b"hi"), [0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
        let whole = message(70_000);
        let head = 8;
        let second = head + 32 * 1024;
        let third = second + head + 32 * 1024;
        assert_eq!([whole[0], whole[second], whole[third]], [0x01, 0x00, 0x80]);
        assert_eq!(whole.len(), 70_000 + 3 * head);
    }
}
