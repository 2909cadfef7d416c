//! Opens WebSocket connections, through a proxy where the environment names one.

use std::fmt::Debug;
use std::time::Duration;

use hyper::Uri;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::error::UrlError;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};
use tower_service::Service;

use super::environment::addresses;
use super::proxy::{Proxies, Proxy, ProxyFailure};
use super::trust::Trust;
use crate::engine::{TargetError, limits};

/// How long a proxy may take until it has connected to the target.
const TUNNELLING: Duration = Duration::from_secs(15);

/// What bytes travel over.
pub trait Stream: AsyncRead + AsyncWrite + Debug + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Debug + Send + Unpin> Stream for T {}

/// An open WebSocket connection.
pub type Socket = WebSocketStream<MaybeTlsStream<Box<dyn Stream>>>;

/// Why there is no connection.
#[derive(Debug)]
pub enum DialError {
    /// The environment asks for what cannot be done.
    Setup(TargetError),
    /// The way through the proxy.
    Proxy(ProxyFailure),
    /// The socket, TLS or the handshake.
    Socket(tungstenite::Error),
}

impl From<tungstenite::Error> for DialError {
    fn from(error: tungstenite::Error) -> Self {
        Self::Socket(error)
    }
}

/// Limits what waits to be written: a server that sends pings and reads no answer cannot fill the memory.
fn bounded() -> WebSocketConfig {
    WebSocketConfig::default().max_write_buffer_size(1024 * 1024)
}

/// Connects to the address of `request` and shakes hands, by TLS where it says `wss`.
///
/// Addresses of this machine are reached directly, whatever the environment says.
///
/// # Errors
/// [`DialError`]
pub(crate) async fn dial(request: Request) -> Result<Socket, DialError> {
    let uri = with_port(request.uri())?;
    let proxies = Proxies::from_environment().map_err(DialError::Setup);
    let proxies = match is_here(&uri) {
        true => None,
        false => Some(proxies?),
    };
    let is_tls = uri.scheme_str() == Some("wss");
    let connector = match is_tls {
        true => {
            let trust = Trust::from_environment().await.map_err(DialError::Setup)?;
            Connector::Rustls(trust.client())
        }
        false => Connector::Plain,
    };
    let stream: Box<dyn Stream> = match proxies.as_ref().and_then(|proxies| proxies.to(&uri)) {
        Some(proxy) => tunnelled(proxy, &uri).await?,
        None => {
            let (host, port) = (
                uri.host().unwrap_or_default(),
                uri.port_u16().unwrap_or(443),
            );
            let found = addresses(host, port).await;
            let stream = TcpStream::connect(&found.map_err(tungstenite::Error::Io)?[..])
                .await
                .map_err(tungstenite::Error::Io)?;
            stream.set_nodelay(true).map_err(tungstenite::Error::Io)?;
            Box::new(stream)
        }
    };
    let shaking = client_async_tls_with_config(request, stream, Some(bounded()), Some(connector));
    Ok(shaking.await?.0)
}

/// Whether no environment decides how it is reached.
fn is_here(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// The address with the port that its scheme means.
fn with_port(uri: &Uri) -> Result<Uri, tungstenite::Error> {
    let port = match (uri.port_u16(), uri.scheme_str()) {
        (Some(port), _) => port,
        (None, Some("wss")) => 443,
        (None, Some("ws")) => 80,
        _ => return Err(UrlError::UnsupportedUrlScheme.into()),
    };
    let host = uri
        .host()
        .filter(|host| !host.is_empty())
        .ok_or(UrlError::NoHostName)?;
    let scheme = uri.scheme_str().unwrap_or_default();
    let whole = format!("{scheme}://{host}:{port}/");
    whole
        .parse()
        .map_err(|_| UrlError::UnableToConnect(host.to_owned()).into())
}

/// A connection to `uri` that `proxy` passes on.
async fn tunnelled(proxy: &Proxy, uri: &Uri) -> Result<Box<dyn Stream>, DialError> {
    let tunnelling = tunnelled_within(proxy, uri, limits::scaled(TUNNELLING));
    tunnelling.await.map_err(DialError::Proxy)
}

pub(super) async fn tunnelled_within(
    proxy: &Proxy,
    uri: &Uri,
    timeout: Duration,
) -> Result<Box<dyn Stream>, ProxyFailure> {
    let target = uri.authority().map_or("", |authority| authority.as_str());
    match tokio::time::timeout(timeout, tunnel(proxy, uri)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(ProxyFailure::from_error(proxy, target, &*error)),
        Err(_elapsed) => {
            let why = format!("did not connect to {target} within {timeout:?}");
            Err(ProxyFailure::new(proxy, why))
        }
    }
}

async fn tunnel(proxy: &Proxy, uri: &Uri) -> Result<Box<dyn Stream>, Box<dyn std::error::Error>> {
    let found = Matcher::builder()
        .all(proxy.secret_url())
        .build()
        .intercept(&Uri::from_static("https://target/"))
        .ok_or("its address makes no sense")?;
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    if found.uri().scheme_str() == Some("https") {
        let trust = Trust::from_environment().await?;
        let tls = HttpsConnectorBuilder::new()
            .with_tls_config(std::sync::Arc::unwrap_or_clone(trust.client()))
            .https_only()
            .enable_http1()
            .wrap_connector(tcp);
        let mut tunnel = Tunnel::new(found.uri().clone(), tls);
        if let Some(login) = found.basic_auth() {
            tunnel = tunnel.with_auth(login.clone());
        }
        return Ok(Box::new(TokioIo::new(tunnel.call(uri.clone()).await?)));
    }
    let mut tunnel = Tunnel::new(found.uri().clone(), tcp);
    if let Some(login) = found.basic_auth() {
        tunnel = tunnel.with_auth(login.clone());
    }
    Ok(Box::new(tunnel.call(uri.clone()).await?.into_inner()))
}
