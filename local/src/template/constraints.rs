//! Checks a parameter's value against its constraints.

use super::kind::Kind;
use super::node::Node;
use super::problem::{Problem, Problems, TemplatePath};
use apigw_mapping::Pattern;

/// The most steps of comparing one value with its pattern: a tenth of a second in a release build.
const MAX_STEPS: usize = 200_000;

/// Checks one `item` of a value against the parameter's declaration; messages show it as `shown`.
pub(super) fn check(
    kind: Kind,
    item: &str,
    shown: &str,
    declared: &Node,
    place: &TemplatePath<'_>,
    problems: &mut Problems,
) -> Result<(), Problem> {
    let limit = |name: &str| {
        declared
            .child(name)
            .map(|node| number(node, &place.key(name)))
    };
    let fails = |reason: String| Err(Problem::new(declared.line, place, reason));
    if matches!(kind, Kind::Number | Kind::NumberList) {
        let Some(value) = item.parse::<f64>().ok().filter(|value| value.is_finite()) else {
            return fails(format!("{shown} is not a number"));
        };
        match (
            limit("MinValue").transpose()?,
            limit("MaxValue").transpose()?,
        ) {
            (Some(least), _) if value < least => {
                return fails(format!("{shown} is below the minimum, {least}"));
            }
            (_, Some(most)) if value > most => {
                return fails(format!("{shown} is above the maximum, {most}"));
            }
            _ => {}
        }
    } else {
        #[expect(clippy::cast_precision_loss, reason = "a value has 4096 bytes at most")]
        let length = item.chars().count() as f64;
        match (
            limit("MinLength").transpose()?,
            limit("MaxLength").transpose()?,
        ) {
            (Some(least), _) if length < least => {
                return fails(format!("{shown} is shorter than {least} characters"));
            }
            (_, Some(most)) if length > most => {
                return fails(format!("{shown} is longer than {most} characters"));
            }
            _ => {}
        }
        if let Some(pattern) = declared.child("AllowedPattern") {
            check_pattern(pattern, item, shown, &place.key("AllowedPattern"), problems)?;
        }
    }
    if let Some(allowed) = declared.child("AllowedValues") {
        let place = place.key("AllowedValues");
        let allowed = allowed
            .expect_list(&place)?
            .iter()
            .map(|value| value.expect_text(&place))
            .collect::<Result<Vec<_>, _>>()?;
        if !allowed.contains(&item) {
            return fails(format!(
                "{shown} is not one of the allowed values: {}",
                allowed.join(", ")
            ));
        }
    }
    Ok(())
}

fn check_pattern(
    node: &Node,
    item: &str,
    shown: &str,
    place: &TemplatePath<'_>,
    problems: &mut Problems,
) -> Result<(), Problem> {
    let pattern = node.expect_text(place)?;
    let problem = |reason| Err(Problem::new(node.line, place, reason));
    // The whole value must match, as with Java's `matches`.
    match Pattern::from_java(pattern) {
        Ok(compiled) if compiled.steps(item.len()) > MAX_STEPS => {
            let reason = format!(
                "{shown} is not checked here: matching the pattern with {} bytes takes too long; CloudFormation checks it",
                item.len()
            );
            problems.note(Problem::new(node.line, place, reason));
            Ok(())
        }
        Ok(compiled) if compiled.is_match(item) => Ok(()),
        Ok(_) => problem(format!("{shown} does not match `{pattern}`")),
        Err(error) => {
            let reason = format!(
                "{shown} is not checked here: the local target does not support {error} in `{pattern}`; CloudFormation does"
            );
            problems.note(Problem::new(node.line, place, reason));
            Ok(())
        }
    }
}

fn number(node: &Node, place: &TemplatePath<'_>) -> Result<f64, Problem> {
    let text = node.expect_text(place)?;
    text.parse().map_err(|_| {
        Problem::new(
            node.line,
            place,
            format!("must be a number, but is `{text}`"),
        )
    })
}
