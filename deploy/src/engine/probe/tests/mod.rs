//! The probe against gateways that do, and do not do, what they should.

mod custom;

use chat_protocol::{Receivers, Rule};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::config::route::Purpose;

const TIMEOUT: Duration = Duration::from_secs(60);

/// A gateway for two clients: what one sends, the other receives, changed by `change`.
pub(in crate::engine) async fn two_clients(change: fn(String) -> String) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut clients = Vec::new();
        for _ in 0..2 {
            let (stream, _) = listener.accept().await.unwrap();
            clients.push(
                tokio_tungstenite::accept_async(stream)
                    .await
                    .unwrap()
                    .split(),
            );
        }
        let (mut b_out, mut b_in) = clients.pop().unwrap();
        let (mut a_out, mut a_in) = clients.pop().unwrap();
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
    Route {
        key,
        purpose,
        review: None,
    }
}

fn friend() -> Purpose {
    Purpose::for_people(Receivers::Friend)
}

fn routes() -> Vec<Route> {
    vec![route("$default", friend()), route("send", friend())]
}

#[test]
fn every_kind_of_route_is_tried_with_a_frame_that_it_takes_or_not_at_all() {
    let rule = |text: Option<&str>, max_text_bytes, include_sender| Rule {
        text: text.map(ToOwned::to_owned),
        include_sender,
        max_text_bytes,
        envelope: false,
        history: None,
    };
    let people = |receivers, rule| Purpose::People { receivers, rule };
    let room = |text, most| people(Receivers::Room, rule(text, most, true));
    let tried = |key: &str, purpose| {
        let trial = Trial::for_route(&route(key, purpose), "00ff");
        trial.map(|trial| (trial.frame, trial.text, trial.echoes))
    };
    let plain = || "chatctl probe 00ff".to_owned();
    assert_eq!(tried("$default", friend()), Some((plain(), plain(), false)));
    let frame = r#"{"action":"say","message":"chatctl probe 00ff"}"#.to_owned();
    assert_eq!(
        tried("say", room(Some("message"), 100)),
        Some((frame, plain(), true))
    );
    let frame = r#"{"data":"cha"}"#.to_owned();
    assert_eq!(
        tried(
            "$default",
            people(Receivers::Friend, rule(Some("data"), 3, false))
        ),
        Some((frame, "cha".into(), false))
    );
    let enveloped = Rule {
        envelope: true,
        ..rule(None, 100, false)
    };
    let trial = Trial::for_route(
        &route("$default", people(Receivers::Friend, enveloped)),
        "00ff",
    )
    .unwrap();
    let posted = |text: &str| {
        format!(r#"{{"type":"message","id":"1","route":"x","text":"{text}","at":"x"}}"#)
    };
    assert!(trial.is_in(&posted(&plain())));
    assert!(!trial.is_in(&plain()) && !trial.is_in(&posted("other")));
    assert_eq!(tried("say", room(None, 9)), None);
    let mut reviewed = route("$default", friend());
    reviewed.review = Some(crate::config::route::Review {
        name: "filter".into(),
        binary: None,
        settings: Default::default(),
        folder: "filter".into(),
        grants: Vec::new(),
        fallback: chat_protocol::review::Fallback::Refuse,
        timeout_ms: 2_000,
    });
    assert!(Trial::for_route(&reviewed, "00ff").is_none());
    assert_eq!(tried("say", to_a_backend()), None);
}

fn to_a_backend() -> Purpose {
    Purpose::Http {
        backend: crate::config::route::Backend {
            url: "http://127.0.0.1:3000/".to_owned().try_into().unwrap(),
            secret: None,
        },
        text: None,
    }
}

fn plan(routes: &[Route], each: Duration) -> ProbePlan<'_> {
    ProbePlan {
        routes,
        max_per_second: None,
        each,
    }
}

/// Probes the routes at `url` as a client whose name nothing proves.
async fn probed(url: &str, timeout: Duration) -> Result<String, ProbeError> {
    probe(
        url,
        &Handshake::default(),
        ProbeCredential::Claims,
        &routes(),
        None,
        timeout,
    )
    .await
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
    let answer = probe_gateway(
        &url,
        &Handshake::default(),
        &[route("send", to_a_backend())],
        TIMEOUT,
    )
    .await;
    assert_eq!(
        answer.unwrap(),
        "the gateway answers; the backend refuses or does not run (500 Internal Server Error); \
         not tried: `send`"
    );
}

#[tokio::test]
async fn a_gateway_that_takes_connections_and_says_nothing_is_given_up_in_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/v1", listener.local_addr().unwrap());
    let timeout = Duration::from_millis(200);
    let error = probed(&url, timeout).await.unwrap_err();
    assert!(matches!(error, ProbeError::NoAnswer { .. }), "{error}");
    let error = probe_gateway(&url, &Handshake::default(), &[], timeout)
        .await
        .unwrap_err();
    let reported = "takes connections and did not answer the handshake within 0.2 s";
    assert!(error.to_string().contains(reported), "{error}");
}

