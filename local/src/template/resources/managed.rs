//! AWS managed policies.

use serde_json::{Value as Json, json};

/// The supported AWS managed policies, with those of their actions that matter here:
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>.
pub(super) const MANAGED: [(&str, &[&str]); 4] = [
    (
        "service-role/AWSLambdaBasicExecutionRole",
        &[
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        ],
    ),
    (
        "AmazonAPIGatewayInvokeFullAccess",
        &["execute-api:Invoke", "execute-api:ManageConnections"],
    ),
    ("AmazonDynamoDBFullAccess", &["dynamodb:*"]),
    (
        "AWSXRayDaemonWriteAccess",
        &[
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            "xray:GetSamplingStatisticSummaries",
        ],
    ),
];

/// The document of a managed policy, if it is supported.
pub(super) fn managed(arn: &str) -> Option<Json> {
    let name = arn.strip_prefix("arn:aws:iam::aws:policy/")?;
    let (_, actions) = MANAGED.iter().find(|(known, _)| *known == name)?;
    // The one policy whose resource is narrower than `*` covers API Gateway's executions.
    let resource = if name == "AmazonAPIGatewayInvokeFullAccess" {
        "arn:aws:execute-api:*:*:*"
    } else {
        "*"
    };
    Some(
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": resource }] }),
    )
}
