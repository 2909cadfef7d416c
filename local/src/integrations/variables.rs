//! Stage variables in URLs and ARNs:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-stages.html>. Pure.

use std::collections::BTreeMap;

use crate::stack::{Integration, IntegrationKind};

/// `integration` with the stage's variables replaced.
pub(crate) fn filled(
    integration: &Integration,
    variables: &BTreeMap<String, String>,
) -> Result<Integration, String> {
    let mut integration = integration.clone();
    match &mut integration.kind {
        IntegrationKind::Function { arn } => *arn = fill(arn, variables)?,
        IntegrationKind::HttpProxy(request) | IntegrationKind::Http(request, _) => {
            request.uri = fill(&request.uri, variables)?;
        }
        IntegrationKind::Mock(_) => {}
    }
    Ok(integration)
}

/// `text` with every `${stageVariables.name}` replaced. The error names the missing variable.
pub(crate) fn fill(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${stageVariables.") {
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| format!("`}}` is missing in `{text}`"))?;
        let missing = || format!("the stage has no variable `{name}`, which `{text}` needs");
        filled.push_str(before);
        filled.push_str(variables.get(name).ok_or_else(missing)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_filled_in_once() {
        let variables = BTreeMap::from([
            ("a".to_owned(), "1".to_owned()),
            ("b".to_owned(), "${stageVariables.a}".to_owned()),
        ]);
        let filled = |text: &str| fill(text, &variables);
        assert_eq!(
            filled("x/${stageVariables.a}/${stageVariables.b}/{a}").as_deref(),
            Ok("x/1/${stageVariables.a}/{a}")
        );
        assert_eq!(filled("plain").as_deref(), Ok("plain"));
        assert!(filled("${stageVariables.c}").is_err());
        assert!(filled("${stageVariables.a").is_err());
    }
}
