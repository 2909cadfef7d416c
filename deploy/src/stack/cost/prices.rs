//! AWS's list prices in US dollars, without the free tier, with the day on which they were looked up.
//!
//! AWS's price pages fill their tables in by script, so a Region is here only once its prices were found in AWS's own words
//! or price lists. Others are computed with those of us-east-1, and the result says so.

/// When the prices were looked up.
pub const LOOKED_UP: &str = "2026-11-29";

/// Where AWS publishes them.
pub const SOURCES: [(&str, &str); 7] = [
    ("API Gateway", "https://aws.amazon.com/api-gateway/pricing/"),
    ("Lambda", "https://aws.amazon.com/lambda/pricing/"),
    (
        "DynamoDB",
        "https://aws.amazon.com/dynamodb/pricing/on-demand/",
    ),
    ("CloudWatch", "https://aws.amazon.com/cloudwatch/pricing/"),
    ("traffic", "https://aws.amazon.com/ec2/pricing/on-demand/"),
    ("KMS", "https://aws.amazon.com/kms/pricing/"),
    (
        "Secrets Manager",
        "https://aws.amazon.com/secrets-manager/pricing/",
    ),
];

/// What one metric costs that is asked for with GetMetricData: $0.01 for a thousand. Several statistics of one metric may
/// cost less than that.
pub const METRIC_REQUESTED: f64 = 0.01 / 1_000.0;

/// What a month's quantity of something costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// How much costs `dollars`.
    pub unit: f64,
    /// The price of a unit.
    pub dollars: f64,
    /// From which quantities on a unit costs less, and how much, in rising order.
    pub further: &'static [(f64, f64)],
}

impl Price {
    const fn new(unit: f64, dollars: f64) -> Self {
        Self {
            unit,
            dollars,
            further: &[],
        }
    }

    const fn then(self, further: &'static [(f64, f64)]) -> Self {
        Self { further, ..self }
    }

    /// What `quantity` costs in a month.
    pub fn cost(&self, quantity: f64) -> f64 {
        let (mut sum, mut from, mut dollars) = (0.0, 0.0, self.dollars);
        for (start, next) in self.further {
            sum += (quantity.min(*start) - from).max(0.0) * dollars;
            (from, dollars) = (*start, *next);
        }
        (sum + (quantity - from).max(0.0) * dollars) / self.unit
    }
}

/// The prices of one Region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prices {
    /// The Region, by its name.
    pub region: &'static str,
    /// Messages of up to 32 KB from or to clients.
    pub messages: Price,
    /// Minutes of a connection.
    pub minutes: Price,
    /// Calls of functions.
    pub calls: Price,
    /// Seconds of a function with 1 GB, on Intel and AMD.
    pub gb_seconds: Price,
    /// The same on Arm.
    pub gb_seconds_arm: Price,
    /// Write request units of a table on demand.
    pub writes: Price,
    /// Read request units.
    pub reads: Price,
    /// GB that a table holds for a month.
    pub storage: Price,
    /// GB of logs that functions or API Gateway write.
    pub logs: Price,
    /// GB of logs that are kept for a month.
    pub logs_kept: Price,
    /// GB of traffic to the internet.
    pub traffic: Price,
    /// Metrics that alarms watch.
    pub alarms: Price,
    /// Dashboards.
    pub dashboards: Price,
    /// Keys of KMS.
    pub keys: Price,
    /// Requests to KMS.
    pub key_requests: Price,
    /// Secrets of Secrets Manager.
    pub secrets: Price,
    /// Reads of such secrets.
    pub secret_reads: Price,
}

impl Prices {
    /// The prices of `region`, else those of us-east-1: see [`Prices::region`].
    pub fn for_region(region: &str) -> &'static Self {
        let mut all = ALL.iter();
        all.find(|prices| prices.region == region)
            .unwrap_or(&US_EAST_1)
    }
}

const MILLION: f64 = 1e6;

/// A thousand million.
const BILLION: f64 = 1e9;

/// The GB of a TB.
const TB: f64 = 1_024.0;

/// Of us-east-1 (US East, N. Virginia).
///
/// Where prices fall: of messages, by API Gateway's page; of GB seconds, by
/// <https://aws.amazon.com/blogs/compute/introducing-tiered-pricing-for-aws-lambda/>; of logs, by
/// <https://aws.amazon.com/blogs/compute/aws-lambda-introduces-tiered-pricing-for-amazon-cloudwatch-logs-and-additional-logging-destinations/>;
/// of traffic, by EC2's page.
pub const US_EAST_1: Prices = Prices {
    region: "us-east-1",
    messages: Price::new(MILLION, 1.00).then(&[(BILLION, 0.80)]),
    minutes: Price::new(MILLION, 0.25),
    calls: Price::new(MILLION, 0.20),
    gb_seconds: Price::new(MILLION, 16.666_7)
        .then(&[(6.0 * BILLION, 15.0), (15.0 * BILLION, 13.333_4)]),
    gb_seconds_arm: Price::new(MILLION, 13.333_4)
        .then(&[(7.5 * BILLION, 12.000_1), (18.75 * BILLION, 10.666_7)]),
    writes: Price::new(MILLION, 0.625),
    reads: Price::new(MILLION, 0.125),
    storage: Price::new(1.0, 0.25),
    logs: Price::new(1.0, 0.50).then(&[(10.0 * TB, 0.25), (30.0 * TB, 0.10), (50.0 * TB, 0.05)]),
    logs_kept: Price::new(1.0, 0.03),
    traffic: Price::new(1.0, 0.09).then(&[
        (10.0 * TB, 0.085),
        (50.0 * TB, 0.07),
        (150.0 * TB, 0.05),
    ]),
    alarms: Price::new(1.0, 0.10),
    dashboards: Price::new(1.0, 3.00),
    keys: Price::new(1.0, 1.00),
    key_requests: Price::new(10_000.0, 0.03),
    secrets: Price::new(1.0, 0.40),
    secret_reads: Price::new(10_000.0, 0.05),
};

/// Every Region whose prices are known. A further one is added here, with the day and the source of its prices.
const ALL: [Prices; 1] = [US_EAST_1];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_quantity_costs_what_its_step_says() {
        let is = |price: Price, quantity: f64, dollars: f64| {
            let found = price.cost(quantity);
            assert!((found - dollars).abs() < 1e-6 * dollars + 1e-9, "{found}");
        };
        is(US_EAST_1.messages, 0.0, 0.0);
        is(US_EAST_1.messages, BILLION, 1_000.0);
        is(US_EAST_1.messages, 3.0 * BILLION, 1_000.0 + 2.0 * 800.0);
        is(US_EAST_1.gb_seconds, 6.0 * BILLION, 100_000.2);
        is(
            US_EAST_1.gb_seconds,
            16.0 * BILLION,
            100_000.2 + 135_000.0 + 13_333.4,
        );
        is(US_EAST_1.gb_seconds_arm, 7.5 * BILLION, 100_000.5);
        // 60 TB of logs: 10 at $0.50, 20 at $0.25, 20 at $0.10, 10 at $0.05.
        is(US_EAST_1.logs, 60.0 * TB, TB * (5.0 + 5.0 + 2.0 + 0.5));
        is(US_EAST_1.traffic, 11.0 * TB, TB * (0.9 + 0.085));
    }
}
