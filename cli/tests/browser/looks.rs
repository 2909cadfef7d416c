//! The page on a phone, and in the dark.

use serde_json::json;

use crate::scene::Scene;
use crate::window::Window;

/// Whether nothing is wider than the screen, what is there can be touched, and the last thing ends at the bottom.
const FITS: &str = "(() => {
    const seen = [...document.querySelectorAll('header, h1, #state p, form, #log, #log p, input, textarea, button, small')]
        .filter(part => part.checkVisibility());
    const composer = document.querySelector('#composer');
    return document.documentElement.scrollWidth <= innerWidth
        && seen.every(part => { const { left, right } = part.getBoundingClientRect(); return left >= 0 && right <= innerWidth; })
        && [...document.querySelectorAll('button')].every(one => !one.checkVisibility() || one.offsetHeight >= 36)
        && document.querySelector('header').scrollHeight <= document.querySelector('header').clientHeight
        && (!composer.checkVisibility() || Math.abs(composer.getBoundingClientRect().bottom - innerHeight) < 1);
})()";

fn phone(scene: &mut Scene) -> Window {
    let mut window = scene.blank();
    window.is_a_phone();
    window
}

#[test]
pub(crate) fn on_a_phone_everything_fits_in_every_state() {
    let mut scene = Scene::new("");
    let form = scene.base();
    let mut tom = phone(&mut scene);
    tom.visit(&form);
    tom.until("the form fits", FITS);
    tom.eval("document.querySelector('#details').open = true");
    tom.until("the whole form fits", FITS);
    tom.visit(&scene.links[0]);
    tom.until_status("Connected as Tom, talking to Jerry");
    tom.until("an empty chat fits", FITS);
    tom.says(&"words without an end".replace(' ', "").repeat(20));
    tom.sees("Your friend is not reachable. Connect from the other terminal and then try again");
    tom.until("messages fit", FITS);
    let mut ann = phone(&mut scene);
    ann.visit(&form);
    ann.eval("document.querySelector('#endpoint').value = 'ws://127.0.0.1:1/v1'");
    ann.fill("#from", "Ann");
    ann.fill("#to", "Bob");
    ann.click("#connect");
    ann.until(
        "it waits",
        "document.querySelector('#state').dataset.is === 'waiting'",
    );
    ann.until("a first attempt that failed fits", FITS);
    scene.project.run(&["teardown", "--local", "--yes"]);
    tom.until(
        "it waits",
        "document.querySelector('#state').dataset.is === 'waiting'",
    );
    tom.until("a lost connection fits", FITS);
}

/// The texts whose contrast with what is behind them is less than 4.5 to 1, which WCAG 2.2 asks for (1.4.3).
const PALE: &str = "(() => {
    const parts = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = colour => {
        const [r, g, b] = parts(colour).map(part => part / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = element => {
        for (let one = element; one; one = one.parentElement) {
            const colour = getComputedStyle(one).backgroundColor, alpha = parts(colour)[3];
            if (alpha === undefined || alpha === 1) return light(colour);
        }
    };
    const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const shown = [...document.querySelectorAll('h1, p, b, span, small, time, label, summary, button:enabled, textarea, input')].filter(one => one.checkVisibility());
    const fields = shown.filter(one => one.placeholder);
    return [
        ...shown.filter(one => ratio(light(getComputedStyle(one).color), behind(one)) < 4.5),
        ...fields.filter(one => ratio(light(getComputedStyle(one, '::placeholder').color), behind(one)) < 4.5),
    ].map(one => one.outerHTML).join();
})()";

#[test]
fn every_text_can_be_read_in_the_light_and_in_the_dark() {
    let mut scene = Scene::new("");
    let form = scene.base();
    let mut stranger = scene.window(&form);
    stranger.eval("document.querySelector('#details').open = true, 0");
    let mut tom = scene.tom();
    tom.until_status("Connected as Tom, talking to Jerry");
    tom.says("hi");
    tom.sees("Your friend is not reachable. Connect from the other terminal and then try again");
    // How bright the text is, less how bright what is behind it is.
    let contrast = "(() => {
        const bright = colour => colour.match(/[\\d.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
        const { color, backgroundColor } = getComputedStyle(document.body);
        return Math.sign(bright(color) - bright(backgroundColor));
    })()";
    for (scheme, sign) in [("dark", 1), ("light", -1)] {
        let feature = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        for window in [&mut tom, &mut stranger] {
            window.emulates("setEmulatedMedia", json!({ "features": feature }));
            assert_eq!(window.eval(contrast), sign, "{scheme}");
            assert_eq!(window.eval(PALE), "", "{scheme}");
        }
    }
}

#[test]
fn a_link_with_a_name_that_no_chat_takes_points_at_the_field() {
    let mut scene = Scene::new("");
    let link = scene.links[0].replace("to=Jerry", "to=a%23b");
    let mut window = scene.window(&link);
    assert_eq!(window.status(), "Not connected");
    assert_eq!(window.eval("document.activeElement.id"), "to");
}
