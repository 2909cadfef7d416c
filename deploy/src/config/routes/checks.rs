//! What holds for all routes together.

use std::collections::BTreeMap;

use chat_protocol::{Answers, Handler, Mode, Rule};
use toml::Spanned;

use super::table::RouteTable;
use super::{Problem, Purpose, Route, RouteKey};

/// The most bytes that the rules of all routes of one function may have as JSON: they travel in its environment,
/// which holds 4 KB (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MAX_RULES: usize = 3_072;

/// Checks that what routes answer can be looked up.
pub(super) fn check_answers(
    tables: &[Spanned<RouteTable>],
    messages: &[Route],
) -> Result<(), Problem> {
    let has_rooms = messages.iter().any(|route| {
        matches!(&route.purpose, Purpose::People { receivers, .. } if receivers.reach_a_room())
    });
    let has_history = messages
        .iter()
        .filter_map(|route| route.purpose.rule())
        .any(|rule| rule.history.is_some());
    for answers in tables.iter().filter_map(|it| it.get_ref().answers.as_ref()) {
        let missing = match answers.get_ref() {
            Answers::Who if !has_rooms => {
                "`who` answers who is in a room, and no route has `receivers = \"room\"`"
            }
            Answers::History if !has_history => {
                "`history` reads messages that are kept, and no route keeps any: add `history = \"7d\"` to one with \
                 `envelope = true`"
            }
            Answers::Delete if !has_history => {
                "`delete` deletes messages that are kept, and no route keeps any: add `history = \"7d\"` to one with \
                 `envelope = true`"
            }
            _ => continue,
        };
        return Err((answers.span(), missing.into()));
    }
    Ok(())
}

/// Checks that senders can have the rights that routes ask for, in a stack whose names are proven as `mode` says.
///
/// # Errors
/// The first route that no sender could use.
pub(in crate::config) fn check_rights(
    tables: &[Spanned<RouteTable>],
    mode: Mode,
) -> Result<(), Problem> {
    if mode.proves_names() {
        return Ok(());
    }
    let mut answers = tables.iter().filter_map(|it| it.get_ref().answers.as_ref());
    let needed = answers.find_map(|it| Some((it.span(), it.get_ref().right()?)));
    needed.map_or(Ok(()), |(place, right)| {
        let message = format!(
            "only a sender with the right `{right}` may ask for this, and nothing proves names or rights here: set `mode` under \
             `[auth]` to \"token\" or \"jwt\""
        );
        Err((place, message))
    })
}

/// Checks that the rules of all routes of a function fit into its environment.
pub(super) fn check_size(
    tables: &[Spanned<RouteTable>],
    messages: &[Route],
) -> Result<(), Problem> {
    let mut sizes: BTreeMap<Handler, usize> = BTreeMap::new();
    for route in messages {
        let Purpose::People { receivers, rule } = &route.purpose else {
            continue;
        };
        let size = sizes.entry(receivers.handler()).or_default();
        *size +=
            bytes(&route.key, rule) + route.review.as_ref().map_or(0, |_| of_a_review(&route.key));
        if *size > MAX_RULES {
            let table = tables
                .iter()
                .find(|table| table.get_ref().key.get_ref() == &route.key);
            let place = table.map_or(0..0, |table| table.get_ref().key.span());
            let message = "one route too many: the options of all routes no longer fit into a function's environment, \
                           which AWS Lambda limits to 4 KB";
            return Err((place, message.into()));
        }
    }
    Ok(())
}

/// An upper bound of the bytes that a route's review takes in its function's environment, with the longest name of a function.
fn of_a_review(key: &RouteKey) -> usize {
    key.as_ref().len() + 64 + 64
}

/// An upper bound of the bytes that a route takes in a function's environment: key and text field, and the names of the
/// three options with their punctuation and values; `envelope` and `history` are only there if they are set.
fn bytes(key: &RouteKey, rule: &Rule) -> usize {
    let envelope = if rule.envelope { 20 } else { 0 };
    let history = if rule.history.is_some() { 24 } else { 0 };
    key.as_ref().len() + rule.text.as_ref().map_or(0, String::len) + 64 + envelope + history
}
