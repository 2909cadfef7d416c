//! IAM policies as data, and decisions by them.
//!
//! The rules are those of <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>,
//! for identity policies. [`Policy::parse`] refuses what cannot be evaluated here, so that nothing is allowed silently.

mod condition;
pub(crate) mod credentials;
mod policy;
mod values;
mod wildcard;

pub use condition::ConditionError;
pub use policy::{Policy, PolicyError};
pub use wildcard::matches_arn;

use std::collections::BTreeMap;

/// A request to authorize.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// For example `dynamodb:PutItem`.
    pub action: String,
    /// The full ARN of the resource.
    pub resource: String,
    /// Condition keys, such as `dynamodb:LeadingKeys`, with their values. Names are compared without case.
    pub context: BTreeMap<String, Vec<String>>,
}

impl Request {
    /// A request without condition keys.
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
            context: BTreeMap::new(),
        }
    }

    /// The request with these condition keys.
    #[must_use]
    pub fn with_context(mut self, context: BTreeMap<String, Vec<String>>) -> Self {
        self.context = context;
        self
    }
}

/// The decision of a set of policies about a [`Request`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed,
    /// No statement matches, which denies it.
    ImplicitlyDenied,
    /// A statement denies it, whatever others allow.
    ExplicitlyDenied,
}

/// Decides `request`: an explicit deny wins, then an allow; otherwise it is denied.
///
/// The order of `policies` and of their statements does not matter.
#[must_use]
pub fn decide(policies: &[Policy], request: &Request) -> Decision {
    let mut decision = Decision::ImplicitlyDenied;
    for statement in policies.iter().flat_map(|policy| &policy.statements) {
        if !statement.applies_to(request) {
            continue;
        }
        match statement.effect {
            policy::Effect::Deny => return Decision::ExplicitlyDenied,
            policy::Effect::Allow => decision = Decision::Allowed,
        }
    }
    decision
}
