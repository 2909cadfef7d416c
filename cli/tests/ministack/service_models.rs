//! Every request that passes on its way to the emulator is judged by the service models that AWS publishes: an emulator
//! takes requests that AWS would refuse.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use base64::Engine as _;
use expect_test::expect;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cloud::Cloud;

/// A request as the judge reads it.
pub(crate) fn recorded(parts: &Parts, body: &Bytes) -> Value {
    let headers = parts.headers.iter();
    let headers: serde_json::Map<String, Value> = headers
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value.into())
        })
        .collect();
    json!({
        "method": parts.method.as_str(),
        "target": parts.uri.path_and_query().map_or("/", |target| target.as_str()),
        "headers": headers,
        "body": base64::engine::general_purpose::STANDARD.encode(body),
    })
}

/// What a request is, and what is wrong with it.
#[derive(Debug, Deserialize)]
pub(crate) struct Judgement {
    /// `cloudformation:CreateChangeSet`; `None` when it is none that the model has.
    pub(crate) operation: Option<String>,
    pub(crate) violations: Vec<String>,
}

/// The judge: one process for all tests, which ends with them.
struct Judge {
    _process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    /// It runs on the emulator's Python, whose environment has botocore.
    fn start() -> Self {
        let emulator = std::env::var_os("CHATCTL_MINISTACK").expect("CHATCTL_MINISTACK is set");
        let python = Path::new(&emulator).with_file_name("python");
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/ministack/service_models.py"
        );
        let mut process = Command::new(python)
            .args(["-I", "-B", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            asks: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            _process: process,
        }
    }

