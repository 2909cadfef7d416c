//! A stack in the form of its functions' environment variables.

use std::collections::{BTreeMap, HashMap};

use chat_lambdas::environment::Environment;
use chat_lambdas::review::Reviewer;
use chat_lambdas::routes::{Routes, Rule};
use chat_lambdas::session::Names;
use chat_lambdas::store::Index;
use chat_protocol::variable;
use serde_json::{Value, json};
use testing::conversations::{Answers, REVIEW_FOLDER, Receivers, Route, Stack};

pub(crate) struct Wiring {
    stack: &'static Stack,
    pub(crate) names: Names,
    pub(crate) index: Index,
    pub(crate) friend_routes: Routes,
    pub(crate) room_routes: Routes,
    /// The review of each route that has one.
    pub(crate) reviews: HashMap<String, Reviewer>,
}

impl Wiring {
    pub(crate) fn new(stack: &'static Stack) -> Self {
        let has = |receivers| stack.routes_to(receivers).next().is_some();
        let (friend, room) = (has(Receivers::Friend), has(Receivers::Room));
        let mut variables = HashMap::new();
        if !friend {
            variables.insert(variable::NAMES, "optional".to_owned());
        }
        if room {
            let index = if friend { "friend,room" } else { "room" };
            variables.insert(variable::INDEX, index.to_owned());
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
        variables.insert(variable::ROUTES, routes(stack, Receivers::Friend));
        let (names, index, friend_routes) = read(&variables);
        variables.insert(variable::ROUTES, routes(stack, Receivers::Room));
        let (_, _, room_routes) = read(&variables);
        variables.insert(variable::REVIEWS, reviews(stack));
        let lookup = |name: &str| variables.get(name).cloned();
        let reviews = Environment::new(&lookup).reviews();
        let reviews = reviews.expect("reviews are JSON");
        Self {
            stack,
            names,
            index,
            friend_routes,
            room_routes,
            reviews,
        }
    }

    /// Whether it is announced who comes and who leaves.
    pub(crate) fn announces(&self) -> bool {
        self.stack.announces()
    }

    pub(crate) fn policy(&self) -> (Names, Index) {
        (self.names, self.index)
    }

    /// The route that API Gateway selects by `$request.body.action`.
    pub(crate) fn select(&self, frame: &str) -> Option<Selected> {
        let frame: Value = serde_json::from_str(frame).unwrap_or_default();
        let route = |key| self.stack.routes.iter().find(|route| route.key == key);
        let action = frame["action"].as_str();
        let mut answers = self.stack.answers.iter();
        if let Some((key, answers)) = answers.find(|(key, _)| Some(*key) == action) {
            return Some(Selected::Request(key, *answers));
        }
        let named = action.and_then(route);
        let route = named.or_else(|| route("$default"));
        route.map(Selected::Messages)
    }
}

/// The reviews of both functions, as the stack's template has them.
fn reviews(stack: &Stack) -> String {
    let reviewed = stack.routes.iter().filter(|route| route.review);
    let reviews: BTreeMap<_, _> = reviewed
        .map(|route| (route.key, json!({ "function": REVIEW_FOLDER })))
        .collect();
    json!(reviews).to_string()
}

/// A route of a stack.
pub(crate) enum Selected {
    Messages(&'static Route),
    /// With its key.
    Request(&'static str, Answers),
}

fn routes(stack: &Stack, receivers: Receivers) -> String {
    let routes = stack.routes_to(receivers).map(|route| {
        let rule = Rule {
            text: route.text.map(str::to_owned),
            include_sender: route.include_sender,
            max_text_bytes: route.max_text_bytes,
            envelope: route.envelope,
            history: route.history,
        };
        (route.key, rule)
    });
    let routes: BTreeMap<_, _> = routes.collect();
    serde_json::to_string(&routes).expect("rules are JSON")
}
