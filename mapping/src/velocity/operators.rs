//! Comparison, truth and arithmetic.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::bounds::{ROUNDS, within};
use super::print::{as_text, kind};
use super::syntax::Operator;

/// Everything is true but `false` and nothing; empty texts and zero are true, too.
pub(super) fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

/// `[first..last]`, upwards or downwards, both ends included.
pub(super) fn range(first: &Value, last: &Value) -> Result<Vec<Value>, String> {
    let (Some(first), Some(last)) = (first.as_i64(), last.as_i64()) else {
        return Err("the ends of a range are whole numbers".to_owned());
    };
    // One more than a loop may have is enough to say so.
    if first.abs_diff(last) > ROUNDS as u64 {
        return Err(format!("a range has {ROUNDS} numbers at most"));
    }
    Ok(if first <= last {
        (first..=last).map(Value::from).collect()
    } else {
        (last..=first).rev().map(Value::from).collect()
    })
}

/// `left operator right`; `&&` and `||` are not among them, because they may leave out their right side.
pub(super) fn apply(operator: Operator, left: &Value, right: &Value) -> Result<Value, String> {
    let wrong = |what: &str| {
        let (left, right) = (kind(left), kind(right));
        Err(format!("cannot {what} {left} and {right}"))
    };
    match operator {
        Operator::Equal => return Ok(equal(left, right).into()),
        Operator::Unequal => return Ok((!equal(left, right)).into()),
        Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast => {
            let Some(order) = order(left, right) else {
                return wrong("compare");
            };
            let holds = match operator {
                Operator::Less => order == Ordering::Less,
                Operator::AtMost => order != Ordering::Greater,
                Operator::Greater => order == Ordering::Greater,
                _ => order != Ordering::Less,
            };
            return Ok(holds.into());
        }
        Operator::Plus if left.is_string() || right.is_string() => {
            let (left, right) = (as_text(left), as_text(right));
            within(left.len() + right.len())?;
            return Ok(format!("{left}{right}").into());
        }
        _ => {}
    }
    let (Value::Number(left_number), Value::Number(right_number)) = (left, right) else {
        return wrong("calculate with");
    };
    calculate(operator, left_number, right_number)
}

fn calculate(operator: Operator, left: &Number, right: &Number) -> Result<Value, String> {
    let too_large = || "the result is too large".to_owned();
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) {
        let result = match operator {
            Operator::Plus => left.checked_add(right),
            Operator::Minus => left.checked_sub(right),
            Operator::Times => left.checked_mul(right),
            _ if right == 0 => return Err("a division by zero".to_owned()),
            Operator::Over => left.checked_div(right),
            _ => left.checked_rem(right),
        };
        return result.map(Value::from).ok_or_else(too_large);
    }
    let (left, right) = (
        left.as_f64().unwrap_or_default(),
        right.as_f64().unwrap_or_default(),
    );
    let result = match operator {
        Operator::Plus => left + right,
        Operator::Minus => left - right,
        Operator::Times => left * right,
        Operator::Over => left / right,
        _ => left % right,
    };
    Number::from_f64(result)
        .map(Value::Number)
        .ok_or_else(too_large)
}

/// Numbers by value, the same kinds by content, different kinds by how they print.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(_), Value::Number(_)) => order(left, right) == Some(Ordering::Equal),
        (Value::Null, _) | (_, Value::Null) => left == right,
        (Value::String(_), _) | (_, Value::String(_)) => as_text(left) == as_text(right),
        _ => left == right,
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
        },
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}
