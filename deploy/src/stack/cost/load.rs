//! What people and messages make of a chat with its config, in what AWS charges.

use chat_protocol::cost::{self, INLINE_RECEIVERS, SHARD_INVOCATIONS, Units};
use chat_protocol::{Handler, Receivers};

use super::{CostError, Usage};
use crate::config::Settings;
use crate::config::route::{Purpose, Route};
use crate::stack::Template;
use crate::stack::render::render;

/// How long a function runs for anything but a room.
pub(super) const SECONDS: f64 = 0.010;

/// How long it runs for each member of a room.
pub(super) const SECONDS_A_MEMBER: f64 = 0.001;

/// A line of a log.
pub(super) const LINE_BYTES: f64 = 250.0;

/// What an envelope adds to a text, about.
const ENVELOPE_BYTES: f64 = 200.0;

/// What the item of a kept message has besides its text.
const KEPT_BYTES: f64 = cost::KEPT_BYTES as f64;

/// Messages are charged in steps of that size
/// (<https://aws.amazon.com/api-gateway/pricing/>).
const STEP_BYTES: f64 = 32.0 * 1_024.0;

/// The longest that API Gateway keeps a connection
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>).
const CONNECTION_HOURS: u32 = 2;

pub(super) const GB: f64 = 1_073_741_824.0;

/// What is charged in a month.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Load {
    pub(super) route: String,
    pub(super) room_size: Option<u32>,
    /// Messages from and to clients, in steps of 32 KB.
    pub(super) messages: f64,
    pub(super) minutes: f64,
    pub(super) calls: f64,
    pub(super) gb_seconds: f64,
    pub(super) units: Units,
    /// What the table holds of kept messages.
    pub(super) stored_gb: f64,
    pub(super) log_gb: f64,
    pub(super) traffic_gb: f64,
    /// What lowers the parts.
    pub(super) on_messages: Option<String>,
    pub(super) on_writes: Option<String>,
    pub(super) on_reads: Option<String>,
    pub(super) assumptions: Vec<String>,
    pub(super) not_counted: Vec<String>,
}

pub(super) fn load(settings: &Settings, usage: &Usage) -> Result<Load, CostError> {
    let route = route(settings, usage)?;
    let mut load = Load {
        route: route.key.to_string(),
        ..Load::default()
    };
    let template = render(settings);
    let people = f64::from(usage.people);
    let connections = f64::from(usage.hours_per_day.div_ceil(CONNECTION_HOURS));
    let connections = people * connections * Usage::DAYS;
    load.minutes = people * f64::from(usage.hours_per_day) * 60.0 * Usage::DAYS;
    load.room_size = room_size(settings, usage, route)?;
    load.connections(settings, &template, connections);
    let messages = people * f64::from(usage.messages_per_day) * Usage::DAYS;
    load.messages_by(route, settings, &template, usage, messages);
    load.assume(usage, &template);
    Ok(load)
}

/// The route that messages take: the first to a room where a size is named, else the first.
fn route<'a>(settings: &'a Settings, usage: &Usage) -> Result<&'a Route, CostError> {
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

fn is_to_room(route: &Route) -> bool {
    let receivers = Receivers::Room;
    matches!(&route.purpose, Purpose::People { receivers: to, .. } if *to == receivers)
}

fn room_size(settings: &Settings, usage: &Usage, route: &Route) -> Result<Option<u32>, CostError> {
    if !is_to_room(route) {
        return Ok(None);
    }
    let most = settings.limits.room_size;
    match (usage.room_size, most) {
        (Some(asked), Some(most)) if asked > most => Err(CostError::RoomTooLarge { asked, most }),
        (Some(asked), _) => Ok(Some(asked)),
        (None, most) => Ok(Some(most.unwrap_or(u32::MAX).min(Usage::ROOM_SIZE))),
    }
}

impl Load {
    /// Adds `calls` of the function of `family`, each of so many `seconds`, if the stack has it.
    fn call(&mut self, template: &Template, family: &str, calls: f64, seconds: f64) -> bool {
        let function = format!("{family}Function");
        let Some((_, function)) = template.resources().find(|(id, _)| *id == function) else {
            return false;
        };
        // Lambda's default (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
        let megabytes = function["Properties"]["MemorySize"]
            .as_f64()
            .unwrap_or(128.0);
        self.calls += calls;
        self.gb_seconds += calls * megabytes / 1_024.0 * seconds;
        true
    }

    fn unit(&mut self, events: f64, units: Units) {
        self.units.reads += events * units.reads;
        self.units.writes += events * units.writes;
    }

    /// Adds handshakes and the ends of connections.
    fn connections(&mut self, settings: &Settings, template: &Template, connections: f64) {
        for handler in [Handler::Authorize, Handler::Connect, Handler::Disconnect] {
            if self.call(template, handler.family(), connections, SECONDS) {
                self.log_gb += connections * LINE_BYTES / GB;
            }
        }
        let (index, limits) = (settings.index(), &settings.limits);
        let mut units = cost::connect(index, true) + cost::disconnect(index);
        if limits.connections_per_name.is_some() {
            units = units + cost::counted_name();
        }
        if limits.room_size.is_some() {
            let members = self.room_size.unwrap_or(Usage::ROOM_SIZE);
            units = units + cost::counted_room(whole(members));
        }
        self.unit(connections, units);
        if !settings.has_own_functions() {
            self.not_counted
                .push("your backend, which handles the connections".to_owned());
        }
    }

