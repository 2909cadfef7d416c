//! What a chat costs on AWS in a month, computed from its config. Pure.
//!
//! `bill.rs` counts what the config makes of people and messages, `prices.rs` has what AWS charges. What a further feature
//! adds is one more `meter::Cause`, with what lowers it in `advice.rs`.

mod advice;
mod bill;
mod habits;
mod load;
mod messages;
mod meter;
pub mod prices;
mod requests;
mod standing;
#[cfg(test)]
mod tests;
mod usage;

use serde::Serialize;

use self::advice::lowered_by;
use self::bill::load;
use self::load::Load;
use self::meter::{Meter, is_arm};
use self::prices::{LOOKED_UP, Prices};
pub use self::usage::{CostError, Usage};
use crate::config::Settings;

/// A part of the bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The service.
    pub service: &'static str,
    /// What of it is charged.
    pub what: &'static str,
    /// How much of that in a month.
    pub quantity: f64,
    /// In a month.
    pub dollars: f64,
    /// What most of it is charged for.
    pub mostly_for: &'static str,
    /// What lowers it.
    pub lowered_by: String,
}

/// What a chat costs in a month.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// The Region that was asked for; `None` if none is set.
    pub region: Option<String>,
    /// The Region whose prices these are.
    pub prices_of: &'static str,
    /// When they were looked up.
    pub prices_looked_up: &'static str,
    /// The route that all messages take.
    pub route: String,
    /// The members of each room, where it leads to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_size: Option<u32>,
    /// The connections of all people in a month.
    pub connections: f64,
    /// The parts of the bill.
    pub items: Vec<Item>,
    /// All of them together.
    pub dollars_per_month: f64,
    /// What it was computed with besides.
    pub assumptions: Vec<String>,
    /// What is not in it.
    pub not_counted: Vec<String>,
    /// What of it AWS or the config refuses.
    pub refused: Vec<String>,
}

impl Estimate {
    /// The largest part, and its share of the whole.
    pub fn largest(&self) -> Option<(&Item, f64)> {
        let by_price = |a: &&Item, b: &&Item| a.dollars.total_cmp(&b.dollars);
        let largest = self.items.iter().max_by(by_price)?;
        let share = largest.dollars / self.dollars_per_month;
        (share > 0.0).then_some((largest, share))
    }
}

/// What the chat of `settings` costs in `region`, used as `usage` says.
///
/// # Errors
/// [`CostError`]: the usage does not fit the config.
pub fn estimate(
    settings: &Settings,
    usage: &Usage,
    region: Option<&str>,
) -> Result<Estimate, CostError> {
    let load = load(settings, usage)?;
    let prices = Prices::for_region(region.unwrap_or_default());
    let items = items(&load, prices, settings);
    Ok(Estimate {
        region: region.map(str::to_owned),
        prices_of: prices.region,
        prices_looked_up: LOOKED_UP,
        room_size: load.room_size,
        connections: load.connections,
        // A sum of nothing is -0.0.
        dollars_per_month: items.iter().map(|item| item.dollars).sum::<f64>() + 0.0,
        items,
        refused: refused(&load, settings, usage),
        route: load.route,
        assumptions: load.assumptions,
        not_counted: load.not_counted,
    })
}

/// The parts of the bill that are not zero, in the order of the services.
fn items(load: &Load, prices: &Prices, settings: &Settings) -> Vec<Item> {
    let item = |meter: Meter| {
        let cause = load.cause(meter)?;
        let quantity = load.total(meter);
        let (service, what) = meter.words();
        Some(Item {
            service,
            what,
            quantity,
            dollars: meter.price(prices, is_arm(settings)).cost(quantity),
            mostly_for: cause.words(),
            lowered_by: lowered_by(cause, meter, load, settings),
        })
    };
    Meter::ALL.into_iter().filter_map(item).collect()
}

/// The messages that all APIs of an account take and send in a second, at first
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>).
const ACCOUNT: f64 = 10_000.0;

/// What of `load` is more than the config and an account's first quotas take, even if it came evenly all day.
fn refused(load: &Load, settings: &Settings, usage: &Usage) -> Vec<String> {
    const DAY: f64 = 86_400.0;
    let mut refused = Vec::new();
    let mut check = |number: f64, most: f64, what: &str, by: &str| {
        if number > most {
            let digits = usize::from(number < 100.0);
            refused.push(format!(
                "{number:.digits$} {what}, and {by} takes {most:.0}"
            ));
        }
    };
    let of_one = f64::from(usage.messages_per_day);
    let sent = f64::from(usage.people) * of_one / DAY;
    if let Some(throttle) = settings.throttle {
        check(
            sent,
            f64::from(throttle.rate.0),
            "messages come in a second",
            "a route (`throttle` under `[stage]`)",
        );
    }
    check(
        load.total(Meter::Messages) / Usage::DAYS / DAY,
        ACCOUNT,
        "messages come and go in a second",
        "an account, until its quota is raised,",
    );
    if let Some(most) = settings.limits.messages_per_second {
        check(
            of_one / f64::from(usage.hours_per_day) / 3_600.0,
            f64::from(most),
            "messages come from each person in a second",
            "a connection (`messages-per-second` under `[limits]`)",
        );
    }
    refused
}
