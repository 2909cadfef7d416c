//! The web client as chatctl-local serves it: from a local stack's gateway, or alone, for a stack elsewhere.

mod renewal;

use std::sync::Arc;

use chatctl_local::Page;
use tokio::net::TcpListener;

pub use renewal::{PATH, Renewal};

use crate::engine::{ErrorKind, TargetError};
use crate::stack::page::{html, policy};

/// The web client with `settings` inserted.
pub(super) fn filled_in(settings: &serde_json::Value) -> Page {
    Page::new(html(settings), &policy())
}

/// The web client on a port of its own, served while [`Served::forever`] is awaited.
#[derive(Debug)]
pub struct Served {
    listener: TcpListener,
    page: Page,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

/// Listens on `port` of 127.0.0.1, 0 for any free one.
///
/// # Errors
/// The port is taken.
pub async fn listen(settings: &serde_json::Value, port: u16) -> Result<Served, TargetError> {
    let failed = |source: std::io::Error| TargetError {
        source: Some(Box::new(source)),
        ..TargetError::new(
            ErrorKind::Failed,
            format!("could not listen on port {port} of 127.0.0.1"),
        )
        .with_hint("set another one with `--port`, or omit it to get any free one")
    };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    Ok(Served {
        listener,
        page: filled_in(settings),
        port,
    })
}

impl Served {
    /// Serves browsers until the future is dropped.
    pub async fn forever(self) {
        self.page.serve(self.listener).await;
    }

    /// [`Served::forever`], with new tokens for the page by `renewal`.
    pub async fn forever_with(self, renewal: Renewal) {
        let port = self.port;
        let other = move |request: &chatctl_local::PageRequest<'_>| renewal.response(request, port);
        self.page.serve_with(self.listener, Arc::new(other)).await;
    }
}
