//! Turns a request head into an open WebSocket, or into the response that refuses it.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::connections::Connection;
use super::deployed::{Deployed, LiveStage};
use super::gateway::Gateway;
use super::handshake::{accept_key, switching_protocols};
use super::responses::{self, Upgrade};
use super::{authorizer, frames, throttle};
use crate::budget::{Share, Stage};
use crate::http::error::HttpError;
use crate::http::head::Head;
use crate::http::sockets::SocketSlot;
use crate::integrations::incoming::{ConnectionInfo, Incoming, IncomingKind, RequestInfo};
use crate::integrations::{events, validation};
use crate::{ids, moments};

/// Serves an upgrade request and, if it is accepted, the connection until its end.
pub(crate) async fn connect(
    gateway: Arc<Gateway>,
    socket: TcpStream,
    peer: SocketAddr,
    head: Head,
    slot: SocketSlot,
) {
    gateway.upgrade_begins();
    serve(&gateway, socket, peer, head, slot).await;
    gateway.upgrade_is_over();
}

async fn serve(
    gateway: &Arc<Gateway>,
    mut socket: TcpStream,
    peer: SocketAddr,
    head: Head,
    slot: SocketSlot,
) {
    let mut has_reached_integration = false;
    let admitted = admit(gateway, peer, &head, &mut has_reached_integration).await;
    let rest = head.bytes[head.length..].to_vec();
    drop(head);
    match admitted {
        Err(error) => {
            match error.status {
                _ if has_reached_integration => {}
                429 => gateway.traffic.throttled(),
                400..=499 => gateway.traffic.client_error(),
                _ => {}
            }
            // The client may be gone, which needs no error.
            let _gone = socket.write_all(&error.to_bytes()).await;
            let _closed = socket.shutdown().await;
        }
        Ok(admitted) => {
            let (connection, outgoing) = Connection::new(
                admitted.info,
                &gateway.limits,
                &gateway.clock,
                &gateway.budget,
            );
            // Before the 101, because a client that gets it may be posted to at once.
            gateway.connections.insert(Arc::clone(&connection));
            let answer = switching_protocols(&admitted.accept_key, admitted.subprotocol.as_deref());
            let opened = socket.write_all(&answer).await;
            frames::serve(
                gateway,
                opened.map(|()| socket),
                rest,
                connection,
                outgoing,
                slot,
            )
            .await;
        }
    }
}

/// The longest URL:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>.
/// AWS does not document the status for a longer one.
const URL_CHARACTERS: usize = 4096;

struct Admitted {
    info: ConnectionInfo,
    accept_key: String,
    subprotocol: Option<String>,
}

async fn admit(
    gateway: &Arc<Gateway>,
    peer: SocketAddr,
    head: &Head,
    has_reached_integration: &mut bool,
) -> Result<Admitted, HttpError> {
    if gateway.is_stopping() || gateway.is_full() {
        return Err(HttpError::gateway(
            503,
            "ServiceUnavailableException",
            "Service Unavailable",
        ));
    }
    let deployed = gateway.deployed();
    let target = head.path.len() + head.query.as_ref().map_or(0, |query| query.len() + 1);
    let length = "wss://".len() + deployed.domain_name().len() + target;
    if length > URL_CHARACTERS {
        gateway.observer.warn(format!(
            "refused a handshake, because its URL has {length} characters and API Gateway's limit is {URL_CHARACTERS}; send a long token \
             in a header or in a first message"
        ));
        return Err(HttpError::gateway(
            414,
            "RequestUriTooLongException",
            "Request URI Too Long",
        ));
    }
    let stage = head
        .stage()
        .and_then(|name| deployed.stage(&name).cloned())
        .filter(|stage| stage.is_deployed)
        .ok_or_else(HttpError::forbidden)?;
    let connect = stage.route("$connect");
    let limit = connect.and_then(|route| route.throttle.as_ref());
    if !gateway.account.admits_handshake(limit) {
        return Err(throttle::too_many_requests());
    }
    let accept_key = accept_key(head)?;
    let share = gateway.budget.share();
    // The events of the authorizer and of `$connect` contain each header twice.
    if !share.admits(2 * head.length, Stage::Begin) {
        return Err(throttle::too_many_requests());
    }
    let mut info = ConnectionInfo {
        connection_id: ids::connection_id(),
        connected_at: moments::now_millis(),
        stage: stage.name.clone(),
        api_id: deployed.api_id.clone(),
        domain_name: deployed.domain_name(),
        source_ip: peer.ip().to_string(),
        user_agent: head.header("user-agent").map(str::to_owned),
        authorizer: None,
    };
    let trace = ids::trace_root(info.connected_at);
    let asked = (head, trace.as_str(), &share);
    authorize(gateway, &deployed, &stage, asked, &mut info).await?;
    let Some(route) = connect else {
        return Ok(Admitted {
            info,
            accept_key,
            subprotocol: None,
        });
    };
    validation::check_required(&route.required, head)?;
    *has_reached_integration = true;
    gateway.traffic.handshake();
    let incoming = Incoming {
        info: &info,
        variables: &stage.variables,
        request: &RequestInfo::now(),
        trace: &trace,
        kind: IncomingKind::Connect(head),
    };
    let outcome = gateway
        .integrations
        .pass(&route.target, route.timeout, incoming, share.take_anyway(0))
        .await;
    gateway.judge(&outcome, route);
    match responses::upgrade(&outcome) {
        Upgrade::Accept { subprotocol } => Ok(Admitted {
            info,
            accept_key,
            subprotocol,
        }),
        Upgrade::Refuse(error) => Err(error),
    }
}

/// Calls the authorizer, if `$connect` has one, and keeps its context.
async fn authorize(
    gateway: &Gateway,
    deployed: &Deployed,
    stage: &LiveStage,
    (head, trace, share): (&Head, &str, &Arc<Share>),
    info: &mut ConnectionInfo,
) -> Result<(), HttpError> {
    let Some(asked) = &stage.authorizer else {
        return Ok(());
    };
    authorizer::has_identity(&asked.identity_sources, head, &stage.variables, info)?;
    let method_arn = deployed.arn(&format!("{}/$connect", stage.name));
    let incoming = Incoming {
        info,
        variables: &stage.variables,
        request: &RequestInfo::now(),
        trace,
        kind: IncomingKind::Connect(head),
    };
    let event = events::authorize(&incoming, head, &method_arn);
    let held = share.take_anyway(event.len());
    let timeout = gateway.limits.authorizer_timeout;
    let outcome = gateway
        .integrations
        .invoke(&asked.target, timeout, event, trace, held)
        .await;
    match authorizer::context(&outcome, &method_arn, info) {
        Ok(context) => {
            info.authorizer = Some(context);
            Ok(())
        }
        Err(refused) => {
            if let Some(why) = refused.why {
                gateway.observer.warn(why);
            }
            Err(refused.error)
        }
    }
}
