//! The contract of a [`ConnectionStore`], tested with the fake and with DynamoDB.

mod announcement_store;
mod history;
mod rooms;

use aws_sdk_dynamodb::types::AttributeValue;
use chat_lambdas::log::reasons;
use chat_lambdas::memory::MemoryStore;
use chat_lambdas::session::{ConnectionId, Name, Room, Session};
use chat_lambdas::store::{ConnectionStore, LIFETIME_SECONDS, Presence, Read};

use self::announcement_store::*;
use self::history::*;
use self::rooms::*;
use crate::table::{LocalTable, TABLE};

const NOW: u64 = 1_767_225_600;

/// One test per clause and implementation.
macro_rules! contract {
    ($($clause:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $clause() {
                super::$clause(&super::MemoryStore::default()).await;
            })*
        }

        mod dynamodb {
            $(#[tokio::test]
            async fn $clause() {
                super::$clause(&super::LocalTable::start().await.store).await;
            })*
        }
    };
}

contract!(
    a_connection_is_found_by_its_user,
    devices_of_one_user_are_separate,
    users_are_separate,
    forgetting_removes_only_one_connection,
    forgetting_a_missing_connection_is_no_error,
    remembering_is_idempotent,
    expired_connections_are_invisible,
    a_session_is_found_by_its_connection_until_it_expires,
    sessions_and_connections_do_not_collide,
    many_devices_are_all_found,
    members_of_a_room_are_found_in_their_shards,
    rooms_are_kept_apart,
    leaving_takes_one_connection_from_one_room,
    expired_members_are_invisible,
    a_large_shard_comes_page_by_page,
    rooms_and_people_of_the_same_name_do_not_meet,
    a_session_keeps_what_was_said_and_nothing_else,
    members_have_the_names_that_they_gave,
    messages_of_a_second_are_counted_up_to_the_limit_and_never_beyond,
    a_turn_is_opened_once_until_it_is_closed_ended_or_over,
    of_many_who_open_a_turn_at_once_one_has,
    one_announcer_has_a_room_at_a_time,
    the_names_that_were_announced_are_kept_until_they_expire,
    taking_a_member_out_says_whether_it_had_a_name,
    entries_come_in_the_order_of_their_ids_in_both_directions,
    conversations_are_kept_apart_for_every_legal_name,
    expired_entries_are_invisible_and_a_page_goes_on_behind_them,
    an_erased_message_leaves_its_notice_and_is_erased_once,
);

async fn messages_of_a_second_are_counted_up_to_the_limit_and_never_beyond(
    store: &impl ConnectionStore,
) {
    let (tom, ann) = (id("t="), id("a="));
    let at_once = (0..12).map(|_| store.count_message(&tom, NOW, 5));
    let counted = futures_util::future::try_join_all(at_once).await;
    let counted = counted.expect("writable").into_iter();
    assert_eq!(counted.filter(|is_within| *is_within).count(), 5);
    for (connection, second, is_within) in
        [(&tom, NOW, false), (&tom, NOW + 1, true), (&ann, NOW, true)]
    {
        let counted = store.count_message(connection, second, 5).await;
        assert_eq!(
            counted.expect("writable"),
            is_within,
            "{connection} {second}"
        );
    }
}

async fn a_connection_is_found_by_its_user(store: &impl ConnectionStore) {
    assert_eq!(devices(store, "Tom").await, [""; 0]);
    remember(store, "Tom", "a=", NOW - 7).await;
    for read in [Read::Eventual, Read::Consistent] {
        let found = store
            .connections_of(&name("Tom"), NOW, read)
            .await
            .expect("readable");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].connection, id("a="));
        assert_eq!(found[0].connected_at, NOW - 7);
    }
}

async fn devices_of_one_user_are_separate(store: &impl ConnectionStore) {
    remember(store, "Tom", "a", NOW).await;
    remember(store, "Tom", "b", NOW).await;
    assert_eq!(devices(store, "Tom").await, ["a", "b"]);
}

