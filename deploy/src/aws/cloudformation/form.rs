//! What a request to CloudFormation consists of, in the order of its API's model.

use super::sending::TemplateSource;
use crate::aws::call::Parameter;
use crate::engine::cloud::{NewChangeSet, ParameterValue};
use crate::engine::{Change, DeployMode};
use crate::stack::Template;
use crate::stack::capability::named_by_hand;

/// The parameters of a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Form(Vec<Parameter>);

impl Form {
    /// A parameter.
    #[must_use]
    pub(super) fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// A parameter that may be left out.
    #[must_use]
    pub(super) fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A list of texts.
    #[must_use]
    pub(super) fn with_list(mut self, name: &str, values: &[String]) -> Self {
        for (number, value) in (1..).zip(values) {
            self = self.with(format!("{name}.member.{number}"), value);
        }
        self
    }

    /// The parameters, for sending.
    pub(super) fn parameters(&self) -> &[Parameter] {
        &self.0
    }
}

/// The form of `request` with its template at `place`. CloudFormation acts with `role`, and sends its events to `topics`;
/// without any, the stack's topics stay.
pub(super) fn new_change_set(
    request: &NewChangeSet,
    place: &TemplateSource,
    role: Option<&str>,
    topics: &[String],
) -> Form {
    let form = Form::default().with("StackName", &request.stack);
    let mut form = match place {
        TemplateSource::Request(body) => form.with("TemplateBody", body),
        TemplateSource::Bucket(address) => form.with("TemplateURL", address),
    };
    if request.parameters.is_empty() {
        // An empty list, as opposed to one that is left out.
        form = form.with("Parameters", "");
    }
    for (number, (name, value)) in (1..).zip(&request.parameters) {
        let field = |name: &str| format!("Parameters.member.{number}.{name}");
        form = form.with(field("ParameterKey"), name);
        form = match value {
            ParameterValue::This(value) => form.with(field("ParameterValue"), value),
            ParameterValue::Previous => form.with(field("UsePreviousValue"), "true"),
        };
    }
    form = form
        .with("Capabilities.member.1", capability(&request.template))
        .with_some("RoleARN", role)
        .with_list("NotificationARNs", topics);
    for (number, (key, value)) in (1..).zip(&request.tags) {
        let field = |name: &str| format!("Tags.member.{number}.{name}");
        form = form.with(field("Key"), key).with(field("Value"), value);
    }
    form = form
        .with("ChangeSetName", &request.name)
        // With this token, a retry after a lost response does not create a second change set.
        .with("ClientToken", &request.name)
        .with("Description", "Made by chatctl")
        .with("ChangeSetType", change_set_type(request.change));
    match request.mode {
        DeployMode::Standard => form,
        // Express operations leave a failed stack as it is by default, whatever the API reference says of it
        // (https://aws.amazon.com/blogs/aws/accelerate-your-infrastructure-deployments-by-up-to-4x-with-aws-cloudformation-express-mode/);
        // ours roll back like others.
        DeployMode::Express => express(form).with("DeploymentConfig.DisableRollback", "false"),
    }
}

/// `form` of an operation that does not wait until resources are stable.
pub(super) fn express(form: Form) -> Form {
    form.with("DeploymentConfig.Mode", "EXPRESS")
}

/// Our templates only have roles without names of their own; an overlay may have others.
fn capability(template: &Template) -> &'static str {
    match named_by_hand(template).is_empty() {
        true => "CAPABILITY_IAM",
        false => "CAPABILITY_NAMED_IAM",
    }
}

fn change_set_type(change: Change) -> &'static str {
    match change {
        Change::Create => "CREATE",
        Change::Update | Change::Restart | Change::Move => "UPDATE",
    }
}
