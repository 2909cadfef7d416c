//! One stack, as CloudFormation keeps it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// How often a stack is described as under way before it settles.
const STEPS: usize = 2;

/// What AWS cannot make, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure {
    pub(crate) logical_id: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) reason: &'static str,
}

/// What a stack is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Design {
    pub(crate) template: Value,
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Design {
    /// Logical ids and types.
    pub(crate) fn resources(&self) -> Vec<(&str, &str)> {
        let resources = self.template["Resources"].as_object().unwrap();
        let typed = resources.iter();
        typed
            .map(|(id, resource)| (id.as_str(), resource["Type"].as_str().unwrap()))
            .collect()
    }

    pub(crate) fn functions(&self) -> Vec<&str> {
        let resources = self.resources().into_iter();
        resources
            .filter(|(_, kind)| *kind == "AWS::Lambda::Function")
            .map(|(id, _)| id)
            .collect()
    }

    /// The key of the code that a function is to run.
    pub(crate) fn code(&self, function: &str) -> String {
        let key = &self.template["Resources"][function]["Properties"]["Code"]["S3Key"]["Ref"];
        self.parameters[key.as_str().unwrap()].clone()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct ChangeSet {
    pub(crate) name: String,
    pub(crate) design: Design,
    pub(crate) is_executed: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: usize,
    pub(crate) logical_id: String,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) token: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) design: Design,
    pub(crate) change_sets: Vec<ChangeSet>,
    pub(crate) events: Vec<Event>,
    /// The keys of the code that runs, by function; a hotswap changes them past the design.
    pub(crate) code: BTreeMap<String, String>,
    /// What is to come: how often it is still described as it is, and the status then.
    coming: Option<(usize, String, String)>,
}

impl Stack {
    /// The shell that a first change set makes.
    pub(crate) fn shell(name: &str, number: usize) -> Self {
        Self {
            name: name.to_owned(),
            id: format!("arn:aws:cloudformation:eu-west-1:123456789012:stack/{name}/{number:08}"),
            status: "REVIEW_IN_PROGRESS".into(),
            design: Design::default(),
            change_sets: Vec::new(),
            events: Vec::new(),
            code: BTreeMap::new(),
            coming: None,
        }
    }

    fn event(&mut self, logical_id: &str, kind: &str, status: &str, token: &str) {
        let id = self.events.len();
        self.events.push(Event {
            id,
            logical_id: logical_id.to_owned(),
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: None,
            token: token.to_owned(),
        });
    }

    fn failure(&mut self, word: &str, failure: &Failure, token: &str) {
        let status = format!("{word}_FAILED");
        self.event(failure.logical_id, failure.kind, &status, token);
        if let Some(event) = self.events.last_mut() {
            event.reason = Some(failure.reason.to_owned());
        }
    }

    fn own_event(&mut self, status: &str, token: &str) {
        let name = self.name.clone();
        status.clone_into(&mut self.status);
        self.event(&name, "AWS::CloudFormation::Stack", status, token);
    }

    /// Begins what `name` says, with the code that lies in `objects`; `failures` are what comes of it, if there are any.
    /// `false` when it cannot be begun.
    pub(crate) fn execute(
        &mut self,
        name: &str,
        token: &str,
        objects: &BTreeSet<String>,
        failures: &[Failure],
    ) -> bool {
        let found = self.change_sets.iter_mut().find(|set| set.name == name);
        let Some(set) = found.filter(|set| !set.is_executed) else {
            return false;
        };
        set.is_executed = true;
        let design = set.design.clone();
        let word = if self.status == "REVIEW_IN_PROGRESS" {
            "CREATE"
        } else {
            "UPDATE"
        };
        self.own_event(&format!("{word}_IN_PROGRESS"), token);
        let missing = design
            .functions()
            .into_iter()
            .map(str::to_owned)
            .find(|function| !objects.contains(&design.code(function)));
        if let Some(function) = &missing {
            self.event(
                function,
                "AWS::Lambda::Function",
                &format!("{word}_FAILED"),
                token,
            );
        }
        for failure in failures {
            self.failure(word, failure, token);
        }
        let end = match missing.is_some() || !failures.is_empty() {
            true if word == "CREATE" => {
                self.design = design;
                "ROLLBACK_COMPLETE".to_owned()
            }
            true => "UPDATE_ROLLBACK_COMPLETE".to_owned(),
            false => {
                for function in design.functions() {
                    self.code.insert(function.to_owned(), design.code(function));
                }
                self.design = design;
                format!("{word}_COMPLETE")
            }
        };
        self.coming = Some((STEPS, end, token.to_owned()));
        true
    }

    pub(crate) fn delete(&mut self, token: &str) {
        if self.status.starts_with("DELETE_") {
            return;
        }
        self.own_event("DELETE_IN_PROGRESS", token);
        self.coming = Some((STEPS, "DELETE_COMPLETE".into(), token.to_owned()));
    }

    /// Time passes.
    pub(crate) fn step(&mut self) {
        let Some((steps, end, token)) = self.coming.take() else {
            return;
        };
        match steps {
            0 => self.own_event(&end, &token),
            _ => self.coming = Some((steps - 1, end, token)),
        }
    }
}
