//! What is found for a name, in accounts of every kind.

use super::*;
use crate::config::Settings;
use std::path::Path;

/// What an account has.
#[derive(Debug, Default)]
struct Account {
    certificates: Vec<Certificate>,
    zones: Vec<(&'static str, HostedZone)>,
    is_denied: bool,
}

impl Account {
    fn check(&self) -> Result<(), TargetError> {
        match self.is_denied {
            true => Err(TargetError::new(ErrorKind::Denied, "denied")),
            false => Ok(()),
        }
    }
}

impl Names for Account {
    async fn certificates(&self) -> Result<Vec<Certificate>, TargetError> {
        self.check().map(|()| self.certificates.clone())
    }

    async fn zones(&self, name: &str) -> Result<Vec<HostedZone>, TargetError> {
        self.check()?;
        let named = self.zones.iter().filter(|(zone, _)| *zone == name);
        Ok(named.map(|(_, zone)| zone.clone()).collect())
    }
}

fn domain(more: &str) -> Domain {
    let text = format!("[domain]\nname = \"chat.eu.example.com\"\n{more}\n");
    let read = Settings::read(
        Path::new("chatctl.toml"),
        &text,
        "".into(),
        Default::default(),
    );
    read.unwrap().aws.domain.unwrap()
}

fn certificate(id: &str, names: &[&str], is_issued: bool, until: Option<i64>) -> Certificate {
    Certificate {
        arn: format!("arn:aws:acm:eu-west-1:123456789012:certificate/{id}"),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        is_issued,
        until,
    }
}

fn zone(name: &'static str, id: &str, is_private: bool) -> (&'static str, HostedZone) {
    let id = id.to_owned();
    (name, HostedZone { id, is_private })
}

/// Settings of `[domain]` with another `name`.
fn called(name: &str) -> Domain {
    let text = format!("[domain]\nname = \"{name}\"\n");
    let read = Settings::read(Path::new("x"), &text, "".into(), Default::default());
    read.unwrap().aws.domain.unwrap()
}

async fn found(more: &str, account: &Account) -> Result<Naming, TargetError> {
    naming(&domain(more), account, "eu-west-1", 1_000).await
}

const DAY: i64 = 86_400;

#[tokio::test]
async fn of_several_certificates_the_one_that_is_valid_longest_is_taken_and_said() {
    let fits = ["chat.eu.example.com"];
    let account = Account {
        certificates: vec![
            certificate("short", &fits, true, Some(20 * DAY)),
            certificate(
                "long",
                &["x.example", "*.EU.example.com"],
                true,
                Some(400 * DAY),
            ),
            certificate("waiting", &fits, false, None),
            certificate("ended", &fits, true, Some(999)),
            certificate(
                "another",
                &["*.example.com", "eu.example.com"],
                true,
                Some(900 * DAY),
            ),
        ],
        ..Account::default()
    };
    let naming = found("zone = false", &account).await.unwrap();
    let arn = "arn:aws:acm:eu-west-1:123456789012:certificate/long".to_owned();
    assert_eq!(
        naming.parameters,
        BTreeMap::from([("CertificateArn".to_owned(), arn)])
    );
    assert_eq!(
        naming.reported,
        "chat.eu.example.com, certificate long until 1971-02-05, the longest valid of 2"
    );
    assert!(!naming.has_record);
}

#[tokio::test]
async fn without_a_certificate_the_line_and_the_remedy_are_shown() {
    for (certificates, said, remedy) in [
        (
            vec![],
            "ACM in eu-west-1 has no valid certificate",
            "aws acm request-certificate --domain-name chat.eu.example.com",
        ),
        (
            vec![certificate(
                "waiting",
                &["chat.eu.example.com"],
                false,
                None,
            )],
            "is not issued yet: arn:aws:acm:eu-west-1:123456789012:certificate/waiting",
            "aws acm describe-certificate",
        ),
        (
            vec![certificate(
                "ended",
                &["chat.eu.example.com"],
                true,
                Some(1_000),
            )],
            "has no valid certificate",
            "request-certificate",
        ),
    ] {
        let account = Account {
            certificates,
            ..Account::default()
        };
        let error = found("zone = false", &account).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(
            error.message.starts_with("chatctl.toml:2:8: "),
            "{}",
            error.message
        );
        assert!(error.message.contains(said), "{}", error.message);
        assert!(
            error.hint.as_deref().unwrap().contains(remedy),
            "{:?}",
            error.hint
        );
    }
}

const NAMED: &str = "certificate = \"arn:aws:acm:eu-west-1:123456789012:certificate/x\"\n";

#[tokio::test]
async fn the_closest_public_zone_gets_the_record() {
    let account = Account {
        zones: vec![
            zone("com", "Z0", false),
            zone("example.com", "Z1", false),
            zone("eu.example.com", "Z2", true),
            zone("chat.example.com", "Z3", false),
        ],
        ..Account::default()
    };
    let naming = found(NAMED, &account).await.unwrap();
    let zone_id = BTreeMap::from([("HostedZoneId".to_owned(), "Z1".to_owned())]);
    assert_eq!((naming.parameters, naming.has_record), (zone_id, true));
    assert_eq!(
        naming.reported,
        "chat.eu.example.com, record in zone example.com (Z1)"
    );
    let none = found(NAMED, &Account::default()).await.unwrap();
    assert_eq!(none.parameters["HostedZoneId"], "");
    assert!(!none.has_record);
    assert_eq!(
        none.reported,
        "chat.eu.example.com, no hosted zone here for its record"
    );
}

#[tokio::test]
async fn the_config_chooses_between_zones_of_the_same_name() {
    let account = Account {
        zones: vec![
            zone("example.com", "Z1", false),
            zone("example.com", "Z2", false),
        ],
        ..Account::default()
    };
    let error = found(NAMED, &account).await.unwrap_err();
    assert!(
        error
            .message
            .contains("several hosted zones example.com: Z1, Z2"),
        "{}",
        error.message
    );
    let named = found(&format!("{NAMED}zone = \"Z2\""), &account)
        .await
        .unwrap();
    assert_eq!((named.parameters.len(), named.has_record), (0, true));
}

#[tokio::test]
async fn what_the_config_names_is_not_asked_for_and_a_refusal_says_how_to_name_it() {
    let account = Account {
        is_denied: true,
        ..Account::default()
    };
    let named = found(&format!("{NAMED}zone = false"), &account)
        .await
        .unwrap();
    assert_eq!(named.reported, "chat.eu.example.com");
    let zones = found(NAMED, &account).await.unwrap_err();
    assert!(
        zones
            .hint
            .unwrap()
            .contains("`zone = false` makes no record")
    );
    let certificates = found("zone = false", &account).await.unwrap_err();
    assert_eq!(certificates.kind, ErrorKind::Denied);
    assert!(
        certificates
            .hint
            .unwrap()
            .contains("`certificate` under `[domain]`")
    );
}

#[tokio::test]
async fn of_zones_the_longest_public_one_that_contains_the_name_is_taken() {
    let account = Account {
        certificates: vec![certificate(
            "any",
            &["*.example.com", "example.com", "*.eu.example.com"],
            true,
            None,
        )],
        zones: vec![
            zone("example.com", "TOP", false),
            zone("eu.example.com", "EU", false),
            zone("eu.example.com", "INSIDE", true),
            zone("chat.eu.example.com", "PRIVATE", true),
            zone("ample.com", "OTHER", false),
        ],
        ..Account::default()
    };
    for (name, id) in [
        // The name may be that of the zone.
        ("example.com", "TOP"),
        ("eu.example.com", "EU"),
        ("chat.eu.example.com", "EU"),
        ("chat.example.com", "TOP"),
    ] {
        let naming = naming(&called(name), &account, "eu-west-1", 1_000)
            .await
            .unwrap();
        assert_eq!(naming.parameters["HostedZoneId"], id, "{name}");
        assert!(naming.has_record);
    }
    let elsewhere = Account {
        certificates: vec![certificate("any", &["*.ample.com"], true, None)],
        ..account
    };
    let naming = naming(&called("ex.ample.com"), &elsewhere, "eu-west-1", 1_000)
        .await
        .unwrap();
    assert_eq!(naming.parameters["HostedZoneId"], "OTHER");
}

#[tokio::test]
async fn a_certificate_has_to_cover_the_name_itself() {
    let about = |names: &'static [&'static str], name: &'static str| async move {
        let account = Account {
            certificates: vec![certificate("only", names, true, Some(DAY))],
            ..Account::default()
        };
        naming(&called(name), &account, "eu-west-1", 1_000).await
    };
    for (names, name) in [
        (&["*.example.com"] as &[_], "chat.example.com"),
        (&["www.example.com", "CHAT.example.com"], "chat.example.com"),
        (&["*.xn--bcher-kva.example"], "chat.xn--bcher-kva.example"),
    ] {
        about(names, name).await.unwrap();
    }
    for (names, name) in [
        // A wildcard stands for one label, and for no apex.
        (&["*.example.com"] as &[_], "example.com"),
        (&["*.example.com"], "a.chat.example.com"),
        (&["example.com"], "chat.example.com"),
        (&["*.com"], "chat.example.com"),
        (&["*chat.example.com"], "mychat.example.com"),
    ] {
        let error = about(names, name).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(
            error.message.contains("no valid certificate"),
            "{}",
            error.message
        );
    }
    // ACM takes no first name above 64 characters.
    let long: &'static str = format!("{}.example.com", "a".repeat(60)).leak();
    let error = about(&[], long).await.unwrap_err();
    let hint = error.hint.unwrap();
    let asked = format!("--domain-name example.com --subject-alternative-names {long} ");
    assert!(hint.contains(&asked), "{hint}");
}
