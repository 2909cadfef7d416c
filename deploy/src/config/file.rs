//! The shape of `chatctl.toml`. Every key is optional, and unknown keys are errors.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::account::AwsTable;
use super::alarms::AlarmsTable;
use super::auth::AuthTable;
use super::domain::DomainTable;
use super::function::{LogLevel, Memory, Vpc};
use super::limits::LimitsTable;
use super::names::{PersonName, StackName};
use super::overlay::TemplateTable;
use super::routes::RouteTable;
#[cfg(test)]
use super::schema::shape;
use super::stage::Stage;

/// The contents of `chatctl.toml`. Sections that need no further check are settings as they stand here.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    /// The name of the CloudFormation stack, and of the local one.
    #[cfg_attr(test, schemars(with = "shape::StackName"))]
    pub(super) stack: StackName,
    /// The API Gateway stage: its name, or a table.
    #[cfg_attr(test, schemars(with = "shape::Stage"))]
    pub(super) stage: Stage,
    /// The first person in the printed connect commands.
    #[cfg_attr(test, schemars(with = "shape::PersonName"))]
    pub(super) from: PersonName,
    /// The second person in the printed connect commands.
    #[cfg_attr(test, schemars(with = "shape::PersonName"))]
    pub(super) to: PersonName,
    /// What happens to messages. Without any, there is one route to the friend, `$default`.
    #[cfg_attr(test, schemars(with = "Vec<RouteTable>"))]
    pub(super) routes: Vec<Spanned<RouteTable>>,
    /// Who may connect, and as whom.
    pub(super) auth: AuthTable,
    /// How much one connection, one name and one room may take.
    pub(super) limits: LimitsTable,
    /// The functions' logs.
    pub(super) logs: Logs,
    /// How the handlers are built.
    pub(super) handlers: Handlers,
    /// Where and as whom to deploy.
    pub(super) aws: AwsTable,
    /// A name of your own for the endpoint on AWS.
    pub(super) domain: Option<DomainTable>,
    /// What CloudWatch watches on AWS, and where it says so.
    #[cfg_attr(test, schemars(with = "Option<AlarmsTable>"))]
    pub(super) alarms: Option<Spanned<AlarmsTable>>,
    /// The local stack.
    pub(super) local: Local,
    /// What is added to the template.
    pub(super) template: TemplateTable,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Logs {
    /// The days that CloudWatch keeps the functions' logs.
    #[cfg_attr(test, schemars(with = "shape::RetentionDays"))]
    pub(super) retention_days: RetentionDays,
    /// Whether the stage logs each handshake, message and end of a connection on AWS, with the client's address.
    pub(super) access: bool,
}

/// Where the handlers come from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Handlers {
    /// The folder of the handlers' crate. Without it, `lambdas` beside or above the config.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub path: Option<PathBuf>,
    /// The cargo profile that `deploy` builds with; in a clone, `lambda` means the command's own for the local target.
    pub profile: String,
    /// The cargo profile that `dev` builds with.
    pub dev_profile: String,
    /// The memory of each function of chatctl's own, in MB. Without it, 128, and 512 for those that serve rooms.
    #[cfg_attr(test, schemars(with = "Option<shape::Memory>"))]
    pub memory: Option<Memory>,
    /// The least level that the logs of chatctl's own functions keep. Without it, `info`; `debug` shows names.
    #[cfg_attr(test, schemars(with = "Option<shape::LogLevel>"))]
    pub log_level: Option<LogLevel>,
    /// The subnets and security groups of a VPC for chatctl's own functions.
    pub vpc: Option<Vpc>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Local {
    /// The port on 127.0.0.1. Without it, one is chosen at the first start and kept.
    #[cfg_attr(test, schemars(with = "Option<shape::Port>"))]
    pub(super) port: Option<Port>,
}

/// A port to listen on. It is not 0, which would be another port at every start.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Port(pub(super) u16);

impl TryFrom<i64> for Port {
    type Error = String;
    fn try_from(number: i64) -> Result<Self, String> {
        match u16::try_from(number) {
            Ok(port) if port > 0 => Ok(Self(port)),
            _ => Err(format!("{number} is not a port: 1 to 65535")),
        }
    }
}

/// Days that CloudWatch Logs can keep a log group
/// (CloudWatch Logs API reference, `PutRetentionPolicy`).
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct RetentionDays(pub(super) u32);

pub(super) const RETENTIONS: &[u32] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

