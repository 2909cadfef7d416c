//! Finds out which user of this machine a loopback connection belongs to.
//!
//! The listeners here are private to their user, but a port is open to all users. Linux reveals the owner of a
//! connection's socket in two ways: a query for exactly one connection (`NETLINK_SOCK_DIAG`, some ten microseconds
//! however many connections there are: <https://man7.org/linux/man-pages/man7/sock_diag.7.html>), or a list of all of
//! them (`/proc/net/tcp`: <https://docs.kernel.org/networking/proc_net_tcp.html>). Each connection is looked up once,
//! when it is accepted.
//!
//! Connections of this user, of root and of the user who called `sudo` are accepted. If neither query works, all are,
//! as on macOS, whose kernel reveals the owner of a TCP connection only to privileged programs.

#[cfg(target_os = "linux")]
mod linux;
mod owner;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use self::owner::Owner;
use crate::BoxFuture;

/// The message to another user's program.
const REFUSED: &str = r#"{"message":"Forbidden: this port is private to the user who runs the local stack, and this program runs as another user of the machine"}"#;

/// Why a connection is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// It belongs to another user. The refusal was sent.
    Stranger,
    /// Its client has closed it already, so its owner is unknown and no response is needed.
    Gone,
}

/// Accepts a connection if it belongs to a program that may use this user's local stack.
///
/// # Errors
/// [`Rejection`]; the caller then drops the connection.
pub fn admit(socket: &mut TcpStream) -> BoxFuture<'_, Result<(), Rejection>> {
    Box::pin(async move {
        let (Ok(peer), Ok(local)) = (socket.peer_addr(), socket.local_addr()) else {
            return Err(Rejection::Gone);
        };
        match owner(peer, local).await {
            Owner::User(user) if !is_ours(user) => {
                refuse(socket).await;
                Err(Rejection::Stranger)
            }
            Owner::Gone => Err(Rejection::Gone),
            Owner::User(_) | Owner::Unknown => Ok(()),
        }
    })
}

#[cfg(target_os = "linux")]
async fn owner(peer: SocketAddr, local: SocketAddr) -> Owner {
    linux::owner(peer, local).await
}

#[cfg(not(target_os = "linux"))]
async fn owner(_: SocketAddr, _: SocketAddr) -> Owner {
    Owner::Unknown
}

fn is_ours(user: u32) -> bool {
    let own = rustix::process::geteuid();
    let sudo = || std::env::var("SUDO_UID").ok()?.parse().ok();
    user == 0 || user == own.as_raw() || (own.is_root() && sudo() == Some(user))
}

/// All listeners here speak HTTP, so the refusal is an HTTP response.
async fn refuse(socket: &mut TcpStream) {
    let length = REFUSED.len();
    let answer = format!(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{REFUSED}"
    );
    let telling = async {
        socket.write_all(answer.as_bytes()).await?;
        socket.shutdown().await?;
        // Closing with unread bytes would reset the connection before the response is read.
        let mut rest = [0; 1024];
        for _ in 0..16 {
            if socket.read(&mut rest).await? == 0 {
                break;
            }
        }
        std::io::Result::Ok(())
    };
    // The client may have disconnected; this does not wait for it.
    let _unreported = tokio::time::timeout(std::time::Duration::from_secs(1), telling).await;
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (server, _) = listener.accept().await.unwrap();
        (client, server)
    }

    #[tokio::test]
    async fn a_connection_of_this_user_is_accepted() {
        let (_client, mut server) = pair().await;
        assert_eq!(admit(&mut server).await, Ok(()));
    }

    #[test]
    fn only_root_and_this_user_are_accepted() {
        let own = rustix::process::geteuid().as_raw();
        assert!(is_ours(0) && is_ours(own));
        assert!(!is_ours(own.wrapping_add(12_345)));
    }

    #[tokio::test]
    async fn a_refused_client_receives_the_reason() {
        let (mut client, mut server) = pair().await;
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let reported = tokio::spawn(async move {
            let mut text = String::new();
            client.read_to_string(&mut text).await.unwrap();
            text
        });
        refuse(&mut server).await;
        let text = reported.await.unwrap();
        assert!(text.starts_with("HTTP/1.1 403 "), "{text}");
        assert!(text.contains("another user of the machine"), "{text}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_closed_connection_has_no_owner() {
        let (client, mut server) = pair().await;
        drop(client);
        assert_eq!(admit(&mut server).await, Err(Rejection::Gone));
    }
}
