//! Each request's signature, calculated a second time as AWS describes it, from what arrived.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use ring::{digest, hmac};

use crate::wire::{Sent, accepting, all};

/// Whether the signature in `sent` is the one of what it signs, by the secret `local`; and what it signs.
pub(crate) fn signed_headers(sent: &Sent) -> Vec<String> {
    let header = &sent.headers["authorization"];
    let part = |name: &str| {
        let part = header
            .split([',', ' '])
            .find_map(|it| it.strip_prefix(name));
        part.unwrap_or_else(|| panic!("{name} in {header}"))
    };
    let (credential, names) = (part("Credential="), part("SignedHeaders="));
    let scope = credential.strip_prefix("local/").expect("the key's id");
    let [date, region, service, "aws4_request"] = scope.split('/').collect::<Vec<_>>()[..] else {
        panic!("{scope}");
    };
    let moment = &sent.headers["x-amz-date"];
    assert!(moment.starts_with(date), "{moment}");
    let [method, path, _] = sent.line.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{}", sent.line);
    };
    let signed: Vec<_> = names.split(';').map(str::to_owned).collect();
    let values = signed.iter().map(|name| {
        let value = sent.headers[name].split_ascii_whitespace();
        format!("{name}:{}\n", value.collect::<Vec<_>>().join(" "))
    });
    let canonical = format!(
        "{method}\n{}\n\n{}\n{names}\n{}",
        encoded(path),
        values.collect::<String>(),
        digest(sent.body.as_bytes())
    );
    let text = format!(
        "AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}",
        digest(canonical.as_bytes())
    );
    let steps = [date, region, service, "aws4_request", &text];
    let signature = steps.iter().fold(b"AWS4local".to_vec(), |key, step| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        hmac::sign(&key, step.as_bytes()).as_ref().to_vec()
    });
    let expected = part("Signature=");
    assert_eq!(hex::encode(signature), expected, "{canonical}");
    signed
}

/// The path as it is signed: what is encoded on the wire already is encoded once more.
fn encoded(path: &str) -> String {
    let bytes = path.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    });
    bytes.collect()
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

#[tokio::test]
async fn every_signature_is_valid_and_covers_what_decides_about_the_request() {
    let stub = accepting().await;
    all(&stub.endpoint).await;
    let sent = stub.requests();
    assert!(sent.len() > 100);
    for sent in sent.iter().map(|text| Sent::new(text)) {
        let signed = signed_headers(&sent);
        let unsigned = sent.headers.keys().filter(|name| !signed.contains(name));
        let unsigned: Vec<_> = unsigned.map(String::as_str).collect();
        let expected = ["authorization", "user-agent", "x-amzn-trace-id"];
        assert_eq!(unsigned, expected, "{}", sent.line);
    }
}
