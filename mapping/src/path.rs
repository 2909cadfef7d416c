//! Paths into JSON, as API Gateway's templates and mappings write them. Pure.
//!
//! The part of <https://goessner.net/articles/JsonPath/> without filters and scripts: `$`, `.name`, `['name']`, `[0]`,
//! `[-1]`, `[*]`, `.*`, `..name`. Anything else is an error, never an empty result.

use serde_json::Value;

/// A path that can be followed.
///
/// ```
/// use apigw_mapping::JsonPath;
/// use serde_json::json;
///
/// let body = json!({ "list": [{ "c": 4 }, { "c": 5 }] });
/// let path = JsonPath::parse("$.list[-1].c")?;
/// assert_eq!(path.find(&body)?, Some(json!(5)));
/// # Ok::<(), apigw_mapping::PathError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

/// Why a path cannot be read or followed. It displays with the path, where that is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .text)]
pub struct PathError {
    text: String,
    unquoted: String,
}

impl PathError {
    fn too_much(reason: String) -> Self {
        Self {
            text: reason.clone(),
            unquoted: reason,
        }
    }

    /// The error without the path: that of a template may be made of a client's message, and errors are logged.
    pub(crate) fn into_unquoted(self) -> String {
        self.unquoted
    }
}

impl From<PathError> for String {
    fn from(error: PathError) -> Self {
        error.text
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    /// Negative ones count from the end.
    Element(i64),
    All,
    /// The members of this name at any depth.
    Anywhere(String),
}

/// How many values a path with `*` or `..` may reach.
const MAX_FOUND: usize = 10_000;

/// How many values a path may look at on its way: some 20 ms.
const MAX_VISITED: usize = 1_000_000;

impl JsonPath {
    /// Reads a path with or without its leading `$`.
    ///
    /// # Errors
    /// What is wrong with it, or not supported.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        let wrong = |what: &str| PathError {
            text: format!("the path `{path}` {what}"),
            unquoted: format!("the path {what}"),
        };
        let trimmed = path.trim();
        let dotted;
        let mut rest = match trimmed.strip_prefix('$') {
            Some(rest) => rest,
            None if trimmed.starts_with(['.', '[']) => trimmed,
            None => {
                dotted = format!(".{trimmed}");
                &dotted
            }
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("..") {
                let (name, after) = name(after);
                if name.is_empty() || name == "*" {
                    return Err(wrong("needs a name after `..`"));
                }
                steps.push(Step::Anywhere(name.to_owned()));
                rest = after;
            } else if let Some(after) = rest
                .strip_prefix('.')
                .filter(|after| after.starts_with('['))
            {
                // `.[0]` is `[0]`.
                rest = after;
            } else if let Some(after) = rest.strip_prefix('.') {
                let (name, after) = name(after);
                steps.push(match name {
                    "" => return Err(wrong("has an empty name")),
                    "*" => Step::All,
                    name if name.contains('(') => {
                        return Err(wrong("calls a function, which is not supported"));
                    }
                    name => Step::Member(name.to_owned()),
                });
                rest = after;
            } else if let Some(after) = rest.strip_prefix('[') {
                let (step, after) = bracket(after).ok_or_else(|| {
                    wrong("has a bracket that is none of ['name'], [0], [-1] and [*]")
                })?;
                steps.push(step);
                rest = after;
            } else {
                return Err(wrong("is not a path of `.name` and `[0]`"));
            }
        }
        Ok(Self { steps })
    }

    /// What the path leads to; `None` if there is nothing. With `*` or `..`, a list of all that is found, the first 10,000.
    ///
    /// # Errors
    /// It looks at more than a million values.
    pub fn find(&self, value: &Value) -> Result<Option<Value>, PathError> {
        self.find_counting(value, &mut 0)
    }

    /// The same, adding to `visits` the values that are looked at. Those that it counts already are part of the limit.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn find_counting(
        &self,
        value: &Value,
        visits: &mut usize,
    ) -> Result<Option<Value>, PathError> {
        *visits += self.steps.len();
        let is_plain = |step: &Step| matches!(step, Step::Member(_) | Step::Element(_));
        if self.steps.iter().all(is_plain) {
            let found = self.steps.iter().try_fold(value, one);
            return Ok(found.cloned());
        }
        let mut found = vec![value];
        for step in &self.steps {
            let mut next = Vec::new();
            for value in found {
                *visits += 1;
                match step {
                    Step::All => next.extend(children(value)),
                    Step::Anywhere(name) => anywhere(value, name, &mut next, visits),
                    step => next.extend(one(value, step)),
                }
                if *visits > MAX_VISITED {
                    let reason = format!("a path looks at more than {MAX_VISITED} values");
                    return Err(PathError::too_much(reason));
                }
                if next.len() > MAX_FOUND {
                    break;
                }
            }
            next.truncate(MAX_FOUND);
            found = next;
        }
        let mut copies = Vec::with_capacity(found.len());
        for value in found {
            weigh(value, visits);
            if *visits > MAX_VISITED {
                let reason = format!("a path leads to more than {MAX_VISITED} values");
                return Err(PathError::too_much(reason));
            }
            copies.push(value.clone());
        }
        Ok(Some(copies.into()))
    }
}

