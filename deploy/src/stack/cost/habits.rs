//! What people do in a month: how often they connect, and what they send.

use super::usage::{CostError, Usage};
use crate::config::Settings;
use crate::config::route::{Purpose, Route};

/// How long API Gateway keeps a connection at most, in minutes
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>).
const MAX_MINUTES: f64 = 120.0;

/// After how many quiet minutes a client replaces its connection, which API Gateway would end after ten: what the chat page
/// does.
pub(super) const QUIET: f64 = 8.0;

/// What people do in a month, all of them together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Habits {
    pub(super) people: f64,
    pub(super) minutes: f64,
    /// How often people come, who leave later.
    pub(super) visits: f64,
    /// Each visit has one at least.
    pub(super) connections: f64,
    pub(super) messages: f64,
    /// The bytes of a message's text.
    pub(super) text: f64,
}

impl Habits {
    pub(super) fn from_usage(usage: &Usage) -> Self {
        let people = f64::from(usage.people);
        let visits = f64::from(usage.visits_per_day);
        let minutes = f64::from(usage.hours_per_day) * 60.0;
        let month = people * Usage::DAYS;
        let of_a_visit = connections(minutes / visits, f64::from(usage.messages_per_day) / visits);
        Self {
            people,
            minutes: month * minutes,
            visits: month * visits,
            connections: month * visits * of_a_visit,
            messages: month * f64::from(usage.messages_per_day),
            text: f64::from(usage.message_bytes),
        }
    }

    /// How often a person of a room is expected to do, in a second, what all do `number` times in a month.
    pub(super) fn in_a_second(&self, number: f64) -> f64 {
        number / (self.minutes * 60.0)
    }
}

/// The connections of a visit of so many `minutes`, in which so many `messages` are sent at random times.
///
/// Of the waits for the next message, the share e^(-rate × quiet time) is too long. A wait ends by a message or by a new
/// connection, so that there is one connection for each `quiet` of time if nothing is sent, and none besides the first if
/// messages follow closely.
fn connections(minutes: f64, messages: f64) -> f64 {
    let rate = messages / minutes;
    let replaced_in_a_minute = match rate * QUIET < 1e-9 {
        true => 1.0 / QUIET,
        false => rate / (rate * QUIET).exp_m1(),
    };
    let by_quiet = 1.0 + replaced_in_a_minute * minutes;
    by_quiet.max((minutes / MAX_MINUTES).ceil())
}

/// The route that messages take: the first to a room where a size is named, else the first.
pub(super) fn route<'a>(settings: &'a Settings, usage: &Usage) -> Result<&'a Route, CostError> {
    let mut routes = settings.routes.iter();
    if usage.room_size.is_some() {
        return routes
            .find(|route| is_to_room(route))
            .ok_or(CostError::NoRooms);
    }
    let takes_messages = |route: &&Route| !matches!(route.purpose, Purpose::Answers(_));
    let first = routes.clone().next();
    let found = routes.find(takes_messages).or(first);
    Ok(found.expect("settings have a route"))
}

pub(super) fn is_to_room(route: &Route) -> bool {
    matches!(&route.purpose, Purpose::People { receivers, .. } if receivers.reach_a_room())
}

/// The members of a room that is not too large for the config and for the people that there are.
pub(super) fn members(settings: &Settings, usage: &Usage) -> Result<u32, CostError> {
    let most = settings.limits.room_size;
    let people = usage.people;
    match (usage.room_size, most) {
        (Some(asked), Some(most)) if asked > most => Err(CostError::RoomTooLarge { asked, most }),
        (Some(asked), _) if asked > people => Err(CostError::RoomOfMorePeople { asked, people }),
        (Some(asked), _) => Ok(asked),
        (None, most) => Ok(most.unwrap_or(u32::MAX).min(Usage::ROOM_SIZE).min(people)),
    }
}

/// Whether `route` takes messages of that length.
pub(super) fn check_length(route: &Route, usage: &Usage) -> Result<(), CostError> {
    let most = route
        .purpose
        .rule()
        .map(|rule| rule.max_text_bytes)
        .and_then(|most| u32::try_from(most).ok());
    match most {
        Some(most) if usage.message_bytes > most => Err(CostError::TextTooLong {
            asked: usage.message_bytes,
            route: route.key.to_string(),
            most,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_lasts_two_hours_in_a_busy_chat_and_eight_minutes_in_a_silent_one() {
        let is = |minutes, messages, expected: f64| {
            let found = connections(minutes, messages);
            assert!((found - expected).abs() < 1e-3, "{found}");
        };
        is(480.0, 0.0, 1.0 + 60.0);
        is(480.0, 480_000.0, 4.0);
        is(5.0, 100.0, 1.0);
        // 50 messages in 480 minutes: e^(50/60) - 1 is 1.300_976.
        is(480.0, 50.0, 1.0 + 50.0 / 1.300_976);
        // Nearly nothing is as nothing.
        is(480.0, 1e-12, 61.0);
        is(1_440.0, 100_000.0, 12.0);
    }
}
