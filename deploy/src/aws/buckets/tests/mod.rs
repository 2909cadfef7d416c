mod addresses;
mod outcomes;
mod rules;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use super::super::stub::{Stub, StubResponse};
use super::*;

/// An object that was sent a moment ago.
const FOUND: (u16, &str) = (200, "");

async fn bucket(answers: &[(u16, &str)]) -> (Bucket, Stub) {
    bucket_in("eu-west-1", answers).await
}

async fn bucket_in(region: &str, answers: &[(u16, &str)]) -> (Bucket, Stub) {
    bucket_with(&AccountRules::default(), region, answers).await
}

async fn bucket_with(
    rules: &AccountRules,
    region: &str,
    answers: &[(u16, &str)],
) -> (Bucket, Stub) {
    let answers: Vec<StubResponse> = answers
        .iter()
        .map(|(status, body)| (*status, (*body).to_owned()))
        .collect();
    let stub = Stub::answering(answers).await;
    let mut bucket = Bucket::new(&stub.config().await, &identity(), region, rules);
    bucket.pauses = &[Duration::ZERO; 6];
    (bucket, stub)
}

fn identity() -> Identity {
    Identity {
        account: "123456789012".into(),
        arn: "arn:aws:iam::123456789012:user/ann".into(),
    }
}

fn artifact() -> Artifact {
    Artifact {
        name: "handlers".into(),
        zip: b"a zip".to_vec(),
        digest: "5".repeat(64),
        architecture: crate::config::Architecture::X86_64,
        size: 5,
        note: String::new(),
    }
}

/// The requests by method and query, without the bucket's name.
fn asked(stub: &Stub) -> Vec<String> {
    let lines = stub.asked();
    let line = |line: &String| {
        let mut words = line.split(' ');
        let (method, uri) = (words.next().unwrap(), words.next().unwrap());
        let query = uri.split_once('?').map_or("", |(_, query)| query);
        let names = query.split('&').map(|pair| pair.trim_end_matches('='));
        let wanted = names.filter(|name| !name.starts_with("x-id"));
        let path = uri.split('?').next().unwrap().trim_matches('/');
        let subject = match path.split('/').nth(1) {
            None => "bucket",
            Some("uses") => "use",
            Some(_) => "object",
        };
        format!(
            "{method} {subject} {}",
            wanted.collect::<Vec<_>>().join(" ")
        )
        .trim_end()
        .to_owned()
    };
    lines.iter().map(line).collect()
}

