//! What a route's table says of the review of its messages.

use std::path::{Component, Path};

use chat_protocol::review::TIMEOUT_MS;
use toml::Spanned;

use super::Problem;
use super::table::RouteTable;
use crate::config::names::{RouteKey, StackName, StageName};
use crate::config::permission::{Grant, MAX_POLICIES_BYTES, size_of_policies};
use crate::config::route::Review;

/// The review in `table`, which has receivers. A relative folder starts at `folder`.
///
/// # Errors
/// Keys that do not belong together, with the place of one.
pub(super) fn review(table: &RouteTable, folder: &Path) -> Result<Option<Review>, Problem> {
    let Some(named) = &table.review else {
        let alone = [
            (
                "review-permissions",
                table.review_permissions.as_ref().map(Spanned::span),
            ),
            (
                "review-fallback",
                table.review_fallback.as_ref().map(Spanned::span),
            ),
            (
                "review-timeout",
                table.review_timeout.as_ref().map(Spanned::span),
            ),
        ];
        let alone = alone
            .into_iter()
            .find_map(|(key, place)| Some((key, place?)));
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
    let written = &named.get_ref().0;
    Ok(Some(Review {
        name: plain(written),
        folder: folder.join(written),
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

/// The folder as one of several spellings: without `.` and doubled slashes.
fn plain(written: &str) -> String {
    let parts = Path::new(written).components();
    let parts: std::path::PathBuf = parts.filter(|part| *part != Component::CurDir).collect();
    match parts.to_string_lossy() {
        here if here.is_empty() => ".".to_owned(),
        there => there.into_owned(),
    }
}

/// Checks that what all routes grant to each review function fits into the policies of its role, in `stack` at `stage`.
///
/// # Errors
/// The first list with which it is too much.
pub(in crate::config) fn check_reviewers(
    tables: &[Spanned<RouteTable>],
    (stack, stage): (&StackName, &StageName),
) -> Result<(), Problem> {
    let key: RouteKey = "review".parse().expect("it is a word");
    let mut granted: Vec<(String, Vec<Grant>)> = Vec::new();
    for table in tables.iter().map(Spanned::get_ref) {
        let (Some(named), Some(grants)) = (&table.review, &table.review_permissions) else {
            continue;
        };
        let name = plain(&named.get_ref().0);
        let at = granted.iter().position(|(one, _)| *one == name);
        let at = at.unwrap_or_else(|| {
            granted.push((name, Vec::new()));
            granted.len() - 1
        });
        let all = &mut granted[at].1;
        for grant in grants.get_ref() {
            if !all.contains(grant) {
                all.push(grant.clone());
            }
        }
        let size = size_of_policies(all, &key, stack, stage);
        if size > MAX_POLICIES_BYTES {
            let message = format!(
                "the permissions of the review function take {size} characters in its role's policies, which IAM limits to \
                 {MAX_POLICIES_BYTES} in total: grant less, or name related resources once, with a wildcard for a part of \
                 their names"
            );
            return Err((grants.span(), message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_has_one_name_however_it_is_written() {
        for written in ["filter", "./filter", "filter/", "filter/.", ".//filter"] {
            assert_eq!(plain(written), "filter");
        }
        assert_eq!((plain("."), plain("./")), (".".into(), ".".into()));
        assert_eq!(
            (plain("../filter"), plain("/a//b")),
            ("../filter".into(), "/a/b".into())
        );
    }

    #[test]
    fn a_review_is_kept_with_its_defaults_and_routes_with_the_same_folder_share_a_function() {
        use chat_protocol::review::Fallback::{Allow, Refuse};
        let grant = |action: &str| {
            format!(
                "review-permissions = [{{ actions = [\"{action}\"], resources = [\"table\"] }}]\n"
            )
        };
        let route = |key: &str, more: &str| {
            format!("[[routes]]\nkey = \"{key}\"\nenvelope = true\nreview = {more}\n")
        };
        let text = [
            route("a", "\"filter\""),
            route(
                "b",
                "\"./filter\"\nreview-timeout = \"500ms\"\nreview-fallback = \"allow\"",
            ) + &grant("dynamodb:GetItem"),
            route("c", "\"other\""),
            route("d", "\"filter/\"") + &grant("dynamodb:GetItem"),
            route("e", "\"filter\"") + &grant("dynamodb:PutItem"),
        ]
        .concat();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), text).unwrap();
        let settings = crate::config::Settings::load(folder.path(), Default::default()).unwrap();
        let reviews: Vec<_> = settings.reviews().map(|(_, review)| review).collect();
        let said = reviews.iter().map(|it| (it.fallback, it.timeout_ms));
        let plain = (Refuse, 2_000);
        assert_eq!(
            said.collect::<Vec<_>>(),
            [plain, (Allow, 500), plain, plain, plain]
        );
        let functions = settings.review_functions();
        let shown = functions
            .iter()
            .map(|it| (it.name, it.grants.len(), it.timeout_ms));
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [("filter", 2, 2_000), ("other", 0, 2_000)]
        );
        assert_eq!(functions[0].folder, folder.path().join("filter"));
    }

    #[test]
    fn permissions_that_do_not_fit_into_the_review_function_s_role_are_refused_at_their_place() {
        let route = |key: &str, letter: &str| {
            let arn = format!("arn:aws:s3:::{}", letter.repeat(5_100));
            format!(
                "[[routes]]\nkey = \"{key}\"\nenvelope = true\nreview = \"filter\"\n\
                 review-permissions = [{{ actions = [\"s3:GetObject\"], resources = [\"{arn}\"] }}]\n"
            )
        };
        let load = |text: &str| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("chatctl.toml"), text).unwrap();
            crate::config::Settings::load(folder.path(), Default::default())
        };
        load(&(route("a", "x") + &route("b", "x"))).unwrap();
        // Each alone would fit.
        let error = load(&(route("a", "x") + &route("b", "y")))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("chatctl.toml:10:22: the permissions of the review function take 10"),
            "{error}"
        );
    }
}
