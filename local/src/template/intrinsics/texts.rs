//! The functions that return a string.

use super::super::node::Node;
use super::super::problem::Problem;
use super::super::sub::{Piece, pieces};
use super::Call;

impl Call<'_> {
    pub(super) fn substitute(&self) -> Result<String, Problem> {
        let (template, variables) = match self.argument.as_list() {
            None => (self.argument, &[][..]),
            Some(_) => {
                let [template, variables] = self.arguments("[string, map of variables]")?;
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

    /// The string for `${Name}` or `${Name.Attribute}`.
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
                    format!("`${{{name}}}` is not a string, so it cannot become part of one"),
                )
            })
    }

    pub(super) fn attribute(&self) -> Result<Node, Problem> {
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

    pub(super) fn join(&self) -> Result<String, Problem> {
        let [delimiter, list] = self.arguments("[delimiter, list of strings]")?;
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
}
