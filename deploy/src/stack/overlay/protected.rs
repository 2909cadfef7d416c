//! What of chatctl's resources an overlay cannot change, and why: the rest of chatctl relies on it.

use chat_protocol::variable;
use serde_json::Value;

/// A part of a resource that stays as it is.
pub(super) struct FixedPart {
    /// From the resource, such as `/Properties/Handler`.
    pub(super) pointer: String,
    /// Why, and what to do instead.
    pub(super) why: &'static str,
}

const CODE: &str = "it decides which code runs, and with which permissions; a route with `handler` in the config runs code of yours";
const NAME: &str = "CloudFormation chooses the names of chatctl's resources, so that updates can replace them and `chatctl policy` \
                    can cover them; leave it out";
const VARIABLE: &str = "the config sets this variable; choose another name for one of your own";
const API: &str = "clients, routes and the printed endpoint rely on it; leave it out";
const STAGE: &str =
    "clients and the printed endpoint rely on it; `[stage]` in the config has what can be chosen";
const ROUTE: &str = "it decides which function gets a message, and who may send it; `[[routes]]` and `[auth]` in the config have what \
                     can be chosen";
const TABLE: &str = "the functions and the operator's commands read the table by it; leave it out";
const ROLE: &str = "a list is replaced as a whole, which would take the function's permissions away; add a resource of the type \
                    AWS::IAM::Policy with `Roles: [!Ref …]`, or `ManagedPolicyArns`";
const TRUST: &str = "it decides who may act with the role, or call the function; leave it out";
const LOGS: &str = "`chatctl logs` reads the functions' logs there; leave it out";
const RETRIES: &str = "an event that is tried again is a message that arrives twice; leave it out";
const DOMAIN: &str =
    "clients and the printed endpoint rely on it; `[domain]` in the config has what can be chosen";

/// Properties of chatctl's resources, by type, and the reason why they are kept. `*` is all of them but those in the last
/// list.
const PROPERTIES: &[(&str, &[&str], &str, &[&str])] = &[
    (
        "AWS::Lambda::Function",
        &[
            "Handler",
            "Runtime",
            "Code",
            "PackageType",
            "ImageConfig",
            "Architectures",
            "Role",
            "Layers",
        ],
        CODE,
        &[],
    ),
    ("AWS::Lambda::Function", &["FunctionName"], NAME, &[]),
    (
        "AWS::Lambda::Function",
        &["LoggingConfig/LogGroup", "LoggingConfig/LogFormat"],
        LOGS,
        &[],
    ),
    ("AWS::Lambda::Permission", &["*"], TRUST, &[]),
    (
        "AWS::Lambda::EventInvokeConfig",
        &["*"],
        RETRIES,
        &["DestinationConfig", "MaximumEventAgeInSeconds"],
    ),
    (
        "AWS::ApiGatewayV2::Api",
        &[
            "ProtocolType",
            "RouteSelectionExpression",
            "DisableExecuteApiEndpoint",
        ],
        API,
        &[],
    ),
    (
        "AWS::ApiGatewayV2::Stage",
        &[
            "ApiId",
            "StageName",
            "AutoDeploy",
            "DeploymentId",
            "DefaultRouteSettings/ThrottlingRateLimit",
            "DefaultRouteSettings/ThrottlingBurstLimit",
        ],
        STAGE,
        &[],
    ),
    (
        "AWS::ApiGatewayV2::Route",
        &[
            "ApiId",
            "RouteKey",
            "Target",
            "AuthorizationType",
            "AuthorizerId",
            "AuthorizationScopes",
            "RouteResponseSelectionExpression",
        ],
        ROUTE,
        &[],
    ),
    ("AWS::ApiGatewayV2::Authorizer", &["*"], ROUTE, &[]),
    ("AWS::ApiGatewayV2::RouteResponse", &["*"], ROUTE, &[]),
    ("AWS::ApiGatewayV2::IntegrationResponse", &["*"], ROUTE, &[]),
    (
        "AWS::ApiGatewayV2::Integration",
        &["*"],
        ROUTE,
        &["Description", "TimeoutInMillis", "TlsConfig"],
    ),
    (
        "AWS::ApiGatewayV2::DomainName",
        &["DomainName", "DomainNameConfigurations"],
        DOMAIN,
        &[],
    ),
    ("AWS::ApiGatewayV2::ApiMapping", &["*"], DOMAIN, &[]),
    ("AWS::Route53::RecordSet", &["*"], DOMAIN, &[]),
    (
        "AWS::DynamoDB::Table",
        &[
            "KeySchema",
            "TimeToLiveSpecification",
            "ImportSourceSpecification",
        ],
        TABLE,
        &[],
    ),
    ("AWS::DynamoDB::Table", &["TableName"], NAME, &[]),
    ("AWS::IAM::Role", &["Policies"], ROLE, &[]),
    ("AWS::IAM::Role", &["AssumeRolePolicyDocument"], TRUST, &[]),
    ("AWS::IAM::Role", &["RoleName"], NAME, &[]),
    ("AWS::IAM::Policy", &["*"], ROLE, &[]),
    (
        "AWS::Logs::LogGroup",
        &["LogGroupName", "LogGroupClass"],
        LOGS,
        &[],
    ),
];

/// The attributes that a change of chatctl's resource can have.
pub(super) const ATTRIBUTES: [&str; 4] = ["Type", "Properties", "DependsOn", "Metadata"];

/// Why the other attributes stay as they are.
pub(super) fn of_attribute(attribute: &str) -> &'static str {
    match attribute {
        "DeletionPolicy" | "UpdateReplacePolicy" => {
            "`chatctl teardown` decides what stays: `--keep-data` keeps the table, `deploy --protect` the whole stack"
        }
        "Condition" => {
            "the rest of the template needs the resource in any case; put the condition on a value with Fn::If"
        }
        _ => "only `Properties`, `DependsOn` and `Metadata` of it can be changed",
    }
}

/// Every part that stays of a resource of `kind`, of which `before` is chatctl's and `after` has the overlay.
pub(super) fn fixed_parts(kind: &str, before: &Value, after: &Value) -> Vec<FixedPart> {
    let mut kept = Vec::new();
    for (_, properties, why, free) in PROPERTIES.iter().filter(|(of, ..)| *of == kind) {
        if *properties == ["*"] {
            let both = [before, after].map(|resource| resource["Properties"].as_object());
            let keys = both
                .into_iter()
                .flatten()
                .flat_map(|properties| properties.keys())
                .filter(|key| !free.contains(&key.as_str()));
            kept.extend(keys.map(|key| FixedPart {
                pointer: format!("/Properties/{key}"),
                why,
            }));
        } else {
            let properties = properties.iter();
            kept.extend(properties.map(|path| FixedPart {
                pointer: format!("/Properties/{path}"),
                why,
            }));
        }
    }
    if kind == "AWS::Lambda::Function" {
        let variables = variable::ALL.iter();
        kept.extend(variables.map(|name| FixedPart {
            pointer: format!("/Properties/Environment/Variables/{name}"),
            why: VARIABLE,
        }));
    }
    kept
}

/// The reason why a table's `AttributeDefinitions` must have those of chatctl.
pub(super) const DEFINITIONS: &str = "the table's keys need the definitions of `pk` and `sk`; repeat them in the list, which replaces chatctl's";
