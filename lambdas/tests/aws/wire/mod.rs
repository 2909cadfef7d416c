//! Every request of the adapters, as it leaves the function.
//!
//! `wire/requests.txt` was written by the generated clients of the AWS SDK, before the adapters had a client of their
//! own. So it is what the SDK sends for each operation, and a change of it is a change of what AWS receives. `mirror.rs`
//! sends the same through the generated clients of today.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chat_lambdas::aws::{Clients, HttpSecrets};
use chat_lambdas::delivery::Delivery as _;
use chat_lambdas::dispatch::{Dispatch as _, ShardMessage};
use chat_lambdas::environment::{FunctionAddress, SecretEndpoints, TableAddress};
use chat_lambdas::history::{Conversation, History, Line, Order, Section, Ulid};
use chat_lambdas::items::Items;
use chat_lambdas::presence::{AnnouncementStore, Announcer as _};
use chat_lambdas::review::Reviewers as _;
use chat_lambdas::room::Rest;
use chat_lambdas::runtime::Trace;
use chat_lambdas::secrets::Secrets as _;
use chat_lambdas::session::{ConnectionId, Name, Room, Session};
use chat_lambdas::shard::Shard;
use chat_lambdas::store::{ConnectionStore, PageStart, Presence, Read};
use expect_test::expect_file;
use serde_json::Value;

use crate::stub::{LONG, Reply, Stub};
use crate::table::{TABLE, identity};

const NOW: u64 = 1_767_225_600;
pub(crate) const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";

/// Ids that need each kind of encoding.
pub(crate) const IDS: [&str; 8] = [
    "BFaT_fALIAMCKug=",
    "a/b+c d",
    "~-._",
    "é\u{1F600}%41%",
    "!$&'()*,;:@[]",
    "?q#f",
    "<\"^`{|}\\>",
    "\u{1}\n\t\u{7f}",
];

pub(crate) const FUNCTIONS: [&str; 3] = [
    "chat-Deliver",
    "arn:aws:lambda:eu-central-1:000000000000:function:chat-Deliver:live",
    "000000000000:function:chat_Deliver",
];

/// Texts that JSON must escape, or must not.
pub(crate) const TEXTS: [&str; 4] = [
    "",
    "a \"text\"\\\n\r\t\u{0}\u{1f}\u{7f}\u{2028}/",
    "\u{1F600} ü \u{fffd}",
    r#"{"a": [1, 2.50, "\u0041"]}"#,
];

/// All requests of the adapters, to `endpoint`.
pub(crate) async fn all(endpoint: &str) {
    let trace = Trace::default();
    trace.set(Some(TRACE.to_owned()));
    let clients = Clients::new(identity(), trace, &[Some(endpoint)]);
    let address = TableAddress {
        name: TABLE.to_owned(),
        endpoint: Some(endpoint.to_owned()),
    };
    let store = clients.table(address, LONG);
    connections(&store).await;
    announcements(&store).await;
    conversations(&store).await;
    items(&store).await;
    for id in IDS.map(ConnectionId::new) {
        for text in TEXTS {
            let delivery = clients.delivery(endpoint.to_owned(), LONG);
            delivery.post(&id, text).await.expect("accepted");
        }
        let crowd = clients.crowd_delivery(endpoint.to_owned(), LONG);
        crowd.post(&id, "hi").await.expect("accepted");
        crowd.end(&id).await.expect("accepted");
    }
    for function in FUNCTIONS {
        let address = FunctionAddress {
            name: function.to_owned(),
            endpoint: Some(endpoint.to_owned()),
        };
        let dispatch = clients.dispatch(address, LONG);
        dispatch.summon(&room()).await.expect("accepted");
        dispatch.dispatch(&shard()).await.expect("accepted");
        let reviewers = clients.reviewers(Some(endpoint.to_owned()), LONG);
        for text in TEXTS {
            let question = text.as_bytes().to_vec();
            reviewers.ask(function, question).await.expect("answered");
        }
    }
}

async fn connections(store: &impl ConnectionStore) {
    let everywhere = Presence {
        session: Session {
            room: Room::default(),
            ..presence().session
        },
        ..presence()
    };
    let nameless = Presence {
        session: Session {
            name: None,
            friend: None,
            ..presence().session
        },
        ..presence()
    };
    for presence in [presence(), everywhere, nameless] {
        store.remember(&presence).await.expect("written");
        store.join(&presence).await.expect("written");
        store.remember_session(&presence).await.expect("written");
    }
    for id in IDS.map(ConnectionId::new) {
        store.leave(&room(), &id).await.expect("written");
        store.forget(&tom(), &id).await.expect("written");
        store.forget_session(&id).await.expect("written");
        store.session_of(&id, NOW).await.expect("read");
        let counted = store.count_message(&id, NOW, 7).await;
        counted.expect("written");
        let start = Some(PageStart(id));
        let [first, .., last] = Shard::all();
        let page = store.members(&room(), first, NOW, start.clone()).await;
        page.expect("read");
        let page = store.people(&room(), last, NOW, start).await;
        page.expect("read");
    }
    for read in [Read::Eventual, Read::Consistent] {
        let devices = store.connections_of(&tom(), NOW, read).await;
        devices.expect("read");
    }
    store.ban_of(&tom(), NOW).await.expect("read");
}

