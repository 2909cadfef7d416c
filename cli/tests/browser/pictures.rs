//! The two windows in `docs/images`: `cargo xtask pictures` takes them from what is run here.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::json;

use crate::scene::Scene;
use crate::window::Window;

/// The size of one window, in pixels of the page.
const WINDOW: (u32, u32) = (400, 440);

/// The most bytes of a picture.
const MAX_BYTES: usize = 200_000;

fn resize(window: &mut Window, (width, height): (u32, u32)) {
    let size = json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": false });
    window.emulates("setDeviceMetricsOverride", size);
}

fn prefers(window: &mut Window, scheme: &str) {
    let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    window.emulates("setEmulatedMedia", features);
}

/// Two screenshots side by side, each in a frame.
fn side_by_side(scene: &mut Scene, shots: [Vec<u8>; 2], line: &str) -> Vec<u8> {
    let [left, right] = shots.map(|shot| BASE64_STANDARD.encode(shot));
    let (width, height) = WINDOW;
    let page = format!(
        "<style>body{{margin:0;display:flex;gap:16px;padding:1px}}img{{width:{width}px;height:{height}px;border-radius:8px;\
         box-shadow:0 0 0 1px {line}}}</style><img src='data:image/png;base64,{left}'><img \
         src='data:image/png;base64,{right}'>"
    );
    let mut window = scene.blank();
    resize(&mut window, (2 * width + 18, height + 2));
    let nothing = json!({ "color": { "r": 0, "g": 0, "b": 0, "a": 0 } });
    window.emulates("setDefaultBackgroundColorOverride", nothing);
    window.eval(&format!("document.write({})", json!(page)));
    window.until(
        "both are shown",
        "[...document.images].length === 2 && [...document.images].every(one => one.complete && one.naturalWidth)",
    );
    window.screenshot()
}

/// The width and height that a PNG says it has.
fn size(png: &[u8]) -> &[u8] {
    assert!(png.starts_with(b"\x89PNG"));
    &png[16..24]
}

#[test]
fn two_windows_in_the_light_and_in_the_dark() {
    let mut scene = Scene::new("");
    let (mut tom, mut jerry) = (scene.tom(), scene.jerry());
    tom.until_status("Connected as Tom");
    jerry.until_status("Connected as Jerry");
    for window in [&mut tom, &mut jerry] {
        resize(window, WINDOW);
    }
    tom.says("Is the new stack up?");
    jerry.sees("Tom: Is the new stack up?");
    jerry.says("Yes, on my machine. Same template, same handlers.");
    tom.sees("Jerry: Yes, on my machine. Same template, same handlers.");
    tom.says("Then to AWS with it.");
    jerry.sees("Tom: Then to AWS with it.");
    for (scheme, line) in [("light", "#d0d7de"), ("dark", "#30363d")] {
        let shots = [&mut tom, &mut jerry].map(|window| {
            prefers(window, scheme);
            // Two frames later everything is painted in the new colours.
            window.eval(
                "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))",
            );
            window.screenshot()
        });
        let picture = side_by_side(&mut scene, shots, line);
        let name = format!("two-windows-{scheme}.png");
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../docs/images")
            .join(&name);
        assert!(
            picture.len() <= MAX_BYTES,
            "{name}: {} bytes",
            picture.len()
        );
        if std::env::var_os("CHATCTL_PICTURES").is_some() {
            std::fs::write(path, picture).unwrap();
        } else {
            let kept = std::fs::read(path).unwrap();
            assert_eq!(
                size(&kept),
                size(&picture),
                "{name}: `cargo xtask pictures` takes it anew"
            );
        }
    }
}
