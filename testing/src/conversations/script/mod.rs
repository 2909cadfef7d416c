//! The grammar of a script, and its parser.
//!
//! One line, one thing that happens:
//!
//! ```text
//! stack: broadcast                           # the first line; without it, `direct`
//! # a line that starts with a hash is a comment
//! Tom connects to Jerry                      # so is the end of a line without free text
//! Tom (phone) connects to Jerry              # another device of the same person
//! Tom connects to nobody and is refused      # `nobody`: that name is not given at all
//! nobody connects to Jerry and is refused
//! "Mary Ann" connects to Jerry               # names that are not one plain word
//! Ann connects                               # says neither who she is nor whom she wants
//! Ann connects as Annie in kitchen           # says who she is, and a room
//! Tom connects to Jerry in kitchen           # all three
//! 600 guests connect in kitchen              # many who say nothing else; `in kitchen` may be left out
//! every guest receives any text              # or `nothing`
//! Tom: any text, to the end of the line
//! Tom: "with \"escapes\" and \u{1F600}, and spaces at the end  "
//! Tom: "ab" repeated 1000 times
//! Jerry receives any text, to the end of the line
//! Jerry receives "quoted as above"
//! Tom receives the notice                    # the sentence that says a friend is not reachable
//! Tom receives nothing
//! Tom is told BadJson                        # the error frame with this word
//! Tom is told BadJson about r1               # the same, with this `ref`
//! Jerry reads Tom: any text                  # the text in an envelope, from Tom; `nobody` gave no name
//! Tom sees r1 delivered to 2                 # the receipt for the frame with this `ref`
//! Tom sees r1 changed and delivered to 2     # the same for a message that a review has changed
//! Tom notices +Ann -Bob of 2                 # Ann has arrived and Bob has left, 2 people are in the room
//! Tom sees r1 stored and delivered to 0      # the same, of a message that is kept
//! Tom sees r2 done                           # the receipt for an order
//! Jerry sees any text deleted by Tom         # the notice that the message with this text is deleted
//! Jerry finds Tom: a | nobody: b             # a page of history, oldest first
//! Jerry finds Tom: a | Tom deletes and more  # with a deletion; there is more in the direction that was asked for
//! Jerry finds nothing                        # an empty page
//! Jerry disconnects
//! Jerry vanishes                             # no goodbye
//! everybody disconnects
//! ```
//!
//! In a text, `<any text>` stands for the id of the message with this text, once a party has read it.
//!
//! Text that is not quoted ends at the last character that is not a space.
//! After `receives`, quote the words `nothing` and `the notice` to mean them literally.

mod seen;

use std::fmt;

use self::seen::{found, seen};
use super::changes;
pub use super::expected::{Entry, Expected};
use super::quoted::quoted;
use super::stack::{DIRECT, STACKS, Stack};
use chat_protocol::{Field, Handshake};

/// Why a script could not be understood.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A script, or the folder of scripts, could not be read.
    #[error("could not read `{path}`")]
    Unreadable {
        /// What was to be read.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A line does not follow the grammar.
    #[error("{script}, line {line}: {reason}: `{text}`")]
    Line {
        /// The script's name.
        script: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what would be right.
        reason: String,
        /// The line as written.
        text: String,
    },
}

/// A person on one device: the owner of one connection. Shown as `Tom` or `Tom (phone)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Party {
    /// The name as written, `nobody` included.
    pub person: String,
    /// Tells the devices of one person apart; never sent anywhere.
    pub device: Option<String>,
}

impl fmt::Display for Party {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.device {
            Some(device) => write!(formatter, "{} ({device})", self.person),
            None => formatter.write_str(&self.person),
        }
    }
}

/// A parsed script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The file's name without its ending.
    pub name: String,
    /// What it is written for.
    pub stack: &'static Stack,
    /// What happens, with the line that says so.
    pub steps: Vec<(usize, Step)>,
}

