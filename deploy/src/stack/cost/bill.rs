//! What people and messages make of a chat with its config, in what AWS charges.

use super::habits::{self, Habits, QUIET};
use super::load::{Chat, LINE_BYTES, Load, SECONDS, SECONDS_A_MEMBER};
use super::usage::{CostError, Usage};
use super::{requests, standing};
use crate::config::Settings;
use crate::config::function::LogLevel;
use crate::stack::render::render_for_aws;

pub(super) fn load(settings: &Settings, usage: &Usage) -> Result<Load, CostError> {
    let route = habits::route(settings, usage)?;
    let members = habits::members(settings, usage)?;
    habits::check_length(route, usage)?;
    let habits = Habits::from_usage(usage);
    let chat = Chat {
        settings,
        template: &render_for_aws(settings),
        habits: &habits,
        members,
    };
    let mut load = Load::default();
    load.route = route.key.to_string();
    load.room_size = habits::is_to_room(route).then_some(members);
    load.steps = 1.0;
    load.connections = habits.connections;
    load.connect(&chat);
    load.pass_on(route, &chat);
    requests::add(&mut load, &chat, route);
    standing::add(&mut load, &chat);
    assume(&mut load, usage, &chat);
    Ok(load)
}

fn assume(load: &mut Load, usage: &Usage, chat: &Chat<'_>) {
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
    load.assumptions.splice(0..0, assumed);
    for other in [
        "the free tier, and discounts",
        "failures and retries, and clients that mean harm",
        "storage of connections and of the handlers: cents",
    ] {
        load.leave_out(other);
    }
}
