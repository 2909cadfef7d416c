//! CloudWatch: what API Gateway, Lambda and DynamoDB count of a stack.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_types::DateTime;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{self, Client};
use super::error::refused;
use crate::engine::vitals::{FunctionVitals, Vitals, Watched};
use crate::engine::{ErrorKind, TargetError};

/// All three services send a value a minute
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/monitoring-cloudwatch.html>).
pub const MINUTE: u64 = 60;

/// How far back values are looked for. They arrive late, and a chat that nothing is sent to has none.
pub const LOOK_BACK: u64 = 10 * MINUTE;

/// The most metrics of one request
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>).
const AT_ONCE: usize = 500;

const GATEWAY: &str = "AWS/ApiGateway";
const LAMBDA: &str = "AWS/Lambda";
const TABLE: &str = "AWS/DynamoDB";

/// Metrics of one Region.
#[derive(Debug)]
pub struct CloudWatchMetrics {
    client: Client,
}

impl CloudWatchMetrics {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(&call::CLOUDWATCH, config),
        }
    }

    /// The latest minute before `now` (seconds since the Unix epoch) of which CloudWatch has values; `None` if there is
    /// none within [`LOOK_BACK`].
    ///
    /// # Errors
    /// CloudWatch refuses or does not respond.
    pub async fn latest(&self, watched: &Watched, now: u64) -> Result<Option<Vitals>, TargetError> {
        let queries = queries(watched);
        let end = now - now % MINUTE;
        let mut points = vec![Points::new(); queries.len()];
        for (chunk, first) in queries.chunks(AT_ONCE).zip((0..).step_by(AT_ONCE)) {
            self.read(chunk, first, end, &mut points).await?;
        }
        Ok(latest(&queries, &points, watched))
    }

    async fn read(
        &self,
        queries: &[Query<'_>],
        first: usize,
        end: u64,
        points: &mut [Points],
    ) -> Result<(), TargetError> {
        let numbered = queries.iter().zip(first..);
        let asked: Vec<_> = numbered
            .map(|(query, number)| query.asked(number))
            .collect();
        let mut asked = json!({
            "MetricDataQueries": asked,
            "StartTime": end.saturating_sub(LOOK_BACK),
            "EndTime": end,
        });
        loop {
            let page = self.client.json::<Page>("GetMetricData", &asked).await;
            let page = page.map_err(|error| {
                let attempt = "read the metrics of the stack";
                refused("cloudwatch:GetMetricData", attempt, error)
            })?;
            for result in page.metric_data_results.unwrap_or_default() {
                let number = result.id.as_deref().and_then(number);
                let Some(points) = number.and_then(|number| points.get_mut(number)) else {
                    continue;
                };
                if result.status_code.as_deref() == Some("InternalError") {
                    let message = "CloudWatch could not read the metrics of the stack";
                    return Err(TargetError::new(ErrorKind::Unreachable, message)
                        .with_hint("run the same command again in a minute"));
                }
                let times = result.timestamps.unwrap_or_default().into_iter();
                let values = result.values.unwrap_or_default();
                points.extend(times.zip(values).filter_map(|(at, value)| {
                    let at = DateTime::from_secs_f64(at).secs();
                    let seconds = u64::try_from(at).ok()?;
                    Some((seconds - seconds % MINUTE, value))
                }));
            }
            match page.next_token.filter(|token| !token.is_empty()) {
                Some(next) => asked["NextToken"] = next.into(),
                None => return Ok(()),
            }
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    metric_data_results: Option<Vec<Found>>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    id: Option<String>,
    /// Seconds since the Unix epoch.
    timestamps: Option<Vec<f64>>,
    values: Option<Vec<f64>>,
    status_code: Option<String>,
}

/// The values of a metric by the second in which their minute began.
type Points = BTreeMap<u64, f64>;

/// What a metric is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject<'a> {
    Handshakes,
    Messages,
    ClientErrors,
    IntegrationErrors,
    ExecutionErrors,
    Invocations(&'a str),
    Errors(&'a str),
    Throttles(&'a str),
    P50(&'a str),
    P99(&'a str),
    TableThrottles,
}

/// A statistic of a metric.
#[derive(Debug, PartialEq, Eq)]
struct Query<'a> {
    of: Subject<'a>,
    namespace: &'static str,
    metric: &'static str,
    statistic: &'static str,
    dimensions: Vec<(&'static str, &'a str)>,
}

/// The number of metrics that one look at `watched` asks for, each of which is charged.
pub fn asked(watched: &Watched) -> usize {
    queries(watched).len()
}

fn queries(watched: &Watched) -> Vec<Query<'_>> {
    let sum = |of, namespace, metric, dimensions: &[(&'static str, _)]| Query {
        of,
        namespace,
        metric,
        statistic: "Sum",
        dimensions: dimensions.to_vec(),
    };
    let api = [
        ("ApiId", watched.api.as_str()),
        ("Stage", watched.stage.as_str()),
    ];
    let mut queries: Vec<_> = [
        (Subject::Handshakes, "ConnectCount"),
        (Subject::Messages, "MessageCount"),
        (Subject::ClientErrors, "ClientError"),
        (Subject::IntegrationErrors, "IntegrationError"),
        (Subject::ExecutionErrors, "ExecutionError"),
    ]
    .map(|(of, metric)| sum(of, GATEWAY, metric, &api))
    .into();
    for (id, name) in &watched.functions {
        let named = [("FunctionName", name.as_str())];
        let duration = |of, statistic| Query {
            statistic,
            ..sum(of, LAMBDA, "Duration", &named)
        };
        queries.extend([
            sum(Subject::Invocations(id), LAMBDA, "Invocations", &named),
            sum(Subject::Errors(id), LAMBDA, "Errors", &named),
            sum(Subject::Throttles(id), LAMBDA, "Throttles", &named),
            duration(Subject::P50(id), "p50"),
            duration(Subject::P99(id), "p99"),
        ]);
    }
    for name in &watched.tables {
        let named = [("TableName", name.as_str())];
        for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] {
            queries.push(sum(Subject::TableThrottles, TABLE, metric, &named));
        }
    }
    queries
}

impl Query<'_> {
    /// In CloudWatch's form, with an id from which [`number`] gets `number`.
    fn asked(&self, number: usize) -> Value {
        let dimensions: Vec<_> = self
            .dimensions
            .iter()
            .map(|(name, value)| json!({ "Name": name, "Value": value }))
            .collect();
        json!({
            "Id": format!("m{number}"),
            "MetricStat": {
                "Metric": {
                    "Namespace": self.namespace,
                    "MetricName": self.metric,
                    "Dimensions": dimensions,
                },
                "Period": MINUTE,
                "Stat": self.statistic,
            },
        })
    }
}

fn number(id: &str) -> Option<usize> {
    id.strip_prefix('m')?.parse().ok()
}

/// The latest minute of which both API Gateway and Lambda have sent values, as far as each has sent any: what one of them
/// has sent earlier than the other is not taken for all that there was.
fn latest(queries: &[Query<'_>], points: &[Points], watched: &Watched) -> Option<Vitals> {
    let last = |namespace| {
        let all = queries.iter().zip(points);
        let of = all.filter(|(query, _)| query.namespace == namespace);
        of.filter_map(|(_, points)| points.keys().next_back().copied())
            .max()
    };
    let minute = [last(GATEWAY), last(LAMBDA)].into_iter().flatten().min()?;
    let mut vitals = Vitals {
        period: Duration::from_secs(MINUTE),
        until: minute + MINUTE,
        table_throttles: (!watched.tables.is_empty()).then_some(0),
        functions: watched
            .functions
            .keys()
            .map(|id| (id.clone(), FunctionVitals::default()))
            .collect(),
        ..Vitals::default()
    };
    for (query, points) in queries.iter().zip(points) {
        if let Some(value) = points.get(&minute) {
            put(&mut vitals, query.of, *value);
        }
    }
    Some(vitals)
}

fn put(vitals: &mut Vitals, of: Subject<'_>, value: f64) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is a count, and a conversion of a number that is none saturates"
    )]
    let count = value.round() as u64;
    let took = || Duration::try_from_secs_f64(value / 1_000.0).ok();
    let functions = &mut vitals.functions;
    let mut function = |id: &str, put: &dyn Fn(&mut FunctionVitals)| {
        put(functions.entry(id.to_owned()).or_default());
    };
    match of {
        Subject::Handshakes => vitals.handshakes = count,
        Subject::Messages => vitals.messages = count,
        Subject::ClientErrors => vitals.client_errors = count,
        Subject::IntegrationErrors => vitals.integration_errors = count,
        Subject::ExecutionErrors => vitals.execution_errors = count,
        Subject::Invocations(id) => function(id, &|it| it.invocations = count),
        Subject::Errors(id) => function(id, &|it| it.errors = count),
        Subject::Throttles(id) => function(id, &|it| it.throttles = count),
        Subject::P50(id) => function(id, &|it| it.p50 = took()),
        Subject::P99(id) => function(id, &|it| it.p99 = took()),
        Subject::TableThrottles => {
            let before = vitals.table_throttles.unwrap_or(0);
            vitals.table_throttles = Some(before + count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched() -> Watched {
        Watched {
            api: "abc".into(),
            stage: "v1".into(),
            functions: [("DirectFunction".into(), "chat-Direct-1".into())].into(),
            tables: vec!["chat-Table-1".into()],
        }
    }

    /// What is shown where the metrics have these values, by `NAMESPACE METRIC STATISTIC` and the minute.
    fn shown(values: &[(&str, u64, f64)]) -> Option<Vitals> {
        let watched = watched();
        let queries = queries(&watched);
        let mut points = vec![Points::new(); queries.len()];
        for (query, points) in queries.iter().zip(&mut points) {
            let name = format!("{} {} {}", query.namespace, query.metric, query.statistic);
            let own = values.iter().filter(|(of, _, _)| *of == name);
            points.extend(own.map(|(_, minute, value)| (*minute, *value)));
        }
        latest(&queries, &points, &watched)
    }

    #[test]
    fn names_and_dimensions_are_those_that_aws_documents() {
        let watched = watched();
        let lines = queries(&watched).into_iter().map(|query| {
            let dimensions = query.dimensions.iter();
            let dimensions: Vec<_> = dimensions
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let (namespace, metric) = (query.namespace, query.metric);
            format!(
                "{namespace} {metric} {} {}\n",
                query.statistic,
                dimensions.join(" ")
            )
        });
        expect_test::expect![[r#"
            AWS/ApiGateway ConnectCount Sum ApiId=abc Stage=v1
            AWS/ApiGateway MessageCount Sum ApiId=abc Stage=v1
            AWS/ApiGateway ClientError Sum ApiId=abc Stage=v1
            AWS/ApiGateway IntegrationError Sum ApiId=abc Stage=v1
            AWS/ApiGateway ExecutionError Sum ApiId=abc Stage=v1
            AWS/Lambda Invocations Sum FunctionName=chat-Direct-1
            AWS/Lambda Errors Sum FunctionName=chat-Direct-1
            AWS/Lambda Throttles Sum FunctionName=chat-Direct-1
            AWS/Lambda Duration p50 FunctionName=chat-Direct-1
            AWS/Lambda Duration p99 FunctionName=chat-Direct-1
            AWS/DynamoDB ReadThrottleEvents Sum TableName=chat-Table-1
            AWS/DynamoDB WriteThrottleEvents Sum TableName=chat-Table-1
        "#]]
        .assert_eq(&lines.collect::<String>());
        assert_eq!(asked(&watched), 12);
    }

    #[test]
    fn the_minute_is_the_latest_that_both_services_have_sent() {
        let seen = shown(&[
            ("AWS/ApiGateway MessageCount Sum", 60, 7.0),
            ("AWS/ApiGateway MessageCount Sum", 120, 30.0),
            ("AWS/Lambda Invocations Sum", 60, 4.0),
            ("AWS/Lambda Duration p99", 60, 12.5),
            ("AWS/DynamoDB ReadThrottleEvents Sum", 60, 2.0),
            ("AWS/DynamoDB WriteThrottleEvents Sum", 60, 3.0),
            ("AWS/DynamoDB WriteThrottleEvents Sum", 180, 9.0),
        ])
        .unwrap();
        assert_eq!((seen.until, seen.messages), (120, 7));
        let direct = &seen.functions["DirectFunction"];
        assert_eq!(direct.invocations, 4);
        assert_eq!(direct.p99, Some(Duration::from_micros(12_500)));
        assert_eq!((direct.p50, seen.connections), (None, None));
        assert_eq!((seen.table_throttles, seen.all_throttles()), (Some(5), 5));
    }

    #[test]
    fn one_service_alone_is_shown_and_no_value_at_all_is_no_minute() {
        let seen = shown(&[("AWS/Lambda Errors Sum", 60, 1.0)]).unwrap();
        assert_eq!(seen.functions["DirectFunction"].errors, 1);
        assert_eq!(
            shown(&[("AWS/DynamoDB ReadThrottleEvents Sum", 60, 2.0)]),
            None
        );
    }
}
