//! Every request to S3: `recorded/requests.txt` was written by the generated client before it was removed (aws-sdk-s3 1.157.0).

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use aws_config::Region;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_types::sdk_config::TimeSource;
use expect_test::expect_file;
use ring::{digest, hmac};

use super::super::Origin;
use super::*;
use crate::engine::Leftovers;

/// In place of a network: keeps the requests. The answer to one is the first whose words are in its method and address.
#[derive(Debug, Clone, Default)]
pub(super) struct Capture {
    answers: Arc<Mutex<Vec<Scripted>>>,
    sent: Arc<Mutex<String>>,
    /// How long each request may wait for its response.
    patience: Arc<Mutex<Vec<Duration>>>,
}

/// Words of a request, and the answer to it.
type Scripted = (&'static [&'static str], u16, &'static str);

/// A time that does not pass, so that signatures are always the same.
#[derive(Debug)]
struct Still;

impl TimeSource for Still {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }
}

/// What is the same in all requests, or differs from one to the next.
const OTHERS: [&str; 7] = [
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "user-agent",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-user-agent",
];

impl HttpConnector for Capture {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut sent = self.sent.lock().unwrap();
        let line = format!("{} {}", request.method(), request.uri());
        writeln!(sent, "{line}").unwrap();
        writeln!(sent, "  for {}", signed_for(&request)).unwrap();
        let headers = request.headers().iter();
        let mut headers: Vec<_> = headers.filter(|(name, _)| !OTHERS.contains(name)).collect();
        headers.sort();
        for (name, value) in headers {
            writeln!(sent, "  {name}: {value}").unwrap();
        }
        let body = request.body().bytes().expect("a body in memory");
        if !body.is_empty() {
            writeln!(sent, "  {}", String::from_utf8_lossy(body)).unwrap();
        }
        let answers = self.answers.lock().unwrap();
        let answer = answers
            .iter()
            .find(|(words, ..)| words.iter().all(|word| line.contains(word)));
        let (status, body) = answer.map_or((200, ""), |(_, status, body)| (*status, *body));
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        response.headers_mut().insert("etag", "\"1\"");
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

/// The Region and the service that `request` is signed for. Its signature is calculated a second time, as S3 has it: of the
/// path as it is sent, with the content's digest as a header
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
fn signed_for(request: &HttpRequest) -> String {
    let uri: hyper::Uri = request.uri().parse().unwrap();
    let header = |name: &str| match name {
        "host" => uri.authority().unwrap().as_str(),
        name => request.headers().get(name).unwrap(),
    };
    let authorization = header("authorization");
    let part = |name: &str| {
        let mut parts = authorization.split([',', ' ']);
        parts.find_map(|it| it.strip_prefix(name)).unwrap()
    };
    let (scope, names) = (part("Credential=AKIDTEST/"), part("SignedHeaders="));
    let [date, region, service, last] = scope.split('/').collect::<Vec<_>>()[..] else {
        panic!("{scope}");
    };
    let content = digest(request.body().bytes().unwrap());
    assert_eq!(header("x-amz-content-sha256"), content);
    let signed: Vec<_> = names.split(';').collect();
    let unsigned = request.headers().iter().map(|(name, _)| name);
    let unsigned: Vec<_> = unsigned.filter(|name| !signed.contains(name)).collect();
    assert!(
        unsigned.iter().all(|name| OTHERS[..4].contains(name)),
        "{unsigned:?}"
    );
    let mut query: Vec<_> = uri
        .query()
        .into_iter()
        .flat_map(|it| it.split('&'))
        .collect();
    query.sort_unstable();
    let query: Vec<_> = query
        .iter()
        .map(|pair| match pair.contains('=') {
            true => (*pair).to_owned(),
            false => format!("{pair}="),
        })
        .collect();
    let values = signed
        .iter()
        .map(|name| format!("{name}:{}\n", header(name).trim()));
    let canonical = format!(
        "{}\n{}\n{}\n{}\n{names}\n{content}",
        request.method(),
        uri.path(),
        query.join("&"),
        values.collect::<String>()
    );
    let moment = header("x-amz-date");
    let text = format!(
        "AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}",
        digest(canonical.as_bytes())
    );
    let steps = [date, region, service, last, &text];
    let signature = steps.iter().fold(b"AWS4secret".to_vec(), |key, step| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        hmac::sign(&key, step.as_bytes()).as_ref().to_vec()
    });
    assert_eq!(hex::encode(signature), part("Signature="), "{canonical}");
    format!("{region}/{service}")
}

impl Capture {
    /// The requests since the last look, under `title`.
    pub(super) fn taken(&self, title: &str) -> String {
        let sent = std::mem::take(&mut *self.sent.lock().unwrap());
        format!("== {title}\n{sent}")
    }

    fn answering(&self, answers: &[Scripted]) {
        *self.answers.lock().unwrap() = answers.to_vec();
    }

    /// A configuration whose requests end here, at a time that is always the same.
    pub(super) async fn config(&self, region: &str, endpoint: Option<&str>) -> SdkConfig {
        let stub = Stub::answering(vec![(200, String::new())]).await;
        let connector = SharedHttpConnector::new(self.clone());
        let patience = self.patience.clone();
        let mut config = stub.config().await.into_builder();
        config.set_endpoint_url(endpoint.map(str::to_owned));
        config
            .region(Region::new(region.to_owned()))
            .http_client(http_client_fn(move |settings, _| {
                patience.lock().unwrap().extend(settings.read_timeout());
                connector.clone()
            }))
            .time_source(Still)
            .build()
    }
}

