//! What keeps a template from running or growing without end.
//!
//! Only the rounds of a `#foreach` are AWS's number
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>); the others stand in for the memory and
//! the time of its machines.

use serde_json::Value;

/// How deep directives, expressions and texts in quotes may lie within one another.
pub(super) const MAX_DEPTH: usize = 60;

/// Rounds of one `#foreach`.
pub(super) const ROUNDS: usize = 1000;

/// Steps of one rendering: nodes and expressions evaluated, values copied, and what regular expressions look at.
/// A step takes some half a microsecond in a release build, so this is about a second.
const STEPS: usize = 2_000_000;

/// Steps of a rendering on a thread that others wait for: about ten milliseconds.
const STEPS_IN_PASSING: usize = 20_000;

/// The steps between two questions whether the time is over: less than a millisecond.
const STEPS_UNASKED: usize = 1_000;

/// Bytes of the rendered text, and of any text on the way to it: API Gateway's limit for a payload.
const TEXT_BYTES: usize = 10 * 1024 * 1024;

/// How deep lists and maps may lie within one another.
const DEPTH: usize = 100;

/// What is left of the steps, and whether the time is over.
pub(super) struct Budget<'b> {
    /// The steps until the next question whether the time is over.
    unasked: usize,
    /// The steps after that.
    later: usize,
    is_over: &'b dyn Fn() -> bool,
    is_spent: bool,
}

impl<'b> Budget<'b> {
    /// All that a rendering may take.
    pub(super) fn whole(is_over: &'b dyn Fn() -> bool) -> Self {
        Self::new(STEPS, is_over)
    }

    /// What a rendering may take while others wait.
    pub(super) fn in_passing(is_over: &'b dyn Fn() -> bool) -> Self {
        Self::new(STEPS_IN_PASSING, is_over)
    }

    fn new(steps: usize, is_over: &'b dyn Fn() -> bool) -> Self {
        let unasked = steps.min(STEPS_UNASKED);
        Self {
            unasked,
            later: steps - unasked,
            is_over,
            is_spent: false,
        }
    }

    /// Whether steps or time were too few.
    pub(super) fn is_spent(&self) -> bool {
        self.is_spent
    }

    /// The steps that are left.
    pub(super) fn left(&self) -> usize {
        self.unasked + self.later
    }

    /// Takes `steps`. The error says what was too much: the steps, or, as is asked now and then, the time.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), String> {
        match self.unasked.checked_sub(steps) {
            Some(unasked) => {
                self.unasked = unasked;
                Ok(())
            }
            None => self.spend_and_ask(steps),
        }
    }

    #[cold]
    fn spend_and_ask(&mut self, steps: usize) -> Result<(), String> {
        let Some(left) = self.left().checked_sub(steps) else {
            self.is_spent = true;
            return Err("the template does too much: more than two million steps".to_owned());
        };
        self.unasked = left.min(STEPS_UNASKED);
        self.later = left - self.unasked;
        self.check_time()
    }

    /// Ends work when its time is over, where the steps do not show it: a search for the next match of a regular
    /// expression may look at the rest of the text each time.
    pub(super) fn check_time(&mut self) -> Result<(), String> {
        if !(self.is_over)() {
            return Ok(());
        }
        self.is_spent = true;
        Err("the template takes too long".to_owned())
    }

    /// Pays for a copy of `value`.
    pub(super) fn copy(&mut self, value: &Value) -> Result<(), String> {
        self.weigh(value, 0)
    }

    /// Pays for comparing `value` with each of `others`.
    pub(super) fn compare(&mut self, others: usize, value: &Value) -> Result<(), String> {
        let before = self.left();
        self.copy(value)?;
        let once = before - self.left();
        self.spend(others.saturating_mul(once))
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
