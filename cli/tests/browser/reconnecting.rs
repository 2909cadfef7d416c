//! Connections that end, and what the page makes of it.

use rustix::process::{Pid, Signal, kill_process};

use crate::project::eventually;
use crate::scene::Scene;
use crate::window::Window;

/// Keeps timers of a minute and more from running: a test decides when such a time is over, by calling `laterNow()`.
const LONG_TIMERS: &str = "
    const later = [], real = window.setTimeout;
    window.setTimeout = (run, wait, ...rest) => wait < 60000 ? real(run, wait, ...rest) : later.push(run) * -1;
    window.laterNow = () => later.pop()();
";

fn connections(scene: &Scene) -> u64 {
    scene.project.status()["connections"].as_u64().unwrap()
}

/// Kills the stack's process, without a chance to say goodbye.
fn kill(scene: &Scene) {
    let pid = i32::try_from(scene.project.pid()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

/// Starts the stack again once its death has been noticed.
fn revive(scene: &Scene) {
    scene.project.noticed_as_dead();
    scene.project.deployed(&["--no-probe"]);
}

#[test]
pub(crate) fn a_stack_that_dies_and_comes_back_finds_its_windows_again() {
    let mut scene = Scene::new("");
    let mut tom = scene.tom();
    let mut jerry = scene.jerry();
    for window in [&mut tom, &mut jerry] {
        window.until_status("Connected");
    }
    kill(&scene);
    tom.until(
        "it says that the connection is gone and when it will be tried again",
        "/lost|reached/.test(document.querySelector('#status').innerText) \
         && /^Next attempt in [0-9]+ s/.test(document.querySelector('#countdown').innerText)",
    );
    tom.focus("#text");
    tom.types("written meanwhile");
    tom.press("Enter", false);
    assert_eq!(tom.messages(), [""; 0], "nothing is sent into nowhere");
    tom.until(
        "several attempts fail",
        "chat._attempts >= 2 && document.querySelector('#status').innerText.includes('cannot be reached')",
    );
    revive(&scene);
    for window in [&mut tom, &mut jerry] {
        // Not the whole wait, which may be half a minute by now: that is what the button is for.
        window.click("#now");
        window.until_status("Connected as");
    }
    tom.press("Enter", false);
    jerry.sees("Tom: written meanwhile");
}

#[test]
pub(crate) fn it_reconnects_by_itself() {
    let mut scene = Scene::new("");
    let mut tom = scene.tom();
    tom.until_status("Connected");
    kill(&scene);
    tom.until(
        "it has noticed",
        "document.querySelector('#state').dataset.is !== 'open'",
    );
    revive(&scene);
    tom.until_status("Connected as Tom");
}

#[test]
fn a_wait_is_a_random_part_of_a_time_that_doubles_up_to_half_a_minute() {
    let mut scene = Scene::new("");
    let mut tom = scene.tom();
    tom.until_status("Connected");
    // Waits are written down instead of waited for; chance gives the whole time, in the end a quarter of it.
    tom.eval(
        "globalThis.waits = []; Math.random = () => waits.length < 7 ? 1 : 0.25; \
         chat._waitUntil = moment => { waits.push(Math.round((moment - Date.now()) / 250) / 4); setTimeout(() => chat._connect()) }",
    );
    kill(&scene);
    tom.until("it has tried often", "waits.length > 7");
    assert_eq!(
        tom.eval("waits.slice(0, 8)"),
        serde_json::json!([1, 2, 4, 8, 16, 30, 30, 7.5])
    );
}

/// Opens Tom's and Jerry's windows so that long times pass on demand.
fn two_patient_windows(scene: &mut Scene) -> [Window; 2] {
    [0, 1].map(|person| {
        let mut window = scene.blank();
        window.before_every_page(LONG_TIMERS);
        window.visit(&scene.links[person]);
        window.until_status("Connected");
        window
    })
}

#[test]
pub(crate) fn a_quiet_connection_is_replaced_before_the_idle_limit_without_loss() {
    let mut scene = Scene::new("");
    let [mut tom, mut jerry] = two_patient_windows(&mut scene);
    tom.eval("window.before = chat._line; window.seen = []; new MutationObserver(() => seen.push(document.querySelector('#status').innerText)).observe(document.querySelector('#status'), { childList: true, characterData: true, subtree: true }); laterNow()");
    tom.until("another connection has taken over", "chat._line !== before");
    // Both are open now, so both get this.
    jerry.says("one");
    tom.sees("Jerry: one");
    jerry.says("one");
    // Functions may overtake one another, so each message waits for the one before.
    eventually("the same text came again", || tom.messages().len() == 2);
    jerry.says("two");
    tom.sees("Jerry: two");
    tom.says("three");
    jerry.sees("Tom: three");
    tom.until(
        "the old one is closed",
        "before.readyState === WebSocket.CLOSED",
    );
    eventually("the gateway has noticed", || connections(&scene) == 2);
    jerry.says("four");
    tom.sees("Jerry: four");
    assert_eq!(
        tom.messages(),
        [
            "Jerry: one",
            "Jerry: one",
            "Jerry: two",
            "You: three",
            "Jerry: four"
        ]
    );
    assert_eq!(
        tom.eval("seen.every(text => text === 'Connected as Tom, talking to Jerry')"),
        true
    );
    assert_eq!(tom.status(), "Connected as Tom, talking to Jerry");
}

#[test]
pub(crate) fn a_replacement_that_fails_leaves_the_connection_as_it_is() {
    let mut scene = Scene::new("");
    let [mut tom, mut jerry] = two_patient_windows(&mut scene);
    tom.eval("window.before = chat._line; window.failed = false; document.querySelector('#endpoint').value = 'ws://127.0.0.1:9/v1'");
    tom.eval("window.WebSocket = class extends WebSocket { constructor(...of) { super(...of); this.addEventListener('close', () => { failed = true; }); } }; true");
    tom.eval("laterNow()");
    tom.until("the other one could not be opened", "failed && !chat._next");
    jerry.says("still there?");
    tom.sees("Jerry: still there?");
    assert_eq!(tom.eval("chat._line === before && !chat._overlap"), true);
    assert_eq!(tom.status(), "Connected as Tom, talking to Jerry");
}
