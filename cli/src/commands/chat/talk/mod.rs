//! The conversation: connects, sends what is typed, shows what is received, connects again.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::frame::Framing;
use super::history::{HistoryReader, Taken};
use super::identity::Identity;
use super::lines::Lines;
use super::random::{random, random_text};
use super::view::{State, Typed, View};
use crate::error::CommandError;
use chat_protocol::auth::TOKEN_EXPIRED;
use chatctl_deploy::engine::client::{Address, ConnectError, Connection, connect, pause};

/// How the talk ends, failures aside.
enum Leave {
    Done,
    Interrupted,
}

/// After a connection that lasted this long, the next attempt follows soon.
const GOOD: Duration = Duration::from_secs(10);

/// After the end of the input, a gateway that cannot be reached is tried this many times.
const LAST_ATTEMPTS: u32 = 5;

/// How long a gateway may take to end a connection whose token has expired.
const ENDING: Duration = Duration::from_millis(if cfg!(test) { 300 } else { 5_000 });

/// Frames that are remembered, in case that they have to be sent again.
const REMEMBERED: usize = 64;

/// Talks until the user leaves.
///
/// A token is replaced before it expires, by a connection that opens before the old one closes; where it has expired all the
/// same, what was refused is sent again. Neither is shown.
///
/// # Errors
/// The first connection does not open; a later one is refused for good; the token has expired and has no successor;
/// the user interrupts.
pub(super) async fn talk(
    identity: Identity,
    (framing, kept): (&Framing, Option<HistoryReader>),
    wait: Duration,
    typed: &mut mpsc::Receiver<Typed>,
    view: &mut impl View,
) -> Result<(), CommandError> {
    let mut talk = Talk {
        identity,
        framing,
        kept,
        wait,
        typed,
        view,
        unsent: VecDeque::new(),
        sent: VecDeque::new(),
        refused: 0,
        withheld: Vec::new(),
        has_complained: false,
        ended: false,
    };
    match talk.connections().await? {
        Leave::Done => Ok(()),
        Leave::Interrupted => Err(chatctl_deploy::engine::TargetError::interrupted().into()),
    }
}

struct Talk<'a, V> {
    identity: Identity,
    framing: &'a Framing,
    /// Where messages are kept.
    kept: Option<HistoryReader>,
    wait: Duration,
    typed: &'a mut mpsc::Receiver<Typed>,
    view: &'a mut V,
    /// Frames that wait for a connection.
    unsent: VecDeque<String>,
    /// The last ones that were sent over this connection, and when.
    sent: VecDeque<(SystemTime, String)>,
    /// How many frames were refused, as it seems, because the token has expired.
    refused: usize,
    /// Those refusals, as long as they may be texts of a person.
    withheld: Vec<String>,
    /// Whether a message has said that there is no new token.
    has_complained: bool,
    ended: bool,
}