impl TryFrom<i64> for RetentionDays {
    type Error = String;
    fn try_from(number: i64) -> Result<Self, String> {
        match RETENTIONS.iter().find(|days| i64::from(**days) == number) {
            Some(days) => Ok(Self(*days)),
            None => Err(format!(
                "CloudWatch cannot keep logs for {number} days, only for one of {}",
                RETENTIONS
                    .iter()
                    .map(u32::to_string)
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
        }
    }
}

impl Default for RetentionDays {
    fn default() -> Self {
        Self(14)
    }
}

impl Default for Handlers {
    fn default() -> Self {
        Self {
            path: None,
            profile: "lambda".into(),
            dev_profile: "dev".into(),
            memory: None,
            log_level: None,
            vpc: None,
        }
    }
}

impl Default for File {
    fn default() -> Self {
        const REASON: &str = "every default is valid";
        Self {
            stack: "chat".parse().expect(REASON),
            stage: Stage::default(),
            from: "Tom".parse().expect(REASON),
            to: "Jerry".parse().expect(REASON),
            routes: Vec::new(),
            auth: AuthTable::default(),
            limits: LimitsTable::default(),
            logs: Logs::default(),
            handlers: Handlers::default(),
            aws: AwsTable::default(),
            domain: None,
            alarms: None,
            local: Local::default(),
            template: TemplateTable::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::parse::parse;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        let error =
            parse(Path::new("chatctl.toml"), text, Path::new("")).expect_err("must be refused");
        expected.assert_eq(&format!("{error}\n"));
    }

    #[test]
    fn an_unknown_key_points_at_its_line() {
        check(
            "stack = \"chat\"\nstagee = \"v1\"\n",
            expect![[r#"
                chatctl.toml:2:1: unknown field `stagee`, expected one of `stack`, `stage`, `from`, `to`, `routes`, `auth`, `limits`, `logs`, `handlers`, `aws`, `domain`, `alarms`, `local`, `template`
                    |
                  2 | stagee = "v1"
                    | ^^^^^^
            "#]],
        );
    }

    #[test]
    fn a_wrong_type_points_at_its_line() {
        check(
            "\n[local]\nport = \"eighty\"\n",
            expect![[r#"
                chatctl.toml:3:8: expected a whole number, found the string "eighty"
                    |
                  3 | port = "eighty"
                    |        ^^^^^^^^
            "#]],
        );
    }

    #[test]
    fn no_type_error_uses_rust_s_names_of_types() {
        let tables = [
            ("stack", "1"),
            ("stage", "true"),
            ("from", "[]"),
            ("to", "{}"),
            ("routes", "1"),
            ("logs", "1"),
            ("aws", "\"x\""),
            ("routes", "[\"x\"]"),
            ("auth", "1"),
            ("local", "1"),
            ("limits", "1"),
            ("handlers", "1"),
            ("template", "1"),
            ("domain", "1"),
            ("alarms", "1"),
        ]
        .map(|(key, value)| format!("{key} = {value}\n"));
        let inner = [
            ("auth", "mode", "1"),
            ("auth", "mode", "\"open\""),
            ("auth", "issuer", "1"),
            ("auth", "audience", "\"chat\""),
            ("auth", "audience", "[1]"),
            ("auth", "name-claim", "true"),
            ("auth", "origins", "\"https://chat.example\""),
            ("auth", "origins", "[{}]"),
            ("auth", "handler", "1"),
            ("auth", "permissions", "1"),
            ("limits", "messages-per-second", "\"5\""),
            ("limits", "connections-per-name", "1.5"),
            ("limits", "room-size", "[]"),
            ("logs", "retention-days", "\"14\""),
            ("logs", "retention-days", "1.5"),
            ("local", "port", "true"),
            ("aws", "region", "1"),
            ("aws", "profile", "[]"),
            ("aws", "architecture", "1"),
            ("aws", "permissions-boundary", "1"),
            ("aws", "role-path", "[]"),
            ("aws", "role-arn", "true"),
            ("aws", "bucket", "1"),
            ("aws", "kms-key", "{}"),
            ("aws", "tags", "[\"a\"]"),
            ("aws", "tags", "{ a = 1 }"),
            ("aws", "notification-arns", "\"x\""),
            ("domain", "name", "1"),
            ("domain", "zone", "1"),
            ("alarms", "email", "[]"),
            ("alarms", "function-errors", "\"1\""),
            ("handlers", "path", "1"),
            ("handlers", "profile", "{}"),
            ("template", "overlay", "1"),
        ];
        let inner = inner.map(|(table, key, value)| format!("[{table}]\n{key} = {value}\n"));
        let routes = [
            ("max-text-bytes", "\"100\""),
            ("include-sender", "\"yes\""),
            ("announce", "\"yes\""),
            ("reply", "1"),
            ("receivers", "1"),
            ("text", "1"),
            ("http", "1"),
            ("handler", "{}"),
            ("permissions", "1"),
            ("secret-header", "1"),
            ("key", "1"),
        ];
        let routes = routes.map(|(key, value)| {
            let known = if key == "key" { "" } else { "key = \"x\"\n" };
            format!("[[routes]]\n{known}{key} = {value}\n")
        });
        for text in tables.into_iter().chain(inner).chain(routes) {
            let error = parse(Path::new("x"), &text, Path::new(""))
                .expect_err(&text)
                .to_string();
            let message = error.lines().next().unwrap();
            for word in [
                "i64",
                "invalid type",
                "struct",
                "sequence",
                "map",
                "boolean",
                "enum",
                "variant ",
                "Table",
            ] {
                assert!(!message.contains(word), "{text}{message}");
            }
        }
    }

    #[test]
    fn an_impossible_value_points_at_its_line() {
        check(
            "stage = \"v1/beta\"\n",
            expect![[r#"
                chatctl.toml:1:9: "v1/beta" is not a stage name: '/' is not allowed, only letters, digits, `-` and `_`
                    |
                  1 | stage = "v1/beta"
                    |         ^^^^^^^^^
            "#]],
        );
    }

    #[test]
    fn text_that_is_not_toml_points_at_its_line() {
        check(
            "stack = \"chat\nstage = 1\n",
            expect![[r#"
                chatctl.toml:1:14: invalid basic string, expected `"`
                    |
                  1 | stack = "chat
                    |              ^
            "#]],
        );
    }

    #[test]
    fn a_retention_that_cloudwatch_does_not_offer_is_refused() {
        let error = parse(
            Path::new("x"),
            "[logs]\nretention-days = 13\n",
            Path::new(""),
        )
        .expect_err("must be refused");
        assert!(
            error
                .to_string()
                .contains("cannot keep logs for 13 days, only for one of 1, 3, 5")
        );
    }

    #[test]
    fn port_zero_is_refused() {
        assert!(parse(Path::new("x"), "[local]\nport = 0\n", Path::new("")).is_err());
    }
}
