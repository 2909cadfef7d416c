//! A function that a test controls: it connects to `CONTROLLER`, sends its environment, and then calls the Runtime API,
//! writes and exits on command, one JSON line at a time.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::{Map, Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variables: BTreeMap<String, String> = std::env::vars().collect();
    let controller = TcpStream::connect(std::env::var("CONTROLLER")?)?;
    let runtime_api = std::env::var("AWS_LAMBDA_RUNTIME_API")?;
    let mut replies = controller.try_clone()?;
    let folder = std::env::current_dir()?;
    replies.set_nodelay(true)?;
    let hello = json!({ "pid": std::process::id(), "folder": folder, "variables": variables });
    reply(&mut replies, &hello)?;
    for line in BufReader::new(controller).lines() {
        let command: Value = serde_json::from_str(&line?)?;
        match command["do"].as_str() {
            Some("call") => reply(&mut replies, &call(&runtime_api, &command)?)?,
            Some("stdout") => writeln!(std::io::stdout(), "{}", text(&command, "text"))?,
            Some("stderr") => writeln!(std::io::stderr(), "{}", text(&command, "text"))?,
            Some("exit") => {
                std::process::exit(i32::try_from(command["code"].as_i64().unwrap_or(0))?)
            }
            _ => return Err(format!("unknown command {command}").into()),
        }
    }
    Ok(())
}

fn reply(replies: &mut TcpStream, value: &Value) -> std::io::Result<()> {
    // One write, because many small ones would wait for one another's acknowledgements.
    replies.write_all(format!("{value}\n").as_bytes())
}

fn text<'c>(command: &'c Value, member: &str) -> &'c str {
    command[member].as_str().unwrap_or_default()
}

/// One request on its own connection.
fn call(runtime_api: &str, command: &Value) -> Result<Value, Box<dyn std::error::Error>> {
    let (method, path, body) = (
        text(command, "method"),
        text(command, "path"),
        text(command, "body"),
    );
    let mut socket = TcpStream::connect(runtime_api)?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {runtime_api}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    socket.set_nodelay(true)?;
    socket.write_all(head.as_bytes())?;
    // A server that refuses a large body responds before all of it is written.
    let _refused_early = socket.write_all(body.as_bytes());
    let mut answer = BufReader::new(socket);
    let mut line = String::new();
    answer.read_line(&mut line)?;
    let status: u16 = line.split(' ').nth(1).ok_or("no status line")?.parse()?;
    let mut headers = Map::new();
    loop {
        line.clear();
        answer.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), Value::from(value)),
            None => break,
        };
    }
    let length = headers
        .get("content-length")
        .and_then(Value::as_str)
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    answer.read_exact(&mut body)?;
    Ok(json!({ "status": status, "headers": headers, "body": String::from_utf8(body)? }))
}
