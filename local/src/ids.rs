//! Identifiers in the formats of API Gateway and Lambda, so that code which validates or encodes them is exercised.
//!
//! A connection id has 16 characters: URL-safe base64 of 11 bytes with its `=`, as in the example of
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>.

use std::cell::RefCell;

/// How many random bytes are requested at a time.
const ADVANCE_BYTES: usize = 1024;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A new connection id, such as `BFaT_fALIAMCKug=`.
pub(crate) fn connection_id() -> String {
    let [a, b] = random();
    let mut id = head(a);
    id.push_str("IAMC");
    id.push_str(&tail(b));
    id
}

/// A message id. It ends like the id of its connection.
pub(crate) fn message_id(connection_id: &str) -> String {
    let mut id = head(random::<1>()[0]);
    id.push_str(connection_id.get(8..).unwrap_or("IAMCAAA="));
    id
}

/// A request id: like a message id, with an `F`.
pub(crate) fn request_id() -> String {
    let [a, b] = random();
    let mut id = head(a);
    id.push_str("IAMF");
    id.push_str(&tail(b));
    id
}

/// Whether `id` has the format of a connection id. API Gateway responds with 400 to any other.
pub(crate) fn is_connection_id(id: &str) -> bool {
    let bytes = id.as_bytes();
    bytes.len() == 16 && bytes[15] == b'=' && bytes[..15].iter().all(|byte| ALPHABET.contains(byte))
}

/// A Lambda request id: a version 4 UUID.
pub(crate) fn invocation_id() -> String {
    let [a, b] = random();
    format!(
        "{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        8 + ((b >> 62) & 3),
        (b >> 48) & 0xfff,
        b & 0xffff_ffff_ffff
    )
}

/// The root of an X-Ray trace that starts now.
pub(crate) fn trace_root(epoch_millis: i64) -> String {
    let [a, b] = random();
    format!(
        "Root=1-{:08x}-{:016x}{:08x}",
        epoch_millis / 1000,
        a,
        b >> 32
    )
}

/// `length` random characters out of `alphabet`, for names and keys.
pub(crate) fn random_text(length: usize, alphabet: &[u8]) -> String {
    let mut bytes = vec![0; 4 * length];
    fill(&mut bytes);
    let pick = |four: &[u8]| {
        let number = u32::from_le_bytes(four.try_into().expect("chunks of four have four"));
        alphabet[number as usize % alphabet.len()] as char
    };
    bytes.chunks_exact(4).map(pick).collect()
}

fn random<const N: usize>() -> [u64; N] {
    let mut words = [0; N];
    for word in &mut words {
        let mut bytes = [0; 8];
        fill(&mut bytes);
        *word = u64::from_le_bytes(bytes);
    }
    words
}

/// Fills `bytes` with random bytes of the operating system, which are requested in advance: a message needs several
/// ids, and each request is a system call.
fn fill(bytes: &mut [u8]) {
    thread_local! {
        /// Random bytes, and how many of them are used.
        static ADVANCE: RefCell<([u8; ADVANCE_BYTES], usize)> =
            const { RefCell::new(([0; ADVANCE_BYTES], ADVANCE_BYTES)) };
    }
    let request = |bytes: &mut [u8]| {
        getrandom::fill(bytes).expect("the operating system has random bytes");
    };
    if bytes.len() > ADVANCE_BYTES {
        return request(bytes);
    }
    ADVANCE.with_borrow_mut(|(advance, used)| {
        if *used + bytes.len() > ADVANCE_BYTES {
            request(advance);
            *used = 0;
        }
        let next = &mut advance[*used..*used + bytes.len()];
        bytes.copy_from_slice(next);
        // Some become keys, which should be in memory once.
        next.fill(0);
        *used += bytes.len();
    });
}

fn head(bits: u64) -> String {
    (0..8)
        .map(|place| ALPHABET[((bits >> (6 * place)) & 63) as usize] as char)
        .collect()
}

/// Three characters and the padding. The last one carries four bits only, because 11 bytes are 88 bits.
fn tail(bits: u64) -> String {
    let mut text: String = (0..2)
        .map(|place| ALPHABET[((bits >> (6 * place)) & 63) as usize] as char)
        .collect();
    text.push(ALPHABET[((bits >> 12) & 0b11_1100) as usize] as char);
    text.push('=');
    text
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    #[test]
    fn ids_are_eleven_bytes_of_base64url() {
        for id in [connection_id(), request_id(), message_id(&connection_id())] {
            let bytes = base64::engine::general_purpose::URL_SAFE
                .decode(&id)
                .unwrap();
            assert_eq!(bytes.len(), 11, "{id}");
            assert!(is_connection_id(&id), "{id}");
        }
    }

    #[test]
    fn no_random_byte_is_used_twice() {
        let mut seen = std::collections::HashSet::new();
        let mut pieces = vec![8; 1_000];
        pieces.extend([ADVANCE_BYTES - 8, ADVANCE_BYTES, ADVANCE_BYTES + 8, 16, 8]);
        for length in pieces {
            let mut bytes = vec![0; length];
            fill(&mut bytes);
            for word in bytes.chunks_exact(8) {
                assert!(seen.insert(word.to_vec()), "{length}");
            }
        }
        let in_another_thread = std::thread::spawn(random::<100>).join().unwrap();
        assert!(
            in_another_thread
                .iter()
                .all(|it| seen.insert(it.to_le_bytes().to_vec()))
        );
    }

    #[test]
    fn a_message_id_ends_like_its_connection_id() {
        let connection = connection_id();
        assert_eq!(message_id(&connection)[8..], connection[8..]);
    }

    #[test]
    fn other_shapes_are_not_connection_ids() {
        for id in [
            "",
            "=",
            "not-a-connection",
            "AAAAAAAAAAAAAAAAA=",
            "AAAAAAAAAAAAAA/=",
            "é23456789012345=",
        ] {
            assert!(!is_connection_id(id), "{id}");
        }
    }

    #[test]
    fn an_invocation_id_is_a_version_four_uuid() {
        let id = invocation_id();
        assert_eq!(id.len(), 36);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
    }
}
