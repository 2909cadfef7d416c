//! How this machine reaches AWS and deployed chats: through which proxy, and which certificates prove them.

mod dial;
pub(super) mod environment;
mod proxy;
#[cfg(test)]
mod tests;
mod trust;

use super::target_error::TargetError;
pub(crate) use dial::dial;
pub use dial::{DialError, Socket};
pub use proxy::{Proxies, Proxy, ProxyFailure};
pub use trust::Trust;

/// Whether a proxy leads to `url`, so that names are resolved there and not here.
///
/// # Errors
/// A variable names no proxy that can be used.
pub(super) fn is_by_proxy(url: &str) -> Result<bool, TargetError> {
    let Ok(url) = url.parse() else {
        return Ok(false);
    };
    Ok(Proxies::from_environment()?.to(&url).is_some())
}

/// What the environment says about the way to AWS, in one line.
///
/// # Errors
/// A variable names no proxy that can be used, or a file without certificates.
pub async fn summary() -> Result<String, TargetError> {
    let proxies = Proxies::from_environment()?;
    let trust = Trust::from_environment().await?;
    Ok(format!("{proxies}; {trust}"))
}
