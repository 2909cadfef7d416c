//! What clients ask for beside their messages, and what is said in rooms without being asked.

use chat_protocol::cost::{self, NAME_BYTES};
use chat_protocol::history::DEFAULT_ENTRIES;
use chat_protocol::limit::MAX_FRAME_BYTES;
use chat_protocol::{Answers, Handler};

use super::habits::{self, Habits};
use super::load::{Chat, ENVELOPE_BYTES, Load, SECONDS, whole};
use super::meter::Cause;
use super::usage::Usage;
use crate::config::route::Route;

/// A request is a short frame.
const REQUEST_BYTES: f64 = 100.0;

/// Of so many messages that are kept, one is deleted.
const MESSAGES_TO_A_DELETION: f64 = 100.0;

/// How long an announcer waits, and how long it waits before it looks again for names that are missing.
const WINDOW: f64 = 3.0;

/// How long an announcer runs besides, at least.
const ANNOUNCING: f64 = 0.1;

/// Adds what the routes with `answers` are asked for, where messages take `route`.
pub(super) fn add(load: &mut Load, chat: &Chat<'_>, route: &Route) {
    let has = |which: &Answers| chat.settings.answers().any(|answers| answers == *which);
    let mut charges: Vec<_> = Answers::ALL.into_iter().filter(has).map(charge).collect();
    charges.sort_by_key(|(place, _)| *place);
    for (_, charge) in charges {
        charge(load, chat, route);
    }
}

/// Adds what one kind of request costs.
type Charge = fn(&mut Load, &Chat<'_>, &Route);

/// What a kind of request costs, with its place among the assumptions.
fn charge(answers: Answers) -> (u8, Charge) {
    match answers {
        Answers::History => (0, pages),
        Answers::Who => (1, presence),
        Answers::Delete => (2, deletions),
        Answers::Kick => (3, |load, _, _| load.leave_out("`kick`, which is rare")),
    }
}

fn presence(load: &mut Load, chat: &Chat<'_>, _: &Route) {
    lists(load, chat);
    if chat.settings.announces {
        announcements(load, chat);
    }
}

fn keeps(route: &Route) -> bool {
    let rule = route.purpose.rule();
    rule.is_some_and(|rule| rule.history.is_some())
}

/// Each visit begins with a whole page, and a connection that replaces another asks for what was missed.
fn pages(load: &mut Load, chat: &Chat<'_>, route: &Route) {
    let Habits {
        visits,
        connections,
        text,
        ..
    } = *chat.habits;
    let cause = Cause::Pages;
    load.receive(cause, connections, REQUEST_BYTES);
    load.call(cause, chat, Handler::History.family(), connections, SECONDS);
    let entries = entries(chat, route);
    load.unit(cause, visits, cost::page(entries, whole(text)));
    load.unit(cause, connections - visits, cost::empty_page());
    #[expect(clippy::cast_precision_loss, reason = "both are small numbers")]
    let (entries, most) = (entries as f64, MAX_FRAME_BYTES as f64);
    let page = (entries * (text + ENVELOPE_BYTES)).clamp(REQUEST_BYTES, most);
    load.post(cause, visits, page);
    load.post(cause, connections - visits, REQUEST_BYTES);
    let each = "a page of history with each connection: the newest messages when a person comes, else what was missed";
    load.assumptions.push(each.to_owned());
}

/// The messages of a page: all that are kept in a conversation, as far as a page has room for them.
fn entries(chat: &Chat<'_>, route: &Route) -> usize {
    let seconds = route.purpose.rule().and_then(|rule| rule.history);
    let days = f64::from(seconds.unwrap_or_default()) / 86_400.0;
    let a_day = chat.habits.messages / chat.habits.people / Usage::DAYS;
    let writers = match habits::is_to_room(route) {
        true => f64::from(chat.members),
        false => 2.0,
    };
    whole((a_day * writers * days).min(1e6)).min(DEFAULT_ENTRIES)
}

/// A client asks who is there when its connection is open.
fn lists(load: &mut Load, chat: &Chat<'_>) {
    let (cause, asked) = (Cause::Lists, chat.habits.connections);
    load.receive(cause, asked, REQUEST_BYTES);
    load.call(cause, chat, Handler::Who.family(), asked, SECONDS);
    load.unit(cause, asked, cost::room(chat.members()));
    #[expect(clippy::cast_precision_loss, reason = "both are small numbers")]
    let (a_person, most) = ((NAME_BYTES + 60) as f64, MAX_FRAME_BYTES as f64);
    let answer = (REQUEST_BYTES + f64::from(chat.members) * a_person).min(most);
    load.post(cause, asked, answer);
    load.assumptions
        .push("a request for who is there with each connection".to_owned());
}

/// Everybody in a room gets a frame when a person comes or leaves. A connection that replaces another leaves no trace, but the
/// announcer has to look.
fn announcements(load: &mut Load, chat: &Chat<'_>) {
    let Habits {
        visits,
        connections,
        ..
    } = *chat.habits;
    let cause = Cause::Announcements;
    let members = f64::from(chat.members);
    load.unit(cause, 2.0 * connections, cost::change());
    // One announcer serves all changes of a room that come while it waits.
    let runs = |changes: f64| {
        let rate = chat.habits.in_a_second(changes) * members;
        changes / (1.0 + WINDOW * rate)
    };
    let runs_at_all = runs(2.0 * connections);
    load.unit(cause, runs_at_all, cost::first_change());
    let different = runs(2.0 * visits).min(runs_at_all);
    let (people, posting) = (chat.members(), chat.posting().max(ANNOUNCING));
    let family = Handler::Announce.family();
    // As often as names are missing, the announcer waits and looks once more.
    for (number, looks, is_different, seconds) in [
        (different / 2.0, 1, true, WINDOW + posting),
        (different / 2.0, 2, true, 2.0 * WINDOW + posting),
        (runs_at_all - different, 1, false, WINDOW + ANNOUNCING),
    ] {
        load.call(cause, chat, family, number, seconds);
        load.unit(
            cause,
            number,
            cost::announcement(people, looks, is_different),
        );
    }
    load.write(cause, chat, runs_at_all);
    load.post(cause, different * members, ENVELOPE_BYTES);
    load.assumptions.push(
        "people who come to a room and leave it as often, announced at most every 3 seconds"
            .to_owned(),
    );
}

fn deletions(load: &mut Load, chat: &Chat<'_>, route: &Route) {
    if !keeps(route) {
        return;
    }
    let cause = Cause::Deletions;
    let number = chat.habits.messages / MESSAGES_TO_A_DELETION;
    load.receive(cause, number, REQUEST_BYTES);
    load.unit(cause, number, cost::deletion(whole(chat.habits.text)));
    let (posts, seconds, look) = match load.room_size {
        Some(members) => (
            f64::from(members),
            chat.posting(),
            cost::room(chat.members()),
        ),
        None => (2.0, SECONDS, cost::look_for_two()),
    };
    load.unit(cause, number, look);
    load.call(cause, chat, Handler::Delete.family(), number, seconds);
    load.write(cause, chat, number);
    load.post(cause, number * posts, ENVELOPE_BYTES);
    load.assumptions.push(format!(
        "one deletion for {MESSAGES_TO_A_DELETION} messages"
    ));
}