impl<V: View> Talk<'_, V> {
    async fn connections(&mut self) -> Result<Leave, CommandError> {
        let mut was_open = false;
        let mut is_quiet = false;
        let mut attempt = 0;
        let words = format!("to {}", self.identity.address().url);
        self.view.state(State::Connecting, &words);
        loop {
            let next = pause(attempt, random());
            if self.identity.is_due() {
                self.identity.renew()?;
            }
            let address = self.identity.address().clone();
            match self.meanwhile(connect(&address)).await {
                Err(leave) => return Ok(leave),
                Ok(Ok(connection)) => {
                    was_open = true;
                    if !std::mem::take(&mut is_quiet) {
                        self.view.state(State::Open, "");
                    }
                    let since = Instant::now();
                    if let Some(leave) = self.converse(connection).await {
                        return Ok(leave);
                    }
                    if self.refused > 0 {
                        self.take_back();
                        if !self.identity.renew()? {
                            return Err(self.identity.expired());
                        }
                        is_quiet = true;
                    }
                    if self.ended && self.unsent.is_empty() {
                        return Ok(Leave::Done);
                    }
                    if since.elapsed() > GOOD {
                        attempt = 0;
                    }
                    if is_quiet && attempt == 0 {
                        attempt = 1;
                        continue;
                    }
                }
                Ok(Err(error)) if !was_open || !error.may_pass() => return Err(error.into()),
                Ok(Err(error)) if self.ended && attempt >= LAST_ATTEMPTS => {
                    return Err(error.into());
                }
                Ok(Err(error)) => {
                    is_quiet = false;
                    let words = format!("{:.1} s to try again: {error}", next.as_secs_f64());
                    self.view.state(State::Waiting, &words);
                }
            }
            attempt += 1;
            if let Err(leave) = self.meanwhile(tokio::time::sleep(next)).await {
                return Ok(leave);
            }
        }
    }

    /// Puts what was refused back among what is to be sent: as many frames as were refused, and all that were sent after the
    /// token had expired, as answers may have been lost with the connection.
    fn take_back(&mut self) {
        let expired = self.identity.expires_at();
        let is_late =
            |(at, _): &&(SystemTime, String)| expired.is_some_and(|expired| *at >= expired);
        let late = self.sent.iter().rev().take_while(is_late).count();
        for _ in 0..late.max(self.refused) {
            if let Some((_, frame)) = self.sent.pop_back() {
                self.unsent.push_front(frame);
            }
        }
        self.refused = 0;
        self.withheld.clear();
    }

    /// Waits for `work`, and takes in meanwhile what is typed.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Leave> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                typed = self.typed.recv(), if !self.ended => self.take(typed)?,
                () = chatctl_deploy::interrupt::requested() => return Err(Leave::Interrupted),
            }
        }
    }

    /// Sends and receives until the connection is closed, or the user leaves.
    async fn converse(&mut self, connection: Connection) -> Option<Leave> {
        let mut lines = Lines::new(connection);
        let mut opening: Option<Opening> = None;
        let mut last = Instant::now();
        let mut end = None;
        self.sent.clear();
        self.unsent
            .extend(self.kept.as_mut().map(HistoryReader::opened));
        loop {
            if opening.is_none() && self.refused == 0 && self.identity.is_due() {
                opening = self.opening();
                if opening.is_some() {
                    lines.expect_successor();
                }
            }
            // While another connection opens, this one's token may be about to expire.
            while opening.is_none() && self.refused == 0 {
                let Some(frame) = self.unsent.pop_front() else {
                    break;
                };
                if let Err(closed) = lines.send(&frame).await {
                    self.view.state(State::Closed, &closed.to_string());
                    self.view
                        .trouble("your last message may not have arrived: it is not sent again");
                    return None;
                }
                self.remember(frame);
                last = Instant::now();
            }
            let renewal = self.identity.renewal();
            let page = self.kept.as_ref().and_then(HistoryReader::deadline);
            let outcome = tokio::select! {
                received = lines.recv() => match received {
                    Ok(text) if self.may_be_refusal(&text) => {
                        self.refused += 1;
                        self.withheld.push(text);
                        end = end.or(Some(Instant::now() + ENDING));
                        Ok(())
                    }
                    Ok(text) => {
                        last = Instant::now();
                        self.arrived(text)
                    }
                    // It is replaced, and the user need not notice.
                    Err(_) if self.refused > 0 => return None,
                    Err(closed) => {
                        self.view.state(State::Closed, &closed.to_string());
                        return None;
                    }
                },
                opened = opened(&mut opening), if opening.is_some() => {
                    opening = None;
                    match opened {
                        Ok(connection) => {
                            lines.replace(connection);
                            if self.refused > 0 {
                                self.take_back();
                                end = None;
                            }
                            self.sent.clear();
                        }
                        // The old one stays as long as it is let.
                        Err(_) => {
                            self.identity.later();
                            lines.stay();
                        }
                    }
                    Ok(())
                }
                () = until(renewal), if renewal.is_some() && opening.is_none() && self.refused == 0 => Ok(()),
                () = until(page), if page.is_some() => {
                    let taken = self.kept.as_mut().map(HistoryReader::give_up);
                    self.show(taken.unwrap_or_default())
                }
                () = until(end), if end.is_some() => {
                    // The gateway cannot end it; nothing would arrive any more.
                    if self.identity.has_expired() {
                        lines.close().await;
                        return None;
                    }
                    end = None;
                    self.trust()
                }
                typed = self.typed.recv(), if !self.ended => self.take(typed),
                () = tokio::time::sleep_until(last + self.wait), if self.ended && opening.is_none() && self.refused == 0 => Err(Leave::Done),
                () = chatctl_deploy::interrupt::requested() => Err(Leave::Interrupted),
            };
            if let Err(leave) = outcome {
                lines.close().await;
                self.view.state(State::Closed, "");
                return Some(leave);
            }
        }
    }

    /// A connection with a new token; `None` where there is no new one yet.
    fn opening(&mut self) -> Option<Opening> {
        match self.identity.renew() {
            Ok(true) => {
                self.has_complained = false;
                let address = self.identity.address().clone();
                Some(Box::pin(opened_at(address)))
            }
            Ok(false) => None,
            Err(error) => {
                // It is tried again and again.
                if !std::mem::replace(&mut self.has_complained, true) {
                    let words = format!("for a new token: {}", error.chain());
                    self.view.state(State::Waiting, &words);
                }
                self.identity.later();
                None
            }
        }
    }

    /// Whether `text` is a refusal because of the token, if it is no text of a person, which can look the same where
    /// envelopes are not used: only the end of the connection, or the clock, proves it.
    fn may_be_refusal(&self, text: &str) -> bool {
        let has_token = self.identity.address().token.is_some();
        has_token && self.refused < self.sent.len() && is_expiry_notice(text)
    }

    /// No frame was refused: what looked like it were texts.
    fn trust(&mut self) -> Result<(), Leave> {
        self.refused = 0;
        self.sent.clear();
        let texts = std::mem::take(&mut self.withheld);
        texts.into_iter().try_for_each(|text| self.arrived(text))
    }

    fn arrived(&mut self, text: String) -> Result<(), Leave> {
        let taken = match &mut self.kept {
            Some(kept) => kept.take(text),
            None => Taken {
                shown: vec![text],
                ..Taken::default()
            },
        };
        self.show(taken)
    }

    /// Shows what a frame has led to, and asks for what follows.
    fn show(&mut self, taken: Taken) -> Result<(), Leave> {
        self.unsent.extend(taken.request);
        if let Some(note) = taken.note {
            self.view.note(&note);
        }
        for text in taken.shown {
            if !self.view.received(&self.framing.read(&text)) {
                return Err(Leave::Done);
            }
        }
        Ok(())
    }

    fn remember(&mut self, frame: String) {
        if self.sent.len() >= REMEMBERED {
            self.sent.pop_front();
        }
        self.sent.push_back((SystemTime::now(), frame));
    }

    fn take(&mut self, typed: Option<Typed>) -> Result<(), Leave> {
        match typed {
            Some(Typed::Text(text)) => {
                let mark = self.kept.as_mut().map(|kept| kept.mark(random_text()));
                match self.framing.frame(&text, mark.as_deref()) {
                    Ok(frame) => self.unsent.push_back(frame),
                    Err(words) => self.view.trouble(&words),
                }
            }
            Some(Typed::Older) => match self.kept.as_mut().and_then(HistoryReader::older) {
                Some(request) => self.unsent.push_back(request),
                None => self.view.note("there are no earlier messages"),
            },
            Some(Typed::End) | None => self.ended = true,
            Some(Typed::Quit) => return Err(Leave::Done),
            Some(Typed::Interrupt) => return Err(Leave::Interrupted),
        }
        Ok(())
    }
}

/// A connection that is being opened while another one still serves.
type Opening = Pin<Box<dyn Future<Output = Result<Connection, ConnectError>> + Send>>;

async fn opened_at(address: Address) -> Result<Connection, ConnectError> {
    connect(&address).await
}

async fn opened(opening: &mut Option<Opening>) -> Result<Connection, ConnectError> {
    match opening {
        Some(opening) => opening.await,
        None => std::future::pending().await,
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Whether `text` looks like the answer to a frame that was sent after the token had expired.
fn is_expiry_notice(text: &str) -> bool {
    // Most texts are none, and are not parsed for it.
    text.starts_with('{')
        && serde_json::from_str(text)
            .is_ok_and(|frame: serde_json::Value| frame["error"] == TOKEN_EXPIRED)
}

#[cfg(test)]
mod tests;
