//! The contract for rooms.

use chat_lambdas::session::{Name, Room, Session};
use chat_lambdas::shard::Shard;
use chat_lambdas::store::{ConnectionStore, LIFETIME_SECONDS, PAGE_ROWS, Presence};

use super::{NOW, devices, id, name, remember};

pub(super) async fn members_of_a_room_are_found_in_their_shards(store: &impl ConnectionStore) {
    assert_eq!(members(store, "hall").await, [""; 0]);
    for number in 0..20 {
        join(store, "hall", &format!("{number:02}="), NOW - 7).await;
    }
    for shard in Shard::all() {
        let page = store
            .members(&room("hall"), shard, NOW, None)
            .await
            .expect("readable");
        assert_eq!(page.next, None);
        for member in page.members {
            assert_eq!(Shard::for_connection(&member.connection), shard);
            assert_eq!(member.connected_at, NOW - 7);
        }
    }
    let expected: Vec<String> = (0..20).map(|number| format!("{number:02}=")).collect();
    assert_eq!(members(store, "hall").await, expected);
}

pub(super) async fn rooms_are_kept_apart(store: &impl ConnectionStore) {
    for name in ["hall", "Hall", "hall 1", "hal"] {
        join(store, name, &format!("in {name}"), NOW).await;
    }
    assert_eq!(members(store, "hall").await, ["in hall"]);
    assert_eq!(members(store, "hall 1").await, ["in hall 1"]);
    assert_eq!(members(store, "ha").await, [""; 0]);
}

pub(super) async fn leaving_takes_one_connection_from_one_room(store: &impl ConnectionStore) {
    for (name, connection) in [("hall", "a"), ("hall", "b"), ("attic", "a")] {
        join(store, name, connection, NOW).await;
        // A repeated call changes nothing.
        join(store, name, connection, NOW).await;
    }
    for _ in 0..2 {
        store
            .leave(&room("hall"), &id("a"))
            .await
            .expect("writable");
    }
    assert_eq!(members(store, "hall").await, ["b"]);
    assert_eq!(members(store, "attic").await, ["a"]);
}

pub(super) async fn expired_members_are_invisible(store: &impl ConnectionStore) {
    join(store, "hall", "over", NOW - LIFETIME_SECONDS).await;
    join(store, "hall", "last second", NOW - LIFETIME_SECONDS + 1).await;
    assert_eq!(members(store, "hall").await, ["last second"]);
}

pub(super) async fn a_large_shard_comes_page_by_page(store: &impl ConnectionStore) {
    let [shard, ..] = Shard::all();
    let ids = (0..).map(|number| format!("{number:05}="));
    let ids: Vec<_> = ids
        .filter(|it| Shard::for_connection(&id(it)) == shard)
        .take(usize::from(PAGE_ROWS) + 3)
        .collect();
    for (number, connection) in ids.iter().enumerate() {
        // Expired ones count as rows of a page, but are invisible.
        let age = if number < 5 { LIFETIME_SECONDS } else { 0 };
        join(store, "hall", connection, NOW - age).await;
    }
    let page = async |start| {
        let page = store.members(&room("hall"), shard, NOW, start).await;
        page.expect("readable")
    };
    let first = page(None).await;
    assert_eq!(first.members.len(), usize::from(PAGE_ROWS) - 5);
    assert!(first.next.is_some());
    let second = page(first.next).await;
    assert_eq!((second.members.len(), second.next), (3, None));
    assert_eq!(members(store, "hall").await, ids[5..]);
}

pub(super) async fn rooms_and_people_of_the_same_name_do_not_meet(store: &impl ConnectionStore) {
    remember(store, "Tom", "a", NOW).await;
    join(store, "Tom", "b", NOW).await;
    assert_eq!(devices(store, "Tom").await, ["a"]);
    assert_eq!(members(store, "Tom").await, ["b"]);
    store
        .forget(&name("Tom"), &id("b"))
        .await
        .expect("writable");
    store.leave(&room("Tom"), &id("a")).await.expect("writable");
    assert_eq!(devices(store, "Tom").await, ["a"]);
    assert_eq!(members(store, "Tom").await, ["b"]);
}

pub(super) async fn a_session_keeps_what_was_said_and_nothing_else(store: &impl ConnectionStore) {
    let sessions = [
        Session::default(),
        member("hall", "c", NOW).session,
        Session {
            name: Some(name("Tom")),
            ..Session::default()
        },
    ];
    for session in sessions {
        let presence = Presence {
            session,
            ..member("hall", "c", NOW)
        };
        store.remember_session(&presence).await.expect("writable");
        let found = store.session_of(&id("c"), NOW).await.expect("readable");
        assert_eq!(found, Some(presence.session));
    }
    // A client without a name is not found by any name.
    store
        .remember(&member("hall", "c", NOW))
        .await
        .expect("writable");
    assert_eq!(devices(store, "hall").await, [""; 0]);
}

async fn join(store: &impl ConnectionStore, room: &str, connection: &str, at: u64) {
    let member = member(room, connection, at);
    store.join(&member).await.expect("writable");
}

/// All members of `name`, from all pages of all shards.
async fn members(store: &impl ConnectionStore, name: &str) -> Vec<String> {
    let mut members = Vec::new();
    for shard in Shard::all() {
        let mut start = None;
        loop {
            let page = store.members(&room(name), shard, NOW, start).await;
            let page = page.expect("readable");
            let ids = page
                .members
                .iter()
                .map(|member| member.connection.to_string());
            members.extend(ids);
            start = page.next;
            if start.is_none() {
                break;
            }
        }
    }
    members.sort();
    members
}

pub(super) fn member(name: &str, connection: &str, connected_at: u64) -> Presence {
    Presence {
        session: Session {
            room: room(name),
            ..Session::default()
        },
        connection: id(connection),
        connected_at,
    }
}

fn room(name: &str) -> Room {
    Room::parse(name).expect("a valid name")
}

pub(super) async fn members_have_the_names_that_they_gave(store: &impl ConnectionStore) {
    let mut ann = member("hall", "a", NOW);
    ann.session.name = Some(name("Ann"));
    let nameless = member("hall", "n", NOW);
    for presence in [&ann, &nameless] {
        store.join(presence).await.expect("writable");
    }
    let mut found = Vec::new();
    for shard in Shard::all() {
        let page = store
            .people(&room("hall"), shard, NOW, None)
            .await
            .expect("readable");
        assert_eq!(page.next, None);
        found.extend(page.members);
    }
    found.sort_by(|a, b| a.device.cmp(&b.device));
    let names: Vec<_> = found
        .iter()
        .map(|it| it.name.as_ref().map(Name::as_str))
        .collect();
    assert_eq!(names, [Some("Ann"), None]);
}
