//! What keeps a template from running or growing without end.
//!
//! Only the rounds of a `#foreach` are AWS's number
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>); the others stand in for the memory and
//! the time of its machines.

use serde_json::Value;

/// Rounds of one `#foreach`.
pub(super) const ROUNDS: usize = 1000;

/// Steps of one rendering: nodes and expressions evaluated, and values copied.
const STEPS: usize = 2_000_000;

/// Bytes of the rendered text, and of any text on the way to it: API Gateway's limit for a payload.
const TEXT_BYTES: usize = 10 * 1024 * 1024;

/// How deep lists and maps may lie within one another.
const DEPTH: usize = 100;

/// What is left of the steps.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(STEPS)
    }
}

impl Budget {
    /// Takes `steps`. The error says what was too much.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), String> {
        self.0 = self
            .0
            .checked_sub(steps)
            .ok_or("the template does too much: more than two million steps")?;
        Ok(())
    }

    /// Pays for a copy of `value`.
    pub(super) fn copy(&mut self, value: &Value) -> Result<(), String> {
        self.weigh(value, 0)
    }

    fn weigh(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > DEPTH {
            return Err(format!(
                "more than {DEPTH} lists and maps lie within one another"
            ));
        }
        match value {
            Value::String(text) => {
                within(text.len())?;
                self.spend(1 + text.len() / 64)
            }
            Value::Array(items) => {
                self.spend(1)?;
                items
                    .iter()
                    .try_for_each(|item| self.weigh(item, depth + 1))
            }
            Value::Object(members) => {
                self.spend(1)?;
                let mut members = members.iter();
                members.try_for_each(|(name, member)| {
                    self.spend(1 + name.len() / 64)?;
                    self.weigh(member, depth + 1)
                })
            }
            _ => self.spend(1),
        }
    }
}

/// Whether a text of `bytes` may be made.
pub(super) fn within(bytes: usize) -> Result<(), String> {
    if bytes > TEXT_BYTES {
        return Err("a text of more than 10 MB".to_owned());
    }
    Ok(())
}
