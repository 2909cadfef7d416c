//! The client, servers and waiting, for tests that are no tasks.

use std::error::Error;
use std::future::Future;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use tokio::runtime::{Builder, Runtime};
use tokio_tungstenite::tungstenite::{self, Message};

use crate::http::Server;
use crate::until::{PAUSE, TIMEOUT, within};

/// Serves the sockets of all tests of a program.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all();
    builder.build().expect("a runtime can be made")
});

/// [`crate::Client`], blocking. Its methods panic where a test has failed.
///
/// Between two calls nothing is read and no ping is answered.
#[derive(Debug)]
pub struct Client(crate::Client);

impl Client {
    /// Connects to `ws://HOST:PORT/…` with these headers in the handshake.
    ///
    /// # Errors
    /// As of [`crate::Client::open`].
    pub fn open<'name, 'value>(
        url: &str,
        headers: impl IntoIterator<Item = (&'name str, &'value str)>,
    ) -> Result<Self, tungstenite::Error> {
        let client = RUNTIME.block_on(within(crate::Client::open(url, headers)));
        client.map(Self)
    }

    /// Sends one text message.
    pub fn send(&mut self, text: &str) {
        RUNTIME.block_on(self.0.send(text));
    }

    /// The same in frames of `bytes`, which may cut characters in two.
    pub fn send_in_frames(&mut self, text: &str, bytes: usize) {
        RUNTIME.block_on(self.0.send_in_frames(text, bytes));
    }

    /// The next text; frames of other kinds are passed over.
    pub fn receive(&mut self) -> String {
        let text = RUNTIME.block_on(within(self.0.next_text()));
        text.unwrap().to_string()
    }

    /// The next text; where the connection ends first, the code of its close frame, or 1005 without one.
    ///
    /// # Errors
    /// That code.
    pub fn receive_or_close_code(&mut self) -> Result<String, u16> {
        loop {
            let frame = RUNTIME.block_on(within(self.0.next_frame()));
            match frame.expect("a frame comes") {
                Message::Text(text) => return Ok(text.to_string()),
                Message::Close(frame) => return Err(frame.map_or(1005, |it| it.code.into())),
                _ => {}
            }
        }
    }

    /// The code of the frame that closes the connection, whatever comes before it.
    pub fn close_code(&mut self) -> u16 {
        loop {
            let frame = RUNTIME.block_on(within(self.0.next_frame()));
            if let Message::Close(Some(frame)) = frame.expect("a close frame comes") {
                return frame.code.into();
            }
        }
    }

    /// Closes the connection and waits until the gateway has closed it, too.
    pub fn close(mut self) {
        RUNTIME.block_on(within(self.0.end())).unwrap();
    }
}

/// An HTTP server, as [`crate::http::serve`] describes.
pub fn server<F, E>(
    answer: impl Fn(Request<Incoming>, usize) -> F + Clone + Send + 'static,
) -> Server
where
    F: Future<Output = Result<Response<Full<Bytes>>, E>> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    RUNTIME.block_on(Server::start(answer))
}

/// Waits until `condition` holds.
///
/// # Panics
/// It does not hold within [`TIMEOUT`].
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let held = try_until(TIMEOUT, || condition().then_some(()).ok_or(()));
    assert!(held.is_ok(), "it did not happen within {TIMEOUT:?}: {what}");
}

/// Tries again and again until an attempt succeeds.
///
/// # Errors
/// The last attempt's, where none succeeds within `limit`.
pub fn try_until<T, E>(limit: Duration, mut attempt: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let deadline = Instant::now() + limit;
    loop {
        match attempt() {
            Err(_) if Instant::now() < deadline => std::thread::park_timeout(PAUSE),
            last => return last,
        }
    }
}
