//! What a template consists of.

use serde_json::Value;

use super::error::Position;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    Reference(Reference),
    Set {
        target: Reference,
        value: Expression,
    },
    If {
        branches: Vec<(Expression, Vec<Node>)>,
        otherwise: Vec<Node>,
    },
    Foreach {
        variable: String,
        list: Expression,
        body: Vec<Node>,
        position: Position,
    },
    /// Ends the innermost `#foreach`.
    Break,
    /// Ends the template.
    Stop,
}

/// `$name`, `${name}`, `$!name`, with what follows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) steps: Vec<Step>,
    /// Prints nothing where there is nothing.
    pub(super) is_quiet: bool,
    /// As it is written.
    pub(super) source: String,
    pub(super) position: Position,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Property(String),
    Call {
        method: String,
        arguments: Vec<Expression>,
        position: Position,
    },
    Index(Expression),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Literal(Value),
    /// A text in double quotes, which is a template itself.
    Text(Vec<Node>),
    Reference(Reference),
    List(Vec<Expression>),
    Map(Vec<(Expression, Expression)>),
    /// `[1..5]`
    Range(Box<Expression>, Box<Expression>, Position),
    Not(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>, Position),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
}
