//! The sections with an effect on AWS alone: `[aws]`, `[domain]`, `[alarms]`, and `access` under `[logs]`.

use std::ops::Range;

use super::account::Aws;
use super::file::File;
use super::snippet::Snippet;

/// The settings of these sections of `file`, without Region, profile and processor, which flags may name as well.
///
/// # Errors
/// The first problem, with its line.
pub(super) fn resolve(
    file: &File,
    snippet: impl Fn(Range<usize>, String) -> Snippet + Copy,
) -> Result<Aws, Snippet> {
    let problem = |(place, message)| snippet(place, message);
    let mut rules = file.aws.rules(snippet).map_err(problem)?;
    let mut also = |key, arn: &str, span| rules.also(key, arn, snippet(span, arn.to_owned()));
    let domain = file.domain.as_ref();
    if let Some(arn) = domain.and_then(|table| table.certificate.as_ref()) {
        also("certificate", arn.get_ref().as_ref(), arn.span());
    }
    let alarms = file.alarms.as_ref();
    if let Some(arn) = alarms.and_then(|table| table.get_ref().topic.as_ref()) {
        also("topic", arn.get_ref().as_ref(), arn.span());
    }
    let routes = file.routes.iter().map(toml::Spanned::get_ref);
    let functions = routes.flat_map(|route| [route.given(), route.given_to_review()]);
    for given in functions.chain([file.auth.given()]) {
        for (key, arn, place) in given.arns() {
            also(key, &arn, place);
        }
    }
    let alarms = alarms.map(|table| table.get_ref().resolve(table.span()));
    Ok(Aws {
        rules,
        domain: domain.map(|table| table.resolve(snippet)),
        alarms: alarms.transpose().map_err(problem)?,
        has_access_logs: file.logs.access,
        ..Aws::default()
    })
}
