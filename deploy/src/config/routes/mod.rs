//! The `[[routes]]` tables of the file, resolved to routes.

mod belong;
mod checks;
mod review;
mod table;
#[cfg(test)]
mod tests;
mod timeout;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use chat_protocol::envelope::{ATTRIBUTES, REFERENCE};
use chat_protocol::{Answers, Receivers};
use toml::Spanned;

use super::names::{RouteKey, StackName, StageName};
use super::permission::{Grant, MAX_POLICIES_BYTES, size_of_policies};
use super::route::{Backend, CustomHandler, Lifecycle, Purpose, Route};
use super::secret::SecretHeader;
use belong::{belongs, refuse, refuse_announce};
pub(super) use checks::check_rights;
use checks::{check_answers, check_size};
pub(super) use review::check_reviewers;
pub(super) use table::{HandlerFolder, RouteTable};

/// The resolved tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Routes {
    pub(super) messages: Vec<Route>,
    pub(super) lifecycle: Option<Lifecycle>,
    /// Whether the members of a room get a frame when a person comes or leaves.
    pub(super) announces: bool,
}

/// A problem, with its place in the file.
pub(super) type Problem = (Range<usize>, String);

/// Checks `tables`, each alone and all together. Without tables, there is one route `$default` to the friend.
///
/// Relative folders start at `folder`. `line` returns the line of a place in the file.
///
/// # Errors
/// The first problem.
pub(super) fn resolve(
    tables: &[Spanned<RouteTable>],
    folder: &Path,
    line: impl Fn(usize) -> usize,
) -> Result<Routes, Problem> {
    if tables.is_empty() {
        let key = "$default".parse().expect("every default is valid");
        let purpose = Purpose::for_people(Receivers::default());
        return Ok(Routes {
            messages: vec![Route {
                key,
                purpose,
                review: None,
            }],
            lifecycle: None,
            announces: false,
        });
    }
    let mut seen: BTreeMap<&RouteKey, usize> = BTreeMap::new();
    let mut messages = Vec::new();
    let mut lifecycle: BTreeMap<&str, (&Spanned<RouteKey>, Backend)> = BTreeMap::new();
    for table in tables {
        let at = table.span().start;
        let table = table.get_ref();
        let key = table.key.get_ref();
        if let Some(first) = seen.insert(key, line(at)) {
            let message = format!("route key `{key}` is already used on line {first}");
            return Err((table.key.span(), message));
        }
        if key.is_lifecycle() {
            lifecycle.insert(
                key.as_ref(),
                (&table.key, lifecycle_backend(table, folder)?),
            );
        } else {
            let purpose = purpose(table, folder)?;
            let key = key.clone();
            let review = review::review(table, folder)?;
            messages.push(Route {
                key,
                purpose,
                review,
            });
        }
    }
    review::share(tables, &mut messages)?;
    let lifecycle = pair(lifecycle)?;
    let is_request = |route: &Route| matches!(route.purpose, Purpose::Answers(_));
    if messages.iter().all(is_request) {
        let place = tables[0].get_ref().key.span();
        let message = "no route takes messages: add one, for example with the key `$default`";
        return Err((place, message.into()));
    }
    if lifecycle.is_some() {
        refuse_receivers(tables)?;
    }
    check_answers(tables, &messages)?;
    check_size(tables, &messages)?;
    let announce = tables
        .iter()
        .filter_map(|it| it.get_ref().announce.as_ref());
    Ok(Routes {
        announces: announce.into_iter().any(|it| *it.get_ref()),
        messages,
        lifecycle,
    })
}

impl Routes {
    /// Grants each of the user's handlers `beside` what it has.
    pub(super) fn grant(&mut self, beside: &[Grant]) {
        for route in &mut self.messages {
            if let Purpose::Handler(handler) = &mut route.purpose {
                handler.grants.extend_from_slice(beside);
            }
        }
    }
}

