//! Finds what a name of the user's own needs in the account: its certificate and its hosted zone. Nothing is changed.

use std::collections::BTreeMap;

use super::refusal::{ErrorKind, TargetError};
use crate::config::domain::{Domain, Zone};
use crate::stack::few::few;
use crate::stack::render::parameter;

/// A certificate in the Region of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its ARN.
    pub arn: String,
    /// What it is for, wildcards included.
    pub names: Vec<String>,
    /// Whether it can be used; else its owner has yet to prove the names.
    pub is_issued: bool,
    /// When it ends, in seconds since the Unix epoch.
    pub until: Option<i64>,
}

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// Whether it serves networks inside AWS alone.
    pub is_private: bool,
}

/// The account's certificates and zones.
pub trait Names {
    /// The certificates that API Gateway can use, issued or not yet.
    async fn certificates(&self) -> Result<Vec<Certificate>, TargetError>;

    /// The zones with exactly this `name`.
    async fn zones(&self, name: &str) -> Result<Vec<HostedZone>, TargetError>;
}

/// What was found for a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Naming {
    /// The values of the template's parameters.
    pub parameters: BTreeMap<String, String>,
    /// For the reader, in a few words.
    pub told: String,
    /// Whether the stack makes the name's record.
    pub has_record: bool,
}

/// Finds what `domain` needs in `region`, at the time `now` in seconds since the Unix epoch.
///
/// # Errors
/// [`ErrorKind::Usage`] if there is no certificate, or if zones cannot be told apart; or AWS cannot be asked.
pub async fn naming(
    domain: &Domain,
    names: &impl Names,
    region: &str,
    now: i64,
) -> Result<Naming, TargetError> {
    let mut parameters = BTreeMap::new();
    let mut told = vec![domain.address()];
    if domain.certificate.is_none() {
        let all = names.certificates().await.map_err(|error| {
            let hint = error.hint.clone();
            let by_config = "or name it: `certificate` under `[domain]`";
            error.with_hint(hint.map_or(by_config.into(), |hint| format!("{hint}; {by_config}")))
        })?;
        let (arn, words) = chosen(domain, all, region, now)?;
        parameters.insert(parameter::CERTIFICATE.to_owned(), arn);
        told.push(words);
    }
    let mut has_record = matches!(domain.zone, Zone::Id(_));
    if domain.zone == Zone::Found {
        let zone = zone(domain, names).await?;
        has_record = zone.is_some();
        told.push(match &zone {
            Some((id, name)) => format!("record in zone {name} ({id})"),
            None => "no hosted zone here for its record".to_owned(),
        });
        let id = zone.map(|(id, _)| id).unwrap_or_default();
        parameters.insert(parameter::HOSTED_ZONE.to_owned(), id);
    }
    Ok(Naming {
        parameters,
        told: told.join(", "),
        has_record,
    })
}

/// The certificate that is valid for the longest time, and why it is that one.
fn chosen(
    domain: &Domain,
    all: Vec<Certificate>,
    region: &str,
    now: i64,
) -> Result<(String, String), TargetError> {
    let name = &domain.name;
    let covers = |it: &Certificate| it.names.iter().any(|pattern| name.is_covered_by(pattern));
    let (issued, waiting): (Vec<_>, Vec<_>) =
        all.into_iter().filter(covers).partition(|it| it.is_issued);
    let is_valid = |it: &Certificate| it.until.is_none_or(|until| until > now);
    let mut fitting: Vec<_> = issued.into_iter().filter(is_valid).collect();
    // The same one of two that end at the same time in every deployment.
    fitting.sort_by_key(|it| (it.until.unwrap_or(i64::MAX), it.arn.clone()));
    let many = fitting.len();
    if let Some(best) = fitting.pop() {
        let id = best.arn.rsplit('/').next().unwrap_or_default();
        let until = best.until.and_then(date);
        let until = until
            .map(|date| format!(" until {date}"))
            .unwrap_or_default();
        let among = match many {
            1 => String::new(),
            many => format!(", the longest valid of {many}"),
        };
        return Ok((best.arn.clone(), format!("certificate {id}{until}{among}")));
    }
    let (message, hint) = match waiting.first() {
        Some(_) => {
            let arns: Vec<_> = waiting.into_iter().map(|it| it.arn).collect();
            let message = format!(
                "the certificate for {name} is not issued yet: {}",
                few(&arns)
            );
            let hint = "make the record with which ACM checks the name (`aws acm describe-certificate` shows it), then deploy \
                        again once the certificate is issued";
            (message, hint.to_owned())
        }
        None => {
            let message = format!("ACM in {region} has no valid certificate for {name}");
            let hint = format!(
                "request one and prove the name to ACM (`aws acm request-certificate --domain-name {name} --validation-method \
                 DNS --region {region}`), then deploy again; an imported one with a key above 2048 bits is named by \
                 `certificate` under `[domain]`"
            );
            (message, hint)
        }
    };
    let message = domain.saying(message).to_string();
    Err(TargetError::new(ErrorKind::Usage, message).with_hint(hint))
}

/// The day of a time.
fn date(seconds: i64) -> Option<String> {
    let time = time::OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    Some(time.date().to_string())
}

/// The id and the name of the closest public zone that contains the name.
async fn zone(
    domain: &Domain,
    names: &impl Names,
) -> Result<Option<(String, String)>, TargetError> {
    let mut rest = domain.name.as_ref();
    loop {
        // A top-level domain is in no account.
        if !rest.contains('.') {
            return Ok(None);
        }
        let zones = names.zones(rest).await.map_err(|error| {
            let way_out =
                "`zone` under `[domain]` names the zone, and `zone = false` makes no record";
            let hint = error.hint.clone();
            error.with_hint(hint.map_or(way_out.into(), |hint| format!("{hint}; {way_out}")))
        })?;
        let mut public: Vec<_> = zones.into_iter().filter(|zone| !zone.is_private).collect();
        match public.len() {
            0 => {}
            1 => return Ok(Some((public.remove(0).id, rest.to_owned()))),
            _ => {
                let ids: Vec<_> = public.into_iter().map(|zone| zone.id).collect();
                let message = format!("the account has several hosted zones {rest}: {}", few(&ids));
                let message = domain.saying(message).to_string();
                return Err(TargetError::new(ErrorKind::Usage, message)
                    .with_hint("name the one that the world asks: `zone` under `[domain]`"));
            }
        }
        rest = rest.split_once('.').map_or("", |(_, rest)| rest);
    }
}

#[cfg(test)]
mod tests {
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
            naming.told,
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
            naming.told,
            "chat.eu.example.com, record in zone example.com (Z1)"
        );
        let none = found(NAMED, &Account::default()).await.unwrap();
        assert_eq!(none.parameters["HostedZoneId"], "");
        assert!(!none.has_record);
        assert_eq!(
            none.told,
            "chat.eu.example.com, no hosted zone here for its record"
        );
    }

    #[tokio::test]
    async fn zones_of_the_same_name_are_told_apart_by_the_config() {
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
        assert_eq!(named.told, "chat.eu.example.com");
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
}
