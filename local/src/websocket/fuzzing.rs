//! Frames as `frames` reads them, without a socket and a gateway.

use std::io::{Cursor, Read, Write};

use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use super::frames::{closed_by_client, config, fault};
use crate::options::Limits;

/// Gives `piece` bytes at a time and takes everything.
struct Socket<'d> {
    bytes: Cursor<&'d [u8]>,
    piece: usize,
}

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.piece);
        self.bytes.read(&mut buffer[..length])
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a client has said with `bytes`, which arrive `piece` at a time, and how it ended.
pub(crate) fn read_frames(bytes: &[u8], piece: usize) -> Vec<String> {
    let limits = Limits::default();
    let socket = Socket {
        bytes: Cursor::new(bytes),
        piece,
    };
    let mut socket = WebSocket::from_raw_socket(socket, Role::Server, Some(config(&limits)));
    let mut read = Vec::new();
    loop {
        read.push(match socket.read() {
            Ok(Message::Text(text)) => {
                assert!(text.len() <= limits.message_bytes);
                format!("text {text}")
            }
            Ok(Message::Close(frame)) => format!("close {:?}", closed_by_client(frame)),
            Ok(other) => format!("{other:?}"),
            Err(error) => {
                read.push(format!("{:?}", fault(&error)));
                return read;
            }
        });
    }
}
