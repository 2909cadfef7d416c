//! Names that become part of AWS resources, URLs or headers. They are checked once, here.

use std::fmt;

/// Defines a string newtype whose rule is checked whenever one is made.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                let check: fn(&str) -> Result<(), String> = $check;
                match check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(reason) => Err(InvalidName { what: $what, text, reason }),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

/// Why a string is not a valid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}: {reason}")]
pub struct InvalidName {
    what: &'static str,
    text: String,
    reason: String,
}

name!(
    /// A CloudFormation stack name: a letter, then letters, digits and hyphens, 128 at most
    /// (AWS CloudFormation API reference, `CreateStack`, `StackName`).
    StackName,
    "stack name",
    |text| {
        length(text, 128)?;
        if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err("it must start with a letter".into());
        }
        check_characters(text, |c| c.is_ascii_alphanumeric() || c == '-', "letters, digits and `-`")
    }
);

name!(
    /// An API Gateway stage name: letters, digits, `-` and `_`, 128 at most
    /// (API Gateway developer guide, "Amazon API Gateway important notes").
    StageName,
    "stage name",
    |text| {
        length(text, 128)?;
        check_characters(text, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_', "letters, digits, `-` and `_`")
    }
);

name!(
    /// A route key: `$default` or a custom key of letters, digits, `-` and `_`, which a client's message can select; or
    /// `$connect` or `$disconnect`.
    RouteKey,
    "route key",
    |text| {
        if matches!(text, "$default" | "$connect" | "$disconnect") {
            return Ok(());
        }
        length(text, 128)?;
        check_characters(
            text,
            |c| c.is_ascii_alphanumeric() || c == '-' || c == '_',
            "`$default`, or letters, digits, `-` and `_`",
        )
    }
);

impl RouteKey {
    /// Whether API Gateway itself selects the route when a client connects or disconnects. No message can.
    pub(crate) fn is_lifecycle(&self) -> bool {
        matches!(self.as_ref(), "$connect" | "$disconnect")
    }
}

name!(
    /// The field of a JSON object that carries the message. It is part of a JSONPath, so it has no punctuation.
    FieldName,
    "name of a JSON field",
    |text| {
        length(text, 64)?;
        if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Err("it must start with a letter or `_`".into());
        }
        check_characters(text, |c| c.is_ascii_alphanumeric() || c == '_' || c == '-', "letters, digits, `_` and `-`")
    }
);

name!(
    /// The name of a user or a room, by the same rule as in the functions.
    PersonName,
    "name for a person",
    |text| chat_protocol::name::check(text).map_err(|broken| broken.to_string())
);

name!(
    /// An AWS Region's name, such as `eu-west-1`.
    RegionName,
    "region",
    |text| {
        length(text, 32)?;
        check_characters(
            text,
            |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
            "small letters, digits and `-`",
        )?;
        let before = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
        match before.len() + 1 == text.len() && before.ends_with(|c: char| c.is_ascii_digit()) {
            true => Err(format!("it is an Availability Zone of the Region {before}")),
            false => Ok(()),
        }
    }
);

name!(
    /// The address of an API deployed to an emulator: a WebSocket URL that contains `{api}` and `{stage}`.
    EndpointTemplate,
    "endpoint template",
    |text| {
        length(text, 256)?;
        if !text.starts_with("ws://") && !text.starts_with("wss://") {
            return Err("it must start with ws:// or wss://".into());
        }
        if !text.contains("{api}") || !text.contains("{stage}") {
            return Err("it must contain {api} and {stage}".into());
        }
        check_characters(
            text,
            |c| c.is_ascii_alphanumeric() || "-._~:/{}[]".contains(c),
            "what a plain URL is made of",
        )
    }
);

fn length(text: &str, most: usize) -> Result<(), String> {
    match text.chars().count() {
        0 => Err("it is empty".into()),
        n if n > most => Err(format!("it has {n} characters, {most} at most")),
        _ => Ok(()),
    }
}

