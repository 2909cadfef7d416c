//! What the client sees of an integration's answer. Pure.
//!
//! A proxy integration may answer with `statusCode`, `headers`, `multiValueHeaders`, `body` and `isBase64Encoded`,
//! and nothing else: any other member makes the whole answer an error, even though the function succeeded. See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html>.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::handshake::Refusal;
use super::integrations::Backend;
use crate::functions::Outcome;

const SUBPROTOCOL: &str = "sec-websocket-protocol";

/// What came of an integration.
#[derive(Debug)]
pub(crate) enum Answered {
    /// The function ended, well or not.
    Function(Outcome),
    /// It took longer than the integration's timeout. It may still be running.
    TimedOut,
    /// The gateway may not invoke it, or there is nothing to invoke.
    NotInvoked,
    /// An integration without a function answered.
    Backend(Backend),
    /// An integration without a function did not get as far.
    Refused { status: u16, message: &'static str },
}

/// What becomes of an upgrade.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Upgrade {
    Accept {
        /// The value of `Sec-WebSocket-Protocol`, when the function chose one.
        subprotocol: Option<String>,
    },
    Refuse(Refusal),
}

/// What `$connect`'s answer means for the upgrade.
pub(crate) fn upgrade(answered: &Answered) -> Upgrade {
    let internal = |status| {
        Refusal::gateway(
            status,
            "InternalServerErrorException",
            "Internal server error",
        )
    };
    Upgrade::Refuse(match answered {
        Answered::NotInvoked => internal(500),
        Answered::TimedOut => {
            Refusal::gateway(504, "GatewayTimeoutException", "Endpoint request timed out")
        }
        Answered::Function(Outcome::Failed(_)) => internal(502),
        Answered::Refused { status, message } => {
            Refusal::gateway(*status, error_type(*status), message)
        }
        Answered::Backend(answer) if (200..300).contains(&answer.status) => {
            let is_wanted = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(SUBPROTOCOL);
            return Upgrade::Accept {
                subprotocol: answer
                    .headers
                    .iter()
                    .find(is_wanted)
                    .map(|(_, value)| value.clone()),
            };
        }
        Answered::Backend(answer) => Refusal::of_function(answer.status),
        Answered::Function(Outcome::Answer(bytes)) => match ProxyAnswer::parse(bytes) {
            None => internal(502),
            Some(answer) if (200..300).contains(&answer.status) => {
                return Upgrade::Accept {
                    subprotocol: answer.header(SUBPROTOCOL).map(str::to_owned),
                };
            }
            Some(answer) => Refusal::of_function(answer.status),
        },
    })
}

/// The text that a message's sender receives, if any. Error frames are sent on one-way routes as well.
pub(crate) fn frame(
    answered: &Answered,
    two_way: bool,
    connection_id: &str,
    request_id: &str,
) -> Option<String> {
    let internal = || {
        Some(error_frame(
            "Internal server error",
            connection_id,
            request_id,
        ))
    };
    match answered {
        Answered::TimedOut => Some(error_frame(
            "Endpoint request timed out",
            connection_id,
            request_id,
        )),
        Answered::NotInvoked | Answered::Function(Outcome::Failed(_)) => internal(),
        Answered::Refused { message, .. } => Some(error_frame(message, connection_id, request_id)),
        // An empty text would say nothing.
        Answered::Backend(answer) if two_way && !answer.body.is_empty() => {
            Some(answer.body.clone())
        }
        Answered::Backend(_) => None,
        Answered::Function(Outcome::Answer(bytes)) => match ProxyAnswer::parse(bytes) {
            None => internal(),
            Some(answer) if two_way => answer.body,
            Some(_) => None,
        },
    }
}

fn error_type(status: u16) -> &'static str {
    match status {
        415 => "UnsupportedMediaTypeException",
        504 => "GatewayTimeoutException",
        _ => "InternalServerErrorException",
    }
}

/// A frame that the gateway itself sends, with AWS's uneven spacing.
pub(crate) fn error_frame(message: &str, connection_id: &str, request_id: &str) -> String {
    format!(
        r#"{{"message": "{message}", "connectionId":"{connection_id}", "requestId":"{request_id}"}}"#
    )
}

/// Whether the function answered nothing at all, which AWS tolerates and we report.
pub(crate) fn is_empty_answer(answered: &Answered) -> bool {
    matches!(answered, Answered::Function(Outcome::Answer(bytes)) if is_nothing(bytes))
}

fn is_nothing(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii(), b"" | b"null")
}

/// A proxy answer of the agreed shape.
struct ProxyAnswer {
    status: u16,
    headers: BTreeMap<String, Value>,
    multi_value_headers: BTreeMap<String, Vec<Value>>,
    body: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    status_code: Value,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<Value>>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
}

