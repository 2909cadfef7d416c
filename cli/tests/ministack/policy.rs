//! A user with exactly the policy that chatctl prints can do everything with the stack, and each action of it is needed.
//!
//! The emulator judges what chatctl asks, not what CloudFormation does with the resources: of the latter only a table that
//! AWS publishes tells whether it is needed (`it/policy.rs`).

use std::collections::BTreeSet;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use testing::emulator::{ACCOUNT, REGION, forward};

use crate::cloud::{Cloud, Finished, finished};

const TAGGED: &str = "[aws]\ntags = { team = \"chat\" }\n";

/// Asks the emulator's IAM, as its operator.
async fn iam(cloud: &Cloud, action: &str, members: &[(&str, &str)]) -> String {
    let mut body = format!("Action={action}&Version=2010-05-08");
    for (name, value) in members {
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        body.push_str(&format!("&{name}={value}"));
    }
    let request = Request::builder()
        .method(Method::POST)
        .uri("/")
        .header("host", format!("127.0.0.1:{}", cloud.port))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-amz-date", "20260101T000000Z")
        .header("authorization", operator("iam"))
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let response = forward(cloud.port, request).await.unwrap();
    let text = String::from_utf8_lossy(response.body()).into_owned();
    assert!(response.status().is_success(), "{action}: {text}");
    text
}

/// The bucket for handlers with a policy that restricts nothing here: that of chatctl refuses users without TLS, which the
/// emulator does not speak.
async fn open_bucket(cloud: &Cloud) {
    let name = format!("chatctl-{ACCOUNT}-{REGION}-an");
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": format!("arn:aws:s3:::{name}"),
    }]});
    let place = format!(
        "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
    );
    for (query, body) in [("", place), ("?policy", policy.to_string())] {
        let request = Request::builder()
            .method(Method::PUT)
            .uri(format!("/{name}{query}"))
            .header("host", format!("127.0.0.1:{}", cloud.port))
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", operator("s3"))
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let response = forward(cloud.port, request).await.unwrap();
        let is_there = response.status().is_success() || response.status().as_u16() == 409;
        assert!(is_there, "{:?}", response.body());
    }
}

/// The emulator looks at whose access key it is, and not at the operator's signature.
fn operator(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=0"
    )
}

fn element<'a>(text: &'a str, name: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("<{name}>")).unwrap();
    rest.split('<').next().unwrap()
}

/// A user of the account, with an access key.
pub(crate) struct User {
    key: String,
    secret: String,
}

impl User {
    /// Makes a user who may do what `policy` says.
    pub(crate) async fn with(cloud: &Cloud, name: &str, policy: &Value) -> Self {
        iam(cloud, "CreateUser", &[("UserName", name)]).await;
        let document = policy.to_string();
        let made = [("PolicyName", name), ("PolicyDocument", document.as_str())];
        let made = iam(cloud, "CreatePolicy", &made).await;
        let arn = element(&made, "Arn").to_owned();
        iam(
            cloud,
            "AttachUserPolicy",
            &[("UserName", name), ("PolicyArn", &arn)],
        )
        .await;
        let keys = iam(cloud, "CreateAccessKey", &[("UserName", name)]).await;
        Self {
            key: element(&keys, "AccessKeyId").to_owned(),
            secret: element(&keys, "SecretAccessKey").to_owned(),
        }
    }

    /// Runs chatctl with `words` as this user.
    pub(crate) async fn runs(&self, cloud: &Cloud, words: &str) -> Finished {
        let mut command = cloud.command(words);
        command
            .env("AWS_ACCESS_KEY_ID", &self.key)
            .env("AWS_SECRET_ACCESS_KEY", &self.secret);
        finished(command.output().await.unwrap())
    }
}

/// The printed policy, with the emulator's names of log groups: CloudFormation's are `chat-…`.
async fn printed(cloud: &Cloud, more: &str) -> Value {
    let printed = cloud.chatctl(&format!("policy {more}")).await.exits(0);
    let groups = printed
        .stdout
        .replace("log-group:chat-*", "log-group:/aws/cloudformation/chat/*");
    assert_ne!(groups, printed.stdout);
    serde_json::from_str(&groups).unwrap()
}

