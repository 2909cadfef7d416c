//! What a function must know about the routes that lead to it.

use std::collections::HashMap;

use serde::Deserialize;

/// The most that one message may have, in bytes, and therefore what a friend's route allows by default.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>.
pub const MAXIMUM_MESSAGE_BYTES: usize = 128 * 1024;

/// How a route reads what is sent to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// The member of a JSON frame that carries the text. `None`: the whole frame is the text, JSON or not.
    #[serde(default)]
    pub text: Option<String>,
    /// Whether a sender in a room is sent the message, too. Means nothing for a friend's route.
    #[serde(default)]
    pub include_sender: bool,
    /// The longest text that is passed on, in bytes of UTF-8.
    #[serde(default = "maximum_message_bytes")]
    pub max_text_bytes: usize,
}

const fn maximum_message_bytes() -> usize {
    MAXIMUM_MESSAGE_BYTES
}

impl Default for Route {
    fn default() -> Self {
        Self {
            text: None,
            include_sender: false,
            max_text_bytes: MAXIMUM_MESSAGE_BYTES,
        }
    }
}

/// The routes of one function by their keys. A route that is not among them is the default one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    by_key: HashMap<String, Route>,
    default: Route,
}

impl Routes {
    /// Reads routes from one JSON object, by route key: `{"onMessage":{"text":"message","includeSender":true,"maxTextBytes":32768}}`.
    ///
    /// # Errors
    /// A sentence with the place, when it is not such an object.
    pub fn parse(json: &str) -> Result<Self, String> {
        let by_key = serde_json::from_str(json).map_err(|error| error.to_string())?;
        Ok(Self {
            by_key,
            default: Route::default(),
        })
    }

    /// How to read what came by the route with `key`.
    #[must_use]
    pub fn of(&self, key: Option<&str>) -> &Route {
        key.and_then(|key| self.by_key.get(key))
            .unwrap_or(&self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::{Route, Routes};

    #[test]
    fn each_route_is_read_as_its_own_options_say() {
        let routes = Routes::parse(
            r#"{"onMessage":{"text":"message","includeSender":true,"maxTextBytes":32768},"$default":{"includeSender":false,"maxTextBytes":7}}"#,
        )
        .unwrap();
        let on_message = Route {
            text: Some("message".to_owned()),
            include_sender: true,
            max_text_bytes: 32_768,
        };
        assert_eq!(*routes.of(Some("onMessage")), on_message);
        let default = routes.of(Some("$default"));
        assert_eq!((&default.text, default.max_text_bytes), (&None, 7));
        assert_eq!(*routes.of(Some("other")), Route::default());
        assert_eq!(*routes.of(None), Route::default());
    }

    #[test]
    fn what_is_no_such_object_is_refused_with_its_place() {
        let reason = |json| Routes::parse(json).unwrap_err();
        assert!(reason("").contains("line 1"));
        assert!(
            reason(r#"{"a":{"includesender":true}}"#).contains("unknown field `includesender`")
        );
    }
}
