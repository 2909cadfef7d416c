//! Puts the settings of functions into a template: the user's functions, and our own as far as `[handlers]` has some.

use serde_json::{Value, json};

use super::family::set_variable;
use super::fragment::Section;
use super::parameter::CODE_KEY;
use crate::config::Handlers;
use crate::config::function::{FunctionSettings, LogLevel, Memory, Vpc};

/// Puts `settings` into the function and the role of `family`. Without settings nothing changes.
pub(super) fn set(resources: &mut Section, family: &str, settings: &FunctionSettings) {
    for (name, value) in settings.variables() {
        set_variable(resources, family, name, &value);
    }
    let function = &mut resources[&format!("{family}Function")]["Properties"];
    if let Some(timeout) = settings.timeout {
        function["Timeout"] = json!(timeout.0);
    }
    if let Some(most) = settings.reserved_concurrency {
        function["ReservedConcurrentExecutions"] = json!(most.0);
    }
    set_run(
        function,
        settings.memory,
        settings.log_level,
        settings.vpc.as_ref(),
    );
    grant(&mut resources[&format!("{family}Role")], settings);
}

/// Puts what `handlers` say into every function of ours.
pub(super) fn set_own(resources: &mut Section, handlers: &Handlers) {
    let of_network = FunctionSettings {
        vpc: handlers.vpc.clone(),
        ..FunctionSettings::default()
    };
    let own: Vec<String> = resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Function")
        .filter(|(_, resource)| resource["Properties"]["Code"]["S3Key"]["Ref"] == CODE_KEY)
        .filter_map(|(id, _)| Some(id.strip_suffix("Function")?.to_owned()))
        .collect();
    for family in own {
        let function = &mut resources[&format!("{family}Function")]["Properties"];
        set_run(
            function,
            handlers.memory,
            handlers.log_level,
            handlers.vpc.as_ref(),
        );
        grant(&mut resources[&format!("{family}Role")], &of_network);
    }
}

/// How Lambda runs the function with these properties.
fn set_run(
    function: &mut Value,
    memory: Option<Memory>,
    log_level: Option<LogLevel>,
    vpc: Option<&Vpc>,
) {
    if let Some(memory) = memory {
        function["MemorySize"] = json!(memory.0);
    }
    if let Some(level) = log_level {
        function["LoggingConfig"]["ApplicationLogLevel"] = json!(level.word());
    }
    if let Some(vpc) = vpc {
        function["VpcConfig"] =
            json!({ "SubnetIds": vpc.subnets, "SecurityGroupIds": vpc.security_groups });
    }
}

/// Grants a role what follows from `settings`.
fn grant(role: &mut Value, settings: &FunctionSettings) {
    for (name, document) in settings.policies() {
        let policy = json!({ "PolicyName": name, "PolicyDocument": document });
        match &mut role["Properties"]["Policies"] {
            Value::Array(policies) => policies.push(policy),
            // Its other policies are resources of their own.
            none => *none = json!([policy]),
        }
    }
}
