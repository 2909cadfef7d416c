//! Reasons of failures that have been seen, what they mean for a chat, and what to do. A table, so that a new one is one
//! entry.
//!
//! The words are AWS's. Beside its documentation they are reported in public: API Gateway's and IAM's in the tables of
//! retried errors of other deployment tools (<https://github.com/go-to-k/cdkd/blob/main/src/deployment/retryable-errors.ts>,
//! <https://github.com/hashicorp/terraform-provider-aws/issues/18018>), Lambda's in issues such as
//! <https://github.com/aws/aws-cdk/issues/29227>.

/// What is known of a reason.
#[derive(Debug)]
pub(super) struct Known {
    /// What the reason says, in small letters: all words of one of these.
    says: &'static [&'static [&'static str]],
    /// What the types of the resources that may say it begin with.
    of: &'static str,
    pub(super) meaning: &'static str,
    pub(super) remedy: &'static str,
    /// Whether the same request has good prospects a moment later, with nothing changed.
    pub(super) passes: bool,
}

const ANY: &str = "";
const API_GATEWAY: &str = "AWS::ApiGatewayV2::";

/// The first that fits counts: what is more particular comes first.
static KNOWN: &[Known] = &[
    // What only looks as if it passed.
    Known {
        says: &[&["is invalid or cannot be assumed"]],
        of: ANY,
        meaning: "CloudFormation cannot take on the role that this stack was given to act with",
        remedy: "have somebody let cloudformation.amazonaws.com assume that role, then deploy again",
        passes: false,
    },
    Known {
        says: &[
            &["security token included in the request is expired"],
            &["expiredtoken"],
        ],
        of: ANY,
        meaning: "the credentials that the deployment was started with have expired meanwhile",
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
        meaning: "the clock of the machine that asked differs from AWS's",
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
        meaning: "who may invoke the function no longer fits into its policy, which Lambda limits to 20 KB",
        remedy: "remove permissions that something else has added to the function, or deploy under a shorter name with `--stack`",
        passes: false,
    },
    Known {
        says: &[
            &["maximum policy size"],
            &["cannot exceed quota for policysize"],
        ],
        of: ANY,
        meaning: "what a role may do no longer fits into its policies, which IAM limits to 10,240 characters together",
        remedy: "give the route fewer `permissions`, or its resources shorter names",
        passes: false,
    },
    Known {
        says: &[&["nosuchkey"]],
        of: ANY,
        meaning: "the zip with the handlers was gone from the bucket when Lambda fetched it",
        remedy: "deploy again: it is published again when it is missing",
        passes: false,
    },
    Known {
        says: &[&["permanentredirect"], &["must be in the same region"]],
        of: ANY,
        meaning: "the bucket with the handlers is in another region than the stack",
        remedy: "deploy again without a bucket of another region in `CodeBucket`",
        passes: false,
    },
    Known {
        says: &[&["cloudwatch logs role arn"]],
        of: ANY,
        meaning: "API Gateway may not write logs in this account and region yet",
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
        meaning: "Secrets Manager in this account and region has no such secret, or no such member of it",
        remedy: "make the secret that `secret-header` names, then deploy again",
        passes: false,
    },
    Known {
        says: &[&["parameternotfound"], &["ssm", "cannot be found"]],
        of: ANY,
        meaning: "Systems Manager in this account and region has no such parameter",
        remedy: "make the parameter that `secret-header` names, then deploy again",
        passes: false,
    },
    // What passes by itself.
    Known {
        says: &[&["concurrent modification"]],
        of: ANY,
        meaning: "parts of one API were changed at the same moment, of which API Gateway lets through one at a time",
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
        meaning: "API Gateway says no more; most often parts of one API were changed at the same moment",
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
        meaning: "the new role was not known everywhere yet, which takes AWS some seconds",
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
        meaning: "what the new role may do was not known everywhere yet, which takes AWS some seconds",
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
        meaning: "AWS was still at work on the same thing, or on too many at once",
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
        meaning: "AWS was asked too often at that moment, perhaps by other deployments",
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
        meaning: "AWS had trouble of its own at that moment",
        remedy: "deploy again in a few minutes",
        passes: true,
    },
    // What takes longer than a moment.
    Known {
        says: &[
            &["did not stabilize"],
            &["exceeded attempts to wait"],
            &["handlererrorcode: notstabilized"],
        ],
        of: ANY,
        meaning: "AWS did not get it ready in the time that CloudFormation waits",
        remedy: "deploy again; if it stays so, https://health.aws.amazon.com tells whether the service has trouble in this Region",
        passes: false,
    },
    Known {
        says: &[&["already exists"]],
        of: ANY,
        meaning: "something of this name exists already and belongs to no stack, or to another one",
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
        remedy: "raise it in the Service Quotas console, or delete what is not needed",
        passes: false,
    },
];

/// What is known of `reason`, in CloudFormation's full words, where a resource of `resource_type` gave it.
pub(super) fn known(reason: &str, resource_type: &str) -> Option<&'static Known> {
    let reason = reason.to_lowercase();
    KNOWN.iter().find(|known| {
        let fits = |words: &&[&str]| words.iter().all(|word| reason.contains(word));
        resource_type.starts_with(known.of) && known.says.iter().any(fits)
    })
}

#[cfg(test)]
mod tests;
