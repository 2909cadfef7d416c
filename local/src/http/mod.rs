//! The HTTP server that all listeners of a stack share. No client can block it.

pub(crate) mod browser;
pub(crate) mod error;
pub(crate) mod head;
pub(crate) mod page;
pub mod peers;
pub(crate) mod response;
pub(crate) mod sockets;

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Sleep;

use self::head::HeadError;
use self::response::HttpResponse;
use self::sockets::{SocketSlot, Sockets};
use crate::budget::{Reservation, Share, Stage};

/// The time that a client has for its first request's head.
pub(crate) const HEAD: Duration = Duration::from_secs(5);

/// The time that a connection without requests is kept open.
pub(crate) const IDLE: Duration = Duration::from_secs(60);

/// The time that a client has for a request's body.
pub(crate) const BODY: Duration = Duration::from_secs(30);

/// The time after which a client that reads nothing is disconnected.
const UNREAD: Duration = Duration::from_secs(30);

/// The time that a connection has to finish a request that arrived just when its place was needed.
const LEAVING: Duration = Duration::from_secs(5);

/// The largest request head.
const HEAD_BYTES: usize = 32 * 1024;

/// The timeouts for a head, and for a connection without requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    pub(crate) head: Duration,
    pub(crate) idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: HEAD,
            idle: IDLE,
        }
    }
}

