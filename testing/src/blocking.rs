//! The client, servers and waiting, for tests that are no tasks.

use std::error::Error;
use std::future::Future;
use std::sync::LazyLock;
use std::time::Instant;

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
    let deadline = Instant::now() + TIMEOUT;
    while !condition() {
        assert!(
            Instant::now() < deadline,
            "it did not happen within {TIMEOUT:?}: {what}"
        );
        std::thread::park_timeout(PAUSE);
    }
}
