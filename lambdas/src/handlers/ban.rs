//! Names that the operator keeps out for a time (`chatctl kick --ban`).

use serde_json::json;

use super::ProxyResponse;
use crate::log::{Log, reasons, rfc3339_of};
use crate::session::Session;
use crate::store::ConnectionStore;

/// The answer to a handshake whose name is banned: 403 with the time at which it may come back.
///
/// A connection without a name cannot be banned. If the table cannot be read, the handshake is answered with 500, because
/// otherwise a fault would let a banned name in.
pub(super) async fn refusal(
    session: &Session,
    store: &impl ConnectionStore,
    log: &Log,
    now: u64,
) -> Option<ProxyResponse> {
    let name = session.name.as_ref()?;
    match store.ban_of(name, now).await {
        Ok(None) => None,
        Ok(Some(until)) => {
            let until = rfc3339_of(until.saturating_mul(1000));
            let reason = format!("the operator of this chat has banned the name until {until}");
            log.warn("connection refused", [("reason", json!(reason))]);
            Some(ProxyResponse::because(403, reason))
        }
        Err(error) => {
            let reason = json!(reasons(&error));
            log.error("connection not recorded", [("reason", reason)]);
            Some(ProxyResponse::status(500))
        }
    }
}
