//! Connections to services: kept, lost, encrypted, and what comes through them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chat_lambdas::aws::{Clients, DynamoStore, HttpDocuments, LambdaDispatch};
use chat_lambdas::dispatch::DispatchError;
use chat_lambdas::environment::{FunctionAddress, TableAddress};
use chat_lambdas::history::{Conversation, History as _, Order, Section, Ulid};
use chat_lambdas::issuer::Documents as _;
use chat_lambdas::log::reasons;
use chat_lambdas::presence::Announcer as _;
use chat_lambdas::runtime::Trace;
use chat_lambdas::session::{ConnectionId, Name, Room, Session};
use chat_lambdas::store::{ConnectionStore as _, Presence, Read};
use futures_util::future::join_all;
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use testing::until::within;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::function::CREDENTIALS;
use crate::runtime::Function;
use crate::stub::{LONG, read_request};
use crate::table::{LocalTable, TABLE, identity};

fn store(endpoint: &str, trace: Trace) -> DynamoStore {
    let address = TableAddress {
        name: TABLE.to_owned(),
        endpoint: Some(endpoint.to_owned()),
    };
    Clients::new(identity(), trace, &[Some(endpoint)]).table(address, LONG)
}

fn dispatch(endpoint: &str) -> LambdaDispatch {
    let address = FunctionAddress {
        name: "f".to_owned(),
        endpoint: Some(endpoint.to_owned()),
    };
    Clients::new(identity(), Trace::default(), &[Some(endpoint)]).dispatch(address, LONG)
}

fn tom() -> Name {
    Name::parse("Tom").expect("a name")
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    (listener, format!("http://{address}"))
}

async fn respond(socket: &mut TcpStream, body: &str) {
    let length = body.len();
    let response = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
    let written = socket.write_all(response.as_bytes()).await;
    written.expect("the client reads");
}

/// A server that responds to everything with `body`, and tells of each connection.
async fn server(body: String) -> (String, mpsc::UnboundedReceiver<()>) {
    let (listener, endpoint) = listen().await;
    let (accepted, connections) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _finished = accepted.send(());
            let body = body.clone();
            tokio::spawn(async move {
                while read_request(&mut socket).await.is_some() {
                    respond(&mut socket, &body).await;
                }
            });
        }
    });
    (endpoint, connections)
}

#[tokio::test]
async fn requests_one_after_another_share_a_connection_and_those_at_once_keep_theirs() {
    let (endpoint, mut connections) = server("{}".to_owned()).await;
    let clients = Clients::new(identity(), Trace::default(), &[Some(&endpoint)]);
    let address = TableAddress {
        name: TABLE.to_owned(),
        endpoint: Some(endpoint.clone()),
    };
    // Several clients of one function, too.
    for _ in 0..3 {
        let store = clients.table(address.clone(), LONG);
        for _ in 0..50 {
            store.ban_of(&tom(), 0).await.expect("it is read");
        }
    }
    assert!(connections.try_recv().is_ok());
    assert!(connections.try_recv().is_err(), "one is enough");

    let (store, tom) = (clients.table(address, LONG), tom());
    for _ in 0..20 {
        let all = join_all((0..8).map(|_| store.ban_of(&tom, 0))).await;
        assert!(all.iter().all(Result::is_ok));
    }
    let more = std::iter::from_fn(|| connections.try_recv().ok()).count();
    // A connection that was begun for a request stays for the next one, when another was free sooner.
    assert!(more <= 8 + 7, "{more} for eight requests at a time");
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_costs_no_attempt() {
    let (listener, endpoint) = listen().await;
    let (closed, mut closes) = mpsc::unbounded_channel();
    let server = tokio::spawn(async move {
        for _ in 0..20 {
            let (mut socket, _) = listener.accept().await.expect("it listens");
            read_request(&mut socket).await.expect("a request");
            respond(&mut socket, "{}").await;
            // As in a pause of the function, the client notices the end, and closes its own side.
            socket.shutdown().await.expect("it is open");
            assert_eq!(socket.read(&mut [0]).await.expect("no reset"), 0);
            closed.send(()).expect("the test waits for it");
        }
    });
    // A client that tries nothing again.
    let documents = HttpDocuments::new(&endpoint);
    for number in 0..20 {
        let fetched = documents.fetch(&endpoint, 10).await;
        assert_eq!(fetched.expect("a response"), b"{}", "request {number}");
        within(closes.recv()).await.expect("it is closed");
    }
    server.await.expect("all were served");
}

#[tokio::test]
async fn a_request_that_was_refused_after_one_that_may_have_arrived_may_have_arrived() {
    let (listener, endpoint) = listen().await;
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("it listens");
        read_request(&mut socket).await.expect("a request");
        drop(listener);
    });
    let outcome = dispatch(&endpoint).summon(&Room::default()).await;
    server.await.expect("a request came");
    let Err(DispatchError::Unknown { source }) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(reasons(&*source).contains("refused"), "{source}");
}

