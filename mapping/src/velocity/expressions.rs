//! References and expressions: what stands behind a `$` and between the parentheses of a directive.

use serde_json::Value;

use super::bounds::MAX_DEPTH;
use super::cursor::{Cursor, starts_name};
use super::error::{Position, TemplateError};
use super::parse::nested;
use super::syntax::{Expression, Operator, Reference, Step};

/// Whether `text` begins with a reference.
pub(super) fn is_reference(text: &str) -> bool {
    let Some(after) = text.strip_prefix('$') else {
        return false;
    };
    let after = after.strip_prefix('!').unwrap_or(after);
    starts_name(after.strip_prefix('{').unwrap_or(after))
}

pub(super) fn reference(cursor: &mut Cursor<'_>, depth: usize) -> Result<Reference, TemplateError> {
    let start = cursor.clone();
    cursor.expect("$")?;
    let is_quiet = cursor.eat("!");
    let is_braced = cursor.eat("{");
    let Some(name) = cursor.name() else {
        return Err(cursor.fault("the name of a variable is missing after `$`"));
    };
    let mut steps = Vec::new();
    loop {
        if cursor.rest().strip_prefix('.').is_some_and(starts_name) {
            cursor.eat(".");
            let position = cursor.position();
            let name = cursor.name().unwrap_or_default().to_owned();
            steps.push(if cursor.eat("(") {
                let arguments = list(cursor, ")", depth + 1)?;
                let method = name;
                Step::Call {
                    method,
                    arguments,
                    position,
                }
            } else {
                Step::Property(name)
            });
        } else if cursor.eat("[") {
            steps.push(Step::Index(expression(cursor, depth + 1)?));
            cursor.skip_blank();
            cursor.expect("]")?;
        } else {
            break;
        }
    }
    if is_braced {
        cursor.expect("}")?;
    }
    Ok(Reference {
        name: name.to_owned(),
        steps,
        is_quiet,
        source: cursor.since(&start).to_owned(),
        position: start.position(),
    })
}

/// Expressions between commas, up to `end`, which is taken.
fn list(
    cursor: &mut Cursor<'_>,
    end: &str,
    depth: usize,
) -> Result<Vec<Expression>, TemplateError> {
    let mut items = Vec::new();
    cursor.skip_blank();
    if cursor.eat(end) {
        return Ok(items);
    }
    loop {
        items.push(expression(cursor, depth + 1)?);
        cursor.skip_blank();
        if cursor.eat(end) {
            return Ok(items);
        }
        cursor.expect(",")?;
    }
}

pub(super) fn expression(
    cursor: &mut Cursor<'_>,
    depth: usize,
) -> Result<Expression, TemplateError> {
    if depth > MAX_DEPTH {
        return Err(cursor.fault(format!(
            "more than {MAX_DEPTH} levels lie within one another"
        )));
    }
    binary(cursor, 0, depth)
}

