//! An open connection: incoming and outgoing messages, its time limits, its end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};
use tokio_util::task::AbortOnDropHandle;

use super::connections::{Connection, Ending, Outgoing};
use super::gateway::Gateway;
use super::messages::{disconnect, handle};
use super::metered::{Arriving, Metered};
use super::throttle::Bucket;
use crate::clock::Clock;
use crate::http::sockets::SocketSlot;
use crate::integrations::incoming::Ended;
use crate::options::Limits;

/// The time that a client has to respond to a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The most bytes that wait to be written besides messages: pongs.
const WRITE_BUFFER_BYTES: usize = 128 * 1024;

/// The most bytes of a client that are read after the close frame: more than a client can have sent before it got that
/// frame. To read whatever it goes on sending would cost as much as serving it.
const MAX_REST_BYTES: usize = 1024 * 1024;

/// The outcome of writing.
struct Written {
    sink: Sink,
    is_too_slow: bool,
}

type Sink = SplitSink<WebSocketStream<Metered>, Message>;
type Stream = SplitStream<WebSocketStream<Metered>>;

/// Serves an accepted connection until its end, `$disconnect` included. `socket` is an error if even the 101 could not
/// be written.
pub(crate) async fn serve(
    gateway: &Arc<Gateway>,
    socket: io::Result<TcpStream>,
    rest: Vec<u8>,
    connection: Arc<Connection>,
    outgoing: mpsc::Receiver<Outgoing>,
    slot: SocketSlot,
) {
    let ended = match socket {
        Ok(socket) => converse(gateway, socket, rest, &connection, outgoing, slot).await,
        Err(_) => lost(),
    };
    gateway.connections.remove(&connection.info.connection_id);
    disconnect(gateway, &connection, &ended).await;
}

async fn converse(
    gateway: &Arc<Gateway>,
    socket: TcpStream,
    rest: Vec<u8>,
    connection: &Arc<Connection>,
    outgoing: mpsc::Receiver<Outgoing>,
    socket_place: SocketSlot,
) -> Ended {
    let limits = &gateway.limits;
    let arriving = Arriving::new(Arc::clone(connection.incoming()), limits);
    let socket = Metered::new(socket, Arc::clone(&arriving), limits);
    let socket =
        WebSocketStream::from_partially_read(socket, rest, Role::Server, Some(config(limits)))
            .await;
    let (sink, mut stream) = socket.split();
    let mut writer = tokio::spawn(write(sink, outgoing, limits.frame_bytes));
    let control_frames = Bucket::new(limits.control_frames);
    let places = Arc::new(Semaphore::new(limits.concurrent_messages.max(1)));
    let mut slot = None;
    let mut check = Duration::ZERO;
    let ending = loop {
        if slot.is_none() {
            slot = Arc::clone(&places).try_acquire_owned().ok();
        }
        tokio::select! {
            // When all places are taken, the next messages wait in the socket.
            incoming = stream.next(), if slot.is_some() => match incoming {
                Some(Ok(Message::Text(text))) => {
                    connection.touch();
                    let slot = slot.take();
                    let held = arriving.message(text.len());
                    let (gateway, connection) = (Arc::clone(gateway), Arc::clone(connection));
                    tokio::spawn(async move {
                        handle(&gateway, &connection, text, held).await;
                        drop(slot);
                    });
                }
                Some(Ok(Message::Binary(_))) => break Ok(Ending::fault(CloseCode::Unsupported)),
                Some(Ok(Message::Close(frame))) => {
                    // Sends the pending reply; no more frames will come.
                    while let Some(Ok(_)) = stream.next().await {}
                    break Err(closed_by_client(frame));
                }
                Some(Ok(Message::Ping(content) | Message::Pong(content))) => {
                    arriving.control_frame(content.len());
                    if !control_frames.take(gateway.clock.elapsed()) {
                        break Ok(Ending::fault(CloseCode::Policy));
                    }
                }
                Some(Ok(Message::Frame(_))) => {}
                Some(Err(error)) if is_too_slow(&error) => break Err(too_slow()),
                Some(Err(error)) => break fault(&error).map(Ending::fault).ok_or_else(lost),
                None => break Err(lost()),
            },
            free = Arc::clone(&places).acquire_owned(), if slot.is_none() => slot = free.ok(),
            ending = connection.asked_to_end() => break Ok(ending),
            // Nothing can be written any more.
            written = &mut writer => break Err(match written {
                Ok(Written { is_too_slow: true, .. }) => too_slow(),
                _ => lost(),
            }),
            () = gateway.clock.until(check) => match next_check(connection, limits, &gateway.clock) {
                Some(moment) => check = moment,
                None => break Ok(Ending::going_away()),
            },
        }
    };
    // From here on a post gets 410, even one from `$disconnect`.
    gateway.connections.remove(&connection.info.connection_id);
    match ending {
        Ok(Ending {
            code,
            reason,
            ended,
        }) => {
            connection.queue_close(code, reason, CLOSE_TIMEOUT).await;
            tokio::spawn(async move {
                // The socket is kept until then.
                let _socket_place = socket_place;
                tokio::time::timeout(2 * CLOSE_TIMEOUT, hang_up(stream, writer)).await
            });
            ended
        }
        Err(ended) => {
            writer.abort();
            ended
        }
    }
}

