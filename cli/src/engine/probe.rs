//! Proves that a deployed chat answers: two clients exchange a message both ways through every route.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::config::names::RouteKey;

/// Why the chat did not prove itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    #[error("{url} does not accept connections")]
    Connect {
        url: String,
        source: Box<tungstenite::Error>,
    },
    #[error("route `{route}` did not deliver a message within {patience:?}")]
    Silent { route: String, patience: Duration },
    #[error("route `{route}` delivered {received:?} instead of {sent:?}")]
    Different {
        route: String,
        sent: String,
        received: String,
    },
    #[error("the connection broke while route `{route}` was tried")]
    Broken {
        route: String,
        source: Box<tungstenite::Error>,
    },
}

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// Exchanges one message in each direction through each of `routes` at `url`.
///
/// The answer is one line for the reader: how long each direction took. The two clients have random names, so
/// that they meet nobody.
///
/// # Errors
/// [`ProbeError`], after `patience` at the latest, counted from the first attempt to connect.
pub(crate) async fn probe(
    url: &str,
    routes: &[RouteKey],
    patience: Duration,
) -> Result<String, ProbeError> {
    let mut nonce = [0u8; 6];
    getrandom::fill(&mut nonce).expect("the operating system has random bytes");
    let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
    let (a, b) = (format!("probe-{nonce}-a"), format!("probe-{nonce}-b"));
    let deadline = Instant::now() + patience;
    let mut first = connect(url, &a, &b, deadline).await?;
    let mut second = connect(url, &b, &a, deadline).await?;
    let mut slowest = Duration::ZERO;
    for route in routes {
        let text = match route.as_ref() {
            "$default" => format!("chatctl probe {nonce}"),
            key => serde_json::json!({"action": key, "probe": nonce}).to_string(),
        };
        slowest = slowest.max(exchange(route, &text, &mut first, &mut second, deadline).await?);
        slowest = slowest.max(exchange(route, &text, &mut second, &mut first, deadline).await?);
    }
    for socket in [&mut first, &mut second] {
        // The answer is known; how the goodbye goes changes nothing.
        drop(socket.close(None).await);
    }
    let plural = if routes.len() == 1 {
        "route answers"
    } else {
        "routes answer"
    };
    Ok(format!(
        "{} {plural} both ways, slowest {:.1} ms",
        routes.len(),
        slowest.as_secs_f64() * 1e3
    ))
}

/// Connects, again and again until `deadline`: a stage that was just deployed may still answer 403.
async fn connect(url: &str, from: &str, to: &str, deadline: Instant) -> Result<Socket, ProbeError> {
    let mut pause = Duration::from_millis(50);
    loop {
        let error = match attempt(url, from, to).await {
            Ok(socket) => return Ok(socket),
            Err(error) => error,
        };
        if Instant::now() + pause >= deadline {
            return Err(ProbeError::Connect {
                url: url.to_owned(),
                source: Box::new(error),
            });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

async fn attempt(url: &str, from: &str, to: &str) -> Result<Socket, tungstenite::Error> {
    // The one cryptography that is built in; that somebody has chosen it already is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut request = url.into_client_request()?;
    for (name, value) in [("msgfrom", from), ("msgto", to)] {
        let value = value.parse().expect("a probe's name is a header value");
        request.headers_mut().insert(name, value);
    }
    Ok(
        tokio_tungstenite::connect_async_with_config(request, None, true)
            .await?
            .0,
    )
}

async fn exchange(
    route: &RouteKey,
    text: &str,
    from: &mut Socket,
    to: &mut Socket,
    deadline: Instant,
) -> Result<Duration, ProbeError> {
    let route = route.to_string();
    let broken = |source| ProbeError::Broken {
        route: route.clone(),
        source: Box::new(source),
    };
    let started = Instant::now();
    from.send(Message::text(text)).await.map_err(broken)?;
    let received = tokio::time::timeout_at(deadline.into(), to.next())
        .await
        .map_err(|_elapsed| ProbeError::Silent {
            route: route.clone(),
            patience: started.elapsed(),
        })?
        .unwrap_or(Err(tungstenite::Error::ConnectionClosed))
        .map_err(broken)?;
    if received.to_text().is_ok_and(|received| received == text) {
        return Ok(started.elapsed());
    }
    Err(ProbeError::Different {
        route,
        sent: text.to_owned(),
        received: received.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// A gateway of two seats: what one sends, the other receives, changed by `change`.
    async fn two_seats(change: fn(String) -> String) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut seats = Vec::new();
            for _ in 0..2 {
                let (stream, _) = listener.accept().await.unwrap();
                seats.push(
                    tokio_tungstenite::accept_async(stream)
                        .await
                        .unwrap()
                        .split(),
                );
            }
            let (mut b_out, mut b_in) = seats.pop().unwrap();
            let (mut a_out, mut a_in) = seats.pop().unwrap();
            let pass = |text: Message| Message::text(change(text.to_string()));
            loop {
                tokio::select! {
                    Some(Ok(text)) = a_in.next() => b_out.send(pass(text)).await.unwrap(),
                    Some(Ok(text)) = b_in.next() => a_out.send(pass(text)).await.unwrap(),
                    else => return,
                }
            }
        });
        url
    }

    fn routes() -> Vec<RouteKey> {
        vec!["$default".parse().unwrap(), "send".parse().unwrap()]
    }

    #[tokio::test]
    async fn a_chat_that_delivers_both_ways_passes() {
        let url = two_seats(|text| text).await;
        let answer = probe(&url, &routes(), PATIENCE).await.unwrap();
        assert!(
            answer.starts_with("2 routes answer both ways, slowest "),
            "{answer}"
        );
    }

    #[tokio::test]
    async fn a_secure_url_is_spoken_to_in_tls() {
        use tokio::io::AsyncReadExt;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("wss://{}/v1", listener.local_addr().unwrap());
        let greeting = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_u8().await.unwrap()
        };
        let (first_byte, outcome) = tokio::join!(greeting, attempt(&url, "a", "b"));
        assert_eq!(first_byte, 22, "a TLS record of type handshake");
        assert!(outcome.is_err());
    }

    #[tokio::test]
    async fn a_chat_that_changes_the_text_does_not_pass() {
        let url = two_seats(|text| text.to_uppercase()).await;
        let error = probe(&url, &routes(), PATIENCE).await.unwrap_err();
        assert!(matches!(error, ProbeError::Different { .. }), "{error}");
    }
}
