//! The bucket under the rules of an organization.

use super::*;

const BLOCK: &str = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>\
                     <BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
const LISTS_OFF: &str = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>";
const ENCRYPTED: &str = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>\
                         </ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>";

pub(super) fn rules(text: &str) -> AccountRules {
    let text = format!("[aws]\n{text}\n");
    let path = std::path::Path::new("chatctl.toml");
    let settings = crate::config::Settings::read(path, &text, "".into(), Default::default());
    settings.unwrap().aws.rules
}

#[tokio::test]
async fn what_a_new_bucket_has_already_is_not_put() {
    let (bucket, stub) = bucket(&[
        (404, ""),
        FOUND,
        (200, BLOCK),
        (200, LISTS_OFF),
        (200, ENCRYPTED),
        (404, &refusal("NoSuchLifecycleConfiguration")),
        FOUND,
    ])
    .await;
    bucket.ensure().await.unwrap();
    assert_eq!(
        asked(&stub),
        [
            "HEAD bucket",
            "PUT bucket",
            "GET bucket publicAccessBlock",
            "GET bucket ownershipControls",
            "GET bucket encryption",
            "GET bucket lifecycle",
            "PUT bucket lifecycle",
            "PUT bucket policy",
        ]
    );
    assert_eq!(bucket.notices(), [""; 0]);
}

#[tokio::test]
async fn a_denied_setting_is_a_notice_if_it_is_the_default_of_the_bucket_that_was_just_made() {
    let denied = refusal("AccessDenied");
    let (bucket, _stub) = bucket(&[
        (404, ""),
        FOUND,
        (403, &denied),
        (403, &denied),
        (200, LISTS_OFF),
        (200, ENCRYPTED),
        FOUND,
    ])
    .await;
    bucket.ensure().await.unwrap();
    assert_eq!(
        bucket.notices(),
        [
            "bucket chatctl-123456789012-eu-west-1-an: s3:PutBucketPublicAccessBlock is denied, and S3's default for new buckets \
          says the same"
        ]
    );
    assert_eq!(bucket.notices(), [""; 0], "each notice appears once");
}

#[tokio::test]
async fn a_denied_setting_of_a_bucket_that_was_there_is_an_error_with_a_way_round() {
    let denied = refusal("AccessDenied");
    let (bucket, stub) = bucket(&[
        FOUND,
        (404, &refusal("NoSuchBucketPolicy")),
        (404, &refusal("NoSuchPublicAccessBlockConfiguration")),
        (403, &denied),
    ])
    .await;
    let error = bucket.ensure().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    let hint = error.hint.unwrap();
    assert!(
        hint.contains("s3:PutBucketPublicAccessBlock") && hint.contains("`bucket` under `[aws]`"),
        "{hint}"
    );
    assert_eq!(stub.asked().len(), 4);
}

#[tokio::test]
async fn rules_for_expiry_that_are_there_stay() {
    let theirs = "<LifecycleConfiguration><Rule><ID>theirs</ID><Status>Enabled</Status><Filter><Prefix>x</Prefix></Filter>\
                  <Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>";
    let (bucket, stub) = bucket(&[(200, theirs), FOUND]).await;
    bucket.expire(Origin::Found).await.unwrap();
    let put = &stub.asked()[1];
    assert!(
        put.contains("<ID>theirs</ID>")
            && put.contains("<ID>handlers that no deployment uses</ID>"),
        "{put}"
    );
}

#[tokio::test]
async fn a_rule_for_expiry_goes_back_as_it_came() {
    let theirs = "<Rule><ID>a &amp; b</ID><Filter><And><Prefix>x/</Prefix><Tag><Key>k</Key><Value></Value></Tag></And></Filter>\
                  <Status>Disabled</Status><NewInTheFuture><Days>3</Days></NewInTheFuture></Rule>";
    let all = format!("<LifecycleConfiguration>{theirs}</LifecycleConfiguration>");
    let (bucket, stub) = bucket(&[(200, &all), FOUND]).await;
    bucket.expire(Origin::Found).await.unwrap();
    let put = &stub.asked()[1];
    assert!(put.contains(theirs), "{put}");
}

/// Putting them replaces all that there are.
#[tokio::test]
async fn settings_of_the_owner_that_cannot_be_read_are_not_replaced() {
    let (denied, internal) = (refusal("AccessDenied"), refusal("InternalError"));
    let cut = "<LifecycleConfiguration><Rule><ID>theirs</ID></Rule>";
    for (answer, kind, hint) in [
        (
            (403, denied.as_str()),
            ErrorKind::Denied,
            "lacks the permission",
        ),
        ((403, ""), ErrorKind::Denied, "lacks the permission"),
        ((500, internal.as_str()), ErrorKind::Unreachable, "internal"),
        ((503, ""), ErrorKind::Unreachable, "throttled"),
        ((200, cut), ErrorKind::Unreachable, "incomplete"),
        ((200, ""), ErrorKind::Unreachable, "network"),
    ] {
        for (setting, attempt) in [
            ("encryption", "could not read the encryption of bucket"),
            ("lifecycle", "could not read the rules for expiry of bucket"),
        ] {
            let (bucket, stub) = bucket(&[answer, FOUND]).await;
            let outcome = match setting {
                "encryption" => bucket.encrypt(Origin::Found).await,
                _ => bucket.expire(Origin::Found).await,
            };
            let error = outcome.unwrap_err();
            assert!(error.to_string().starts_with(attempt), "{error}");
            assert_eq!(error.kind, kind, "{answer:?}");
            let shown = error.hint.unwrap();
            assert!(shown.contains(hint), "{shown}");
            assert_eq!(asked(&stub), [format!("GET bucket {setting}")]);
        }
    }
}