/// Checks that the permissions of each handler, with those in `beside`, fit into the policies of its role, in `stack` at `stage`.
///
/// # Errors
/// The first handler whose permissions are too large.
pub(super) fn check_policies(
    tables: &[Spanned<RouteTable>],
    (stack, stage): (&StackName, &StageName),
    beside: &[Grant],
) -> Result<(), Problem> {
    for table in tables.iter().map(Spanned::get_ref) {
        let key = table.key.get_ref();
        let granted = table
            .permissions
            .as_ref()
            .map_or(&[][..], |grants| grants.get_ref());
        let size = size_of_policies(&[granted, beside].concat(), key, stack, stage);
        if let Some(grants) = &table.permissions
            && size > MAX_POLICIES_BYTES
        {
            let message = format!(
                "the permissions of the handler of `{key}` take {size} characters in its role's policies, which IAM limits to \
                 {MAX_POLICIES_BYTES} in total: grant less, or name related resources once, with a wildcard \
                 for a part of their names"
            );
            return Err((grants.span(), message));
        }
        table.given().check_policies(size)?;
    }
    Ok(())
}

/// Checks that the variables of each handler fit beside `own` bytes of the stack's.
///
/// # Errors
/// The first handler whose variables are too large.
pub(super) fn check_environments(
    tables: &[Spanned<RouteTable>],
    own: usize,
) -> Result<(), Problem> {
    let mut handlers = tables.iter().map(|table| table.get_ref().given());
    handlers.try_for_each(|given| given.check_environment(own))
}

/// What the table does with messages.
fn purpose(table: &RouteTable, folder: &Path) -> Result<Purpose, Problem> {
    let mut kinds = [
        table.receivers.as_ref().map(|it| ("receivers", it.span())),
        table.http.as_ref().map(|it| ("http", it.span())),
        table.handler.as_ref().map(|it| ("handler", it.span())),
        table.answers.as_ref().map(|it| ("answers", it.span())),
    ]
    .into_iter()
    .flatten();
    if let (Some((first, _)), Some((second, place))) = (kinds.next(), kinds.next()) {
        let message = format!("a route has `{first}` or `{second}`, not both");
        return Err((place, message));
    }
    let given = table.given();
    if let (None, Some((option, place))) = (&table.handler, given.first()) {
        return Err((place, belongs(&option, "`handler`", table)));
    }
    let is_passed_on = table.http.is_none() && table.handler.is_none() && table.answers.is_none();
    if let (false, Some((option, place))) = (is_passed_on, table.given_to_review().first()) {
        return Err((place, belongs(&option, "`receivers`", table)));
    }
    let text = table.text.as_ref().map(|text| text.get_ref().clone());
    if let Some(url) = &table.http {
        refuse(
            table,
            "http",
            &[
                "include-sender",
                "max-text-bytes",
                "envelope",
                "review",
                "review-fallback",
                "review-timeout",
                "review-permissions",
                "announce",
                "history",
                "reply",
                "permissions",
            ],
        )?;
        let backend = Backend {
            url: url.get_ref().clone(),
            secret: secret(table, folder),
        };
        return Ok(Purpose::Http { backend, text });
    }
    if let Some(crate_folder) = &table.handler {
        refuse(
            table,
            "handler",
            &[
                "text",
                "include-sender",
                "max-text-bytes",
                "envelope",
                "review",
                "review-fallback",
                "review-timeout",
                "review-permissions",
                "announce",
                "history",
                "secret-header",
            ],
        )?;
        return Ok(Purpose::Handler(CustomHandler {
            folder: folder.join(&crate_folder.get_ref().0),
            binary: given.binary()?,
            settings: given.settings(folder)?,
            reply: table.reply.as_ref().is_some_and(|reply| *reply.get_ref()),
            grants: table
                .permissions
                .as_ref()
                .map(|grants| grants.get_ref().clone())
                .unwrap_or_default(),
        }));
    }
    if let Some(answers) = &table.answers {
        refuse(
            table,
            "answers",
            &[
                "text",
                "include-sender",
                "max-text-bytes",
                "envelope",
                "review",
                "review-fallback",
                "review-timeout",
                "review-permissions",
                "history",
                "reply",
                "permissions",
                "secret-header",
            ],
        )?;
        if *answers.get_ref() != Answers::Who {
            refuse_announce(table)?;
        }
        return Ok(Purpose::Answers(*answers.get_ref()));
    }
    refuse(
        table,
        "receivers",
        &["announce", "reply", "permissions", "secret-header"],
    )?;
    let receivers = table
        .receivers
        .as_ref()
        .map(|it| *it.get_ref())
        .unwrap_or_default();
    let include_sender = table.include_sender.as_ref();
    if let (false, Some(said)) = (receivers.takes_include_sender(), include_sender) {
        let message = "`include-sender` belongs to rooms (`receivers = \"room\"`): a friend is one other person";
        return Err((said.span(), message.into()));
    }
    let mut rule = receivers.rule();
    rule.text = text.map(String::from);
    rule.include_sender = include_sender.is_some_and(|it| *it.get_ref());
    if let Some(most) = &table.max_text_bytes {
        rule.max_text_bytes = most.get_ref().0;
    }
    rule.envelope = table.envelope.as_ref().is_some_and(|it| *it.get_ref());
    if let (true, Some(text)) = (rule.envelope, &table.text)
        && [REFERENCE, ATTRIBUTES].contains(&text.get_ref().as_ref())
    {
        let message = format!(
            "with `envelope`, the member `{REFERENCE}` is for receipts and `{ATTRIBUTES}` for other texts: choose another \
             name for the member with the text"
        );
        return Err((text.span(), message));
    }
    if let Some(history) = &table.history {
        if !rule.envelope {
            let message = "`history` keeps messages with their id, sender and time: add `envelope = true` to this route";
            return Err((history.span(), message.into()));
        }
        rule.history = Some(history.get_ref().0);
    }
    Ok(Purpose::People { receivers, rule })
}