#[tokio::test]
async fn a_page_of_a_megabyte_is_read_character_by_character() {
    let frame = |number: usize| format!("{number} \u{0}\u{1f}\"\\\u{1F600}é").repeat(220);
    let items = (0..320).map(|number| {
        let id = Ulid::from_parts(number, 7).to_string();
        let frame = frame(usize::try_from(number).expect("few"));
        json!({"sk": {"S": id}, "frame": {"S": frame}, "other": {"L": [{"BOOL": true}]}})
    });
    let page: Value = json!({"Items": items.collect::<Vec<_>>()});
    let page = page.to_string();
    assert!(page.len() > 1024 * 1024, "{}", page.len());
    let (endpoint, _connections) = server(page).await;
    let store = store(&endpoint, Trace::default());
    let section = Section {
        first: Ulid::from_parts(0, 0),
        last: Ulid::from_parts(1_000, 0),
        order: Order::OldestFirst,
        rows: 320,
    };
    let room = Conversation::Room(Room::default());
    let lines = store.read(&room, section, 0).await.expect("a page").lines;
    assert_eq!(lines.len(), 320);
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line.frame, frame(number));
    }
}

#[tokio::test]
async fn a_response_without_an_end_is_a_failure_and_is_not_asked_for_again() {
    let (listener, endpoint) = listen().await;
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("it listens");
        read_request(&mut socket).await.expect("a request");
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let mut next = socket.write_all(head.as_bytes()).await;
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
        let mut chunks = 0;
        while next.is_ok() {
            next = socket.write_all(chunk.as_bytes()).await;
            chunks += 1;
            assert!(chunks < 2_000, "the client reads without a limit");
        }
        listener
    });
    let store = store(&endpoint, Trace::default());
    let outcome = store.connections_of(&tom(), 0, Read::Eventual).await;
    let error = outcome.expect_err("no page");
    assert!(reasons(&error).contains("16777216 bytes"), "{error:?}");
    let listener = server.await.expect("it ends with the client");
    let another = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
    assert!(another.is_err(), "{another:?}");
}

#[tokio::test]
async fn a_trace_id_that_is_no_header_is_dropped_instead_of_the_request() {
    for (id, header) in [("Root=1", Some("Root=1")), ("a\nb", None), ("\u{0}", None)] {
        let (listener, endpoint) = listen().await;
        let request = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.expect("it listens");
            let request = read_request(&mut socket).await.expect("a request");
            respond(&mut socket, "{}").await;
            request
        });
        let trace = Trace::default();
        trace.set(Some(id.to_owned()));
        let found = store(&endpoint, trace).ban_of(&tom(), 0).await;
        assert_eq!(found.expect("it is read"), None);
        let request = request.await.expect("a request");
        let sent = request
            .lines()
            .find_map(|line| line.strip_prefix("x-amzn-trace-id: "));
        assert_eq!(sent, header, "{request}");
    }
}

const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws/certificates");

/// What a server with a certificate for `localhost` has seen.
struct Encrypted {
    endpoint: String,
    connections: mpsc::UnboundedReceiver<()>,
    /// Methods and paths.
    requests: mpsc::UnboundedReceiver<String>,
}

/// A server that accepts every request, in HTTP/2 or in the only version that it has.
async fn encrypted(is_modern: bool) -> Encrypted {
    let chain = CertificateDer::from_pem_file(format!("{CERTIFICATES}/server.pem"));
    let key = PrivateKeyDer::from_pem_file(format!("{CERTIFICATES}/server.key"));
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_no_client_auth()
        .with_single_cert(vec![chain.expect("a certificate")], key.expect("its key"));
    let mut config = config.expect("they fit");
    if is_modern {
        config.alpn_protocols = vec![b"h2".to_vec()];
    }
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let (received, requests) = mpsc::unbounded_channel();
    let (accepted, connections) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(socket) = acceptor.accept(socket).await else {
                continue;
            };
            let _finished = accepted.send(());
            let received = received.clone();
            let accept = service_fn(move |request: Request<Incoming>| {
                let _finished =
                    received.send(format!("{} {}", request.method(), request.uri().path()));
                async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) }
            });
            let socket = TokioIo::new(socket);
            tokio::spawn(async move {
                // The client may leave at any time.
                let _left = match is_modern {
                    true => {
                        let http2 = http2::Builder::new(TokioExecutor::new());
                        http2.serve_connection(socket, accept).await
                    }
                    false => {
                        let http1 = http1::Builder::new();
                        http1.serve_connection(socket, accept).await
                    }
                };
            });
        }
    });
    Encrypted {
        endpoint: format!("https://localhost:{port}/v1"),
        connections,
        requests,
    }
}

