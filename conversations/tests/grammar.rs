//! What the parser makes of a script, and what it says of a wrong one.

use conversations::script::{Expected, Step};
use conversations::{Party, Script};

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
fn a_wrong_line_is_named_by_number_reason_and_text() {
    check(
        "Tom connects to Jerry\n\nTom waves",
        "sample, line 3: expected a party and then `connects to …`, `: …`, `receives …`, `disconnects` or `vanishes`: `Tom waves`",
    );
    check(
        "Tom connects to Jerry and waits",
        "sample, line 1: after `connects to` and a name comes nothing, or `and is refused`: `Tom connects to Jerry and waits`",
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
    let scripts = conversations::scripts().unwrap();
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
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
        refused,
    }
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
