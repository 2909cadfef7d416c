//! From text to [`Node`]s: text, directives, comments.

use super::bounds::MAX_DEPTH;
use super::cursor::{Cursor, starts_name};
use super::error::{Position, TemplateError};
use super::expressions;
use super::syntax::{Node, Step};

const DIRECTIVES: [&str; 8] = [
    "set", "if", "elseif", "else", "end", "foreach", "break", "stop",
];

/// Directives of Velocity that API Gateway's templates do without.
const UNKNOWN: [&str; 5] = ["parse", "include", "macro", "define", "evaluate"];

/// What ended a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Text,
    End,
    Else,
    ElseIf,
}

pub(super) fn template(text: &str) -> Result<Vec<Node>, TemplateError> {
    nested(text, Position { line: 1, column: 1 }, 0)
}

/// The nodes of a text that lies `depth` deep.
pub(super) fn nested(
    text: &str,
    position: Position,
    depth: usize,
) -> Result<Vec<Node>, TemplateError> {
    let mut cursor = Cursor::new(text, position);
    match block(&mut cursor, depth)? {
        (nodes, Ending::Text) => Ok(nodes),
        (_, ending) => {
            let directive = match ending {
                Ending::Else => "#else",
                Ending::ElseIf => "#elseif",
                Ending::End | Ending::Text => "#end",
            };
            let reason = format!("`{directive}` has no #if or #foreach before it");
            Err(cursor.fault(reason))
        }
    }
}

fn block(cursor: &mut Cursor<'_>, depth: usize) -> Result<(Vec<Node>, Ending), TemplateError> {
    if depth > MAX_DEPTH {
        return Err(cursor.fault(format!(
            "more than {MAX_DEPTH} levels lie within one another"
        )));
    }
    let mut nodes = Vec::new();
    let mut text = String::new();
    loop {
        let Some(next) = cursor.peek() else {
            push_text(&mut nodes, &mut text);
            return Ok((nodes, Ending::Text));
        };
        if next == '\\' {
            backslashes(cursor, &mut text);
            continue;
        }
        if next == '$' && expressions::is_reference(cursor.rest()) {
            push_text(&mut nodes, &mut text);
            nodes.push(Node::Reference(expressions::reference(cursor, depth)?));
            continue;
        }
        if next != '#' {
            text.push(next);
            cursor.take();
            continue;
        }
        if skip_comment(cursor, &mut text)? {
            continue;
        }
        let Some(directive) = directive(cursor.rest()) else {
            text.push('#');
            cursor.take();
            continue;
        };
        push_text(&mut nodes, &mut text);
        let start = cursor.position();
        cursor.eat("#");
        let _braced = cursor.eat(&format!("{{{directive}}}")) || cursor.eat(directive);
        match directive {
            "end" => {
                cursor.end_line();
                return Ok((nodes, Ending::End));
            }
            "else" => {
                cursor.end_line();
                return Ok((nodes, Ending::Else));
            }
            "elseif" => return Ok((nodes, Ending::ElseIf)),
            "set" => nodes.push(set(cursor, depth)?),
            "if" => nodes.push(branches(cursor, start, depth)?),
            "foreach" => nodes.push(foreach(cursor, start, depth)?),
            "break" => nodes.push(Node::Break),
            "stop" => nodes.push(Node::Stop),
            unknown => {
                let reason = format!("the local target does not know the directive `#{unknown}`");
                return Err(TemplateError::new(start, reason));
            }
        }
    }
}

fn push_text(nodes: &mut Vec<Node>, text: &mut String) {
    if !text.is_empty() {
        nodes.push(Node::Text(std::mem::take(text)));
    }
}

/// Backslashes before a reference or a directive: two are one, and an odd one takes away its meaning.
fn backslashes(cursor: &mut Cursor<'_>, text: &mut String) {
    let count = cursor.take_while(|char| char == '\\').len();
    let rest = cursor.rest();
    if !expressions::is_reference(rest) && directive(rest).is_none() {
        text.extend(std::iter::repeat_n('\\', count));
        return;
    }
    text.extend(std::iter::repeat_n('\\', count / 2));
    if count % 2 == 1 {
        text.extend(cursor.take());
    }
}