/// Operators by how tightly they bind, the loosest first. Longer spellings come before those they begin with.
const LEVELS: [&[(&str, Operator)]; 6] = [
    &[("||", Operator::Or), ("or", Operator::Or)],
    &[("&&", Operator::And), ("and", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        ("eq", Operator::Equal),
        ("ne", Operator::Unequal),
    ],
    &[
        ("<=", Operator::AtMost),
        (">=", Operator::AtLeast),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("le", Operator::AtMost),
        ("ge", Operator::AtLeast),
        ("lt", Operator::Less),
        ("gt", Operator::Greater),
    ],
    &[("+", Operator::Plus), ("-", Operator::Minus)],
    &[
        ("*", Operator::Times),
        ("/", Operator::Over),
        ("%", Operator::Modulo),
    ],
];

/// The most operators in one expression: each is a level of the tree.
const MAX_OPERATORS: usize = 100;

fn binary(
    cursor: &mut Cursor<'_>,
    level: usize,
    depth: usize,
) -> Result<Expression, TemplateError> {
    let Some(operators) = LEVELS.get(level) else {
        return unary(cursor, depth);
    };
    let mut left = binary(cursor, level + 1, depth)?;
    for _ in 0..MAX_OPERATORS {
        cursor.skip_blank();
        let position = cursor.position();
        let is_next = |(spelling, _): &&(&str, Operator)| {
            let after = cursor.rest().strip_prefix(*spelling);
            after.is_some_and(|after| !(starts_name(spelling) && starts_name(after)))
        };
        let Some((spelling, operator)) = operators.iter().find(is_next) else {
            return Ok(left);
        };
        cursor.eat(spelling);
        let right = binary(cursor, level + 1, depth)?;
        left = Expression::Binary(*operator, Box::new(left), Box::new(right), position);
    }
    Err(cursor.fault(format!("more than {MAX_OPERATORS} operators in a row")))
}

fn unary(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expression, TemplateError> {
    cursor.skip_blank();
    if depth > MAX_DEPTH {
        return Err(cursor.fault(format!(
            "more than {MAX_DEPTH} levels lie within one another"
        )));
    }
    let not_word = cursor
        .rest()
        .strip_prefix("not")
        .is_some_and(|after| !starts_name(after));
    if cursor.eat("!") || (not_word && cursor.eat("not")) {
        return Ok(Expression::Not(Box::new(unary(cursor, depth + 1)?)));
    }
    primary(cursor, depth)
}

fn primary(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expression, TemplateError> {
    let position = cursor.position();
    match cursor.peek() {
        Some('$') => Ok(Expression::Reference(reference(cursor, depth)?)),
        Some('(') => {
            cursor.take();
            let inside = expression(cursor, depth + 1)?;
            cursor.skip_blank();
            cursor.expect(")")?;
            Ok(inside)
        }
        Some('\'') => Ok(Expression::Literal(quoted(cursor, '\'')?.into())),
        Some('"') => {
            let text = quoted(cursor, '"')?;
            Ok(Expression::Text(nested(&text, position, depth + 1)?))
        }
        Some('[') => {
            cursor.take();
            brackets(cursor, position, depth)
        }
        Some('{') => {
            cursor.take();
            braces(cursor, depth)
        }
        Some(digit) if digit.is_ascii_digit() || digit == '-' => number(cursor),
        _ => match cursor.name() {
            Some("true") => Ok(Expression::Literal(true.into())),
            Some("false") => Ok(Expression::Literal(false.into())),
            Some(word) => Err(TemplateError::new(
                position,
                format!("`{word}` is no value: variables begin with `$`, texts have quotes"),
            )),
            None => Err(cursor.fault(match cursor.peek() {
                Some(found) => format!("a value is missing before `{found}`"),
                None => "a value is missing at the end".to_owned(),
            })),
        },
    }
}

/// A text in quotes; a doubled quote stands for one, and a backslash for itself.
fn quoted(cursor: &mut Cursor<'_>, quote: char) -> Result<String, TemplateError> {
    let start = cursor.position();
    cursor.take();
    let mut text = String::new();
    loop {
        match cursor.take() {
            None => return Err(TemplateError::new(start, "a closing quote is missing")),
            Some(found) if found == quote => {
                if cursor.peek() != Some(quote) {
                    return Ok(text);
                }
                cursor.take();
                text.push(quote);
            }
            Some(other) => text.push(other),
        }
    }
}

fn number(cursor: &mut Cursor<'_>) -> Result<Expression, TemplateError> {
    let position = cursor.position();
    let start = cursor.clone();
    cursor.eat("-");
    cursor.take_while(|char| char.is_ascii_digit());
    // `1..5` is a range, not a fraction.
    let fraction = cursor.rest().strip_prefix('.');
    if fraction.is_some_and(|after| after.starts_with(|char: char| char.is_ascii_digit())) {
        cursor.take();
        cursor.take_while(|char| char.is_ascii_digit());
    }
    let text = cursor.since(&start);
    let whole = text.parse::<i64>().ok().map(Value::from);
    let fraction = || {
        text.contains('.')
            .then(|| text.parse::<f64>().ok().map(Value::from))
            .flatten()
    };
    let value = whole.or_else(fraction);
    let reason = || TemplateError::new(position, format!("`{text}` is no number"));
    value.map(Expression::Literal).ok_or_else(reason)
}

/// `[1, 2]` or `[1..5]`, after the bracket.
fn brackets(
    cursor: &mut Cursor<'_>,
    position: Position,
    depth: usize,
) -> Result<Expression, TemplateError> {
    cursor.skip_blank();
    if cursor.eat("]") {
        return Ok(Expression::List(Vec::new()));
    }
    let first = expression(cursor, depth + 1)?;
    cursor.skip_blank();
    if cursor.eat("..") {
        let last = expression(cursor, depth + 1)?;
        cursor.skip_blank();
        cursor.expect("]")?;
        return Ok(Expression::Range(Box::new(first), Box::new(last), position));
    }
    let mut items = vec![first];
    if !cursor.eat("]") {
        cursor.expect(",")?;
        items.extend(list(cursor, "]", depth)?);
    }
    Ok(Expression::List(items))
}

/// `{"a": 1}`, after the brace.
fn braces(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expression, TemplateError> {
    let mut entries = Vec::new();
    cursor.skip_blank();
    if cursor.eat("}") {
        return Ok(Expression::Map(entries));
    }
    loop {
        let key = expression(cursor, depth + 1)?;
        cursor.skip_blank();
        cursor.expect(":")?;
        entries.push((key, expression(cursor, depth + 1)?));
        cursor.skip_blank();
        if cursor.eat("}") {
            return Ok(Expression::Map(entries));
        }
        cursor.expect(",")?;
    }
}
