//! What a reference leads to.

use std::collections::HashMap;

use serde_json::Value;

use super::bounds::Budget;
use super::error::{Position, TemplateError};
use super::evaluate::{Rendering, at};
use super::print::{as_text, kind};
use super::syntax::{Reference, Step};
use super::{functions, lists, maps, texts};

/// The methods that change what they are called on.
const CHANGING: [&str; 6] = ["add", "addAll", "clear", "put", "putAll", "remove"];

/// What a call costs in steps, beside what it looks at.
const CALL: usize = 4;

impl Reference {
    /// Whether it begins with a variable of API Gateway's.
    pub(super) fn is_ours(&self) -> bool {
        ["input", "util", "context", "stageVariables"].contains(&self.name.as_str())
    }
}

impl Rendering<'_> {
    /// The value of `reference`; null if there is none.
    pub(super) fn reference(&mut self, reference: &Reference) -> Result<Value, TemplateError> {
        let position = reference.position;
        let mut steps = reference.steps.iter();
        if reference.name == "input" {
            // It may be parsed anew each time.
            self.spend(self.inputs.body.len() / 64, position)?;
        }
        let mut value = match reference.name.as_str() {
            "input" => match steps.next() {
                Some(Step::Property(name)) if name == "body" => functions::body(self.inputs),
                Some(Step::Call {
                    method,
                    arguments,
                    position,
                }) => {
                    let arguments = self.arguments(arguments)?;
                    functions::input(self.inputs, method, &arguments, &mut self.budget)
                        .map_err(at(*position))?
                }
                _ => {
                    let reason = "`$input` has body, json(path), path(path) and params()";
                    return Err(TemplateError::new(position, reason));
                }
            },
            "util" => match steps.next() {
                Some(Step::Call {
                    method,
                    arguments,
                    position,
                }) => {
                    let arguments = self.arguments(arguments)?;
                    for argument in &arguments {
                        self.budget.copy(argument).map_err(at(*position))?;
                    }
                    functions::util(method, &arguments).map_err(at(*position))?
                }
                _ => return Err(TemplateError::new(position, "`$util` has functions only")),
            },
            name => {
                if let Some(value) = self.change(reference)? {
                    return Ok(value);
                }
                let is_property = |step: &&Step| matches!(step, Step::Property(_));
                let walked = reference.steps.iter().take_while(is_property).count();
                let found = self.walk(name, &reference.steps[..walked]);
                self.budget.copy(&found).map_err(at(position))?;
                steps = reference.steps[walked..].iter();
                found
            }
        };
        for step in steps {
            value = self.step(value, step, position)?;
        }
        self.budget.copy(&value).map_err(at(position))?;
        Ok(value)
    }

    /// A variable, and the members that `steps` name.
    fn walk(&self, name: &str, steps: &[Step]) -> Value {
        let (root, steps) = match (name, steps) {
            ("context", _) => (Some(self.inputs.context), steps),
            ("stageVariables", [Step::Property(name), rest @ ..]) => {
                (self.inputs.variables.and_then(|all| all.get(name)), rest)
            }
            ("stageVariables", []) => {
                return self.inputs.variables.cloned().unwrap_or_default().into();
            }
            (name, _) => (self.variables.get(name), steps),
        };
        let found = steps.iter().try_fold(root, |value, step| match step {
            Step::Property(name) => Some(value?.get(name.as_str())),
            _ => None,
        });
        found.flatten().cloned().unwrap_or_default()
    }

    fn step(
        &mut self,
        value: Value,
        step: &Step,
        position: Position,
    ) -> Result<Value, TemplateError> {
        self.spend(1, position)?;
        Ok(match step {
            Step::Property(name) => match value {
                Value::Object(mut members) => members.remove(name).unwrap_or_default(),
                _ => Value::Null,
            },
            Step::Index(index) => {
                let index = self.expression(index)?;
                element(&value, &index).cloned().unwrap_or_default()
            }
            Step::Call {
                method,
                arguments,
                position,
            } => {
                self.spend(CALL, *position)?;
                self.budget.copy(&value).map_err(at(*position))?;
                let arguments = self.arguments(arguments)?;
                call(value, method, &arguments, &mut self.budget).map_err(at(*position))?
            }
        })
    }

    fn arguments(
        &mut self,
        arguments: &[super::syntax::Expression],
    ) -> Result<Vec<Value>, TemplateError> {
        arguments.iter().map(|one| self.expression(one)).collect()
    }

    /// Calls a method that changes a variable, if that is what `reference` does.
    fn change(&mut self, reference: &Reference) -> Result<Option<Value>, TemplateError> {
        let Some((
            Step::Call {
                method,
                arguments,
                position,
            },
            path,
        )) = reference.steps.split_last()
        else {
            return Ok(None);
        };
        let is_call = |step: &Step| matches!(step, Step::Call { .. });
        if !CHANGING.contains(&method.as_str()) || path.iter().any(is_call) {
            return Ok(None);
        }
        let arguments = self.arguments(arguments)?;
        let keys = self.keys(path)?;
        let target = keys.and_then(|keys| target(&mut self.variables, &reference.name, &keys));
        let Some(target) = target else {
            return Ok(Some(Value::Null));
        };
        let budget = &mut self.budget;
        let result = match target {
            Value::Array(items) => lists::change(items, method, &arguments, budget),
            Value::Object(members) => maps::change(members, method, &arguments, budget),
            other => Err(format!("{} has no method `{method}`", kind(other))),
        };
        result.map(Some).map_err(at(*position))
    }

    /// Sets a variable, or a member of one.
    pub(super) fn set(&mut self, target: &Reference, value: Value) -> Result<(), TemplateError> {
        let Some((last, path)) = target.steps.split_last() else {
            self.variables.insert(target.name.clone(), value);
            return Ok(());
        };
        let key = match last {
            Step::Property(name) => Value::from(name.as_str()),
            Step::Index(index) => self.expression(index)?,
            Step::Call { position, .. } => {
                return Err(TemplateError::new(*position, "a call cannot be set"));
            }
        };
        let position = target.position;
        let keys = self.keys(path)?;
        match keys.and_then(|keys| self::target(&mut self.variables, &target.name, &keys)) {
            Some(Value::Object(members)) => {
                members.insert(as_text(&key).into_owned(), value);
                Ok(())
            }
            Some(Value::Array(items)) => {
                let index = key.as_u64().and_then(|index| usize::try_from(index).ok());
                let slot = index.and_then(|index| items.get_mut(index));
                let missing = || TemplateError::new(position, "the list has no such element");
                *slot.ok_or_else(missing)? = value;
                Ok(())
            }
            _ => Err(TemplateError::new(
                position,
                "only members of maps and lists can be set",
            )),
        }
    }

    /// The names and places that `path` leads through; `None` if there is a call among them.
    fn keys(&mut self, path: &[Step]) -> Result<Option<Vec<Value>>, TemplateError> {
        let mut keys = Vec::with_capacity(path.len());
        for step in path {
            keys.push(match step {
                Step::Property(name) => Value::from(name.as_str()),
                Step::Index(index) => self.expression(index)?,
                Step::Call { .. } => return Ok(None),
            });
        }
        Ok(Some(keys))
    }
}

