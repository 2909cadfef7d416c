//! Proves that a deployed chat answers: two clients exchange a message both ways through every route.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use hyper::StatusCode;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::config::route::{Purpose, Route};

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

/// Exchanges one message in each direction through each of `routes` at `url` that leads back to people.
///
/// The answer is one line for the reader: how long each direction took, and which routes were not tried, because only
/// their owner knows what they do. The two clients have random names and a room of their own, so that they meet nobody.
///
/// # Errors
/// [`ProbeError`], after `patience` at the latest, counted from the first attempt to connect.
pub(crate) async fn probe(
    url: &str,
    routes: &[Route],
    patience: Duration,
) -> Result<String, ProbeError> {
    let nonce = nonce();
    let deadline = Instant::now() + patience;
    let anything_may_pass = |_: &tungstenite::Error| false;
    let [a, b] = [("a", "b"), ("b", "a")].map(|(own, friend)| Client::new(&nonce, own, friend));
    let mut first = connect(url, &a, deadline, anything_may_pass).await?;
    let mut second = connect(url, &b, deadline, anything_may_pass).await?;
    let mut slowest = Duration::ZERO;
    let mut tried = 0;
    for route in routes {
        let Some(trial) = Trial::of(route, &nonce) else {
            continue;
        };
        slowest = slowest.max(trial.run(&mut first, &mut second, deadline).await?);
        slowest = slowest.max(trial.run(&mut second, &mut first, deadline).await?);
        tried += 1;
    }
    for socket in [&mut first, &mut second] {
        // The answer is known; how the goodbye goes changes nothing.
        drop(socket.close(None).await);
    }
    let told = match tried {
        0 => "accepts connections".to_owned(),
        1 => "1 route answers both ways".to_owned(),
        many => format!("{many} routes answer both ways"),
    };
    let slowest = match tried {
        0 => String::new(),
        _ => format!(", slowest {:.1} ms", slowest.as_secs_f64() * 1e3),
    };
    Ok(format!("{told}{slowest}{}", untried(routes, &nonce)))
}

/// Asks the gateway at `url` whether it is there, where a backend of the user's decides who may connect.
///
/// That backend may not run yet, or not want the likes of us: its refusal proves the gateway as well as its consent.
///
/// # Errors
/// [`ProbeError::Connect`]: nobody answers, or after `patience` still nobody but a stage that is not there yet.
pub(crate) async fn probe_gateway(
    url: &str,
    routes: &[Route],
    patience: Duration,
) -> Result<String, ProbeError> {
    let nonce = nonce();
    let client = Client::new(&nonce, "a", "b");
    let told = match connect(url, &client, Instant::now() + patience, is_backends).await {
        Ok(mut socket) => {
            drop(socket.close(None).await);
            "the backend accepts connections".to_owned()
        }
        Err(ProbeError::Connect { source, .. }) if is_backends(&source) => {
            format!(
                "the gateway answers; the backend refuses connections or does not run ({source})"
            )
        }
        Err(error) => return Err(error),
    };
    Ok(format!("{told}{}", untried(routes, &nonce)))
}

/// Whether it is an answer that comes from, or because of, a backend, and not from a stage that is not there yet.
fn is_backends(error: &tungstenite::Error) -> bool {
    matches!(error, tungstenite::Error::Http(answer) if answer.status() != StatusCode::FORBIDDEN)
}

