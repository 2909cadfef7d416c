//! What was said before, what is deleted, and who is here.

use serde_json::json;
use testing::blocking::Client;

use crate::scene::Scene;

const KEPT: &str = r#"
[[routes]]
key = "say"
receivers = "room"
text = "message"
envelope = true
history = "7d"
[[routes]]
key = "history"
answers = "history"
[[routes]]
key = "delete"
answers = "delete"
[[routes]]
key = "who"
answers = "who"
"#;

/// Bob says the numbers of `range`, each after the receipt of the one before.
fn bob_counts(scene: &Scene, range: std::ops::RangeInclusive<u32>) {
    let mut bob = Client::open(&scene.endpoint, [("msgfrom", "Bob")]).unwrap();
    for number in range {
        let text = number.to_string();
        bob.send(&json!({ "action": "say", "message": text, "ref": text }).to_string());
        while !bob.receive().starts_with("{\"type\":\"sent\"") {}
    }
}

#[test]
pub(crate) fn the_last_page_is_there_on_arrival_and_earlier_ones_on_scroll_up() {
    let mut scene = Scene::new(KEPT);
    bob_counts(&scene, 1..=120);
    let mut tom = scene.tom();
    let numbers = |range: std::ops::RangeInclusive<u32>| {
        let lines = range.map(|number| format!("Bob: {number}"));
        lines.collect::<Vec<_>>()
    };
    let until = |tom: &mut crate::window::Window, lines: Vec<String>| {
        tom.until_messages(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    };
    until(&mut tom, numbers(71..=120));
    tom.until(
        "the newest is in view",
        "at('log').scrollHeight - at('log').scrollTop - at('log').clientHeight < 40",
    );
    tom.eval("at('log').scrollTop = 0, 0");
    until(&mut tom, numbers(21..=120));
    tom.until(
        "the view has stayed where it was",
        "at('log').scrollTop > 500",
    );
    tom.eval("at('log').scrollTop = 0, 0");
    until(&mut tom, numbers(1..=120));
    assert_eq!(tom.eval("at('older').hidden"), true, "there are no more");
    tom.until(
        "each has its time",
        "[...document.querySelectorAll('#log time')].filter(time => time.dateTime && time.innerText).length === 120",
    );
    assert_eq!(tom.complaints(), [""; 0]);
}

#[test]
pub(crate) fn what_was_missed_is_shown_once_and_in_order_after_a_reconnect() {
    let mut scene = Scene::new(KEPT);
    let (mut tom, mut jerry) = (scene.tom(), scene.jerry());
    tom.until_status("Connected as Tom");
    jerry.until_status("Connected as Jerry");
    tom.says("one");
    jerry.sees("Tom: one");
    jerry.eval("window.dial = chat._connect, chat._connect = () => {}, chat._line.close(4000), 0");
    jerry.until("the connection has gone", "chat.state === 'waiting'");
    tom.says("two");
    tom.until(
        "it is stored",
        "[...document.querySelectorAll('#log .status')].at(-1).innerText === 'Stored for later'",
    );
    tom.says("three");
    jerry.eval("chat._connect = dial, chat._connect(), 0");
    jerry.until_messages(&["Tom: one", "Tom: two", "Tom: three"]);
    jerry.says("four");
    tom.until_messages(&["You: one", "You: two", "You: three", "Jerry: four"]);
    // A reload begins with what is kept.
    tom.reload();
    tom.until_messages(&["You: one", "You: two", "You: three", "Jerry: four"]);
    for window in [&mut tom, &mut jerry] {
        assert_eq!(window.complaints(), [""; 0]);
    }
}

#[test]
pub(crate) fn an_own_message_is_deleted_by_two_presses_and_its_text_is_gone_everywhere() {
    let mut scene = Scene::new(KEPT);
    let (mut tom, mut jerry) = (scene.tom(), scene.jerry());
    jerry.until_status("Connected as Jerry");
    tom.says("oops");
    // Within one millisecond, ids are in any order.
    jerry.sees("Tom: oops");
    tom.says("fine");
    jerry.until_messages(&["Tom: oops", "Tom: fine"]);
    assert_eq!(
        jerry.eval("document.querySelector('#log button')"),
        json!(null)
    );
    tom.until(
        "it can be deleted",
        "document.querySelectorAll('#log button').length === 2",
    );
    tom.focus("#log button");
    tom.press("Enter", false);
    assert_eq!(
        tom.eval("document.activeElement.getAttribute('aria-label')"),
        "Really delete: oops"
    );
    assert_eq!(jerry.messages(), ["Tom: oops", "Tom: fine"]);
    tom.press("Enter", false);
    jerry.until_messages(&["Tom: This message was deleted.", "Tom: fine"]);
    tom.until_messages(&["You: This message was deleted.", "You: fine"]);
    let mut late = scene.stranger();
    late.click("#connect");
    late.until_messages(&["Tom: fine"]);
}

#[test]
pub(crate) fn who_is_here_is_listed_for_everybody() {
    let mut scene = Scene::new(KEPT);
    let mut tom = scene.tom();
    tom.until_status("Connected as Tom");
    tom.until(
        "Tom is alone",
        "document.querySelector('#people summary').innerText === '1 here'",
    );
    let mut jerry = scene.jerry();
    jerry.until(
        "two are here",
        "document.querySelector('#people summary').innerText === '2 here'",
    );
    jerry.click("#people summary");
    jerry.until(
        "both are named",
        "document.querySelector('#people ul').innerText === 'Jerry (you)\\nTom'",
    );
    jerry.eval("chat._takesEnvelope({ type: 'presence', room: 'everybody', arrived: ['Ann'], left: ['Tom'], people: 2, at: 'x' }), 0");
    assert_eq!(jerry.text_of("#people ul"), "Ann\nJerry (you)");
    assert_eq!(jerry.text_of("#presence"), "Ann came. Tom left.");
}
