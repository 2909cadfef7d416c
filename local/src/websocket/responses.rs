//! Converts an integration's response to what the client receives. Pure.
//!
//! See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html>.

use std::time::Duration;

use super::proxy_response::{self, ProxyResponse};
use crate::http::error::HttpError;
use crate::integrations::IntegrationOutcome;
use crate::lambda::Outcome;

const SUBPROTOCOL: &str = "sec-websocket-protocol";

/// The response to an upgrade.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Upgrade {
    Accept {
        /// The value of `Sec-WebSocket-Protocol`, if the function chose one.
        subprotocol: Option<String>,
    },
    Refuse(HttpError),
}

/// Converts the response of `$connect` to that of the upgrade.
pub(crate) fn upgrade(outcome: &IntegrationOutcome) -> Upgrade {
    let internal = |status| {
        HttpError::gateway(
            status,
            "InternalServerErrorException",
            "Internal server error",
        )
    };
    Upgrade::Refuse(match outcome {
        IntegrationOutcome::NotInvoked => internal(500),
        IntegrationOutcome::TimedOut => {
            HttpError::gateway(504, "GatewayTimeoutException", "Endpoint request timed out")
        }
        IntegrationOutcome::Function(Outcome::Failed(_)) => internal(502),
        IntegrationOutcome::Refused { status, message } => {
            HttpError::gateway(*status, error_type(*status), message)
        }
        IntegrationOutcome::Backend(answer) if (200..300).contains(&answer.status) => {
            let is_wanted = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(SUBPROTOCOL);
            return Upgrade::Accept {
                subprotocol: answer
                    .headers
                    .iter()
                    .find(is_wanted)
                    .map(|(_, value)| value.clone()),
            };
        }
        IntegrationOutcome::Backend(answer) => HttpError::from_function(answer.status),
        IntegrationOutcome::Function(Outcome::Response(bytes)) => match ProxyResponse::parse(bytes)
        {
            Err(_) => internal(502),
            Ok(answer) if (200..300).contains(&answer.status) => {
                return Upgrade::Accept {
                    subprotocol: answer.header(SUBPROTOCOL).map(str::to_owned),
                };
            }
            Ok(answer) => HttpError::from_function(answer.status),
        },
    })
}

