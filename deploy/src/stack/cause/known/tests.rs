//! Reasons that AWS has given, and how they are classified.

use super::*;

/// Reasons that AWS has given; `true` for temporary ones.
const SEEN: &[(&str, &str, bool)] = &[
    (
        "AWS::ApiGatewayV2::Route",
        "Unable to complete operation due to concurrent modification. Please try again later. (Service: ApiGatewayV2, Status Code: 409, Request ID: 1)",
        true,
    ),
    (
        "AWS::ApiGatewayV2::Integration",
        "Too Many Requests (Service: ApiGatewayV2, Status Code: 429, Request ID: 1)",
        true,
    ),
    ("AWS::ApiGatewayV2::Integration", "Internal Failure", true),
    ("AWS::ApiGatewayV2::Stage", "Internal server error", true),
    (
        "AWS::Lambda::Function",
        "The role defined for the function cannot be assumed by Lambda. (Service: Lambda, Status Code: 400, Request ID: 1)",
        true,
    ),
    (
        "AWS::Lambda::Function",
        "Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant.",
        true,
    ),
    (
        "AWS::Lambda::Function",
        "The provided execution role does not have permissions to call PutLogEvents",
        true,
    ),
    (
        "AWS::Lambda::Permission",
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        true,
    ),
    (
        "AWS::Lambda::Permission",
        "The function could not be updated due to a concurrent update operation.",
        true,
    ),
    ("AWS::IAM::Role", "Rate exceeded", true),
    (
        "AWS::IAM::Role",
        "Rate exceeded (Service: AmazonIdentityManagement; Status Code: 400; Error Code: Throttling)",
        true,
    ),
    (
        "AWS::Lambda::Function",
        "TooManyRequestsException: Rate Exceeded. (RequestToken: 1, HandlerErrorCode: Throttling)",
        true,
    ),
    (
        "AWS::IAM::Policy",
        "The role with name chat-DeliverRole-1 cannot be found.",
        true,
    ),
    (
        "AWS::DynamoDB::Table",
        "Subscriber limit exceeded: Only 500 tables can be created, updated, or deleted simultaneously",
        true,
    ),
    (
        "AWS::Logs::LogGroup",
        "A conflicting operation is currently in progress against this resource. Please try again.",
        true,
    ),
    (
        "AWS::S3::Bucket",
        "A conflicting conditional operation is currently in progress against this resource. Please try again.",
        true,
    ),
    (
        "AWS::Lambda::Function",
        "Service Unavailable. Please try again later. (Service: Lambda, Status Code: 503, Request ID: 1)",
        true,
    ),
    (
        "AWS::Lambda::Function",
        "something (RequestToken: 1, HandlerErrorCode: ServiceInternalError)",
        true,
    ),
    (
        "AWS::Lambda::Function",
        "The runtime parameter of provided.al2023 is not supported",
        false,
    ),
    (
        "AWS::Lambda::Permission",
        "The final policy size (20512) is bigger than the limit (20480).",
        false,
    ),
    (
        "AWS::IAM::Role",
        "Maximum policy size of 10240 bytes exceeded for role chat-HandlerRole",
        false,
    ),
    (
        "AWS::Lambda::Function",
        "Role arn:aws:iam::111111111111:role/x is invalid or cannot be assumed",
        false,
    ),
    (
        "AWS::Lambda::Function",
        "RequestTimeTooSkewed: The difference between the request time and the current time is too large.",
        false,
    ),
    (
        "AWS::IAM::Role",
        "The security token included in the request is expired",
        false,
    ),
    (
        "AWS::ApiGatewayV2::Integration",
        "Secrets Manager can't find the specified secret. (Service: AWSSecretsManager; Status Code: 400)",
        false,
    ),
    (
        "AWS::IAM::Role",
        "chat-Role already exists in stack arn:x",
        false,
    ),
    (
        "AWS::IAM::Role",
        "Cannot exceed quota for RolesPerAccount: 1000",
        false,
    ),
    (
        "AWS::Lambda::Function",
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [10].",
        false,
    ),
    ("AWS::Lambda::Function", "Exceeded attempts to wait", false),
];

#[test]
fn every_recorded_reason_is_known_and_is_temporary_or_not() {
    for (resource_type, reason, passes) in SEEN {
        let known = known(reason, resource_type).unwrap_or_else(|| panic!("unknown: {reason}"));
        assert_eq!(known.passes, *passes, "{reason}: {}", known.meaning);
    }
}

/// Tools that only wait may treat these as temporary. Here that would hide a mistake behind a second failure.
#[test]
fn reasons_that_may_be_mistakes_are_not_temporary() {
    for (resource_type, reason) in [
        ("AWS::Lambda::Function", "Internal Failure"),
        ("AWS::Lambda::Permission", "Function does not exist"),
        ("AWS::IAM::Role", "MalformedPolicyDocument: trust policy"),
        ("AWS::X::Y", "strange"),
    ] {
        let found = known(reason, resource_type);
        assert!(found.is_none_or(|known| !known.passes), "{reason}");
    }
}

#[test]
fn every_entry_can_be_reached_and_is_written_in_small_letters() {
    for (index, entry) in KNOWN.iter().enumerate() {
        for words in entry.says {
            let reason = words.join(" x ");
            assert_eq!(reason, reason.to_lowercase());
            let of = if entry.of == ANY {
                "AWS::X::Y"
            } else {
                entry.of
            };
            let found = known(&reason, of).expect("it fits itself");
            assert!(
                std::ptr::eq(found, &KNOWN[index]),
                "{reason}: {}",
                found.meaning
            );
        }
    }
}
