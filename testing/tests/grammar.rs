//! What the parser makes of a script, and what it says of a wrong one.

use chat_protocol::Field;
use testing::conversations::script::{Entry, Expected, Step};
use testing::conversations::{Handshake, Party, Script};

#[test]
fn every_form_of_line_has_its_meaning() {
    let steps = parsed(concat!(
        "# a comment\n",
        "\n",
        "Tom connects to Jerry   # trailing\n",
        "Tom (old phone) connects to \"Mary Ann\" and is refused\n",
        "nobody connects to nobody and is refused # twice\n",
        "Tom: hi: there # is no comment  \n",
        "Tom (old phone): \"  x \"   # but this is\n",
        "Jerry receives {\"a\": \"#1\"}\n",
        "Jerry receives \"nothing\"\n",
        "Jerry receives nothing\n",
        "Tom receives the notice # yes\n",
        "Jerry disconnects\n",
        "\"Mary Ann\" vanishes\n",
        "everybody disconnects\n",
    ));
    let expected = [
        connect(tom(), Some("Tom"), Some("Jerry"), false),
        connect(phone(), Some("Tom"), Some("Mary Ann"), true),
        connect(party("nobody", None), None, None, true),
        send(tom(), "hi: there # is no comment"),
        send(phone(), "  x "),
        receive("Jerry", Expected::Text(r##"{"a": "#1"}"##.to_owned())),
        receive("Jerry", Expected::Text("nothing".to_owned())),
        receive("Jerry", Expected::Nothing),
        receive("Tom", Expected::Notice),
        Step::Disconnect(party("Jerry", None)),
        Step::Vanish(party("Mary Ann", None)),
        Step::DisconnectEverybody,
    ];
    assert_eq!(steps, expected);
}

#[test]
fn who_connects_says_as_much_as_the_line_does() {
    let said = |line: &str| match parsed(line).remove(0) {
        Step::Connect { handshake, .. } => handshake,
        other => panic!("{other:?}"),
    };
    assert_eq!(said("Tom connects"), handshake(None, None, None));
    assert_eq!(
        said("Tom connects in kitchen"),
        handshake(None, None, Some("kitchen"))
    );
    assert_eq!(
        said("Tom connects as Tom"),
        handshake(Some("Tom"), None, None)
    );
    assert_eq!(
        said("Tom connects to Jerry in \"the kitchen\""),
        handshake(Some("Tom"), Some("Jerry"), Some("the kitchen"))
    );
    assert_eq!(
        said("Tom connects as Thomas to Jerry in hall # and so on"),
        handshake(Some("Thomas"), Some("Jerry"), Some("hall"))
    );
}

#[test]
fn guests_come_in_numbers_and_receive_together() {
    let steps = parsed(
        "600 guests connect in hall\n2 guests connect\nevery guest receives hi\nevery guest receives nothing\nTom is told BadJson # at once",
    );
    let expected = [
        Step::GuestsConnect {
            count: 600,
            room: Some("hall".to_owned()),
        },
        Step::GuestsConnect {
            count: 2,
            room: None,
        },
        Step::EveryGuestReceives(Expected::Text("hi".to_owned())),
        Step::EveryGuestReceives(Expected::Nothing),
        receive("Tom", Expected::Error("BadJson".to_owned(), None)),
    ];
    assert_eq!(steps, expected);
}

#[test]
fn envelopes_receipts_and_errors_about_a_frame_have_lines_of_their_own() {
    let steps = parsed(
        "Tom reads \"Mary Ann\": hi: you\nTom reads nobody: \"\"\nTom sees r1 delivered to 2 # others\nTom sees r2 changed and delivered to 1\nTom is told BadJson about r1\n\
         Tom sees r1 stored and delivered to 0\nTom sees r2 done\nTom sees hi you deleted by Ann\nTom finds nothing\n\
         Tom finds Ann: a: b | nobody: c | Ann deletes and more",
    );
    let expected = [
        Expected::Message(Some("Mary Ann".to_owned()), "hi: you".to_owned()),
        Expected::Message(None, String::new()),
        Expected::Receipt("r1".to_owned(), 2),
        Expected::ChangedReceipt("r2".to_owned(), 1),
        Expected::Error("BadJson".to_owned(), Some("r1".to_owned())),
        Expected::Stored("r1".to_owned(), 0),
        Expected::Done("r2".to_owned()),
        Expected::Deleted("Ann".to_owned(), "hi you".to_owned()),
        Expected::Page(Vec::new(), false),
        Expected::Page(
            vec![
                Entry::Message(Some("Ann".to_owned()), "a: b".to_owned()),
                Entry::Message(None, "c".to_owned()),
                Entry::Deleted("Ann".to_owned()),
            ],
            true,
        ),
    ];
    assert_eq!(steps, expected.map(|what| receive("Tom", what)));
    for wrong in [
        "Tom reads Ann",
        "Tom sees r1",
        "Tom sees r1 delivered to few",
        "Tom finds Ann",
    ] {
        assert!(Script::parse("sample", wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_script_names_its_stack_in_the_first_line_or_is_a_direct_one() {
    let stack = |text| Script::parse("sample", text).unwrap().stack.name;
    assert_eq!(stack("Tom connects"), "direct");
    assert_eq!(
        stack("# a comment\nstack: relay # as it is\nTom connects"),
        "relay"
    );
    assert_eq!(stack("Tom connects\nstack: relay"), "direct");
    check(
        "stack: relais",
        "sample, line 1: there is no such stack; there are direct, broadcast, relay, cleanup, mixed, envelopes, reviewed, history, presence: `stack: relais`",
    );
}

#[test]
fn a_wrong_line_is_named_by_number_reason_and_text() {
    check(
        "Tom connects to Jerry\n\nTom waves",
        "sample, line 3: expected a party and then `connects …`, `: …`, `receives …`, `reads …`, `sees …`, `finds …`, `notices …`, `is told …`, `disconnects` or `vanishes`: `Tom waves`",
    );
    check(
        "Tom connects to Jerry and waits",
        "sample, line 1: after `connects` come `as …`, `to …`, `in …` and `and is refused`, each once or not, in this order: `Tom connects to Jerry and waits`",
    );
    check(
        "Tom ( ) vanishes",
        "sample, line 1: a device is named in brackets, as in `Tom (phone)`: `Tom ( ) vanishes`",
    );
    check(
        "Tom:",
        "sample, line 1: the text is missing; an empty one is written \"\": `Tom:`",
    );
    check(
        "Tom: \"a\" b",
        "sample, line 1: nothing may follow a quoted text: `Tom: \"a\" b`",
    );
    check(
        "Tom: \"a",
        "sample, line 1: the closing quote is missing: `Tom: \"a`",
    );
    check(
        ": hi",
        "sample, line 1: expected a name: one word, or anything in double quotes: `: hi`",
    );
}

#[test]
fn every_script_of_this_package_is_understood() {
    let scripts = testing::conversations::scripts().unwrap();
    assert!(scripts.len() >= 10, "only {} scripts", scripts.len());
    for script in scripts {
        assert!(!script.steps.is_empty(), "{} is empty", script.name);
    }
}

fn check(text: &str, message: &str) {
    let error = Script::parse("sample", text).expect_err("not in the grammar");
    assert_eq!(error.to_string(), message);
}

fn parsed(text: &str) -> Vec<Step> {
    let script = Script::parse("sample", text).expect("a script in the grammar");
    script.steps.into_iter().map(|(_, step)| step).collect()
}

fn party(person: &str, device: Option<&str>) -> Party {
    Party {
        person: person.to_owned(),
        device: device.map(str::to_owned),
    }
}

fn tom() -> Party {
    party("Tom", None)
}

fn phone() -> Party {
    party("Tom", Some("old phone"))
}

fn connect(party: Party, from: Option<&str>, to: Option<&str>, refused: bool) -> Step {
    Step::Connect {
        party,
        handshake: handshake(from, to, None),
        refused,
    }
}

fn handshake(from: Option<&str>, to: Option<&str>, room: Option<&str>) -> Handshake {
    Handshake::default()
        .with_some(Field::From, from)
        .with_some(Field::To, to)
        .with_some(Field::Room, room)
}

fn send(party: Party, text: &str) -> Step {
    Step::Send {
        party,
        text: text.to_owned(),
    }
}

fn receive(person: &str, what: Expected) -> Step {
    Step::Receive {
        party: party(person, None),
        what,
    }
}
