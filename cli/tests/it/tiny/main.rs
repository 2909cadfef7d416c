//! Handlers that compile in a second: the Lambda Runtime API by hand, without a dependency.
//! Everybody is welcome; whatever is said comes back with a mark.

use std::env::var;
use std::io::{Read, Write};
use std::net::TcpStream;

const MARK: &str = "first";

fn main() {
    let runtime = var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let path = "/2018-06-01/runtime/invocation";
    loop {
        let (head, event) = ask(&runtime, "GET", &format!("{path}/next"), "", "");
        let id = after(&head.to_lowercase(), "lambda-runtime-aws-request-id: ", '\r');
        let answer = answer(&event);
        ask(&runtime, "POST", &format!("{path}/{id}/response"), "", &answer);
    }
}

fn answer(event: &str) -> String {
    match var("_HANDLER").unwrap().as_str() {
        "authorize" => r#"{"principalId":"x","policyDocument":{"Version":"2012-10-17","Statement":[
            {"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*"}]}}"#
            .into(),
        "direct" => {
            println!("{{\"level\":\"INFO\",\"message\":\"{MARK} answers\"}}");
            let endpoint = var("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI").unwrap();
            let (host, stage) = endpoint.trim_start_matches("http://").split_once('/').unwrap();
            let path = format!("/{stage}/@connections/{}", after(event, "\"connectionId\":\"", '"'));
            let key = var("AWS_ACCESS_KEY_ID").unwrap();
            let signed = format!(
                "Authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/execute-api/aws4_request, \
                 SignedHeaders=host, Signature=0\r\n"
            );
            let text = format!("{MARK}: {}", after(event, "\"body\":\"", '"'));
            ask(host, "POST", &path, &signed, &text);
            r#"{"statusCode":200}"#.into()
        }
        _ => r#"{"statusCode":200}"#.into(),
    }
}

fn ask(host: &str, method: &str, path: &str, headers: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (format!("{head}\r\n"), body.to_owned())
}

fn after(text: &str, mark: &str, end: char) -> String {
    let (_, rest) = text.split_once(mark).unwrap();
    rest.split(end).next().unwrap().to_owned()
}
