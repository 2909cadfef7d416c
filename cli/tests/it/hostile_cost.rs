//! The figures of docs/concepts/hostile-clients.md, computed anew from the prices that the page names.

use std::path::Path;

/// What the page calculates with, in US dollars: what `chatctl cost` calculates with.
mod price {
    use chatctl_deploy::stack::cost::prices::US_EAST_1;

    /// A million messages of up to 32 KB, received or sent.
    pub(super) const MESSAGES: f64 = US_EAST_1.messages.dollars;
    /// A million minutes of one open connection.
    pub(super) const MINUTES: f64 = US_EAST_1.minutes.dollars;
    /// A million calls of functions.
    pub(super) const CALLS: f64 = US_EAST_1.calls.dollars;
    /// A million seconds of a function with 1 GB.
    pub(super) const GB_SECONDS: f64 = US_EAST_1.gb_seconds.dollars;
    /// A million write units and read units of a table on demand.
    pub(super) const WRITES: f64 = US_EAST_1.writes.dollars;
    pub(super) const READS: f64 = US_EAST_1.reads.dollars;
    /// A GB of logs, and of traffic to the internet.
    pub(super) const LOGS: f64 = US_EAST_1.logs.dollars;
    pub(super) const EGRESS: f64 = US_EAST_1.traffic.dollars;
}

const MILLION: f64 = 1e6;
const GB: f64 = 1_073_741_824.0;
const SECONDS: f64 = 3_600.0;

/// API Gateway's requests a second of one account, which posts count for.
const ACCOUNT: f64 = 10_000.0;

/// What one function with `megabytes` costs that runs for `seconds`.
fn function(megabytes: f64, seconds: f64) -> f64 {
    (price::CALLS + megabytes / 1_024.0 * seconds * price::GB_SECONDS) / MILLION
}

/// A function of 128 MB that runs for 10 ms.
fn small() -> f64 {
    function(128.0, 0.010)
}

/// A line of a log, some 250 bytes.
fn line() -> f64 {
    250.0 / GB * price::LOGS
}

fn table(writes: f64, reads: f64) -> f64 {
    (writes * price::WRITES + reads * price::READS) / MILLION
}

fn messages(number: f64) -> f64 {
    number * price::MESSAGES / MILLION
}

/// A connection that is opened, recorded and closed within a minute: three functions, a line each.
fn handshake() -> f64 {
    3.0 * (small() + line()) + table(2.0, 0.0) + price::MINUTES / MILLION
}

/// A handshake that `connections-per-name` refuses: authorizer and `connect`, which writes, counts and takes back.
fn refused_handshake() -> f64 {
    2.0 * (small() + line()) + table(2.0, 1.0)
}

/// A short message to one friend's one device.
fn message() -> f64 {
    messages(2.0) + small() + table(0.0, 0.5)
}

/// A message that `messages-per-second` refuses: it, a count, and the error frame.
fn refused_message() -> f64 {
    messages(2.0) + small() + table(1.0, 0.0)
}

/// A message of `bytes` to a room of `members`, which the function serves in a millisecond each.
fn to_room(members: f64, bytes: f64) -> f64 {
    let reads = (members / 60.0).max(4.0);
    messages(1.0 + members)
        + function(512.0, members / 1_000.0)
        + table(0.0, reads)
        + members * bytes / GB * price::EGRESS
}

/// What a client can do to a stack with these settings.
struct Setting {
    /// Requests a second of each route.
    rate: f64,
    /// Members of a room.
    room: f64,
    /// Messages a second of all of a user's connections, and how many connections these are; `None` without a limit.
    user: Option<(f64, f64)>,
}

impl Setting {
    fn handshakes(&self) -> f64 {
        let each = match self.user {
            None => handshake(),
            Some(_) => refused_handshake(),
        };
        self.rate * SECONDS * each
    }

    /// What is open after two hours of handshakes.
    fn idle(&self) -> f64 {
        let open = match self.user {
            None => self.rate * 2.0 * SECONDS,
            Some((_, connections)) => connections,
        };
        open * 60.0 * price::MINUTES / MILLION + self.handshakes()
    }

    /// Accepted and refused messages a second.
    fn sent(&self) -> (f64, f64) {
        match self.user {
            None => (self.rate, 0.0),
            Some((most, _)) => (most, self.rate - most),
        }
    }

    fn between_two(&self) -> f64 {
        let (accepted, refused) = self.sent();
        SECONDS * (accepted * message() + refused * refused_message())
    }

    fn in_rooms(&self, bytes: f64) -> f64 {
        let (accepted, refused) = self.sent();
        // More posts than the account allows are not made.
        let accepted = accepted.min(ACCOUNT / self.room);
        SECONDS * (accepted * to_room(self.room, bytes) + refused * refused_message())
    }
}

/// The rows of the page's table: an attack, and its costs an hour with each of the settings.
fn rows() -> Vec<String> {
    let defaults = Setting {
        rate: 500.0,
        room: 1_000.0,
        user: None,
    };
    let throttled = Setting {
        rate: 50.0,
        ..defaults
    };
    let small_rooms = Setting {
        room: 50.0,
        ..throttled
    };
    let per_user = Setting {
        user: Some((3.0, 3.0)),
        ..small_rooms
    };
    let settings = [&defaults, &throttled, &small_rooms, &per_user];
    let row = |attack: &str, cost: &dyn Fn(&Setting) -> f64| {
        let costs = settings.map(|setting| format!("${:.2}", cost(setting)));
        format!("| {attack} | {} |", costs.join(" | "))
    };
    vec![
        row(
            "handshakes, as many as `$connect` takes",
            &Setting::handshakes,
        ),
        row(
            "the same, and every connection stays open: after two hours",
            &Setting::idle,
        ),
        row(
            "short messages to a friend, as many as a route takes",
            &Setting::between_two,
        ),
        row("short messages to a room of its own connections", &|it| {
            it.in_rooms(50.0)
        }),
        row("the same with texts of 32 KB", &|it| {
            it.in_rooms(32.0 * 1_024.0)
        }),
    ]
}

#[test]
fn the_costs_of_a_hostile_client_are_what_the_named_prices_make_them() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/concepts/hostile-clients.md");
    let text = std::fs::read_to_string(page).unwrap();
    let rows = rows();
    let table = rows.join("\n");
    assert!(text.contains(&table), "the table must be:\n{table}");
    let day = chatctl_deploy::stack::cost::prices::LOOKED_UP;
    assert!(text.contains(&format!("looked up on {day}")), "{day}");
    for price in [
        "$1.00", "$0.25", "$0.20", "$16.67", "$0.625", "$0.125", "$0.50", "$0.09", "$0.03",
        "$0.10", "$3.00", "$0.40", "$0.05", "$13.33", "$0.80",
    ] {
        assert!(text.contains(price), "{price} is not named");
    }
}