/// `$connect` and `$disconnect` have `http` and nothing else.
fn lifecycle_backend(table: &RouteTable, folder: &Path) -> Result<Backend, Problem> {
    let key = table.key.get_ref();
    if table.http.is_none() {
        let message = format!(
            "chatctl creates the `{key}` route itself; its only option is `http`, which gives it to a backend"
        );
        return Err((table.key.span(), message));
    }
    let purpose = purpose(table, folder)?;
    if let Some(text) = &table.text {
        return Err((
            text.span(),
            format!("`{key}` carries no message, so it has no `text`"),
        ));
    }
    match purpose {
        Purpose::Http { backend, .. } => Ok(backend),
        _ => unreachable!("a table with `http` has that purpose"),
    }
}

/// The secret of the table's backend. A relative file path starts at `folder`.
fn secret(table: &RouteTable, folder: &Path) -> Option<SecretHeader> {
    let secret = table.secret_header.as_ref()?.get_ref().clone();
    Some(SecretHeader {
        local: secret.local.map(|place| place.beside(folder)),
        ..secret
    })
}

/// Checks that both routes are there, or neither.
fn pair(
    mut backends: BTreeMap<&str, (&Spanned<RouteKey>, Backend)>,
) -> Result<Option<Lifecycle>, Problem> {
    match (backends.remove("$connect"), backends.remove("$disconnect")) {
        (None, None) => Ok(None),
        (Some((_, connect)), Some((_, disconnect))) => Ok(Some(Lifecycle {
            connect,
            disconnect,
        })),
        (Some((key, _)), None) => Err((
            key.span(),
            "a backend that handles `$connect` must also handle `$disconnect`: add a route with that key".into(),
        )),
        (None, Some((key, _))) => Err((
            key.span(),
            "a backend that handles `$disconnect` must also handle `$connect`: add a route with that key".into(),
        )),
    }
}

/// Refuses `receivers` where a backend keeps the connections, because our functions have no record of them.
fn refuse_receivers(tables: &[Spanned<RouteTable>]) -> Result<(), Problem> {
    let ours = tables
        .iter()
        .map(Spanned::get_ref)
        .find(|table| table.http.is_none() && table.handler.is_none());
    match ours {
        None => Ok(()),
        Some(table) => Err((
            table.receivers.as_ref().map_or(table.key.span(), Spanned::span),
            "with `$connect` at a backend, the stack has no record of connections, so messages find no receivers: give \
             this route `http` or `handler`, or remove the `$connect` and `$disconnect` routes"
                .into(),
        )),
    }
}
