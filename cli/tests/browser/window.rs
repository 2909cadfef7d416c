//! One window: what is shown in it, and the keys that are pressed in it.

use std::time::Instant;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use testing::blocking::Client;

use crate::project::PATIENCE;

/// One DevTools connection.
pub(crate) struct Connection {
    socket: Client,
    last: u64,
    /// What the browser complained about.
    complaints: Vec<String>,
}

impl Connection {
    pub(crate) fn open(url: &str) -> Self {
        Self {
            socket: Client::open(url, []).unwrap(),
            last: 0,
            complaints: Vec::new(),
        }
    }

    /// Calls a method, which must succeed.
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let request = json!({ "id": self.last, "method": method, "params": parameters });
        self.socket.send(&request.to_string());
        loop {
            let mut message: Value = serde_json::from_str(&self.socket.receive()).unwrap();
            if message["id"] == self.last {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].take();
            }
            let told = match message["method"].as_str() {
                Some("Runtime.exceptionThrown") => &message["params"]["exceptionDetails"],
                Some("Log.entryAdded") if message["params"]["entry"]["level"] == "error" => {
                    &message["params"]["entry"]["text"]
                }
                _ => continue,
            };
            self.complaints.push(told.to_string());
        }
    }
}

/// A window of the browser.
pub(crate) struct Window(Connection);

impl Window {
    pub(crate) fn new(mut connection: Connection) -> Self {
        for domain in ["Page", "Runtime", "Log"] {
            connection.call(&format!("{domain}.enable"), json!({}));
        }
        // Every window believes that it is the one in front.
        connection.call(
            "Emulation.setFocusEmulationEnabled",
            json!({ "enabled": true }),
        );
        Self(connection)
    }

    /// Runs `script` in every document from now on, before the page's own.
    pub(crate) fn before_every_page(&mut self, script: &str) {
        let script = json!({ "source": script });
        self.0.call("Page.addScriptToEvaluateOnNewDocument", script);
    }

    /// Shows `url` and waits until the page has started.
    pub(crate) fn visit(&mut self, url: &str) {
        let shown = self.0.call("Page.navigate", json!({ "url": url }));
        assert!(shown["errorText"].is_null(), "{url}: {shown}");
        self.until("the page is there", "document.readyState === 'complete'");
    }

    pub(crate) fn reload(&mut self) {
        self.eval("window.isOld = true");
        self.0.call("Page.reload", json!({}));
        self.until(
            "it is loaded again",
            "!window.isOld && document.readyState === 'complete'",
        );
    }

    /// Makes the window be on another device, by one of the methods of DevTools' domain `Emulation`.
    pub(crate) fn emulates(&mut self, method: &str, parameters: Value) {
        self.0.call(&format!("Emulation.{method}"), parameters);
    }

    /// What the window shows, as a PNG.
    pub(crate) fn screenshot(&mut self) -> Vec<u8> {
        let shot = self
            .0
            .call("Page.captureScreenshot", json!({ "format": "png" }));
        BASE64_STANDARD
            .decode(shot["data"].as_str().unwrap())
            .unwrap()
    }

    /// What a JavaScript expression comes to; `null` while one document makes way for another.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let parameters =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.0.call("Runtime.evaluate", parameters);
        answer["result"]["value"].take()
    }

    /// Waits until `condition` holds; each look at it waits a moment inside the browser, which has other things to do.
    pub(crate) fn until(&mut self, what: &str, condition: &str) {
        let deadline = Instant::now() + PATIENCE;
        let look = format!(
            "new Promise(done => setTimeout(() => {{ try {{ done(Boolean({condition})) }} catch {{ done(false) }} }}, 5))"
        );
        while self.eval(&look) != true {
            assert!(
                Instant::now() < deadline,
                "it did not happen within {PATIENCE:?}: {what}\nstatus: {}\nmessages: {:#?}\ncomplaints: {:#?}",
                self.status(),
                self.messages(),
                self.0.complaints,
            );
        }
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
            .eval("[...document.querySelectorAll('#log li')].map(li => li.innerText)")
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
            "[...document.querySelectorAll('#log li')].some(li => li.innerText === {})",
            json!(line)
        );
        self.until(&format!("{line:?} is shown"), &condition);
    }

    /// Writes into whatever has the focus.
    pub(crate) fn types(&mut self, text: &str) {
        self.0.call("Input.insertText", json!({ "text": text }));
    }

    /// Presses and releases a key, by its name in DOM events; `shift` is held down meanwhile.
    pub(crate) fn press(&mut self, key: &str, shift: bool) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            " " => (32, " "),
            _ => panic!("what is the code of {key}?"),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({
                "type": kind, "key": key, "code": if key == " " { "Space" } else { key },
                "windowsVirtualKeyCode": code, "modifiers": if shift { 8 } else { 0 },
            });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.0.call("Input.dispatchKeyEvent", event);
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
        self.eval("0");
        self.0.complaints.clone()
    }
}
