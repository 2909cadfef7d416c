//! One connection of the DevTools protocol (<https://chromedevtools.github.io/devtools-protocol/>).

use serde_json::{Value, json};
use testing::blocking::Client;

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
            let reported = match message["method"].as_str() {
                Some("Runtime.exceptionThrown") => &message["params"]["exceptionDetails"],
                Some("Log.entryAdded") if message["params"]["entry"]["level"] == "error" => {
                    &message["params"]["entry"]["text"]
                }
                _ => continue,
            };
            self.complaints.push(reported.to_string());
        }
    }

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
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Everything that came before the answer to this call has been read then.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        self.call("Runtime.evaluate", json!({ "expression": "0" }));
        self.complaints.clone()
    }
}
