//! `AWS::Lambda::EventInvokeConfig`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value as Json;

use super::super::problem::{Problem, Problems};
use super::super::scope::Named;
use super::super::shape::{Shape::*, may, must};
use super::created::{Created, Kind, of_kind};
use super::permission::function_arn;
use crate::stack::{EventPolicy, Function, Identity, LogicalId};

pub(in crate::template) const EVENT_INVOKE_CONFIG: Kind = Kind {
    name: "AWS::Lambda::EventInvokeConfig",
    fields: &[
        may("DestinationConfig", Json),
        must("FunctionName", Text),
        may("MaximumEventAgeInSeconds", Integer(60, 21_600)),
        may("MaximumRetryAttempts", Integer(0, 2)),
        must("Qualifier", Text),
    ],
    attributes: &[],
    named: |naming| Named::new(naming.generated(100)),
};

/// Sets the functions' policies for asynchronous invocations.
pub(in crate::template) fn apply(
    created: &[Created],
    identity: &Identity,
    functions: &mut BTreeMap<LogicalId, Function>,
    problems: &mut Problems,
) {
    let mut seen = BTreeSet::new();
    for resource in of_kind(created, &EVENT_INVOKE_CONFIG) {
        let Some(policy) = problems.keep(policy(resource)) else {
            continue;
        };
        let name = resource.required("FunctionName");
        let arn = function_arn(name, created, identity);
        match functions.values_mut().find(|function| function.arn == arn) {
            _ if !seen.insert(arn.clone()) => {
                let reason = format!("`{name}` already has such a configuration");
                problems.add(resource.problem("FunctionName", reason));
            }
            Some(function) => function.events = policy,
            None => {
                let reason = format!("there is no function `{name}` in this template");
                problems.add(resource.problem("FunctionName", reason));
            }
        }
    }
}

fn policy(resource: &Created) -> Result<EventPolicy, Problem> {
    resource.refuse(
        "DestinationConfig",
        "the local target sends no records of asynchronous invocations",
    )?;
    let qualifier = resource.required("Qualifier");
    if qualifier != "$LATEST" {
        let reason = format!(
            "the local target has no versions, so this must be `$LATEST`, but is `{qualifier}`"
        );
        return Err(resource.problem("Qualifier", reason));
    }
    let number = |property: &str| resource.properties.get(property).and_then(Json::as_u64);
    let default = EventPolicy::default();
    Ok(EventPolicy {
        retries: number("MaximumRetryAttempts")
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(default.retries),
        longest_age: number("MaximumEventAgeInSeconds")
            .map_or(default.longest_age, Duration::from_secs),
    })
}
