//! Servers for the benchmarks.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
#[error("could not start {what}")]
pub(crate) struct ServerError {
    what: &'static str,
    source: std::io::Error,
}

/// A server on its own thread, like a separate program. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start<F: Future<Output = ()>>(
        what: &'static str,
        serve: impl FnOnce(TcpListener) -> F + Send + 'static,
    ) -> Result<Self, ServerError> {
        let failed = |source| ServerError { what, source };
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener)
                    .expect("a listener that does not block belongs to any runtime");
                tokio::select! {
                    () = serve(listener) => {}
                    // A message or a dropped sender both mean the end.
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name(what.to_owned()).spawn(run);
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread.map_err(failed)?),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was already printed on standard error.
            let _panicked = thread.join();
        }
    }
}