fn check_characters(text: &str, allowed: fn(char) -> bool, which: &str) -> Result<(), String> {
    match text.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(format!("{c:?} is not allowed, only {which}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error_of<T: std::str::FromStr<Err = InvalidName> + fmt::Debug>(text: &str) -> String {
        text.parse::<T>().expect_err("must be refused").to_string()
    }

    #[test]
    fn a_stage_with_a_slash_is_refused_with_the_reason() {
        assert_eq!(
            error_of::<StageName>("v1/beta"),
            r#""v1/beta" is not a stage name: '/' is not allowed, only letters, digits, `-` and `_`"#
        );
    }

    #[test]
    fn a_stack_name_longer_than_aws_allows_is_refused() {
        assert!(
            error_of::<StackName>(&"a".repeat(129)).ends_with("it has 129 characters, 128 at most")
        );
        "a".repeat(128).parse::<StackName>().unwrap();
    }

    #[test]
    fn a_stack_name_starts_with_a_letter() {
        assert!(error_of::<StackName>("1chat").ends_with("it must start with a letter"));
    }

    #[test]
    fn only_api_gateway_s_own_route_keys_are_lifecycle_keys() {
        assert!(error_of::<RouteKey>("$other").contains("'$' is not allowed"));
        for (key, is_lifecycle) in [
            ("$connect", true),
            ("$disconnect", true),
            ("$default", false),
            ("connect", false),
        ] {
            assert_eq!(
                key.parse::<RouteKey>().unwrap().is_lifecycle(),
                is_lifecycle
            );
        }
    }

    #[test]
    fn a_region_is_no_availability_zone() {
        for name in [
            "eu-west-1",
            "us-gov-west-1",
            "eusc-de-east-1",
            "us-isof-south-1",
        ] {
            name.parse::<RegionName>().unwrap();
        }
        let zone = error_of::<RegionName>("eu-west-1a");
        assert!(
            zone.contains("an Availability Zone of the Region eu-west-1"),
            "{zone}"
        );
        for name in ["", "EU-WEST-1", "eu west 1", "${AWS::Region}"] {
            error_of::<RegionName>(name);
        }
    }

    #[test]
    fn a_field_name_is_one_word_without_punctuation() {
        for name in ["message", "_x", "a-b", "data2"] {
            name.parse::<FieldName>().unwrap();
        }
        for name in ["", "a.b", "2", "-a", "a b", "a'"] {
            error_of::<FieldName>(name);
        }
    }

    #[test]
    fn an_endpoint_template_names_api_and_stage_and_cannot_smuggle_in_an_intrinsic() {
        "ws://127.0.0.1:4566/_aws/execute-api/{api}/{stage}"
            .parse::<EndpointTemplate>()
            .unwrap();
        assert!(error_of::<EndpointTemplate>("ws://x/{api}").contains("{api} and {stage}"));
        assert!(
            error_of::<EndpointTemplate>("ws://x/{api}/{stage}/${AWS::AccountId}").contains("'$'")
        );
        assert!(error_of::<EndpointTemplate>("http://x/{api}/{stage}").contains("ws://"));
    }

    #[test]
    fn a_person_cannot_be_named_with_a_line_break_or_outer_spaces() {
        assert!(error_of::<PersonName>("Tom\r\nX: y").contains("not allowed"));
        assert!(error_of::<PersonName>(" Tom").contains("space"));
        "Ann Lee".parse::<PersonName>().unwrap();
    }

    proptest! {
        #[test]
        fn no_text_makes_a_check_panic_and_accepted_text_is_kept(text in ".*") {
            if let Ok(name) = text.parse::<PersonName>() {
                prop_assert_eq!(name.as_ref(), text.as_str());
            }
            let _stack = text.parse::<StackName>();
            let _stage = text.parse::<StageName>();
            let _route = text.parse::<RouteKey>();
            let _member = text.parse::<FieldName>();
        }
    }
}
