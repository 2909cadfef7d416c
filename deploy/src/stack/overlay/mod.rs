//! The user's overlay, merged into the rendered template: resources, outputs, conditions and mappings of their own, and
//! changes of chatctl's resources by logical id.
//!
//! A merge is recursive for mappings; lists and values are replaced; `null` removes. It is a merge of documents, never of
//! text.

mod additions;
mod check;
mod functions;
mod graph;
mod here;
mod names;
mod near;
mod problem;
mod protected;
mod sections;
#[cfg(test)]
mod tests;
mod types;
mod whole;

use crate::config::{ConfigError, Settings, Snippet};
use crate::stack::merge::merged;
use crate::stack::render::{base_for_aws, for_account};

pub use additions::Additions;
pub use here::LocalTemplate;
pub(crate) use here::for_machine;

/// Checks the overlay of `settings`, as far as that is possible without AWS: nothing is touched before.
///
/// # Errors
/// The first problem, with its line.
pub fn check(settings: &Settings) -> Result<(), ConfigError> {
    match &settings.overlay {
        None => Ok(()),
        Some(overlay) => checked(settings, overlay).map_err(ConfigError::Invalid),
    }
}

fn checked(settings: &Settings, overlay: &crate::config::overlay::Overlay) -> Result<(), Snippet> {
    let Some(root) = overlay.root() else {
        return Ok(());
    };
    let base = base_for_aws(settings);
    let plain = merged(base.clone(), root);
    let ruled = for_account(&plain, &settings.aws.rules);
    check::check(&base, root, &plain, &ruled)
        .map_err(|(place, message)| overlay.snippet(place, message))
}
