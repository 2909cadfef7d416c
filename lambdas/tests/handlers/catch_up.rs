//! What clients miss while they are away, and get on return: each message exactly once on each screen, in order.
//!
//! The client here is the one that docs/guide/history.md describes.

use std::collections::BTreeMap;

use chat_lambdas::handlers;
use chat_lambdas::history::Reader;
use chat_lambdas::store::{ConnectionStore as _, Index};
use chat_protocol::Mode;
use serde_json::{Value, json};

use crate::kept::{context, id, present};
use crate::scene::Scene;

/// A device of Bob's, with its screen.
struct Device {
    name: &'static str,
    /// The connection, while there is one.
    connection: Option<String>,
    connects: usize,
    /// What is on the screen, by id. A deleted text stays as a mark, so that a late copy does not bring it back.
    screen: BTreeMap<String, Option<String>>,
    /// Up to here nothing is missing.
    complete_to: String,
    is_catching_up: bool,
    /// Whether the next page follows another one.
    is_next: bool,
}

impl Device {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            connection: None,
            connects: 0,
            screen: BTreeMap::new(),
            complete_to: "00000000000000000000000000".to_owned(),
            is_catching_up: false,
            is_next: false,
        }
    }

    async fn connect(&mut self, scene: &Scene) {
        self.connects += 1;
        let connection = format!("{}-{}", self.name, self.connects);
        let bob = present("Bob", "Ann", &connection, scene.now);
        scene.store.join(&bob).await.unwrap();
        scene.delivery.open(&id(&connection));
        self.connection = Some(connection);
        (self.is_catching_up, self.is_next) = (true, false);
    }

    /// It loses its connection, and whatever has not been read.
    fn vanish(&mut self, scene: &Scene) {
        if let Some(connection) = self.connection.take() {
            scene.delivery.close(&id(&connection));
        }
    }

    /// Reads what has arrived, and asks for one page more if it is catching up.
    async fn turn(&mut self, scene: &Scene) {
        let Some(connection) = self.connection.clone() else {
            return;
        };
        self.read(scene, &connection);
        if self.is_catching_up {
            let ask = json!({"after": self.complete_to, "exact": self.is_next, "limit": 3});
            let event = scene.event_at(0, "history", &connection, &ask, &context("Bob", "Ann"));
            let reader = Reader {
                mode: Mode::Claimed,
                index: Index::FriendAndRoom,
            };
            let (services, reader) = (scene.services(), (reader, 86_400));
            let asked = handlers::history(&event, services, reader, &scene.invocation()).await;
            assert_eq!(asked.unwrap().status_code(), 200);
            self.read(scene, &connection);
        }
    }

    fn read(&mut self, scene: &Scene, connection: &str) {
        while let Some(frame) = scene.next(connection) {
            match frame["type"].as_str() {
                Some("history") => {
                    let entries = frame["entries"].as_array().unwrap();
                    entries.iter().for_each(|entry| self.show(entry));
                    if let Some(last) = entries.last() {
                        self.complete_to = last["id"].as_str().unwrap().to_owned();
                    }
                    self.is_next = true;
                    self.is_catching_up = frame["more"] == true;
                }
                _ => self.show(&frame),
            }
        }
        if !self.is_catching_up
            && let Some((last, _)) = self.screen.last_key_value()
        {
            self.complete_to.clone_from(last);
        }
    }

    fn show(&mut self, entry: &Value) {
        let id = entry["id"].as_str().unwrap().to_owned();
        match entry["type"].as_str() {
            Some("message") => {
                let text = entry["text"].as_str().unwrap().to_owned();
                self.screen.entry(id).or_insert(Some(text));
            }
            _ => {
                let of = entry["of"].as_str().unwrap().to_owned();
                self.screen.insert(of, None);
                self.screen.entry(id).or_insert(None);
            }
        }
    }

    fn texts(&self) -> Vec<&str> {
        self.screen.values().flatten().map(String::as_str).collect()
    }
}

/// A small generator, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Ann writes, and deletes now and then; two devices of Bob's lose their connections, also in the middle of a page, and come back.
/// Some messages are written later than others with larger ids, as by a function that was slow.
async fn a_conversation(seed: u64) {
    let mut scene = Scene::new();
    let mut dice = Dice(seed);
    let mut devices = [Device::new("phone"), Device::new("tablet")];
    let mut sent: BTreeMap<String, String> = BTreeMap::new();
    scene.delivery.open(&id("a"));
    for number in 0..120 {
        scene.now += dice.roll(28);
        match dice.roll(8) {
            0..=3 => {
                // The function took up to 20 seconds.
                let moment = (scene.now - dice.roll(2) * dice.roll(20)) * 1_000 + number;
                let text = format!("text {number}");
                let frame = json!({"message": text, "ref": "r"});
                let event = scene.event_at(moment, "say", "a", &frame, &context("Ann", "Bob"));
                scene.says_kept(&event).await.unwrap();
                let receipt = scene.next("a").unwrap();
                sent.insert(receipt["id"].as_str().unwrap().to_owned(), text);
            }
            4 if !sent.is_empty() => {
                let nth = dice.roll(sent.len() as u64) as usize;
                let of = sent.keys().nth(nth).unwrap().clone();
                let order = json!({"id": of});
                let moment = scene.now * 1_000 + number;
                let event = scene.event_at(moment, "delete", "a", &order, &context("Ann", "Bob"));
                let reader = Reader {
                    mode: Mode::Claimed,
                    index: Index::FriendAndRoom,
                };
                handlers::delete(&event, scene.services(), reader, &scene.invocation())
                    .await
                    .unwrap();
                sent.remove(&of);
            }
            _ => {}
        }
        for device in &mut devices {
            match dice.roll(6) {
                0 => device.vanish(&scene),
                1 | 2 if device.connection.is_none() => device.connect(&scene).await,
                3..=5 => device.turn(&scene).await,
                _ => {}
            }
        }
    }
    let expected: Vec<_> = sent.values().map(String::as_str).collect();
    for device in &mut devices {
        if device.connection.is_none() {
            device.connect(&scene).await;
        }
        device.turn(&scene).await;
        while device.is_catching_up {
            device.turn(&scene).await;
        }
        assert_eq!(device.texts(), expected, "{} with seed {seed}", device.name);
    }
}

#[tokio::test]
async fn two_devices_that_come_and_go_have_each_message_exactly_once_in_order() {
    for seed in 0..60 {
        a_conversation(seed).await;
    }
}