    /// Adds so many `messages` on `route`.
    fn messages_by(
        &mut self,
        route: &Route,
        settings: &Settings,
        template: &Template,
        usage: &Usage,
        messages: f64,
    ) {
        let text = f64::from(usage.message_bytes);
        // Posts for a message, and the bytes of each.
        let (mut posts, mut bytes) = (0.0, text);
        let mut is_counted = false;
        match &route.purpose {
            Purpose::People { receivers, rule } => {
                is_counted = true;
                posts = match (*receivers, self.room_size) {
                    (Receivers::Room, Some(members)) => {
                        self.post_to_room(template, whole(members), messages);
                        let own = if rule.include_sender { 1.0 } else { 0.0 };
                        f64::from(members.saturating_sub(1)) + own
                    }
                    _ => {
                        self.call(template, Handler::Direct.family(), messages, SECONDS);
                        self.unit(messages, cost::to_friend());
                        1.0
                    }
                };
                if let Some(seconds) = rule.history {
                    let text = whole(usage.message_bytes);
                    self.unit(
                        messages,
                        match self.room_size {
                            Some(_) => cost::kept(text),
                            None => cost::kept_for_friend(text),
                        },
                    );
                    let days = f64::from(seconds) / 86_400.0;
                    let bytes = f64::from(usage.message_bytes) + KEPT_BYTES;
                    self.stored_gb = messages / Usage::DAYS * days * bytes / GB;
                }
                if rule.envelope {
                    bytes += ENVELOPE_BYTES;
                    // The receipt.
                    posts += 1.0;
                }
            }
            Purpose::Http { .. } => {
                self.not_counted
                    .push("your backend, and what it posts to clients".to_owned());
            }
            Purpose::Handler(_) => {
                is_counted = true;
                let family = crate::stack::render::handler_family(&route.key);
                self.call(template, &family, messages, SECONDS);
                let what = "what your function reads, writes and posts to clients";
                self.not_counted.push(what.to_owned());
            }
            Purpose::Answers(_) => {}
        }
        if is_counted && settings.limits.messages_per_second.is_some() {
            self.unit(messages, cost::counted_message());
            self.on_writes = Some(
                "leaving `messages-per-second` under `[limits]` out: each message is a write with it"
                    .to_owned(),
            );
        } else {
            self.on_writes = Some("connections that last longer".to_owned());
        }
        let steps = |bytes: f64| (bytes / STEP_BYTES).ceil().max(1.0);
        self.messages += messages * (steps(text) + posts * steps(bytes));
        self.traffic_gb += messages * posts * bytes / GB;
        let in_rooms = "smaller rooms (`room-size` under `[limits]` bounds them): a message goes out to every member";
        (self.on_messages, self.on_reads) = match self.room_size {
            Some(_) => (Some(in_rooms.to_owned()), Some(in_rooms.to_owned())),
            None => (
                Some("fewer messages (`messages-per-second` under `[limits]` bounds them, for a write each)".to_owned()),
                Some("connections that last longer".to_owned()),
            ),
        };
    }

    fn post_to_room(&mut self, template: &Template, members: usize, messages: f64) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "no room has so many members that it matters"
        )]
        let posting = (members as f64 * SECONDS_A_MEMBER).max(SECONDS);
        let broadcast = Handler::Broadcast.family();
        if members > INLINE_RECEIVERS + 1 {
            let shards = f64::from(SHARD_INVOCATIONS);
            self.call(template, broadcast, messages, SECONDS);
            let deliver = Handler::Deliver.family();
            self.call(template, deliver, messages * shards, posting / shards);
        } else {
            self.call(template, broadcast, messages, posting);
        }
        self.unit(messages, cost::to_room(members));
    }

    fn assume(&mut self, usage: &Usage, template: &Template) {
        let mut assumed = |text: String| self.assumptions.push(text);
        assumed(format!(
            "a month of {} days; every device on one connection of at most {CONNECTION_HOURS} hours, which is opened anew",
            Usage::DAYS
        ));
        assumed(format!("texts of {} bytes", usage.message_bytes));
        if template
            .resources()
            .any(|(_, it)| it["Type"] == "AWS::Lambda::Function")
        {
            assumed(format!(
                "functions run for {:.0} ms, those for rooms for {:.0} ms a member; a handshake writes a log line of {LINE_BYTES} \
                 bytes in each function",
                SECONDS * 1_000.0,
                SECONDS_A_MEMBER * 1_000.0
            ));
        }
        for other in [
            "the free tier, and discounts",
            "storage of connections, of logs and of the handlers: cents",
        ] {
            self.not_counted.push(other.to_owned());
        }
    }
}

fn whole(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