/// `policy` without `action`.
pub(crate) fn without(policy: &Value, action: &str) -> Value {
    let mut policy = policy.clone();
    let statements = policy["Statement"].as_array_mut().unwrap();
    let mut is_there = false;
    for statement in statements.iter_mut() {
        let actions = statement["Action"].as_array_mut().unwrap();
        let before = actions.len();
        actions.retain(|other| other != action);
        is_there |= actions.len() < before;
    }
    assert!(is_there, "the policy has {action}");
    statements.retain(|statement| {
        statement["Action"]
            .as_array()
            .is_some_and(|actions| !actions.is_empty())
    });
    policy
}

fn actions(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|statement| statement["Action"].as_array().unwrap());
    actions
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

fn deploy(cloud: &Cloud, mark: &str) -> String {
    format!("deploy --yes --handlers {}", cloud.handlers(mark).display())
}

#[tokio::test]
async fn exactly_the_printed_policy_deploys_updates_swaps_looks_at_and_tears_down_a_stack() {
    let cloud = Cloud::start().await;
    cloud.config(TAGGED);
    open_bucket(&cloud).await;
    let ann = User::with(&cloud, "ann", &printed(&cloud, "").await).await;
    // The user can do nothing with another stack.
    let other = ann
        .runs(&cloud, &format!("{} --stack other", deploy(&cloud, "0")))
        .await;
    assert_eq!(other.code, 4, "{}", other.stderr);
    ann.runs(&cloud, &deploy(&cloud, "1")).await.exits(0);
    ann.runs(&cloud, &format!("{} --protect", deploy(&cloud, "2")))
        .await
        .exits(0);
    let swapped = ann
        .runs(
            &cloud,
            &format!("{} --hotswap --protect=false", deploy(&cloud, "3")),
        )
        .await;
    swapped
        .exits(0)
        .explains("the stack's own record now differs from what runs");
    for words in [
        "status",
        "outputs",
        "logs",
        "doctor --handlers H",
        "diff --handlers H",
        "print-connect-commands",
    ] {
        let words = words.replace('H', cloud.handlers("3").to_str().unwrap());
        let looked = ann.runs(&cloud, &words).await.exits(0);
        for text in [&looked.stdout, &looked.stderr] {
            assert!(
                !text.contains("AccessDenied") && !text.contains("lacks the permission"),
                "{words}: {text}"
            );
        }
    }
    let gone = ann.runs(&cloud, "teardown --yes").await.exits(0);
    assert!(!gone.stderr.contains("not removed"), "{}", gone.stderr);
    assert_eq!(cloud.stack_status("chat").await, None);
    // Of the other stack, and of nothing else but the simulation, for which the policy has no permission.
    let mut denied: BTreeSet<_> = cloud.between.denied().into_iter().collect();
    denied.retain(|action| action != "SimulatePrincipalPolicy");
    assert!(denied.len() <= 2, "{denied:?}");
}

/// What is refused without an action, on a stack that is there. `N` is new code, `O` what runs.
const NEEDED: [(&str, &str); 17] = [
    ("cloudformation:DescribeStacks", "deploy N"),
    ("cloudformation:GetTemplate", "deploy N"),
    ("cloudformation:CreateChangeSet", "deploy N"),
    ("cloudformation:DescribeChangeSet", "deploy N"),
    ("cloudformation:ExecuteChangeSet", "deploy N"),
    ("cloudformation:DescribeStackEvents", "deploy N"),
    ("cloudformation:ListStackResources", "deploy N"),
    ("cloudformation:DeleteChangeSet", "diff N"),
    (
        "cloudformation:UpdateTerminationProtection",
        "deploy N --protect",
    ),
    ("s3:ListBucket", "deploy N"),
    ("s3:GetBucketPolicy", "deploy N"),
    ("s3:PutObject", "deploy N"),
    ("s3:GetObject", "deploy N"),
    ("lambda:GetFunctionConfiguration", "deploy N"),
    ("lambda:UpdateFunctionCode", "deploy N --hotswap"),
    ("apigateway:GET", "deploy N"),
    ("logs:FilterLogEvents", "logs"),
];

/// What is refused without an action where there is no bucket yet.
const NEEDED_FOR_THE_BUCKET: [&str; 3] = [
    "s3:CreateBucket",
    "s3:PutLifecycleConfiguration",
    "s3:PutBucketPolicy",
];

