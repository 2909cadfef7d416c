//! Where S3 is asked, and where CloudFormation finds what is published.

use std::fmt::Write as _;

use expect_test::expect_file;

use super::super::super::stub::OwnAddress;
use super::wire::Capture;
use super::*;

#[tokio::test]
async fn the_address_of_an_object_is_that_of_its_region_and_partition() {
    for (region, address) in [
        ("eu-west-1", "https://s3.eu-west-1.amazonaws.com/"),
        ("us-east-1", "https://s3.us-east-1.amazonaws.com/"),
        ("cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn/"),
        ("us-gov-west-1", "https://s3.us-gov-west-1.amazonaws.com/"),
        ("us-iso-east-1", "https://s3.us-iso-east-1.c2s.ic.gov/"),
        ("eusc-de-east-1", "https://s3.eusc-de-east-1.amazonaws.eu/"),
    ] {
        let (bucket, _) = bucket_in(region, &[(200, "")]).await;
        let bucket = Bucket {
            endpoint: None,
            ..bucket
        };
        let name = bucket.name.clone();
        assert_eq!(bucket.address("a.json"), format!("{address}{name}/a.json"));
    }
}

#[tokio::test]
async fn an_own_bucket_with_dots_is_in_the_path_and_an_emulator_s_address_is_its_own() {
    let rules = rules::rules("bucket = \"my.code\"");
    let (bucket, stub) = bucket_with(&rules, "eu-west-1", &[(200, "")]).await;
    let address = bucket.address("a.json");
    assert_eq!(address, format!("{}/my.code/a.json", stub.url()));
    let bucket = Bucket {
        endpoint: None,
        ..bucket
    };
    let address = bucket.address("a.json");
    assert_eq!(address, "https://s3.eu-west-1.amazonaws.com/my.code/a.json");
}

/// What the SDK's rules tell apart: names that can be a host's label, part of a host's name, or neither.
const NAMES: [&str; 6] = [
    "my-code",
    "my.own-code",
    "a.b.c",
    "1a-.b2",
    "192.168.5.4",
    "my--code",
];

const REGIONS: [&str; 13] = [
    "us-east-1",
    "eu-west-1",
    "me-south-1",
    "il-central-1",
    "cn-north-1",
    "cn-northwest-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "eu-isoe-west-1",
    "us-isof-south-1",
    "eusc-de-east-1",
    "xx-new-1",
];

/// Addresses that a user may set, for all services or for S3 alone.
const URLS: [&str; 7] = [
    "http://127.0.0.1:4566",
    "http://[::1]:4566/",
    "http://localhost:4566/a/b",
    "http://stub/",
    "https://stub.example.com",
    "https://bucket.vpce-1a2b-5e6f.s3.eu-west-1.vpce.amazonaws.com",
    "https://10.0.0.1/a/",
];

/// The first line of what is asked with `config` about the bucket `name`, or why nothing is.
async fn asked_at(config: &SdkConfig, capture: &Capture, region: &str, name: &str) -> String {
    let rules = rules::rules(&format!("bucket = \"{name}\""));
    let bucket = Bucket::new(config, &identity(), region, &rules);
    let outcome = bucket.exists().await;
    let request = capture.taken("");
    match (outcome, request.lines().nth(1)) {
        (Ok(_), Some(line)) => line.to_owned(),
        (Err(error), None) => {
            let source = std::error::Error::source(&error).unwrap();
            format!("refused: {source}")
        }
        other => panic!("{other:?}"),
    }
}

/// `recorded/addresses.txt` was written by the generated client before it was removed (aws-sdk-s3 1.157.0). What differs, and is
/// recorded as it is now: a slash is between the path of an address that the user has set and the bucket.
#[tokio::test]
async fn s3_is_asked_where_the_generated_client_asked_it() {
    let capture = Capture::default();
    let base = capture.config("eu-west-1", None).await;
    let mut all = String::new();
    for region in REGIONS {
        for (fips, dual_stack) in [(false, false), (true, false), (false, true), (true, true)] {
            let config = base.clone().into_builder().use_fips(fips);
            let region_name = aws_config::Region::new(region);
            let config = config.use_dual_stack(dual_stack).region(region_name);
            let config = config.build();
            for name in NAMES {
                let line = asked_at(&config, &capture, region, name).await;
                writeln!(all, "{region} {fips} {dual_stack} {name}: {line}").unwrap();
            }
        }
    }
    for (url, name) in URLS.iter().flat_map(|url| NAMES.map(|name| (url, name))) {
        for (fips, dual_stack) in [(false, false), (true, false), (false, true), (true, true)] {
            let builder = || {
                let builder = base.clone().into_builder().use_fips(fips);
                builder.use_dual_stack(dual_stack)
            };
            let shared = builder().endpoint_url(*url).build();
            let line = asked_at(&shared, &capture, "eu-west-1", name).await;
            writeln!(all, "{url} {fips} {dual_stack} {name}: {line}").unwrap();
            let mut own = builder();
            own.set_service_config(Some(OwnAddress("S3", (*url).to_owned())));
            let line = asked_at(&own.build(), &capture, "eu-west-1", name).await;
            writeln!(all, "{url} of S3 {fips} {dual_stack} {name}: {line}").unwrap();
        }
    }
    expect_file!["../recorded/addresses.txt"].assert_eq(&all);
}
