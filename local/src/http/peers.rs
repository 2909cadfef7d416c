//! Who is at the other end of a loopback connection: this user, or another one of the same machine.
//!
//! What listens here is private to its user, and a port is open to all users. Linux tells whose socket a connection
//! comes from: to a question for exactly one connection (`NETLINK_SOCK_DIAG`, some ten microseconds however many
//! connections there are: <https://man7.org/linux/man-pages/man7/sock_diag.7.html>), or else in a list of all of them
//! (`/proc/net/tcp`: <https://docs.kernel.org/networking/proc_net_tcp.html>). Each connection is looked up once, when it
//! is accepted.
//!
//! This user's programs and root's are let in, and those of the user who called `sudo`. Where neither question has an
//! answer, as on macOS, whose kernel tells no program the owner of a TCP connection without rights of its own, all are.

#[cfg(target_os = "linux")]
mod linux;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What another user's program is told.
const REFUSED: &str = r#"{"message":"Forbidden: this port is private to the user who runs the local stack, and this program runs as another user of the machine"}"#;

/// Whose a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The user with this id.
    User(u32),
    /// Nobody has the other end open any more, so nobody reads an answer, and nobody can be told who asked.
    Gone,
    /// The system does not tell.
    Unknown,
}

/// Why a connection is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It comes from a program of another user, which was told so.
    Stranger,
    /// Its client has closed it already, so whose it was cannot be told any more, and nobody waits for an answer.
    Gone,
}

/// Lets an accepted connection in if it comes from a program that may use this user's local stack.
///
/// # Errors
/// [`Refused`]; the caller drops the connection then.
pub async fn admit(socket: &mut TcpStream) -> Result<(), Refused> {
    let (Ok(peer), Ok(local)) = (socket.peer_addr(), socket.local_addr()) else {
        return Err(Refused::Gone);
    };
    match owner(peer, local).await {
        Owner::User(user) if !is_ours(user) => {
            turn_away(socket).await;
            Err(Refused::Stranger)
        }
        Owner::Gone => Err(Refused::Gone),
        Owner::User(_) | Owner::Unknown => Ok(()),
    }
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

/// All that listens here speaks HTTP, so all that is refused is refused in it.
async fn turn_away(socket: &mut TcpStream) {
    let length = REFUSED.len();
    let answer = format!(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{REFUSED}"
    );
    let telling = async {
        socket.write_all(answer.as_bytes()).await?;
        socket.shutdown().await?;
        // Closing with something unread would reset the connection before the answer is read.
        let mut rest = [0; 1024];
        for _ in 0..16 {
            if socket.read(&mut rest).await? == 0 {
                break;
            }
        }
        std::io::Result::Ok(())
    };
    // It may have hung up, and it is not waited for.
    let _untold = tokio::time::timeout(std::time::Duration::from_secs(1), telling).await;
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
    async fn a_connection_of_this_user_is_let_in() {
        let (_client, mut server) = pair().await;
        assert_eq!(admit(&mut server).await, Ok(()));
    }

    #[test]
    fn root_and_this_user_are_ours_and_nobody_else() {
        let own = rustix::process::geteuid().as_raw();
        assert!(is_ours(0) && is_ours(own));
        assert!(!is_ours(own.wrapping_add(12_345)));
    }

    #[tokio::test]
    async fn who_is_refused_is_told_why() {
        let (mut client, mut server) = pair().await;
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let told = tokio::spawn(async move {
            let mut text = String::new();
            client.read_to_string(&mut text).await.unwrap();
            text
        });
        turn_away(&mut server).await;
        let text = told.await.unwrap();
        assert!(text.starts_with("HTTP/1.1 403 "), "{text}");
        assert!(text.contains("another user of the machine"), "{text}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_connection_that_its_client_closed_is_nobodys() {
        let (client, mut server) = pair().await;
        drop(client);
        assert_eq!(admit(&mut server).await, Err(Refused::Gone));
    }
}
