//! What `[domain]` accepts, and what is said of the rest.

use std::path::Path;

use super::*;
use crate::config::{ConfigError, Overrides, Settings};

const CERTIFICATE: &str = "arn:aws:acm:eu-west-1:123456789012:certificate/1234abcd";

fn read_for(text: &str, region: Option<&str>) -> Result<Settings, String> {
    let overrides = Overrides {
        region: region.map(|region| region.parse().unwrap()),
        ..Overrides::default()
    };
    match Settings::read(Path::new("chatctl.toml"), text, "".into(), overrides) {
        Ok(settings) => Ok(settings),
        Err(ConfigError::Invalid(snippet)) => Err(snippet.to_string()),
        Err(error) => panic!("{error}"),
    }
}

fn domain(text: &str) -> Domain {
    let read = read_for(&format!("[domain]\n{text}\n"), None);
    read.unwrap().aws.domain.unwrap()
}

/// Checks the line of what is said of `text`, which comes behind a valid name, and its words.
#[track_caller]
fn refused(text: &str, reason: &str) {
    let text = format!("[domain]\n{text}\n");
    let error = read_for(&text, None).expect_err(&text);
    let line = text.lines().count();
    assert!(
        error.starts_with(&format!("chatctl.toml:{line}:")),
        "{text}: {error}"
    );
    assert!(error.contains(reason), "{text}: {error}");
}

#[test]
fn every_key_is_read_and_the_rest_has_defaults() {
    let short = domain("name = \"chat.example.com\"");
    assert_eq!(short.url(), "wss://chat.example.com");
    assert_eq!((&short.zone, &short.certificate), (&Zone::Found, &None));
    assert!(!short.disable_default_endpoint);
    let full = domain(&format!(
        "name = \"a-b.xn--bcher-kva.example\"\ncertificate = \"{CERTIFICATE}\"\npath = \"team_1.x\"\nzone = \"Z0123\"\n\
         disable-default-endpoint = true"
    ));
    assert_eq!(full.url(), "wss://a-b.xn--bcher-kva.example/team_1.x");
    assert_eq!(full.zone, Zone::Id("Z0123".into()));
    assert!(full.disable_default_endpoint);
    assert_eq!(domain("name = \"a.b\"\nzone = false").zone, Zone::Elsewhere);
    assert_eq!(read_for("", None).unwrap().aws.domain, None);
}

#[test]
fn a_name_that_no_endpoint_can_have_is_refused_with_the_reason() {
    let long = format!("{}.example.com", "a".repeat(64));
    let part = "a".repeat(63);
    let whole = [part.as_str(); 4].join(".");
    for (name, reason) in [
        ("wss://chat.example.com", "leave out the scheme"),
        ("chat.example.com/team", "what follows the name is `path`"),
        ("chat.example.com:443", "no port but 443"),
        ("*.example.com", "no pattern"),
        ("Chat.example.com", "small letters only"),
        ("my_chat.example.com", "no underscore"),
        ("chat.example.com.", "leave out the last dot"),
        ("localhost", "at least two parts"),
        ("", "at least two parts"),
        ("chat..example.com", "at least two parts"),
        ("-chat.example.com", "at least two parts"),
        ("chat.exämple.com", "begins with `xn--`"),
        ("чат.example.com", "begins with `xn--`"),
        ("chat。example.com", "begins with `xn--`"),
        ("CHAT.EXAMPLE.COM.", "small letters only"),
        ("*.*.com", "no pattern"),
        ("chat.example.com ", "at least two parts"),
        ("chat-.example.com", "at least two parts"),
        ("chat@example.com", "at least two parts"),
        ("::1", "no port but 443"),
        ("${chat}.example.com", "at least two parts"),
        ("10.0.0.1", "certificates are for names"),
        (long.as_str(), "63 characters at most"),
        (whole.as_str(), "253 characters at most"),
    ] {
        refused(&format!("name = \"{name}\""), reason);
    }
    let nameless = read_for("[domain]\n", None).unwrap_err();
    assert!(
        nameless.starts_with("chatctl.toml:1:1: missing field `name`"),
        "{nameless}"
    );
}

