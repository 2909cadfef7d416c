//! Requests to AWS, passed on as they are.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Why a request was not answered.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What a request asks for: the action, where its protocol names one, else `METHOD /path`.
#[must_use]
pub fn name<B>(request: &Request<B>, body: &Bytes) -> String {
    let target = request.headers().get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok());
    action(body).or(target).map_or_else(
        || format!("{} {}", request.method(), request.uri().path()),
        str::to_owned,
    )
}

/// The `Action` of the query protocol.
fn action(body: &Bytes) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let action = text
        .split('&')
        .find_map(|pair| pair.strip_prefix("Action="))?;
    action
        .chars()
        .all(|c| c.is_ascii_alphanumeric())
        .then_some(action)
}

/// Sends `request` to the listener on `port` of 127.0.0.1, on a connection of its own.
///
/// # Errors
/// No server answers in HTTP.
pub async fn forward(port: u16, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, Fault> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Response::from_parts(parts, body))
}

/// The status that `method path` is answered with.
///
/// # Errors
/// No server answers in HTTP.
pub(super) async fn ask_status(port: u16, method: &str, path: &str) -> Result<u16, Fault> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", format!("127.0.0.1:{port}"))
        .body(Full::default())?;
    Ok(forward(port, request).await?.status().as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_named_after_its_action_its_target_or_its_path() {
        let request = |target: Option<&str>| {
            let mut request = Request::builder().method("PUT").uri("/bucket/key?acl");
            if let Some(target) = target {
                request = request.header("x-amz-target", target);
            }
            request.body(()).expect("it is a request")
        };
        let query = Bytes::from("Version=1&Action=DescribeStacks&StackName=chat");
        assert_eq!(name(&request(None), &query), "DescribeStacks");
        let json = Bytes::from("{}");
        assert_eq!(
            name(&request(Some("DynamoDB.Query")), &json),
            "DynamoDB.Query"
        );
        assert_eq!(name(&request(None), &json), "PUT /bucket/key");
        let binary = Bytes::from_static(b"\xff&Action=x");
        assert_eq!(name(&request(None), &binary), "PUT /bucket/key");
    }
}
