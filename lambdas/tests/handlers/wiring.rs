//! A stack as its functions see it: through the variables of their environment.

use std::collections::HashMap;

use chat_lambdas::environment::Environment;
use chat_lambdas::routes::Routes;
use chat_lambdas::session::Names;
use chat_lambdas::store::Index;
use conversations::{Receivers, Route, Stack};
use serde_json::{Map, Value, json};

pub(crate) struct Wiring {
    stack: &'static Stack,
    pub(crate) names: Names,
    pub(crate) index: Index,
    pub(crate) friend_routes: Routes,
    pub(crate) room_routes: Routes,
}

impl Wiring {
    pub(crate) fn of(stack: &'static Stack) -> Self {
        let has = |receivers| stack.routes_to(receivers).next().is_some();
        let (friend, room) = (has(Receivers::Friend), has(Receivers::Room));
        let mut variables = HashMap::new();
        if !friend {
            variables.insert("NAMES", "optional".to_owned());
        }
        if room {
            let index = if friend { "friend,room" } else { "room" };
            variables.insert("INDEX", index.to_owned());
        }
        let read = |variables: &HashMap<&str, String>| {
            let lookup = |name: &str| variables.get(name).cloned();
            let environment = Environment::new(&lookup);
            let routes = environment.routes().expect("routes are JSON");
            (
                environment.names().expect("a known word"),
                environment.index().expect("a known word"),
                routes,
            )
        };
        variables.insert("ROUTES", routes(stack, Receivers::Friend));
        let (names, index, friend_routes) = read(&variables);
        variables.insert("ROUTES", routes(stack, Receivers::Room));
        let (_, _, room_routes) = read(&variables);
        Self {
            stack,
            names,
            index,
            friend_routes,
            room_routes,
        }
    }

    pub(crate) fn policy(&self) -> (Names, Index) {
        (self.names, self.index)
    }

    /// The route that API Gateway selects by `$request.body.action`.
    pub(crate) fn select(&self, frame: &str) -> Option<&'static Route> {
        let frame: Value = serde_json::from_str(frame).unwrap_or_default();
        let route = |key| self.stack.routes.iter().find(|route| route.key == key);
        let named = frame["action"].as_str().and_then(route);
        named.or_else(|| route("$default"))
    }
}

fn routes(stack: &Stack, receivers: Receivers) -> String {
    let routes = stack.routes_to(receivers).map(|route| {
        let mut options = Map::new();
        options.extend(route.text.map(|text| ("text".to_owned(), json!(text))));
        options.insert("includeSender".to_owned(), json!(route.include_sender));
        options.insert("maxTextBytes".to_owned(), json!(route.max_text_bytes));
        (route.key.to_owned(), Value::Object(options))
    });
    Value::Object(routes.collect()).to_string()
}