fn target<'v>(
    variables: &'v mut HashMap<String, Value>,
    name: &str,
    keys: &[Value],
) -> Option<&'v mut Value> {
    let root = variables.get_mut(name);
    keys.iter().fold(root, |value, key| match value? {
        Value::Object(members) => members.get_mut(as_text(key).as_ref()),
        Value::Array(items) => items.get_mut(usize::try_from(key.as_u64()?).ok()?),
        _ => None,
    })
}

fn element<'v>(value: &'v Value, index: &Value) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(as_text(index).as_ref()),
        Value::Array(items) => lists::element(items, index),
        _ => None,
    }
}

/// The method of a value. On nothing, every method gives nothing.
fn call(
    value: Value,
    method: &str,
    arguments: &[Value],
    budget: &mut Budget,
) -> Result<Value, String> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    match (method, arguments) {
        ("toString", []) => return Ok(as_text(&value).into()),
        ("equals", [other]) => return Ok((value == *other).into()),
        _ => {}
    }
    let what = kind(&value);
    let result = match value {
        Value::String(text) => texts::call(&text, method, arguments, budget)?,
        Value::Array(items) => lists::call(items, method, arguments, budget)?,
        Value::Object(members) => maps::call(&members, method, arguments, budget)?,
        Value::Number(number) => match (method, arguments) {
            ("intValue" | "longValue", []) => {
                #[expect(clippy::cast_possible_truncation, reason = "what Java's intValue does")]
                let whole = number
                    .as_i64()
                    .or(number.as_f64().map(|float| float as i64));
                whole.map(Value::from)
            }
            ("doubleValue", []) => number.as_f64().map(Value::from),
            _ => None,
        },
        _ => None,
    };
    result.ok_or_else(|| {
        format!(
            "{what} has no method `{method}` with {} arguments",
            arguments.len()
        )
    })
}