/// One line of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `Tom connects to Jerry`, perhaps `and is refused`.
    Connect {
        /// Whose connection it is to be.
        party: Party,
        /// What it says about itself.
        handshake: Handshake,
        /// Whether the script says `and is refused`.
        refused: bool,
    },
    /// `Tom: text`.
    Send {
        /// The sender.
        party: Party,
        /// The message.
        text: String,
    },
    /// `Tom receives …`.
    Receive {
        /// The receiver.
        party: Party,
        /// What is to come.
        what: Expected,
    },
    /// `600 guests connect`.
    GuestsConnect {
        /// How many.
        count: usize,
        /// The room they name, if any.
        room: Option<String>,
    },
    /// `every guest receives …`.
    EveryGuestReceives(Expected),
    /// `Tom disconnects`.
    Disconnect(Party),
    /// `everybody disconnects`.
    DisconnectEverybody,
    /// `Tom vanishes`.
    Vanish(Party),
}

impl Script {
    /// Reads a script; `name` is what errors and failures call it.
    ///
    /// # Errors
    /// [`ScriptError::Line`] for the first line that is not in the grammar.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScriptError> {
        let mut steps = Vec::new();
        let mut stack = None;
        for (index, line) in text.lines().enumerate() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let wrong = |reason| ScriptError::Line {
                script: name.to_owned(),
                line: index + 1,
                reason,
                text: line.to_owned(),
            };
            match trimmed.strip_prefix("stack: ") {
                Some(wanted) if steps.is_empty() && stack.is_none() => {
                    stack = Some(stack_named(wanted).map_err(wrong)?);
                }
                _ => steps.push((index + 1, step(trimmed).map_err(wrong)?)),
            }
        }
        Ok(Self {
            name: name.to_owned(),
            stack: stack.unwrap_or(const { &DIRECT }),
            steps,
        })
    }
}

fn stack_named(name: &str) -> Result<&'static Stack, String> {
    Stack::named(without_comment(name)).ok_or_else(|| {
        let names = STACKS.map(|stack| stack.name);
        format!("there is no such stack; there are {}", names.join(", "))
    })
}

fn step(line: &str) -> Result<Step, String> {
    if let Some(what) = line.strip_prefix("every guest receives ") {
        return Ok(Step::EveryGuestReceives(expected(what)?));
    }
    if let Some((count, rest)) = line.split_once(" guests connect")
        && let Ok(count) = count.parse()
    {
        let (room, rest) = after(" in ", rest)?;
        return match without_comment(rest) {
            "" => Ok(Step::GuestsConnect {
                count,
                room: room.flatten(),
            }),
            _ => Err("after `guests connect` comes nothing, or `in` and a room".to_owned()),
        };
    }
    let (person, rest) = name(line)?;
    let (device, rest) = device(rest)?;
    let party = Party {
        person: person.clone().unwrap_or_else(|| NO_NAME.to_owned()),
        device,
    };

    // What is free text comes first: in it, a hash is a hash.
    if let Some(text) = rest.strip_prefix(':') {
        let text = free_text(text)?.0;
        return Ok(Step::Send { party, text });
    }
    if let Some(what) = rest.strip_prefix(" receives ") {
        let what = expected(what)?;
        return Ok(Step::Receive { party, what });
    }

    if let Some(code) = rest.strip_prefix(" is told ") {
        let what = match without_comment(code).split_once(" about ") {
            Some((code, reference)) => Expected::Error(code.to_owned(), Some(reference.to_owned())),
            None => Expected::Error(without_comment(code).to_owned(), None),
        };
        return Ok(Step::Receive { party, what });
    }
    if let Some(message) = rest.strip_prefix(" reads ") {
        let (sender, rest) = name(message)?;
        let text = rest
            .strip_prefix(':')
            .ok_or("after `reads` come a sender, a colon and a text")?;
        let what = Expected::Message(sender, free_text(text)?.0);
        return Ok(Step::Receive { party, what });
    }
    if let Some(receipt) = rest.strip_prefix(" sees ") {
        let what = seen(without_comment(receipt)).ok_or(
            "after `sees` come a `ref`, `delivered to` and a number; a `ref` and `done`; or a text, `deleted by` and a name",
        )?;
        return Ok(Step::Receive { party, what });
    }
    if let Some(page) = rest.strip_prefix(" finds ") {
        let what = found(without_comment(page))?;
        return Ok(Step::Receive { party, what });
    }

    if let Some(changes) = rest.strip_prefix(" notices ") {
        let what = changes::presence(without_comment(changes))
            .ok_or("after `notices` come `+NAME` and `-NAME`, `of` and a number")?;
        return Ok(Step::Receive { party, what });
    }

    let everybody = party.person == "everybody" && party.device.is_none();
    if let Some(rest) = rest.strip_prefix(" connects") {
        let (own_name, rest) = after(" as ", rest)?;
        let (to, rest) = after(" to ", rest)?;
        let (room, rest) = after(" in ", rest)?;
        // A user who names a friend names themselves, too, unless the script says otherwise.
        let from = own_name.unwrap_or(person.filter(|_| to.is_some()));
        return Ok(Step::Connect {
            party,
            handshake: Handshake::default()
                .with_some(Field::From, from)
                .with_some(Field::To, to.flatten())
                .with_some(Field::Room, room.flatten()),
            refused: refusal(rest)?,
        });
    }
    match without_comment(rest) {
        " disconnects" if everybody => Ok(Step::DisconnectEverybody),
        " disconnects" => Ok(Step::Disconnect(party)),
        " vanishes" => Ok(Step::Vanish(party)),
        _ => Err(
            "expected a party and then `connects …`, `: …`, `receives …`, `reads …`, `sees …`, `finds …`, `notices …`, `is told …`, `disconnects` or `vanishes`"
                .to_owned(),
        ),
    }
}

