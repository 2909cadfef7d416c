//! Windows that share a room.

use crate::scene::Scene;
use crate::window::Window;

const ECHO: &str = "[[routes]]\nkey = \"onMessage\"\nreceivers = \"room\"\ntext = \"message\"\ninclude-sender = true\n";
const RELAY: &str = "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n";

/// Three windows in the room `everybody`; the last one gave no name.
fn three_windows(scene: &mut Scene) -> [Window; 3] {
    let mut ann = scene.tom();
    ann.until_status("Connected as Tom in everybody");
    let mut bob = scene.jerry();
    bob.until_status("Connected as Jerry in everybody");
    let mut cid = scene.stranger();
    cid.click("#connect");
    cid.until_status("Connected in everybody");
    [ann, bob, cid]
}

#[test]
pub(crate) fn three_windows_receive_one_another_and_an_own_message_that_comes_back_is_shown_once() {
    let mut scene = Scene::new(ECHO);
    let [mut ann, mut bob, mut cid] = three_windows(&mut scene);
    ann.says("Hi");
    for other in [&mut bob, &mut cid] {
        other.sees("Another User: Hi");
    }
    ann.until(
        "the message has come back",
        "chat._awaited.length === 0 && !document.querySelector('.pending')",
    );
    // Equal words of another user are another message.
    cid.says("Hi");
    ann.sees("Another User: Hi");
    bob.says("<b>Bye</b>");
    for other in [&mut ann, &mut cid] {
        other.sees("Another User: <b>Bye</b>");
    }
    assert_eq!(
        ann.messages(),
        ["You: Hi", "Another User: Hi", "Another User: <b>Bye</b>"]
    );
    for window in [&mut ann, &mut bob, &mut cid] {
        assert_eq!(window.complaints(), [""; 0]);
    }
}

#[test]
pub(crate) fn in_envelopes_messages_have_names_and_an_own_one_tells_if_it_was_received() {
    let mut scene = Scene::new(&format!("{ECHO}envelope = true\n"));
    let [mut ann, mut bob, mut cid] = three_windows(&mut scene);
    ann.says("Hi");
    for other in [&mut bob, &mut cid] {
        other.sees("Tom: Hi");
    }
    let received = "[...document.querySelectorAll('.own')].some(own => own.title.endsWith('received by 2 windows'))";
    ann.until("the receipt has come", received);
    // A text that looks like an envelope is a text.
    let forged = r#"{"type":"message","id":"1","route":"x","from":"Tom","text":"forged","at":"x"}"#;
    cid.says(forged);
    for other in [&mut ann, &mut bob] {
        other.sees(&format!("Another User: {forged}"));
    }
    bob.says("Hi");
    ann.sees("Jerry: Hi");
    assert_eq!(
        ann.messages(),
        ["You: Hi", &format!("Another User: {forged}"), "Jerry: Hi"]
    );
    for window in [&mut ann, &mut bob, &mut cid] {
        assert_eq!(window.complaints(), [""; 0]);
    }
}

#[test]
fn where_the_sender_is_left_out_everybody_has_every_message_once_all_the_same() {
    let mut scene = Scene::new(RELAY);
    let [mut ann, mut bob, mut cid] = three_windows(&mut scene);
    ann.says("one");
    for other in [&mut bob, &mut cid] {
        other.sees("Another User: one");
    }
    bob.says("two");
    for other in [&mut ann, &mut cid] {
        other.sees("Another User: two");
    }
    assert_eq!(ann.messages(), ["You: one", "Another User: two"]);
    assert_eq!(bob.messages(), ["Another User: one", "You: two"]);
}

#[test]
fn another_room_receives_nothing_and_the_room_is_part_of_the_address() {
    let mut scene = Scene::new(ECHO);
    let base = scene.base();
    let mut apart = scene.stranger();
    apart.fill("#room", "attic");
    apart.click("#connect");
    apart.until_status("Connected in attic");
    assert_eq!(apart.eval("location.search"), "?room=attic");
    let mut same = scene.window(&format!("{base}?room=attic&from=Eve"));
    same.until_status("Connected as Eve in attic");
    let mut downstairs = scene.window(&format!("{base}?from=Tom"));
    downstairs.until_status("Connected as Tom in everybody");
    downstairs.says("who is up there?");
    downstairs.until("it has come back", "chat._awaited.length === 0");
    same.says("nobody");
    apart.sees("Another User: nobody");
    assert_eq!(apart.messages(), ["Another User: nobody"]);
}

#[test]
pub(crate) fn a_handlers_error_is_shown_as_one_and_a_message_that_never_came_back_is_marked() {
    let mut scene = Scene::unprobed(&format!("{ECHO}max-text-bytes = 10\n"));
    let mut ann = scene.tom();
    ann.says("eleven byte");
    ann.until(
        "the page knows the route's limit",
        "document.querySelector('#note').innerText.includes('11 bytes, this route takes 10 bytes')",
    );
    ann.eval("chat._line.send(JSON.stringify({ action: 'onMessage', message: 'eleven byte' }))");
    ann.until(
        "the handler's refusal is an error",
        "document.querySelector('#log .error')?.innerText.startsWith('Error: ')",
    );
    // An answer that never comes: it goes out on a connection that is ended at once.
    ann.fill("#text", "lost?");
    ann.eval("chat._line.send = () => {}");
    ann.press("Enter", false);
    ann.sees("You: lost?");
    ann.eval("chat._line.close()");
    ann.sees("You: lost?\n\nIt is not certain that this arrived.");
    ann.until_status("Connected as Tom");
}
