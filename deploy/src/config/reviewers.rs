//! The review functions of a chat: one for each crate, however many routes name it.

use std::path::Path;

use super::Settings;
use super::function::FunctionSettings;
use super::names::RouteKey;
use super::permission::Grant;
use super::route::Review;

/// A function that reviews messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewFunction<'a> {
    /// The folder of its crate as the config names it, with the binary if it names one.
    pub name: &'a str,
    /// The folder.
    pub folder: &'a Path,
    /// The crate's binary that it is; with `None`, it is the only one.
    pub binary: Option<&'a str>,
    /// Its variables, its secrets, and how Lambda runs it.
    pub settings: &'a FunctionSettings,
    /// What its routes together let it do besides writing its log.
    pub grants: Vec<Grant>,
    /// The longest time that one of its routes waits for it, in milliseconds.
    pub timeout_ms: u32,
}

impl Settings {
    /// The routes whose messages are reviewed.
    pub fn reviews(&self) -> impl Iterator<Item = (&RouteKey, &Review)> {
        let routes = self.routes.iter();
        routes.filter_map(|route| Some((&route.key, route.review.as_ref()?)))
    }

    /// The functions that review messages, in the order of the first route of each.
    pub(crate) fn review_functions(&self) -> Vec<ReviewFunction<'_>> {
        let mut functions: Vec<ReviewFunction<'_>> = Vec::new();
        for (_, review) in self.reviews() {
            let known = functions.iter().position(|one| one.name == review.name);
            let at = known.unwrap_or_else(|| {
                functions.push(ReviewFunction {
                    name: &review.name,
                    folder: &review.folder,
                    binary: review.binary.as_deref(),
                    settings: &review.settings,
                    grants: Vec::new(),
                    timeout_ms: 0,
                });
                functions.len() - 1
            });
            let function = &mut functions[at];
            function.timeout_ms = function.timeout_ms.max(review.timeout_ms);
            for grant in &review.grants {
                if !function.grants.contains(grant) {
                    function.grants.push(grant.clone());
                }
            }
        }
        functions
    }
}
