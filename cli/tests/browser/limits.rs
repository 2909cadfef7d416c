//! What cannot be sent, and what comes back as an error.

use crate::scene::Scene;

const FRAME: usize = 32 * 1024;

#[test]
fn a_text_that_a_browser_cannot_send_is_refused_and_stays_in_its_field() {
    let mut scene = Scene::new("");
    let mut tom = scene.tom();
    let mut jerry = scene.jerry();
    jerry.until_status("Connected");
    // Counted in bytes: one letter fewer than the limit, but one of them has two.
    let long = "x".repeat(FRAME - 1) + "ü";
    tom.says(&long);
    tom.until(
        "the reason is shown",
        "document.querySelector('#note').innerText.includes('32,769 bytes')",
    );
    assert_eq!(
        tom.eval("document.querySelector('#text').value.length"),
        FRAME
    );
    assert_eq!(tom.messages(), [""; 0]);
    let longest = "x".repeat(FRAME - 2) + "ü";
    tom.fill("#text", &longest);
    tom.press("Enter", false);
    jerry.sees(&format!("Tom: {longest}"));
    assert_eq!(tom.text_of("#note"), "");
    assert_eq!(tom.status(), "Connected as Tom, talking to Jerry");
}

#[test]
fn the_envelope_counts_too() {
    let mut scene = Scene::unprobed("[[routes]]\nkey = \"send\"\ntext = \"said\"\n");
    let mut tom = scene.tom();
    tom.says(&"\"".repeat(FRAME / 2));
    tom.until(
        "the reason is shown",
        &format!(
            "document.querySelector('#note').innerText.includes('{}')",
            "32,795 bytes"
        ),
    );
}

#[test]
pub(crate) fn an_error_of_the_gateway_is_an_error_and_not_a_user_s_words() {
    let mut scene = Scene::new("[[routes]]\nkey = \"send\"\n");
    let mut tom = scene.tom();
    tom.until_status("Connected");
    // Nothing selects a route, and there is none by default.
    tom.eval("chat._line.send('no JSON')");
    tom.sees("Error: Forbidden");
    assert_eq!(tom.status(), "Connected as Tom, talking to Jerry");
    // The same stack by a page without settings.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/web/index.html");
    let mut stranger = scene.window(&format!("file://{folder}"));
    stranger.fill("#endpoint", &scene.endpoint);
    stranger.fill("#from", "Jerry");
    stranger.fill("#to", "Tom");
    stranger.fill("#key", "send");
    stranger.click("#connect");
    stranger.until_status("Connected as Jerry, talking to Tom");
    stranger.says("by hand");
    tom.sees("Jerry: by hand");
}

#[test]
pub(crate) fn what_a_backend_or_a_gateway_sends_is_distinguished_from_what_people_say() {
    let mut scene = Scene::new("");
    let mut window = scene.tom();
    for (frame, kind, text) in [
        (r#"{"action":"newMessage","payload":"Hi"}"#, "text", "Hi"),
        (
            r#"{"message": "Internal server error", "connectionId":"a=", "requestId":"b="}"#,
            "error",
            "Internal server error",
        ),
        (
            r#"{"error":"MissingText","message":"there is no `text`","route":"send"}"#,
            "error",
            "there is no `text`",
        ),
        // A user's words, however much they look like JSON.
        (r#"{"message":"hi"}"#, "text", r#"{"message":"hi"}"#),
        (
            r#"{"action":"newMessage","payload":1}"#,
            "text",
            r#"{"action":"newMessage","payload":1}"#,
        ),
        ("null", "text", "null"),
        ("{", "text", "{"),
        ("", "text", ""),
    ] {
        let read = window.eval(&format!("chat.read({})", serde_json::json!(frame)));
        assert_eq!(read, serde_json::json!([kind, text]), "{frame}");
    }
}

#[test]
pub(crate) fn a_handshake_that_is_refused_says_so_backs_off_and_can_be_corrected() {
    let mut scene = Scene::new("");
    let mut window = scene.stranger();
    window.fill("#from", "Tom");
    window.fill("#to", "Jerry");
    window.eval("document.querySelector('#details').open = true");
    window.fill("#endpoint", &scene.endpoint.replace("/v1", "/nowhere"));
    window.click("#connect");
    window.until_status("The server did not accept the connection");
    window.until(
        "it says when it will try again, and offers to try now",
        "document.querySelector('#countdown').innerText.startsWith('Next attempt in ') \
         && document.querySelector('#now').checkVisibility() && document.querySelector('#send').disabled",
    );
    window.until("it tries again and again", "chat._attempts >= 3");
    window.click("#disconnect");
    window.until_status("Not connected");
    window.fill("#endpoint", "https://example.invalid");
    window.click("#connect");
    assert_eq!(window.status(), "Not connected");
    assert_eq!(
        window.eval("document.querySelector('#endpoint').validationMessage"),
        "It begins with wss:// or, on this machine, with ws://"
    );
    window.fill("#endpoint", &scene.endpoint);
    window.click("#connect");
    window.until_status("Connected as Tom");
}
