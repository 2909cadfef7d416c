//! Checks the SDK's environment variables before the SDK reads them. The SDK ignores some invalid values, and then acts
//! as another identity; from others it makes a header or an address, and panics.

use std::ffi::{OsStr, OsString};

use hyper::Uri;

use crate::engine::{ErrorKind, TargetError};

/// The format of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A word of visible ASCII characters, part of a header. Spaces around it are not part of it.
    Word,
    /// One line of text.
    Line,
    /// One line that is part of a header.
    AsciiLine,
    /// The address of an HTTP server.
    Url,
    /// A path below the address of a container's credentials.
    UrlPath,
}

/// Every variable of this SDK (<https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>), except those
/// for the two files and the Region, which are read elsewhere in this folder.
const VARIABLES: &[(&str, Shape)] = &[
    ("AWS_ACCESS_KEY_ID", Shape::Word),
    ("AWS_SECRET_ACCESS_KEY", Shape::Line),
    ("SECRET_ACCESS_KEY", Shape::Line),
    ("AWS_SESSION_TOKEN", Shape::Word),
    ("AWS_ACCOUNT_ID", Shape::Word),
    ("AWS_ACCOUNT_ID_ENDPOINT_MODE", Shape::Line),
    ("AWS_AUTH_SCHEME_PREFERENCE", Shape::Line),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN", Shape::AsciiLine),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", Shape::Line),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", Shape::Url),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", Shape::UrlPath),
    ("AWS_DISABLE_CLOCK_SKEW_CORRECTION", Shape::Line),
    ("AWS_DISABLE_REQUEST_COMPRESSION", Shape::Line),
    ("AWS_EC2_METADATA_DISABLED", Shape::Line),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", Shape::Url),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", Shape::Line),
    ("AWS_EXECUTION_ENV", Shape::AsciiLine),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", Shape::Line),
    ("AWS_LOGIN_CACHE_DIRECTORY", Shape::Line),
    ("AWS_MAX_ATTEMPTS", Shape::Line),
    ("AWS_NEW_RETRIES_2026", Shape::Line),
    ("AWS_PROFILE", Shape::Line),
    ("AWS_REQUEST_CHECKSUM_CALCULATION", Shape::Line),
    ("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", Shape::Line),
    ("AWS_RESPONSE_CHECKSUM_VALIDATION", Shape::Line),
    ("AWS_RETRY_MODE", Shape::Line),
    ("AWS_ROLE_ARN", Shape::Line),
    ("AWS_ROLE_SESSION_NAME", Shape::Line),
    ("AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", Shape::Line),
    ("AWS_SDK_UA_APP_ID", Shape::AsciiLine),
    ("AWS_SIGV4A_SIGNING_REGION_SET", Shape::Line),
    ("AWS_USE_DUALSTACK_ENDPOINT", Shape::Line),
    ("AWS_USE_FIPS_ENDPOINT", Shape::Line),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", Shape::Line),
];

/// Addresses of single services have longer names, such as `AWS_ENDPOINT_URL_S3`.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Far more than the longest token has.
const MAX_BYTES: usize = 64 * 1024;

/// Checks that the SDK can read this process's variables. If only a profile is used for credentials
/// (`is_profile_only`), keys in the environment are not checked.
///
/// # Errors
/// One of them is invalid. The error names the variable but never its value, which may be a secret.
pub(super) fn check(is_profile_only: bool) -> Result<(), TargetError> {
    checked(std::env::vars_os(), is_profile_only)
}

fn checked(
    variables: impl Iterator<Item = (OsString, OsString)>,
    is_profile_only: bool,
) -> Result<(), TargetError> {
    let (mut id, mut secret) = (false, false);
    for (name, value) in variables {
        let Some(name) = name.to_str() else { continue };
        let Some(shape) = shape(name) else { continue };
        if let Err(why) = fits(&value, shape) {
            return Err(TargetError::new(
                ErrorKind::Usage,
                format!("the environment variable {name} {why}"),
            )
            .with_hint(format!("correct it, or unset {name}")));
        }
        let is_set = !value.to_string_lossy().trim().is_empty();
        match name {
            "AWS_ACCESS_KEY_ID" => id = is_set,
            "AWS_SECRET_ACCESS_KEY" | "SECRET_ACCESS_KEY" => secret |= is_set,
            _ => {}
        }
    }
    // The other half alone is not used.
    if is_profile_only || !id || secret {
        return Ok(());
    }
    Err(TargetError::new(
        ErrorKind::Usage,
        "the environment has half of a key: AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not",
    )
    .with_hint("set both, or unset AWS_ACCESS_KEY_ID so that a profile is used"))
}

fn shape(name: &str) -> Option<Shape> {
    if let Some(rest) = name.strip_prefix(ENDPOINT) {
        return (rest.is_empty() || rest.starts_with('_')).then_some(Shape::Url);
    }
    let known = VARIABLES.iter().find(|(known, _)| *known == name);
    known.map(|(_, shape)| *shape)
}

