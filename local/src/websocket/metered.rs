//! A connection's socket, which counts the bytes that have arrived and were not processed yet.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::budget::{ALWAYS, Reservation, Share, Stage};
use crate::http::WriteTimeout;
use crate::options::Limits;

/// The interval at which a paused read is retried.
const RETRY: Duration = Duration::from_millis(50);

/// The number of reads after which other connections have their turn, even if there is more to read.
const READS_IN_A_TURN: usize = 4;

/// The largest ratio of a message's size on the wire to its own. Only frames without content exceed it.
const OVERHEAD: usize = 8;

/// The head of a client's control frame, mask included.
const FRAME_HEAD: usize = 6;

/// The arrived part of an incomplete message.
#[derive(Debug)]
pub(super) struct Arriving {
    share: Arc<Share>,
    /// Counts towards the budget.
    held: AtomicUsize,
    /// Bytes on the wire.
    raw: AtomicUsize,
    most: usize,
}

/// The socket. Reading pauses while the budget has no room. It fails if a message takes too long while room is scarce,
/// if the client reads nothing, or if the frames without content exceed their limit.
#[derive(Debug)]
pub(super) struct Metered {
    socket: WriteTimeout<TcpStream>,
    arriving: Arc<Arriving>,
    timeout: Duration,
    /// When the incomplete message began to arrive.
    began: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    reads: usize,
}

impl Arriving {
    pub(super) fn new(share: Arc<Share>, limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            share,
            held: AtomicUsize::new(0),
            raw: AtomicUsize::new(0),
            // The buffer contains the message's last frame besides the message.
            most: limits.message_bytes + limits.frame_bytes,
        })
    }

    /// A message of `bytes` is complete; the returned value holds it from now on.
    pub(super) fn message(&self, bytes: usize) -> Reservation {
        self.raw.store(0, Ordering::Relaxed);
        self.give_back(usize::MAX);
        self.share.take_anyway(bytes)
    }

    /// A control frame with `bytes` of content has arrived, possibly between two frames of a message.
    pub(super) fn control_frame(&self, bytes: usize) {
        let less = |raw: usize| Some(raw.saturating_sub(bytes + FRAME_HEAD));
        let _always = self
            .raw
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        self.give_back(bytes + FRAME_HEAD);
    }

    fn add(&self, bytes: usize) {
        self.raw.fetch_add(bytes, Ordering::Relaxed);
        let room = self.most.saturating_sub(self.held.load(Ordering::Relaxed));
        let more = bytes.min(room);
        self.held.fetch_add(more, Ordering::Relaxed);
        self.share.grow(more);
    }

    fn give_back(&self, bytes: usize) {
        let held = self.held.load(Ordering::Relaxed);
        let less = bytes.min(held);
        self.held.fetch_sub(less, Ordering::Relaxed);
        self.share.shrink(less);
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.give_back(usize::MAX);
    }
}

impl Metered {
    pub(super) fn new(socket: TcpStream, arriving: Arc<Arriving>, limits: &Limits) -> Self {
        Self {
            socket: WriteTimeout::new(socket, limits.slow_client_timeout),
            arriving,
            timeout: limits.slow_client_timeout,
            began: None,
            timer: None,
            reads: 0,
        }
    }

    pub(super) fn into_inner(self) -> TcpStream {
        self.socket.into_inner()
    }

    /// Wakes `context` after `wait`.
    fn wake_after(&mut self, wait: Duration, context: &mut Context<'_>) {
        let moment = Instant::now() + wait;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(moment)));
        timer.as_mut().reset(moment);
        if timer.as_mut().poll(context).is_ready() {
            context.waker().wake_by_ref();
        }
    }

    /// Whether a message has been arriving for too long while there is little room.
    fn is_overdue(&self) -> bool {
        let arriving = self.arriving.held.load(Ordering::Relaxed);
        arriving > ALWAYS
            && self.arriving.share.budget().is_tight()
            && self
                .began
                .is_some_and(|began| began.elapsed() > self.timeout)
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.reads >= READS_IN_A_TURN {
            self.reads = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let arriving = self.arriving.held.load(Ordering::Relaxed);
        let stage = if arriving == 0 {
            self.began = None;
            Stage::Begin
        } else {
            Stage::Continue
        };
        if self.is_overdue() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if !self.arriving.share.admits(1, stage) {
            self.reads = 0;
            self.wake_after(RETRY, context);
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        let bytes = buffer.filled().len() - before;
        if read.is_pending() {
            self.reads = 0;
            if arriving > ALWAYS {
                let wait = self.timeout / 4;
                self.wake_after(wait, context);
            }
            return Poll::Pending;
        }
        self.reads += 1;
        self.arriving.add(bytes);
        self.began.get_or_insert_with(Instant::now);
        if self.arriving.raw.load(Ordering::Relaxed) > OVERHEAD * self.arriving.most {
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        }
        read
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
