use std::ffi::OsString;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// The proxies that `variables` name.
fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, TargetError> {
    Proxies::named_by(|wanted| {
        let found = variables.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| OsString::from(value))
    })
}

/// The proxy on the way to `url`, as it is shown.
fn way(variables: &[(&str, &str)], url: &str) -> Option<String> {
    let proxies = proxies(variables).unwrap();
    proxies.to(&url.parse().unwrap()).map(ToString::to_string)
}

const AWS: &str = "https://sts.eu-west-1.amazonaws.com/";

#[test]
fn each_scheme_has_its_variable_in_small_or_large_letters_and_small_ones_win() {
    let shown = Some("http://p:1 (HTTPS_PROXY)".to_owned());
    assert_eq!(way(&[("HTTPS_PROXY", "http://p:1")], AWS), shown);
    assert_eq!(way(&[("HTTPS_PROXY", "p:1")], AWS), shown);
    let both = [
        ("HTTPS_PROXY", "http://no:1"),
        ("https_proxy", "http://p:1"),
    ];
    assert_eq!(way(&both, AWS).unwrap(), "http://p:1 (https_proxy)");
    assert_eq!(
        way(&both, "wss://x.execute-api.eu-west-1.amazonaws.com/v1").unwrap(),
        "http://p:1 (https_proxy)"
    );
    assert_eq!(way(&both, "ws://example.com/"), None);
    let plain = [("HTTP_PROXY", "http://p:1")];
    assert_eq!(
        (
            way(&plain, AWS),
            way(&plain, "http://example.com/").is_some()
        ),
        (None, true)
    );
    assert_eq!(
        way(&[("ALL_PROXY", "https://p")], AWS).unwrap(),
        "https://p (ALL_PROXY)"
    );
    // Empty is not set.
    let empty = [("https_proxy", ""), ("HTTPS_PROXY", "http://p:1")];
    assert_eq!(way(&empty, AWS), shown);
}

#[test]
fn hosts_of_no_proxy_and_this_machine_are_reached_directly() {
    for (rules, is_direct) in [
        ("", false),
        ("*", true),
        (".amazonaws.com", true),
        ("amazonaws.com", true),
        ("*.amazonaws.com", true),
        ("AmazonAWS.com.", true),
        ("example.com, sts.eu-west-1.amazonaws.com", true),
        ("example.com sts.eu-west-1.amazonaws.com", true),
        ("aws.com", false),
        ("10.0.0.0/8", false),
    ] {
        for variable in ["NO_PROXY", "no_proxy"] {
            let variables = [("https_proxy", "http://p:1"), (variable, rules)];
            assert_eq!(way(&variables, AWS).is_none(), is_direct, "{rules}");
        }
    }
    let addresses = [
        ("ALL_PROXY", "http://p:1"),
        ("NO_PROXY", "10.0.0.0/8,[fe80::1]"),
    ];
    assert_eq!(way(&addresses, "https://10.1.2.3/"), None);
    assert_eq!(way(&addresses, "https://[fe80::1]/"), None);
    assert!(way(&addresses, "https://11.1.2.3/").is_some());
    for here in [
        "localhost",
        "LOCALHOST:1",
        "a.localhost",
        "127.0.0.1:80",
        "127.9.9.9",
        "[::1]:1",
        "169.254.169.254",
    ] {
        for scheme in ["http", "https", "ws", "wss"] {
            let variables = [("ALL_PROXY", "http://p:1")];
            assert_eq!(
                way(&variables, &format!("{scheme}://{here}/")),
                None,
                "{here}"
            );
        }
    }
}

#[test]
fn a_password_is_in_nothing_that_is_shown_and_reaches_the_libraries_whole() {
    let variables = [("HTTPS_PROXY", "http://ann:p@ss/w:%25rd@proxy.corp:3128/")];
    // What a URL cannot hold must be encoded: the host would be a part of the password.
    let error = proxies(&variables).unwrap_err();
    assert!(!format!("{error:?}").contains("p@ss"), "{error:?}");
    let variables = [("HTTPS_PROXY", "http://ann:p@ss%2Fw:%25rd@proxy.corp:3128/")];
    let proxies = proxies(&variables).unwrap();
    let proxy = proxies.to(&AWS.parse().unwrap()).unwrap();
    assert_eq!(
        proxy.secret_url(),
        "http://ann:p%40ss%2Fw%3A%25rd@proxy.corp:3128"
    );
    let failure = ProxyFailure::for_login(proxy);
    for shown in [
        proxy.to_string(),
        format!("{proxies:?}"),
        proxies.to_string(),
        failure.to_string(),
    ] {
        assert!(
            shown.contains("proxy.corp:3128") && !shown.contains("ann") && !shown.contains("rd@"),
            "{shown}"
        );
    }
}

