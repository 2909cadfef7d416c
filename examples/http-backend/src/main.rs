//! A chat's backend behind API Gateway's HTTP integrations. It keeps the connections and posts each message to the
//! others through the @connections API.
//!
//! `CONNECTIONS_URL` is the address of that API (`chatctl outputs` prints it), `LISTEN` the address of this backend,
//! `BACKEND_SECRET` the required value of each request's header `x-chat-secret`.

mod connections;

use std::sync::Arc;

use aws_sdk_apigatewaymanagement::config::Builder as Config;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use connections::Connections;

/// The default address, where API Gateway calls; `LISTEN` overrides it.
const LISTEN: &str = "127.0.0.1:3000";

/// The requests of chatctl's templates. Every route sends the id, `sendMessage` also the message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    connection_id: String,
    #[serde(default)]
    message: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("CONNECTIONS_URL")
        .map_err(|_| "CONNECTIONS_URL is not set: `chatctl outputs` prints it")?;
    let secret = std::env::var("BACKEND_SECRET").unwrap_or_default();
    if secret.is_empty() {
        return Err("BACKEND_SECRET is not set: set it to the value that chatctl.toml's `secret-header` sends".into());
    }
    let connections = Arc::new(Connections::new(client(&url).await));
    let app = Router::new()
        .route("/connect", post(connect))
        .route("/disconnect", post(disconnect))
        .route("/send", post(send))
        .layer(from_fn_with_state(Arc::from(secret), check))
        .with_state(connections);
    let listen = std::env::var("LISTEN").unwrap_or(LISTEN.to_owned());
    let listener = tokio::net::TcpListener::bind(listen).await?;
    anstream::println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// A client of the @connections API at `url`, stage included, with the usual AWS credentials.
async fn client(url: &str) -> aws_sdk_apigatewaymanagement::Client {
    let http =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    let shared = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .http_client(http.build_https())
        .load()
        .await;
    let config = Config::from(&shared).endpoint_url(url).build();
    aws_sdk_apigatewaymanagement::Client::from_conf(config)
}

/// Refuses a request without the secret, because a backend's address is not secret.
async fn check(
    State(secret): State<Arc<str>>,
    request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let sent = request.headers().get("x-chat-secret");
    // In constant time, so that the duration does not reveal how much of a guess is right.
    let is_right = sent.is_some_and(|sent| sent.as_bytes().ct_eq(secret.as_bytes()).into());
    if !is_right {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(next.run(request).await)
}

async fn connect(State(connections): State<Arc<Connections>>, Json(body): Json<Body>) {
    connections.add(body.connection_id);
}

async fn disconnect(State(connections): State<Arc<Connections>>, Json(body): Json<Body>) {
    connections.forget(&body.connection_id);
}

async fn send(
    State(connections): State<Arc<Connections>>,
    Json(body): Json<Body>,
) -> Result<(), (StatusCode, String)> {
    let frame = json!({ "action": "newMessage", "payload": body.message }).to_string();
    connections
        .post_to_others(&body.connection_id, frame)
        .await
        .map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))
}
