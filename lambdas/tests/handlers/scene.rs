//! A table, some clients, a clock and a log, for tests of handlers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chat_lambdas::dispatch::ShardMessage;
use chat_lambdas::event::SocketEvent;
use chat_lambdas::handlers::{self, HandlerError, Invocation, ProxyResponse};
use chat_lambdas::log::{Level, Log};
use chat_lambdas::memory::{MemoryDelivery, MemoryDispatch, MemoryStore};
use chat_lambdas::room::Tally;
use chat_lambdas::routes::Routes;
use chat_lambdas::session::{ConnectionId, Name, Names, Room, Session};
use chat_lambdas::store::{ConnectionStore as _, Index, Presence};
use serde_json::Value;
use tokio::time::Instant;

use crate::gateway;

pub(crate) struct Scene {
    pub(crate) store: MemoryStore,
    pub(crate) delivery: MemoryDelivery,
    pub(crate) dispatch: MemoryDispatch,
    pub(crate) now: u64,
    /// The time limit of an invocation.
    pub(crate) time_left: Duration,
    log: Log,
    lines: Arc<Mutex<Vec<String>>>,
}

/// The time at which scenes begin, in seconds since the epoch.
pub(crate) const BEGIN: u64 = 1_767_225_600;

/// A stack of friends, the default.
pub(crate) const FRIENDS: (Names, Index) = (Names::Required, Index::Friend);

/// A stack of rooms only.
pub(crate) const ROOMS: (Names, Index) = (Names::Optional, Index::Room);

impl Scene {
    pub(crate) fn new() -> Self {
        Self::logging_from(Level::Info)
    }

    pub(crate) fn logging_from(level: Level) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        Self {
            store: MemoryStore::default(),
            delivery: MemoryDelivery::default(),
            dispatch: MemoryDispatch::default(),
            now: BEGIN,
            time_left: Duration::from_secs(60),
            log: Log::new(level, move |line| {
                sink.lock()
                    .expect("no test panics in here")
                    .push(line.to_owned());
            }),
            lines,
        }
    }

    pub(crate) fn invocation(&self) -> Invocation {
        Invocation {
            now: self.now,
            until: Instant::now() + self.time_left,
            log: self.log.clone(),
        }
    }

    /// Everything logged so far.
    pub(crate) fn logged(&self) -> String {
        self.lines
            .lock()
            .expect("no test panics in here")
            .join("\n")
    }

    /// Opens a connection that was recorded a minute ago.
    pub(crate) async fn online(&self, name: &str, connection: &str) -> ConnectionId {
        let id = self.recorded(name, connection, self.now - 60).await;
        self.delivery.open(&id);
        id
    }

    /// Records a connection without opening it.
    pub(crate) async fn recorded(&self, name: &str, connection: &str, at: u64) -> ConnectionId {
        let presence = presence(name, "anybody", connection, at);
        let recorded = self.store.remember(&presence).await;
        recorded.expect("the table works at this point");
        presence.connection
    }

    /// Sends a message of `Tom`, whose friend is `Jerry`, on connection `t`.
    pub(crate) async fn tom_says(&self, text: &str) -> Result<ProxyResponse, HandlerError> {
        let event = gateway::message("t", text, Some(&gateway::context("Tom", "Jerry")));
        self.direct(&event).await
    }

    /// Runs `direct` with a route without options.
    pub(crate) async fn direct(&self, event: &SocketEvent) -> Result<ProxyResponse, HandlerError> {
        let routes = Routes::default();
        let invocation = self.invocation();
        handlers::direct(event, &self.store, &self.delivery, &routes, &invocation).await
    }

    /// Opens a member of `room` that was recorded a minute ago.
    pub(crate) async fn present(&self, room: &str, connection: &str) -> ConnectionId {
        let id = self.joined(room, connection, self.now - 60).await;
        self.delivery.open(&id);
        id
    }

    /// Records a member of `room` without opening a connection.
    pub(crate) async fn joined(&self, room: &str, connection: &str, at: u64) -> ConnectionId {
        let member = member(room, connection, at);
        let joined = self.store.join(&member).await;
        joined.expect("the table works at this point");
        member.connection
    }

    /// Sends a message of connection `a`, a member of `hall`, on the route `$default` with the rules in `routes`.
    pub(crate) async fn says(
        &self,
        text: &str,
        routes: &str,
    ) -> Result<ProxyResponse, HandlerError> {
        let event = gateway::message("a", text, Some(&gateway::room_context("hall")));
        self.broadcast(&event, routes).await
    }

    /// Runs `broadcast` with `routes` as the variable `ROUTES`.
    pub(crate) async fn broadcast(
        &self,
        event: &SocketEvent,
        routes: &str,
    ) -> Result<ProxyResponse, HandlerError> {
        let routes = Routes::parse(routes).expect("routes are JSON");
        let (services, invocation) = (self.services(), self.invocation());
        handlers::broadcast(event, services, &self.dispatch, &routes, &invocation).await
    }

    /// Runs `deliver`.
    pub(crate) async fn delivers(&self, message: &ShardMessage) -> Result<Tally, HandlerError> {
        let invocation = self.invocation();
        handlers::deliver(message, self.services(), &self.dispatch, &invocation).await
    }

    /// The table and the clients.
    pub(crate) fn services(&self) -> (&MemoryStore, &MemoryDelivery) {
        (&self.store, &self.delivery)
    }

    /// The members of rooms on record, as `room/connection`, sorted.
    pub(crate) fn members(&self) -> Vec<String> {
        let members = self.store.members();
        let mut members: Vec<_> = members
            .iter()
            .map(|row| format!("{}/{}", row.session.room, row.connection))
            .collect();
        members.sort();
        members
    }

    /// The connections on record, as `name/connection`.
    pub(crate) fn rows(&self) -> Vec<String> {
        let rows = self.store.rows();
        rows.iter()
            .map(|row| format!("{}/{}", shown(row), row.connection))
            .collect()
    }
}

pub(crate) fn presence(name: &str, friend: &str, connection: &str, at: u64) -> Presence {
    Presence {
        session: Session {
            name: Some(Name::parse(name).expect("a valid name")),
            friend: Some(Name::parse(friend).expect("a valid name")),
            room: Room::default(),
        },
        connection: ConnectionId::new(connection),
        connected_at: at,
    }
}

pub(crate) fn member(room: &str, connection: &str, at: u64) -> Presence {
    Presence {
        session: Session {
            room: Room::parse(room).expect("a valid name"),
            ..Session::default()
        },
        connection: ConnectionId::new(connection),
        connected_at: at,
    }
}

/// The response as API Gateway parses it.
pub(crate) fn json_of(answer: &impl serde::Serialize) -> Value {
    serde_json::to_value(answer).expect("answers are plain JSON")
}

fn shown(row: &Presence) -> &str {
    row.session.name.as_ref().map_or("nobody", Name::as_str)
}
