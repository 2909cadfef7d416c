//! A deployment, from its checks to the proof that it answers. The order of its steps, and what a failure of each means, is
//! decided here, once for each kind of target: [`deploy_to_cloud`] and [`deploy_here`]. What is shown, asked and composed in
//! between they are handed as [`Steps`].

mod account;
mod cloud;
mod here;
mod named;
mod proof;
mod steps;

use std::collections::BTreeMap;

use super::event::{DeployEvent, Reporter, Step};
use super::probe::ProbeCredential;
use super::target::{Asset, AssetStore};
use super::target_error::TargetError;
use crate::config::Settings;
use crate::config::names::StackName;
use crate::stack::size::megabytes;
pub use account::Account;
#[cfg(test)]
pub(super) use cloud::{CloudDeployment, Content};
pub use cloud::{CloudOptions, Deployed, deploy_to_cloud, preview};
pub use here::{LeftBehind, Machine, deploy_here};
pub use proof::endpoint;
pub use steps::{CloudSteps, Found, LocalSteps, Steps};

/// What is to be deployed.
#[derive(Debug)]
pub struct DeployRequest<'a> {
    /// The config, with flags and environment.
    pub settings: &'a Settings,
    /// Whether the chat has to deliver messages before the deployment counts as done.
    pub is_probed: bool,
    /// How the probe's clients prove their names.
    pub credential: ProbeCredential<'a>,
}

/// Builds the handlers of `settings` by `work`, whose result `describe` puts into words. A stack without functions has none.
///
/// # Errors
/// Those of `work`.
pub async fn build<R: Reporter, H, E>(
    settings: &Settings,
    reporter: &mut R,
    work: impl AsyncFnOnce(&mut R) -> Result<BTreeMap<String, H>, E>,
    describe: impl FnOnce(&BTreeMap<String, H>) -> String,
) -> Result<BTreeMap<String, H>, E> {
    if !settings.has_functions() {
        return Ok(BTreeMap::new());
    }
    Step::Build
        .run(reporter, async |reporter| {
            let built = work(reporter).await?;
            let detail = describe(&built);
            Ok((built, detail))
        })
        .await
}

/// Publishes all `handlers`; those with the same content are sent once.
async fn publish<S: AssetStore>(
    store: &S,
    stack: &StackName,
    handlers: &BTreeMap<String, S::Handlers>,
    reporter: &mut impl Reporter,
) -> Result<BTreeMap<String, Asset>, TargetError> {
    if handlers.is_empty() {
        return Ok(BTreeMap::new());
    }
    Step::Publish
        .run(reporter, async |reporter| {
            let mut assets = BTreeMap::new();
            for (parameter, handlers) in handlers {
                let asset = store.publish(stack, handlers).await?;
                assets.insert(parameter.clone(), asset);
            }
            for notice in store.notices() {
                reporter.report(&DeployEvent::Notice(notice));
            }
            let detail = published(&assets);
            Ok((assets, detail))
        })
        .await
}

/// What was sent, in a few words.
fn published(assets: &BTreeMap<String, Asset>) -> String {
    let processor = assets
        .values()
        .next()
        .map_or("", |asset| asset.architecture);
    let (there, sent): (Vec<&Asset>, Vec<_>) =
        assets.values().partition(|asset| asset.already_there);
    let size = |assets: &[&Asset]| megabytes(assets.iter().map(|asset| asset.size).sum());
    match (there.len(), sent.len()) {
        (0, _) => format!("{} for {processor}, sent", size(&sent)),
        (_, 0) => format!("{} for {processor}, already there", size(&there)),
        (there, many) => format!(
            "{} for {processor}, {many} of {} sent, the rest already there",
            size(&sent),
            there + many
        ),
    }
}
