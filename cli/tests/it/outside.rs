//! What lies between chatctl and AWS, and AWS itself, on loopback ports: a proxy, and a server with prepared answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use testing::command::chatctl;
use testing::ports::Closed;

use crate::project::Project;

/// The heads of the requests that came in, one after the other.
pub(crate) type Heads = Arc<Mutex<Vec<String>>>;

/// The certificate of the authority that [`aws_by_tls`] has its own from.
pub(crate) const AUTHORITY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/certificates/authority.pem"
);

/// Whose credentials they are, in the words of STS.
pub(crate) fn identity(partition: &str) -> String {
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:{partition}:iam::123456789012:user/ann</Arn><UserId>U</UserId><Account>123456789012</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
}

/// A refusal in the query protocol's words.
pub(crate) fn refusal(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
}

/// chatctl with `words`, as ann with a home in the project's folder and nothing else in its environment. Whatever
/// would leave this machine meets a closed port.
pub(crate) fn bare(project: &Project, words: &[&str]) -> Command {
    let mut command = testing::command::bare(&chatctl(), project.path());
    command
        .args(words)
        .env("CHATCTL_TIME_FACTOR", "0.01")
        .env("ALL_PROXY", format!("http://{}", closed()));
    command
}

/// The same with keys and a Region.
pub(crate) fn with_keys(project: &Project, words: &[&str]) -> Command {
    let mut command = bare(project, words);
    command
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", "test");
    command
}

/// A loopback address at which nothing listens.
pub(crate) fn closed() -> SocketAddr {
    static CLOSED: LazyLock<Closed> = LazyLock::new(Closed::new);
    CLOSED.address
}

/// Serves each connection with `serve` on a thread of its own.
fn served(serve: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = serve.clone();
            // A client that has gone is no failure.
            std::thread::spawn(move || drop(serve(stream.unwrap())));
        }
    });
    address
}

/// Head and body of a request.
fn request(stream: &mut impl BufRead) -> std::io::Result<(String, String)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let length = head.to_ascii_lowercase();
    let length = length
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.lines().next()?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((head, String::from_utf8_lossy(&body).into_owned()))
}

fn respond(stream: &mut impl Write, status: u16, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nx-amzn-requestid: 1\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// An AWS without TLS that answers requests by the action in their body.
pub(crate) fn aws(
    answer: impl Fn(&str) -> (u16, String) + Send + Sync + 'static,
) -> (SocketAddr, Heads) {
    let heads = Heads::default();
    let written = heads.clone();
    let address = served(move |stream| {
        let mut reader = BufReader::new(stream);
        let (head, body) = request(&mut reader)?;
        written.lock().unwrap().push(head);
        let (status, text) = answer(&body);
        respond(reader.get_mut(), status, &text)
    });
    (address, heads)
}

/// An AWS with TLS: ann's account without any stack, and a chat that echoes each message.
pub(crate) fn aws_by_tls() -> SocketAddr {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/certificates");
    let chain = CertificateDer::pem_file_iter(format!("{folder}/server.pem"))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let key = PrivateKeyDer::from_pem_file(format!("{folder}/server.key")).unwrap();
    let cryptography = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(cryptography)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    served(move |stream| {
        let tls = ServerConnection::new(config.clone()).map_err(std::io::Error::other)?;
        let mut stream = BufReader::new(StreamOwned::new(tls, stream));
        let is_chat = stream.fill_buf()?.starts_with(b"GET /v1");
        if is_chat {
            let Ok(mut chat) = tokio_tungstenite::tungstenite::accept(Buffered(stream)) else {
                return Ok(());
            };
            while let Ok(message) = chat.read() {
                if message.is_text() && chat.send(message).is_err() {
                    break;
                }
            }
            return Ok(());
        }
        let (_, body) = request(&mut stream)?;
        let (status, text) = without_stacks(&body);
        respond(stream.get_mut(), status, &text)?;
        stream.get_mut().flush()
    })
}

/// An account without stacks.
pub(crate) fn without_stacks(body: &str) -> (u16, String) {
    match body.contains("GetCallerIdentity") {
        true => (200, identity("aws")),
        false => (
            400,
            refusal("ValidationError", "Stack with id chat does not exist"),
        ),
    }
}

/// What has been looked at is not lost.
struct Buffered<T>(BufReader<T>);

impl<T: Read> Read for Buffered<T> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(into)
    }
}

impl<T: Write> Write for Buffered<T> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.get_mut().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.0.get_mut().flush()
    }
}

/// What a proxy does with a CONNECT.
#[derive(Clone, Copy)]
pub(crate) enum Proxying {
    /// Connects to this address, whatever it was asked for.
    To(SocketAddr),
    Refusing(&'static str),
    Silent,
}

pub(crate) fn proxy(how: Proxying) -> (SocketAddr, Heads) {
    let heads = Heads::default();
    let written = heads.clone();
    let address = served(move |stream| {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (head, _) = request(&mut reader)?;
        written.lock().unwrap().push(head);
        let mut stream = stream;
        match how {
            Proxying::Silent => {
                // Until the client has had enough.
                stream.read_exact(&mut [0])
            }
            Proxying::Refusing(line) => {
                write!(
                    stream,
                    "HTTP/1.1 {line}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                )
            }
            Proxying::To(target) => {
                write!(stream, "HTTP/1.1 200 Connection established\r\n\r\n")?;
                let target = TcpStream::connect(target)?;
                let (mut back, mut forth) = (target.try_clone()?, stream.try_clone()?);
                std::thread::spawn(move || {
                    drop(std::io::copy(&mut back, &mut forth));
                    drop(forth.shutdown(std::net::Shutdown::Both));
                });
                let mut target = target;
                drop(std::io::copy(&mut stream, &mut target));
                target.shutdown(std::net::Shutdown::Both)
            }
        }
    });
    (address, heads)
}

/// As long as a proxy that says nothing may be waited for, in the hurry that the tests are in.
pub(crate) const BOUNDED: Duration = Duration::from_secs(30);
