//! Which options of a route go with what it does.

use toml::Spanned;

use super::Problem;
use super::table::RouteTable;

/// Refuses `announce` on a route that answers something else than who is in a room.
pub(super) fn refuse_announce(table: &RouteTable) -> Result<(), Problem> {
    let Some(announce) = &table.announce else {
        return Ok(());
    };
    let message = "`announce` belongs to a route with `answers = \"who\"`, and this one answers something else";
    Err((announce.span(), message.into()))
}

/// Refuses options that have no meaning on a route with `kind`.
pub(super) fn refuse(table: &RouteTable, kind: &str, options: &[&str]) -> Result<(), Problem> {
    const BELONG: [(&str, &str); 13] = [
        ("text", "`receivers` or `http`"),
        ("include-sender", "`receivers = \"room\"`"),
        ("max-text-bytes", "`receivers`"),
        ("envelope", "`receivers`"),
        ("review", "`receivers`"),
        ("review-fallback", "`receivers`"),
        ("review-timeout", "`receivers`"),
        ("review-permissions", "`receivers`"),
        ("announce", "`answers = \"who\"`"),
        ("history", "`receivers`"),
        ("reply", "`handler`"),
        ("permissions", "`handler`"),
        ("secret-header", "`http`"),
    ];
    let places = [
        table.text.as_ref().map(Spanned::span),
        table.include_sender.as_ref().map(Spanned::span),
        table.max_text_bytes.as_ref().map(Spanned::span),
        table.envelope.as_ref().map(Spanned::span),
        table.review.as_ref().map(Spanned::span),
        table.review_fallback.as_ref().map(Spanned::span),
        table.review_timeout.as_ref().map(Spanned::span),
        table.review_permissions.as_ref().map(Spanned::span),
        table.announce.as_ref().map(Spanned::span),
        table.history.as_ref().map(Spanned::span),
        table.reply.as_ref().map(Spanned::span),
        table.permissions.as_ref().map(Spanned::span),
        table.secret_header.as_ref().map(Spanned::span),
    ];
    for ((option, owner), place) in BELONG.into_iter().zip(places) {
        if let (true, Some(place)) = (options.contains(&option), place) {
            let message = match kind {
                "receivers" if option == "permissions" => belongs(option, owner, table),
                "receivers" => format!("`{option}` belongs to a route with {owner}"),
                kind => {
                    format!("`{option}` belongs to a route with {owner}, and this one has `{kind}`")
                }
            };
            return Err((place, message));
        }
    }
    Ok(())
}

/// That `option` belongs to routes of `owner`, and what `table` is one of.
pub(super) fn belongs(option: &str, owner: &str, table: &RouteTable) -> String {
    let kinds = [
        ("http", table.http.is_some()),
        ("handler", table.handler.is_some()),
        ("answers", table.answers.is_some()),
    ];
    let message = format!("`{option}` belongs to a route with {owner}");
    match kinds.iter().find(|(_, is_there)| *is_there) {
        Some((kind, _)) => format!("{message}, and this one has `{kind}`"),
        None if table.review.is_some() => {
            format!("{message}; for the function of `review`, write `review-{option}`")
        }
        None => message,
    }
}