/// The limits of frames and messages, and of what may wait in a connection's buffers.
pub(super) fn config(limits: &Limits) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(8 * 1024)
        .max_write_buffer_size(WRITE_BUFFER_BYTES)
        .max_frame_size(Some(limits.frame_bytes))
        .max_message_size(Some(limits.message_bytes))
}

/// Waits until the close frame is sent, then until the client disconnects. Closing with unread bytes would reset the
/// connection, and the client might never get the close frame. A client that goes on sending is read up to
/// [`MAX_REST_BYTES`]; then what it sends waits in the socket until the caller's deadline.
async fn hang_up(stream: Stream, writer: JoinHandle<Written>) {
    let Ok(Written { sink, .. }) = AbortOnDropHandle::new(writer).await else {
        return;
    };
    let Ok(socket) = stream.reunite(sink) else {
        return;
    };
    let mut socket = socket.into_inner().into_inner();
    if socket.shutdown().await.is_ok() {
        let mut rest = [0; 4096];
        let mut left = MAX_REST_BYTES;
        while let Ok(bytes @ 1..) = socket.read(&mut rest).await {
            left = left.saturating_sub(bytes);
            if left == 0 {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The time of the next check of the limits; `None` if one of them is reached.
fn next_check(connection: &Connection, limits: &Limits, clock: &Clock) -> Option<Duration> {
    let idle = connection.last_active() + limits.idle_timeout;
    let end = (connection.opened() + limits.connection_duration).min(idle);
    (end > clock.elapsed()).then_some(end)
}

/// Sends what is queued until a close frame was sent or the client is gone; returns the sink.
async fn write(
    mut sink: Sink,
    mut outgoing: mpsc::Receiver<Outgoing>,
    frame_bytes: usize,
) -> Written {
    while let Some(first) = outgoing.recv().await {
        let mut next = Some(first);
        // Fed bytes count until they are sent.
        let mut fed = Vec::new();
        let mut is_over = false;
        // One flush sends everything that waits.
        while let Some(item) = next {
            let result = match item {
                Outgoing::Text(text, held) => {
                    fed.push(held);
                    feed(&mut sink, text, frame_bytes).await
                }
                Outgoing::Close(code, reason) => {
                    is_over = true;
                    let frame = CloseFrame {
                        code,
                        reason: Utf8Bytes::from_static(reason),
                    };
                    sink.feed(Message::Close(Some(frame))).await
                }
            };
            if let Err(error) = result {
                let is_too_slow = is_too_slow(&error);
                return Written { sink, is_too_slow };
            }
            if is_over {
                break;
            }
            next = outgoing.try_recv().ok();
        }
        let flushed = sink.flush().await;
        drop(fed);
        if is_over || flushed.is_err() {
            let is_too_slow = flushed.is_err_and(|error| is_too_slow(&error));
            return Written { sink, is_too_slow };
        }
    }
    Written {
        sink,
        is_too_slow: false,
    }
}

/// Whether the client reads nothing.
fn is_too_slow(error: &Error) -> bool {
    match error {
        Error::Io(error) => error.kind() == io::ErrorKind::TimedOut,
        Error::WriteBufferFull(_) => true,
        _ => false,
    }
}

/// Sends a long message in several frames: the limit on frames holds for both directions.
async fn feed(sink: &mut Sink, text: Bytes, frame_bytes: usize) -> Result<(), Error> {
    if text.len() <= frame_bytes {
        // A frame, not a message, because posts were checked for UTF-8 when they arrived.
        return sink
            .feed(Message::Frame(Frame::message(
                text,
                OpCode::Data(Data::Text),
                true,
            )))
            .await;
    }
    let mut rest = text;
    let mut kind = Data::Text;
    while !rest.is_empty() {
        let piece = rest.split_to(rest.len().min(frame_bytes));
        let is_last = rest.is_empty();
        sink.feed(Message::Frame(Frame::message(
            piece,
            OpCode::Data(kind),
            is_last,
        )))
        .await?;
        kind = Data::Continue;
    }
    Ok(())
}

pub(super) fn closed_by_client(frame: Option<CloseFrame>) -> Ended {
    match frame {
        Some(frame) => Ended {
            code: frame.code.into(),
            reason: frame.reason.to_string(),
        },
        None => Ended {
            code: 1005,
            reason: "Client-side close frame status not set".to_owned(),
        },
    }
}

/// The connection broke without a close frame.
fn lost() -> Ended {
    Ended {
        code: 1006,
        reason: String::new(),
    }
}

/// The client read nothing, or did not send the rest of a message, for too long. It would not read a close frame.
fn too_slow() -> Ended {
    Ended {
        code: CloseCode::Policy.into(),
        reason: String::new(),
    }
}

/// The close code for a client's error; `None` if the client is gone.
pub(super) fn fault(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Some(CloseCode::Size),
        Error::Utf8(_) => Some(CloseCode::Invalid),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(CloseCode::Protocol),
        Error::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => Some(CloseCode::Policy),
        _ => None,
    }
}