#[tokio::test]
async fn a_bucket_is_created_private_and_encrypted_before_it_is_used() {
    let (bucket, stub) = bucket(&[
        (404, ""),
        FOUND,
        FOUND,
        FOUND,
        FOUND,
        FOUND,
        FOUND,
        FOUND,
        FOUND,
        FOUND,
        FOUND,
        FOUND,
        (404, ""),
        FOUND,
    ])
    .await;
    let asset = bucket
        .publish(&"chat".parse().unwrap(), &artifact())
        .await
        .unwrap();
    assert!(!asset.already_there);
    assert_eq!(
        (asset.bucket.as_str(), asset.key.len(), asset.architecture),
        ("chatctl-123456789012-eu-west-1-an", 64, "x86_64")
    );
    assert_eq!(
        asked(&stub),
        [
            "HEAD bucket",
            "PUT bucket",
            "GET bucket publicAccessBlock",
            "PUT bucket publicAccessBlock",
            "GET bucket ownershipControls",
            "PUT bucket ownershipControls",
            "GET bucket encryption",
            "PUT bucket encryption",
            "GET bucket lifecycle",
            "PUT bucket lifecycle",
            "PUT bucket policy",
            "PUT use",
            "HEAD object",
            "PUT object",
        ]
    );
    let bodies = stub.asked().join("\n");
    assert!(
        bodies.contains("<LocationConstraint>eu-west-1</LocationConstraint>"),
        "{bodies}"
    );
    assert!(
        bodies.contains(r#""aws:SecureTransport":"false""#),
        "{bodies}"
    );
}

#[tokio::test]
async fn a_bucket_whose_creation_was_interrupted_is_completed() {
    let none = |code| (404, refusal(code));
    let answers = [
        (200, String::new()),
        none("NoSuchBucketPolicy"),
        none("NoSuchPublicAccessBlockConfiguration"),
        (200, String::new()),
        none("OwnershipControlsNotFoundError"),
        (200, String::new()),
        none("ServerSideEncryptionConfigurationNotFoundError"),
        (200, String::new()),
        none("NoSuchLifecycleConfiguration"),
        (200, String::new()),
    ];
    let answers = answers
        .each_ref()
        .map(|(status, body)| (*status, body.as_str()));
    let (bucket, stub) = bucket(&answers).await;
    bucket
        .publish(&"chat".parse().unwrap(), &artifact())
        .await
        .unwrap();
    let asked = asked(&stub);
    assert_eq!(
        asked[..4],
        [
            "HEAD bucket",
            "GET bucket policy",
            "GET bucket publicAccessBlock",
            "PUT bucket publicAccessBlock"
        ]
    );
    assert!(asked.contains(&"PUT bucket policy".to_owned()), "{asked:?}");
}

fn refusal(code: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>no</Message></Error>")
}

#[tokio::test]
async fn the_bucket_is_created_in_the_account_s_namespace() {
    let (bucket, stub) = bucket(&[(404, ""), FOUND]).await;
    bucket.ensure().await.unwrap();
    assert_eq!(
        stub.header("x-amz-bucket-namespace")[..3],
        [None, Some("account-regional".to_owned()), None]
    );
}

#[tokio::test]
async fn a_region_without_namespaces_of_accounts_gets_a_bucket_in_the_global_one() {
    let (bucket, stub) = bucket_in("me-south-1", &[(404, ""), FOUND]).await;
    bucket.ensure().await.unwrap();
    assert_eq!(bucket.name, "chatctl-123456789012-me-south-1");
    let mut namespaces = stub.header("x-amz-bucket-namespace").into_iter();
    assert!(namespaces.all(|namespace| namespace.is_none()));
}

#[tokio::test]
async fn a_name_that_another_account_has_taken_is_reported_and_nothing_is_sent_there() {
    let (bucket, stub) = bucket_in(
        "me-south-1",
        &[(403, ""), (409, &refusal("BucketAlreadyExists"))],
    )
    .await;
    let stack = "chat".parse().unwrap();
    let error = bucket.publish(&stack, &artifact()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert_eq!(
        error.to_string(),
        "could not create bucket chatctl-123456789012-me-south-1: another AWS account has taken its name"
    );
    assert_eq!(asked(&stub), ["HEAD bucket", "PUT bucket"]);
}

#[tokio::test]
async fn an_inaccessible_bucket_of_ours_means_a_missing_permission() {
    let owned = refusal("BucketAlreadyOwnedByYou");
    let (bucket, _stub) = bucket_in("me-south-1", &[(403, ""), (409, &owned)]).await;
    let error = bucket.ensure().await.unwrap_err();
    let hint = error.hint.unwrap();
    assert!(hint.ends_with("the permission s3:ListBucket"), "{hint}");
}

#[tokio::test]
async fn without_creating_the_bucket_both_reasons_for_a_refusal_are_given() {
    let (bucket, _stub) = bucket_in("me-south-1", &[(403, "")]).await;
    let hint = bucket.exists().await.unwrap_err().hint.unwrap();
    assert!(hint.contains("s3:ListBucket"), "{hint}");
    assert!(hint.contains("another AWS account"), "{hint}");
}

#[tokio::test]
async fn a_bucket_in_another_region_is_reported_with_that_region() {
    for region in ["eu-west-1", "me-south-1"] {
        let (bucket, _stub) = bucket_in(region, &[(301, "")]).await;
        let hint = bucket.exists().await.unwrap_err().hint.unwrap();
        assert!(
            hint.starts_with("a bucket of this name is in eu-central-1, not in"),
            "{hint}"
        );
    }
}

#[tokio::test]
async fn in_the_namespace_of_the_account_a_refusal_is_about_permissions() {
    let (bucket, _stub) = bucket(&[(403, "")]).await;
    let hint = bucket.exists().await.unwrap_err().hint.unwrap();
    assert!(
        hint.contains("s3:ListBucket") && hint.contains("no other account"),
        "{hint}"
    );
}

#[tokio::test]
async fn the_creation_of_the_same_bucket_by_a_second_deployment_is_waited_for() {
    let aborted = refusal("OperationAborted");
    let owned = refusal("BucketAlreadyOwnedByYou");
    let (bucket, stub) = bucket(&[
        (404, ""),
        (409, &aborted),
        (409, &aborted),
        (409, &owned),
        (404, &refusal("NoSuchPublicAccessBlockConfiguration")),
        (409, &aborted),
        FOUND,
    ])
    .await;
    bucket.ensure().await.unwrap();
    assert_eq!(
        asked(&stub)[..7],
        [
            "HEAD bucket",
            "PUT bucket",
            "PUT bucket",
            "PUT bucket",
            "GET bucket publicAccessBlock",
            "PUT bucket publicAccessBlock",
            "PUT bucket publicAccessBlock",
        ]
    );
}

#[tokio::test]
async fn a_bucket_that_stays_busy_is_an_error_with_the_reason() {
    let (bucket, stub) = bucket(&[(404, ""), (409, &refusal("OperationAborted"))]).await;
    let error = bucket.ensure().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.hint.unwrap().contains("second deployment"));
    assert_eq!(stub.asked().len(), 2 + making::PAUSES.len());
}

#[tokio::test]
async fn an_object_without_a_matching_checksum_is_sent_again() {
    let (bucket, stub) = bucket(&[FOUND, (200, "{}"), FOUND]).await;
    let asset = bucket
        .publish(&"chat".parse().unwrap(), &artifact())
        .await
        .unwrap();
    assert!(!asset.already_there);
    assert_eq!(asked(&stub)[2..], ["PUT use", "HEAD object", "PUT object"]);
}

#[tokio::test]
async fn another_account_s_bucket_is_refused_before_anything_is_sent() {
    let (bucket, stub) = bucket(&[(403, "")]).await;
    let error = bucket.exists().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert_eq!(
        error.to_string(),
        "could not reach bucket chatctl-123456789012-eu-west-1-an"
    );
    assert_eq!(asked(&stub), ["HEAD bucket"]);
}

/// A digest that is easy to recognise.
fn digest(letter: &str) -> String {
    letter.repeat(64)
}

/// S3's list of two stacks that share one of two objects.
fn listed() -> String {
    let object = |key: &str| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>"
        )
    };
    let objects = [("a", "chat"), ("b", "chat"), ("b", "other")];
    let objects =
        objects.map(|(letter, stack)| object(&format!("uses/{}/{stack}", digest(letter))));
    format!(
        "<ListBucketResult><IsTruncated>false</IsTruncated>{}</ListBucketResult>",
        objects.concat()
    )
}

