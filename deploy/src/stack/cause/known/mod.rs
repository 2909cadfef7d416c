//! Known reasons of failures, their meaning for a chat, and remedies. A table, so that a new one is one entry.
//!
//! The wordings are AWS's. Besides its documentation they come from public reports: API Gateway's and IAM's from the
//! tables of retried errors of other deployment tools
//! (<https://github.com/go-to-k/cdkd/blob/main/src/deployment/retryable-errors.ts>,
//! <https://github.com/hashicorp/terraform-provider-aws/issues/18018>), Lambda's from issues such as
//! <https://github.com/aws/aws-cdk/issues/29227>.

/// A known reason.
#[derive(Debug)]
pub(super) struct Known {
    /// Words of the reason in small letters. It matches if it contains all words of one of these lists.
    says: &'static [&'static [&'static str]],
    /// The prefix of the resource types that can have this reason.
    of: &'static str,
    pub(super) meaning: &'static str,
    pub(super) remedy: &'static str,
    /// Whether the same request is likely to succeed a moment later, with nothing changed.
    pub(super) passes: bool,
}

const ANY: &str = "";
const API_GATEWAY: &str = "AWS::ApiGatewayV2::";

/// The first match counts, so specific entries come before general ones.
static KNOWN: &[Known] = &[
    // Failures that only look temporary.
    Known {
        says: &[&["is invalid or cannot be assumed"]],
        of: ANY,
        meaning: "CloudFormation cannot assume the role that this stack was deployed with",
        remedy: "have an administrator allow cloudformation.amazonaws.com to assume that role, then deploy again",
        passes: false,
    },
    Known {
        says: &[
            &["security token included in the request is expired"],
            &["expiredtoken"],
        ],
        of: ANY,
        meaning: "the deployment's credentials have expired",
        remedy: "renew them, then deploy again",
        passes: false,
    },
    Known {
        says: &[
            &["signature expired"],
            &["signature not yet current"],
            &["requesttimetooskewed"],
        ],
        of: ANY,
        meaning: "this machine's clock differs from AWS's",
        remedy: "set the clock, then deploy again",
        passes: false,
    },
    Known {
        says: &[&["runtime", "provided.al2023", "not supported"]],
        of: ANY,
        meaning: "Lambda in this Region does not have this runtime",
        remedy: "deploy to another Region (`--region`)",
        passes: false,
    },
    Known {
        says: &[&["final policy size"]],
        of: ANY,
        meaning: "the function's policy, which lists who may invoke it, exceeds Lambda's limit of 20 KB",
        remedy: "remove permissions that were added to the function outside of chatctl, or deploy under a shorter name with `--stack`",
        passes: false,
    },
    Known {
        says: &[
            &["maximum policy size"],
            &["cannot exceed quota for policysize"],
        ],
        of: ANY,
        meaning: "the policies of a role exceed IAM's limit of 10,240 characters in total",
        remedy: "give the route fewer `permissions`, or its resources shorter names",
        passes: false,
    },
    Known {
        says: &[&["nosuchkey"]],
        of: ANY,
        meaning: "the zip with the handlers was gone from the bucket when Lambda fetched it",
        remedy: "deploy again, which publishes it again",
        passes: false,
    },
    Known {
        says: &[&["permanentredirect"], &["must be in the same region"]],
        of: ANY,
        meaning: "the bucket with the handlers is in another Region than the stack",
        remedy: "deploy again without a bucket of another Region in `CodeBucket`",
        passes: false,
    },
    Known {
        says: &[&["cloudwatch logs role arn"]],
        of: ANY,
        meaning: "API Gateway has no permission to write logs in this account and Region yet",
        remedy: "set a CloudWatch log role in API Gateway's account settings, or switch access logs off",
        passes: false,
    },
    Known {
        says: &[
            &["can't find the specified secret"],
            &["could not find a value associated with jsonkey"],
            &["could not parse secretstring"],
        ],
        of: ANY,
        meaning: "Secrets Manager in this account and Region has no such secret, or the secret has no such key",
        remedy: "create the secret that `secret-header` names, then deploy again",
        passes: false,
    },
    Known {
        says: &[&["parameternotfound"], &["ssm", "cannot be found"]],
        of: ANY,
        meaning: "Systems Manager in this account and Region has no such parameter",
        remedy: "create the parameter that `secret-header` names, then deploy again",
        passes: false,
    },
    // Temporary failures.
    Known {
        says: &[&["concurrent modification"]],
        of: ANY,
        meaning: "parts of one API were changed at the same moment, but API Gateway allows one change at a time",
        remedy: "deploy again",
        passes: true,
    },
    Known {
        says: &[
            &["internal failure"],
            &["internalfailure"],
            &["internal server error"],
        ],
        of: API_GATEWAY,
        meaning: "API Gateway gives no reason; the usual one is that parts of one API were changed at the same moment",
        remedy: "deploy again",
        passes: true,
    },
    Known {
        says: &[
            &["cannot be assumed by"],
            &["is unable to assume"],
            &["authorized to assume the provided role"],
            &["required to assume the role"],
            &["role validation failed"],
            &["adequate trust relationships"],
            &["invalid principal in policy"],
            &["one or more invalid principals"],
            &["principalnotfound"],
            &["role with name", "cannot be found"],
            &["security token included in the request is invalid. (service:"],
        ],
        of: ANY,
        meaning: "the new role had not reached all of AWS yet, which takes some seconds",
        remedy: "deploy again",
        passes: true,
    },
    Known {
        says: &[
            &["kms key is invalid for creategrant"],
            &["execution role does not have permissions"],
            &["does not have required permissions"],
            &["please ensure the role can perform"],
        ],
        of: ANY,
        meaning: "the new role's permissions had not reached all of AWS yet, which takes some seconds",
        remedy: "deploy again",
        passes: true,
    },
    Known {
        says: &[
            &["currently in the following state: pending"],
            &["concurrent update operation"],
            &["an update is in progress for resource"],
            &["conflicting conditional operation"],
            &["conflicting operation is currently in progress"],
            &["operationaborted"],
            &["priorrequestnotcomplete"],
            &["transactioninprogress"],
            &["simultaneously"],
        ],
        of: ANY,
        meaning: "AWS was still changing the same resource, or too many resources at once",
        remedy: "deploy again in a minute",
        passes: true,
    },
    Known {
        says: &[
            &["rate exceeded"],
            &["too many requests"],
            &["toomanyrequests"],
            &["throttling"],
            &["throttled"],
            &["requestlimitexceeded"],
            &["bandwidthlimitexceeded"],
            &["provisionedthroughputexceeded"],
            &["slowdown"],
            &["status code: 429"],
        ],
        of: ANY,
        meaning: "AWS received too many requests at that moment, perhaps from other deployments",
        remedy: "deploy again in a minute",
        passes: true,
    },
    Known {
        says: &[
            &["service unavailable"],
            &["serviceunavailable"],
            &["status code: 503"],
            &["status code: 500"],
            &["handlererrorcode: serviceinternalerror"],
            &["handlererrorcode: networkfailure"],
        ],
        of: ANY,
        meaning: "AWS had a failure of its own at that moment",
        remedy: "deploy again in a few minutes",
        passes: true,
    },
    // Failures that last longer.
    Known {
        says: &[
            &["did not stabilize"],
            &["exceeded attempts to wait"],
            &["handlererrorcode: notstabilized"],
        ],
        of: ANY,
        meaning: "the resource was not ready within the time that CloudFormation waits",
        remedy: "deploy again; if it fails again, look at https://health.aws.amazon.com for an outage of the service in this Region",
        passes: false,
    },
    Known {
        says: &[&["already exists"]],
        of: ANY,
        meaning: "a resource of this name exists already and does not belong to this stack",
        remedy: "delete it, or deploy under another name with `--stack`",
        passes: false,
    },
    Known {
        says: &[
            &["unreservedconcurrentexecution"],
            &["limitexceeded"],
            &["limit exceeded"],
            &["quota"],
        ],
        of: ANY,
        meaning: "a quota of the account is used up",
        remedy: "raise it in the Service Quotas console, or delete resources that are not needed",
        passes: false,
    },
];

/// The known reason that matches `reason`, CloudFormation's full text, for a resource of `resource_type`.
pub(super) fn known(reason: &str, resource_type: &str) -> Option<&'static Known> {
    let reason = reason.to_lowercase();
    KNOWN.iter().find(|known| {
        let fits = |words: &&[&str]| words.iter().all(|word| reason.contains(word));
        resource_type.starts_with(known.of) && known.says.iter().any(fits)
    })
}

#[cfg(test)]
mod tests;