async fn users_are_separate(store: &impl ConnectionStore) {
    for person in ["Tom", "tom", "Tom ", "Tom Tom", "To"].map(str::trim_end) {
        remember(store, person, &format!("of {person}"), NOW).await;
    }
    assert_eq!(devices(store, "Tom").await, ["of Tom"]);
    assert_eq!(devices(store, "Tom Tom").await, ["of Tom Tom"]);
    assert_eq!(devices(store, "T").await, [""; 0]);
}

async fn forgetting_removes_only_one_connection(store: &impl ConnectionStore) {
    remember(store, "Tom", "old", NOW).await;
    remember(store, "Tom", "new", NOW).await;
    remember(store, "Ann", "old", NOW).await;
    store
        .forget(&name("Tom"), &id("old"))
        .await
        .expect("writable");
    assert_eq!(devices(store, "Tom").await, ["new"]);
    assert_eq!(devices(store, "Ann").await, ["old"]);
}

async fn forgetting_a_missing_connection_is_no_error(store: &impl ConnectionStore) {
    store
        .forget(&name("Tom"), &id("a"))
        .await
        .expect("writable");
    store.forget_session(&id("a")).await.expect("writable");
}

async fn remembering_is_idempotent(store: &impl ConnectionStore) {
    remember(store, "Tom", "a", NOW - 9).await;
    remember(store, "Tom", "a", NOW).await;
    assert_eq!(devices(store, "Tom").await, ["a"]);
}

async fn expired_connections_are_invisible(store: &impl ConnectionStore) {
    remember(store, "Tom", "over", NOW - LIFETIME_SECONDS).await;
    remember(store, "Tom", "last second", NOW - LIFETIME_SECONDS + 1).await;
    assert_eq!(devices(store, "Tom").await, ["last second"]);
}

async fn a_session_is_found_by_its_connection_until_it_expires(store: &impl ConnectionStore) {
    let presence = presence("Tom", "a", NOW);
    store.remember_session(&presence).await.expect("writable");
    let found = async |now| store.session_of(&id("a"), now).await.expect("readable");
    assert_eq!(found(NOW).await, Some(presence.session.clone()));
    assert_eq!(
        found(NOW + LIFETIME_SECONDS - 1).await,
        Some(presence.session)
    );
    assert_eq!(found(NOW + LIFETIME_SECONDS).await, None);
    store.forget_session(&id("a")).await.expect("writable");
    assert_eq!(found(NOW).await, None);
}

async fn sessions_and_connections_do_not_collide(store: &impl ConnectionStore) {
    let presence = presence("Tom", "a", NOW);
    store.remember_session(&presence).await.expect("writable");
    assert_eq!(devices(store, "Tom").await, [""; 0]);
    store.remember(&presence).await.expect("writable");
    store
        .forget(&name("Tom"), &id("a"))
        .await
        .expect("writable");
    let session = store.session_of(&id("a"), NOW).await.expect("readable");
    assert_eq!(session, Some(presence.session));
    assert_eq!(
        store.session_of(&id("b"), NOW).await.expect("readable"),
        None
    );
}

async fn many_devices_are_all_found(store: &impl ConnectionStore) {
    for number in 0..40 {
        remember(store, "Tom", &format!("{number:02}"), NOW).await;
    }
    let expected: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();
    assert_eq!(devices(store, "Tom").await, expected);
}

