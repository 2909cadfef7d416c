//! A chat's backend behind API Gateway's HTTP integrations: it keeps the connections and tells the others what one of
//! them says, through the @connections API.
//!
//! `CONNECTIONS_URL` is where that API is (`chatctl outputs` prints it), `LISTEN` where this backend listens.

mod connections;

use std::sync::Arc;

use aws_sdk_apigatewaymanagement::config::Builder as Config;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use connections::Connections;

/// Where API Gateway calls, unless `LISTEN` says otherwise.
const LISTEN: &str = "127.0.0.1:3000";

/// What chatctl's request templates send. Every route sends the id, `sendMessage` the message as well.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    connection_id: String,
    #[serde(default)]
    message: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("CONNECTIONS_URL")
        .map_err(|_| "CONNECTIONS_URL is not set: `chatctl outputs` prints it")?;
    let connections = Arc::new(Connections::new(client(&url).await));
    let app = Router::new()
        .route("/connect", post(connect))
        .route("/disconnect", post(disconnect))
        .route("/send", post(send))
        .with_state(connections);
    let listen = std::env::var("LISTEN").unwrap_or(LISTEN.to_owned());
    let listener = tokio::net::TcpListener::bind(listen).await?;
    anstream::println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// A client of the @connections API at `url`, stage included, with the credentials that every AWS tool would take.
async fn client(url: &str) -> aws_sdk_apigatewaymanagement::Client {
    let http = aws_smithy_http_client::Builder::new();
    let http = http.tls_provider(Provider::Rustls(CryptoMode::Ring));
    let shared = aws_config::defaults(aws_config::BehaviorVersion::latest());
    let shared = shared.http_client(http.build_https()).load().await;
    let config = Config::from(&shared).endpoint_url(url).build();
    aws_sdk_apigatewaymanagement::Client::from_conf(config)
}

async fn connect(State(connections): State<Arc<Connections>>, Json(told): Json<Told>) {
    connections.add(told.connection_id);
}

async fn disconnect(State(connections): State<Arc<Connections>>, Json(told): Json<Told>) {
    connections.forget(&told.connection_id);
}

async fn send(
    State(connections): State<Arc<Connections>>,
    Json(told): Json<Told>,
) -> Result<(), (StatusCode, String)> {
    let frame = json!({ "action": "newMessage", "payload": told.message }).to_string();
    connections
        .post_to_others(&told.connection_id, frame)
        .await
        .map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))
}
