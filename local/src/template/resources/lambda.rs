//! `AWS::Lambda::Function`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;

use super::super::problem::Problem;
use super::super::scope::Named;
use super::super::shape::{Shape::*, TAGS, may, must, name};
use super::created::{Created, Kind};
use crate::stack;

pub(in crate::template) const FUNCTION: Kind = Kind {
    name: "AWS::Lambda::Function",
    fields: &[
        may("Architectures", List(&OneOf(&["x86_64", "arm64"]))),
        may("CapacityProviderConfig", Json),
        must(
            "Code",
            Object(&[
                may("ImageUri", Text),
                may("S3Bucket", Text),
                may("S3Key", Text),
                may("S3ObjectStorageMode", OneOf(&["COPY", "REFERENCE"])),
                may("S3ObjectVersion", Text),
                may("SourceKMSKeyArn", Text),
                may("ZipFile", Text),
            ]),
        ),
        may("CodeSigningConfigArn", Text),
        may("DeadLetterConfig", Object(&[may("TargetArn", Text)])),
        may("Description", Text),
        may("DurableConfig", Json),
        may("Environment", Object(&[may("Variables", TextMap)])),
        may(
            "EphemeralStorage",
            Object(&[must("Size", Integer(512, 10_240))]),
        ),
        may("FileSystemConfigs", Json),
        may("FunctionName", name(1, 64, "-_")),
        may("FunctionScalingConfig", Json),
        may("Handler", Text),
        may("ImageConfig", Json),
        may("KmsKeyArn", Text),
        may("Layers", List(&Text)),
        may(
            "LoggingConfig",
            Object(&[
                may(
                    "ApplicationLogLevel",
                    OneOf(&["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]),
                ),
                may("LogFormat", OneOf(&["Text", "JSON"])),
                may("LogGroup", name(1, 512, "._-/#")),
                may("SystemLogLevel", OneOf(&["DEBUG", "INFO", "WARN"])),
            ]),
        ),
        may("MemorySize", Integer(128, 10_240)),
        may("PackageType", OneOf(&["Image", "Zip"])),
        may("PublishToLatestPublished", Flag),
        may("RecursiveLoop", OneOf(&["Allow", "Terminate"])),
        may("ReservedConcurrentExecutions", Integer(0, u32::MAX as i64)),
        must("Role", Text),
        may("Runtime", Text),
        may("RuntimeManagementConfig", Json),
        may(
            "SnapStart",
            Object(&[must("ApplyOn", OneOf(&["PublishedVersions", "None"]))]),
        ),
        may("Tags", TAGS),
        may("TenancyConfig", Json),
        may("Timeout", Integer(1, 900)),
        may(
            "TracingConfig",
            Object(&[may("Mode", OneOf(&["Active", "PassThrough"]))]),
        ),
        may(
            "VpcConfig",
            Object(&[
                may("Ipv6AllowedForDualStack", Flag),
                may("SecurityGroupIds", List(&Text)),
                may("SubnetIds", List(&Text)),
            ]),
        ),
    ],
    attributes: &["Arn"],
    named: |naming| {
        let name = naming.name("FunctionName", 64);
        let arn = naming.arn("lambda", &format!("function:{name}"));
        Named::new(name).with("Arn", arn)
    },
};

/// In seconds and MB, as <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html> has them.
const DEFAULT_TIMEOUT: u64 = 3;
const DEFAULT_MEMORY: u64 = 128;

pub(in crate::template) fn function(resource: &Created) -> Result<stack::Function, Problem> {
    let image = "the local target only runs zip packages";
    if resource.text("PackageType") == Some("Image") {
        return Err(resource.problem("PackageType", image));
    }
    resource.refuse("ImageConfig", image)?;
    resource.refuse(
        "FileSystemConfigs",
        "the local target has no file systems to mount",
    )?;
    resource.refuse(
        "DurableConfig",
        "the local target does not run durable functions",
    )?;
    resource.refuse("TenancyConfig", "the local target does not isolate tenants")?;
    check_runtime(resource)?;
    check_layers(resource)?;
    check_logging(resource)?;
    let number = |property: &str| resource.properties.get(property).and_then(Json::as_u64);
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let handler = resource
        .text("Handler")
        .filter(|handler| !handler.is_empty() && !handler.contains(char::is_whitespace));
    let name = resource.reference().to_owned();
    let log_group = resource
        .properties
        .get("LoggingConfig")
        .and_then(|logging| logging.get("LogGroup")?.as_str());
    Ok(stack::Function {
        logical_id: resource.logical_id.clone(),
        arn: resource.attribute("Arn"),
        role_arn: resource.required("Role").to_owned(),
        handler: handler
            .ok_or_else(|| {
                resource.problem(
                    "Handler",
                    "a function in a zip needs a `Handler` without white space",
                )
            })?
            .to_owned(),
        memory_size: small(number("MemorySize").unwrap_or(DEFAULT_MEMORY)),
        timeout: Duration::from_secs(number("Timeout").unwrap_or(DEFAULT_TIMEOUT)),
        environment: with_log_level(environment(resource)?, resource),
        reserved_concurrency: number("ReservedConcurrentExecutions").map(small),
        events: stack::EventPolicy::default(),
        log_group: log_group.map_or_else(|| format!("/aws/lambda/{name}"), str::to_owned),
        name,
    })
}

/// See <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const MAX_LAYERS: usize = 5;

fn check_layers(resource: &Created) -> Result<(), Problem> {
    let layers = resource.properties.get("Layers").and_then(Json::as_array);
    match layers.map_or(0, Vec::len) {
        0..=MAX_LAYERS => Ok(()),
        count => {
            let reason = format!("it has {count} layers, {MAX_LAYERS} at most");
            Err(resource.problem("Layers", reason))
        }
    }
}

/// Adds the variable by which Lambda tells a function the level of its log
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>).
fn with_log_level(
    mut environment: BTreeMap<String, String>,
    resource: &Created,
) -> BTreeMap<String, String> {
    let logging = resource.properties.get("LoggingConfig");
    let level = logging.and_then(|logging| logging.get("ApplicationLogLevel")?.as_str());
    environment.extend(level.map(|level| ("AWS_LAMBDA_LOG_LEVEL".to_owned(), level.to_owned())));
    environment
}

/// Levels are for logs in JSON: <https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html>.
fn check_logging(resource: &Created) -> Result<(), Problem> {
    let logging = &resource.properties["LoggingConfig"];
    let levels = ["ApplicationLogLevel", "SystemLogLevel"];
    let level = levels
        .into_iter()
        .find(|level| logging.get(level).is_some());
    match level {
        Some(level) if logging["LogFormat"] != "JSON" => {
            let reason =
                format!("`{level}` is for logs in JSON: set LogFormat to JSON, or omit it");
            Err(resource.problem("LoggingConfig", reason))
        }
        _ => Ok(()),
    }
}

fn check_runtime(resource: &Created) -> Result<(), Problem> {
    match resource.text("Runtime") {
        Some(runtime) if runtime == "provided" || runtime.starts_with("provided.") => Ok(()),
        Some(other) => {
            let reason = format!(
                "the local target only runs `provided.*` (such as provided.al2023), not `{other}`"
            );
            Err(resource.problem("Runtime", reason))
        }
        None => Err(resource.problem(
            "Runtime",
            "a function in a zip needs a `Runtime`, such as provided.al2023",
        )),
    }
}

/// Lambda sets these itself: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>.
const RESERVED: [&str; 18] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// In bytes, all names and values together, from the same page.
const MAX_ENVIRONMENT_BYTES: usize = 4_096;

fn environment(resource: &Created) -> Result<BTreeMap<String, String>, Problem> {
    let problem = |reason: String| resource.problem("Environment", reason);
    let variables = resource
        .properties
        .get("Environment")
        .and_then(|environment| environment.get("Variables")?.as_object());
    let mut environment = BTreeMap::new();
    for (name, value) in variables.into_iter().flatten() {
        if RESERVED.contains(&name.as_str()) {
            return Err(problem(format!(
                "Lambda sets the variable `{name}` itself, so it cannot be set here"
            )));
        }
        let mut characters = name.bytes();
        let valid = name.len() > 1
            && characters
                .next()
                .is_some_and(|first| first.is_ascii_alphabetic())
            && characters.all(|next| next.is_ascii_alphanumeric() || next == b'_');
        if !valid {
            let form = "two or more letters, digits and `_`, a letter first";
            return Err(problem(format!(
                "the variable name `{name}` must have {form}"
            )));
        }
        environment.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    let size: usize = environment
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size > MAX_ENVIRONMENT_BYTES {
        return Err(problem(format!(
            "its variables have {size} bytes, {MAX_ENVIRONMENT_BYTES} at most"
        )));
    }
    Ok(environment)
}