/// Everything that has come so far.
fn so_far<T>(received: &mut mpsc::UnboundedReceiver<T>) -> Vec<T> {
    std::iter::from_fn(|| received.try_recv().ok()).collect()
}

fn message() -> String {
    let message = json!({
        "requestContext": {
            "eventType": "MESSAGE",
            "routeKey": "$default",
            "connectionId": "t=",
            "authorizer": {"principalId": "Tom", "name": "Tom", "friend": "Jerry"},
        },
        "body": "hi",
    });
    message.to_string()
}

/// The function for direct messages, which trusts the authorities in the file `trusted`.
async fn direct(table: &LocalTable, endpoint: &str, trusted: &str) -> Function {
    let mut variables = CREDENTIALS.to_vec();
    variables.extend([
        ("TABLE_NAME", TABLE),
        ("AWS_ENDPOINT_URL_DYNAMODB", table.endpoint.as_str()),
        ("CONNECTIONS_ENDPOINT", endpoint),
        ("SSL_CERT_FILE", trusted),
    ]);
    Function::start("direct", &variables).await
}

#[tokio::test]
async fn posts_are_encrypted_for_a_server_that_the_machine_trusts_and_for_no_other() {
    let table = LocalTable::start().await;
    let authority = format!("{CERTIFICATES}/authority.pem");
    // What any machine trusts is not what has signed the certificate.
    let other = format!("{CERTIFICATES}/../../../../cli/tests/it/certificates/authority.pem");
    for is_modern in [false, true] {
        let mut server = encrypted(is_modern).await;
        for (trusted, is_trusted) in [(&authority, true), (&other, false)] {
            let mut direct = direct(&table, &server.endpoint, trusted).await;
            // The second one goes over the connection of the first.
            for _ in 0..2 {
                direct.invoke(&message()).await;
            }
            let posts = so_far(&mut server.requests);
            let log = direct.stop();
            assert_eq!(posts.len(), if is_trusted { 2 } else { 0 }, "{log}");
            for post in &posts {
                assert_eq!(post, "POST /v1/@connections/t%3D");
            }
            let connections = so_far(&mut server.connections).len();
            assert_eq!(connections, usize::from(is_trusted), "{log}");
            let reason = "invalid peer certificate";
            assert_eq!(log.contains(reason), !is_trusted, "{log}");
        }
    }
}

#[tokio::test]
async fn posts_at_once_share_the_connection_to_a_server_that_speaks_http_2() {
    let table = LocalTable::start().await;
    let authority = format!("{CERTIFICATES}/authority.pem");
    for is_modern in [true, false] {
        let mut server = encrypted(is_modern).await;
        let mut direct = direct(&table, &server.endpoint, &authority).await;
        direct.invoke(&message()).await;
        let (first, connections) = (
            so_far(&mut server.requests),
            so_far(&mut server.connections),
        );
        assert_eq!((first.len(), connections.len()), (1, 1));
        for number in 0..8 {
            let session = Session {
                name: Some(Name::parse("Jerry").expect("a name")),
                friend: None,
                room: Room::default(),
            };
            let jerry = Presence {
                session,
                connection: ConnectionId::new(format!("j{number}=")),
                connected_at: now(),
            };
            table.store.remember(&jerry).await.expect("it is recorded");
        }
        direct.invoke(&message()).await;
        let (posts, more) = (
            so_far(&mut server.requests),
            so_far(&mut server.connections),
        );
        assert!(posts.len() >= 8, "{posts:?}");
        assert_eq!(more.is_empty(), is_modern, "{} more", more.len());
        direct.stop();
        for number in 0..8 {
            let name = Name::parse("Jerry").expect("a name");
            let id = ConnectionId::new(format!("j{number}="));
            table.store.forget(&name, &id).await.expect("it is removed");
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::UNIX_EPOCH.elapsed();
    since.expect("it is later").as_secs()
}
