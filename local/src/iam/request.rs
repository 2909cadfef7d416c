//! A request, and the decision about it.

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

impl Decision {
    /// The message by which AWS's services refuse the request of `user`, an ARN; `None` if it is allowed.
    pub(crate) fn denial(self, user: &str, action: &str, resource: &str) -> Option<String> {
        let why = match self {
            Self::Allowed => return None,
            Self::ImplicitlyDenied => {
                format!("because no identity-based policy allows the {action} action")
            }
            Self::ExplicitlyDenied => {
                "with an explicit deny in an identity-based policy".to_owned()
            }
        };
        Some(format!("{} {why}", not_authorized(user, action, resource)))
    }

    /// The same message in the words of API Gateway.
    pub(crate) fn denial_by_gateway(
        self,
        user: &str,
        action: &str,
        resource: &str,
    ) -> Option<String> {
        let why = match self {
            Self::Allowed => return None,
            Self::ImplicitlyDenied => "",
            Self::ExplicitlyDenied => " with an explicit deny",
        };
        Some(not_authorized(user, action, resource) + why)
    }
}

/// The beginning of every denial.
fn not_authorized(user: &str, action: &str, resource: &str) -> String {
    format!("User: {user} is not authorized to perform: {action} on resource: {resource}")
}
