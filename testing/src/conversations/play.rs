//! Plays a script over a world and returns what differed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::slice;

use chat_protocol::Field;
use chat_protocol::envelope::Envelope;
use chat_protocol::history::{self, Frame};
use chat_protocol::presence::Announcement;

use super::script::{Entry, Expected, Party, Script, Step};
use super::world::{Fault, Handshake, Welcome, World};

/// What a sender reads when the friend cannot be reached, word for word.
pub use chat_protocol::FRIEND_NOT_REACHABLE as NOTICE;

/// Where a script and the world that played it part.
#[derive(Debug, thiserror::Error)]
#[error("{script}, line {line}: {reason}")]
pub struct Failure {
    /// The script's name.
    pub script: String,
    /// The line that did not come true, counted from 1; for a frame that no line expected, the last line.
    pub line: usize,
    /// What was expected, and what came instead.
    pub reason: String,
    /// What the world itself reported, when it was not the conversation that failed.
    #[source]
    pub fault: Option<Fault>,
}

/// Plays `script` over `world`, from the first line to the last.
///
/// Frames that reach a party may be named in any order, as a gateway promises
/// none. Every frame must be named: one that is left over when its party
/// disconnects, or at the end, is a failure.
///
/// # Errors
/// [`Failure`] at the first line that does not come true. The world is left as it was then.
pub async fn play(script: &Script, world: &mut impl World) -> Result<(), Failure> {
    let mut stage = Stage {
        world,
        unread: BTreeMap::new(),
        ids: BTreeMap::new(),
    };
    let mut last_line = 0;
    for (line, step) in &script.steps {
        last_line = *line;
        stage
            .play(step)
            .await
            .map_err(|miss| miss.at(&script.name, *line))?;
    }
    stage
        .close()
        .await
        .map_err(|miss| miss.at(&script.name, last_line))
}

/// A [`Failure`] before it is known where in the script it belongs.
enum Miss {
    Differs(String),
    World(Fault),
}

impl From<Fault> for Miss {
    fn from(fault: Fault) -> Self {
        Self::World(fault)
    }
}

impl Miss {
    fn at(self, script: &str, line: usize) -> Failure {
        let (reason, fault) = match self {
            Self::Differs(reason) => (reason, None),
            Self::World(fault) => ("could not be played".to_owned(), Some(fault)),
        };
        Failure {
            script: script.to_owned(),
            line,
            reason,
            fault,
        }
    }
}

struct Stage<'world, W> {
    world: &'world mut W,
    /// Who is connected, and the frames that came and were not named yet.
    unread: BTreeMap<Party, Vec<String>>,
    /// The ids of messages that a party has read, by their text.
    ids: BTreeMap<String, String>,
}

