//! What becomes of every response of S3, and of what is between it and here: `recorded/outcomes.txt` was written by the
//! generated client before it was removed (aws-sdk-s3 1.157.0).
//!
//! What differs, and is recorded as it is now:
//! - A refusal without content and with status 404 has no code; the client called it `NotFound`.
//! - A list that breaks off is not taken for a whole one.
//! - Encryption and rules for expiry that cannot be read are not put.

use std::fmt::Write as _;

use aws_smithy_types::retry::RetryConfig;
use expect_test::expect_file;

use super::super::super::stub::Fields;
use super::super::Origin;
use super::*;
use crate::engine::Leftovers;
use crate::engine::causes;

const HTML: Fields = &[("content-type", "text/html")];
const ELSEWHERE: Fields = &[("x-amz-bucket-region", "eu-north-1")];

/// A refusal in S3's words.
macro_rules! error {
    ($code:literal, $message:literal) => {
        concat!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>",
            $code,
            "</Code><Message>",
            $message,
            "</Message><RequestId>1</RequestId><HostId>h</HostId></Error>"
        )
    };
}

/// A name, a status, headers and a body.
const RESPONSES: [(&str, u16, Fields, &str); 38] = [
    (
        "denied",
        403,
        &[],
        error!(
            "AccessDenied",
            "User: u is not authorized to perform: s3:PutObject on resource: r because no identity-based policy allows the s3:PutObject action"
        ),
    ),
    (
        "denied, of another account",
        403,
        &[],
        error!("AccessDenied", "Access Denied"),
    ),
    ("denied, empty", 403, &[], ""),
    ("denied, cut", 403, &[], "<Error><Code>AccessDen"),
    (
        "denied, wrapped",
        403,
        &[],
        "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>",
    ),
    ("denied, in JSON", 403, &[], "{\"message\":\"Forbidden\"}"),
    ("denied, elsewhere", 403, ELSEWHERE, ""),
    ("gone, empty", 404, &[], ""),
    (
        "gone, the bucket",
        404,
        &[],
        error!("NoSuchBucket", "The specified bucket does not exist"),
    ),
    (
        "gone, the key",
        404,
        &[],
        error!("NoSuchKey", "The specified key does not exist."),
    ),
    ("moved, empty", 301, &[], ""),
    (
        "moved",
        301,
        &[],
        error!(
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint."
        ),
    ),
    (
        "moved for now",
        307,
        &[],
        error!(
            "TemporaryRedirect",
            "Please re-send this request to the specified temporary endpoint."
        ),
    ),
    (
        "wrong Region",
        400,
        ELSEWHERE,
        error!(
            "AuthorizationHeaderMalformed",
            "the region 'eu-west-1' is wrong; expecting 'eu-north-1'"
        ),
    ),
    ("wrong Region, empty", 400, ELSEWHERE, ""),
    (
        "expired",
        400,
        &[],
        error!("ExpiredToken", "The provided token has expired."),
    ),
    (
        "unknown key",
        403,
        &[],
        error!(
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records."
        ),
    ),
    (
        "wrong secret",
        403,
        &[],
        error!(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match"
        ),
    ),
    (
        "wrong clock",
        403,
        &[],
        error!(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large."
        ),
    ),
    (
        "not signed up",
        403,
        &[],
        error!(
            "NotSignedUp",
            "Your account is not signed up for the Amazon S3 service"
        ),
    ),
    (
        "a key of KMS is missing",
        400,
        &[],
        error!("KMS.NotFoundException", "Invalid keyId &apos;x&apos;"),
    ),
    (
        "busy",
        409,
        &[],
        error!(
            "OperationAborted",
            "A conflicting conditional operation is currently in progress"
        ),
    ),
    ("taken", 409, &[], error!("BucketAlreadyExists", "no")),
    ("ours", 409, &[], error!("BucketAlreadyOwnedByYou", "no")),
    (
        "slow",
        503,
        &[],
        error!("SlowDown", "Please reduce your request rate."),
    ),
    ("slow, empty", 503, &[], ""),
    ("too many", 429, &[], ""),
    (
        "late",
        400,
        &[],
        error!(
            "RequestTimeout",
            "Your socket connection to the server was not read from or written to within the timeout period."
        ),
    ),
    (
        "internal",
        500,
        &[],
        error!(
            "InternalError",
            "We encountered an internal error. Please try again."
        ),
    ),
    ("internal, a page", 500, HTML, "<html>oops</html>"),
    ("a gateway", 502, &[], ""),
    (
        "internal in a success",
        200,
        &[],
        error!(
            "InternalError",
            "We encountered an internal error. Please try again."
        ),
    ),
    (
        "denied in a success",
        200,
        &[],
        error!("AccessDenied", "Access Denied"),
    ),
    ("empty", 200, &[], ""),
    ("empty, another status", 204, &[], ""),
    (
        "cut",
        200,
        &[],
        "<ListBucketResult><IsTruncated>false</IsTr",
    ),
    ("another format", 200, &[], "{}"),
    ("a page", 200, HTML, "<html>Log in</html>"),
];

