//! Two windows that talk to each other.

use crate::project::Project;
use crate::scene::Scene;

/// The page's links, as `chatctl web --local` prints them.
pub(crate) fn links(project: &Project) -> Vec<String> {
    let web = project.run(&["web", "--local"]);
    assert_eq!(web.code, 0, "{}", web.stderr);
    web.stdout.lines().map(str::to_owned).collect()
}

#[test]
pub(crate) fn two_windows_opened_by_their_links_talk_within_the_page_s_policy() {
    let mut scene = Scene::new("");
    let mut tom = scene.tom();
    tom.until_status("Connected as Tom, talking to Jerry");
    tom.says("too early");
    tom.sees("You: too early");
    tom.sees("Your friend is not reachable. Connect from the other terminal and then try again");
    let mut jerry = scene.jerry();
    jerry.until_status("Connected as Jerry, talking to Tom");
    tom.says("hi there");
    jerry.sees("Tom: hi there");
    jerry.says("hello, Tom");
    tom.sees("Jerry: hello, Tom");
    assert_eq!(
        jerry.messages(),
        ["Tom: hi there", "You: hello, Tom"],
        "each line once, and nothing that was meant for somebody else"
    );
    for window in [&mut tom, &mut jerry] {
        assert_eq!(window.complaints(), [""; 0]);
    }
}

#[test]
pub(crate) fn a_reloaded_window_goes_on_under_its_name_and_one_that_was_disconnected_stays_so() {
    let mut scene = Scene::new("");
    let mut tom = scene.tom();
    // A user who typed names instead of following a link.
    let mut ann = scene.stranger();
    ann.fill("#from", "Ann Lee");
    ann.fill("#to", "Tom");
    ann.click("#connect");
    ann.until_status("Connected as Ann Lee, talking to Tom");
    ann.reload();
    ann.until_status("Connected as Ann Lee, talking to Tom");
    tom.until_status("Connected as Tom");
    ann.says("still me");
    // Tom's friend is Jerry: the page cannot know who else writes, and names the friend of its link.
    tom.until(
        "Tom got it",
        "document.querySelector('#log').innerText.includes('still me')",
    );
    ann.click("#disconnect");
    ann.until_status("Not connected");
    ann.reload();
    ann.until_status("Not connected");
    assert_eq!(ann.eval("document.querySelector('#from').value"), "Ann Lee");
}

#[test]
pub(crate) fn markup_in_a_message_and_in_a_name_stays_text() {
    let mut scene = Scene::new("");
    let mut tom = scene.tom();
    let mut jerry = scene.jerry();
    jerry.until_status("Connected");
    let markup =
        "<img src=x onerror=\"window.broken=1\"><script>window.broken=1</script><b>bold</b> &amp;";
    tom.says(markup);
    jerry.sees(&format!("Tom: {markup}"));
    for window in [&mut tom, &mut jerry] {
        assert_eq!(window.eval("window.broken === undefined"), true);
        assert_eq!(
            window.eval("document.querySelectorAll('#log img, #log script, #log p b b').length"),
            0
        );
        assert_eq!(window.complaints(), [""; 0]);
    }
}

#[test]
fn what_turns_the_direction_around_turns_neither_the_name_nor_the_time() {
    let mut scene = Scene::new("");
    let mut tom = scene.tom();
    let mut jerry = scene.jerry();
    tom.until_status("Connected");
    jerry.until_status("Connected");
    tom.eval(r"chat.send('\u202esdrawkcab'), 0");
    jerry.until(
        "it is shown",
        "document.querySelector('#log').textContent.includes('sdrawkcab')",
    );
    let stays = "(({ p, b, span, time }) => {
        const left = part => part.getBoundingClientRect().left;
        return getComputedStyle(span).unicodeBidi === 'isolate' && left(b) < left(span) && left(b) - left(p) < 30 && left(time) - left(p) < 30;
    })(Object.fromEntries(['p', 'b', 'span', 'time'].map(name => [name, document.querySelector(`#log li:last-child ${name}`)])))";
    assert_eq!(jerry.eval(stays), true);
}

#[test]
pub(crate) fn everything_works_by_keyboard_alone() {
    let mut scene = Scene::new("");
    let mut tom = scene.stranger();
    // The first field has the focus already.
    tom.types("Tom");
    tom.press("Tab", false);
    tom.types("Jerry");
    tom.press("Enter", false);
    tom.until_status("Connected as Tom, talking to Jerry");
    let mut jerry = scene.jerry();
    jerry.until_status("Connected");
    tom.until(
        "the message field has the focus",
        "document.activeElement.id === 'text'",
    );
    tom.types("one");
    tom.press("Enter", true);
    tom.types("two");
    tom.press("Enter", false);
    jerry.sees("Tom: one\ntwo");
    assert_eq!(tom.eval("document.querySelector('#text').value"), "");
    // Backwards from the message field: the conversation, which can be scrolled, then the way out.
    tom.press("Tab", true);
    assert_eq!(tom.eval("document.activeElement.id"), "log");
    tom.press("Tab", true);
    assert_eq!(tom.eval("document.activeElement.id"), "disconnect");
    tom.press(" ", false);
    tom.until_status("Not connected");
    assert_eq!(tom.eval("document.activeElement.id"), "from");
}

#[test]
pub(crate) fn a_name_that_no_chat_takes_is_refused_before_anything_is_tried() {
    let mut scene = Scene::new("");
    let mut window = scene.stranger();
    let pages = window.eval("history.length");
    for name in ["", "Zoë", "a#b", " Tom"] {
        window.fill("#from", name);
        window.fill("#to", "Jerry");
        window.click("#connect");
        assert_eq!(
            window.eval("document.querySelector('#from').validity.valid"),
            false,
            "{name:?}"
        );
        assert_eq!(window.status(), "Not connected");
    }
    for name in ["O'Neil", "Ann Lee", "a.b_c@d+e-f", &"x".repeat(64)] {
        window.fill("#from", name);
        assert_eq!(
            window.eval("document.querySelector('#from').validity.valid"),
            true,
            "{name:?}"
        );
    }
    assert_eq!(window.eval("history.length"), pages, "it stayed here");
}
