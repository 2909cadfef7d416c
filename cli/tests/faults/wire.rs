//! HTTP, as little as is needed, so that an answer can break off anywhere.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::request::{Request, pairs};

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Whether it confirms that an object was stored.
    pub(crate) etag: bool,
    pub(crate) kind: &'static str,
    pub(crate) body: String,
}

/// How an answer goes over the wire.
#[derive(Debug, Clone)]
pub(crate) enum Delivery {
    Whole(Answer),
    /// As much as half of it.
    Half(Answer),
    /// The connection breaks.
    Nothing,
    /// The connection stays, and that is all.
    Silence,
}

/// Reads one request; `None` when there is none.
pub(crate) async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = std::collections::BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    if headers.contains_key("expect") {
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
            .await
            .ok()?;
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Request {
        method,
        path: path.to_owned(),
        query: pairs(query),
        headers,
        body,
    })
}

/// Answers, and ends the connection.
pub(crate) async fn write(stream: &mut BufReader<TcpStream>, is_head: bool, delivery: Delivery) {
    let (answer, is_half) = match delivery {
        Delivery::Whole(answer) => (answer, false),
        Delivery::Half(answer) => (answer, true),
        Delivery::Nothing => return,
        Delivery::Silence => {
            // Until the other side has had enough.
            let mut rest = Vec::new();
            drop(stream.read_to_end(&mut rest).await);
            return;
        }
    };
    let Answer {
        status,
        etag,
        kind,
        body,
    } = answer;
    let etag = if etag {
        "ETag: \"1\"
"
    } else {
        ""
    };
    let length = body.len();
    let mut text = format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n{etag}\r\n"
    );
    let head = text.len();
    if !is_head {
        text.push_str(&body);
    }
    if is_half {
        // Half of the body where there is one, else half of the head.
        let half = if text.len() > head {
            head + (text.len() - head) / 2
        } else {
            head / 2
        };
        text.truncate(half);
    }
    drop(stream.get_mut().write_all(text.as_bytes()).await);
    drop(stream.get_mut().shutdown().await);
}