#[tokio::test]
async fn connections_on_more_than_one_page_are_all_found() {
    // A page ends at 1 MB, so a few rows are made as large as possible.
    let table = LocalTable::start().await;
    for number in 0..5 {
        let connection = format!("{number}");
        remember(&table.store, "Tom", &connection, NOW).await;
        let ballast = AttributeValue::S("x".repeat(390_000));
        let update = table.client.update_item().table_name(TABLE);
        update
            .key("pk", AttributeValue::S("U#Tom".to_owned()))
            .key("sk", AttributeValue::S(format!("C#{connection}")))
            .update_expression("SET ballast = :ballast")
            .expression_attribute_values(":ballast", ballast)
            .send()
            .await
            .unwrap();
    }
    let query = table.client.query().table_name(TABLE);
    let first_page = query
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", AttributeValue::S("U#Tom".to_owned()))
        .send()
        .await
        .unwrap();
    assert!(
        first_page.last_evaluated_key.is_some(),
        "there is a second page"
    );
    assert_eq!(
        devices(&table.store, "Tom").await,
        ["0", "1", "2", "3", "4"]
    );
}

#[tokio::test]
async fn rows_have_the_attributes_of_the_table() {
    let table = LocalTable::start().await;
    let presence = presence("Tom", "a=", NOW);
    table.store.remember(&presence).await.unwrap();
    table.store.remember_session(&presence).await.unwrap();
    let mut person = member("hall", "b=", NOW);
    table.store.join(&person).await.unwrap();
    table.store.remember_session(&person).await.unwrap();
    person.session.name = Some(name("Ann"));
    person.connection = id("c=");
    table.store.join(&person).await.unwrap();
    let all = table.client.scan().table_name(TABLE).send().await.unwrap();
    let mut rows: Vec<String> = all.items().iter().map(shown).collect();
    rows.sort();
    assert_eq!(
        rows,
        [
            "connected_at=1767225600 expires_at=1767233700 friend=Jerry pk=U#Tom sk=C#a=",
            "connected_at=1767225600 expires_at=1767233700 name=Ann pk=R#hall#3 sk=C#c=",
            "connected_at=1767225600 expires_at=1767233700 pk=R#hall#3 sk=C#b=",
            "expires_at=1767233700 friend=Jerry name=Tom pk=C#a= sk=#",
            "expires_at=1767233700 pk=C#b= room=hall sk=#",
        ]
    );
}

#[tokio::test]
async fn a_failure_names_the_attempt_the_table_and_the_cause() {
    let table = LocalTable::start().await;
    let delete = table.client.delete_table().table_name(TABLE);
    delete.send().await.unwrap();
    let error = table
        .store
        .remember(&presence("Tom", "a", NOW))
        .await
        .unwrap_err();
    let text = reasons(&error);
    assert!(
        text.starts_with("could not record a connection in table `connections`: "),
        "{text}"
    );
    assert!(text.contains("ResourceNotFoundException"), "{text}");
}

fn shown(item: &std::collections::HashMap<String, AttributeValue>) -> String {
    let mut attributes: Vec<String> = item
        .iter()
        .map(|(name, value)| {
            let value = value.as_s().or_else(|_| value.as_n());
            format!("{name}={}", value.expect("a string or a number"))
        })
        .collect();
    attributes.sort();
    attributes.join(" ")
}

async fn remember(store: &impl ConnectionStore, person: &str, connection: &str, at: u64) {
    let presence = presence(person, connection, at);
    store.remember(&presence).await.expect("writable");
}

async fn devices(store: &impl ConnectionStore, person: &str) -> Vec<String> {
    let found = store
        .connections_of(&name(person), NOW, Read::Consistent)
        .await;
    let mut devices: Vec<String> = found
        .expect("readable")
        .iter()
        .map(|device| device.connection.to_string())
        .collect();
    devices.sort();
    devices
}

fn presence(person: &str, connection: &str, connected_at: u64) -> Presence {
    Presence {
        session: Session {
            name: Some(name(person)),
            friend: Some(name("Jerry")),
            room: Room::default(),
        },
        connection: id(connection),
        connected_at,
    }
}

fn name(person: &str) -> Name {
    Name::parse(person).expect("a valid name")
}

fn id(connection: &str) -> ConnectionId {
    ConnectionId::new(connection)
}
