//! The JSON shapes of values that check themselves when they are read.

use std::borrow::Cow;

use chat_protocol::limit::{self, MAX_MESSAGE_BYTES};
use chat_protocol::review::Fallback;
use chat_protocol::{Mode, name};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::config::alarms::MAX_THRESHOLD;
use crate::config::domain::MAX_PATH;
use crate::config::file::RETENTIONS;
use crate::config::stage::{MAX, Throttle};

/// The pattern of names, by the rule of the functions.
fn person() -> String {
    let (all, ends) = (name::PUNCTUATION, name::PUNCTUATION.trim());
    let most = name::MAX_CHARACTERS - 2;
    format!("^[A-Za-z0-9{ends}]([A-Za-z0-9{all}]{{0,{most}}}[A-Za-z0-9{ends}])?$")
}

/// The modes that the config has a word for.
fn modes() -> Vec<&'static str> {
    let modes = Mode::ALL.into_iter().filter(|mode| *mode != Mode::Handler);
    modes.map(Mode::word).collect()
}

/// What is compared letter by letter: nothing that would stand for something else, and no control character.
const LITERAL: &str = r"^[^*\u0000-\u001f\u007f-\u009f]+$";

/// The form of a variable's name.
const VARIABLE: &str = "^[A-Za-z][A-Za-z0-9_]+$";

/// Defines types whose values have this JSON shape.
macro_rules! shapes {
    ($($name:ident: $shape:tt;)*) => { $(
        pub(in crate::config) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($shape)
            }
        }
    )* };
}

