//! The functions of a template:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>.

mod lists;
mod texts;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::node::{Entry, Node, Value};
use super::problem::{Problem, TemplatePath};
use super::scope::Scope;

/// Evaluates every function inside `node`. `AWS::NoValue` removes itself from its map or list.
pub(super) fn evaluate(
    node: &Node,
    scope: &Scope<'_>,
    place: &TemplatePath<'_>,
) -> Result<Option<Node>, Problem> {
    let problem = |reason: String| Problem::new(node.line, place, reason);
    let value = match &node.value {
        Value::Null => {
            return Err(problem(
                "null values are not allowed in templates".to_owned(),
            ));
        }
        Value::Plain(text) => Value::Plain(scope.spend(text, node.line, place)?),
        Value::Text(text) => Value::Text(scope.spend(text, node.line, place)?),
        Value::List(items) => {
            scope.spend("", node.line, place)?;
            let mut values = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                values.extend(evaluate(item, scope, &place.item(index))?);
            }
            Value::List(values)
        }
        Value::Map(entries) => {
            if let [
                Entry {
                    name,
                    node: argument,
                    line,
                },
            ] = entries.as_slice()
                && (name == "Ref" || name.starts_with("Fn::"))
            {
                return Call {
                    name,
                    argument,
                    line: *line,
                    scope,
                    place: &place.key(name),
                }
                .evaluate();
            }
            scope.spend("", node.line, place)?;
            let mut values = Vec::with_capacity(entries.len());
            for Entry { name, line, node } in entries {
                if name.starts_with("Fn::") {
                    return Err(Problem::new(
                        *line,
                        place,
                        format!("`{name}` must be the only key of its map"),
                    ));
                }
                let value = evaluate(node, scope, &place.key(name))?;
                values.extend(value.map(|node| Entry {
                    name: name.clone(),
                    line: *line,
                    node,
                }));
            }
            Value::Map(values)
        }
    };
    Ok(Some(Node {
        line: node.line,
        value,
    }))
}

/// A function with its argument.
struct Call<'a> {
    name: &'a str,
    argument: &'a Node,
    line: usize,
    scope: &'a Scope<'a>,
    place: &'a TemplatePath<'a>,
}

impl Call<'_> {
    fn evaluate(&self) -> Result<Option<Node>, Problem> {
        match self.name {
            "Ref" => self.scope.reference(
                self.argument.expect_text(self.place)?,
                self.line,
                self.place,
            ),
            "Fn::If" => self.choose(),
            "Fn::Select" => self.select(),
            "Fn::Split" => self.split().map(Some),
            "Fn::FindInMap" => self.find_in_map().map(Some),
            "Fn::GetAtt" => self.attribute().map(Some),
            "Fn::Sub" => self.text(self.substitute()?),
            "Fn::Join" => self.text(self.join()?),
            "Fn::Base64" => self.text(BASE64_STANDARD.encode(self.text_of(self.argument)?)),
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => Err(self.problem(
                "is only allowed in the Conditions block; refer to that condition in an `Fn::If`",
            )),
            "Fn::ImportValue" | "Fn::Transform" | "Fn::GetAZs" | "Fn::Cidr" | "Fn::Length"
            | "Fn::ToJsonString" | "Fn::GetStackOutput" => {
                Err(self.problem("is not supported by the local target"))
            }
            name if name.starts_with("Fn::ForEach") => {
                Err(self.problem("is not supported by the local target"))
            }
            _ => Err(self.problem("is not a CloudFormation function")),
        }
    }

    fn choose(&self) -> Result<Option<Node>, Problem> {
        let [condition, then, otherwise] =
            self.arguments("[condition name, value if true, value if false]")?;
        let name = condition.expect_text(self.place)?;
        match self.scope.conditions.get(name) {
            Some(true) => evaluate(then, self.scope, self.place),
            Some(false) => evaluate(otherwise, self.scope, self.place),
            None => Err(self.problem(&format!(
                "refers to the condition `{name}`, which is not in the Conditions block"
            ))),
        }
    }

    fn arguments<const N: usize>(&self, form: &str) -> Result<&[Node; N], Problem> {
        let list = self
            .argument
            .as_list()
            .and_then(|list| list.try_into().ok());
        list.ok_or_else(|| self.problem(&format!("must be {form}")))
    }

    fn text_of(&self, node: &Node) -> Result<String, Problem> {
        match evaluate(node, self.scope, self.place)? {
            Some(node) => node.expect_text(self.place).map(str::to_owned),
            None => Err(self.problem("needs a value here, but `AWS::NoValue` is none")),
        }
    }

    fn list_of(&self, node: &Node) -> Result<Vec<Node>, Problem> {
        match evaluate(node, self.scope, self.place)? {
            Some(Node {
                value: Value::List(items),
                ..
            }) => Ok(items),
            Some(other) => Err(Problem::new(
                node.line,
                self.place,
                format!("must be a list, but is {}", other.shape()),
            )),
            None => Err(self.problem("needs a list here, but `AWS::NoValue` is none")),
        }
    }

    fn text(&self, text: String) -> Result<Option<Node>, Problem> {
        self.scope.spend(&text, self.line, self.place)?;
        Ok(Some(Node::text(self.line, text)))
    }

    /// A problem whose place ends with the function's name; the reason continues that sentence.
    fn problem(&self, reason: &str) -> Problem {
        Problem::new(self.line, self.place, format!("`{}` {reason}", self.name))
    }
}