/// The account's owner cannot have changed them yet, so an organization that denies reading them stops no deployment.
#[tokio::test]
async fn settings_of_a_bucket_that_was_just_made_are_put_even_if_they_cannot_be_read() {
    let denied = refusal("AccessDenied");
    let made_now = Origin::MadeNow;
    let (bucket, stub) = bucket(&[(403, &denied), FOUND, (403, &denied), FOUND]).await;
    bucket.encrypt(made_now).await.unwrap();
    bucket.expire(made_now).await.unwrap();
    assert_eq!(
        asked(&stub),
        [
            "GET bucket encryption",
            "PUT bucket encryption",
            "GET bucket lifecycle",
            "PUT bucket lifecycle",
        ]
    );
}

#[tokio::test]
async fn a_bucket_of_the_user_s_is_looked_for_and_never_changed() {
    let mine = rules("bucket = \"my-code\"");
    let (bucket, stub) = bucket_with(&mine, "eu-west-1", &[FOUND, FOUND, (404, ""), FOUND]).await;
    let asset = bucket
        .publish(&"chat".parse().unwrap(), &artifact())
        .await
        .unwrap();
    assert_eq!(asset.bucket, "my-code");
    assert_eq!(
        asked(&stub),
        ["HEAD bucket", "PUT use", "HEAD object", "PUT object"]
    );
    assert!(
        stub.asked()
            .iter()
            .all(|request| request.contains("/my-code"))
    );
}

#[tokio::test]
async fn a_bucket_of_the_user_s_that_cannot_be_used_is_an_error_before_anything_is_sent() {
    let mine = rules("bucket = \"my-code\"");
    for (answer, reported) in [
        (
            (404, ""),
            "there is no bucket my-code, which `bucket` under `[aws]` names",
        ),
        ((403, ""), "could not reach bucket my-code"),
        ((301, ""), "could not reach bucket my-code"),
    ] {
        let (bucket, stub) = bucket_with(&mine, "eu-west-1", &[answer]).await;
        let error = bucket.check().await.unwrap_err();
        assert_eq!(error.to_string(), reported);
        let hint = error.hint.unwrap();
        let wanted = match answer.0 {
            404 => "make it in eu-west-1",
            403 => "not of account 123456789012",
            _ => {
                "it is in eu-central-1, and Lambda takes code from a bucket of its own Region only"
            }
        };
        assert!(hint.contains(wanted), "{hint}");
        assert_eq!(asked(&stub), ["HEAD bucket"]);
    }
}

#[tokio::test]
async fn what_is_published_is_encrypted_with_the_key_and_sent_again_for_another_one() {
    const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/x";
    let keyed = rules(&format!("bucket = \"my-code\"\nkms-key = \"{KEY}\""));
    let (bucket, stub) = bucket_with(&keyed, "eu-west-1", &[FOUND]).await;
    bucket
        .publish(&"chat".parse().unwrap(), &artifact())
        .await
        .unwrap();
    let header = "x-amz-server-side-encryption-aws-kms-key-id";
    let key = Some(KEY.to_owned());
    assert_eq!(stub.header(header), [None, key.clone(), None, key]);
    let algorithm = stub.header("x-amz-server-side-encryption");
    assert_eq!(algorithm[1].as_deref(), Some("aws:kms"));
}

#[tokio::test]
async fn the_bucket_gets_the_tags_that_it_lacks_and_keeps_the_others() {
    let tagged = rules("tags = { team = \"chat\", env = \"test\" }");
    let there =
        "<Tagging><TagSet><Tag><Key>team</Key><Value>other</Value></Tag></TagSet></Tagging>";
    let (bucket, stub) = bucket_with(
        &tagged,
        "eu-west-1",
        &[FOUND, (200, "{}"), (200, there), FOUND],
    )
    .await;
    bucket.ensure().await.unwrap();
    assert_eq!(
        asked(&stub),
        [
            "HEAD bucket",
            "GET bucket policy",
            "GET bucket tagging",
            "PUT bucket tagging"
        ]
    );
    let put = &stub.asked()[3];
    assert!(
        put.contains("<Value>other</Value>")
            && put.contains("<Value>test</Value>")
            && !put.contains("<Value>chat</Value>"),
        "{put}"
    );
    // A new one has them from its beginning, because an organization may refuse it without.
    let (bucket, stub) = bucket_with(&tagged, "us-east-1", &[FOUND]).await;
    bucket.create().await.unwrap();
    assert!(
        stub.asked()[0].contains("<Key>team</Key>"),
        "{:?}",
        stub.asked()
    );
}

#[tokio::test]
async fn tags_that_cannot_be_read_are_not_replaced() {
    let tagged = rules("tags = { team = \"chat\" }");
    let cut = "<Tagging><TagSet><Tag><Key>theirs</Key><Value>x</Value></Tag>";
    for answer in [(200, cut), (200, "{}"), (500, "")] {
        let (bucket, stub) = bucket_with(&tagged, "eu-west-1", &[answer, FOUND]).await;
        let error = bucket.add_tags().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert_eq!(asked(&stub), ["GET bucket tagging"]);
    }
}

#[tokio::test]
async fn tags_that_are_denied_do_not_stop_a_deployment() {
    let tagged = rules("tags = { team = \"chat\" }");
    for answers in [
        vec![FOUND, (200, "{}"), (403, "")],
        vec![
            FOUND,
            (200, "{}"),
            (404, "<Error><Code>NoSuchTagSet</Code></Error>"),
            (403, ""),
        ],
    ] {
        let (bucket, _stub) = bucket_with(&tagged, "eu-west-1", &answers).await;
        bucket.ensure().await.unwrap();
        let notices = bucket.notices();
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert!(notices[0].contains("BucketTagging"), "{notices:?}");
    }
}
