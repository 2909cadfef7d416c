//! What a route's table says of the review of its messages.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Component, Path};

use chat_protocol::review::TIMEOUT_MS;
use toml::Spanned;

use super::Problem;
use super::table::RouteTable;
use crate::config::function::FunctionSettings;
use crate::config::names::{RouteKey, StackName, StageName};
use crate::config::permission::{Grant, MAX_POLICIES_BYTES, size_of_policies};
use crate::config::route::{Review, Route};

/// The review in `table`, which has receivers. A relative folder starts at `folder`.
///
/// # Errors
/// Keys that do not belong together, with the place of one.
pub(super) fn review(table: &RouteTable, folder: &Path) -> Result<Option<Review>, Problem> {
    let Some(named) = &table.review else {
        let place = |key, at: Option<_>| Some((String::from(key), at?));
        let alone = place(
            "review-permissions",
            table.review_permissions.as_ref().map(Spanned::span),
        );
        let alone = alone.or_else(|| {
            let at = table.review_fallback.as_ref().map(Spanned::span);
            place("review-fallback", at)
        });
        let alone = alone.or_else(|| {
            let at = table.review_timeout.as_ref().map(Spanned::span);
            place("review-timeout", at)
        });
        let alone = alone.or_else(|| table.given_to_review().first());
        return match alone {
            None => Ok(None),
            Some((key, place)) => {
                let message = format!(
                    "`{key}` belongs to `review`, which names the folder of your review function's crate: add `review`"
                );
                Err((place, message))
            }
        };
    };
    if !table.envelope.as_ref().is_some_and(|it| *it.get_ref()) {
        let message = "`review` needs `envelope = true`: without it a message has neither a sender nor an id, and a refusal no \
                       `ref`; add that line";
        return Err((named.span(), message.into()));
    }
    let given = table.given_to_review();
    Ok(Some(Review {
        name: name(table).unwrap_or_default(),
        folder: folder.join(&named.get_ref().0),
        binary: given.binary()?,
        settings: given.settings(folder)?,
        grants: table
            .review_permissions
            .as_ref()
            .map(|grants| grants.get_ref().clone())
            .unwrap_or_default(),
        fallback: table
            .review_fallback
            .as_ref()
            .map(|it| *it.get_ref())
            .unwrap_or_default(),
        timeout_ms: table
            .review_timeout
            .as_ref()
            .map_or(TIMEOUT_MS, |it| it.get_ref().0),
    }))
}

/// Gives the reviews of `routes`, which are those of `tables`, the settings that all routes together have for their function.
///
/// # Errors
/// Two routes with different values for one function, with the place of the second one.
pub(super) fn share(tables: &[Spanned<RouteTable>], routes: &mut [Route]) -> Result<(), Problem> {
    let mut functions: BTreeMap<String, FunctionSettings> = BTreeMap::new();
    for route in routes.iter() {
        let Some(review) = &route.review else {
            continue;
        };
        let all = functions.entry(review.name.clone()).or_default();
        all.join(&review.settings).map_err(|key| {
            let mut tables = tables.iter().map(Spanned::get_ref);
            let table = tables.find(|table| table.key.get_ref() == &route.key);
            let place = table.and_then(|table| table.given_to_review().place(key));
            let message = format!(
                "`review-{key}` contradicts another route with the same review function, which has one value of each for all of \
                 its routes: write it on one of them"
            );
            (place.unwrap_or_default(), message)
        })?;
    }
    for review in routes.iter_mut().filter_map(|route| route.review.as_mut()) {
        if let Some(settings) = functions.get(&review.name) {
            review.settings.clone_from(settings);
        }
    }
    Ok(())
}

/// The name of the function that reviews the messages of the route in `table`. It is a path with two slashes if there is a binary,
/// which no folder's name has.
fn name(table: &RouteTable) -> Option<String> {
    let folder = plain(&table.review.as_ref()?.get_ref().0);
    Some(
        match &table.given_to_review().binary.map(Spanned::get_ref) {
            Some(binary) => format!("{folder}//{binary}"),
            None => folder,
        },
    )
}

/// The folder as one of several spellings: without `.` and doubled slashes.
fn plain(written: &str) -> String {
    let parts = Path::new(written).components();
    let parts: std::path::PathBuf = parts.filter(|part| *part != Component::CurDir).collect();
    match parts.to_string_lossy() {
        here if here.is_empty() => ".".to_owned(),
        there => there.into_owned(),
    }
}

/// Checks that what all routes together have for each review function fits: its permissions into the policies of its role, in
/// `stack` at `stage`, and its variables beside `own` bytes of the stack's.
///
/// # Errors
/// The first route with which it is too much.
pub(in crate::config) fn check_reviewers(
    tables: &[Spanned<RouteTable>],
    (stack, stage): (&StackName, &StageName),
    own: usize,
) -> Result<(), Problem> {
    let key: RouteKey = "review".parse().expect("it is a word");
    let mut functions: BTreeMap<String, (Vec<Grant>, FunctionSettings)> = BTreeMap::new();
    for table in tables.iter().map(Spanned::get_ref) {
        let Some(name) = name(table) else {
            continue;
        };
        let (granted, settings) = functions.entry(name).or_default();
        let given = table.given_to_review();
        // They go together, or there would be no routes.
        let _ = settings.join(&given.settings(Path::new(""))?);
        let listed = table.review_permissions.as_ref();
        for grant in listed.map(Spanned::get_ref).into_iter().flatten() {
            if !granted.contains(grant) {
                granted.push(grant.clone());
            }
        }
        let size = size_of_policies(granted, &key, stack, stage);
        let of_settings = settings.policies_bytes();
        if let Some(grants) = listed
            && size + of_settings > MAX_POLICIES_BYTES
        {
            let message = format!(
                "the permissions of the review function take {} characters in its role's policies, which IAM limits to \
                 {MAX_POLICIES_BYTES} in total: grant less, or name related resources once, with a wildcard for a part of \
                 their names",
                size + of_settings
            );
            return Err((grants.span(), message));
        }
        given.check_policies_of(settings, size)?;
        given.check_environment_of(settings, own)?;
    }
    Ok(())
}