/// The frame for a message's sender, if any. Error frames are sent on one-way routes as well.
pub(crate) fn frame(
    outcome: &IntegrationOutcome,
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
    match outcome {
        IntegrationOutcome::TimedOut => Some(error_frame(
            "Endpoint request timed out",
            connection_id,
            request_id,
        )),
        IntegrationOutcome::NotInvoked | IntegrationOutcome::Function(Outcome::Failed(_)) => {
            internal()
        }
        IntegrationOutcome::Refused { message, .. } => {
            Some(error_frame(message, connection_id, request_id))
        }
        // An empty message has no content to send.
        IntegrationOutcome::Backend(answer) if two_way && !answer.body.is_empty() => {
            Some(answer.body.clone())
        }
        IntegrationOutcome::Backend(_) => None,
        IntegrationOutcome::Function(Outcome::Response(bytes)) => match ProxyResponse::parse(bytes)
        {
            Err(_) => internal(),
            Ok(answer) if two_way => answer.body,
            Ok(_) => None,
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

/// A frame of the gateway itself, with AWS's uneven spacing.
pub(crate) fn error_frame(message: &str, connection_id: &str, request_id: &str) -> String {
    format!(
        r#"{{"message": "{message}", "connectionId":"{connection_id}", "requestId":"{request_id}"}}"#
    )
}

/// A warning if a function's response does not have the effect that its author may expect, with a correct one; `None`
/// if all is well.
pub(crate) fn complaint(
    outcome: &IntegrationOutcome,
    route_key: &str,
    timeout: Duration,
) -> Option<String> {
    Some(match outcome {
        IntegrationOutcome::Function(Outcome::Response(bytes))
            if proxy_response::is_nothing(bytes) =>
        {
            format!(
                "the function of route `{route_key}` returned nothing; return at least {{\"statusCode\":200}}"
            )
        }
        IntegrationOutcome::Function(Outcome::Response(bytes)) => {
            let why = ProxyResponse::parse(bytes).err()?;
            format!(
                "the function of route `{route_key}` returned a malformed proxy response, which is an internal server \
                 error: {why}; return {{\"statusCode\":200}}, with headers, multiValueHeaders, body (a string) and \
                 isBase64Encoded if needed, and no other fields"
            )
        }
        IntegrationOutcome::Function(Outcome::Failed(failure)) => format!(
            "the function of route `{route_key}` failed, which is an internal server error: {failure}"
        ),
        IntegrationOutcome::TimedOut => format!(
            "route `{route_key}` got no response within {} ms, its integration's timeout; the function may keep running, \
             but its response is lost",
            timeout.as_millis()
        ),
        // Both are reported where they arise.
        IntegrationOutcome::NotInvoked
        | IntegrationOutcome::Refused { .. }
        | IntegrationOutcome::Backend(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lambda::Failure;

    fn response(json: &str) -> IntegrationOutcome {
        IntegrationOutcome::Function(Outcome::Response(json.to_owned().into()))
    }

    fn refused(outcome: &IntegrationOutcome) -> u16 {
        match upgrade(outcome) {
            Upgrade::Accept { .. } => 101,
            Upgrade::Refuse(error) => error.status,
        }
    }

    #[test]
    fn connect_responses_become_these_statuses() {
        for (json, status) in [
            (r#"{"statusCode":200}"#, 101),
            (
                r#"{"statusCode":"204","headers":null,"multiValueHeaders":{},"isBase64Encoded":false}"#,
                101,
            ),
            ("null", 101),
            ("", 101),
            (r#"{"headers":{"X":"y"}}"#, 101),
            (r#"{"body":"x","statusCode":null}"#, 101),
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
            assert_eq!(refused(&response(json)), status, "{json}");
        }
        assert_eq!(refused(&IntegrationOutcome::TimedOut), 504);
        assert_eq!(refused(&IntegrationOutcome::NotInvoked), 500);
        assert_eq!(
            refused(&IntegrationOutcome::Function(Outcome::Failed(
                Failure::new("Boom", "bang")
            ))),
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
                upgrade(&response(json)),
                Upgrade::Accept {
                    subprotocol: Some("chat".to_owned())
                },
                "{json}"
            );
        }
    }

    #[test]
    fn only_two_way_routes_send_the_body_and_they_send_it_with_any_status() {
        let body = response(r#"{"statusCode":500,"body":"x"}"#);
        assert_eq!(frame(&body, true, "c", "r").as_deref(), Some("x"));
        assert_eq!(frame(&body, false, "c", "r"), None);
        assert_eq!(
            frame(
                &response(r#"{"statusCode":200,"body":"aGk=","isBase64Encoded":true}"#),
                true,
                "c",
                "r"
            )
            .as_deref(),
            Some("hi")
        );
    }

    #[test]
    fn wrong_responses_cause_a_warning_and_right_ones_do_not() {
        let complaint =
            |outcome: &IntegrationOutcome| complaint(outcome, "join", Duration::from_secs(29));
        assert_eq!(complaint(&response(r#"{"statusCode":200}"#)), None);
        assert_eq!(complaint(&response(r#"{"statusCode":403}"#)), None);
        for (json, expected) in [
            ("", "returned nothing"),
            (r#"{"statusCode":200,"foo":1}"#, "`foo`"),
        ] {
            let warning = complaint(&response(json)).unwrap();
            assert!(
                warning.contains("`join`") && warning.contains(expected),
                "{warning}"
            );
            assert!(warning.contains(r#"{"statusCode":200}"#), "{warning}");
        }
        let failed = Failure::new("TypeError", "boom");
        let warning = complaint(&IntegrationOutcome::Function(Outcome::Failed(failed))).unwrap();
        assert!(warning.contains("TypeError: boom"), "{warning}");
        assert!(
            complaint(&IntegrationOutcome::TimedOut)
                .unwrap()
                .contains("29000 ms")
        );
    }

    #[test]
    fn error_frames_have_the_spacing_of_aws() {
        let unknown_member = response(r#"{"statusCode":200,"Data":"x"}"#);
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
            frame(&IntegrationOutcome::TimedOut, false, "c", "r").as_deref(),
            Some(
                r#"{"message": "Endpoint request timed out", "connectionId":"c", "requestId":"r"}"#
            )
        );
    }
}
