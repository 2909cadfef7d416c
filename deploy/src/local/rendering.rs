//! The template of a local stack.

use crate::config::Settings;
use crate::stack::overlay::{Additions, LocalTemplate, for_machine};
use crate::stack::render::render;

/// The template of `settings` for this machine, and what of its overlay has no effect here.
pub fn template_here(settings: &Settings) -> LocalTemplate {
    let additions = Additions::from_settings(settings);
    for_machine(&render(settings), additions.as_ref(), |kind| {
        chatctl_local::supported_types().any(|known| known == kind)
    })
}