fn name(text: &str) -> (&str, &str) {
    text.split_at(text.find(['.', '[']).unwrap_or(text.len()))
}

fn bracket(text: &str) -> Option<(Step, &str)> {
    for quote in ['\'', '"'] {
        if let Some(inside) = text.trim_start().strip_prefix(quote) {
            let (name, after) = inside.split_once(quote)?;
            return Some((
                Step::Member(name.to_owned()),
                after.trim_start().strip_prefix(']')?,
            ));
        }
    }
    let (inside, after) = text.split_once(']')?;
    let step = match inside.trim() {
        "*" => Step::All,
        index => Step::Element(index.parse().ok()?),
    };
    Some((step, after))
}

fn one<'v>(value: &'v Value, step: &Step) -> Option<&'v Value> {
    match step {
        Step::Member(name) => value.get(name.as_str()),
        Step::Element(index) => {
            let items = value.as_array()?;
            let from_end = i64::try_from(items.len()).ok()?.checked_add(*index)?;
            let index = if *index < 0 { from_end } else { *index };
            items.get(usize::try_from(index).ok()?)
        }
        Step::All | Step::Anywhere(_) => None,
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    }
}

/// Counts what a copy of `value` is made of: the same value may be found many times.
fn weigh(value: &Value, visits: &mut usize) {
    *visits += 1;
    match value {
        Value::String(text) => *visits += text.len() / 64,
        _ if *visits > MAX_VISITED => {}
        Value::Array(items) => items.iter().for_each(|item| weigh(item, visits)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            *visits += name.len() / 64;
            weigh(member, visits);
        }),
        _ => {}
    }
}

fn anywhere<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>, visits: &mut usize) {
    *visits += 1;
    if found.len() < MAX_FOUND && *visits <= MAX_VISITED {
        found.extend(value.get(name));
        for child in children(value) {
            anywhere(child, name, found, visits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(path: &str, expected: Option<Value>) {
        let value = json!({
            "a": { "b": [1, 2, { "c": 3 }], "d e": "x" },
            "list": [{ "c": 4 }, { "c": 5 }],
        });
        assert_eq!(
            JsonPath::parse(path).unwrap().find(&value).unwrap(),
            expected,
            "{path}"
        );
    }

    #[test]
    fn paths_lead_to_members_and_elements() {
        check("$.a.b[0]", Some(json!(1)));
        check("a.b[-1].c", Some(json!(3)));
        check("$['a'][\"d e\"]", Some(json!("x")));
        check("$.a.none", None);
        check("$.a.b[9]", None);
        check("$.a.b.[0]", Some(json!(1)));
        check("$.[\"list\"].[1].c", Some(json!(5)));
        check("$.list[*].c", Some(json!([4, 5])));
        check("$..c", Some(json!([3, 4, 5])));
    }

    #[test]
    fn what_is_not_supported_is_an_error() {
        for path in [
            "$.a[?(@.b)]",
            "$.a.",
            "$x",
            "$.list.length()",
            "$..",
            "$.a[1:2]",
            "$['a",
        ] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_path_that_looks_at_too_much_ends_with_an_error() {
        let mut value = json!((0..20_000).collect::<Vec<_>>());
        for _ in 0..100 {
            value = json!({ "a": value });
        }
        let path = JsonPath::parse(&format!("${}", "..a".repeat(1000))).unwrap();
        let mut visits = 0;
        assert!(path.find_counting(&value, &mut visits).is_err());
        assert!(visits < 2 * MAX_VISITED, "{visits}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(path in "[$.a*\\[\\]'\"0-9é-]{0,20}") {
            if let Ok(path) = JsonPath::parse(&path) {
                let _any = path.find(&json!({ "a": [{ "a": 1 }, [2, 3]], "": 4 }));
            }
        }
    }
}
