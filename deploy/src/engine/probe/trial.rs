//! One message through one route, there and, where the sender is a receiver, back.

use std::time::{Duration, Instant};

use chat_protocol::envelope::Envelope;
use chat_protocol::presence::Announcement;

use super::ProbeError;
use crate::config::route::{Purpose, Route};
use crate::engine::client::{Closed, Connection};

/// One message through one route.
pub(super) struct Trial {
    pub(super) key: String,
    pub(super) frame: String,
    /// What arrives.
    pub(super) text: String,
    /// Whether the text arrives with its sender.
    pub(super) envelope: bool,
    pub(super) echoes: bool,
}

impl Trial {
    /// `None` for routes that only their owner can judge, for those whose messages the owner's function may refuse or change, and for
    /// those that take no text as long as a probe's.
    pub(super) fn for_route(route: &Route, nonce: &str) -> Option<Self> {
        let Purpose::People { rule, .. } = &route.purpose else {
            return None;
        };
        if route.review.is_some() {
            return None;
        }
        let mut object = serde_json::Map::new();
        if route.key.as_ref() != "$default" {
            object.insert("action".into(), route.key.as_ref().into());
        }
        let most = rule.max_text_bytes;
        let plain: String = format!("chatctl probe {nonce}")
            .chars()
            .take(most)
            .collect();
        let (frame, text) = match &rule.text {
            Some(member) => {
                object.insert(member.clone(), plain.as_str().into());
                (serde_json::Value::from(object).to_string(), plain)
            }
            None if object.is_empty() => (plain.clone(), plain),
            None => {
                object.insert("probe".into(), nonce.into());
                let frame = serde_json::Value::from(object).to_string();
                (frame.clone(), frame)
            }
        };
        (text.len() <= most).then(|| Self {
            key: route.key.to_string(),
            frame,
            text,
            envelope: rule.envelope,
            echoes: rule.include_sender,
        })
    }

    /// Sends it from `from`; answers how long it took to reach `to`.
    pub(super) async fn run(
        &self,
        from: &mut Connection,
        to: &mut Connection,
        deadline: Instant,
    ) -> Result<Duration, ProbeError> {
        let started = Instant::now();
        let sending = tokio::time::timeout_at(deadline.into(), from.send(&self.frame));
        sending
            .await
            .map_err(|_elapsed| self.silent(started))?
            .map_err(|how| self.closed(how))?;
        self.arrives(to, started, deadline).await?;
        let took = started.elapsed();
        if self.echoes {
            self.arrives(from, started, deadline).await?;
        }
        Ok(took)
    }

    async fn arrives(
        &self,
        at: &mut Connection,
        started: Instant,
        deadline: Instant,
    ) -> Result<(), ProbeError> {
        let received = loop {
            let received = tokio::time::timeout_at(deadline.into(), at.recv())
                .await
                .map_err(|_elapsed| self.silent(started))?
                .map_err(|how| self.closed(how))?;
            if self.is_in(&received) {
                return Ok(());
            }
            // Where arrivals are announced, those of the probe are, too.
            if serde_json::from_str::<Announcement>(&received).is_err() {
                break received;
            }
        };
        Err(ProbeError::Different {
            route: self.key.clone(),
            sent: self.text.clone(),
            received,
        })
    }

    /// Whether `received` is what this trial has sent.
    pub(super) fn is_in(&self, received: &str) -> bool {
        if !self.envelope {
            return received == self.text;
        }
        let envelope = serde_json::from_str(received);
        matches!(envelope, Ok(Envelope::Message(message)) if message.text == self.text)
    }

    fn silent(&self, since: Instant) -> ProbeError {
        ProbeError::Silent {
            route: self.key.clone(),
            timeout: since.elapsed(),
        }
    }

    fn closed(&self, how: Closed) -> ProbeError {
        ProbeError::Closed {
            route: self.key.clone(),
            how,
        }
    }
}