/// Accepts sockets until `stop` is over, as many at a time as `sockets` has places, and runs `serve` with each. Then it
/// closes all of them, as dropping the future does.
pub(crate) async fn accept<S>(
    listener: TcpListener,
    sockets: &Arc<Sockets>,
    stop: impl Future<Output = ()>,
    serve: impl Fn(TcpStream, SocketAddr, SocketSlot) -> S,
) where
    S: Future<Output = ()> + Send + 'static,
{
    let mut served = JoinSet::new();
    let accepting = async {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = served.join_next(), if !served.is_empty() => continue,
            };
            let Ok((socket, peer)) = accepted else {
                // Too many open files: the next accept would fail at once as well.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            // Otherwise a write may wait 40 ms for an acknowledgement. Failing to set it changes nothing else.
            let _slower = socket.set_nodelay(true);
            served.spawn(serve(socket, peer, sockets.slot().await));
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
    drop(listener);
    served.shutdown().await;
}

/// Serves the requests of at most `most` sockets at a time. Dropping the future closes all of them.
pub(crate) async fn serve<R>(
    listener: TcpListener,
    most: usize,
    timeouts: Timeouts,
    respond: impl Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
) where
    R: Future<Output = HttpResponse> + Send + 'static,
{
    let never = std::future::pending();
    accept(listener, &Sockets::new(most), never, |socket, _, slot| {
        let respond = respond.clone();
        async move { serve_socket(socket, &slot, timeouts, respond).await }
    })
    .await;
}

/// Serves the requests of a new socket, if it belongs to one of this user's programs.
async fn serve_socket<R>(
    mut socket: TcpStream,
    slot: &SocketSlot,
    timeouts: Timeouts,
    respond: impl Fn(Request<Incoming>) -> R,
) where
    R: Future<Output = HttpResponse>,
{
    if peers::admit(&mut socket).await.is_err() {
        return;
    }
    let mut bytes = Vec::with_capacity(1024);
    let reading = head::read(&mut socket, &mut bytes, HEAD_BYTES);
    let read = tokio::select! {
        read = tokio::time::timeout(timeouts.head, reading) => read,
        () = slot.needed() => return,
    };
    match read {
        Err(_) | Ok(Err(HeadError::Closed)) => {}
        // The server reads the bytes again, and refuses those that are no head.
        Ok(_) => go_on(socket, bytes, slot, timeouts.idle, respond).await,
    }
}

/// Serves the requests of a socket from which `read` was read already.
pub(crate) async fn go_on<R>(
    socket: TcpStream,
    read: Vec<u8>,
    slot: &SocketSlot,
    idle: Duration,
    respond: impl Fn(Request<Incoming>) -> R,
) where
    R: Future<Output = HttpResponse>,
{
    let (reader, writer) = tokio::io::split(WriteTimeout::new(socket, UNREAD));
    let io = TokioIo::new(tokio::io::join(io::Cursor::new(read).chain(reader), writer));
    let service = service_fn(|request| {
        slot.works();
        let response = respond(request);
        async {
            let response = response.await;
            slot.waits();
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    // The timeout of a head also covers the wait between two requests: an SDK keeps its connection for a while.
    let mut serving = pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(idle)
            .serve_connection(io, service)
    );
    tokio::select! {
        // The client closed its connection, which it may.
        _closed = serving.as_mut() => return,
        () = slot.needed() => serving.as_mut().graceful_shutdown(),
    }
    // A request that has just arrived is served, but not for a client that does not read its response.
    let _closed = tokio::time::timeout(LEAVING, serving).await;
}

/// Why no body could be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    /// It ended early.
    Broken,
    /// It did not arrive in time.
    TooSlow,
    /// The stack's budget has no room.
    NoRoom,
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn body(body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    match tokio::time::timeout(BODY, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Ok(Err(_)) => Err(BodyError::Broken),
        Err(_elapsed) => Err(BodyError::TooSlow),
    }
}

/// Reads a body of at most `limit` bytes, which `share` holds while it arrives and afterwards.
///
/// It fails without room instead of waiting: the work that holds the room may be waiting for this very request.
pub(crate) async fn held_body(
    body: Incoming,
    limit: usize,
    share: &Arc<Share>,
) -> Result<(Bytes, Reservation), BodyError> {
    let mut held = share.take_anyway(0);
    let mut body = pin!(Limited::new(body, limit));
    let reading = async {
        let mut first = Bytes::new();
        let mut all: Vec<u8> = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    BodyError::TooLarge
                } else {
                    BodyError::Broken
                }
            })?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if !share.admits(data.len(), Stage::Continue) {
                return Err(BodyError::NoRoom);
            }
            held.resize(held.bytes() + data.len());
            match (first.is_empty(), all.is_empty()) {
                (true, true) => first = data,
                (_, true) => all = [first.as_ref(), data.as_ref()].concat(),
                (_, false) => all.extend_from_slice(&data),
            }
        }
        Ok(if all.is_empty() { first } else { all.into() })
    };
    match tokio::time::timeout(BODY, reading).await {
        Ok(read) => Ok((read?, held)),
        Err(_elapsed) => Err(BodyError::TooSlow),
    }
}

/// A socket whose writes fail if the client reads nothing for some time.
#[derive(Debug)]
pub(crate) struct WriteTimeout<S> {
    socket: S,
    timeout: Duration,
    /// Runs while nothing can be written.
    unread: Option<Pin<Box<Sleep>>>,
}

impl<S> WriteTimeout<S> {
    pub(crate) fn new(socket: S, timeout: Duration) -> Self {
        Self {
            socket,
            timeout,
            unread: None,
        }
    }

    pub(crate) fn into_inner(self) -> S {
        self.socket
    }

    /// Returns the result of a write, or the error that the client reads nothing.
    fn judge<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.unread = None;
            return written;
        }
        let timeout = self.timeout;
        let unread = self
            .unread
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        unread
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn a_client_that_reads_nothing_is_disconnected_and_a_slow_one_is_not() {
        let (near, mut far) = tokio::io::duplex(16);
        let mut socket = WriteTimeout::new(near, Duration::from_millis(200));
        let reader = tokio::spawn(async move {
            for _ in 0..8 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                far.read_exact(&mut [0; 16]).await.unwrap();
            }
            far
        });
        socket.write_all(&[0; 128]).await.unwrap();
        let _far = reader.await.unwrap();
        let error = socket.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