#[test]
fn names_of_every_length_are_taken_and_asked_of_acm_as_it_takes_them() {
    let part = "a".repeat(63);
    let name = |text: String| DomainName::try_from(text).unwrap();
    for (text, asked) in [
        (
            "example.com".to_owned(),
            "--domain-name example.com".to_owned(),
        ),
        (
            "xn--bcher-kva.de".to_owned(),
            "--domain-name xn--bcher-kva.de".to_owned(),
        ),
        (
            format!("{}.example.com", "a".repeat(52)),
            format!("--domain-name {}.example.com", "a".repeat(52)),
        ),
        (
            format!("{}.example.com", "a".repeat(53)),
            format!(
                "--domain-name example.com --subject-alternative-names {}.example.com",
                "a".repeat(53)
            ),
        ),
        (
            format!("{part}.{part}.{part}.{}.de", "a".repeat(58)),
            format!(
                "--domain-name {0}.de --subject-alternative-names {part}.{part}.{part}.{0}.de",
                "a".repeat(58)
            ),
        ),
        (
            format!("{part}.de"),
            format!("--domain-name SHORTER_NAME --subject-alternative-names {part}.de"),
        ),
    ] {
        assert_eq!(name(text).asked_of_acm(), asked);
    }
}

#[test]
fn paths_certificates_and_zones_of_another_form_are_refused_with_the_form() {
    let name = "name = \"chat.example.com\"\n";
    let long = "a".repeat(301);
    for (path, reason) in [
        ("", "leave the key out"),
        ("/team", "without `/`"),
        ("a/b", "without `/`"),
        ("..", "leave the key out"),
        ("ping", "for itself"),
        ("sping", "for itself"),
        ("a b", "letters, digits and -_. only"),
        ("a?b", "letters, digits and -_. only"),
        ("ä", "letters, digits and -_. only"),
        ("a%20b", "letters, digits and -_. only"),
        (&long, "300 at most"),
    ] {
        refused(&format!("{name}path = \"{path}\""), reason);
    }
    for certificate in [
        "",
        "chat.example.com",
        "arn:aws:acm::123456789012:certificate/x",
        "arn:aws:acm:eu-west-1:123456789012:certificate/",
        "arn:aws:acm:eu-west-1:123456789012:certificate/a/b",
        "arn:aws:acm:eu-west-1:123456789012:certificate/*",
        "arn:aws:iam::123456789012:server-certificate/x",
    ] {
        let line = format!("{name}certificate = \"{certificate}\"");
        refused(
            &line,
            "is not a certificate of ACM: arn:aws:acm:REGION:ACCOUNT:certificate/ID",
        );
    }
    for (zone, reason) in [
        ("true", "expected the id of a hosted zone, or `false`"),
        ("1", "expected the id of a hosted zone, or `false`"),
        ("\"example.com\"", "such as Z0123456789ABCDEFGHIJ"),
        ("\"/hostedzone/Z1\"", "such as Z0123456789ABCDEFGHIJ"),
        ("\"\"", "such as Z0123456789ABCDEFGHIJ"),
    ] {
        refused(&format!("{name}zone = {zone}"), reason);
    }
}

#[test]
fn a_certificate_of_another_region_partition_or_account_is_refused_with_its_line() {
    let text = format!("[domain]\nname = \"chat.example.com\"\ncertificate = \"{CERTIFICATE}\"\n");
    let settings = read_for(&text, Some("eu-west-1")).unwrap();
    let region = read_for(&text, Some("us-east-1")).unwrap_err();
    assert!(
        region.starts_with(
            "chatctl.toml:3:15: `certificate` must be in the stack's own Region, us-east-1"
        ),
        "{region}"
    );
    let partition = read_for(&text, Some("cn-north-1")).unwrap_err();
    assert!(
        partition.contains("it is in the partition aws, and cn-north-1 is in aws-cn"),
        "{partition}"
    );
    let rules = settings.aws.rules;
    rules.check_account("123456789012").unwrap();
    let account = rules.check_account("210987654321").unwrap_err().to_string();
    assert!(
        account.contains("it is in account 123456789012"),
        "{account}"
    );
}

#[test]
fn a_wildcard_covers_one_label() {
    let name = |text: &str| DomainName::try_from(text.to_owned()).unwrap();
    let chat = name("chat.example.com");
    for pattern in ["chat.example.com", "CHAT.example.com", "*.example.com"] {
        assert!(chat.is_covered_by(pattern), "{pattern}");
    }
    for pattern in [
        "example.com",
        "*.com",
        "*.chat.example.com",
        "*.a.example.com",
        "",
        "*",
        "*.",
    ] {
        assert!(!chat.is_covered_by(pattern), "{pattern}");
    }
    assert!(!name("a.chat.example.com").is_covered_by("*.example.com"));
}