/// What is asked, with the answers before those that are looked at.
const ASKED: [(&str, &[(u16, &str)]); 14] = [
    ("HeadBucket", &[]),
    ("CreateBucket", &[]),
    ("GetBucketPolicy", &[(200, "")]),
    ("PutPublicAccessBlock", &[(404, NONE)]),
    (
        "PutBucketOwnershipControls",
        &[(404, NONE), (200, ""), (404, NONE)],
    ),
    (
        "PutBucketEncryption",
        &[(
            404,
            "<Error><Code>ServerSideEncryptionConfigurationNotFoundError</Code></Error>",
        )],
    ),
    (
        "PutBucketLifecycleConfiguration",
        &[(
            404,
            "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>",
        )],
    ),
    ("PutBucketPolicy", &[]),
    ("GetBucketTagging", &[]),
    (
        "PutBucketTagging",
        &[(404, "<Error><Code>NoSuchTagSet</Code></Error>")],
    ),
    ("HeadObject", &[(200, ""), (200, "")]),
    ("PutObject", &[(200, ""), (200, ""), (404, "")]),
    ("ListObjectsV2", &[]),
    ("DeleteObjects", &[]),
];

const NONE: &str = "<Error><Code>NoSuchConfiguration</Code></Error>";

async fn run(bucket: &Bucket, asked: &str) -> Result<String, TargetError> {
    let stack = "chat".parse().unwrap();
    let shown = |_: ()| "done".to_owned();
    match asked {
        "HeadBucket" => bucket.exists().await.map(|it| it.to_string()),
        "CreateBucket" => bucket.create().await.map(shown),
        "GetBucketPolicy" => bucket.ensure().await.map(shown),
        "PutPublicAccessBlock" | "PutBucketOwnershipControls" => {
            bucket.close_to_the_public(Origin::Found).await.map(shown)
        }
        "PutBucketEncryption" => bucket.encrypt(Origin::Found).await.map(shown),
        "PutBucketLifecycleConfiguration" => bucket.expire(Origin::Found).await.map(shown),
        "PutBucketPolicy" => bucket.require_tls().await.map(shown),
        "GetBucketTagging" | "PutBucketTagging" => bucket.add_tags().await.map(shown),
        "HeadObject" | "PutObject" => {
            let asset = bucket.publish(&stack, &artifact()).await;
            asset.map(|asset| format!("{}", asset.already_there))
        }
        "ListObjectsV2" => bucket.uses().await.map(|uses| format!("{uses:?}")),
        "DeleteObjects" => {
            let mut leftovers = Leftovers::default();
            leftovers.unused.insert("a".into());
            bucket.forget(&stack, &leftovers).await.map(shown)
        }
        other => panic!("{other}"),
    }
}

/// The bucket for what is `asked`, and the stub that it asks, of whose answers the last is `answer`.
async fn asking(
    config: &SdkConfig,
    asked: &str,
    fields: Fields,
    first: &[(u16, &str)],
    answers: &[(u16, &str)],
) -> (Result<String, TargetError>, String) {
    let answers = first.iter().chain(answers);
    let answers = answers.map(|(status, body)| (*status, (*body).to_owned()));
    let stub = Stub::answering_with(fields, answers.collect()).await;
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(1));
    let config = config.clone().into_builder().retry_config(retries);
    // Requests to one Region share what there is of further attempts.
    let region = aws_config::Region::new(format!("eu-{asked}-1"));
    let config = config.endpoint_url(stub.url()).region(region).build();
    let own = ["HeadObject", "PutObject"].contains(&asked);
    let text = if own { "bucket = \"my-code\"" } else { "" };
    let tagged = rules::rules("tags = { team = \"chat\" }").tags;
    let mut bucket = Bucket::new(&config, &identity(), "eu-west-1", &rules::rules(text));
    if asked.ends_with("Tagging") {
        bucket = bucket.with_tags(tagged);
    }
    bucket.pauses = &[Duration::ZERO; 6];
    let outcome = run(&bucket, asked).await;
    let notices = bucket.notices();
    let outcome = outcome.map(|it| match notices.is_empty() {
        true => it,
        false => format!("{it}, {notices:?}"),
    });
    let lines = stub.asked();
    let attempts = lines.len() - first.len().min(lines.len());
    (outcome, format!("{attempts}"))
}

fn shown(outcome: Result<String, TargetError>) -> String {
    match outcome {
        Ok(shown) => format!("Ok {shown}"),
        Err(error) => {
            let words: Vec<_> = causes(&error).map(ToString::to_string).collect();
            let hint = error.hint.as_deref().unwrap_or("-");
            // Its first words.
            let words_of_hint: Vec<_> = hint.split(' ').take(8).collect();
            let hint = words_of_hint.join(" ");
            format!("{:?} | {} | {hint}", error.kind, words.join(": "))
        }
    }
}

#[tokio::test]
async fn every_response_of_s3_is_understood_as_the_generated_client_understood_it() {
    let config = Stub::answering(vec![]).await.config().await;
    let mut all = String::new();
    for (asked, first) in ASKED {
        writeln!(all, "== {asked}").unwrap();
        for (name, status, fields, body) in RESPONSES {
            let answers = [(status, body)];
            let (outcome, attempts) = asking(&config, asked, fields, first, &answers).await;
            writeln!(
                all,
                "{name} ({status}), {attempts} requests: {}",
                shown(outcome)
            )
            .unwrap();
        }
    }
    expect_file!["../recorded/outcomes.txt"].assert_eq(&all);
}

#[tokio::test]
async fn a_request_that_s3_slows_down_or_fails_is_sent_again() {
    let config = Stub::answering(vec![]).await.config().await;
    for asked in ["CreateBucket", "PutBucketPolicy", "DeleteObjects"] {
        let answers = [
            (503, error!("SlowDown", "Please reduce your request rate.")),
            (
                200,
                error!("InternalError", "We encountered an internal error."),
            ),
            (200, "<DeleteResult/>"),
        ];
        let (outcome, attempts) = asking(&config, asked, &[], &[], &answers).await;
        assert_eq!(
            (outcome.unwrap(), attempts.as_str()),
            ("done".to_owned(), "3"),
            "{asked}"
        );
    }
}