impl<W: World> Stage<'_, W> {
    async fn play(&mut self, step: &Step) -> Result<(), Miss> {
        match step {
            Step::Connect {
                party,
                handshake,
                refused,
            } => self.connect(party, handshake, *refused).await,
            Step::GuestsConnect { count, room } => {
                let handshake = Handshake::default().with_some(Field::Room, room.clone());
                for number in 1..=*count {
                    self.connect(&guest(number), &handshake, false).await?;
                }
                Ok(())
            }
            Step::EveryGuestReceives(what) => {
                let parties = self.unread.keys();
                let guests = parties.filter(|party| party.person == GUEST);
                let guests: Vec<_> = guests.cloned().collect();
                if let Expected::Nothing = what {
                    return self.nothing_left(&guests).await;
                }
                for guest in &guests {
                    self.expect(guest, what).await?;
                }
                Ok(())
            }
            Step::Send { party, text } => {
                self.inbox(party)?;
                let text = self.with_ids(text);
                Ok(self.world.send(party, &text).await?)
            }
            Step::Receive { party, what } => self.expect(party, what).await,
            Step::Disconnect(party) => self.disconnect(slice::from_ref(party)).await,
            Step::DisconnectEverybody => self.close().await,
            Step::Vanish(party) => {
                self.nothing_left(slice::from_ref(party)).await?;
                self.unread.remove(party);
                Ok(self.world.vanish(party).await?)
            }
        }
    }

    async fn expect(&mut self, party: &Party, what: &Expected) -> Result<(), Miss> {
        match what {
            Expected::Text(text) => self
                .receive(party, &shown(text), |frame| frame == text)
                .await
                .map(drop),
            Expected::Notice => self
                .receive(party, &shown(NOTICE), |frame| frame == NOTICE)
                .await
                .map(drop),
            Expected::Error(code, reference) => {
                // The members of an error frame have an order, so that it need not be parsed here.
                let begin = format!("{{\"error\":\"{code}\",\"message\":\"");
                let end = match reference {
                    Some(reference) => format!(",\"ref\":\"{reference}\"}}"),
                    None => "\"}".to_owned(),
                };
                let wanted = format!("the error {code} that ends in {end}");
                let fits = |frame: &str| {
                    let is_it = frame.starts_with(&begin) && frame.contains("\"route\":\"");
                    is_it && frame.ends_with(&end)
                };
                self.receive(party, &wanted, fits).await.map(drop)
            }
            Expected::Message(from, text) => {
                let wanted = format!("{} from {from:?}", shown(text));
                let fits = |frame: &str| match serde_json::from_str(frame) {
                    Ok(Envelope::Message(it)) => {
                        it.text == *text && it.from.as_deref() == from.as_deref()
                    }
                    _ => false,
                };
                let frame = self.receive(party, &wanted, fits).await?;
                if let Ok(Envelope::Message(message)) = serde_json::from_str(&frame) {
                    self.ids.insert(text.clone(), message.id.into());
                }
                Ok(())
            }
            Expected::Receipt(reference, count) | Expected::ChangedReceipt(reference, count) => {
                let is_changed = matches!(what, Expected::ChangedReceipt(..));
                let wanted = format!("the receipt of {reference} with {count}");
                let fits = |frame: &str| match serde_json::from_str(frame) {
                    Ok(Envelope::Sent(it)) => {
                        let is_it = it.reference == *reference && it.delivered == Some(*count);
                        is_it && !it.stored && it.changed == is_changed
                    }
                    _ => false,
                };
                self.receive(party, &wanted, fits).await.map(drop)
            }
            Expected::Stored(reference, count) => {
                let wanted = format!("the receipt of {reference} with {count}, stored");
                let fits = |frame: &str| match serde_json::from_str(frame) {
                    Ok(Envelope::Sent(it)) => {
                        let is_it = it.reference == *reference && it.delivered == Some(*count);
                        is_it && it.stored
                    }
                    _ => false,
                };
                self.receive(party, &wanted, fits).await.map(drop)
            }
            Expected::Done(reference) => {
                let wanted = format!("the receipt of the order {reference}");
                let fits = |frame: &str| match serde_json::from_str(frame) {
                    Ok(Frame::Done(it)) => it.reference == *reference,
                    _ => false,
                };
                self.receive(party, &wanted, fits).await.map(drop)
            }
            Expected::Deleted(by, text) => {
                let wanted = format!("the deletion of {} by {by}", shown(text));
                let id = self.ids.get(text).cloned().unwrap_or_default();
                let fits = |frame: &str| match serde_json::from_str(frame) {
                    Ok(Frame::Deleted(it)) => it.by == *by && it.of == *id,
                    _ => false,
                };
                self.receive(party, &wanted, fits).await.map(drop)
            }
            Expected::Page(entries, more) => {
                let wanted = format!("the page {entries:?}, more: {more}");
                let fits = |frame: &str| match serde_json::from_str(frame) {
                    Ok(Frame::History(page)) => {
                        let found: Vec<_> = page.entries.iter().map(entry).collect();
                        found == *entries && page.more == *more
                    }
                    _ => false,
                };
                let frame = self.receive(party, &wanted, fits).await?;
                if let Ok(Frame::History(page)) = serde_json::from_str(&frame) {
                    for entry in page.entries {
                        if let history::Entry::Message(it) = entry {
                            self.ids.insert(it.text.into(), it.id.into());
                        }
                    }
                }
                Ok(())
            }
            Expected::Presence(came, went, count) => {
                let wanted = format!("the arrival of {came:?} and the departure of {went:?}");
                let fits = |frame: &str| match serde_json::from_str(frame) {
                    Ok(Announcement::Presence {
                        arrived,
                        left,
                        people,
                        ..
                    }) => arrived == *came && left == *went && people == *count,
                    Err(_) => false,
                };
                self.receive(party, &wanted, fits).await?;
                Ok(())
            }
            Expected::Nothing => self.nothing_left(slice::from_ref(party)).await,
        }
    }

    /// `text` with an id in place of each `<text of a message>`.
    fn with_ids(&self, text: &str) -> String {
        let ids = self.ids.iter();
        ids.fold(text.to_owned(), |text, (of, id)| {
            text.replace(&format!("<{of}>"), id)
        })
    }

    async fn connect(
        &mut self,
        party: &Party,
        handshake: &Handshake,
        refused: bool,
    ) -> Result<(), Miss> {
        if self.unread.contains_key(party) {
            return Err(Miss::Differs(format!(
                "{party} is connected already; a second connection needs a device, as in `{} (phone)`",
                party.person
            )));
        }
        match (self.world.connect(party, handshake).await?, refused) {
            (Welcome::Accepted, false) => {
                self.unread.insert(party.clone(), Vec::new());
                Ok(())
            }
            (Welcome::Refused(_), true) => Ok(()),
            (Welcome::Accepted, true) => Err(Miss::Differs(format!(
                "{party} was to be refused, and is connected"
            ))),
            (Welcome::Refused(reason), false) => {
                Err(Miss::Differs(format!("{party} was refused: {reason}")))
            }
        }
    }

    async fn receive(
        &mut self,
        party: &Party,
        wanted: &str,
        fits: impl Fn(&str) -> bool,
    ) -> Result<String, Miss> {
        loop {
            let inbox = self.inbox(party)?;
            if let Some(position) = inbox.iter().position(|frame| fits(frame)) {
                return Ok(inbox.remove(position));
            }
            match self.world.next_frame(party).await? {
                Some(frame) => self.inbox(party)?.push(frame),
                None => {
                    return Err(Miss::Differs(format!(
                        "{party} was to receive {wanted}, and received {}",
                        listed(self.inbox(party)?)
                    )));
                }
            }
        }
    }

    async fn nothing_left(&mut self, parties: &[Party]) -> Result<(), Miss> {
        for party in parties {
            self.inbox(party)?;
        }
        self.world.settle().await?;
        for party in parties {
            while let Some(frame) = self.world.arrived_frame(party).await? {
                self.inbox(party)?.push(frame);
            }
            let frames = self.inbox(party)?;
            if !frames.is_empty() {
                return Err(Miss::Differs(format!(
                    "{party} received what no line expects: {}",
                    listed(frames)
                )));
            }
        }
        Ok(())
    }

    /// Disconnects `parties`, but only after having looked at all of them: a frame is reported where it went.
    async fn disconnect(&mut self, parties: &[Party]) -> Result<(), Miss> {
        self.nothing_left(parties).await?;
        self.unread.retain(|party, _| !parties.contains(party));
        Ok(self.world.disconnect_all(parties).await?)
    }

    async fn close(&mut self) -> Result<(), Miss> {
        let parties: Vec<Party> = self.unread.keys().cloned().collect();
        self.disconnect(&parties).await?;
        Ok(self.world.settle().await?)
    }

    fn inbox(&mut self, party: &Party) -> Result<&mut Vec<String>, Miss> {
        self.unread
            .get_mut(party)
            .ok_or_else(|| Miss::Differs(format!("{party} is not connected")))
    }
}

fn entry(entry: &history::Entry<'_>) -> Entry {
    match entry {
        history::Entry::Message(it) => Entry::Message(
            it.from.as_deref().map(str::to_owned),
            it.text.clone().into_owned(),
        ),
        history::Entry::Deleted(it) => Entry::Deleted(it.by.clone().into_owned()),
    }
}

const GUEST: &str = "guest";

fn guest(number: usize) -> Party {
    Party {
        person: GUEST.to_owned(),
        device: Some(number.to_string()),
    }
}

fn listed(frames: &[String]) -> String {
    if frames.is_empty() {
        return "nothing".to_owned();
    }
    frames
        .iter()
        .map(|frame| shown(frame))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A text as it would be quoted in a script, cut where no reader would read on.
fn shown(text: &str) -> String {
    const ENOUGH: usize = 120;
    let mut shown = format!("{:?}", text.chars().take(ENOUGH).collect::<String>());
    if text.chars().nth(ENOUGH).is_some() {
        write!(shown, "… ({} bytes)", text.len()).expect("writing to a String cannot fail");
    }
    shown
}