    fn judge(&mut self, request: &Value) -> Judgement {
        writeln!(self.asks, "{request}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
    }
}

/// Judges `requests`, in their order.
pub(crate) fn judge(requests: &[Value]) -> Vec<Judgement> {
    static JUDGE: OnceLock<Mutex<Judge>> = OnceLock::new();
    let mut judge = JUDGE
        .get_or_init(|| Mutex::new(Judge::start()))
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    requests
        .iter()
        .map(|request| judge.judge(request))
        .collect()
}

/// What the models find wrong with `requests`, a line each.
pub(crate) fn violations(requests: &[Value]) -> Vec<String> {
    let judged = judge(requests).into_iter().zip(requests);
    let wrong = judged.filter(|(judgement, _)| !judgement.violations.is_empty());
    wrong
        .map(|(judgement, request)| {
            let name = judgement
                .operation
                .unwrap_or_else(|| format!("{} {}", request["method"], request["target"]));
            format!("{name}: {}", judgement.violations.join("; "))
        })
        .collect()
}

/// The end of each test judges its requests in the same way: here it is shown which there are, so that none passes
/// because nothing was recorded.
#[tokio::test]
async fn every_request_of_a_stack_s_life_fits_the_service_models_of_aws() {
    let cloud = Cloud::start().await;
    cloud.config("[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n");
    cloud.deploy("--tag a=b").await.exits(0);
    let new = format!("--handlers {}", cloud.handlers("new").display());
    let deploy = |more: &str| format!("deploy --no-probe {new} {more}");
    cloud.chatctl(&deploy("--yes --hotswap")).await.exits(0);
    cloud.chatctl(&format!("diff {new}")).await.exits(0);
    cloud.config(
        "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n[[routes]]\nkey = \"more\"\n",
    );
    cloud.chatctl(&deploy("--dry-run")).await.exits(0);
    cloud.chatctl(&deploy("--yes --protect")).await.exits(0);
    for words in [
        "status",
        "outputs",
        "logs",
        "doctor",
        "print-connect-commands",
    ] {
        cloud.chatctl(words).await.exits(0);
    }
    cloud.chatctl(&deploy("--yes --protect=false")).await;
    cloud.chatctl("teardown --yes").await;
    let requests = cloud.between.requests();
    assert_eq!(violations(&requests), Vec::<String>::new());
    let judged = judge(&requests).into_iter();
    // What functions ask of their table is beside the point here.
    let operations: BTreeSet<_> = judged
        .filter_map(|judgement| judgement.operation)
        .filter(|name| !["Item", "Query"].iter().any(|end| name.ends_with(end)))
        .collect();
    let operations: Vec<_> = operations.into_iter().collect();
    expect![[r#"
        apigateway:GetStage
        cloudformation:CreateChangeSet
        cloudformation:DeleteChangeSet
        cloudformation:DeleteStack
        cloudformation:DescribeChangeSet
        cloudformation:DescribeEvents
        cloudformation:DescribeStackEvents
        cloudformation:DescribeStacks
        cloudformation:ExecuteChangeSet
        cloudformation:GetTemplate
        cloudformation:ListStackResources
        cloudformation:UpdateTerminationProtection
        dynamodb:DescribeTable
        lambda:GetAccountSettings
        lambda:GetFunctionConfiguration
        lambda:UpdateFunctionCode
        logs:FilterLogEvents
        s3:CreateBucket
        s3:DeleteObjects
        s3:GetBucketEncryption
        s3:GetBucketLifecycleConfiguration
        s3:GetBucketOwnershipControls
        s3:GetBucketPolicy
        s3:GetBucketTagging
        s3:GetPublicAccessBlock
        s3:HeadBucket
        s3:HeadObject
        s3:ListObjectsV2
        s3:PutBucketLifecycleConfiguration
        s3:PutBucketPolicy
        s3:PutObject
        sts:GetCallerIdentity"#]]
    .assert_eq(&operations.join("\n"));
}

#[test]
fn misspelt_missing_and_misplaced_parts_of_a_request_are_violations() {
    let request = |service: &str, method: &str, target: &str, headers: Value, body: &str| {
        let mut headers = headers;
        headers["authorization"] = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/{service}/aws4_request, Signature=0"
        )
        .into();
        let body = base64::engine::general_purpose::STANDARD.encode(body);
        json!({"method": method, "target": target, "headers": headers, "body": body})
    };
    let query = |body: &str| {
        let body = format!("Version=2010-05-15&{body}");
        request("cloudformation", "POST", "/", json!({}), &body)
    };
    let json = |operation: &str, body: &str| {
        let target = format!("Logs_20140328.{operation}");
        let headers = json!({"x-amz-target": target, "content-type": "application/x-amz-json-1.1"});
        request("logs", "POST", "/", headers, body)
    };
    let metrics = |version: &str, body: &str| {
        let target = "GraniteServiceVersion20100801.GetMetricData";
        let headers = json!({"x-amz-target": target, "content-type": format!("application/x-amz-json-{version}")});
        request("monitoring", "POST", "/", headers, body)
    };
    let rest = |method: &str, target: &str, body: &str| {
        let service = if target.contains("/v2/") {
            "apigateway"
        } else {
            "lambda"
        };
        request(service, method, target, json!({}), body)
    };
    let s3 =
        |method: &str, target: &str, body: &str| request("s3", method, target, json!({}), body);
    for permission in [
        query("Action=DescribeStacks&StackName=chat"),
        query(
            "Action=CreateChangeSet&StackName=chat&ChangeSetName=c&Capabilities.member.1=CAPABILITY_IAM",
        ),
        json("FilterLogEvents", r#"{"logGroupName":"g","startTime":1}"#),
        metrics(
            "1.0",
            r#"{"MetricDataQueries":[],"StartTime":1,"EndTime":2}"#,
        ),
        rest("GET", "/v2/apis/abc/stages/v1", ""),
        rest(
            "PUT",
            "/2015-03-31/functions/chat-Direct/code",
            r#"{"S3Bucket":"bucket","S3Key":"k"}"#,
        ),
        s3("PUT", "/bucket/uses/a/chat?x-id=PutObject", ""),
        s3("PUT", "/bucket?policy", "{}"),
        s3(
            "PUT",
            "/bucket?publicAccessBlock",
            "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>",
        ),
    ] {
        assert_eq!(
            violations(std::slice::from_ref(&permission)),
            Vec::<String>::new(),
            "{permission}"
        );
    }
    let wrong = [
        query("Action=DescribeStacks&StackNmae=chat"),
        query("Action=DescribeStackz"),
        query("Action=CreateChangeSet&StackName=chat"),
        query(
            "Action=CreateChangeSet&StackName=chat&ChangeSetName=c&Capabilities.1=CAPABILITY_IAM",
        ),
        query("Action=CreateChangeSet&StackName=chat&ChangeSetName=c&ChangeSetType=MAKE"),
        query("Action=DeleteStack&StackName=chat&RetainResources.member.2=Table"),
        json("FilterLogEvents", r#"{"logGroupNmae":"g"}"#),
        json(
            "FilterLogEvents",
            r#"{"logGroupName":"g","startTime":"soon"}"#,
        ),
        json("FilterLogEvents", "{"),
        metrics(
            "1.1",
            r#"{"MetricDataQueries":[],"StartTime":1,"EndTime":2}"#,
        ),
        metrics("1.0", r#"{"MetricDataQueries":[],"StartTime":1}"#),
        rest("GET", "/v2/apis/abc/stage/v1", ""),
        rest("GET", "/v2/apis/abc/stages/v1?expand=all", ""),
        rest(
            "PUT",
            "/2015-03-31/functions/chat-Direct/code",
            r#"{"S3Bucket":"bucket","S3key":"k"}"#,
        ),
        s3(
            "PUT",
            "/bucket?publicAccessBlock",
            "<PublicAccessBlockConfiguration><BlockPublicAcl>true</BlockPublicAcl></PublicAccessBlockConfiguration>",
        ),
        s3(
            "PUT",
            "/bucket?publicAccessBlocks",
            "<PublicAccessBlockConfiguration/>",
        ),
        request(
            "s3",
            "PUT",
            "/bucket/key",
            json!({"x-amz-taging": "a=b"}),
            "",
        ),
        request("s4", "PUT", "/bucket/key", json!({}), ""),
    ];
    let judged = judge(&wrong).into_iter();
    let lines: Vec<_> = judged.map(|judged| judged.violations.join("; ")).collect();
    expect![[r#"
        DescribeStacks: there is no parameter 'StackNmae'
        cloudformation has no operation 'DescribeStackz'
        Missing required parameter in input: "ChangeSetName"
        CreateChangeSet.Capabilities: a list is member.1, member.2 …, not ['1']
        CreateChangeSetInput.ChangeSetType: 'MAKE' is none of CREATE, UPDATE, IMPORT
        DeleteStack.RetainResources: the elements have the numbers ['2']
        Unknown parameter in input: "logGroupNmae", must be one of: logGroupName, logGroupIdentifier, logStreamNames, logStreamNamePrefix, startTime, endTime, filterPattern, nextToken, limit, startFromHead, interleaved, unmask
        Invalid type for parameter startTime, value: soon, type: <class 'str'>, valid types: <class 'int'>
        the body is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)
        the content type is 'application/x-amz-json-1.1', not 'application/x-amz-json-1.0'
        Missing required parameter in input: "EndTime"
        apigateway has no operation at GET /v2/apis/abc/stage/v1
        GetStage has no query parameter 'expand'
        UpdateFunctionCode has no member 'S3key' in its body
        <PublicAccessBlockConfiguration> has no member <BlockPublicAcl>
        CreateBucket has no query parameter 'publicAccessBlocks'
        PutObject has no header 'x-amz-taging'
        there is no service that signs as 's4'"#]].assert_eq(&lines.join("\n"));
}
