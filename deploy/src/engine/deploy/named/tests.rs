//! Names that lead to the chat, elsewhere or nowhere, over sockets: the machine's names and variables are the test's.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use testing::ports::Closed;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::*;
use crate::engine::fake::Transcript;
use crate::engine::network::environment::stand_in::Machine;

/// Certificates for `*.eu-west-1.amazonaws.com`, and the authority behind them.
const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/it/certificates");

/// A name that the certificate is for, and one that it is not for.
const COVERED: &str = "chat.eu-west-1.amazonaws.com";
const OTHER: &str = "chat.example.com";

/// Long enough for one attempt on this machine.
const TIMEOUT: Duration = Duration::from_millis(1_500);

/// What a server does with its clients.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// What one of two clients says, the other gets.
    Chat,
    /// It refuses every handshake with this status.
    Refusing(u16),
    /// It opens connections and delivers nothing.
    Mute,
}

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

type Client = WebSocketStream<Box<dyn Socket>>;

/// A server with this machine's certificate, or without TLS.
async fn server(kind: Kind, tls: Option<TlsAcceptor>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut waiting: Option<Client> = None;
        let mut open = Vec::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream: Box<dyn Socket> = match &tls {
                None => Box::new(stream),
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => Box::new(stream),
                    // The client does not like the certificate.
                    Err(_) => continue,
                },
            };
            if let Kind::Refusing(status) = kind {
                let _ = stream.read(&mut [0; 4_096]).await;
                let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
                continue;
            }
            let Ok(client) = accept_async(stream).await else {
                continue;
            };
            match (kind, waiting.take()) {
                (Kind::Chat, None) => waiting = Some(client),
                (Kind::Chat, Some(first)) => drop(tokio::spawn(relay(first, client))),
                _ => open.push(client),
            }
        }
    });
    address
}

async fn relay(first: Client, second: Client) {
    let ((mut first_out, mut first_in), (mut second_out, mut second_in)) =
        (first.split(), second.split());
    let text = |message: &Result<Message, _>| matches!(message, Ok(message) if message.is_text());
    loop {
        tokio::select! {
            Some(message) = first_in.next() => if text(&message) {
                let _ = second_out.send(message.unwrap()).await;
            },
            Some(message) = second_in.next() => if text(&message) {
                let _ = first_out.send(message.unwrap()).await;
            },
            else => return,
        }
    }
}

fn tls() -> Option<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(format!("{CERTIFICATES}/server.pem"))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let key = PrivateKeyDer::from_pem_file(format!("{CERTIFICATES}/server.key")).unwrap();
    let cryptography = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(cryptography)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Some(Arc::new(config).into())
}

/// A proxy that leads every client to `target`, or answers with the status line `refusal`.
async fn proxy(target: Result<SocketAddr, &'static str>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                match target {
                    Ok(target) => {
                        let connecting = tokio::time::timeout(LOOKUP, TcpStream::connect(target));
                        let mut server = connecting.await.unwrap().unwrap();
                        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                    Err(status) => {
                        let answer = format!("HTTP/1.1 {status}\r\n\r\n");
                        client.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
            });
        }
    });
    address
}

/// This machine, with the authority that has signed the server's certificate.
fn machine() -> Machine {
    Machine::default().with("AWS_CA_BUNDLE", format!("{CERTIFICATES}/authority.pem"))
}

/// What came of a probe, and what was reported.
struct Probed {
    outcome: Result<bool, DeployError>,
    said: String,
}

impl Probed {
    #[track_caller]
    fn says(&self, outcome: bool, words: &[&str]) {
        assert_eq!(*self.outcome.as_ref().unwrap(), outcome, "{}", self.said);
        for words in words {
            assert!(self.said.contains(words), "{words}: {}", self.said);
        }
    }

    fn notices(&self) -> usize {
        self.said.matches("notice ").count()
    }
}

/// Probes the chat that is called `name` on `machine`, whose own address is `own`.
async fn probed(name: &str, closed: bool, machine: Machine, own: Option<SocketAddr>) -> Probed {
    let text = format!("[domain]\nname = \"{name}\"\ndisable-default-endpoint = {closed}\n");
    let settings = Settings::read(Path::new("x"), &text, "".into(), Default::default()).unwrap();
    let domain = settings.aws.domain.as_ref().unwrap();
    let mut transcript = Transcript::default();
    let named = NamedEndpoint {
        settings: &settings,
        credential: ProbeCredential::Claims,
        domain,
        url: &domain.url(),
        target: Some("d-1.execute-api.eu-west-1.amazonaws.com"),
    };
    let own = async || Ok(own.map(|own| format!("ws://{own}/v1")));
    let outcome = machine
        .runs(named.probe(own, TIMEOUT, &mut transcript))
        .await;
    Probed {
        outcome,
        said: transcript.lines,
    }
}

async fn chat() -> Option<SocketAddr> {
    Some(server(Kind::Chat, None).await)
}

#[tokio::test]
async fn a_name_that_leads_to_the_chat_is_all_that_is_tried() {
    let here = server(Kind::Chat, tls()).await;
    for closed in [false, true] {
        let machine = machine().resolving(COVERED, here);
        let probed = probed(COVERED, closed, machine, None).await;
        probed.says(true, &["1 route answers both ways"]);
        assert_eq!(probed.notices(), 0, "{}", probed.said);
    }
}

