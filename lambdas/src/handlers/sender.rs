//! The sender of a message, and notices to the sender.

use serde_json::json;

use super::ProxyResponse;
use crate::delivery::{Delivery, Posted};
use crate::envelope::Refused;
use crate::event::SocketEvent;
use crate::log::{Log, reasons};
use crate::session::{ConnectionId, Names, Session};
use crate::store::{ConnectionStore, StoreError};

/// The session of the message's sender; `None` if the connection is unknown.
pub(super) async fn sender_session(
    event: &SocketEvent,
    connection: &ConnectionId,
    names: Names,
    store: &impl ConnectionStore,
    now: u64,
) -> Result<Option<Session>, StoreError> {
    // A context without our fields proves nothing; then there is a record, or no session.
    match event.proven_session(names) {
        Ok(Some(session)) => Ok(Some(session)),
        Ok(None) | Err(_) => store.session_of(connection, now).await,
    }
}

/// Posts the notice of a refused frame to the sender.
pub(super) async fn refuse(
    refused: &Refused,
    event: &SocketEvent,
    sender: &ConnectionId,
    delivery: &impl Delivery,
    log: &Log,
) -> ProxyResponse {
    log.info("frame refused", [("error", json!(refused.error.code()))]);
    notify(sender, &refused.frame(event.route()), delivery, log).await;
    ProxyResponse::status(400)
}

/// Posts a notice to the sender, who may have left.
pub(super) async fn notify(
    sender: &ConnectionId,
    notice: &str,
    delivery: &impl Delivery,
    log: &Log,
) {
    match delivery.post(sender, notice).await {
        Ok(Posted::Delivered) => {}
        Ok(Posted::Gone) => log.debug("sender has left before the notice", []),
        Err(error) => log.warn("notice refused", [("reason", json!(reasons(&error)))]),
    }
}
