//! Checks the prerequisites of a build for AWS.

use super::choice::{self, Wanted};
use super::find::installed;
use super::installed::Installed;
use super::manifest::Crate;
use super::toolchain::{Programs, Toolchain};
use super::{Source, order, read_prebuilt};
use crate::config::{Architecture, Settings};
use crate::engine::TargetError;
use crate::engine::preflight::Check;
use crate::stack::code::{Code, Origin};

/// Checks everything that [`super::artifacts`] needs, and builds nothing.
pub async fn checks(
    settings: &Settings,
    source: Source<'_>,
    deployed: Option<Architecture>,
) -> Vec<Check> {
    let programs = Programs::from_environment();
    let mut checks = Vec::new();
    let mut wanted = Wanted::new(settings.aws.architecture, deployed);
    let mut folder = None;
    for code in order(Code::for_settings(settings), source) {
        let checked = match (&code.origin, source) {
            (Origin::Own, Source::Prebuilt(given)) => {
                read_prebuilt(given, wanted.fixed()).map(|(_, fit)| {
                    wanted = wanted.like_the_others(fit.architecture);
                    Some(format!("handlers given, for {}", fit.architecture.word()))
                })
            }
            _ => match installed(&code, settings).map(|built| found(&built, wanted)) {
                Err(error) => Err(error),
                Ok(Some(architecture)) => {
                    wanted = wanted.like_the_others(architecture);
                    let word = architecture.word();
                    Ok(Some(format!("handlers installed with chatctl, for {word}")))
                }
                Ok(None) => Crate::find(&programs, &code, settings).await.map(|found| {
                    let reported = matches!(code.origin, Origin::Custom { .. })
                        .then(|| format!("handler {} is `{}`", code.name(), found.binary));
                    folder.get_or_insert(found.folder);
                    reported
                }),
            },
        };
        match checked.map_err(|error| error.with_route(&code)) {
            Ok(None) => {}
            Ok(Some(reported)) => checks.push(Check::new("handlers", Ok(reported))),
            Err(error) => checks.push(Check::new("handlers", Err(error.into()))),
        }
    }
    // One toolchain is checked; problems of a crate with its own toolchain show when it is built.
    let Some(folder) = folder else {
        return checks;
    };
    let findings = match Toolchain::detect(&programs, &folder).await {
        Ok(toolchain) => choice::findings(&toolchain, wanted, source.check()),
        Err(error) => vec![("cargo", Err(error))],
    };
    let findings = findings.into_iter();
    checks.extend(
        findings.map(|(subject, finding)| Check::new(subject, finding.map_err(TargetError::from))),
    );
    checks
}

/// The processor of the built handlers that would be deployed.
fn found(built: &Installed, wanted: Wanted) -> Option<Architecture> {
    let (architecture, _) = built.lambda(wanted.fixed(), wanted.deployed())?;
    Some(architecture)
}
