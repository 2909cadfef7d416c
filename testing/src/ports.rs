//! Ports on loopback that a test needs to be free, or closed.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::net::TcpSocket;

/// A port on which nothing listens, as long as this lives: it is bound, so no other program gets it.
#[derive(Debug)]
pub struct Closed {
    /// A connection to it is refused.
    pub address: SocketAddr,
    _bound: TcpSocket,
}

impl Closed {
    /// Takes a port.
    #[must_use]
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self {
            address: socket.local_addr().unwrap(),
            _bound: socket,
        }
    }
}

impl Default for Closed {
    fn default() -> Self {
        Self::new()
    }
}

/// Each test program has this many ports before it meets those of the next one.
const PORTS: u16 = 25;

/// A free port that no other test gets, neither from here nor by asking for any port: it lies below the range that
/// Linux and macOS take those from.
#[must_use]
pub fn own_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 20_000 + u16::try_from(std::process::id() % 400).unwrap() * PORTS;
    loop {
        let port = start + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_closed_port_refuses_connections_and_cannot_be_taken() {
        let closed = Closed::new();
        let refused = TcpStream::connect(closed.address).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        assert!(TcpListener::bind(closed.address).is_err());
    }

    #[test]
    fn no_port_is_given_twice() {
        assert_ne!(own_port(), own_port());
    }
}
