//! Finds selection expressions that select nothing, and mapping keys that nothing selects. AWS accepts both without an
//! error.
//!
//! See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html>.

use super::super::created::{Created, of_kind};
use super::kinds::{API, INTEGRATION, INTEGRATION_RESPONSE, ROUTE};
use crate::template::problem::Problems;
use apigw_mapping::JsonPath;

/// The variables of an expression for messages, and of one for backends' responses.
const OF_REQUESTS: &[&str] = &["request.body"];
const OF_ANSWERS: &[&str] = &[
    "request.body",
    "integration.response.statuscode",
    "integration.response.header.",
    "integration.response.multivalueheader.",
];

/// Keys of templates that count without being selected.
const FOR_ALL: [&str; 2] = ["$default", "application/json"];

pub(super) fn check(created: &[Created], problems: &mut Problems) {
    for (kind, property, known) in [
        (&API, "RouteSelectionExpression", OF_REQUESTS),
        (&ROUTE, "ModelSelectionExpression", OF_REQUESTS),
        (&INTEGRATION, "TemplateSelectionExpression", OF_REQUESTS),
        (
            &INTEGRATION_RESPONSE,
            "TemplateSelectionExpression",
            OF_ANSWERS,
        ),
    ] {
        for resource in of_kind(created, kind) {
            let expression = resource.text(property);
            if let Some(why) = expression.and_then(|expression| fault(expression, known)) {
                problems.note(resource.problem(property, why));
            }
        }
    }
    for (kind, property) in [
        (&INTEGRATION, "RequestTemplates"),
        (&INTEGRATION_RESPONSE, "ResponseTemplates"),
    ] {
        for resource in of_kind(created, kind) {
            if let Some(why) = unselected(resource, property) {
                problems.note(resource.problem(property, why));
            }
        }
    }
}

/// Why `expression` can never select anything; `None` if it can.
fn fault(expression: &str, known: &[&str]) -> Option<String> {
    let unescaped = expression.replace("\\$", "");
    let mut rest = unescaped.as_str();
    while let Some((_, after)) = rest.split_once('$') {
        let (name, next) = match after.strip_prefix('{') {
            Some(inside) => match inside.split_once('}') {
                Some(split) => split,
                None => return Some(format!("`{expression}`: a `}}` is missing")),
            },
            None => (after, ""),
        };
        let is_known = |one: &&&str| match one.strip_suffix('.') {
            Some(_) => name.starts_with(**one) && name.len() > one.len(),
            None => name.starts_with(**one),
        };
        // `$default` is a key that is always selected.
        if name != "default" {
            let Some(found) = known.iter().find(is_known) else {
                return Some(format!(
                    "`{expression}` selects nothing: `${name}` is not a variable here, only {}",
                    known.join(", ")
                ));
            };
            if *found == "request.body"
                && let Err(why) = JsonPath::parse(&format!("${}", &name["request.body".len()..]))
            {
                return Some(format!("`{expression}` selects nothing: {why}"));
            }
        }
        rest = next;
    }
    None
}

/// Why no template of a map can be selected; `None` if one is, or if an expression may select one.
fn unselected(resource: &Created, property: &str) -> Option<String> {
    let keys: Vec<&str> = resource
        .map(property)
        .map(|(key, _)| key.as_str())
        .collect();
    let expression = resource.text("TemplateSelectionExpression");
    let is_selected = match expression {
        Some(expression) if expression.contains('$') => true,
        Some(fixed) => keys.contains(&fixed),
        None => false,
    };
    let is_for_all = keys.iter().any(|key| FOR_ALL.contains(key));
    if keys.is_empty() || is_selected || is_for_all {
        return None;
    }
    Some(format!(
        "none of these templates is ever used: {}; {}",
        keys.join(", "),
        match expression {
            Some(expression) =>
                format!("the TemplateSelectionExpression `{expression}` yields none of these keys"),
            None =>
                "without a TemplateSelectionExpression only the key $default is used".to_owned(),
        }
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_that_selects_nothing_is_reported_with_the_reason() {
        for good in [
            "$request.body.action",
            "${request.body.service}/${request.body.action}",
            "$request.body.[0]",
            "$request.body['a.b'][0]",
            "fixed",
            "\\$default",
            "$default",
        ] {
            assert_eq!(fault(good, OF_REQUESTS), None, "{good}");
        }
        for (bad, why) in [
            ("${request.body.action", "a `}` is missing"),
            ("$request.header.x", "is not a variable"),
            ("$context.connectionId", "is not a variable"),
            ("${integration.response.statuscode}", "is not a variable"),
            ("$request.body.", "has an empty name"),
            ("$request.body.a[?(@.b)]", "bracket"),
        ] {
            let reported = fault(bad, OF_REQUESTS).unwrap_or_else(|| panic!("{bad}"));
            assert!(reported.contains(why), "{bad}: {reported}");
        }
        assert_eq!(
            fault("${integration.response.statuscode}", OF_ANSWERS),
            None
        );
        assert!(fault("$integration.response.header.", OF_ANSWERS).is_some());
    }
}
