//! What a route's table says of the review of its messages.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use chat_protocol::review::{TIMEOUT_MS, TIMEOUTS_MS};
use serde::Deserialize;
use toml::Spanned;

use super::Problem;
use super::table::RouteTable;
use crate::config::function::FunctionSettings;
use crate::config::names::{RouteKey, StackName, StageName};
use crate::config::permission::{Grant, MAX_POLICIES_BYTES, size_of_policies};
use crate::config::route::{Review, Route};

/// For how long a review is waited for: a whole number with `ms` or `s`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct ReviewTimeout(u32);

impl TryFrom<String> for ReviewTimeout {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let (number, factor) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
            (Some(number), _) => (number, 1),
            (None, Some(number)) => (number, 1_000),
            (None, None) => ("", 0),
        };
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let millis = is_number.then(|| number.parse::<u32>().ok()).flatten();
        match millis.and_then(|millis| millis.checked_mul(factor)) {
            Some(millis) if TIMEOUTS_MS.contains(&millis) => Ok(Self(millis)),
            _ => Err(format!(
                "{text:?} is not a time for a review: \"{}ms\" to \"{}s\", for example \"500ms\" or \"2s\"",
                TIMEOUTS_MS.start(),
                TIMEOUTS_MS.end() / 1_000
            )),
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_whole_number_with_its_unit() {
        let read = |text: &str| ReviewTimeout::try_from(text.to_owned()).map(|it| it.0);
        assert_eq!(read("100ms"), Ok(100));
        assert_eq!(read("2s"), Ok(2_000));
        assert_eq!(read("10000ms"), Ok(10_000));
        for text in [
            "",
            "s",
            "ms",
            "2",
            "2 s",
            "+2s",
            "1.5s",
            "99ms",
            "11s",
            "0s",
            "2m",
            "-1s",
            "4294968s",
            "99999999999s",
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains("\"100ms\" to \"10s\""), "{text}: {error}");
        }
    }

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

    fn load(text: &str) -> Result<crate::config::Settings, crate::config::ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), text).unwrap();
        crate::config::Settings::load(folder.path(), Default::default())
    }

    fn route(key: &str, more: &str) -> String {
        format!("[[routes]]\nkey = \"{key}\"\nenvelope = true\n{more}\n")
    }

    #[test]
    fn one_function_has_the_settings_of_all_of_its_routes() {
        let text = [
            route(
                "a",
                "review = \"filter\"\nreview-memory = 256\nreview-environment = { A1 = \"1\" }",
            ),
            route(
                "b",
                "review = \"./filter\"\nreview-memory = 256\nreview-environment = { A1 = \"1\", B1 = \"2\" }",
            ),
            route(
                "c",
                "review = \"filter\"\nreview-secrets = { KEY = { ssm = \"/k\", file = \"key\" } }",
            ),
            route(
                "d",
                "review = \"filter\"\nreview-binary = \"other\"\nreview-memory = 512",
            ),
        ];
        let settings = load(&text.concat()).unwrap();
        let functions = settings.review_functions();
        let shown = functions.iter().map(|it| {
            let (variables, secrets) = (&it.settings.environment, &it.settings.secrets);
            let memory = it.settings.memory.unwrap().0;
            (it.name, it.binary, variables.len(), secrets.len(), memory)
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                ("filter", None, 2, 1, 256),
                ("filter//other", Some("other"), 0, 0, 512)
            ]
        );
        // The local stack reads the value.
        assert_eq!(settings.secret_files().count(), 3);
    }

    #[test]
    fn settings_of_one_function_that_contradict_one_another_are_refused_at_the_second_place() {
        let first = route(
            "a",
            "review = \"filter\"\nreview-memory = 256\nreview-environment = { A1 = \"1\" }",
        );
        for (second, place) in [
            ("review-memory = 512", "11:17: `review-memory` contradicts"),
            (
                "review-environment = { A1 = \"2\" }",
                "11:22: `review-environment` contradicts",
            ),
            (
                "review-secrets = { A1 = { ssm = \"a\" } }",
                "11:18: `review-secrets` contradicts",
            ),
        ] {
            let second = route("b", &format!("review = \"filter/\"\n{second}"));
            let error = load(&format!("{first}{second}")).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("chatctl.toml:{place}")),
                "{error}"
            );
        }
    }

    #[test]
    fn settings_of_a_review_are_checked_like_those_of_a_handler() {
        let review = "review = \"filter\"";
        for (more, expected) in [
            ("review-memory = 256", "`review-memory` belongs to `review`"),
            (
                &format!("{review}\nmemory = 256"),
                "`memory` belongs to a route with `handler`; for the function of `review`, write `review-memory`",
            ),
            (
                &format!("{review}\npermissions = []"),
                "for the function of `review`, write `review-permissions`",
            ),
            (
                &format!("{review}\nreview-memory = 64"),
                "only 128 to 10240",
            ),
            (
                &format!("{review}\nreview-binary = \"a/b\""),
                "is not the name of a binary",
            ),
            (
                &format!("{review}\nreview-environment = {{ TABLE_NAME = \"x\" }}"),
                "variables that the stack sets",
            ),
            (
                &format!(
                    "{review}\nreview-environment = {{ LONG = \"{}\" }}",
                    "x".repeat(4_096)
                ),
                "AWS Lambda takes 4096",
            ),
        ] {
            let error = load(&route("a", more)).unwrap_err().to_string();
            assert!(error.contains(expected), "{more}: {error}");
        }
        for kind in [
            "http = \"https://b.example/\"",
            "handler = \"a\"",
            "answers = \"who\"",
        ] {
            let text = format!("[[routes]]\nkey = \"a\"\n{kind}\nreview-memory = 256\n");
            let error = load(&text).unwrap_err().to_string();
            assert!(
                error.contains("`review-memory` belongs to a route with `receivers`"),
                "{error}"
            );
        }
    }
}
