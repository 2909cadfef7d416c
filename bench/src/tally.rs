//! Checks that every message arrived exactly once. Pure.

use std::fmt;

/// The messages of one conversation. Each contains the conversation's number, and its own.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    conversation: usize,
    /// How often each sent message has arrived, by its number.
    arrivals: Vec<u32>,
    foreign: Vec<String>,
}

/// The differences between sent and received messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// The number of messages that never arrived.
    pub(crate) lost: usize,
    /// The number of messages that arrived more than once.
    pub(crate) doubled: usize,
    /// Texts that were not sent in that conversation: another conversation's message, a notice, an error.
    pub(crate) foreign: Vec<String>,
}

impl Tally {
    pub(crate) const fn new(conversation: usize) -> Self {
        Self {
            conversation,
            arrivals: Vec::new(),
            foreign: Vec::new(),
        }
    }

    /// The next message's number and text.
    pub(crate) fn sent(&mut self) -> (usize, String) {
        let number = self.arrivals.len();
        self.arrivals.push(0);
        (
            number,
            format!("pair {} message {number}", self.conversation),
        )
    }

    /// Records a received text; returns its number if it was sent in this conversation.
    pub(crate) fn arrived(&mut self, text: &str) -> Option<usize> {
        let number = self.number(text);
        match number.and_then(|number| self.arrivals.get_mut(number)) {
            Some(count) => {
                *count += 1;
                number
            }
            None => {
                self.foreign.push(text.to_owned());
                None
            }
        }
    }

    pub(crate) fn faults(&self) -> Faults {
        let count = |wanted: fn(u32) -> bool| {
            let counts = self.arrivals.iter().copied();
            counts.filter(|count| wanted(*count)).count()
        };
        Faults {
            lost: count(|count| count == 0),
            doubled: count(|count| count > 1),
            foreign: self.foreign.clone(),
        }
    }

    fn number(&self, text: &str) -> Option<usize> {
        let (conversation, number) = text.strip_prefix("pair ")?.split_once(" message ")?;
        let ours = conversation.parse() == Ok(self.conversation);
        ours.then(|| number.parse().ok()).flatten()
    }
}

impl Faults {
    pub(crate) fn none(&self) -> bool {
        *self == Self::default()
    }
}

impl std::iter::Sum for Faults {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, faults| {
            sum.lost += faults.lost;
            sum.doubled += faults.doubled;
            sum.foreign.extend(faults.foreign);
            sum
        })
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            lost,
            doubled,
            foreign,
        } = self;
        write!(
            formatter,
            "{lost} messages lost, {doubled} arrived more than once, {} never sent",
            foreign.len()
        )?;
        match foreign.first() {
            Some(text) => write!(formatter, ", the first of them {text:?}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_once_is_no_fault_whatever_the_order() {
        let mut tally = Tally::new(3);
        let texts: Vec<_> = (0..5).map(|_| tally.sent().1).collect();
        for text in texts.iter().rev() {
            assert!(tally.arrived(text).is_some());
        }
        assert!(tally.faults().none());
    }

    #[test]
    fn a_message_that_did_not_arrive_is_lost() {
        let mut tally = Tally::new(0);
        let (number, text) = tally.sent();
        tally.sent();
        assert_eq!(tally.arrived(&text), Some(number));
        assert_eq!(tally.faults().lost, 1);
    }

    #[test]
    fn a_duplicate_does_not_compensate_for_a_lost_message() {
        let mut tally = Tally::new(0);
        let (_, first) = tally.sent();
        tally.sent();
        tally.arrived(&first);
        tally.arrived(&first);
        let expected = Faults {
            lost: 1,
            doubled: 1,
            foreign: Vec::new(),
        };
        assert_eq!(tally.faults(), expected);
    }

    #[test]
    fn another_conversations_message_and_an_unsent_number_are_foreign() {
        let mut tally = Tally::new(1);
        let (_, own) = tally.sent();
        let strangers = [
            "pair 2 message 0",
            "pair 1 message 7",
            "pair 1",
            "Your friend",
        ];
        for text in strangers {
            assert_eq!(tally.arrived(text), None);
        }
        tally.arrived(&own);
        assert_eq!(tally.faults().foreign, strangers);
        assert_eq!(
            [tally.faults(), tally.faults()]
                .into_iter()
                .sum::<Faults>()
                .to_string(),
            "0 messages lost, 0 arrived more than once, 8 never sent, the first of them \"pair 2 message 0\""
        );
    }
}
