//! The values of a function's settings, each checked when it is read.

use chat_protocol::variable;
use serde::Deserialize;

#[cfg(test)]
use crate::config::schema::shape;

/// Defines a whole number from `$min` to `$max`; `$why` completes the sentence about another one.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $min:literal to $max:expr, $why:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(try_from = "i64")]
        pub struct $name(pub u32);

        impl TryFrom<i64> for $name {
            type Error = String;
            fn try_from(number: i64) -> Result<Self, String> {
                match u32::try_from(number) {
                    Ok(number) if ($min..=$max).contains(&number) => Ok(Self(number)),
                    _ => Err(format!($why, number = number)),
                }
            }
        }
    };
}

number!(
    /// The memory of a function in MB. Its share of a processor grows with it
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>).
    Memory, 128 to 10_240, "a function cannot have {number} MB of memory, only 128 to 10240"
);

number!(
    /// The time that a function has for one message, in seconds
    /// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>).
    Timeout, 1 to 29,
    "a timeout of {number} s is not possible, only 1 to 29: API Gateway waits 29 s for a function, so its answer would be lost \
     later; begin longer work here and let another program do it"
);

number!(
    /// How many of a function may run at a time
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>).
    ReservedConcurrency, 0 to 1_000_000,
    "{number} functions at a time cannot be reserved, only 0 to 1000000; with 0, none runs and every message is refused"
);

/// The least level that a function's log keeps
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they are AWS's words")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl LogLevel {
    /// Lambda's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }
}

/// The name of a variable, or of a secret, that the user may choose
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::config) struct VariableName(pub(in crate::config) String);

impl TryFrom<String> for VariableName {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        let is_name = name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            return Err(format!(
                "{name:?} is not a name of a variable in Lambda: two or more letters, digits and `_`, a letter first"
            ));
        }
        let upper = name.to_ascii_uppercase();
        if ["AWS_", "LAMBDA_"]
            .iter()
            .any(|prefix| upper.starts_with(prefix))
        {
            return Err(format!(
                "`{name}` belongs to Lambda and AWS's SDKs, which set and read variables with `AWS_` and `LAMBDA_`: choose \
                 another name"
            ));
        }
        if name == LOG_LEVEL {
            return Err(format!(
                "`{name}` is what `log-level` sets: write `log-level = \"debug\"` instead"
            ));
        }
        if variable::ALL.contains(&name.as_str()) {
            return Err(format!(
                "`{name}` is one of the variables that the stack sets for its functions: choose another name"
            ));
        }
        Ok(Self(name))
    }
}

/// The variable by which `chat-sdk` takes a level, before Lambda's own.
const LOG_LEVEL: &str = "LOG_LEVEL";

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::config) struct VariableValue(pub(in crate::config) String);

impl TryFrom<String> for VariableValue {
    type Error = String;
    fn try_from(value: String) -> Result<Self, String> {
        if value.contains("{{resolve:") {
            return Err(
                "CloudFormation would put the value of this reference into the function's configuration, where everyone who may \
                 read that can see it: name it under `secrets`, which the function reads itself"
                    .into(),
            );
        }
        match value.chars().find(|c| *c == '\0') {
            Some(_) => {
                Err("the value of a variable cannot contain the character U+0000".to_owned())
            }
            None => Ok(Self(value)),
        }
    }
}

/// Subnets and security groups of one VPC
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html>).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Vpc {
    /// The subnets that its network interfaces are in, at most 16.
    #[serde(deserialize_with = "up_to::<_, _, 16>")]
    #[cfg_attr(
        test,
        schemars(with = "Vec<shape::SubnetId>", length(min = 1, max = 16))
    )]
    pub subnets: Vec<SubnetId>,
    /// The security groups of these interfaces, at most 5.
    #[serde(deserialize_with = "up_to::<_, _, 5>")]
    #[cfg_attr(
        test,
        schemars(with = "Vec<shape::SecurityGroupId>", length(min = 1, max = 5))
    )]
    pub security_groups: Vec<SecurityGroupId>,
}

/// A list with one entry at least and `MAX` at most, each once.
fn up_to<'de, D, T, const MAX: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + PartialEq,
{
    let list: Vec<T> = Vec::deserialize(deserializer)?;
    let error = |message: String| Err(serde::de::Error::custom(message));
    if list.is_empty() {
        return error("the list is empty: name one at least".into());
    }
    if list.len() > MAX {
        return error(format!(
            "the list has {} entries, and Lambda takes {MAX} at most",
            list.len()
        ));
    }
    let repeats = |(at, entry): (usize, &T)| list[..at].contains(entry);
    match list.iter().enumerate().any(repeats) {
        true => error("the list has an entry twice: name each once".into()),
        false => Ok(list),
    }
}

/// Defines the id of a resource of EC2, with this prefix.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                let digits = text.strip_prefix($prefix).unwrap_or_default();
                match [8, 17].contains(&digits.len()) && digits.bytes().all(is_digit) {
                    true => Ok(Self(text)),
                    false => Err(format!(concat!("{:?} is not the id of ", $example), text)),
                }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// The id of a subnet.
    SubnetId, "subnet-", "a subnet, such as subnet-0123456789abcdef0"
);

id!(
    /// The id of a security group.
    SecurityGroupId, "sg-", "a security group, such as sg-0123456789abcdef0"
);
