use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::local::page::listen;

/// Sends a request with these headers to the page on `port`; answers status and body.
async fn asked(port: u16, start: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let asking = tokio::time::timeout(Duration::from_secs(60), sent(port, start, headers));
    asking.await.unwrap()
}

async fn sent(port: u16, start: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let request = format!("{start} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(!answer.to_ascii_lowercase().contains("access-control"));
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[tokio::test]
async fn a_token_is_for_the_page_itself_with_a_secret_of_this_run() {
    let tom = "Tom".parse().unwrap();
    let renewal = Renewal::new(|name| {
        assert_eq!(name.as_ref(), "Tom");
        Ok(Token::parse("a.b.c").unwrap())
    });
    let (secret, once) = (renewal.grant(&tom), renewal.grant_once(&tom));
    let served = listen(&json!({}), 0).await.unwrap();
    let port = served.port;
    let serving = tokio::spawn(served.forever_with(renewal));
    let (host, origin) = (
        format!("127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}"),
    );
    let good = [("Host", &host[..]), ("Origin", &origin), (HEADER, &secret)];
    for _ in 0..2 {
        let (status, json) = asked(port, "POST /token", &good).await;
        assert_eq!((status, &json["token"]), (200, &json!("a.b.c")));
        assert_eq!(json["key"], secret.as_str());
    }
    let other_name = format!("chat.example:{port}");
    let other_site = format!("http://chat.example:{port}");
    let other_port = format!("127.0.0.1:{}", port.wrapping_add(1));
    let same_site = ("Sec-Fetch-Site", "same-origin");
    let with = |place: usize, value: &str| {
        let mut headers = good.map(|(name, value)| (name, value.to_owned()));
        headers[place].1 = value.to_owned();
        headers
    };
    for (headers, expected) in [
        (with(0, &other_name), 421),
        (with(0, &other_port), 421),
        (with(0, "127.0.0.1"), 421),
        (with(1, &other_site), 403),
        (with(1, "null"), 403),
        (with(1, &format!("http://localhost:{port}")), 403),
        (with(2, ""), 403),
        (with(2, &secret[1..]), 403),
        (with(2, &"0".repeat(64)), 403),
    ] {
        let headers = headers.each_ref().map(|(name, value)| (*name, &value[..]));
        let (status, json) = asked(port, "POST /token", &headers).await;
        assert_eq!(status, expected, "{headers:?}");
        assert!(json["token"].is_null(), "{json}");
    }
    let site = [good[0], good[1], good[2], same_site];
    assert_eq!(asked(port, "POST /token", &site).await.0, 200);
    for site in ["cross-site", "same-site", "none"] {
        let headers = [good[0], good[1], good[2], ("Sec-Fetch-Site", site)];
        assert_eq!(asked(port, "POST /token", &headers).await.0, 403, "{site}");
        let twice = [&headers[..], &[same_site]].concat();
        assert_eq!(asked(port, "POST /token", &twice).await.0, 403, "{site}");
    }
    assert_eq!(asked(port, "POST /token", &[good[0], good[2]]).await.0, 403);
    assert_eq!(asked(port, "GET /token", &good).await.0, 405);
    assert_eq!(asked(port, "OPTIONS /token", &good).await.0, 405);
    assert_eq!(asked(port, "POST /tokens", &good).await.0, 404);
    // A secret that others may have seen is good once, and the page gets another one.
    let first = [good[0], good[1], (HEADER, &once[..])];
    let (status, json) = asked(port, "POST /token", &first).await;
    assert_eq!(status, 200);
    assert_eq!(asked(port, "POST /token", &first).await.0, 403);
    let next = json["key"].as_str().unwrap();
    let next = [good[0], good[1], (HEADER, next)];
    for _ in 0..2 {
        assert_eq!(asked(port, "POST /token", &next).await.0, 200);
    }
    serving.abort();
}
