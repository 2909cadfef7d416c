//! AWS's list prices in US dollars, without the free tier, with the day on which they were looked up.
//!
//! AWS's price pages fill their tables in by script, so a Region is here only once its prices were found in AWS's own words
//! or price lists. Others are computed with those of us-east-1, and the result says so.

/// When the prices were looked up.
pub const LOOKED_UP: &str = "2026-11-29";

/// Where AWS publishes them.
pub const SOURCES: [(&str, &str); 5] = [
    ("API Gateway", "https://aws.amazon.com/api-gateway/pricing/"),
    ("Lambda", "https://aws.amazon.com/lambda/pricing/"),
    (
        "DynamoDB",
        "https://aws.amazon.com/dynamodb/pricing/on-demand/",
    ),
    ("CloudWatch", "https://aws.amazon.com/cloudwatch/pricing/"),
    ("traffic", "https://aws.amazon.com/ec2/pricing/on-demand/"),
];

/// What one metric costs that is asked for with GetMetricData: $0.01 for a thousand. Several statistics of one metric may
/// cost less than that.
pub const METRIC_REQUESTED: f64 = 0.01 / 1_000.0;

/// The prices of one Region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prices {
    /// The Region, by its name.
    pub region: &'static str,
    /// A million messages of up to 32 KB from or to clients, up to [`Prices::FIRST_MESSAGES`] in a month.
    pub messages: f64,
    /// A million messages beyond that.
    pub further_messages: f64,
    /// A million minutes of a connection.
    pub minutes: f64,
    /// A million calls of functions.
    pub calls: f64,
    /// A million seconds of a function with 1 GB, on Intel and AMD.
    pub gb_seconds: f64,
    /// The same on Arm.
    pub gb_seconds_arm: f64,
    /// A million write request units of a table on demand.
    pub writes: f64,
    /// A million read request units.
    pub reads: f64,
    /// A GB that a table holds for a month.
    pub storage: f64,
    /// A GB of logs.
    pub logs: f64,
    /// A GB of traffic to the internet.
    pub traffic: f64,
}

impl Prices {
    /// The messages of a month at the first price.
    pub(crate) const FIRST_MESSAGES: f64 = 1e9;

    /// The prices of `region`, else those of us-east-1: see [`Prices::region`].
    pub fn of(region: &str) -> &'static Self {
        let mut all = ALL.iter();
        all.find(|prices| prices.region == region)
            .unwrap_or(&US_EAST_1)
    }
}

/// Of us-east-1 (US East, N. Virginia).
pub const US_EAST_1: Prices = Prices {
    region: "us-east-1",
    messages: 1.00,
    further_messages: 0.80,
    minutes: 0.25,
    calls: 0.20,
    gb_seconds: 16.666_7,
    gb_seconds_arm: 13.333_4,
    writes: 0.625,
    reads: 0.125,
    storage: 0.25,
    logs: 0.50,
    traffic: 0.09,
};

/// Every Region whose prices are known. A further one is added here, with the day and the source of its prices.
const ALL: [Prices; 1] = [US_EAST_1];