shapes! {
    StackName: { "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9-]{0,127}$" };
    PersonName: { "type": "string", "pattern": person() };
    RegionName: { "type": "string", "pattern": "^[a-z0-9-]{1,32}$" };
    PolicyArn: { "type": "string", "pattern": "^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$" };
    RoleArn: { "type": "string", "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$" };
    KeyArn: { "type": "string", "pattern": "^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$" };
    TopicArn: { "type": "string", "pattern": "^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$" };
    CertificateArn: { "type": "string", "pattern": "^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+$" };
    DomainName: {
        "type": "string",
        "pattern": "^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        "maxLength": 253,
        "not": { "pattern": "[0-9]$" },
    };
    MappingPath: {
        "type": "string",
        "pattern": "^[A-Za-z0-9_.-]+$",
        "maxLength": MAX_PATH,
        "not": { "enum": ["ping", "sping", ".", ".."] },
    };
    Zone: { "anyOf": [{ "const": false }, { "type": "string", "pattern": "^[A-Z0-9]{1,32}$" }] };
    EmailAddress: { "type": "string", "pattern": "^[^@\\s]+@[^@\\s.]([^@\\s]*[^@\\s.])?$", "maxLength": 320 };
    TopicArns: {
        "type": "array",
        "maxItems": 5,
        "uniqueItems": true,
        "items": { "type": "string", "pattern": "^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$" },
    };
    RolePath: { "type": "string", "pattern": "^/([A-Za-z0-9_+=,.@-]+/)*$", "maxLength": 512 };
    BucketName: { "type": "string", "pattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$" };
    Tags: { "type": "object", "additionalProperties": { "type": "string", "minLength": 1, "maxLength": 256 } };
    Architecture: { "enum": ["arm64", "x86_64"] };
    Answers: { "enum": chat_protocol::Answers::ALL.map(chat_protocol::Answers::word) };
    Receivers: {
        "enum": chat_protocol::Receivers::ALL.map(chat_protocol::Receivers::word),
        "default": chat_protocol::Receivers::default().word(),
    };
    RouteKey: { "type": "string", "pattern": "^(\\$default|\\$connect|\\$disconnect|[A-Za-z0-9_-]{1,128})$" };
    FieldName: { "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,63}$" };
    BackendUrl: { "type": "string", "pattern": "^https?://[^\\s{}$#]+$", "maxLength": 2048 };
    HandlerFolder: { "type": "string", "minLength": 1 };
    ReviewFallback: { "enum": Fallback::ALL.map(Fallback::word), "default": Fallback::default().word() };
    ReviewTimeout: { "type": "string", "pattern": "^([1-9][0-9]{2,3}ms|10000ms|[1-9]s|10s)$", "default": "2s" };
    OverlayFile: { "type": "string", "minLength": 1 };
    HeaderName: { "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" };
    Binary: { "type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_-]*$" };
    Environment: {
        "type": "object",
        "propertyNames": { "pattern": VARIABLE },
        "additionalProperties": { "type": "string", "not": { "pattern": "\\{\\{resolve:" } },
    };
    Memory: { "type": "integer", "minimum": 128, "maximum": 10_240 };
    Timeout: { "type": "integer", "minimum": 1, "maximum": 29 };
    LogLevel: { "enum": ["trace", "debug", "info", "warn", "error", "fatal"] };
    ReservedConcurrency: { "type": "integer", "minimum": 0, "maximum": 1_000_000 };
    SubnetId: { "type": "string", "pattern": "^subnet-([0-9a-f]{8}|[0-9a-f]{17})$" };
    SecurityGroupId: { "type": "string", "pattern": "^sg-([0-9a-f]{8}|[0-9a-f]{17})$" };
    Action: { "type": "string", "pattern": "^[a-z0-9-]+:[A-Z][A-Za-z0-9]*$" };
    Granted: {
        "type": "string",
        "pattern": "^(table|connections|arn:[^:*?]+:[^:*?]+:[^:]*:[^:]*:.+)$",
    };
    AuthMode: { "enum": modes(), "default": Mode::default().word() };
    IssuerUrl: {
        "type": "string",
        "pattern": "^(https://[^\\s/?#*@]+|http://(localhost|127(\\.[0-9]{1,3}){3}|\\[::1\\])(:[0-9]+)?)(/[^\\s?#*]*)?$",
        "maxLength": 512,
        "not": { "pattern": "/\\.well-known/" },
    };
    Audience: {
        "type": "array",
        "minItems": 1,
        "maxItems": 16,
        "uniqueItems": true,
        "items": { "type": "string", "pattern": LITERAL, "maxLength": 256 },
    };
    NameClaim: { "type": "string", "pattern": LITERAL, "maxLength": 256, "default": "sub" };
    Origins: {
        "type": "array",
        "minItems": 1,
        "maxItems": 16,
        "uniqueItems": true,
        "items": { "type": "string", "pattern": "^https?://[^\\s/?#*@A-Z]+$", "maxLength": 512 },
    };
    MessagesPerSecond: { "type": "integer", "minimum": 1, "maximum": limit::MAX_MESSAGES_PER_SECOND };
    ConnectionsPerName: { "type": "integer", "minimum": 1, "maximum": limit::MAX_CONNECTIONS_PER_NAME };
    RoomSize: { "type": "integer", "minimum": limit::MIN_ROOM_SIZE, "maximum": limit::MAX_ROOM_SIZE };
    TextBytes: { "type": "integer", "minimum": 1, "maximum": MAX_MESSAGE_BYTES };
    // 1 to 8760 hours, or 1 to 365 days.
    KeptFor: {
        "type": "string",
        "pattern": "^(([1-9][0-9]{0,2}|[1-7][0-9]{3}|8[0-6][0-9]{2}|87[0-5][0-9]|8760)h|([1-9][0-9]?|[12][0-9]{2}|3[0-5][0-9]|36[0-5])d)$",
    };
    Port: { "type": "integer", "minimum": 1, "maximum": 65535 };
    RetentionDays: { "enum": RETENTIONS, "default": 14 };
    Stage: { "anyOf": [
        { "type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$" },
        {
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "name": {
                    "description": "The last part of the endpoint.",
                    "type": "string",
                    "pattern": "^[A-Za-z0-9_-]{1,128}$",
                    "default": "v1",
                },
                "throttle": {
                    "description": "How many requests each route takes: `rate` a second, `burst` at once. With `false` \
                                    only the account's limits hold.",
                    "default": Throttle::default(),
                    "anyOf": [
                        { "const": false },
                        {
                            "type": "object",
                            "additionalProperties": false,
                            "required": ["rate", "burst"],
                            "properties": {
                                "rate": {
                                    "description": "Requests a second, in the long run.",
                                    "type": "integer",
                                    "minimum": 1,
                                    "maximum": MAX,
                                },
                                "burst": {
                                    "description": "Requests at once.",
                                    "type": "integer",
                                    "minimum": 1,
                                    "maximum": MAX,
                                },
                            },
                        },
                    ],
                },
            },
        },
    ] };
}

/// A number from which on there is an alarm, or `false`.
pub(in crate::config) struct Threshold<const DEFAULT: u32>;

impl<const DEFAULT: u32> JsonSchema for Threshold<DEFAULT> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Threshold{DEFAULT}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "default": DEFAULT,
            "anyOf": [{ "const": false }, { "type": "integer", "minimum": 1, "maximum": MAX_THRESHOLD }],
        })
    }
}
