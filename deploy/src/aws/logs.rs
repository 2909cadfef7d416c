//! CloudWatch Logs: the functions' log events.

use aws_config::SdkConfig;
use serde::{Deserialize, Serialize};

use super::call::{self, Client};
use super::error::{Kind, kind, refused};
use crate::engine::TargetError;
use crate::engine::logs::{LogEvent, LogGroups};

/// Log groups of one Region.
#[derive(Debug)]
pub struct CloudWatchLogs {
    client: Client,
}

impl CloudWatchLogs {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(&call::LOGS, config),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FilterLogEvents<'a> {
    log_group_name: &'a str,
    start_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    events: Option<Vec<Event>>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event_id: Option<String>,
    log_stream_name: Option<String>,
    message: Option<String>,
    /// Milliseconds since the Unix epoch.
    timestamp: Option<i64>,
}

impl LogGroups for CloudWatchLogs {
    /// Requests page after page: a page may be empty and still have a next one
    /// (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>).
    async fn events(&self, group: &str, since: i64) -> Result<Vec<LogEvent>, TargetError> {
        let mut events = Vec::new();
        let mut request = FilterLogEvents {
            log_group_name: group,
            start_time: since,
            next_token: None,
        };
        loop {
            let page: Page = match self.client.json("FilterLogEvents", &request).await {
                Ok(page) => page,
                // Deleted meanwhile, or not created yet.
                Err(error) if kind(&error) == Kind::NotFound => return Ok(events),
                Err(error) => {
                    let attempt = format!("read log group {group}");
                    return Err(refused("logs:FilterLogEvents", attempt, error));
                }
            };
            let found = page.events.unwrap_or_default().into_iter();
            events.extend(found.map(converted));
            request.next_token = page.next_token.filter(|token| !token.is_empty());
            if request.next_token.is_none() {
                return Ok(events);
            }
        }
    }
}

/// AWS gives every event an id. For an emulator without ids, one is made of the event's content.
fn converted(event: Event) -> LogEvent {
    let at = event.timestamp.unwrap_or_default();
    let stream = event.log_stream_name.unwrap_or_default();
    let text = event.message.unwrap_or_default();
    let id = event.event_id.filter(|id| !id.is_empty());
    LogEvent {
        id: id.unwrap_or_else(|| format!("{stream} {at} {text}")),
        at,
        stream,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::stub::Stub;
    use crate::engine::ErrorKind;

    async fn logs(answers: &[(u16, &str)]) -> (Stub, CloudWatchLogs) {
        let answers = answers
            .iter()
            .map(|(status, body)| (*status, (*body).to_owned()));
        let stub = Stub::answering(answers.collect()).await;
        let logs = CloudWatchLogs::new(&stub.config().await);
        (stub, logs)
    }

    #[tokio::test]
    async fn pages_are_read_to_the_last_also_over_an_empty_one() {
        let (stub, logs) = logs(&[
            (
                200,
                r#"{"events":[{"eventId":"1","timestamp":7,"logStreamName":"s","message":"a\n"}],"nextToken":"x"}"#,
            ),
            (200, r#"{"events":[],"nextToken":"y"}"#),
            (
                200,
                r#"{"events":[{"eventId":"2","timestamp":8,"logStreamName":"s","message":"b"}]}"#,
            ),
        ])
        .await;
        let events = logs.events("group", 5).await.unwrap();
        let ids: Vec<_> = events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids, ["1", "2"]);
        let request = stub.asked();
        assert!(request[0].contains(r#""startTime":5"#), "{request:?}");
        assert!(request[2].contains(r#""nextToken":"y""#), "{request:?}");
    }

    #[tokio::test]
    async fn events_without_an_id_are_identified_by_their_content() {
        let (_stub, logs) = logs(&[(
            200,
            r#"{"events":[{"timestamp":7,"message":"a"},{"timestamp":7,"message":"b","eventId":""}]}"#,
        )])
        .await;
        let events = logs.events("group", 0).await.unwrap();
        assert_ne!(events[0].id, events[1].id);
    }

    #[tokio::test]
    async fn a_group_that_is_gone_has_no_events() {
        let (_stub, logs) = logs(&[(400, r#"{"__type":"ResourceNotFoundException"}"#)]).await;
        assert!(logs.events("group", 0).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_missing_permission_is_named() {
        let (_stub, logs) =
            logs(&[(400, r#"{"__type":"AccessDeniedException","message":"no"}"#)]).await;
        let error = logs.events("group", 0).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
        assert!(error.hint.unwrap().contains("logs:FilterLogEvents"));
    }
}
