//! The client of the page, by itself: its tests run in Node.js, over sockets that they script.

use std::path::Path;
use std::process::Command;

#[test]
fn chat_js_does_what_it_says_over_scripted_sockets() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = Command::new("node")
        .arg(here.join("tests/it/web_client/chat.test.mjs"))
        .env("CHAT_JS", here.join("../examples/web/chat.js"))
        .output()
        .expect("the tests need Node.js");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && said.contains("\n# fail 0\n"),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
}
