//! The parsing of a route's frames.

use serde::{Deserialize, Serialize};

use crate::limit::MAX_MESSAGE_BYTES;

/// How a route parses its frames. The rules of a function's routes are in its environment, as JSON by route key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// The field of a JSON frame that carries the message. `None`: the whole frame is the message, JSON or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether the sender gets a copy. Ignored if the receiver is one other user.
    #[serde(default)]
    pub include_sender: bool,
    /// The longest message that is passed on, in bytes of UTF-8.
    #[serde(default = "max_message_bytes")]
    pub max_text_bytes: usize,
    /// Whether receivers get the message in an [envelope](crate::envelope), with its sender.
    #[serde(default, skip_serializing_if = "is_false")]
    pub envelope: bool,
    /// For how many seconds messages are [kept](crate::history). `None`: not at all. Only with an envelope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<u32>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

const fn max_message_bytes() -> usize {
    MAX_MESSAGE_BYTES
}

/// The default rule of a route.
impl Default for Rule {
    fn default() -> Self {
        Self {
            text: None,
            include_sender: false,
            max_text_bytes: MAX_MESSAGE_BYTES,
            envelope: false,
            history: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_survives_serialisation() {
        for (rule, json) in [
            (
                Rule::default(),
                r#"{"includeSender":false,"maxTextBytes":131072}"#,
            ),
            (
                Rule {
                    text: Some("message".into()),
                    include_sender: true,
                    max_text_bytes: 7,
                    envelope: false,
                    history: None,
                },
                r#"{"text":"message","includeSender":true,"maxTextBytes":7}"#,
            ),
            (
                Rule {
                    envelope: true,
                    ..Rule::default()
                },
                r#"{"includeSender":false,"maxTextBytes":131072,"envelope":true}"#,
            ),
            (
                Rule {
                    envelope: true,
                    history: Some(604_800),
                    ..Rule::default()
                },
                r#"{"includeSender":false,"maxTextBytes":131072,"envelope":true,"history":604800}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&rule).unwrap(), json);
            assert_eq!(serde_json::from_str::<Rule>(json).unwrap(), rule);
        }
        assert_eq!(serde_json::from_str::<Rule>("{}").unwrap(), Rule::default());
    }
}
