//! Finds what a name of the user's own needs in the account: its certificate and its hosted zone. Nothing is changed.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::target_error::{ErrorKind, TargetError};
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
    pub reported: String,
    /// Whether the stack makes the name's record.
    pub has_record: bool,
}

/// Finds what `domain` needs in `region`, at the time `now` in seconds since the Unix epoch.
///
/// # Errors
/// [`ErrorKind::Usage`] if there is no certificate, or if several zones have the same name; or AWS cannot be asked.
pub async fn naming(
    domain: &Domain,
    names: &impl Names,
    region: &str,
    now: i64,
) -> Result<Naming, TargetError> {
    let mut parameters = BTreeMap::new();
    let mut reported = vec![domain.address()];
    if domain.certificate.is_none() {
        let all = names.certificates().await.map_err(|error| {
            let hint = error.hint.clone();
            let by_config = "or name it: `certificate` under `[domain]`";
            error.with_hint(hint.map_or(by_config.into(), |hint| format!("{hint}; {by_config}")))
        })?;
        let (arn, words) = chosen(domain, all, region, now)?;
        parameters.insert(parameter::CERTIFICATE.to_owned(), arn);
        reported.push(words);
    }
    let mut has_record = matches!(domain.zone, Zone::Id(_));
    if domain.zone == Zone::Found {
        let zone = zone(domain, names).await?;
        has_record = zone.is_some();
        reported.push(match &zone {
            Some((id, name)) => format!("record in zone {name} ({id})"),
            None => "no hosted zone here for its record".to_owned(),
        });
        let id = zone.map(|(id, _)| id).unwrap_or_default();
        parameters.insert(parameter::HOSTED_ZONE.to_owned(), id);
    }
    Ok(Naming {
        parameters,
        reported: reported.join(", "),
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
                "request one and prove the name to ACM (`aws acm request-certificate {} --validation-method \
                 DNS --region {region}`), then deploy again; an imported one with a key above 2048 bits is named by \
                 `certificate` under `[domain]`",
                name.asked_of_acm()
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
