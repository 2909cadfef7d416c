//! Where AWS has its services.

/// The end of AWS's host names in a Region, by the Region's partition
/// (<https://docs.aws.amazon.com/general/latest/gr/rande.html>, and the partitions of the SDKs' endpoint rules:
/// <https://github.com/smithy-lang/smithy-rs/blob/main/rust-runtime/inlineable/src/endpoint_lib/partition.rs>).
///
/// A Region that none of them names is of the first partition, as the SDKs have it.
pub(super) fn suffix(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-isof-", "csp.hci.ic.gov"),
        ("eusc-", "amazonaws.eu"),
    ];
    let found = PREFIXES
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix));
    found.map_or("amazonaws.com", |(_, suffix)| suffix)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};

    use super::suffix;

    #[tokio::test]
    async fn a_service_has_the_address_that_the_sdk_gives_it() {
        for region in [
            "af-south-1",
            "ap-southeast-7",
            "ca-west-1",
            "cn-north-1",
            "cn-northwest-1",
            "eu-central-1",
            "eu-isoe-west-1",
            "eusc-de-east-1",
            "il-central-1",
            "me-central-1",
            "mx-central-1",
            "sa-east-1",
            "us-east-1",
            "us-gov-east-1",
            "us-gov-west-1",
            "us-iso-east-1",
            "us-iso-west-1",
            "us-isob-east-1",
            "us-isob-west-1",
            "us-isof-east-1",
            "us-isof-south-1",
            "zz-new-1",
        ] {
            let params = Params::builder().region(region).build();
            let params = params.expect("complete");
            let sdk = DefaultResolver::new();
            let endpoint = sdk.resolve_endpoint(&params).await;
            let endpoint = endpoint.expect("an endpoint");
            let ours = format!("https://dynamodb.{region}.{}", suffix(region));
            assert_eq!(ours, endpoint.url());
        }
    }
}
