//! The functions that return a list, or select from a list or a mapping.

use super::super::node::Node;
use super::super::problem::Problem;
use super::Call;

impl Call<'_> {
    pub(super) fn select(&self) -> Result<Option<Node>, Problem> {
        let [index, list] = self.arguments("[index, list]")?;
        let index = self.text_of(index)?;
        let mut items = self.list_of(list)?;
        let position: usize = index.parse().map_err(|_| {
            self.problem(&format!(
                "needs a number as its index, but `{index}` is not one"
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

    pub(super) fn split(&self) -> Result<Node, Problem> {
        let [delimiter, source] = self.arguments("[delimiter, text]")?;
        let delimiter = delimiter.expect_text(self.place)?;
        if delimiter.is_empty() {
            return Err(self.problem("needs a non-empty delimiter"));
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

    pub(super) fn find_in_map(&self) -> Result<Node, Problem> {
        let [map, first, second] = self.arguments("[map name, top-level key, second-level key]")?;
        let (map, first, second) = (
            self.text_of(map)?,
            self.text_of(first)?,
            self.text_of(second)?,
        );
        let found = self
            .scope
            .mappings
            .and_then(|mappings| mappings.child(&map)?.child(&first)?.child(&second))
            .ok_or_else(|| {
                self.problem(&format!(
                    "finds nothing at {map}, {first}, {second} in the Mappings block"
                ))
            })?;
        self.scope.copy(found, self.line, self.place)
    }
}
