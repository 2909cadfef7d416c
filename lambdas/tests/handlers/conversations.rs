//! Runs every conversation with the real handlers, with and without an authorizer, and with `$disconnect` events that
//! come at once, late, or never.

use std::collections::HashMap;

use chat_lambdas::event::SocketEvent;
use chat_lambdas::handlers::{
    Admission, HandlerError, ProxyResponse, announce, authorize, broadcast, connect, delete,
    deliver, direct, disconnect, history,
};
use chat_lambdas::history::Reader;
use chat_lambdas::memory::{MemoryAnnouncer, MemoryReviewers, MemoryStore};
use chat_lambdas::presence::{Announcing, Clock};
use chat_lambdas::review::{ReviewError, Reviewed};
use chat_lambdas::routes::Routes;
use chat_lambdas::session::ConnectionId;
use chat_protocol::history::MAX_SECONDS;
use chat_protocol::{Answers, Field, Mode};
use serde_json::{Value, json};
use testing::conversations::{self, Fault, Handshake, Party, Receivers, Welcome, World, play};

use crate::gateway::{self, Claims};
use crate::scene::{Scene, json_of};
use crate::wiring::{Selected, Wiring};

#[derive(Debug, Clone, Copy)]
enum Authorizer {
    Runs,
    Ignored,
}

#[derive(Debug, Clone, Copy)]
enum Farewell {
    AtOnce,
    /// After the next connect.
    Late,
    Never,
}

#[tokio::test(start_paused = true)]
async fn with_an_authorizer() {
    play_all(Authorizer::Runs, Farewell::AtOnce).await;
}

#[tokio::test(start_paused = true)]
async fn without_an_authorizer() {
    play_all(Authorizer::Ignored, Farewell::AtOnce).await;
}

#[tokio::test(start_paused = true)]
async fn with_late_disconnects() {
    play_all(Authorizer::Runs, Farewell::Late).await;
    play_all(Authorizer::Ignored, Farewell::Late).await;
}

#[tokio::test(start_paused = true)]
async fn without_any_disconnects() {
    play_all(Authorizer::Runs, Farewell::Never).await;
    play_all(Authorizer::Ignored, Farewell::Never).await;
}

