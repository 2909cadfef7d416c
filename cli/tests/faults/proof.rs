//! What the proof of a deployment says where the chat cannot be reached from here.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use crate::cloud::{Cloud, State};
use crate::command::{Finished, Folder};

/// A proxy that leads nowhere; what it was asked for.
fn proxy() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heads = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 1024];
            let length = stream.read(&mut head).unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            heads.lock().unwrap().push(head);
            // The other end may have given up.
            let _gone = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
        }
    });
    (address, asked)
}

/// Deploys in `partition` to an API that is reached through the proxy at `address` only.
async fn deployed(partition: &'static str, address: SocketAddr) -> Finished {
    let folder = Folder::new();
    let before = State {
        partition: Some(partition),
        ..State::default()
    };
    let cloud = Cloud::with(before, None).await;
    let mut command = folder.command(&cloud.url, "deploy --yes --handlers handlers-1");
    command.env("HTTPS_PROXY", format!("http://ann:secret@{address}"));
    command.output().await.unwrap().into()
}

#[tokio::test]
async fn the_probe_goes_through_the_proxy_and_names_it_without_its_password() {
    let (address, asked) = proxy();
    let ended = deployed("aws", address).await;
    assert_eq!(ended.code, 3, "{ended:?}");
    let named = format!("http://{address} (HTTPS_PROXY)");
    assert!(ended.stderr.contains(&named), "{}", ended.stderr);
    assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("ICP"), "{}", ended.stderr);
    let asked = asked.lock().unwrap();
    let head = asked.first().unwrap();
    assert!(head.starts_with("CONNECT chat:443 "), "{head}");
}

#[tokio::test]
async fn in_china_the_plan_and_a_failing_probe_name_the_licence() {
    let ended = deployed("aws-cn", proxy().0).await;
    assert_eq!(ended.code, 3, "{ended:?}");
    let said = ended.stderr.split_whitespace().collect::<Vec<_>>();
    let named = said.windows(2).filter(|two| *two == ["ICP", "licence"]);
    assert_eq!(named.count(), 2, "{}", ended.stderr);
    let (plan, failure) = ended.stderr.split_once("error: ").unwrap();
    assert!(plan.contains("ICP licence"), "{plan}");
    assert!(failure.contains("hint: in China"), "{failure}");
}

#[tokio::test]
async fn an_isolated_partition_is_said_to_be_untried() {
    let ended = deployed("aws-iso-b", proxy().0).await;
    assert!(
        ended
            .stderr
            .contains("never been tried in an isolated partition"),
        "{}",
        ended.stderr
    );
}
