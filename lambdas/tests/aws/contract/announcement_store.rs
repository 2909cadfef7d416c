//! The clauses about announcements.

use chat_lambdas::presence::{
    ANNOUNCED_LIFETIME_SECONDS, Announced, AnnouncementStore, Names, TURN_SECONDS,
};
use chat_lambdas::session::{Name, Room, Session};
use chat_lambdas::store::{ConnectionStore, Presence};

use super::{NOW, id};

fn kitchen() -> Room {
    Room::parse("kitchen").expect("a name")
}

fn names(names: &[&str]) -> Names {
    let names = names.iter().map(|name| Name::parse(name).expect("a name"));
    names.collect()
}

pub(super) async fn a_turn_is_opened_once_until_it_is_closed_ended_or_over(
    store: &impl AnnouncementStore,
) {
    let opens = async |now| store.open_turn(&kitchen(), now).await.expect("writable");
    assert!(opens(NOW).await);
    assert!(!opens(NOW + TURN_SECONDS - 1).await);
    assert!(opens(NOW + TURN_SECONDS).await);
    store.close_turn(&kitchen()).await.expect("writable");
    assert!(opens(NOW + TURN_SECONDS).await);
    let garden = Room::parse("garden").expect("a name");
    assert!(store.open_turn(&garden, NOW).await.expect("writable"));
    let taken = store.take_turn(&kitchen(), "h", NOW, NOW + 90).await;
    assert!(taken.expect("writable"));
    assert!(opens(NOW + TURN_SECONDS).await);
}

pub(super) async fn of_many_who_open_a_turn_at_once_one_has(store: &impl AnnouncementStore) {
    let room = kitchen();
    let all = (0..12).map(|_| store.open_turn(&room, NOW));
    let opened = futures_util::future::try_join_all(all).await;
    let opened = opened.expect("writable");
    assert_eq!(opened.iter().filter(|has| **has).count(), 1);
}

pub(super) async fn one_announcer_has_a_room_at_a_time(store: &impl AnnouncementStore) {
    let takes = async |holder, now| {
        let taken = store.take_turn(&kitchen(), holder, now, now + 30).await;
        taken.expect("writable")
    };
    assert!(takes("a", NOW).await);
    assert!(takes("a", NOW).await, "as after a lost response");
    assert!(!takes("b", NOW + 29).await);
    store.let_go(&kitchen(), "b").await.expect("no error");
    assert!(!takes("b", NOW + 29).await, "only its holder lets go");
    store.let_go(&kitchen(), "a").await.expect("writable");
    assert!(takes("b", NOW + 29).await);
    assert!(takes("c", NOW + 59).await, "a dead one's time is over");
    store.let_go(&kitchen(), "b").await.expect("no error");
    assert!(!takes("d", NOW + 60).await);
}

pub(super) async fn the_names_that_were_announced_are_kept_until_they_expire(
    store: &impl AnnouncementStore,
) {
    let announced = async |now| store.announced(&kitchen(), now).await.expect("readable");
    assert_eq!(announced(NOW).await, Announced::default());
    for some in [
        names(&["Ann", "Bob Lee"]),
        names(&["Bob Lee"]),
        Names::new(),
    ] {
        let saved = store.save_announced(&kitchen(), &some, NOW).await;
        saved.expect("writable");
        let expires_at = NOW + ANNOUNCED_LIFETIME_SECONDS;
        let expected = Announced {
            names: some,
            expires_at,
        };
        assert_eq!(announced(expires_at - 1).await, expected);
        assert_eq!(announced(expires_at).await, Announced::default());
    }
    // The turn of the room is another item.
    assert!(store.open_turn(&kitchen(), NOW).await.expect("writable"));
}

pub(super) async fn taking_a_member_out_says_whether_it_had_a_name(
    store: &(impl ConnectionStore + AnnouncementStore),
) {
    for (name, connection, expected) in [(Some("Ann"), "a=", true), (None, "b=", false)] {
        let presence = Presence {
            session: Session {
                name: name.map(|name| Name::parse(name).expect("a name")),
                friend: None,
                room: kitchen(),
            },
            connection: id(connection),
            connected_at: NOW,
        };
        store.join(&presence).await.expect("writable");
        for expected in [expected, false] {
            let taken = store.take_out(&kitchen(), &id(connection)).await;
            assert_eq!(taken.expect("writable"), expected, "{name:?}");
        }
    }
}
