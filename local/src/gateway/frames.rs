//! An open connection: messages in, messages out, its time limits, its end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Map, Value};
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

use super::connections::{Connection, Ending, Outgoing, PostError};
use super::deployed::{LiveRoute, Target};
use super::events::{self, Ended, Facts, Stamp};
use super::integrations::{Exchange, validation};
use super::{Gateway, answers, ids, throttle};
use crate::clock::Clock;
use crate::options::Limits;

/// How long a client may take to answer a close frame.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

type Sink = SplitSink<WebSocketStream<TcpStream>, Message>;
type Stream = SplitStream<WebSocketStream<TcpStream>>;

/// Serves an accepted connection until it is over, `$disconnect` included. `socket` is an error when even the 101 could
/// not be written.
pub(crate) async fn serve(
    gateway: &Arc<Gateway>,
    socket: io::Result<TcpStream>,
    rest: Vec<u8>,
    connection: Arc<Connection>,
    outgoing: mpsc::Receiver<Outgoing>,
) {
    let ended = match socket {
        Ok(socket) => converse(gateway, socket, rest, &connection, outgoing).await,
        Err(_) => lost(),
    };
    gateway.connections.remove(&connection.facts.connection_id);
    disconnect(gateway, &connection, &ended).await;
}

async fn converse(
    gateway: &Arc<Gateway>,
    socket: TcpStream,
    rest: Vec<u8>,
    connection: &Arc<Connection>,
    outgoing: mpsc::Receiver<Outgoing>,
) -> Ended {
    let limits = &gateway.limits;
    let config = WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(8 * 1024)
        .max_frame_size(Some(limits.frame_bytes))
        .max_message_size(Some(limits.message_bytes));
    let socket =
        WebSocketStream::from_partially_read(socket, rest, Role::Server, Some(config)).await;
    let (sink, mut stream) = socket.split();
    let writer = tokio::spawn(write(
        sink,
        outgoing,
        Arc::clone(connection),
        limits.frame_bytes,
    ));
    let places = Arc::new(Semaphore::new(limits.concurrent_messages.max(1)));
    let mut place = None;
    let mut check = Duration::ZERO;
    let ending = loop {
        if place.is_none() {
            place = Arc::clone(&places).try_acquire_owned().ok();
        }
        tokio::select! {
            // When all places are taken the next messages wait in the socket.
            incoming = stream.next(), if place.is_some() => match incoming {
                Some(Ok(Message::Text(text))) => {
                    connection.touch();
                    let place = place.take();
                    let (gateway, connection) = (Arc::clone(gateway), Arc::clone(connection));
                    tokio::spawn(async move {
                        answer(&gateway, &connection, &text).await;
                        drop(place);
                    });
                }
                Some(Ok(Message::Binary(_))) => break Ok(Ending::fault(CloseCode::Unsupported)),
                Some(Ok(Message::Close(frame))) => {
                    // Sends the reply that is due; there is nothing else to come.
                    while let Some(Ok(_)) = stream.next().await {}
                    break Err(closed_by_client(frame));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => break fault(&error).map(Ending::fault).ok_or_else(lost),
                None => break Err(lost()),
            },
            free = Arc::clone(&places).acquire_owned(), if place.is_none() => place = free.ok(),
            ending = connection.asked_to_end() => break Ok(ending),
            () = gateway.clock.until(check) => match next_check(connection, limits, &gateway.clock) {
                Some(moment) => check = moment,
                None => break Ok(Ending::going_away()),
            },
        }
    };
    // From here on a post is answered with 410, also one out of `$disconnect`.
    gateway.connections.remove(&connection.facts.connection_id);
    match ending {
        Ok(Ending {
            code,
            reason,
            ended,
        }) => {
            connection.say_goodbye(code, reason, CLOSE_PATIENCE).await;
            tokio::spawn(tokio::time::timeout(
                2 * CLOSE_PATIENCE,
                hang_up(stream, writer),
            ));
            ended
        }
        Err(ended) => {
            writer.abort();
            ended
        }
    }
}

/// Waits for the close frame to leave, then for the client to hang up: closing with something unread would reset the
/// connection, and the client might never see why.
async fn hang_up(stream: Stream, writer: JoinHandle<Sink>) {
    let mut writer = AbortOnDrop(writer);
    let Ok(sink) = (&mut writer.0).await else {
        return;
    };
    let Ok(socket) = stream.reunite(sink) else {
        return;
    };
    let mut socket = socket.into_inner();
    if socket.shutdown().await.is_ok() {
        let mut rest = [0; 4096];
        while let Ok(1..) = socket.read(&mut rest).await {}
    }
}

struct AbortOnDrop(JoinHandle<Sink>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// When to look at the limits again; `None` when one of them is reached.
fn next_check(connection: &Connection, limits: &Limits, clock: &Clock) -> Option<Duration> {
    let idle = connection.last_active() + limits.idle_timeout;
    let end = (connection.opened() + limits.connection_duration).min(idle);
    (end > clock.elapsed()).then_some(end)
}

/// Sends what is queued until a close frame was sent or the client is gone; gives the sink back.
async fn write(
    mut sink: Sink,
    mut outgoing: mpsc::Receiver<Outgoing>,
    connection: Arc<Connection>,
    frame_bytes: usize,
) -> Sink {
    while let Some(first) = outgoing.recv().await {
        let mut next = Some(first);
        let mut fed = 0;
        let mut is_over = false;
        // Everything that waits leaves with one flush.
        while let Some(item) = next {
            let result = match item {
                Outgoing::Text(text) => {
                    fed += text.len();
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
            if result.is_err() || is_over {
                break;
            }
            next = outgoing.try_recv().ok();
        }
        let flushed = sink.flush().await;
        connection.sent(fed);
        if is_over || flushed.is_err() {
            break;
        }
    }
    sink
}

/// A long text leaves in several frames: the limit on frames holds for both directions.
async fn feed(sink: &mut Sink, text: Bytes, frame_bytes: usize) -> Result<(), Error> {
    if text.len() <= frame_bytes {
        // A frame, not a message: posts were checked for UTF-8 when they came in.
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

/// Takes one message to its function and the answer, if any, back.
async fn answer(gateway: &Gateway, connection: &Connection, body: &str) {
    let facts = &connection.facts;
    let stamp = Stamp::now();
    let deployed = gateway.deployed();
    // The stage went away with an update; the connection is about to.
    let Some(stage) = deployed.stage(&facts.stage) else {
        return;
    };
    let route = deployed.route_of(stage, body);
    let bucket = route.as_ref().and_then(|route| route.throttle.as_ref());
    let admitted = gateway.account.admits_message(bucket);
    let text = match route {
        _ if !admitted => Some(answers::error_frame(
            throttle::MESSAGE,
            &facts.connection_id,
            &stamp.request_id,
        )),
        None => Some(answers::error_frame(
            "Forbidden",
            &facts.connection_id,
            &stamp.request_id,
        )),
        Some(route) => serve_message(gateway, facts, &stage.variables, &route, body, &stamp).await,
    };
    if let Some(text) = text
        && let Err(error) = connection.post(text.into())
    {
        let why = match error {
            PostError::Full => "it reads too slowly",
            PostError::Gone => "it is gone",
        };
        gateway.observer.warn(format!(
            "an answer to connection `{}` was dropped: {why}",
            facts.connection_id
        ));
    }
}

/// Hands a message to its route; what comes of it is the text for its sender.
async fn serve_message(
    gateway: &Gateway,
    facts: &Facts,
    variables: &Map<String, Value>,
    route: &LiveRoute,
    body: &str,
    stamp: &Stamp,
) -> Option<String> {
    let message_id = ids::message_id(&facts.connection_id);
    if let Some(validator) = &route.validator
        && let Err(why) = validator.judge(body, &gateway.beside).await
    {
        let key = &route.key;
        gateway.observer.warn(format!(
            "a message for route `{key}` is not as its model wants it: {why}"
        ));
        return Some(validation::bad_request_body(
            &facts.connection_id,
            &message_id,
        ));
    }
    let trace = ids::trace_root(stamp.at);
    let answered = if let Target::Integration(integration) = &route.target {
        let exchange = Exchange::message(
            facts,
            &route.key,
            &message_id,
            body,
            variables,
            stamp,
            &trace,
        );
        gateway
            .integrate(integration, route.timeout, &exchange)
            .await
    } else {
        let event = events::message(facts, &route.key, &message_id, body, variables, stamp);
        gateway
            .invoke(&route.target, route.timeout, event, &trace)
            .await
    };
    gateway.explain(&answered, route);
    answers::frame(
        &answered,
        route.two_way,
        &facts.connection_id,
        &stamp.request_id,
    )
}

async fn disconnect(gateway: &Gateway, connection: &Connection, ended: &Ended) {
    let deployed = gateway.deployed();
    let stage = deployed.stage(&connection.facts.stage);
    let Some((stage, route)) =
        stage.and_then(|stage| stage.route("$disconnect").map(|route| (stage, route)))
    else {
        return;
    };
    let stamp = Stamp::now();
    let trace = ids::trace_root(stamp.at);
    let (facts, variables) = (&connection.facts, &stage.variables);
    // Best effort: what the answer is has nowhere to go, but a fault is told.
    let answered = if let Target::Integration(integration) = &route.target {
        let exchange = Exchange::disconnect(facts, ended, variables, &stamp, &trace);
        gateway
            .integrate(integration, route.timeout, &exchange)
            .await
    } else {
        let event = events::disconnect(facts, ended, variables, &stamp);
        gateway
            .invoke(&route.target, route.timeout, event, &trace)
            .await
    };
    gateway.explain(&answered, route);
}

fn closed_by_client(frame: Option<CloseFrame>) -> Ended {
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

/// The close code that a client's fault deserves; `None` when there is nobody left to tell.
fn fault(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Some(CloseCode::Size),
        Error::Utf8(_) => Some(CloseCode::Invalid),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(CloseCode::Protocol),
        _ => None,
    }
}
