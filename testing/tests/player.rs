//! The player must not let a wrong world pass: here is one whose faults can be chosen.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use testing::conversations::{Fault, Handshake, Party, Script, Welcome, World, play};

/// Gives every frame to everybody but its sender.
#[derive(Default)]
struct Room {
    inboxes: BTreeMap<Party, VecDeque<String>>,
    /// Accepts no client.
    closed: bool,
    /// Frames appear only when the world settles, as over a slow network.
    slow: bool,
    under_way: Vec<(Party, String)>,
}

impl Room {
    fn arrive(&mut self) {
        for (party, frame) in self.under_way.drain(..) {
            if let Some(inbox) = self.inboxes.get_mut(&party) {
                inbox.push_back(frame);
            }
        }
    }

    fn first(&mut self, party: &Party) -> Result<Option<String>, Fault> {
        let inbox = self.inboxes.get_mut(party).ok_or("no such connection")?;
        Ok(inbox.pop_front())
    }
}

impl World for Room {
    async fn connect(&mut self, party: &Party, _: &Handshake) -> Result<Welcome, Fault> {
        if self.closed {
            return Ok(Welcome::Refused("403".to_owned()));
        }
        self.inboxes.insert(party.clone(), VecDeque::new());
        Ok(Welcome::Accepted)
    }

    async fn send(&mut self, sender: &Party, text: &str) -> Result<(), Fault> {
        let others = self.inboxes.keys().filter(|party| *party != sender);
        self.under_way
            .extend(others.map(|party| (party.clone(), text.to_owned())));
        if !self.slow {
            self.arrive();
        }
        Ok(())
    }

    async fn next_frame(&mut self, party: &Party) -> Result<Option<String>, Fault> {
        self.arrive();
        self.first(party)
    }

    async fn arrived_frame(&mut self, party: &Party) -> Result<Option<String>, Fault> {
        self.first(party)
    }

    async fn disconnect(&mut self, party: &Party) -> Result<(), Fault> {
        self.inboxes.remove(party);
        Ok(())
    }

    async fn vanish(&mut self, party: &Party) -> Result<(), Fault> {
        self.disconnect(party).await
    }

    async fn settle(&mut self) -> Result<(), Fault> {
        self.arrive();
        Ok(())
    }
}

const THREE: &str = "A connects to B\nB connects to A\nC connects to A\n";

#[test]
fn a_world_that_does_what_the_script_says_passes() {
    check(
        &format!(
            "{THREE}A: hi\nB receives hi\nC receives hi\nA receives nothing\nC vanishes\nA: ho\nB receives ho\neverybody disconnects"
        ),
        Room::default(),
        "passed",
    );
}

#[test]
fn frames_may_be_named_in_any_order() {
    check(
        &format!(
            "{THREE}A: one\nA: two\nB receives two\nB receives one\nC receives one\nC receives two"
        ),
        Room::default(),
        "passed",
    );
}

#[test]
fn a_frame_that_never_comes_is_a_failure_that_shows_what_came() {
    check(
        &format!("{THREE}A: hi\nB receives ho"),
        Room::default(),
        r#"sample, line 5: B was to receive "ho", and received "hi""#,
    );
    check(
        &format!("{THREE}A receives the notice"),
        Room::default(),
        r#"sample, line 4: A was to receive "Your friend is not reachable. Connect from the other terminal and then try again", and received nothing"#,
    );
}

#[test]
fn a_frame_that_no_line_names_is_a_failure_wherever_it_is_noticed() {
    let unexpected =
        |line| format!(r#"sample, line {line}: C received what no line expects: "hi""#);
    for slow in [false, true] {
        let room = || Room {
            slow,
            ..Room::default()
        };
        let hi = format!("{THREE}A: hi\nB receives hi\n");
        check(&hi, room(), &unexpected(5));
        check(&format!("{hi}C receives nothing"), room(), &unexpected(6));
        check(&format!("{hi}C disconnects"), room(), &unexpected(6));
        check(&format!("{hi}C vanishes"), room(), &unexpected(6));
        check(
            &format!("{hi}everybody disconnects"),
            room(),
            &unexpected(6),
        );
    }
}

#[test]
fn a_handshake_must_end_as_the_script_says() {
    let closed = || Room {
        closed: true,
        ..Room::default()
    };
    check("A connects to B and is refused", closed(), "passed");
    check(
        "A connects to B",
        closed(),
        "sample, line 1: A was refused: 403",
    );
    check(
        "A connects to B and is refused",
        Room::default(),
        "sample, line 1: A was to be refused, and is connected",
    );
}

#[test]
fn a_script_cannot_use_a_connection_that_is_not_there() {
    let absent = "sample, line 1: A is not connected";
    for line in [
        "A: hi",
        "A receives hi",
        "A receives nothing",
        "A disconnects",
        "A vanishes",
    ] {
        check(line, Room::default(), absent);
    }
    check(
        "A connects to B\nA connects to B",
        Room::default(),
        "sample, line 2: A is connected already; a second connection needs a device, as in `A (phone)`",
    );
}

fn check(text: &str, mut room: Room, outcome: &str) {
    let script = Script::parse("sample", text).expect("a script in the grammar");
    let played = match run(play(&script, &mut room)) {
        Ok(()) => "passed".to_owned(),
        Err(failure) => failure.to_string(),
    };
    assert_eq!(played, outcome, "{text}");
}

/// The room never waits, so one poll is enough.
fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the room never waits"),
    }
}
