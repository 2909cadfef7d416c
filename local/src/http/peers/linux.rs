//! The two queries of Linux.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};
use tokio::sync::Mutex;

use super::owner::Owner;

/// The sizes in bytes of a netlink header, of the request after it, and of the part of the response before the user id.
const HEADER: usize = 16;
const QUESTION: usize = 56;
const USER_AT: usize = HEADER + 64;
const INODE_AT: usize = HEADER + 68;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const IPPROTO_TCP: u8 = 6;

pub(super) async fn owner(peer: SocketAddr, local: SocketAddr) -> Owner {
    match ask(peer, local) {
        Ok(Owner::Unknown) => {}
        Ok(owner) => return owner,
        // For example too many open files; no connection is accepted because of that.
        Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => return Owner::Gone,
        Err(_) => {}
    }
    look(peer, local).await
}

/// Queries this connection alone. [`Owner::Unknown`] if there is none, or if the kernel has no module for the query:
/// its response to both is the same.
fn ask(peer: SocketAddr, local: SocketAddr) -> Result<Owner, Errno> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        Some(netlink::SOCK_DIAG),
    )?;
    let kernel = SocketAddrNetlink::new(0, 0);
    sendto(&socket, &question(peer, local), SendFlags::empty(), &kernel)?;
    // The kernel has responded before `sendto` returns.
    let mut answer = [0; 1024];
    let (read, _) = recv(&socket, &mut answer[..], RecvFlags::DONTWAIT)?;
    Ok(parse_response(&answer[..read]).unwrap_or(Owner::Unknown))
}

/// `struct nlmsghdr` and `struct inet_diag_req_v2`, for the socket at the other end.
fn question(peer: SocketAddr, local: SocketAddr) -> Vec<u8> {
    let family = if peer.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let mut bytes = Vec::with_capacity(HEADER + QUESTION);
    let length = (HEADER + QUESTION) as u32;
    bytes.extend(length.to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(NLM_F_REQUEST.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([family.as_raw() as u8, IPPROTO_TCP, 0, 0]);
    bytes.extend(u32::MAX.to_ne_bytes());
    bytes.extend(peer.port().to_be_bytes());
    bytes.extend(local.port().to_be_bytes());
    for address in [peer.ip(), local.ip()] {
        match address {
            IpAddr::V4(address) => {
                bytes.extend(address.octets());
                bytes.extend([0; 12]);
            }
            IpAddr::V6(address) => bytes.extend(address.octets()),
        }
    }
    // Any interface, and no cookie.
    bytes.extend([0; 4]);
    bytes.extend([0xff; 8]);
    bytes
}

fn parse_response(answer: &[u8]) -> Option<Owner> {
    let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
    if kind == NLMSG_ERROR {
        return None;
    }
    let number = |at: usize| {
        let bytes = answer.get(at..at + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    };
    Some(owned(number(USER_AT)?, number(INODE_AT)?.into()))
}

/// A socket that no process has open has no inode, and is shown as root's.
fn owned(user: u32, inode: u64) -> Owner {
    match inode {
        0 => Owner::Gone,
        _ => Owner::User(user),
    }
}

type Ends = (SocketAddr, SocketAddr);

/// All connections at one moment; `None` if the system has no list.
#[derive(Clone)]
struct Seen {
    begun: Instant,
    owners: Option<Arc<HashMap<Ends, Owner>>>,
}

/// Reading the list takes some milliseconds if there are thousands, so all waiting callers share the next one.
static SEEN: Mutex<Option<Seen>> = Mutex::const_new(None);

async fn look(peer: SocketAddr, local: SocketAddr) -> Owner {
    let asked = Instant::now();
    let mut seen = SEEN.lock().await;
    let fresh = seen.clone().filter(|seen| seen.begun >= asked);
    let fresh = match fresh {
        Some(fresh) => fresh,
        None => {
            let begun = Instant::now();
            let owners = tokio::task::spawn_blocking(list)
                .await
                .ok()
                .flatten()
                .map(Arc::new);
            seen.insert(Seen { begun, owners }).clone()
        }
    };
    drop(seen);
    let Some(owners) = fresh.owners else {
        return Owner::Unknown;
    };
    let ends = (unmapped(peer), unmapped(local));
    // Windows programs that share the loopback of the Linux subsystem have no socket here.
    let absent = if is_windows() {
        Owner::Unknown
    } else {
        Owner::Gone
    };
    owners.get(&ends).copied().unwrap_or(absent)
}

fn list() -> Option<HashMap<Ends, Owner>> {
    let mut owners = HashMap::new();
    for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
        match std::fs::read_to_string(path) {
            Ok(text) => owners.extend(text.lines().filter_map(entry)),
            // Without IPv6 there is no second list.
            Err(error) if error.kind() == ErrorKind::NotFound && path.ends_with('6') => {}
            Err(_) => return None,
        }
    }
    Some(owners)
}

/// A line of `/proc/net/tcp` or `tcp6`.
fn entry(line: &str) -> Option<(Ends, Owner)> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let ends = (address(fields.get(1)?)?, address(fields.get(2)?)?);
    let owner = owned(fields.get(7)?.parse().ok()?, fields.get(9)?.parse().ok()?);
    Some((ends, owner))
}

/// Parses `0100007F:1F90`, an address in words of the machine's order and a port; an IPv6 address has four words.
fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let word = u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some(unmapped(SocketAddr::new(ip, port)))
}

/// A program may connect to an IPv4 address with an IPv6 socket.
fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn is_windows() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.to_ascii_lowercase().contains("microsoft")
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    #[tokio::test]
    async fn both_queries_have_the_same_result() {
        let (client, server) = connected();
        let (peer, local) = (server.peer_addr().unwrap(), server.local_addr().unwrap());
        let own = Owner::User(rustix::process::geteuid().as_raw());
        assert_eq!(look(peer, local).await, own);
        // Some sandboxes only have the list.
        if let Ok(asked) = ask(peer, local) {
            assert!([own, Owner::Unknown].contains(&asked), "{asked:?}");
        }
        drop(client);
        assert_eq!(owner(peer, local).await, Owner::Gone);
    }

    #[test]
    fn lines_of_both_lists_are_read() {
        let line = "   2: 0100007F:D822 0100007F:E51F 01 00000000:00000000 00:00000000 00000000  1000        0 21668 2 0 20 0 0 10 -1";
        let ends = |peer: &str, local: &str| (peer.parse().unwrap(), local.parse().unwrap());
        let v4 = ends("127.0.0.1:55330", "127.0.0.1:58655");
        assert_eq!(entry(line), Some((v4, Owner::User(1000))));
        let mapped = line.replace("0100007F", "0000000000000000FFFF00000100007F");
        assert_eq!(entry(&mapped), Some((v4, Owner::User(1000))));
        let closed = line.replace(" 21668 ", " 0 ");
        assert_eq!(entry(&closed), Some((v4, Owner::Gone)));
        assert_eq!(entry("  sl  local_address rem_address   st"), None);
    }

    #[test]
    fn a_response_that_is_an_error_or_too_short_is_unknown() {
        assert_eq!(parse_response(&[]), None);
        let mut error = vec![0; 36];
        error[4] = 2;
        assert_eq!(parse_response(&error), None);
        assert_eq!(
            question(
                "127.0.0.1:1".parse().unwrap(),
                "127.0.0.1:2".parse().unwrap()
            )
            .len(),
            72
        );
    }
}