const NO_NAME: &str = "nobody";

/// A name at the start of `line` (`None` for `nobody`) and what follows it.
fn name(line: &str) -> Result<(Option<String>, &str), String> {
    if let Some(quoted) = quoted(line) {
        let (name, rest) = quoted?;
        return Ok((Some(name), rest));
    }
    let end = line.find([' ', ':', '#']).unwrap_or(line.len());
    match line.split_at(end) {
        ("", _) => Err("expected a name: one word, or anything in double quotes".to_owned()),
        (NO_NAME, rest) => Ok((None, rest)),
        (name, rest) => Ok((Some(name.to_owned()), rest)),
    }
}

fn device(rest: &str) -> Result<(Option<String>, &str), String> {
    let Some(device) = rest.strip_prefix(" (") else {
        return Ok((None, rest));
    };
    match device.split_once(')') {
        Some((device, rest)) if !device.trim().is_empty() => Ok((Some(device.to_owned()), rest)),
        _ => Err("a device is named in brackets, as in `Tom (phone)`".to_owned()),
    }
}

/// The name after `word`, and what follows it. `None` when `rest` does not go on with `word`.
fn after<'line>(
    word: &str,
    rest: &'line str,
) -> Result<(Option<Option<String>>, &'line str), String> {
    match rest.strip_prefix(word) {
        None => Ok((None, rest)),
        Some(rest) => name(rest).map(|(name, rest)| (Some(name), rest)),
    }
}

fn refusal(rest: &str) -> Result<bool, String> {
    match without_comment(rest) {
        "" => Ok(false),
        " and is refused" => Ok(true),
        _ => Err("after `connects` come `as …`, `to …`, `in …` and `and is refused`, each once or not, in this order".to_owned()),
    }
}

fn expected(what: &str) -> Result<Expected, String> {
    let (text, is_quoted) = free_text(what)?;
    if is_quoted {
        return Ok(Expected::Text(text));
    }
    Ok(match without_comment(&text) {
        "nothing" => Expected::Nothing,
        "the notice" => Expected::Notice,
        _ => Expected::Text(text),
    })
}

/// The text up to the end of the line, and whether it was quoted.
fn free_text(line: &str) -> Result<(String, bool), String> {
    let line = line.trim();
    if line.is_empty() {
        return Err("the text is missing; an empty one is written \"\"".to_owned());
    }
    match quoted(line) {
        Some(quoted) => {
            let (text, rest) = quoted?;
            match without_comment(rest) {
                "" => Ok((text, true)),
                _ => Err("nothing may follow a quoted text".to_owned()),
            }
        }
        None => Ok((line.to_owned(), false)),
    }
}

fn without_comment(rest: &str) -> &str {
    rest.split('#').next().unwrap_or_default().trim_end()
}
