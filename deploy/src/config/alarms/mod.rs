//! `[alarms]`: what CloudWatch watches, and where it says so.

#[cfg(test)]
mod tests;
mod threshold;

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::arn::TopicArn;
#[cfg(test)]
use super::schema::{self, shape};
#[cfg(test)]
pub(super) use threshold::MAX as MAX_THRESHOLD;
pub(super) use threshold::Threshold;

/// What is watched. It has no effect on a local stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarms {
    /// Where an alarm goes.
    pub receiver: Receiver,
    /// When there is one.
    pub thresholds: Thresholds,
    /// Whether there is a dashboard.
    pub has_dashboard: bool,
    /// Whether asynchronous events that were not served are kept, with their texts.
    pub keeps_failed_events: bool,
}

/// Where an alarm goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// To a topic of the stack that this address subscribes to.
    Email(EmailAddress),
    /// To a topic of the user's.
    Topic(TopicArn),
}

/// From which number on there is an alarm; `None` for no alarm. All but the last count five minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is documented as a key of `[alarms]`")]
pub struct Thresholds {
    pub function_errors: Option<u32>,
    pub function_throttles: Option<u32>,
    pub client_errors: Option<u32>,
    pub execution_errors: Option<u32>,
    pub integration_errors: Option<u32>,
    pub dropped_events: Option<u32>,
    pub table_throttles: Option<u32>,
    pub connections_per_minute: Option<u32>,
}

/// `[alarms]`, as the file has it.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(extend("allOf" = schema::rules_of_alarms())))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AlarmsTable {
    /// The address that gets the alarms by mail, once it has confirmed that it wants them.
    #[cfg_attr(test, schemars(with = "Option<shape::EmailAddress>"))]
    email: Option<Spanned<EmailAddress>>,
    /// The ARN of a topic of yours that gets the alarms, in the stack's Region.
    #[cfg_attr(test, schemars(with = "Option<shape::TopicArn>"))]
    pub(super) topic: Option<Spanned<TopicArn>>,
    /// Errors of one function in five minutes.
    #[cfg_attr(test, schemars(with = "shape::Threshold<1>"))]
    function_errors: Threshold<1>,
    /// Refused invocations of one function in five minutes, because the account or the function ran as many as it may.
    #[cfg_attr(test, schemars(with = "shape::Threshold<1>"))]
    function_throttles: Threshold<1>,
    /// Requests in five minutes that API Gateway answered with 4xx itself: refused handshakes, throttling, unknown routes.
    #[cfg_attr(test, schemars(with = "shape::Threshold<500>"))]
    client_errors: Threshold<500>,
    /// Failed calls from API Gateway to functions or backends in five minutes.
    #[cfg_attr(test, schemars(with = "shape::Threshold<5>"))]
    execution_errors: Threshold<5>,
    /// Answers with 4xx or 5xx of functions or backends in five minutes.
    #[cfg_attr(test, schemars(with = "shape::Threshold<5>"))]
    integration_errors: Threshold<5>,
    /// Asynchronous events in five minutes that no function served: parts of large rooms that did not get a message.
    #[cfg_attr(test, schemars(with = "shape::Threshold<1>"))]
    dropped_events: Threshold<1>,
    /// Reads, or writes, of the table in five minutes that DynamoDB throttled.
    #[cfg_attr(test, schemars(with = "shape::Threshold<10>"))]
    table_throttles: Threshold<10>,
    /// Handshakes in a minute. The default is 80 % of an account's usual quota of 500 a second.
    #[cfg_attr(test, schemars(with = "shape::Threshold<24000>"))]
    connections_per_minute: Threshold<24_000>,
    /// Whether there is a CloudWatch dashboard.
    dashboard: bool,
    /// Whether asynchronous events that no function served are kept in a queue for four days. They contain the messages' texts.
    keep_failed_events: bool,
}

impl Default for AlarmsTable {
    fn default() -> Self {
        Self {
            email: None,
            topic: None,
            function_errors: Threshold::default(),
            function_throttles: Threshold::default(),
            client_errors: Threshold::default(),
            execution_errors: Threshold::default(),
            integration_errors: Threshold::default(),
            dropped_events: Threshold::default(),
            table_throttles: Threshold::default(),
            connections_per_minute: Threshold::default(),
            dashboard: true,
            keep_failed_events: false,
        }
    }
}

impl AlarmsTable {
    /// The settings of the table, whose place is `span`.
    ///
    /// # Errors
    /// It names no receiver, or two.
    pub(super) fn resolve(&self, span: Range<usize>) -> Result<Alarms, (Range<usize>, String)> {
        let receiver = match (&self.email, &self.topic) {
            (Some(email), None) => Receiver::Email(email.get_ref().clone()),
            (None, Some(topic)) => Receiver::Topic(topic.get_ref().clone()),
            (Some(_), Some(topic)) => {
                let message = "alarms go to `email` or to `topic`: leave out one of the two, and subscribe the address to your \
                               topic";
                return Err((topic.span(), message.into()));
            }
            (None, None) => {
                let message = "alarms need a receiver: `email = \"…\"`, or `topic` with the ARN of a topic of SNS";
                return Err((span, message.into()));
            }
        };
        Ok(Alarms {
            receiver,
            thresholds: Thresholds {
                function_errors: self.function_errors.0,
                function_throttles: self.function_throttles.0,
                client_errors: self.client_errors.0,
                execution_errors: self.execution_errors.0,
                integration_errors: self.integration_errors.0,
                dropped_events: self.dropped_events.0,
                table_throttles: self.table_throttles.0,
                connections_per_minute: self.connections_per_minute.0,
            },
            has_dashboard: self.dashboard,
            keeps_failed_events: self.keep_failed_events,
        })
    }
}

/// An address for mail, by its form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct EmailAddress(String);

impl TryFrom<String> for EmailAddress {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let parts: Vec<_> = text.split('@').collect();
        let is_address = matches!(parts[..], [name, host]
            if !name.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.'))
            && text.len() <= 320
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        match is_address {
            true => Ok(Self(text)),
            false => Err(format!(
                "{text:?} is not an address for mail, such as ops@example.com"
            )),
        }
    }
}

impl AsRef<str> for EmailAddress {
    fn as_ref(&self) -> &str {
        &self.0
    }
}
