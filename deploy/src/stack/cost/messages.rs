//! What connections and messages add.

use chat_protocol::cost::{self, INLINE_RECEIVERS, SHARD_INVOCATIONS};
use chat_protocol::{Handler, Receivers, Rule};

use super::habits::Habits;
use super::load::{Chat, ENVELOPE_BYTES, GB, Load, SECONDS, item_bytes, memory, steps, whole};
use super::meter::{Cause, Meter};
use super::usage::Usage;
use crate::config::route::{Purpose, Route};
use crate::stack::render::{handler_family, review_family};

/// What DynamoDB charges for an item's storage besides its bytes
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>).
const STORED_BYTES: f64 = 100.0;

impl Load {
    /// Adds connections: their time, their handshakes and their ends.
    pub(super) fn connect(&mut self, chat: &Chat<'_>) {
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

    /// Adds what becomes of the messages on `route`.
    pub(super) fn pass_on(&mut self, route: &Route, chat: &Chat<'_>) {
        let Habits { messages, text, .. } = *chat.habits;
        let cause = Cause::Messages;
        self.receive(cause, messages, text);
        self.steps = steps(text);
        match &route.purpose {
            Purpose::People { receivers, rule } => {
                self.counts_messages = true;
                let family = receivers.handler().family();
                if receivers.reach_a_room() {
                    self.post_to_room(family, chat);
                } else {
                    self.call(cause, chat, family, messages, SECONDS);
                    self.unit(cause, messages, cost::to_friend());
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
                    self.review(&review.name, family, chat);
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

    /// Adds the posts to the members of a room by the function of `family`.
    fn post_to_room(&mut self, family: &str, chat: &Chat<'_>) {
        let (cause, messages) = (Cause::Messages, chat.habits.messages);
        if chat.members() > INLINE_RECEIVERS + 1 {
            let shards = f64::from(SHARD_INVOCATIONS);
            self.call(cause, chat, family, messages, SECONDS);
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
            self.call(cause, chat, family, messages, chat.posting());
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
}

/// The connections that a message is posted to.
fn receivers_of(receivers: Receivers, rule: &Rule, members: u32) -> f64 {
    let own = if rule.include_sender { 1.0 } else { 0.0 };
    match receivers.reach_a_room() {
        true => f64::from(members.saturating_sub(1)) + own,
        false => 1.0,
    }
}
