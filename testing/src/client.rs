//! A WebSocket client.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::until::within;

/// The head of a handshake for `target` at `authority`, for what [`Client`] would not send.
///
/// Each line of `headers` has its end.
#[must_use]
pub fn upgrade_head(authority: &str, target: &str, headers: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

/// A connection to a gateway.
///
/// The first methods return errors and wait without a limit, as benchmarks want it. From [`Client::send`] on a method
/// panics where a test has failed: at an error, and when nothing comes within [`crate::until::TIMEOUT`].
#[derive(Debug)]
pub struct Client {
    /// For frames that no method sends or reads.
    pub stream: WebSocketStream<TcpStream>,
    /// Texts that came before the answer to a ping and were not read yet.
    unread: VecDeque<Utf8Bytes>,
}

impl Client {
    /// Connects to `ws://HOST:PORT/…` with these headers in the handshake.
    ///
    /// # Errors
    /// A header's name or value cannot be sent, nothing listens there, or the handshake is refused.
    pub async fn open<'name, 'value>(
        url: &str,
        headers: impl IntoIterator<Item = (&'name str, &'value str)>,
    ) -> Result<Self, Error> {
        let mut request = url.into_client_request()?;
        for (name, value) in headers {
            let (name, value) = (HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
            request.headers_mut().insert(name, value);
        }
        let authority = request.uri().authority().map_or("", |it| it.as_str());
        let socket = TcpStream::connect(authority).await?;
        socket.set_nodelay(true)?;
        let (stream, _) = client_async(request, socket).await?;
        Ok(Self::new(stream))
    }

    /// Over a socket on which the handshake is done, and of which `read` was read beyond it.
    pub async fn upgraded(socket: TcpStream, read: Vec<u8>) -> Self {
        Self::new(WebSocketStream::from_partially_read(socket, read, Role::Client, None).await)
    }

    fn new(stream: WebSocketStream<TcpStream>) -> Self {
        Self {
            stream,
            unread: VecDeque::new(),
        }
    }

    /// Sends one text message.
    ///
    /// # Errors
    /// The connection is broken or closed.
    pub async fn try_send(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), Error> {
        self.stream.send(Message::Text(text.into())).await
    }

    /// The next text; frames of other kinds are passed over.
    ///
    /// # Errors
    /// The connection is broken or closed.
    pub async fn next_text(&mut self) -> Result<Utf8Bytes, Error> {
        if let Some(text) = self.unread.pop_front() {
            return Ok(text);
        }
        loop {
            if let Message::Text(text) = self.next_frame().await? {
                return Ok(text);
            }
        }
    }

    /// The next frame from the wire, of any kind.
    ///
    /// # Errors
    /// The connection is broken or closed.
    pub async fn next_frame(&mut self) -> Result<Message, Error> {
        let next = self.stream.next().await;
        next.unwrap_or(Err(Error::ConnectionClosed))
    }

    /// A text that [`Client::read_up_to_a_pong`] has read already.
    pub fn arrived(&mut self) -> Option<Utf8Bytes> {
        self.unread.pop_front()
    }

    /// Reads everything that the gateway has sent before it answers a ping.
    ///
    /// # Errors
    /// The connection is broken or closed.
    pub async fn read_up_to_a_pong(&mut self) -> Result<(), Error> {
        self.stream.send(Message::Ping("fence".into())).await?;
        loop {
            match self.next_frame().await? {
                Message::Text(text) => self.unread.push_back(text),
                Message::Pong(_) => return Ok(()),
                _ => {}
            }
        }
    }

    /// Closes the connection and waits until the gateway has closed it, too. Returns the texts that came until then.
    ///
    /// # Errors
    /// The connection is broken already.
    pub async fn end(&mut self) -> Result<Vec<Utf8Bytes>, Error> {
        self.stream.close(None).await?;
        let mut texts = Vec::from_iter(self.unread.drain(..));
        while let Ok(frame) = self.next_frame().await {
            if let Message::Text(text) = frame {
                texts.push(text);
            }
        }
        Ok(texts)
    }

    /// Sends one text message.
    pub async fn send(&mut self, text: &str) {
        self.try_send(text).await.unwrap();
    }

    /// The same in frames of `bytes`, which may cut characters in two.
    pub async fn send_in_frames(&mut self, text: &str, bytes: usize) {
        let pieces: Vec<_> = text.as_bytes().chunks(bytes).collect();
        for (index, piece) in pieces.iter().enumerate() {
            let kind = match index {
                0 => Data::Text,
                _ => Data::Continue,
            };
            let is_last = index + 1 == pieces.len();
            let frame = Frame::message(piece.to_vec(), OpCode::Data(kind), is_last);
            self.stream.send(Message::Frame(frame)).await.unwrap();
        }
    }

    /// The next frame, which must be a text.
    pub async fn receive(&mut self) -> String {
        match within(self.stream.next()).await {
            Some(Ok(Message::Text(text))) => text.to_string(),
            other => panic!("expected a text message, got {other:?}"),
        }
    }

    /// The next frame, which must be the one that closes the connection; `None` when it carries no code.
    pub async fn closed(&mut self) -> Option<CloseFrame> {
        match within(self.stream.next()).await {
            Some(Ok(Message::Close(frame))) => frame,
            other => panic!("expected a close frame, got {other:?}"),
        }
    }

    /// The code in the next frame, which must close the connection.
    pub async fn close_code(&mut self) -> u16 {
        let frame = self.closed().await;
        frame.expect("a close frame with a code").code.into()
    }

    /// Closes the connection with `frame` and waits until the gateway has closed it, too.
    pub async fn close(mut self, frame: Option<CloseFrame>) {
        self.stream.close(frame).await.unwrap();
        while let Some(Ok(_)) = within(self.stream.next()).await {}
    }
}
