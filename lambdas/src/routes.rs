//! The rules of a function's routes.

use std::collections::HashMap;

pub use chat_protocol::Rule;

/// The rules of one function's routes, by key. A route without an entry has the default rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    by_key: HashMap<String, Rule>,
    default: Rule,
}

impl Routes {
    /// Reads routes from one JSON object, by route key: `{"onMessage":{"text":"message","includeSender":true,"maxTextBytes":32768}}`.
    ///
    /// # Errors
    /// The problem and its place, if it is not such an object.
    pub fn parse(json: &str) -> Result<Self, String> {
        let by_key = serde_json::from_str(json).map_err(|error| error.to_string())?;
        Ok(Self {
            by_key,
            default: Rule::default(),
        })
    }

    /// The same rule for every route.
    #[must_use]
    pub fn all(rule: Rule) -> Self {
        Self {
            by_key: HashMap::new(),
            default: rule,
        }
    }

    /// The rule of the route with `key`.
    #[must_use]
    pub fn rule(&self, key: Option<&str>) -> &Rule {
        key.and_then(|key| self.by_key.get(key))
            .unwrap_or(&self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::{Routes, Rule};

    #[test]
    fn each_route_has_its_own_rule() {
        let routes = Routes::parse(
            r#"{"onMessage":{"text":"message","includeSender":true,"maxTextBytes":32768},"$default":{"includeSender":false,"maxTextBytes":7}}"#,
        )
        .unwrap();
        let on_message = Rule {
            text: Some("message".to_owned()),
            include_sender: true,
            max_text_bytes: 32_768,
            envelope: false,
            history: None,
        };
        assert_eq!(*routes.rule(Some("onMessage")), on_message);
        let default = routes.rule(Some("$default"));
        assert_eq!((&default.text, default.max_text_bytes), (&None, 7));
        assert_eq!(*routes.rule(Some("other")), Rule::default());
        assert_eq!(*routes.rule(None), Rule::default());
    }

    #[test]
    fn invalid_routes_are_refused_with_their_place() {
        let reason = |json| Routes::parse(json).unwrap_err();
        assert!(reason("").contains("line 1"));
        assert!(
            reason(r#"{"a":{"includesender":true}}"#).contains("unknown field `includesender`")
        );
    }
}