#[test]
fn a_value_that_names_no_usable_proxy_is_reported_by_its_variable() {
    for (value, why) in [
        ("socks5://p:1", "SOCKS"),
        ("ftp://p:1", "neither http nor https"),
        ("http://", "it is no URL"),
        ("http://:3128", "host"),
        ("http://p:x", "port"),
        ("http://p:0", "port"),
        ("http://a b", "it is no URL"),
        ("\n", "it is no URL"),
    ] {
        let error = proxies(&[("HTTPS_PROXY", value)]).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("HTTPS_PROXY does not name a proxy: "),
            "{error}"
        );
        assert!(error.to_string().contains(why), "{value}: {error}");
    }
}

#[tokio::test]
async fn a_certificate_file_that_cannot_be_used_is_reported_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let half = "-----BEGIN CERTIFICATE-----\nMIIB\n";
    let none = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    for (path, why) in [
        (folder.path().join("missing.pem"), "No such file"),
        (folder.path().to_owned(), "it is a folder"),
        (file("empty", ""), "it holds no certificate in PEM form"),
        (file("text", "hello"), "it holds no certificate in PEM form"),
        (file("half", half), "what begins as PEM does not end so"),
        (file("none", none), "none of what it holds is a certificate"),
    ] {
        let error = Trust::from_file(path.clone().into()).await.unwrap_err();
        let reported = format!(
            "could not take certificates from {} (AWS_CA_BUNDLE)",
            path.display()
        );
        assert_eq!(error.to_string(), reported);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(why), "{source}");
    }
}

/// As long as anything on this machine may take.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// What a proxy for tests does with a CONNECT.
#[derive(Clone, Copy)]
enum Answer {
    /// Connects to this address, whatever it was asked for.
    Through(std::net::SocketAddr),
    Refuses(&'static str),
    Hangs,
}

/// A proxy on a loopback port; answers its address and the heads that it got.
async fn proxy(answer: Answer) -> (std::net::SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let written = heads.clone();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let written = written.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                written
                    .lock()
                    .unwrap()
                    .push(String::from_utf8(head).unwrap());
                match answer {
                    Answer::Hangs => std::future::pending().await,
                    Answer::Refuses(line) => {
                        client
                            .write_all(format!("HTTP/1.1 {line}\r\n\r\n").as_bytes())
                            .await
                            .unwrap();
                    }
                    Answer::Through(target) => {
                        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                        let connecting = TcpStream::connect(target);
                        let connecting = tokio::time::timeout(TIMEOUT, connecting).await;
                        let mut target = connecting.unwrap().unwrap();
                        drop(tokio::io::copy_bidirectional(&mut client, &mut target).await);
                    }
                }
            });
        }
    });
    (address, heads)
}

/// What comes of asking a proxy at `address` for a host that only it can find.
async fn through(address: std::net::SocketAddr) -> Result<(), ProxyFailure> {
    let value = format!("http://ann:secret@{address}");
    let proxies = proxies(&[("HTTP_PROXY", &value)]).unwrap();
    let uri = "ws://chat.invalid:80/".parse().unwrap();
    let proxy = proxies.to(&uri).unwrap();
    let outcome = dial::tunnelled_within(proxy, &uri, std::time::Duration::from_millis(300)).await;
    outcome.map(drop)
}

#[tokio::test]
async fn a_tunnel_leads_to_the_target_with_the_proxy_s_name_and_password() {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, heads) = proxy(Answer::Through(target.local_addr().unwrap())).await;
    through(address).await.unwrap();
    let heads = heads.lock().unwrap();
    assert!(
        heads[0].starts_with("CONNECT chat.invalid:80 HTTP/1.1\r\n"),
        "{heads:?}"
    );
    // ann:secret
    assert!(
        heads[0].contains("Proxy-Authorization: Basic YW5uOnNlY3JldA==\r\n"),
        "{heads:?}"
    );
}

#[tokio::test]
async fn a_proxy_that_does_not_connect_is_named_with_its_reason_and_without_its_password() {
    let closed = testing::ports::Closed::new();
    let gone = closed.address;
    let (refusing, _) = proxy(Answer::Refuses("502 Bad Gateway")).await;
    let (asking, _) = proxy(Answer::Refuses("407 Proxy Authentication Required")).await;
    let (hanging, _) = proxy(Answer::Hangs).await;
    for (address, why, is_login_required) in [
        (refusing, "refuses to connect to chat.invalid:80", false),
        (
            asking,
            "does not accept the name and password in that variable",
            true,
        ),
        (
            hanging,
            "did not connect to chat.invalid:80 within 300ms",
            false,
        ),
        (
            gone,
            "cannot be reached: Connection refused (os error 111)",
            false,
        ),
    ] {
        let failure = through(address).await.unwrap_err();
        assert_eq!(
            failure.to_string(),
            format!("the proxy http://{address} (HTTP_PROXY) {why}")
        );
        assert_eq!(failure.is_login_required, is_login_required);
    }
}