#[tokio::test]
async fn a_name_that_leads_nowhere_or_elsewhere_is_reported_and_the_own_address_is_tried() {
    let closed = Closed::new();
    let by_tls = server(Kind::Chat, tls()).await;
    let (old_site, old_chat) = (
        server(Kind::Refusing(404), tls()).await,
        server(Kind::Mute, tls()).await,
    );
    let without_tls = server(Kind::Chat, None).await;
    for (name, machine, why) in [
        (COVERED, machine(), "it cannot be resolved."),
        (
            COVERED,
            machine().resolving(COVERED, closed.address),
            "at 127.0.0.1 it takes no connection (IO error: Connection refused",
        ),
        // The certificate is for other names.
        (
            OTHER,
            machine().resolving(OTHER, by_tls),
            "at 127.0.0.1 it takes no connection (IO error: invalid peer certificate",
        ),
        // Its authority is not trusted.
        (
            COVERED,
            Machine::default()
                .with("AWS_CA_BUNDLE", format!("{CERTIFICATES}/server.pem"))
                .resolving(COVERED, by_tls),
            "it takes no connection (IO error: invalid peer certificate",
        ),
        (
            COVERED,
            machine().resolving(COVERED, without_tls),
            "at 127.0.0.1 it takes no connection (IO error: ",
        ),
        (
            COVERED,
            machine().resolving(COVERED, old_site),
            "at 127.0.0.1 something else answers (HTTP error: 404 Not Found)",
        ),
        (
            COVERED,
            machine().resolving(COVERED, old_chat),
            "at 127.0.0.1 something else answers (route `$default` did not deliver a message",
        ),
    ] {
        let own = chat().await;
        let probed = probed(name, false, machine, own).await;
        let lead = format!("notice {name} does not lead to the chat yet: ");
        let own = format!(
            "the chat was tried at ws://{}/v1, where it answers",
            own.unwrap()
        );
        let record = "Its record has to lead to d-1.execute-api.eu-west-1.amazonaws.com";
        probed.says(
            true,
            &[&lead, why, &own, record, "1 route answers both ways"],
        );
        assert_eq!(probed.notices(), 1, "{}", probed.said);
    }
}

#[tokio::test]
async fn a_chat_that_does_not_answer_at_its_own_address_either_is_a_failure() {
    let broken = server(Kind::Refusing(500), None).await;
    let probed = probed(COVERED, false, machine(), Some(broken)).await;
    let error = probed.outcome.unwrap_err();
    assert!(matches!(error, DeployError::Unproven(_)), "{error}");
    assert!(
        error.to_string().contains(&format!("ws://{broken}/v1")),
        "{error}"
    );
}

#[tokio::test]
async fn with_the_own_address_closed_only_a_server_that_answers_otherwise_is_a_failure() {
    let closed = Closed::new();
    let by_tls = server(Kind::Chat, tls()).await;
    for (name, machine) in [
        (COVERED, machine()),
        (COVERED, machine().resolving(COVERED, closed.address)),
        (OTHER, machine().resolving(OTHER, by_tls)),
    ] {
        // The chat would answer there, and must not be asked.
        let probed = probed(name, true, machine, chat().await).await;
        probed.says(
            false,
            &["was not tried, because API Gateway's own address is closed"],
        );
    }
    for kind in [Kind::Refusing(403), Kind::Mute] {
        let machine = machine().resolving(COVERED, server(kind, tls()).await);
        let probed = probed(COVERED, true, machine, chat().await).await;
        let Err(DeployError::Unproven(unproven)) = probed.outcome else {
            panic!("{kind:?}: {:?}", probed.outcome);
        };
        let known = unproven.known.unwrap();
        for words in [
            "may not lead to the chat yet: at 127.0.0.1 something else answers",
            "d-1.execute-api",
            "`disable-default-endpoint`",
        ] {
            assert!(known.contains(words), "{known}");
        }
    }
}

#[tokio::test]
async fn behind_a_proxy_the_name_need_not_be_known_here() {
    let by_tls = server(Kind::Chat, tls()).await;
    let through = |proxy: SocketAddr| machine().with("HTTPS_PROXY", format!("http://{proxy}"));
    let leading = through(proxy(Ok(by_tls)).await);
    let reached = probed(COVERED, false, leading, None).await;
    reached.says(true, &["1 route answers both ways"]);
    assert_eq!(reached.notices(), 0, "{}", reached.said);
    let own = chat().await;
    let refusing = through(proxy(Err("502 Bad Gateway")).await);
    let refused = probed(COVERED, false, refusing, own).await;
    refused.says(
        true,
        &[
            "it takes no connection (the proxy http://",
            "where it answers",
        ],
    );
    // What is wrong with the way is not the name's.
    let asking = through(proxy(Err("407 Proxy Authentication Required")).await);
    let error = probed(COVERED, false, asking, own)
        .await
        .outcome
        .unwrap_err();
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    let wrong = machine().with("HTTPS_PROXY", "socks5://p:1");
    let error = probed(COVERED, false, wrong, own)
        .await
        .outcome
        .unwrap_err();
    assert!(error.to_string().contains("HTTPS_PROXY"), "{error}");
}

#[tokio::test]
async fn the_system_s_resolver_finds_this_machine_and_no_reserved_name() {
    for (host, found) in [
        ("chat.invalid", Resolution::Nowhere),
        ("127.0.0.1", Resolution::To(vec!["127.0.0.1".into()])),
    ] {
        let url = format!("wss://{host}");
        // `.invalid` is reserved so that no resolver has it (RFC 6761).
        assert_eq!(resolve(&url, host).await.unwrap(), found, "{host}");
    }
}

#[test]
fn an_interruption_says_nothing_of_the_name() {
    assert_eq!(name_failure(&TargetError::interrupted().into()), None);
}
