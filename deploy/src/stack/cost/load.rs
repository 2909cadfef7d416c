//! What is charged in a month, by meter and cause.

use std::collections::BTreeMap;

use chat_protocol::cost::{KEPT_BYTES, Units};

use super::habits::Habits;
use super::meter::{Cause, Meter};
use crate::config::Settings;
use crate::config::function::LogLevel;
use crate::stack::Template;

/// How long a function runs for anything but a room.
pub(super) const SECONDS: f64 = 0.010;

/// How long it runs for each member of a room.
pub(super) const SECONDS_A_MEMBER: f64 = 0.001;

/// A line of a log.
pub(super) const LINE_BYTES: f64 = 250.0;

/// What an envelope adds to a text, about.
pub(super) const ENVELOPE_BYTES: f64 = 200.0;

/// Messages are charged in steps of that size
/// (<https://aws.amazon.com/api-gateway/pricing/>).
const STEP_BYTES: f64 = 32.0 * 1_024.0;

pub(super) const GB: f64 = 1_073_741_824.0;

/// What is charged in a month.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Load {
    parts: BTreeMap<(Meter, Cause), f64>,
    pub(super) route: String,
    pub(super) room_size: Option<u32>,
    /// How many messages one is charged as.
    pub(super) steps: f64,
    /// Whether `messages-per-second` holds on the route.
    pub(super) counts_messages: bool,
    /// Messages from clients.
    pub(super) received: f64,
    pub(super) connections: f64,
    pub(super) assumptions: Vec<String>,
    pub(super) not_counted: Vec<String>,
}

/// What a load is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chat<'a> {
    pub(super) settings: &'a Settings,
    pub(super) template: &'a Template,
    pub(super) habits: &'a Habits,
    /// Of a room, where there are rooms.
    pub(super) members: u32,
}

impl Chat<'_> {
    pub(super) fn members(&self) -> usize {
        usize::try_from(self.members).unwrap_or(usize::MAX)
    }

    /// How long a function posts to a whole room.
    pub(super) fn posting(&self) -> f64 {
        (f64::from(self.members) * SECONDS_A_MEMBER).max(SECONDS)
    }

    /// Whether our own functions write their lines of this level.
    pub(super) fn writes(&self, level: LogLevel) -> bool {
        let least = self.settings.handlers.log_level;
        (level as u8) >= least.unwrap_or(LogLevel::Info) as u8
    }
}

impl Load {
    pub(super) fn add(&mut self, cause: Cause, meter: Meter, quantity: f64) {
        if quantity > 0.0 {
            *self.parts.entry((meter, cause)).or_default() += quantity;
        }
    }

    pub(super) fn total(&self, meter: Meter) -> f64 {
        let of_meter = self
            .parts
            .range(part(meter)..)
            .take_while(|((of, _), _)| *of == meter);
        of_meter.map(|(_, quantity)| quantity).sum()
    }

    /// What most of `meter` is charged for.
    pub(super) fn cause(&self, meter: Meter) -> Option<Cause> {
        let of_meter = self.parts.iter().filter(|((of, _), _)| *of == meter);
        let largest = of_meter.max_by(|a, b| a.1.total_cmp(b.1))?;
        Some(largest.0.1)
    }

    /// Adds `calls` of the function of `family`, each of so many `seconds`, if the stack has it.
    pub(super) fn call(
        &mut self,
        cause: Cause,
        chat: &Chat<'_>,
        family: &str,
        calls: f64,
        seconds: f64,
    ) {
        if let Some(megabytes) = memory(chat.template, family) {
            self.add(cause, Meter::Calls, calls);
            self.add(
                cause,
                Meter::GbSeconds,
                calls * megabytes / 1_024.0 * seconds,
            );
        }
    }

    /// Adds lines of our own functions' logs.
    pub(super) fn write(&mut self, cause: Cause, chat: &Chat<'_>, lines: f64) {
        if chat.writes(LogLevel::Info) {
            self.add(cause, Meter::Logs, lines * LINE_BYTES / GB);
        }
    }

    pub(super) fn unit(&mut self, cause: Cause, events: f64, units: Units) {
        self.add(cause, Meter::Reads, events * units.reads);
        self.add(cause, Meter::Writes, events * units.writes);
    }

    /// Adds so many frames of so many `bytes` each, to clients.
    pub(super) fn post(&mut self, cause: Cause, frames: f64, bytes: f64) {
        self.add(cause, Meter::Messages, frames * steps(bytes));
        self.add(cause, Meter::Traffic, frames * bytes / GB);
    }

    /// Adds so many frames of so many `bytes` each, from clients.
    pub(super) fn receive(&mut self, cause: Cause, frames: f64, bytes: f64) {
        self.received += frames;
        self.add(cause, Meter::Messages, frames * steps(bytes));
    }

    pub(super) fn leave_out(&mut self, what: &str) {
        self.not_counted.push(what.to_owned());
    }
}

const fn part(meter: Meter) -> (Meter, Cause) {
    (meter, Cause::Connections)
}

/// The memory of the function of `family` in MB, if the stack has it.
pub(super) fn memory(template: &Template, family: &str) -> Option<f64> {
    let id = format!("{family}Function");
    let (_, function) = template.resources().find(|(found, _)| *found == id)?;
    // Lambda's default (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
    Some(
        function["Properties"]["MemorySize"]
            .as_f64()
            .unwrap_or(128.0),
    )
}

/// How many messages a frame of so many `bytes` is charged as.
pub(super) fn steps(bytes: f64) -> f64 {
    (bytes / STEP_BYTES).ceil().max(1.0)
}

pub(super) fn item_bytes() -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "it is a small number")]
    let bytes = KEPT_BYTES as f64;
    bytes
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is the whole number of bytes of a text"
)]
pub(super) fn whole(number: f64) -> usize {
    number as usize
}
