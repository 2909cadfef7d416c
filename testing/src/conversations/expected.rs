//! What a script expects a party to receive.

/// What a party is to receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// This very text.
    Text(String),
    /// The sentence that says a friend is not reachable.
    Notice,
    /// An error frame with this word, and this `ref` if one is given.
    Error(String, Option<String>),
    /// An envelope with this text of this sender.
    Message(Option<String>, String),
    /// The receipt for the frame with this `ref`, and the connections that accepted it.
    Receipt(String, usize),
    /// The same for a message that a review has changed.
    ChangedReceipt(String, usize),
    /// The frame about these arrivals and departures, and the people afterwards.
    Presence(Vec<String>, Vec<String>, usize),
    /// The receipt of a message that is kept, and the connections that accepted it.
    Stored(String, usize),
    /// The receipt for the order with this `ref`.
    Done(String),
    /// The notice that the message with this text was deleted by this person.
    Deleted(String, String),
    /// A page of history, and whether there is more.
    Page(Vec<Entry>, bool),
    /// No frame that the script has not named yet.
    Nothing,
}

/// An entry of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A message of this sender, with this text.
    Message(Option<String>, String),
    /// The deletion of a message by this person.
    Deleted(String),
}