/// A gateway that opens connections, and then reads nothing and answers nothing, not even a goodbye.
async fn opens_and_no_more() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            open.push(tokio_tungstenite::accept_async(stream).await.unwrap());
        }
    });
    url
}

#[tokio::test]
async fn a_gateway_that_goes_silent_keeps_the_probe_no_longer_than_its_timeout() {
    let url = opens_and_no_more().await;
    let (started, routes) = (Instant::now(), routes());
    let said = Handshake::default();
    let outcome = until_it_answers(
        &url,
        &said,
        ProbeCredential::Claims,
        plan(&routes, TIMEOUT),
        started + Duration::from_millis(300),
    );
    let error = outcome.await.unwrap_err();
    assert!(matches!(error, ProbeError::Silent { .. }), "{error}");
    // The goodbye of a gateway's probe is waited for once.
    probe_gateway(&url, &Handshake::default(), &[], TIMEOUT)
        .await
        .unwrap();
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_chat_that_delivers_both_ways_passes() {
    let url = two_clients(|text| text).await;
    let answer = probed(&url, TIMEOUT).await.unwrap();
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
    let client = address(&url, &Handshake::default(), "1", "a", "b");
    let (first_byte, outcome) = tokio::join!(greeting, client.dial());
    assert_eq!(first_byte, 22, "a TLS record of type handshake");
    assert!(outcome.is_err());
}

/// A gateway as it may be right after a deployment: of the first two it passes nothing on, the next two it answers
/// itself, and from then on every client gets each message.
async fn deployed_a_moment_ago() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for pair in 0.. {
            let mut clients = Vec::new();
            for _ in 0..2 {
                let (stream, _) = listener.accept().await.unwrap();
                let socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                clients.push(socket.split());
            }
            tokio::spawn(async move {
                let (mut b_out, mut b_in) = clients.pop().unwrap();
                let (mut a_out, mut a_in) = clients.pop().unwrap();
                loop {
                    let text = tokio::select! {
                        Some(Ok(text)) = a_in.next() => text.to_string(),
                        Some(Ok(text)) = b_in.next() => text.to_string(),
                        else => return,
                    };
                    let reported = match pair {
                        0 => continue,
                        1 => r#"{"message": "Forbidden", "connectionId":"x", "requestId":"y"}"#,
                        _ => &text,
                    };
                    // One of them may have left.
                    a_out.send(Message::text(reported)).await.ok();
                    b_out.send(Message::text(reported)).await.ok();
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn a_chat_that_was_deployed_a_moment_ago_is_given_time() {
    let url = deployed_a_moment_ago().await;
    let room = Purpose::People {
        receivers: Receivers::Room,
        rule: Rule {
            text: None,
            include_sender: true,
            max_text_bytes: 100,
            envelope: false,
            history: None,
        },
    };
    let (routes, each) = ([route("$default", room)], Duration::from_millis(300));
    let answer = until_it_answers(
        &url,
        &Handshake::default(),
        ProbeCredential::Claims,
        plan(&routes, each),
        Instant::now() + TIMEOUT,
    )
    .await
    .unwrap();
    assert!(answer.starts_with("1 route answers both ways"), "{answer}");
}

#[tokio::test]
async fn a_chat_that_stays_silent_does_not_pass() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut clients = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            clients.push(tokio_tungstenite::accept_async(stream).await.unwrap());
        }
    });
    let error = probe(
        &url,
        &Handshake::default(),
        ProbeCredential::Claims,
        &routes(),
        None,
        Duration::from_millis(500),
    )
    .await
    .unwrap_err();
    assert!(matches!(error, ProbeError::Silent { .. }), "{error}");
}

#[tokio::test]
async fn a_chat_that_changes_the_text_does_not_pass() {
    let url = two_clients(|text| text.to_uppercase()).await;
    let error = probed(&url, TIMEOUT).await.unwrap_err();
    assert!(matches!(error, ProbeError::Different { .. }), "{error}");
}

/// A gateway that answers each handshake with the next of `statuses`, and the last one over and over; 101 opens.
async fn answering(statuses: &'static [u16]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for place in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let status = statuses[place.min(statuses.len() - 1)];
            if status == 101 {
                drop(tokio_tungstenite::accept_async(stream).await);
                continue;
            }
            assert!(stream.read(&mut [0; 4_096]).await.unwrap() > 0);
            let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    url
}

#[tokio::test]
async fn a_chat_that_delivers_and_also_lets_strangers_in_does_not_pass() {
    let url = two_clients(|text| text).await;
    let mint = |name: &str| {
        assert!(name.starts_with("probe-"), "{name}");
        Ok(Token::parse("a.b.c").unwrap())
    };
    let (said, short) = (Handshake::default(), Duration::from_millis(200));
    let outcome = probe(
        &url,
        &said,
        ProbeCredential::Tokens(&mint),
        &routes(),
        None,
        short,
    )
    .await;
    // The third seat is never answered, which is as good as let in: not refused.
    outcome.unwrap_err();
}
