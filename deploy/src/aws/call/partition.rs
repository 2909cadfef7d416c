//! The partitions of AWS: how their hosts end, and which hosts they have one of.

use crate::config::arn::partition_of;

/// The endings of a partition's hosts, and the Region that requests to the services of all its Regions are signed for.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) name: &'static str,
    pub(super) suffix: &'static str,
    pub(super) dual_stack_suffix: &'static str,
    home: &'static str,
}

const fn partition(
    name: &'static str,
    suffix: &'static str,
    dual_stack_suffix: &'static str,
    home: &'static str,
) -> Partition {
    Partition {
        name,
        suffix,
        dual_stack_suffix,
        home,
    }
}

/// As the SDKs have them
/// (<https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json>).
static PARTITIONS: [Partition; 8] = [
    partition("aws", "amazonaws.com", "api.aws", "us-east-1"),
    partition(
        "aws-cn",
        "amazonaws.com.cn",
        "api.amazonwebservices.com.cn",
        "cn-northwest-1",
    ),
    partition("aws-us-gov", "amazonaws.com", "api.aws", "us-gov-west-1"),
    partition("aws-iso", "c2s.ic.gov", "api.aws.ic.gov", "us-iso-east-1"),
    partition(
        "aws-iso-b",
        "sc2s.sgov.gov",
        "api.aws.scloud",
        "us-isob-east-1",
    ),
    partition(
        "aws-iso-e",
        "cloud.adc-e.uk",
        "api.cloud-aws.adc-e.uk",
        "eu-isoe-west-1",
    ),
    partition(
        "aws-iso-f",
        "csp.hci.ic.gov",
        "api.aws.hci.ic.gov",
        "us-isof-south-1",
    ),
    partition(
        "aws-eusc",
        "amazonaws.eu",
        "api.amazonwebservices.eu",
        "eusc-de-east-1",
    ),
];

impl Partition {
    /// The partition of `region`.
    pub(super) fn for_region(region: &str) -> &'static Self {
        let name = partition_of(region);
        let found = PARTITIONS.iter().find(|partition| partition.name == name);
        found.unwrap_or(&PARTITIONS[0])
    }
}

/// The host of a service that a partition has one of.
#[derive(Debug)]
pub(super) struct Home {
    /// The label before the partition's ending.
    pub(super) label: Option<&'static str>,
    pub(super) has_fips_label: bool,
    /// The Region of signatures.
    pub(super) region: &'static str,
}

impl Home {
    /// Route 53 (<https://docs.aws.amazon.com/general/latest/gr/r53.html>).
    pub(super) fn route53(partition: &'static Partition, fips: bool, dual_stack: bool) -> Self {
        Self {
            label: match (partition.name, fips, dual_stack) {
                ("aws-us-gov", _, _) => Some("us-gov"),
                ("aws", _, true) | ("aws-cn" | "aws-eusc", false, true) => Some("global"),
                _ => None,
            },
            has_fips_label: fips && partition.name != "aws-us-gov",
            region: partition.home,
        }
    }

    /// IAM (<https://docs.aws.amazon.com/general/latest/gr/iam-service.html>,
    /// <https://github.com/aws/aws-sdk-js-v3/blob/main/codegen/sdk-codegen/aws-models/iam.json>).
    pub(super) fn iam(partition: &'static Partition, fips: bool, dual_stack: bool) -> Self {
        let in_china = partition.name == "aws-cn" && !fips;
        let region = match in_china {
            true => "cn-north-1",
            false => partition.home,
        };
        Self {
            label: match (partition.name, fips, dual_stack) {
                ("aws-us-gov", _, _) => Some("us-gov"),
                ("aws", _, true) | ("aws-cn", false, true) => Some("global"),
                ("aws-iso" | "aws-iso-b", _, false)
                | ("aws-cn" | "aws-iso-e" | "aws-iso-f" | "aws-eusc", false, false) => Some(region),
                _ => None,
            },
            has_fips_label: fips && partition.name != "aws-us-gov",
            region,
        }
    }
}