async fn play_all(authorizer: Authorizer, farewell: Farewell) {
    let mut failures = Vec::new();
    for script in conversations::scripts().expect("the scripts can be read") {
        let mut world = InMemory {
            scene: Scene::new(),
            wiring: Wiring::new(script.stack),
            authorizer,
            farewell,
            connections: HashMap::new(),
            ended: Vec::new(),
            made: 0,
            reviewers: MemoryReviewers::default(),
            announcer: MemoryAnnouncer::default(),
        };
        world.reviewers.answer_with(reviewed);
        if let Err(failure) = play(&script, &mut world).await {
            failures.push(format!("{failure} {:?}", failure.fault));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

struct InMemory {
    scene: Scene,
    wiring: Wiring,
    authorizer: Authorizer,
    farewell: Farewell,
    connections: HashMap<Party, Connection>,
    /// Closed connections without a `$disconnect` event so far.
    ended: Vec<Connection>,
    made: usize,
    announcer: MemoryAnnouncer,
    reviewers: MemoryReviewers,
}

/// The function of reviewed routes.
fn reviewed(question: &[u8]) -> Result<Vec<u8>, ReviewError> {
    let question: Value = serde_json::from_slice(question).expect("a question is JSON");
    let text = question["message"]["text"].as_str().unwrap_or_default();
    let verdict = match conversations::review(text) {
        Ok(text) => json!({ "verdict": "change", "text": text }),
        Err(reason) => json!({ "verdict": "refuse", "reason": reason }),
    };
    Ok(verdict.to_string().into_bytes())
}

#[derive(Clone)]
struct Connection {
    id: ConnectionId,
    /// The context that API Gateway repeats in its events.
    context: Option<Value>,
}

impl InMemory {
    fn connection(&self, party: &Party) -> Result<&Connection, Fault> {
        let connection = self.connections.get(party);
        Ok(connection.ok_or_else(|| format!("{party} has no connection"))?)
    }

    /// The table, as functions of the stack use it.
    fn store(&self) -> Announcing<&MemoryStore, &MemoryAnnouncer> {
        let now = self.scene.now;
        let announcer = Some(&self.announcer).filter(|_| self.wiring.announces());
        let log = self.scene.invocation().log;
        Announcing::new(&self.scene.store, announcer, Clock::new(move || now), log)
    }

    /// Runs the announcers that were summoned. They wait, so that what one step causes may be announced with the next.
    async fn announcements(&self) -> Result<(), Fault> {
        loop {
            let summoned = self.announcer.take();
            if summoned.is_empty() {
                return Ok(());
            }
            for announce_event in &summoned {
                let invocation = self.scene.invocation();
                announce(announce_event, self.scene.services(), &invocation).await?;
            }
        }
    }

    /// Runs the authorizer, if there is one. `Err` is the status of a refusal.
    fn authorized(
        &self,
        id: &ConnectionId,
        claims: Claims<'_>,
    ) -> Result<Result<Option<Value>, u16>, Fault> {
        if let Authorizer::Ignored = self.authorizer {
            return Ok(Ok(None));
        }
        let event = gateway::authorizer(id.as_str(), claims);
        let admission = Admission::new(self.wiring.names);
        match authorize(&event, &admission, &self.scene.invocation()) {
            Ok(policy) => {
                let policy = json_of(&policy);
                let mut context = policy["context"].clone();
                context["principalId"] = policy["principalId"].clone();
                Ok(Ok(Some(context)))
            }
            Err(HandlerError::Unauthorized) => Ok(Err(401)),
            Err(error) => Err(error.into()),
        }
    }

    async fn farewells(&mut self) -> Result<(), Fault> {
        for connection in std::mem::take(&mut self.ended) {
            let event = gateway::disconnect(connection.id.as_str(), connection.context.as_ref());
            let (index, invocation) = (self.wiring.index, self.scene.invocation());
            let answer = disconnect(&event, &self.store(), index, &invocation).await?;
            if json_of(&answer) != json!({"statusCode": 200}) {
                return Err(format!("$disconnect returned {answer:?}").into());
            }
        }
        Ok(())
    }

    /// The rules of `routes` with their reviews.
    fn rules(&self, routes: &Routes) -> Reviewed<&MemoryReviewers> {
        let reviews = self.wiring.reviews.clone();
        Reviewed::new(routes.clone(), reviews, &self.reviewers)
    }

    async fn to_friend(&self, event: &SocketEvent) -> Result<ProxyResponse, Fault> {
        let scene = &self.scene;
        let (rules, invocation) = (self.rules(&self.wiring.friend_routes), scene.invocation());
        Ok(direct(event, &self.store(), &scene.delivery, &rules, &invocation).await?)
    }

    async fn request(&self, answers: Answers, event: &SocketEvent) -> Result<ProxyResponse, Fault> {
        let (services, invocation) = (self.scene.services(), self.scene.invocation());
        let reader = Reader {
            mode: Mode::Claimed,
            index: self.wiring.index,
        };
        Ok(match answers {
            Answers::History => {
                history(event, services, (reader, MAX_SECONDS), &invocation).await?
            }
            Answers::Delete => delete(event, services, reader, &invocation).await?,
            Answers::Who | Answers::Kick => return Err("no script asks for it".into()),
        })
    }

    /// Messages that are handed over are delivered before this returns.
    async fn to_room(&self, event: &SocketEvent) -> Result<ProxyResponse, Fault> {
        let (scene, rules) = (&self.scene, self.rules(&self.wiring.room_routes));
        let services = (&self.store(), &scene.delivery);
        let invocation = scene.invocation();
        let answer = broadcast(event, services, &scene.dispatch, &rules, &invocation).await?;
        for message in scene.dispatch.take() {
            deliver(&message, services, &scene.dispatch, &invocation).await?;
        }
        Ok(answer)
    }

    fn close(&mut self, party: &Party) -> Result<Connection, Fault> {
        let connection = self.connection(party)?.clone();
        self.scene.delivery.close(&connection.id);
        self.connections.remove(party);
        Ok(connection)
    }
}

impl World for InMemory {
    async fn connect(&mut self, party: &Party, handshake: &Handshake) -> Result<Welcome, Fault> {
        self.scene.now += 6;
        self.made += 1;
        let id = ConnectionId::new(format!("connection-{:03}=", self.made));
        let claims = Claims {
            from: handshake.get(Field::From),
            to: handshake.get(Field::To),
            room: handshake.get(Field::Room),
        };
        let context = match self.authorized(&id, claims)? {
            Ok(context) => context,
            Err(status) => return Ok(Welcome::Refused(status.to_string())),
        };
        let event = gateway::connect(id.as_str(), claims, context.as_ref());
        let (policy, invocation) = (self.wiring.policy(), self.scene.invocation());
        let answer = connect(&event, &self.store(), policy, &invocation).await?;
        if answer.status_code() != 200 {
            return Ok(Welcome::Refused(answer.status_code().to_string()));
        }
        // The connection only exists from here on.
        self.scene.delivery.open(&id);
        self.connections
            .insert(party.clone(), Connection { id, context });
        self.farewells().await?;
        Ok(Welcome::Accepted)
    }

    async fn send(&mut self, party: &Party, text: &str) -> Result<(), Fault> {
        self.scene.now += 60;
        let Connection { id, context } = self.connection(party)?;
        let selected = self.wiring.select(text).ok_or("no route takes it")?;
        let key = match &selected {
            Selected::Messages(route) => route.key,
            Selected::Request(key, _) => key,
        };
        let moment = self.scene.now * 1_000;
        let event = gateway::routed_at(moment, key, id.as_str(), text, context.as_ref());
        let answer = match selected {
            Selected::Request(_, answers) => self.request(answers, &event).await?,
            Selected::Messages(route) => match route.receivers {
                Receivers::Friend => self.to_friend(&event).await?,
                Receivers::Room => self.to_room(&event).await?,
            },
        };
        // 400: the sender gets a notice, which the script expects.
        match answer.status_code() {
            200 | 400 => Ok(()),
            _ => Err(format!("the message returned {answer:?}").into()),
        }
    }

    async fn next_frame(&mut self, party: &Party) -> Result<Option<String>, Fault> {
        if let Some(frame) = self.arrived_frame(party).await? {
            return Ok(Some(frame));
        }
        self.announcements().await?;
        self.arrived_frame(party).await
    }

    async fn arrived_frame(&mut self, party: &Party) -> Result<Option<String>, Fault> {
        Ok(self.scene.delivery.take(&self.connection(party)?.id))
    }

    async fn disconnect(&mut self, party: &Party) -> Result<(), Fault> {
        let connection = self.close(party)?;
        match self.farewell {
            Farewell::Never => Ok(()),
            Farewell::Late => {
                self.ended.push(connection);
                Ok(())
            }
            Farewell::AtOnce => {
                self.ended.push(connection);
                self.farewells().await
            }
        }
    }

    async fn vanish(&mut self, party: &Party) -> Result<(), Fault> {
        self.close(party)?;
        Ok(())
    }

    /// Every step above has all its effects before it returns, but for announcements.
    async fn settle(&mut self) -> Result<(), Fault> {
        self.announcements().await
    }
}
