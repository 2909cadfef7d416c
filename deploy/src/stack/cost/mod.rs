//! What a chat costs on AWS in a month, computed from its config. Pure.
//!
//! `load.rs` counts what the config makes of people and messages, `prices.rs` has what AWS charges. What a further feature
//! adds, such as messages that are kept, is one more part of `load::Load`.

mod load;
pub mod prices;
#[cfg(test)]
mod tests;

use serde::Serialize;

use self::load::{Load, load};
use self::prices::{LOOKED_UP, Prices};
use crate::config::{Architecture, Settings};

/// How a chat is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// The people who use it each day.
    pub people: u32,
    /// The messages that each of them sends in a day.
    pub messages_per_day: u32,
    /// The members of each room; `None` for the assumed number.
    pub room_size: Option<u32>,
    /// The hours that each of them is connected in a day.
    pub hours_per_day: u32,
    /// The length of a message in bytes.
    pub message_bytes: u32,
}

impl Usage {
    /// The days of a month.
    pub(crate) const DAYS: f64 = 30.0;

    /// The members of a room, where the user names no number.
    pub const ROOM_SIZE: u32 = 10;

    /// The chat that a deployment names the costs of.
    pub const SAMPLE: Self = Self {
        people: 100,
        messages_per_day: 50,
        room_size: None,
        hours_per_day: 8,
        message_bytes: 200,
    };
}

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
    /// What lowers it, if anything does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lowered_by: Option<String>,
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
    /// The parts of the bill.
    pub items: Vec<Item>,
    /// All of them together.
    pub dollars_per_month: f64,
    /// What it was computed with besides.
    pub assumptions: Vec<String>,
    /// What is not in it.
    pub not_counted: Vec<String>,
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

/// Why nothing can be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// A size of rooms was named.
    #[error("this chat has no rooms: no route has `receivers = \"room\"`")]
    NoRooms,
    /// The config bounds rooms more tightly.
    #[error("rooms of {asked} are beyond `room-size = {most}` under `[limits]`")]
    #[expect(missing_docs, reason = "the message says what the fields are")]
    RoomTooLarge { asked: u32, most: u32 },
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
    let prices = Prices::of(region.unwrap_or_default());
    let items = items(&load, prices, settings);
    Ok(Estimate {
        region: region.map(str::to_owned),
        prices_of: prices.region,
        prices_looked_up: LOOKED_UP,
        route: load.route,
        room_size: load.room_size,
        dollars_per_month: items.iter().map(|item| item.dollars).sum(),
        items,
        assumptions: load.assumptions,
        not_counted: load.not_counted,
    })
}

const MILLION: f64 = 1e6;

/// The parts of the bill that are not zero, in the order of the services.
fn items(load: &Load, prices: &Prices, settings: &Settings) -> Vec<Item> {
    let is_arm = settings.aws.architecture == Some(Architecture::Arm64);
    let gb_seconds = match is_arm {
        true => prices.gb_seconds_arm,
        false => prices.gb_seconds,
    };
    let millions = |quantity: f64, price: f64| quantity / MILLION * price;
    let first = load.messages.min(Prices::FIRST_MESSAGES);
    let messages =
        millions(first, prices.messages) + millions(load.messages - first, prices.further_messages);
    let rows = [
        (
            "API Gateway",
            "messages",
            load.messages,
            messages,
            load.on_messages.clone(),
        ),
        (
            "API Gateway",
            "connection minutes",
            load.minutes,
            millions(load.minutes, prices.minutes),
            Some("clients that disconnect while they are not used; no setting".to_owned()),
        ),
        (
            "Lambda",
            "calls",
            load.calls,
            millions(load.calls, prices.calls),
            load.on_messages.clone(),
        ),
        (
            "Lambda",
            "GB seconds",
            load.gb_seconds,
            millions(load.gb_seconds, gb_seconds),
            match is_arm {
                true => load.on_messages.clone(),
                false => Some("`architecture = \"arm64\"` under `[aws]`, a fifth".to_owned()),
            },
        ),
        (
            "table",
            "write units",
            load.units.writes,
            millions(load.units.writes, prices.writes),
            load.on_writes.clone(),
        ),
        (
            "table",
            "read units",
            load.units.reads,
            millions(load.units.reads, prices.reads),
            load.on_reads.clone(),
        ),
        (
            "table",
            "GB stored",
            load.stored_gb,
            load.stored_gb * prices.storage,
            Some("a shorter `history`".to_owned()),
        ),
        (
            "logs",
            "GB written",
            load.log_gb,
            load.log_gb * prices.logs,
            Some(
                "connections that last longer; each writes its log lines when it opens".to_owned(),
            ),
        ),
        (
            "traffic",
            "GB to clients",
            load.traffic_gb,
            load.traffic_gb * prices.traffic,
            load.on_messages.clone(),
        ),
    ];
    let items = rows.map(|(service, what, quantity, dollars, lowered_by)| Item {
        service,
        what,
        quantity,
        dollars,
        lowered_by,
    });
    items
        .into_iter()
        .filter(|item| item.quantity > 0.0)
        .collect()
}
