//! One window: what is shown in it, and the keys that are pressed in it.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use testing::blocking::try_until;

use crate::bidi;
use crate::devtools::Connection;
use crate::project::TIMEOUT;

/// A line of the conversation as its words: without the time, the status of what was sent, and buttons.
const WORDS: &str = "(li => {
    const rest = [...li.querySelectorAll('time, button, .status')].filter(one => !one.hidden);
    for (const one of rest) one.hidden = true;
    const words = li.innerText;
    for (const one of rest) one.hidden = false;
    return words;
})";

/// A window of a browser.
pub(crate) struct Window(Inner);

/// The way in which it is steered.
#[expect(clippy::large_enum_variant, reason = "a test has a handful of them")]
enum Inner {
    Chromium(Connection),
    Firefox(bidi::Context),
}

impl Window {
    pub(crate) fn from_chromium(mut connection: Connection) -> Self {
        for domain in ["Page", "Runtime", "Log"] {
            connection.call(&format!("{domain}.enable"), json!({}));
        }
        // Every window believes that it is the one in front.
        connection.call(
            "Emulation.setFocusEmulationEnabled",
            json!({ "enabled": true }),
        );
        Self(Inner::Chromium(connection))
    }

    pub(crate) fn from_firefox(context: bidi::Context) -> Self {
        Self(Inner::Firefox(context))
    }

    /// Runs `script` in every document from now on, before the page's own.
    pub(crate) fn before_every_page(&mut self, script: &str) {
        match &mut self.0 {
            Inner::Chromium(connection) => {
                let script = json!({ "source": script });
                connection.call("Page.addScriptToEvaluateOnNewDocument", script);
            }
            Inner::Firefox(context) => context.before_every_page(script),
        }
    }

    /// Shows `url` and waits until the page has started.
    pub(crate) fn visit(&mut self, url: &str) {
        match &mut self.0 {
            Inner::Chromium(connection) => {
                let shown = connection.call("Page.navigate", json!({ "url": url }));
                assert!(shown["errorText"].is_null(), "{url}: {shown}");
            }
            Inner::Firefox(context) => context.visit(url),
        }
        self.until("the page is there", "document.readyState === 'complete'");
    }

    pub(crate) fn reload(&mut self) {
        self.eval("window.isOld = true");
        match &mut self.0 {
            Inner::Chromium(connection) => drop(connection.call("Page.reload", json!({}))),
            Inner::Firefox(context) => context.reload(),
        }
        self.until(
            "it is loaded again",
            "!window.isOld && document.readyState === 'complete'",
        );
    }

    /// Makes the window be on another device, by one of the methods of DevTools' domain `Emulation`, which only Chromium has.
    pub(crate) fn emulates(&mut self, method: &str, parameters: Value) {
        match &mut self.0 {
            Inner::Chromium(connection) => {
                connection.call(&format!("Emulation.{method}"), parameters);
            }
            Inner::Firefox(_) => panic!("Firefox has no {method}"),
        }
    }

    /// Makes the window as large as the screen of a phone.
    pub(crate) fn is_a_phone(&mut self) {
        let (width, height) = (360, 640);
        match &mut self.0 {
            Inner::Chromium(connection) => {
                let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": true });
                connection.call("Emulation.setDeviceMetricsOverride", screen);
            }
            Inner::Firefox(context) => context.resize(width, height),
        }
    }

    /// What the window shows, as a PNG.
    pub(crate) fn screenshot(&mut self) -> Vec<u8> {
        let shot = match &mut self.0 {
            Inner::Chromium(connection) => {
                connection.call("Page.captureScreenshot", json!({ "format": "png" }))
            }
            Inner::Firefox(context) => context.screenshot(),
        };
        BASE64_STANDARD
            .decode(shot["data"].as_str().unwrap())
            .unwrap()
    }

