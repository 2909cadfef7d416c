//! What people and messages make of a chat with its config, in what AWS charges.

use std::collections::BTreeMap;

use chat_protocol::cost::{self, INLINE_RECEIVERS, KEPT_BYTES, SHARD_INVOCATIONS, Units};
use chat_protocol::{Handler, Receivers, Rule};

use super::habits::{self, Habits, QUIET};
use super::meter::{Cause, Meter};
use super::{CostError, Usage, requests, standing};
use crate::config::Settings;
use crate::config::function::LogLevel;
use crate::config::route::{Purpose, Route};
use crate::stack::Template;
use crate::stack::render::{handler_family, render_for_aws, review_family};

/// How long a function runs for anything but a room.
pub(super) const SECONDS: f64 = 0.010;

/// How long it runs for each member of a room.
pub(super) const SECONDS_A_MEMBER: f64 = 0.001;

/// A line of a log.
pub(super) const LINE_BYTES: f64 = 250.0;

/// What an envelope adds to a text, about.
pub(super) const ENVELOPE_BYTES: f64 = 200.0;

/// What DynamoDB charges for an item's storage besides its bytes
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>).
const STORED_BYTES: f64 = 100.0;

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

pub(super) fn load(settings: &Settings, usage: &Usage) -> Result<Load, CostError> {
    let route = habits::route(settings, usage)?;
    let members = habits::members(settings, usage)?;
    habits::check_length(route, usage)?;
    let habits = Habits::of(usage);
    let chat = Chat {
        settings,
        template: &render_for_aws(settings),
        habits: &habits,
        members,
    };
    let mut load = Load {
        route: route.key.to_string(),
        room_size: habits::is_to_room(route).then_some(members),
        steps: 1.0,
        connections: habits.connections,
        ..Load::default()
    };
    load.connect(&chat);
    load.pass_on(route, &chat);
    requests::add(&mut load, &chat, route);
    standing::add(&mut load, &chat);
    load.assume(usage, &chat);
    Ok(load)
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

    /// Adds connections: their time, their handshakes and their ends.
    fn connect(&mut self, chat: &Chat<'_>) {
        let (cause, settings) = (Cause::Connections, chat.settings);
        self.add(cause, Meter::Minutes, chat.habits.minutes);
        let connections = chat.habits.connections;
        for handler in [Handler::Authorize, Handler::Connect, Handler::Disconnect] {
            self.call(cause, chat, handler.family(), connections, SECONDS);
            if memory(chat.template, handler.family()).is_some() {
                self.write(cause, chat, connections);
            }
        }
        let (index, limits) = (settings.index(), &settings.limits);
        let mut units = cost::connect(index, true) + cost::disconnect(index);
        if limits.connections_per_name.is_some() {
            units = units + cost::counted_name();
        }
        if limits.room_size.is_some() {
            units = units + cost::counted_room(chat.members());
        }
        self.unit(cause, connections, units);
        if !settings.has_own_functions() {
            self.leave_out("your backend, which handles the connections");
        }
    }

    pub(super) fn leave_out(&mut self, what: &str) {
        self.not_counted.push(what.to_owned());
    }

    /// Adds what becomes of the messages on `route`.
    fn pass_on(&mut self, route: &Route, chat: &Chat<'_>) {
        let Habits { messages, text, .. } = *chat.habits;
        let cause = Cause::Messages;
        self.receive(cause, messages, text);
        self.steps = steps(text);
        match &route.purpose {
            Purpose::People { receivers, rule } => {
                self.counts_messages = true;
                match *receivers {
                    Receivers::Room => self.post_to_room(chat),
                    Receivers::Friend => {
                        let family = Handler::Direct.family();
                        self.call(cause, chat, family, messages, SECONDS);
                        self.unit(cause, messages, cost::to_friend());
                    }
                }
                let bytes = match rule.envelope {
                    true => text + ENVELOPE_BYTES,
                    false => text,
                };
                let receipts = if rule.envelope { 1.0 } else { 0.0 };
                let receivers = receivers_of(*receivers, rule, chat.members);
                self.post(cause, messages * (receivers + receipts), bytes);
                self.steps = steps(bytes);
                self.keep(rule, chat);
                if let Some(review) = &route.review {
                    self.review(&review.name, receivers_handler(route).family(), chat);
                }
            }
            Purpose::Http { .. } => {
                self.leave_out("your backend, and what it posts to clients");
            }
            Purpose::Handler(_) => {
                self.counts_messages = true;
                self.call(cause, chat, &handler_family(&route.key), messages, SECONDS);
                self.leave_out("what your function reads, writes, logs and posts to clients");
            }
            Purpose::Answers(_) => {}
        }
        if self.counts_messages && chat.settings.limits.messages_per_second.is_some() {
            self.unit(Cause::Counts, messages, cost::counted_message());
        }
    }

    fn post_to_room(&mut self, chat: &Chat<'_>) {
        let (cause, messages) = (Cause::Messages, chat.habits.messages);
        let broadcast = Handler::Broadcast.family();
        if chat.members() > INLINE_RECEIVERS + 1 {
            let shards = f64::from(SHARD_INVOCATIONS);
            self.call(cause, chat, broadcast, messages, SECONDS);
            let deliver = Handler::Deliver.family();
            self.call(
                cause,
                chat,
                deliver,
                messages * shards,
                chat.posting() / shards,
            );
            self.write(cause, chat, messages * (1.0 + shards));
        } else {
            self.call(cause, chat, broadcast, messages, chat.posting());
        }
        self.unit(cause, messages, cost::to_room(chat.members()));
    }

    /// Adds what it costs that messages are kept.
    fn keep(&mut self, rule: &Rule, chat: &Chat<'_>) {
        let Some(seconds) = rule.history else {
            return;
        };
        let (cause, messages) = (Cause::Kept, chat.habits.messages);
        let text = whole(chat.habits.text);
        let units = match self.room_size {
            Some(_) => cost::kept(text),
            None => cost::kept_for_friend(text),
        };
        self.unit(cause, messages, units);
        let kept = messages / Usage::DAYS * f64::from(seconds) / 86_400.0;
        let bytes = chat.habits.text + item_bytes() + STORED_BYTES;
        self.add(cause, Meter::Stored, kept * bytes / GB);
    }

    /// Adds the reviews of messages, for which the function of `waiting` waits.
    fn review(&mut self, name: &str, waiting: &str, chat: &Chat<'_>) {
        let (cause, messages) = (Cause::Reviews, chat.habits.messages);
        self.call(cause, chat, &review_family(name), messages, SECONDS);
        if let Some(megabytes) = memory(chat.template, waiting) {
            self.add(
                cause,
                Meter::GbSeconds,
                messages * megabytes / 1_024.0 * SECONDS,
            );
        }
        self.leave_out("what your review function reads, writes and logs");
    }

    fn assume(&mut self, usage: &Usage, chat: &Chat<'_>) {
        let a_person = chat.habits.people * Usage::DAYS;
        let connections = chat.habits.connections / a_person;
        let mut assumed = vec![
            format!(
                "a month of {} days; people who come {} a day, on {connections:.0} connections of one device: a client \
                 replaces one after {QUIET} minutes in which it sent nothing, or two hours",
                Usage::DAYS,
                match usage.visits_per_day {
                    1 => "once".to_owned(),
                    more => format!("{more} times"),
                }
            ),
            format!("texts of {} bytes", usage.message_bytes),
        ];
        let has_functions = chat.settings.has_functions();
        if has_functions {
            assumed.push(format!(
                "functions that run for {:.0} ms, those for rooms for {:.0} ms a member",
                SECONDS * 1_000.0,
                SECONDS_A_MEMBER * 1_000.0
            ));
        }
        if chat.settings.has_own_functions() && chat.writes(LogLevel::Info) {
            assumed.push(format!(
                "log lines of {LINE_BYTES} bytes, one in each function of a connection"
            ));
        }
        self.assumptions.splice(0..0, assumed);
        for other in [
            "the free tier, and discounts",
            "failures and retries, and clients that mean harm",
            "storage of connections and of the handlers: cents",
        ] {
            self.leave_out(other);
        }
    }
}

const fn part(meter: Meter) -> (Meter, Cause) {
    (meter, Cause::Connections)
}

/// The memory of the function of `family` in MB, if the stack has it.
fn memory(template: &Template, family: &str) -> Option<f64> {
    let id = format!("{family}Function");
    let (_, function) = template.resources().find(|(found, _)| *found == id)?;
    // Lambda's default (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
    Some(
        function["Properties"]["MemorySize"]
            .as_f64()
            .unwrap_or(128.0),
    )
}

/// The connections that a message is posted to.
fn receivers_of(receivers: Receivers, rule: &Rule, members: u32) -> f64 {
    let own = if rule.include_sender { 1.0 } else { 0.0 };
    match receivers {
        Receivers::Room => f64::from(members.saturating_sub(1)) + own,
        Receivers::Friend => 1.0,
    }
}

fn receivers_handler(route: &Route) -> Handler {
    match &route.purpose {
        Purpose::People { receivers, .. } => receivers.handler(),
        _ => Handler::Direct,
    }
}

/// How many messages a frame of so many `bytes` is charged as.
fn steps(bytes: f64) -> f64 {
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