fn nonce() -> String {
    let mut nonce = [0u8; 6];
    getrandom::fill(&mut nonce).expect("the operating system has random bytes");
    nonce.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The routes that no message was sent through, for the reader.
fn untried(routes: &[Route], nonce: &str) -> String {
    let keys: Vec<_> = routes
        .iter()
        .filter(|route| Trial::of(route, nonce).is_none())
        .map(|route| format!("`{}`", route.key))
        .collect();
    match keys.len() {
        0 => String::new(),
        _ => format!("; not tried: {}", keys.join(", ")),
    }
}

/// What one of the probe's clients says about itself.
struct Client {
    headers: [(&'static str, String); 3],
}

impl Client {
    fn new(nonce: &str, own: &str, friend: &str) -> Self {
        Self {
            headers: [
                ("msgfrom", format!("probe-{nonce}-{own}")),
                ("msgto", format!("probe-{nonce}-{friend}")),
                ("msgroom", format!("probe-{nonce}")),
            ],
        }
    }
}

/// One message through one route.
struct Trial {
    key: String,
    frame: String,
    /// What arrives.
    text: String,
    echoes: bool,
}

impl Trial {
    /// `None` for routes that only their owner knows, and for those that take no text as long as a probe's.
    fn of(route: &Route, nonce: &str) -> Option<Self> {
        let (rule, echoes) = match &route.purpose {
            Purpose::Friend(rule) => (rule, false),
            Purpose::Room {
                include_sender,
                rule,
            } => (rule, *include_sender),
            Purpose::Http { .. } | Purpose::Handler(_) => return None,
        };
        let mut object = serde_json::Map::new();
        if route.key.as_ref() != "$default" {
            object.insert("action".into(), route.key.as_ref().into());
        }
        let most = usize::try_from(rule.most).unwrap_or(usize::MAX);
        let plain: String = format!("chatctl probe {nonce}")
            .chars()
            .take(most)
            .collect();
        let (frame, text) = match &rule.member {
            Some(member) => {
                object.insert(member.as_ref().into(), plain.as_str().into());
                (serde_json::Value::from(object).to_string(), plain)
            }
            None if object.is_empty() => (plain.clone(), plain),
            None => {
                object.insert("probe".into(), nonce.into());
                let frame = serde_json::Value::from(object).to_string();
                (frame.clone(), frame)
            }
        };
        (text.len() <= most).then(|| Self {
            key: route.key.to_string(),
            frame,
            text,
            echoes,
        })
    }

    /// Sends it from `from`; answers how long it took to reach `to`.
    async fn run(
        &self,
        from: &mut Socket,
        to: &mut Socket,
        deadline: Instant,
    ) -> Result<Duration, ProbeError> {
        let started = Instant::now();
        let frame = Message::text(self.frame.as_str());
        from.send(frame)
            .await
            .map_err(|source| self.broken(source))?;
        self.arrives(to, started, deadline).await?;
        let took = started.elapsed();
        if self.echoes {
            self.arrives(from, started, deadline).await?;
        }
        Ok(took)
    }

    async fn arrives(
        &self,
        at: &mut Socket,
        started: Instant,
        deadline: Instant,
    ) -> Result<(), ProbeError> {
        let received = tokio::time::timeout_at(deadline.into(), at.next())
            .await
            .map_err(|_elapsed| ProbeError::Silent {
                route: self.key.clone(),
                patience: started.elapsed(),
            })?
            .unwrap_or(Err(tungstenite::Error::ConnectionClosed))
            .map_err(|source| self.broken(source))?;
        if received
            .to_text()
            .is_ok_and(|received| received == self.text)
        {
            return Ok(());
        }
        Err(ProbeError::Different {
            route: self.key.clone(),
            sent: self.text.clone(),
            received: received.to_string(),
        })
    }

    fn broken(&self, source: tungstenite::Error) -> ProbeError {
        ProbeError::Broken {
            route: self.key.clone(),
            source: Box::new(source),
        }
    }
}

/// Connects, again and again until `deadline`: a stage that was just deployed may still answer 403.
///
/// An error that `is_final` ends the waiting.
async fn connect(
    url: &str,
    client: &Client,
    deadline: Instant,
    is_final: impl Fn(&tungstenite::Error) -> bool,
) -> Result<Socket, ProbeError> {
    let mut pause = Duration::from_millis(50);
    loop {
        let error = match attempt(url, client).await {
            Ok(socket) => return Ok(socket),
            Err(error) => error,
        };
        if is_final(&error) || Instant::now() + pause >= deadline {
            return Err(ProbeError::Connect {
                url: url.to_owned(),
                source: Box::new(error),
            });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

async fn attempt(url: &str, client: &Client) -> Result<Socket, tungstenite::Error> {
    // The one cryptography that is built in; that somebody has chosen it already is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut request = url.into_client_request()?;
    for (name, value) in &client.headers {
        let value = value.parse().expect("a probe's name is a header value");
        request.headers_mut().insert(*name, value);
    }
    Ok(
        tokio_tungstenite::connect_async_with_config(request, None, true)
            .await?
            .0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::route::TextRule;

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

    fn route(key: &str, purpose: Purpose) -> Route {
        let key = key.parse().unwrap();
        Route { key, purpose }
    }

    fn friend() -> Purpose {
        Purpose::Friend(TextRule::of_friend())
    }

    fn routes() -> Vec<Route> {
        vec![route("$default", friend()), route("send", friend())]
    }

    #[test]
    fn every_kind_of_route_is_tried_with_a_frame_that_it_takes_or_not_at_all() {
        let rule = |member: Option<&str>, most| TextRule {
            member: member.map(|member| member.parse().unwrap()),
            most,
        };
        let room = |rule| Purpose::Room {
            include_sender: true,
            rule,
        };
        let tried = |key: &str, purpose| {
            let trial = Trial::of(&route(key, purpose), "00ff");
            trial.map(|trial| (trial.frame, trial.text, trial.echoes))
        };
        let plain = || "chatctl probe 00ff".to_owned();
        assert_eq!(tried("$default", friend()), Some((plain(), plain(), false)));
        let frame = r#"{"action":"say","message":"chatctl probe 00ff"}"#.to_owned();
        assert_eq!(
            tried("say", room(rule(Some("message"), 100))),
            Some((frame, plain(), true))
        );
        let frame = r#"{"data":"cha"}"#.to_owned();
        assert_eq!(
            tried("$default", Purpose::Friend(rule(Some("data"), 3))),
            Some((frame, "cha".into(), false))
        );
        assert_eq!(tried("say", room(rule(None, 9))), None);
        let url = "http://127.0.0.1:3000/".to_owned().try_into().unwrap();
        assert_eq!(tried("say", Purpose::Http { url, text: None }), None);
    }

    #[tokio::test]
    async fn a_backend_that_refuses_has_still_been_reached() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move {
            // A stage that is not there yet comes first.
            for status in ["403 Forbidden", "500 Internal Server Error"] {
                let (mut stream, _) = listener.accept().await.unwrap();
                assert!(stream.read(&mut [0; 4_096]).await.unwrap() > 0);
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let http = Purpose::Http {
            url: "http://127.0.0.1:3000/".to_owned().try_into().unwrap(),
            text: None,
        };
        let answer = probe_gateway(&url, &[route("send", http)], PATIENCE).await;
        assert_eq!(
            answer.unwrap(),
            "the gateway answers; the backend refuses connections or does not run (HTTP error: 500 Internal Server Error); \
             not tried: `send`"
        );
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
        let client = Client::new("1", "a", "b");
        let (first_byte, outcome) = tokio::join!(greeting, attempt(&url, &client));
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