#[tokio::test]
async fn unused_objects_are_removed_before_the_notes_of_their_uses() {
    let done = "<DeleteResult/>";
    let (bucket, stub) = bucket(&[(200, &listed()), (200, done), (200, done)]).await;
    let chat = "chat".parse().unwrap();
    let others = [("other".to_owned(), [digest("c")].into())].into();
    let uses = bucket.uses().await.unwrap();
    let leftovers = uses.leftovers(&chat, [digest("a")].into(), &others, SystemTime::now());
    bucket.forget(&chat, &leftovers).await.unwrap();
    assert_eq!(
        asked(&stub),
        [
            "GET bucket list-type=2 prefix=uses%2F",
            "POST bucket delete",
            "POST bucket delete"
        ]
    );
    let keys: Vec<_> = stub.asked()[1..]
        .iter()
        .flat_map(|request| {
            request
                .split("<Key>")
                .skip(1)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect();
    let (a, b) = (digest("a"), digest("b"));
    assert_eq!(
        keys,
        [&a, &format!("uses/{a}/chat"), &format!("uses/{b}/chat")].map(String::clone)
    );
}

#[tokio::test]
async fn an_object_that_s3_refuses_to_remove_is_reported_and_the_stack_s_uses_stay_noted() {
    let kept = "<DeleteResult><Error><Key>aa</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>";
    let (bucket, stub) = bucket(&[(200, &listed()), (200, kept)]).await;
    let chat = "chat".parse().unwrap();
    let uses = bucket.uses().await.unwrap();
    let leftovers = uses.leftovers(&chat, BTreeSet::new(), &BTreeMap::new(), SystemTime::now());
    let error = bucket.forget(&chat, &leftovers).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not remove aa from bucket chatctl-123456789012-eu-west-1-an"
    );
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no");
    assert_eq!(stub.asked().len(), 2);
}
