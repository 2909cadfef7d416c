//! The JSON shapes of values that check themselves when they are read.

use std::borrow::Cow;

use chat_protocol::limit::MAX_MESSAGE_BYTES;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::config::file::RETENTIONS;
use crate::config::stage::{MAX, Throttle};

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
    PersonName: { "type": "string", "pattern": "^[A-Za-z0-9._@+'-]([A-Za-z0-9 ._@+'-]{0,62}[A-Za-z0-9._@+'-])?$" };
    RegionName: { "type": "string", "pattern": "^[a-z0-9-]{1,32}$" };
    Architecture: { "enum": ["arm64", "x86_64"] };
    Receivers: { "enum": ["friend", "room"], "default": "friend" };
    RouteKey: { "type": "string", "pattern": "^(\\$default|\\$connect|\\$disconnect|[A-Za-z0-9_-]{1,128})$" };
    MemberName: { "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,63}$" };
    BackendUrl: { "type": "string", "pattern": "^https?://[^\\s{}$#]+$", "maxLength": 2048 };
    HandlerFolder: { "type": "string", "minLength": 1 };
    HeaderName: { "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" };
    Action: { "type": "string", "pattern": "^[a-z0-9-]+:[A-Z][A-Za-z0-9]*$" };
    Granted: {
        "type": "string",
        "pattern": "^(table|connections|arn:[^:*?]+:[^:*?]+:[^:]*:[^:]*:.+)$",
    };
    TextBytes: { "type": "integer", "minimum": 1, "maximum": MAX_MESSAGE_BYTES };
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
