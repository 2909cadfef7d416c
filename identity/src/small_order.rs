//! Public keys for Ed25519 by which signatures verify that no private key has made.

/// The y coordinates of the points of small order on edwards25519, little-endian, in each encoding that 255 bits allow.
/// A signature for such a key proves nothing: it can be made without any secret
/// (<https://eprint.iacr.org/2020/1244>, table 1). Libraries verify with it nevertheless.
const SMALL_ORDER: [[u8; 32]; 7] = [
    least(0),
    least(1),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    near_the_prime(0xec),
    near_the_prime(0xed),
    near_the_prime(0xee),
];

const fn least(byte: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = byte;
    bytes
}

/// 2^255 - 19 ends with 0xed.
const fn near_the_prime(byte: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = byte;
    bytes[31] = 0x7f;
    bytes
}

/// Whether the Ed25519 key `x` is such a point.
pub(crate) fn contains(x: &[u8]) -> bool {
    let Some((last, first)) = x.split_last() else {
        return false;
    };
    // The highest bit is the sign of the other coordinate.
    SMALL_ORDER
        .iter()
        .any(|it| it[..31] == *first && it[31] == last & 0x7f)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::PublicKey;

    /// ring itself accepts a signature that has nothing to do with a secret: of the neutral element for all of them.
    #[test]
    fn a_key_that_every_client_could_sign_for_is_refused_in_each_of_its_encodings() {
        let forged = [least(1), [0; 32]].concat();
        let neutral = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, least(1));
        neutral
            .verify(b"a text that was never signed", &forged)
            .expect("this is what the check is for");
        for point in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut x = point;
                x[31] |= sign;
                let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(x)});
                let error = PublicKey::from_jwk(&jwk).unwrap_err().to_string();
                assert!(error.contains("small order"), "{error}");
            }
        }
    }
}
