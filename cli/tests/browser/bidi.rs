//! WebDriver BiDi (<https://www.w3.org/TR/webdriver-bidi/>): one session of a browser, and its windows.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Map, Value, json};
use testing::blocking::Client;

/// The session, which the windows of a browser share.
pub(crate) type Session = Rc<RefCell<Connection>>;

pub(crate) struct Connection {
    socket: Client,
    last: u64,
    /// What the browser complained about, with the window.
    complaints: Vec<(String, String)>,
}

impl Connection {
    /// Begins the one session at `url`.
    pub(crate) fn open(url: &str) -> Session {
        let mut connection = Self {
            socket: Client::open(url, []).unwrap(),
            last: 0,
            complaints: Vec::new(),
        };
        connection.call("session.new", json!({ "capabilities": {} }));
        let events = json!({ "events": ["log.entryAdded"] });
        connection.call("session.subscribe", events);
        Rc::new(RefCell::new(connection))
    }

    /// Calls a method, which must succeed.
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.attempt(method, parameters)
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn attempt(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.last += 1;
        let request = json!({ "id": self.last, "method": method, "params": parameters });
        self.socket.send(&request.to_string());
        loop {
            let mut message: Value = serde_json::from_str(&self.socket.receive()).unwrap();
            if message["id"] == self.last {
                return match message["type"].as_str() {
                    Some("success") => Ok(message["result"].take()),
                    _ => Err(message),
                };
            }
            let entry = &message["params"];
            if message["method"] == "log.entryAdded" && entry["level"] == "error" {
                let window = entry["source"]["context"].as_str().unwrap_or_default();
                let reported = entry["text"].as_str().unwrap_or_default();
                // The page says itself that a connection has failed.
                if !reported.contains("establish a connection")
                    && !reported.contains("was interrupted")
                {
                    self.complaints
                        .push((window.to_owned(), reported.to_owned()));
                }
            }
        }
    }
}

/// A window.
pub(crate) struct Context {
    session: Session,
    id: String,
}

impl Context {
    pub(crate) fn new(session: &Session) -> Self {
        let made = session
            .borrow_mut()
            .call("browsingContext.create", json!({ "type": "window" }));
        let mut context = Self {
            session: Rc::clone(session),
            id: made["context"].as_str().unwrap().to_owned(),
        };
        // Refusals by the page's policy are in no log.
        context.before_every_page(
            "globalThis.violations = []; addEventListener('securitypolicyviolation', \
             event => violations.push(`${event.violatedDirective}: ${event.blockedURI}`));",
        );
        context
    }

    fn call(&mut self, method: &str, mut parameters: Value) -> Value {
        parameters["context"] = self.id.as_str().into();
        self.session.borrow_mut().call(method, parameters)
    }

    pub(crate) fn before_every_page(&mut self, script: &str) {
        let script = json!({ "functionDeclaration": format!("() => {{ {script} }}"), "contexts": [self.id] });
        self.session
            .borrow_mut()
            .call("script.addPreloadScript", script);
    }

    pub(crate) fn visit(&mut self, url: &str) {
        let address = json!({ "url": url, "wait": "complete" });
        self.call("browsingContext.navigate", address);
        // A form's fields take the focus, and keys, only in the window in front.
        self.call("browsingContext.activate", json!({}));
    }

    pub(crate) fn reload(&mut self) {
        self.call("browsingContext.reload", json!({ "wait": "complete" }));
    }

    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        let viewport = json!({ "viewport": { "width": width, "height": height } });
        self.call("browsingContext.setViewport", viewport);
    }

    pub(crate) fn screenshot(&mut self) -> Value {
        self.call("browsingContext.captureScreenshot", json!({}))
    }

    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let parameters = json!({
            "expression": expression, "target": { "context": self.id }, "awaitPromise": true, "resultOwnership": "none",
        });
        let answer = self
            .session
            .borrow_mut()
            .attempt("script.evaluate", parameters);
        match answer {
            Ok(answer) if answer["type"] == "success" => plain(&answer["result"]),
            // It threw, or its document has gone.
            Ok(_) | Err(_) => Value::Null,
        }
    }

    pub(crate) fn types(&mut self, text: &str) {
        // Key by key, a long text takes seconds.
        if text.len() > 40 {
            let insert = format!("document.execCommand('insertText', false, {})", json!(text));
            assert_eq!(self.eval(&insert), true, "the text is not inserted");
            return;
        }
        let keys = text.chars().map(String::from);
        self.keys(&keys.collect::<Vec<_>>(), false);
    }

    /// The keys' values are those of <https://www.w3.org/TR/webdriver2/#keyboard-actions>.
    pub(crate) fn press(&mut self, key: &str, shift: bool) {
        let value = match key {
            "Enter" => "\u{e007}",
            "Tab" => "\u{e004}",
            " " => " ",
            _ => panic!("what is the value of {key}?"),
        };
        self.keys(&[value.to_owned()], shift);
    }

    fn keys(&mut self, keys: &[String], shift: bool) {
        let step = |kind: &str, key: &str| json!({ "type": kind, "value": key });
        let mut steps = Vec::new();
        steps.extend(shift.then(|| step("keyDown", "\u{e008}")));
        for key in keys {
            steps.extend([step("keyDown", key), step("keyUp", key)]);
        }
        steps.extend(shift.then(|| step("keyUp", "\u{e008}")));
        self.call("browsingContext.activate", json!({}));
        let actions = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": steps }] });
        self.call("input.performActions", actions);
    }

    pub(crate) fn complaints(&mut self) -> Vec<String> {
        let violations = self.eval("globalThis.violations");
        let violations = violations.as_array().cloned().unwrap_or_default();
        let connection = self.session.borrow();
        let logged = connection.complaints.iter();
        let logged = logged.filter(|(window, _)| *window == self.id);
        let logged = logged.map(|(_, reported)| reported.clone());
        logged
            .chain(violations.iter().map(ToString::to_string))
            .collect()
    }
}

/// A value as JSON, from the form in which scripts' results are serialised.
fn plain(value: &Value) -> Value {
    let inside = &value["value"];
    match value["type"].as_str() {
        Some("string" | "boolean" | "number") => inside.clone(),
        Some("array") => inside.as_array().into_iter().flatten().map(plain).collect(),
        Some("object") => {
            let pairs = inside.as_array().into_iter().flatten();
            let members: Map<_, _> = pairs
                .map(|pair| {
                    let name = pair[0].as_str().unwrap_or_default();
                    (name.to_owned(), plain(&pair[1]))
                })
                .collect();
            members.into()
        }
        _ => Value::Null,
    }
}
