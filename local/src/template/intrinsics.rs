//! The functions of a template:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::node::{Entry, Node, Value};
use super::problem::{Place, Problem};
use super::scope::Scope;
use super::sub::{Piece, pieces};

/// Evaluates every function inside `node`; `AWS::NoValue` yields nothing and vanishes from the map or list it is in.
pub(super) fn evaluate(
    node: &Node,
    scope: &Scope<'_>,
    place: &Place<'_>,
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
    place: &'a Place<'a>,
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
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => Err(self
                .problem("belongs into the Conditions block; name that condition in an `Fn::If`")),
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
                "names the condition `{name}`, which is not in the Conditions block"
            ))),
        }
    }

    fn substitute(&self) -> Result<String, Problem> {
        let (template, variables) = match self.argument.as_list() {
            None => (self.argument, &[][..]),
            Some(_) => {
                let [template, variables] = self.arguments("[text, map of variables]")?;
                (template, variables.expect_map(self.place)?)
            }
        };
        let text = template.expect_text(self.place)?;
        let mut result = String::new();
        for piece in
            pieces(text).map_err(|reason| Problem::new(template.line, self.place, reason))?
        {
            match piece {
                Piece::Literal(text) => result.push_str(text),
                Piece::Escaped(name) => result.extend(["${", name, "}"]),
                Piece::Reference(name) => {
                    let value = match variables.iter().find(|entry| entry.name == name) {
                        Some(entry) => self.text_of(&entry.node)?,
                        None => self.referred(name, template.line)?,
                    };
                    result.push_str(&self.scope.spend(&value, template.line, self.place)?);
                }
            }
        }
        Ok(result)
    }

    /// The text of `${Name}` or `${Name.Attribute}`.
    fn referred(&self, name: &str, line: usize) -> Result<String, Problem> {
        let value = match name.split_once('.') {
            Some((target, attribute)) => {
                Some(self.scope.attribute(target, attribute, line, self.place)?)
            }
            None => self.scope.reference(name, line, self.place)?,
        };
        value
            .as_ref()
            .and_then(Node::as_text)
            .map(str::to_owned)
            .ok_or_else(|| {
                Problem::new(
                    line,
                    self.place,
                    format!("`${{{name}}}` is not text, so it cannot become part of one"),
                )
            })
    }

    fn attribute(&self) -> Result<Node, Problem> {
        let (target, attribute) = match self.argument.as_list() {
            None => {
                let dotted = self.argument.expect_text(self.place)?;
                let (target, attribute) = dotted.split_once('.').ok_or_else(|| {
                    self.problem("must be [resource, attribute] or resource.attribute")
                })?;
                (target, attribute.to_owned())
            }
            Some(_) => {
                let [target, attribute] = self.arguments("[resource, attribute]")?;
                (target.expect_text(self.place)?, self.text_of(attribute)?)
            }
        };
        self.scope
            .attribute(target, &attribute, self.line, self.place)
    }

    fn join(&self) -> Result<String, Problem> {
        let [delimiter, list] = self.arguments("[delimiter, list of texts]")?;
        let delimiter = delimiter.expect_text(self.place)?;
        let mut result = String::new();
        for (index, item) in self.list_of(list)?.iter().enumerate() {
            if index > 0 {
                result.push_str(&self.scope.spend(delimiter, self.line, self.place)?);
            }
            result.push_str(item.expect_text(&self.place.item(index))?);
        }
        Ok(result)
    }

    fn select(&self) -> Result<Option<Node>, Problem> {
        let [index, list] = self.arguments("[index, list]")?;
        let index = self.text_of(index)?;
        let mut items = self.list_of(list)?;
        let position: usize = index.parse().map_err(|_| {
            self.problem(&format!(
                "needs a number as its index, and `{index}` is none"
            ))
        })?;
        if position >= items.len() {
            let reason = format!(
                "cannot select the value at index {position} of a list of {}",
                items.len()
            );
            return Err(self.problem(&reason));
        }
        Ok(Some(items.swap_remove(position)))
    }

    fn split(&self) -> Result<Node, Problem> {
        let [delimiter, source] = self.arguments("[delimiter, text]")?;
        let delimiter = delimiter.expect_text(self.place)?;
        if delimiter.is_empty() {
            return Err(self.problem("needs a delimiter that is not empty"));
        }
        let source = self.text_of(source)?;
        let part = |part| {
            Ok(Node::text(
                self.line,
                self.scope.spend(part, self.line, self.place)?,
            ))
        };
        Ok(Node::list(
            self.line,
            source
                .split(delimiter)
                .map(part)
                .collect::<Result<_, _>>()?,
        ))
    }

    fn find_in_map(&self) -> Result<Node, Problem> {
        let [map, first, second] = self.arguments("[map name, top-level key, second-level key]")?;
        let (map, first, second) = (
            self.text_of(map)?,
            self.text_of(first)?,
            self.text_of(second)?,
        );
        let found = self
            .scope
            .mappings
            .and_then(|mappings| mappings.child(&map)?.child(&first)?.child(&second));
        let found = found.ok_or_else(|| {
            self.problem(&format!(
                "finds nothing at {map}, {first}, {second} in the Mappings block"
            ))
        })?;
        self.scope.copy(found, self.line, self.place)
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
            None => Err(self.problem("needs a value here, and `AWS::NoValue` is none")),
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
            None => Err(self.problem("needs a list here, and `AWS::NoValue` is none")),
        }
    }

    fn text(&self, text: String) -> Result<Option<Node>, Problem> {
        self.scope.spend(&text, self.line, self.place)?;
        Ok(Some(Node::text(self.line, text)))
    }

    /// The place ends with the function's name, so that the reason goes on from there.
    fn problem(&self, reason: &str) -> Problem {
        Problem::new(self.line, self.place, format!("`{}` {reason}", self.name))
    }
}