/// What the emulator does not judge, or these commands do not ask it for.
const NOT_SHOWN: [(&str, &str); 19] = [
    (
        "cloudformation:DescribeEvents",
        "asked only after a change set that failed; a refusal leaves findings out",
    ),
    (
        "cloudformation:ListChangeSets",
        "asked only about what an interrupted first deployment has left",
    ),
    ("cloudformation:TagResource", "not judged"),
    ("cloudwatch:GetMetricData", "not judged"),
    ("cloudformation:UntagResource", "not judged"),
    ("cloudformation:DeleteStack", "shown at the end of the test"),
    ("dynamodb:DescribeTable", "shown at the end of the test"),
    ("s3:DeleteObject", "shown at the end of the test"),
    (
        "lambda:GetAccountSettings",
        "a refusal is a line of `doctor`",
    ),
    (
        "s3:GetBucketOwnershipControls",
        "what cannot be read is put",
    ),
    (
        "s3:GetBucketPublicAccessBlock",
        "what cannot be read is put",
    ),
    (
        "s3:GetEncryptionConfiguration",
        "what cannot be read in a new bucket is put",
    ),
    (
        "s3:GetLifecycleConfiguration",
        "what cannot be read in a new bucket is put",
    ),
    (
        "s3:PutBucketPublicAccessBlock",
        "a new bucket has it already",
    ),
    (
        "s3:PutBucketOwnershipControls",
        "a new bucket has it already",
    ),
    (
        "s3:PutEncryptionConfiguration",
        "a new bucket has it already",
    ),
    ("s3:GetBucketTagging", "a refusal is a notice"),
    ("s3:PutBucketTagging", "a refusal is a notice"),
    ("s3:TagResource", "not judged"),
];

/// Whether `said` tells that `action` is missing.
#[track_caller]
fn is_missed(action: &str, said: &Finished) {
    let text = format!("{}{}", said.stdout, said.stderr);
    let name = action.split(':').nth(1).unwrap();
    assert!(text.contains(name), "without {action}: {text}");
}

#[tokio::test]
async fn without_an_action_of_the_deployer_a_command_is_refused() {
    let cloud = Cloud::start().await;
    cloud.config(TAGGED);
    let split = printed(&cloud, "--service-role").await;
    let person = &split["deployer"];
    let reported: BTreeSet<_> = NEEDED
        .iter()
        .map(|(action, _)| *action)
        .chain(NEEDED_FOR_THE_BUCKET)
        .chain(NOT_SHOWN.iter().map(|(action, _)| *action))
        .chain(["iam:PassRole"])
        .map(str::to_owned)
        .collect();
    assert_eq!(
        actions(person)
            .symmetric_difference(&reported)
            .collect::<Vec<_>>(),
        [""; 0]
    );
    // The emulator does not judge what CloudFormation does: the person's part is enough.
    for (number, action) in NEEDED_FOR_THE_BUCKET.iter().enumerate() {
        let user = User::with(&cloud, &format!("bucket{number}"), &without(person, action)).await;
        let refused = user
            .runs(&cloud, &format!("{} --no-probe", deploy(&cloud, "b")))
            .await;
        is_missed(action, &refused);
    }
    open_bucket(&cloud).await;
    let ann = User::with(&cloud, "ann", person).await;
    ann.runs(&cloud, &format!("{} --no-probe", deploy(&cloud, "a")))
        .await
        .exits(0);
    for (number, (action, words)) in NEEDED.iter().enumerate() {
        let user = User::with(&cloud, &format!("user{number}"), &without(person, action)).await;
        let code = cloud.handlers(&format!("n{number}"));
        let words = words.replace("deploy N", "deploy --yes --no-probe --handlers N");
        let words = words
            .replace("diff N", "diff --handlers N")
            .replace('N', code.to_str().unwrap());
        is_missed(action, &user.runs(&cloud, &words).await);
    }
    ann.runs(
        &cloud,
        &format!("{} --no-probe --protect=false", deploy(&cloud, "z")),
    )
    .await
    .exits(0);
    for (number, action) in [
        "dynamodb:DescribeTable",
        "cloudformation:DeleteStack",
        "s3:DeleteObject",
    ]
    .iter()
    .enumerate()
    {
        let user = User::with(&cloud, &format!("gone{number}"), &without(person, action)).await;
        let words = match *action {
            // Declined: the question is what tells of it.
            "dynamodb:DescribeTable" => "teardown",
            _ => "teardown --yes",
        };
        is_missed(action, &user.runs(&cloud, words).await);
    }
    assert_eq!(cloud.stack_status("chat").await, None);
}
