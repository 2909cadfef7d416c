//! IAM policies as data, and decisions by them.
//!
//! The rules are those of <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>,
//! for identity policies. [`Policy::parse`] refuses what cannot be evaluated here, so that nothing is allowed silently.

mod condition;
pub(crate) mod credentials;
mod policy;
mod request;
mod values;
mod wildcard;

pub use condition::ConditionError;
pub use policy::{Policy, PolicyError};
pub use request::{Decision, Request};
pub use wildcard::matches_arn;

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