/// The directive that `text` begins with, if any.
fn directive(text: &str) -> Option<&'static str> {
    let after = text.strip_prefix('#')?;
    let (word, is_braced) = match after.strip_prefix('{') {
        Some(inside) => (inside.split_once('}')?.0, true),
        None => {
            let end = after.find(|char: char| !char.is_ascii_alphabetic());
            (&after[..end.unwrap_or(after.len())], false)
        }
    };
    let known = || DIRECTIVES.iter().chain(&UNKNOWN);
    let exact = known().find(|known| **known == word);
    // `#endif` is #end and text, `#elsex` is #else and text: Velocity takes the directive.
    let leading = || {
        ["else", "end"]
            .iter()
            .find(|known| !is_braced && word.starts_with(**known))
    };
    exact.or_else(leading).copied()
}

/// `## to the end of the line`, `#* … *#`, and `#[[ text that means nothing ]]#`.
fn skip_comment(cursor: &mut Cursor<'_>, text: &mut String) -> Result<bool, TemplateError> {
    let start = cursor.position();
    if cursor.eat("##") {
        cursor.take_while(|char| char != '\n');
        cursor.take();
        return Ok(true);
    }
    let (end, is_text) = if cursor.eat("#*") {
        ("*#", false)
    } else if cursor.eat("#[[") {
        ("]]#", true)
    } else {
        return Ok(false);
    };
    loop {
        if cursor.eat(end) {
            return Ok(true);
        }
        match cursor.take() {
            Some(char) if is_text => text.push(char),
            Some(_) => {}
            None => return Err(TemplateError::new(start, format!("`{end}` is missing"))),
        }
    }
}

fn open(cursor: &mut Cursor<'_>) -> Result<(), TemplateError> {
    cursor.skip_blank();
    cursor.expect("(")?;
    cursor.skip_blank();
    Ok(())
}

fn close(cursor: &mut Cursor<'_>) -> Result<(), TemplateError> {
    cursor.skip_blank();
    cursor.expect(")")?;
    cursor.end_line();
    Ok(())
}

fn set(cursor: &mut Cursor<'_>, depth: usize) -> Result<Node, TemplateError> {
    open(cursor)?;
    let target = expressions::reference(cursor, depth)?;
    if ["input", "util", "context", "stageVariables"].contains(&target.name.as_str()) {
        let reason = format!("`${}` cannot be set", target.name);
        return Err(TemplateError::new(target.position, reason));
    }
    let is_call = |step: &Step| matches!(step, Step::Call { .. });
    if target.steps.iter().any(is_call) {
        let reason = format!("`{}` cannot be set", target.source);
        return Err(TemplateError::new(target.position, reason));
    }
    cursor.skip_blank();
    cursor.expect("=")?;
    let value = expressions::expression(cursor, depth + 1)?;
    close(cursor)?;
    Ok(Node::Set { target, value })
}

fn condition(
    cursor: &mut Cursor<'_>,
    depth: usize,
) -> Result<super::syntax::Expression, TemplateError> {
    open(cursor)?;
    let condition = expressions::expression(cursor, depth + 1)?;
    close(cursor)?;
    Ok(condition)
}

fn branches(cursor: &mut Cursor<'_>, start: Position, depth: usize) -> Result<Node, TemplateError> {
    let missing = || TemplateError::new(start, "this `#if` has no `#end`");
    let mut branches = Vec::new();
    loop {
        let condition = condition(cursor, depth)?;
        let (body, ending) = block(cursor, depth + 1)?;
        branches.push((condition, body));
        let otherwise = match ending {
            Ending::Text => return Err(missing()),
            Ending::ElseIf => continue,
            Ending::End => Vec::new(),
            Ending::Else => match block(cursor, depth + 1)? {
                (body, Ending::End) => body,
                (_, Ending::Text) => return Err(missing()),
                _ => return Err(cursor.fault("after `#else` comes `#end`")),
            },
        };
        return Ok(Node::If {
            branches,
            otherwise,
        });
    }
}

fn foreach(cursor: &mut Cursor<'_>, start: Position, depth: usize) -> Result<Node, TemplateError> {
    open(cursor)?;
    let variable = expressions::reference(cursor, depth)?;
    if !variable.steps.is_empty() {
        return Err(TemplateError::new(
            variable.position,
            "a loop variable is a plain name",
        ));
    }
    cursor.skip_blank();
    if !cursor.eat("in") || starts_name(cursor.rest()) {
        return Err(cursor.fault("`in` is missing"));
    }
    let list = expressions::expression(cursor, depth + 1)?;
    close(cursor)?;
    match block(cursor, depth + 1)? {
        (body, Ending::End) => Ok(Node::Foreach {
            variable: variable.name,
            list,
            body,
            position: start,
        }),
        _ => Err(TemplateError::new(start, "this `#foreach` has no `#end`")),
    }
}