    /// What a JavaScript expression comes to; `null` while one document makes way for another.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        match &mut self.0 {
            Inner::Chromium(connection) => {
                let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
                let mut answer = connection.call("Runtime.evaluate", parameters);
                answer["result"]["value"].take()
            }
            Inner::Firefox(context) => context.eval(expression),
        }
    }

    /// Waits until `condition` holds; each look at it waits a moment inside the browser, which has other things to do.
    pub(crate) fn until(&mut self, what: &str, condition: &str) {
        let look = format!(
            "new Promise(done => setTimeout(() => {{ try {{ done(Boolean({condition})) }} catch {{ done(false) }} }}, 5))"
        );
        let held = try_until(TIMEOUT, || {
            let holds = self.eval(&look) == true;
            holds.then_some(()).ok_or(())
        });
        assert!(
            held.is_ok(),
            "it did not happen within {TIMEOUT:?}: {what}\nstatus: {}\nmessages: {:#?}\ncomplaints: {:#?}",
            self.status(),
            self.messages(),
            self.complaints(),
        );
    }

    /// The line that tells how the connection is.
    pub(crate) fn status(&mut self) -> String {
        self.text_of("#status")
    }

    pub(crate) fn text_of(&mut self, selector: &str) -> String {
        let text = self.eval(&format!(
            "document.querySelector({})?.innerText",
            json!(selector)
        ));
        text.as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn until_status(&mut self, text: &str) {
        let condition = format!(
            "document.querySelector('#status').innerText.includes({})",
            json!(text)
        );
        self.until(&format!("the status says {text:?}"), &condition);
    }

    /// Every line of the conversation, as it can be read.
    pub(crate) fn messages(&mut self) -> Vec<String> {
        let lines = self
            .eval(&format!(
                "[...document.querySelectorAll('#log li')].map({WORDS})"
            ))
            .as_array()
            .cloned()
            .unwrap_or_default();
        lines
            .iter()
            .map(|line| line.as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits for a line of the conversation.
    pub(crate) fn sees(&mut self, line: &str) {
        let condition = format!(
            "[...document.querySelectorAll('#log li')].some(li => {WORDS}(li) === {})",
            json!(line)
        );
        self.until(&format!("{line:?} is shown"), &condition);
    }

    /// Waits until the conversation is these lines.
    pub(crate) fn until_messages(&mut self, lines: &[&str]) {
        let condition = format!(
            "JSON.stringify([...document.querySelectorAll('#log li')].map({WORDS})) === JSON.stringify({})",
            json!(lines)
        );
        self.until(&format!("the conversation is {lines:?}"), &condition);
    }

    /// Writes into whatever has the focus.
    pub(crate) fn types(&mut self, text: &str) {
        match &mut self.0 {
            Inner::Chromium(connection) => {
                drop(connection.call("Input.insertText", json!({ "text": text })));
            }
            Inner::Firefox(context) => context.types(text),
        }
    }

    /// Presses and releases a key, by its name in DOM events; `shift` is held down meanwhile.
    pub(crate) fn press(&mut self, key: &str, shift: bool) {
        match &mut self.0 {
            Inner::Chromium(connection) => connection.press(key, shift),
            Inner::Firefox(context) => context.press(key, shift),
        }
    }

    /// Writes a message and sends it, once there is a connection.
    pub(crate) fn says(&mut self, text: &str) {
        self.until(
            "messages can be sent",
            "!document.querySelector('#send').disabled && document.querySelector('#send').checkVisibility()",
        );
        self.focus("#text");
        self.types(text);
        self.press("Enter", false);
    }

    pub(crate) fn focus(&mut self, selector: &str) {
        self.eval(&format!(
            "document.querySelector({}).focus()",
            json!(selector)
        ));
    }

    /// Replaces what is in a field, as its user would: everything is selected, then written over.
    pub(crate) fn fill(&mut self, selector: &str, text: &str) {
        self.focus(selector);
        self.eval(&format!(
            "document.querySelector({}).select()",
            json!(selector)
        ));
        self.types(text);
    }

    pub(crate) fn click(&mut self, selector: &str) {
        self.eval(&format!(
            "document.querySelector({}).click()",
            json!(selector)
        ));
    }

    /// What the browser complained about so far: uncaught exceptions, refusals by the page's policy, failed requests.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        match &mut self.0 {
            Inner::Chromium(connection) => connection.complaints(),
            Inner::Firefox(context) => context.complaints(),
        }
    }
}
