//! The page for a stack on AWS.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::cloud::Cloud;

#[tokio::test]
async fn the_page_of_a_deployed_stack_has_its_endpoint_and_ends_with_ctrl_c() {
    let cloud = Cloud::start().await;
    cloud
        .chatctl("web")
        .await
        .exits(2)
        .explains("there is no stack `chat`");
    let deployed = cloud.deploy("--no-probe").await.exits(0);
    deployed.explains("`chatctl web`");
    let mut command = cloud.command("web --from Ann");
    let mut web = command.stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(web.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    let second = lines.next_line().await.unwrap().unwrap();
    let (base, query) = first.split_once('?').unwrap();
    assert_eq!(query, "from=Ann&to=Jerry");
    assert_eq!(second, format!("{base}?from=Jerry&to=Ann"));
    let address = base.trim_start_matches("http://").trim_end_matches('/');
    let page = get(address, address).await;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    let endpoint = format!("\"endpoint\":\"{}\"", deployed.url());
    assert!(page.contains(&endpoint), "no {endpoint} in {page}");
    assert!(
        get(address, "rebound.example")
            .await
            .starts_with("HTTP/1.1 421 ")
    );
    let pid = Pid::from_raw(i32::try_from(web.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(web.wait().await.unwrap().code(), Some(0));
}

/// The whole answer to `GET /`, asked for as `host`.
async fn get(address: &str, host: &str) -> String {
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}