async fn announcements(store: &impl AnnouncementStore) {
    let room = room();
    store.open_turn(&room, NOW).await.expect("written");
    store.close_turn(&room).await.expect("written");
    let taken = store.take_turn(&room, "h\"1", NOW, NOW + 30).await;
    taken.expect("written");
    store.let_go(&room, "h\"1").await.expect("written");
    store.announced(&room, NOW).await.expect("read");
    let names = [name("Tom"), name("Mary Ann"), name("o'neil@x.y+z")];
    for names in [Vec::new(), names[..1].to_vec(), names.to_vec()] {
        let names = names.into_iter().collect();
        let saved = store.save_announced(&room, &names, NOW).await;
        saved.expect("written");
    }
    let id = ConnectionId::new(IDS[0]);
    store.take_out(&room, &id).await.expect("written");
}

async fn conversations(store: &impl History) {
    let id = |second| Ulid::from_parts((NOW + second) * 1_000, 7);
    for place in [
        Conversation::Room(room()),
        Conversation::Two(name("Tom"), name("Jerry")),
    ] {
        for frame in TEXTS {
            let line = Line {
                id: id(1),
                frame: frame.to_owned(),
            };
            store.keep(&place, &line, NOW + 9).await.expect("written");
            let erased = store.erase(&place, id(0), &line, NOW + 9).await;
            erased.expect("written");
        }
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let section = Section {
                first: id(0),
                last: id(5),
                order,
                rows: 100,
            };
            store.read(&place, section, NOW).await.expect("read");
        }
        store.find(&place, id(0), NOW).await.expect("read");
    }
}

async fn items(store: &impl Items) {
    for text in TEXTS.into_iter().chain(IDS) {
        store.read(text).await.expect("read");
        store.write(text, text).await.expect("written");
        store.remove(text).await.expect("written");
        store.count(text, -3).await.expect("written");
    }
    store.count("k", i64::MAX).await.expect("written");
    store.count("k", i64::MIN).await.expect("written");
}

fn presence() -> Presence {
    Presence {
        session: Session {
            name: Some(tom()),
            friend: Some(name("Jerry")),
            room: room(),
        },
        connection: ConnectionId::new(IDS[0]),
        connected_at: NOW,
    }
}

fn shard() -> ShardMessage {
    ShardMessage {
        room: room(),
        shard: Shard::numbered(3).expect("there are four"),
        text: TEXTS[1].to_owned(),
        except: ConnectionId::new(IDS[0]),
        step: 2,
        rest: Rest {
            is_unfinished: true,
            last: Some(ConnectionId::new(IDS[1])),
            postponed: vec![ConnectionId::new(IDS[3])],
        },
    }
}

fn tom() -> Name {
    name("Tom")
}

fn room() -> Room {
    Room::parse("the hall").expect("a valid name")
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a valid name")
}

/// A server that accepts everything.
pub(crate) async fn accepting() -> Stub {
    Stub::start(Reply::With {
        status: 200,
        error_type: None,
        body: "{}",
    })
    .await
}

/// One request as it came.
pub(crate) struct Sent {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Sent {
    pub(crate) fn new(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a whole request");
        let (line, headers) = head.split_once("\r\n").expect("headers");
        let headers = headers.lines().map(|line| {
            let (name, value) = line.split_once(": ").expect("a header");
            (name.to_owned(), value.to_owned())
        });
        Self {
            line: line.to_owned(),
            headers: headers.collect(),
            body: body.to_owned(),
        }
    }

    /// What AWS acts on. The host has another port each time; dates and signatures are other tests' (`signatures.rs`).
    pub(crate) fn essence(&self) -> String {
        let mut text = format!("{}\n", self.line);
        for (name, value) in &self.headers {
            let value = match name.as_str() {
                "authorization" => scope(value),
                "host" => value.split(':').next().unwrap_or_default(),
                "content-type"
                | "content-length"
                | "x-amz-invocation-type"
                | "x-amz-security-token"
                | "x-amz-target"
                | "x-amzn-trace-id" => value,
                _ => continue,
            };
            // A client may write the members of a JSON body in any order and way.
            if name != "content-length" || !self.is_json() {
                let _infallible = writeln!(text, "{name}: {value}");
            }
        }
        if self.is_json() {
            let body: Value = serde_json::from_str(&self.body).expect("JSON");
            text + &sorted(&body).to_string() + "\n"
        } else {
            text + &format!("{:?}\n", self.body)
        }
    }

    fn is_json(&self) -> bool {
        let content = self.headers.get("content-type");
        content.is_some_and(|content| content.starts_with("application/x-amz-json"))
    }
}

/// Region and service, for which a signature is valid, and no date.
fn scope(authorization: &str) -> &str {
    let scope = authorization.split(',').next().unwrap_or_default();
    scope.splitn(3, '/').nth(2).unwrap_or_default()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.iter().collect();
            let members = members.into_iter();
            Value::Object(members.map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        other => other.clone(),
    }
}

#[tokio::test]
async fn every_request_is_the_one_that_the_sdk_sends() {
    let stub = accepting().await;
    all(&stub.endpoint).await;
    let sent = stub.requests();
    let sent: Vec<_> = sent.iter().map(|text| Sent::new(text).essence()).collect();
    expect_file!["requests.txt"].assert_eq(&sent.join("\n"));
}

#[tokio::test]
async fn requests_for_secrets_are_of_their_services() {
    let stub = accepting().await;
    let endpoints = SecretEndpoints {
        ssm: Some(stub.endpoint.clone()),
        secretsmanager: Some(stub.endpoint.clone()),
    };
    let secrets = HttpSecrets::new(identity(), endpoints);
    for reference in ["ssm:/chat/key", "secretsmanager:chat/key:SecretString:a"] {
        let reference = reference.parse().expect("a reference");
        let text = secrets.text(&reference).await;
        text.expect_err("the response has no value");
    }
    let sent = stub.requests();
    let sent: Vec<_> = sent.iter().map(|text| Sent::new(text).essence()).collect();
    expect_file!["secrets.txt"].assert_eq(&sent.join("\n"));
}
