//! Renders nodes.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::bounds::{Budget, ROUNDS, within};
use super::error::{Position, TemplateError};
use super::inputs::Inputs;
use super::operators;
use super::print::as_text;
use super::syntax::{Expression, Node, Operator};

/// How a block ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Stop,
}

/// What came of a rendering.
pub(super) enum Rendered {
    Text(String),
    Faulty(TemplateError),
    /// It ran out of its budget.
    Unfinished(TemplateError),
}

/// A rendering under way.
pub(super) struct Rendering<'s> {
    pub(super) inputs: &'s Inputs<'s>,
    pub(super) variables: HashMap<String, Value>,
    pub(super) budget: Budget<'s>,
}

pub(super) fn render<'s>(nodes: &[Node], inputs: &'s Inputs<'s>, budget: Budget<'s>) -> Rendered {
    let mut rendering = Rendering {
        inputs,
        variables: HashMap::new(),
        budget,
    };
    let mut text = String::new();
    match rendering.block(nodes, &mut text) {
        Ok(_) => Rendered::Text(text),
        Err(fault) if rendering.budget.is_spent() => Rendered::Unfinished(fault),
        Err(fault) => Rendered::Faulty(fault),
    }
}

impl Rendering<'_> {
    fn block(&mut self, nodes: &[Node], text: &mut String) -> Result<Flow, TemplateError> {
        for node in nodes {
            match self.node(node, text)? {
                Flow::On => {}
                ended => return Ok(ended),
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &Node, text: &mut String) -> Result<Flow, TemplateError> {
        let start = Position { line: 1, column: 1 };
        self.spend(1, start)?;
        match node {
            Node::Text(literal) => {
                self.spend(literal.len() / 64, start)?;
                push(text, literal, start)?;
            }
            Node::Reference(reference) => {
                let value = self.reference(reference)?;
                let shown = match &value {
                    Value::Null if reference.is_quiet || reference.is_ours() => "".into(),
                    Value::Null => reference.source.as_str().into(),
                    value => as_text(value),
                };
                self.spend(shown.len() / 64, reference.position)?;
                push(text, &shown, reference.position)?;
            }
            Node::Set { target, value } => {
                let value = self.expression(value)?;
                self.set(target, value)?;
            }
            Node::If {
                branches,
                otherwise,
            } => {
                for (condition, body) in branches {
                    if operators::is_true(&self.expression(condition)?) {
                        return self.block(body, text);
                    }
                }
                return self.block(otherwise, text);
            }
            Node::Foreach {
                variable,
                list,
                body,
                position,
            } => return self.foreach(variable, list, body, *position, text),
            Node::Break => return Ok(Flow::Break),
            Node::Stop => return Ok(Flow::Stop),
        }
        Ok(Flow::On)
    }

    fn foreach(
        &mut self,
        variable: &str,
        list: &Expression,
        body: &[Node],
        position: Position,
        text: &mut String,
    ) -> Result<Flow, TemplateError> {
        let items = match self.expression(list)? {
            Value::Null => return Ok(Flow::On),
            Value::Array(items) => items,
            Value::Object(members) => members.into_iter().map(|(_, member)| member).collect(),
            other => {
                let reason = format!(
                    "#foreach needs a list or a map, not {}",
                    super::print::kind(&other)
                );
                return Err(TemplateError::new(position, reason));
            }
        };
        if items.len() > ROUNDS {
            let reason = format!(
                "#foreach has {} rounds, and API Gateway allows {ROUNDS}",
                items.len()
            );
            return Err(TemplateError::new(position, reason));
        }
        let before = [variable, "foreach"].map(|name| (name, self.variables.remove(name)));
        let count = items.len();
        let mut flow = Flow::On;
        for (index, item) in items.into_iter().enumerate() {
            self.spend(1, position)?;
            self.variables.insert(variable.to_owned(), item);
            let round = json!({
                "index": index,
                "count": index + 1,
                "hasNext": index + 1 < count,
                "first": index == 0,
                "last": index + 1 == count,
            });
            self.variables.insert("foreach".to_owned(), round);
            match self.block(body, text)? {
                Flow::On => {}
                Flow::Break => break,
                Flow::Stop => {
                    flow = Flow::Stop;
                    break;
                }
            }
        }
        for (name, value) in before {
            match value {
                Some(value) => self.variables.insert(name.to_owned(), value),
                None => self.variables.remove(name),
            };
        }
        Ok(flow)
    }

    pub(super) fn expression(&mut self, expression: &Expression) -> Result<Value, TemplateError> {
        let start = Position { line: 1, column: 1 };
        self.spend(1, start)?;
        match expression {
            Expression::Literal(value) => {
                self.budget.copy(value).map_err(at(start))?;
                Ok(value.clone())
            }
            Expression::Text(nodes) => {
                let mut text = String::new();
                self.block(nodes, &mut text)?;
                Ok(text.into())
            }
            Expression::Reference(reference) => self.reference(reference),
            Expression::List(items) => items.iter().map(|item| self.expression(item)).collect(),
            Expression::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let key = self.expression(key)?;
                    map.insert(as_text(&key).into_owned(), self.expression(value)?);
                }
                Ok(map.into())
            }
            Expression::Range(first, last, position) => {
                let (first, last) = (self.expression(first)?, self.expression(last)?);
                let list = operators::range(&first, &last).map_err(at(*position))?;
                self.spend(list.len(), *position)?;
                Ok(list.into())
            }
            Expression::Not(inside) => {
                let value = self.expression(inside)?;
                Ok((!operators::is_true(&value)).into())
            }
            Expression::Binary(Operator::And, left, right, _) => {
                let left = self.expression(left)?;
                let both =
                    operators::is_true(&left) && operators::is_true(&self.expression(right)?);
                Ok(both.into())
            }
            Expression::Binary(Operator::Or, left, right, _) => {
                let left = self.expression(left)?;
                let any = operators::is_true(&left) || operators::is_true(&self.expression(right)?);
                Ok(any.into())
            }
            Expression::Binary(operator, left, right, position) => {
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                let value = operators::apply(*operator, &left, &right).map_err(at(*position))?;
                self.budget.copy(&value).map_err(at(*position))?;
                Ok(value)
            }
        }
    }

    pub(super) fn spend(&mut self, steps: usize, position: Position) -> Result<(), TemplateError> {
        self.budget.spend(steps).map_err(at(position))
    }
}

/// Makes a fault at `position` of a reason.
pub(super) fn at(position: Position) -> impl Fn(String) -> TemplateError {
    move |reason| TemplateError::new(position, reason)
}

fn push(text: &mut String, more: &str, position: Position) -> Result<(), TemplateError> {
    within(text.len() + more.len()).map_err(at(position))?;
    text.push_str(more);
    Ok(())
}
