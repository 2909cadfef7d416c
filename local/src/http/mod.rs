//! What all HTTP listeners of a stack have in common: no client may keep them waiting for ever.

pub(crate) mod browser;
pub(crate) mod head;
pub(crate) mod page;
pub mod peers;
pub(crate) mod refusal;
pub(crate) mod sockets;

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Sleep;

use self::sockets::{Place, Sockets};
use crate::budget::{Held, Share, Stage};

/// How long a client may take to send its first request's head.
pub(crate) const HEAD: Duration = Duration::from_secs(5);

/// How long a connection is kept that has no request.
pub(crate) const IDLE: Duration = Duration::from_secs(60);

/// How long a client may take to send a request's body.
pub(crate) const BODY: Duration = Duration::from_secs(30);

/// How long a client may take none of what is sent to it.
const UNREAD: Duration = Duration::from_secs(30);

/// How long a connection is kept whose place is needed, and that has got a request at that moment.
const LEAVING: Duration = Duration::from_secs(5);

/// The largest head that is waited for.
const HEAD_BYTES: usize = 32 * 1024;

/// How long a client may take for a head, and how long it may have no request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) head: Duration,
    pub(crate) idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: HEAD,
            idle: IDLE,
        }
    }
}

/// Accepts sockets, `most` at a time, and answers their requests until the future is dropped, which closes all of them.
pub(crate) async fn accept<A>(
    listener: TcpListener,
    most: usize,
    patience: Patience,
    answer: impl Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
) where
    A: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let sockets = Sockets::new(most);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let Ok((socket, _)) = accepted else {
            // Too many open files: the next accept would fail at once as well.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (answer, place) = (answer.clone(), sockets.place().await);
        connections.spawn(async move { serve(socket, &place, patience, answer).await });
    }
}

/// Serves the requests of a socket that has sent nothing yet, if it is one of this user's programs.
async fn serve<A>(
    mut socket: TcpStream,
    place: &Place,
    patience: Patience,
    answer: impl Fn(Request<Incoming>) -> A,
) where
    A: Future<Output = Response<Full<Bytes>>>,
{
    // Without it an answer may wait 40 ms for an acknowledgement; failing to set it changes nothing else.
    let _slower = socket.set_nodelay(true);
    if peers::admit(&mut socket).await.is_err() {
        return;
    }
    let head = tokio::select! {
        head = tokio::time::timeout(patience.head, first_bytes(&mut socket)) => head,
        () = place.needed() => return,
    };
    if let Ok(Some(head)) = head {
        go_on(socket, head, place, patience.idle, answer).await;
    }
}

/// Serves the requests of a socket from which `read` was read already.
pub(crate) async fn go_on<A>(
    socket: TcpStream,
    read: Vec<u8>,
    place: &Place,
    idle: Duration,
    answer: impl Fn(Request<Incoming>) -> A,
) where
    A: Future<Output = Response<Full<Bytes>>>,
{
    let (reader, writer) = tokio::io::split(Patient::new(socket, UNREAD));
    let io = TokioIo::new(tokio::io::join(io::Cursor::new(read).chain(reader), writer));
    let service = service_fn(|request| {
        place.works();
        let answer = answer(request);
        async {
            let answer = answer.await;
            place.waits();
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    // The timeout of a head covers the wait between two requests too: an SDK keeps its connection for a while.
    let mut serving = pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(idle)
            .serve_connection(io, service)
    );
    tokio::select! {
        // The client closed its connection, which it may.
        _closed = serving.as_mut() => return,
        () = place.needed() => serving.as_mut().graceful_shutdown(),
    }
    // A request that has come at this very moment is answered; a client that does not read its answer is not waited for.
    let _closed = tokio::time::timeout(LEAVING, serving).await;
}

/// Reads until a request's head is complete; `None` when the client goes away before.
async fn first_bytes(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1024);
    let mut looked_at = 0;
    while bytes.len() < HEAD_BYTES && !has_empty_line(&bytes[looked_at..]) {
        looked_at = bytes.len().saturating_sub(3);
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(bytes)
}

/// Whether there is the empty line that ends a head. HTTP allows lines to end in a bare line feed.
fn has_empty_line(bytes: &[u8]) -> bool {
    let ends = |end: &[u8]| bytes.windows(end.len()).any(|window| window == end);
    ends(b"\r\n\r\n") || ends(b"\n\n")
}

/// Why there is no body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    /// It ended early.
    Broken,
    /// It did not arrive in time.
    TooSlow,
    /// Too much waits inside the stack already.
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
/// It is refused when there is no room, and never waits for some: what holds the room may wait for this very request.
pub(crate) async fn held_body(
    body: Incoming,
    limit: usize,
    share: &std::sync::Arc<Share>,
) -> Result<(Bytes, Held), BodyError> {
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

/// A socket whose other end must take something of what is sent to it now and then.
#[derive(Debug)]
pub(crate) struct Patient<S> {
    socket: S,
    patience: Duration,
    /// Runs while nothing can be written.
    unread: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(crate) fn new(socket: S, patience: Duration) -> Self {
        Self {
            socket,
            patience,
            unread: None,
        }
    }

    pub(crate) fn into_inner(self) -> S {
        self.socket
    }

    /// Passes on what a try to write has led to, or the error that the client takes nothing.
    fn judge<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.unread = None;
            return written;
        }
        let patience = self.patience;
        let unread = self
            .unread
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        unread
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
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

    #[test]
    fn a_head_ends_with_an_empty_line() {
        for (bytes, is_whole) in [
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", true),
            ("GET / HTTP/1.1\nHost: h\n\nbody", true),
            ("GET / HTTP/1.1\r\nHost: h\r\n", false),
            ("", false),
        ] {
            assert_eq!(has_empty_line(bytes.as_bytes()), is_whole, "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up_and_one_that_takes_a_little_is_not() {
        let (near, mut far) = tokio::io::duplex(16);
        let mut socket = Patient::new(near, Duration::from_millis(200));
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
