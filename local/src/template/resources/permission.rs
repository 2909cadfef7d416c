//! `AWS::Lambda::Permission`.

use super::super::problem::Problem;
use super::super::scope::Named;
use super::super::shape::{Shape::*, may, must};
use super::created::{Created, Kind, of_kind};
use super::lambda::FUNCTION;
use crate::stack::{self, Identity};

pub(in crate::template) const PERMISSION: Kind = Kind {
    name: "AWS::Lambda::Permission",
    fields: &[
        must("Action", Text),
        may("EventSourceToken", Text),
        must("FunctionName", Text),
        may("FunctionUrlAuthType", OneOf(&["AWS_IAM", "NONE"])),
        may("InvokedViaFunctionUrl", Flag),
        must("Principal", Text),
        may("PrincipalOrgID", Text),
        may("SourceAccount", Text),
        may("SourceArn", Text),
    ],
    attributes: &["Id"],
    named: |naming| {
        let id = naming.generated(100);
        Named::new(&id).with("Id", &id)
    },
};

/// The permission for API Gateway; none if it cannot apply: another action, another account, an organization, an event
/// source token or a function URL.
pub(in crate::template) fn permission(
    resource: &Created,
    created: &[Created],
    identity: &Identity,
) -> Result<Option<stack::Permission>, Problem> {
    let action = resource.required("Action");
    if action != "*" && !action.starts_with("lambda:") {
        let reason =
            format!("must be a Lambda action such as lambda:InvokeFunction, but is `{action}`");
        return Err(resource.problem("Action", reason));
    }
    let invokes = ["*", "lambda:*", "lambda:InvokeFunction"].contains(&action);
    let elsewhere = ["EventSourceToken", "FunctionUrlAuthType", "PrincipalOrgID"]
        .iter()
        .any(|name| resource.text(name).is_some());
    let own_account = resource
        .text("SourceAccount")
        .is_none_or(|account| account == identity.account_id);
    let url = resource.is_true("InvokedViaFunctionUrl");
    Ok(
        (invokes && !elsewhere && own_account && !url).then(|| stack::Permission {
            logical_id: resource.logical_id.clone(),
            function_arn: function_arn(resource.required("FunctionName"), created, identity),
            principal: resource.required("Principal").to_owned(),
            source_arn: resource.text("SourceArn").map(str::to_owned),
        }),
    )
}

/// The ARN of a function from its name, from `{account}:function:{name}` or from its ARN.
pub(super) fn function_arn(name: &str, created: &[Created], identity: &Identity) -> String {
    let own = of_kind(created, &FUNCTION).find(|function| function.reference() == name);
    match own {
        Some(function) => function.attribute("Arn"),
        None if name.starts_with("arn:") => name.to_owned(),
        None => {
            let Identity {
                region, account_id, ..
            } = identity;
            let (account, name) = name.split_once(":function:").unwrap_or((account_id, name));
            format!(
                "arn:aws:lambda:{region}:{account}:function:{}",
                name.trim_start_matches("function:")
            )
        }
    }
}