/// Names that a tag may have, with what XML and signatures have to encode.
fn tags() -> BTreeMap<String, String> {
    let tags = [
        ("a:b/c=d+e-f@g_h", "Köln & <Bonn> \"'"),
        ("team", "chat 日本"),
        ("empty", ""),
    ];
    tags.map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

const THEIRS: &str = "<LifecycleConfiguration><Rule><Expiration><Days>3</Days></Expiration><ID>a &amp; b</ID><Filter>\
                      <Prefix>x/&lt;y&gt; ü</Prefix></Filter><Status>Enabled</Status></Rule></LifecycleConfiguration>";
const TAGGED: &str =
    "<Tagging><TagSet><Tag><Key>team</Key><Value>R&amp;D 'x'</Value></Tag></TagSet></Tagging>";
const PAGE: &str = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>1+/= ü&amp;x</NextContinuationToken></ListBucketResult>";
const LAST: &str = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

/// What a bucket without any settings answers.
const BARE: [Scripted; 6] = [
    (
        &["GET", "?publicAccessBlock"],
        404,
        "<Error><Code>NoSuchPublicAccessBlockConfiguration</Code></Error>",
    ),
    (
        &["GET", "?ownershipControls"],
        404,
        "<Error><Code>OwnershipControlsNotFoundError</Code></Error>",
    ),
    (
        &["GET", "?encryption"],
        404,
        "<Error><Code>ServerSideEncryptionConfigurationNotFoundError</Code></Error>",
    ),
    (
        &["GET", "?lifecycle"],
        404,
        "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>",
    ),
    (
        &["GET", "?policy"],
        404,
        "<Error><Code>NoSuchBucketPolicy</Code></Error>",
    ),
    (
        &["GET", "?tagging"],
        404,
        "<Error><Code>NoSuchTagSet</Code></Error>",
    ),
];

/// What one with objects and other users answers.
const USED: [Scripted; 6] = [
    (&["GET", "?lifecycle"], 200, THEIRS),
    (&["GET", "?tagging"], 200, TAGGED),
    (&["GET", "continuation-token"], 200, LAST),
    (&["GET", "list-type"], 200, PAGE),
    (&["POST"], 200, "<DeleteResult/>"),
    (&["HEAD", "5555"], 404, ""),
];

/// All that `bucket` asks of S3, with `capture` in place of S3.
async fn everything(bucket: &Bucket, capture: &Capture) -> String {
    let mut all = String::new();
    let stack = "chat".parse().unwrap();
    let mut note = |title: &str| all += &capture.taken(title);

    bucket.create().await.unwrap();
    note("create");
    capture.answering(&BARE);
    bucket.ensure().await.unwrap();
    note("complete");
    capture.answering(&USED);
    bucket.expire(Origin::Found).await.unwrap();
    note("expire");
    bucket.add_tags().await.unwrap();
    note("tag");
    for key in [
        "a b+c%20d",
        "ü/日本~-_.",
        "//../.",
        "!'()*&$@=;:,?#[]{}|\\^`\"<>",
    ] {
        bucket.note_use(&stack, key, "it").await.unwrap();
    }
    note("note uses");
    bucket.publish(&stack, &artifact()).await.unwrap();
    note("publish");
    bucket.publish_template(&stack, "{\"ä\": 1}").await.unwrap();
    note("publish a template");
    bucket.uses().await.unwrap();
    note("uses");
    let mut leftovers = Leftovers::default();
    let odd = ["a", "a b+c", "ü & <日本>", "'\"]]>\r\n", "uses//../."];
    leftovers.unused.extend(odd.map(str::to_owned));
    bucket.forget(&stack, &leftovers).await.unwrap();
    note("forget");
    all
}

const KEYED: &str =
    "bucket = \"my.own-code\"\nkms-key = \"arn:aws:kms:eu-west-1:123456789012:key/mrk-1a\"";

/// Where and how it is asked: a title, a Region, an address, rules, and whether there are tags.
const PLACES: [(&str, &str, Option<&str>, &str, bool); 4] = [
    ("AWS", "eu-west-1", None, "", true),
    (
        "the first Region, and a key",
        "us-east-1",
        None,
        KEYED,
        false,
    ),
    ("a Region without namespaces", "me-south-1", None, "", false),
    (
        "an emulator",
        "us-east-1",
        Some("http://127.0.0.1:4566/"),
        "",
        true,
    ),
];

#[tokio::test]
async fn every_request_to_s3_is_what_the_generated_client_sent() {
    let mut all = String::new();
    for (title, region, endpoint, text, has_tags) in PLACES {
        let capture = Capture::default();
        let config = capture.config(region, endpoint).await;
        let mut bucket = Bucket::new(&config, &identity(), region, &rules::rules(text));
        if has_tags {
            bucket = bucket.with_tags(tags());
        }
        bucket.pauses = &[Duration::ZERO; 6];
        writeln!(all, "==== {title}").unwrap();
        all += &everything(&bucket, &capture).await;
    }
    expect_file!["../recorded/requests.txt"].assert_eq(&all);
}

#[tokio::test]
async fn an_upload_has_time_for_its_bytes_and_other_requests_have_not() {
    let capture = Capture::default();
    let config = capture.config("eu-west-1", None).await;
    let rules = rules::rules("bucket = \"my-code\"");
    let bucket = Bucket::new(&config, &identity(), "eu-west-1", &rules);
    let large = Artifact {
        zip: vec![0; 4 << 20],
        ..artifact()
    };
    bucket
        .publish(&"chat".parse().unwrap(), &large)
        .await
        .unwrap();
    let patience = capture.patience.lock().unwrap();
    let [head, note, look, upload] = patience[..] else {
        panic!("{patience:?}");
    };
    assert_eq!([head, note], [look; 2]);
    assert!(upload > 2 * look, "{upload:?}");
}
