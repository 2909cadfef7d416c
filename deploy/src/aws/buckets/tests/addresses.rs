//! Where CloudFormation finds what is published.

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
        assert_eq!(
            bucket.address("a.json").await.unwrap(),
            format!("{address}{name}/a.json")
        );
    }
}

#[tokio::test]
async fn an_own_bucket_with_dots_is_in_the_path_and_an_emulator_s_address_is_its_own() {
    let rules = rules::rules("bucket = \"my.code\"");
    let (bucket, stub) = bucket_with(&rules, "eu-west-1", &[(200, "")]).await;
    let address = bucket.address("a.json").await.unwrap();
    assert_eq!(address, format!("{}/my.code/a.json", stub.url()));
    let bucket = Bucket {
        endpoint: None,
        ..bucket
    };
    let address = bucket.address("a.json").await.unwrap();
    assert_eq!(address, "https://s3.eu-west-1.amazonaws.com/my.code/a.json");
}