fn fits(value: &OsStr, shape: Shape) -> Result<(), String> {
    let text = value.to_str().ok_or("is not UTF-8")?;
    if text.len() > MAX_BYTES {
        return Err(format!(
            "has {} bytes, which is too long for it",
            text.len()
        ));
    }
    let text = text.trim_matches(' ');
    if text.is_empty() {
        // An empty value counts as not set, except for an address, with which the SDK panics.
        return match shape {
            Shape::Url | Shape::UrlPath => Err("is empty".into()),
            Shape::Word | Shape::Line | Shape::AsciiLine => Ok(()),
        };
    }
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        return Err(match c {
            '\n' | '\r' => "contains a line break".to_owned(),
            c => format!("contains a control character ({c:?})"),
        });
    }
    let is_ascii = text.is_ascii();
    match shape {
        Shape::Line => Ok(()),
        Shape::AsciiLine if is_ascii => Ok(()),
        Shape::Word if is_ascii && !text.contains(' ') => Ok(()),
        Shape::AsciiLine | Shape::Word => Err("contains characters that are not allowed".into()),
        Shape::UrlPath if text.starts_with('/') && text.parse::<Uri>().is_ok() => Ok(()),
        Shape::UrlPath => {
            Err("is not a path: it must begin with / and contain only characters of a URL".into())
        }
        Shape::Url => url(text),
    }
}

/// Checks that `text` is the URL of an HTTP server.
pub(super) fn url(text: &str) -> Result<(), String> {
    let uri: Uri = text.parse().map_err(|_| "is not a URL")?;
    match uri.scheme_str() {
        Some("http" | "https") => {}
        _ => return Err("is not a URL: it must begin with http:// or https://".into()),
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err("is not a URL: it has no host".into());
    }
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        return Err("contains a user name or password, which is not sent to AWS".into());
    }
    let behind_host = authority.rsplit(']').next().unwrap_or_default();
    match behind_host.contains(':') && !matches!(uri.port_u16(), Some(1..)) {
        true => Err("is not a URL: its port is not a number from 1 to 65535".into()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn outcome(variables: &[(&str, &[u8])]) -> Result<(), String> {
        let variables = variables
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from_vec(value.to_vec())));
        checked(variables, false).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_that_the_sdk_cannot_read_is_reported_with_the_name_of_its_variable() {
        for (name, value, reason) in [
            (
                "AWS_ACCESS_KEY_ID",
                "AKID\nX".as_bytes(),
                "contains a line break",
            ),
            (
                "AWS_ACCESS_KEY_ID",
                "ключ".as_bytes(),
                "contains characters that are not allowed",
            ),
            (
                "AWS_SESSION_TOKEN",
                b"a\x07b",
                "contains a control character ('\\u{7}')",
            ),
            ("AWS_PROFILE", b"\xff\xfe", "is not UTF-8"),
            (
                "AWS_ENDPOINT_URL",
                b"localhost:4566",
                "is not a URL: it must begin with http:// or https://",
            ),
            (
                "AWS_ENDPOINT_URL",
                b"/x",
                "is not a URL: it must begin with http:// or https://",
            ),
            (
                "AWS_ENDPOINT_URL_S3",
                b"http://:80",
                "is not a URL: it has no host",
            ),
            ("AWS_ENDPOINT_URL_STS", b"https://h:x", "is not a URL"),
            (
                "AWS_ENDPOINT_URL",
                b"https://h:0",
                "is not a URL: its port is not a number from 1 to 65535",
            ),
            (
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                b"http://x",
                "is not a path: it must begin with / and contain only characters of a URL",
            ),
        ] {
            let error = outcome(&[(name, value)]).unwrap_err();
            assert!(
                error.starts_with(&format!("the environment variable {name} {reason}")),
                "{error}"
            );
        }
        let long = vec![b'x'; MAX_BYTES + 1];
        assert!(outcome(&[("AWS_SESSION_TOKEN", &long)]).is_err());
    }

    #[test]
    fn half_a_key_is_an_error_and_an_empty_variable_counts_as_not_set() {
        let id = ("AWS_ACCESS_KEY_ID", "AKID".as_bytes());
        assert!(
            outcome(&[id])
                .unwrap_err()
                .ends_with("AWS_SECRET_ACCESS_KEY is not")
        );
        assert!(outcome(&[id, ("AWS_SECRET_ACCESS_KEY", b" ")]).is_err());
        assert_eq!(outcome(&[id, ("AWS_SECRET_ACCESS_KEY", b"x/+=")]), Ok(()));
        assert_eq!(
            outcome(&[("AWS_ACCESS_KEY_ID", b""), ("AWS_PROFILE", b"")]),
            Ok(())
        );
    }

    #[test]
    fn variables_that_the_sdk_does_not_read_are_not_checked() {
        assert_eq!(
            outcome(&[("AWS_WHATEVER", b"\xff\n"), ("HOME", b"\xff")]),
            Ok(())
        );
    }
}
