//! The contract for messages that are kept.

use chat_lambdas::history::{
    Conversation, Found, History, Line, Lines, Order, Section, Ulid, Wanted, page,
};
use chat_lambdas::session::Room;

use super::{NOW, name};

const LATER: u64 = NOW + 3_600;

fn room(name: &str) -> Conversation {
    Conversation::Room(Room::parse(name).expect("a valid name"))
}

fn two(one: &str, other: &str) -> Conversation {
    Conversation::Two(name(one), name(other))
}

/// The id of the message of this second.
fn id(second: u64) -> Ulid {
    Ulid::from_parts((NOW + second) * 1_000, 7)
}

fn line(second: u64, frame: &str) -> Line {
    Line {
        id: id(second),
        frame: frame.to_owned(),
    }
}

async fn keep(store: &impl History, of: &Conversation, second: u64, frame: &str) {
    let kept = store.keep(of, &line(second, frame), LATER).await;
    kept.expect("writable");
}

const fn section(first: Ulid, last: Ulid, order: Order, rows: u16) -> Section {
    Section {
        first,
        last,
        order,
        rows,
    }
}

async fn read(store: &impl History, of: &Conversation, section: Section) -> Lines {
    store.read(of, section, NOW).await.expect("readable")
}

fn frames(lines: &Lines) -> Vec<&str> {
    lines.lines.iter().map(|it| it.frame.as_str()).collect()
}

async fn all(store: &impl History, of: &Conversation) -> Vec<String> {
    let lines = page(store, of, (Wanted::Newest, 100), 86_400, NOW).await;
    lines.expect("readable").frames
}

pub(super) async fn entries_come_in_the_order_of_their_ids_in_both_directions(
    store: &impl History,
) {
    let hall = room("hall");
    for second in [3, 1, 4, 2] {
        keep(store, &hall, second, &second.to_string()).await;
    }
    use Order::{NewestFirst, OldestFirst};
    for (first, last, order, rows, expected, at) in [
        (1, 4, OldestFirst, 9, vec!["1", "2", "3", "4"], None),
        (1, 4, NewestFirst, 9, vec!["4", "3", "2", "1"], None),
        (2, 3, OldestFirst, 9, vec!["2", "3"], None),
        (1, 4, OldestFirst, 2, vec!["1", "2"], Some(2)),
        (1, 4, NewestFirst, 3, vec!["4", "3", "2"], Some(2)),
        (5, 9, OldestFirst, 9, vec![], None),
    ] {
        let read = read(store, &hall, section(id(first), id(last), order, rows)).await;
        assert_eq!(frames(&read), expected);
        assert_eq!(read.at, at.map(id));
    }
}

pub(super) async fn conversations_are_kept_apart_for_every_legal_name(store: &impl History) {
    // `U` and `R` are names, too, and any name may be a room's.
    let all_of = [
        room("Ann"),
        room("U"),
        room("R"),
        two("Ann", "Bob"),
        two("Ann", "Ann"),
        two("An", "nBob"),
        two("R", "Ann"),
        two("Ann Bob", "Cy"),
        two("Ann", "Bob Cy"),
    ];
    for (number, of) in all_of.iter().enumerate() {
        keep(store, of, 1, &number.to_string()).await;
    }
    for (number, of) in all_of.iter().enumerate() {
        assert_eq!(all(store, of).await, [number.to_string()], "{of:?}");
    }
    assert_eq!(all(store, &two("Bob", "Ann")).await, ["3"]);
}

pub(super) async fn expired_entries_are_invisible_and_a_page_goes_on_behind_them(
    store: &impl History,
) {
    let hall = room("hall");
    for second in 0..250 {
        // Every tenth one is of a route that keeps messages longer.
        let expires_at = if second % 10 == 0 { NOW + 1 } else { NOW };
        let line = line(second, &second.to_string());
        let kept = store.keep(&hall, &line, expires_at);
        kept.await.expect("writable");
    }
    let found = all(store, &hall).await;
    let expected: Vec<_> = (0..25).map(|number| (number * 10).to_string()).collect();
    assert_eq!(found, expected);
    let newest = page(store, &hall, (Wanted::Newest, 3), 86_400, NOW).await;
    let newest = newest.expect("readable");
    assert_eq!(
        (newest.frames, newest.has_more),
        (expected[22..].to_vec(), true)
    );
    assert_eq!(store.find(&hall, id(1), NOW).await.expect("readable"), None);
    assert_eq!(
        store.find(&hall, id(10), NOW + 1).await.expect("readable"),
        None
    );
}

pub(super) async fn an_erased_message_leaves_its_notice_and_is_erased_once(store: &impl History) {
    let hall = room("hall");
    keep(store, &hall, 1, "secret").await;
    keep(store, &hall, 2, "other").await;
    let kept = Found::Kept {
        frame: "secret".to_owned(),
        expires_at: LATER,
    };
    assert_eq!(
        store.find(&hall, id(1), NOW).await.expect("readable"),
        Some(kept)
    );
    let notice = line(3, "notice");
    for is_first in [true, false] {
        let erased = store.erase(&hall, id(1), &notice, LATER).await;
        assert_eq!(erased.expect("writable"), is_first);
    }
    let erased = store.erase(&hall, id(9), &notice, LATER).await;
    assert!(!erased.expect("writable"), "there is no such message");
    let found = store.find(&hall, id(1), NOW).await.expect("readable");
    let expires_at = LATER;
    assert_eq!(
        found,
        Some(Found::Erased {
            notice: notice.clone(),
            expires_at
        })
    );
    assert_eq!(store.find(&hall, id(9), NOW).await.expect("readable"), None);
    assert_eq!(all(store, &hall).await, ["other"]);
    store.keep(&hall, &notice, LATER).await.expect("writable");
    store.keep(&hall, &notice, LATER).await.expect("writable");
    assert_eq!(all(store, &hall).await, ["other", "notice"]);
}
