//! Descriptions of keys that depend on the kinds of receivers.

use chat_protocol::Receivers;

/// The kinds whose routes may send the sender a copy, in the config's words.
pub(super) fn with_include_sender() -> Vec<&'static str> {
    let kinds = Receivers::ALL.into_iter();
    kinds
        .filter(|kind| kind.takes_include_sender())
        .map(Receivers::word)
        .collect()
}

pub(in crate::config) fn receivers() -> String {
    let meanings = Receivers::ALL.map(Receivers::meaning).join(", or ");
    format!("The people who receive the text: {meanings}.")
}

pub(in crate::config) fn include_sender() -> String {
    let kinds = with_include_sender();
    let kinds: Vec<_> = kinds
        .iter()
        .map(|kind| format!("`receivers = {kind:?}`"))
        .collect();
    format!(
        "For {}: whether the sender receives the text, too.",
        kinds.join(" and ")
    )
}

pub(in crate::config) fn max_text_bytes() -> String {
    let mut kinds = Receivers::ALL;
    kinds.sort_by_key(|kind| kind.max_text_bytes());
    let defaults = kinds.map(|kind| format!("{} {}", kind.max_text_bytes(), kind.place()));
    format!(
        "For receivers: the longest text, in bytes; a longer one is answered with an error frame. Without it, {}.",
        defaults.join(" and ")
    )
}