impl ProxyAnswer {
    /// `None` when the answer is not of the agreed shape. Nothing at all counts as a plain 200.
    fn parse(bytes: &[u8]) -> Option<Self> {
        if is_nothing(bytes) {
            let (headers, multi_value_headers) = Default::default();
            return Some(Self {
                status: 200,
                headers,
                multi_value_headers,
                body: None,
            });
        }
        let wire: Wire = serde_json::from_slice(bytes).ok()?;
        let status = match &wire.status_code {
            Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
            Value::String(text) => text.parse().ok()?,
            _ => return None,
        };
        let body = match wire.body {
            Some(body) if wire.is_base64_encoded == Some(true) => {
                Some(String::from_utf8(STANDARD.decode(body).ok()?).ok()?)
            }
            body => body,
        };
        (200..600).contains(&status).then(|| Self {
            status,
            headers: wire.headers.unwrap_or_default(),
            multi_value_headers: wire.multi_value_headers.unwrap_or_default(),
            body,
        })
    }

    fn header(&self, name: &str) -> Option<&str> {
        let single = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value);
        let several = || {
            let found = self
                .multi_value_headers
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.and_then(|(_, values)| values.last())
        };
        single.or_else(several).and_then(Value::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::Failure;

    fn answer(json: &str) -> Answered {
        Answered::Function(Outcome::Answer(json.to_owned().into()))
    }

    fn refused(answered: &Answered) -> u16 {
        match upgrade(answered) {
            Upgrade::Accept { .. } => 101,
            Upgrade::Refuse(refusal) => refusal.status,
        }
    }

    #[test]
    fn connect_answers_become_these_statuses() {
        for (json, status) in [
            (r#"{"statusCode":200}"#, 101),
            (
                r#"{"statusCode":"204","headers":null,"multiValueHeaders":{},"isBase64Encoded":false}"#,
                101,
            ),
            ("null", 101),
            ("", 101),
            (r#"{"statusCode":401,"body":"no"}"#, 401),
            (r#"{"statusCode":302}"#, 302),
            ("{}", 502),
            ("[]", 502),
            ("\"ok\"", 502),
            (r#"{"statusCode":200,"body":{"a":1}}"#, 502),
            (r#"{"statusCode":200,"message":"x"}"#, 502),
            (r#"{"statusCode":9999}"#, 502),
            (r#"{"statusCode":101}"#, 502),
            (r#"{"statusCode":200"#, 502),
        ] {
            assert_eq!(refused(&answer(json)), status, "{json}");
        }
        assert_eq!(refused(&Answered::TimedOut), 504);
        assert_eq!(refused(&Answered::NotInvoked), 500);
        assert_eq!(
            refused(&Answered::Function(Outcome::Failed(Failure::new(
                "Boom", "bang"
            )))),
            502
        );
    }

    #[test]
    fn the_subprotocol_is_found_in_any_case_and_in_both_maps() {
        for json in [
            r#"{"statusCode":200,"headers":{"sec-websocket-PROTOCOL":"chat"}}"#,
            r#"{"statusCode":200,"multiValueHeaders":{"Sec-WebSocket-Protocol":["x","chat"]}}"#,
        ] {
            assert_eq!(
                upgrade(&answer(json)),
                Upgrade::Accept {
                    subprotocol: Some("chat".to_owned())
                },
                "{json}"
            );
        }
    }

    #[test]
    fn only_two_way_routes_send_the_body_and_they_send_it_with_any_status() {
        let body = answer(r#"{"statusCode":500,"body":"x"}"#);
        assert_eq!(frame(&body, true, "c", "r").as_deref(), Some("x"));
        assert_eq!(frame(&body, false, "c", "r"), None);
        assert_eq!(
            frame(
                &answer(r#"{"statusCode":200,"body":"aGk=","isBase64Encoded":true}"#),
                true,
                "c",
                "r"
            )
            .as_deref(),
            Some("hi")
        );
    }

    #[test]
    fn error_frames_have_the_spacing_of_aws() {
        let unknown_member = answer(r#"{"statusCode":200,"Data":"x"}"#);
        assert_eq!(
            frame(
                &unknown_member,
                false,
                "Zq0lpfIyliACGbQ=",
                "Zq1LaGLQliAFsbA="
            )
            .as_deref(),
            Some(
                r#"{"message": "Internal server error", "connectionId":"Zq0lpfIyliACGbQ=", "requestId":"Zq1LaGLQliAFsbA="}"#
            )
        );
        assert_eq!(
            frame(&Answered::TimedOut, false, "c", "r").as_deref(),
            Some(
                r#"{"message": "Endpoint request timed out", "connectionId":"c", "requestId":"r"}"#
            )
        );
    }
}
