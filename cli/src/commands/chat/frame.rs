//! What a typed text becomes on the wire, and what a frame from there says.

use std::borrow::Cow;

use chat_protocol::Receivers;
use chat_protocol::answers::Answers;
use chat_protocol::envelope::{ATTRIBUTES, Envelope, Message, REFERENCE};
use chat_protocol::history::{self, Deleted};
use chat_protocol::limit::MAX_FRAME_BYTES;
use chat_protocol::presence::Announcement;

use super::history::HistoryReader;
use crate::error::CommandError;
use chatctl_deploy::config::Settings;
use chatctl_deploy::config::names::RouteKey;
use chatctl_deploy::config::route::{Purpose, Route};
use chatctl_deploy::stack::few::few;

/// How texts are put into frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Framing {
    /// The route's key, which the member `action` carries; `None` for `$default`.
    action: Option<String>,
    /// The member that carries the text; `None`: the text is the frame.
    member: Option<String>,
    /// Whether texts arrive in envelopes.
    envelopes: bool,
    /// Where messages of this route are kept: the key of the route that answers `history`.
    history: Option<String>,
    receivers: Option<Receivers>,
    /// Whether a frame may carry texts beside the message.
    takes_attributes: bool,
}

/// What has arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received<'a> {
    /// A frame as it is.
    Text(&'a str),
    /// A message with its sender.
    Message(Message<'a>),
    /// A message is deleted.
    Deleted(Deleted<'a>),
    /// People have come into the room, or left it.
    Presence(Announcement),
}

impl Received<'_> {
    /// The text as people read it: after its sender, if that is known.
    pub(super) fn words(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Message(message) => match &message.from {
                Some(from) => format!("{from}: {}", message.text).into(),
                None => Cow::Borrowed(&message.text),
            },
            Self::Deleted(Deleted { by, from, .. }) => match from {
                Some(from) if from != by => format!("{by} has deleted a message of {from}").into(),
                _ => format!("{by} has deleted a message").into(),
            },
            Self::Presence(Announcement::Presence { arrived, left, .. }) => {
                let came = few(arrived) + " came";
                let went = few(left) + " left";
                match (arrived.is_empty(), left.is_empty()) {
                    (false, true) => came.into(),
                    (true, _) => went.into(),
                    (false, false) => format!("{came}, {went}").into(),
                }
            }
        }
    }

    /// When it was said, in UTC: the time, before it the day if that is not `today` (`2026-01-31`).
    pub(super) fn time(&self, today: &str) -> Option<String> {
        let at = match self {
            Self::Message(message) => &message.at,
            Self::Deleted(deleted) => &deleted.at,
            Self::Text(_) | Self::Presence(_) => return None,
        };
        let (day, time) = at.split_once('T')?;
        let time = time.get(..5)?;
        Some(match day == today {
            true => format!("{time}Z"),
            false => format!("{day} {time}Z"),
        })
    }
}

/// What carries the text where the config does not say: its own receivers see the whole frame then.
const MEMBER: &str = "message";

impl Framing {
    /// For messages to `route`; without one, to `$default`, else to the config's first route.
    ///
    /// # Errors
    /// The config has no such route.
    pub(super) fn for_route(
        settings: &Settings,
        route: Option<&RouteKey>,
    ) -> Result<Self, CommandError> {
        let find = |key: &str| {
            let mut routes = settings.routes.iter();
            routes.find(|route| route.key.as_ref() == key)
        };
        let chosen = match route {
            Some(key) => find(key.as_ref()).ok_or_else(|| {
                let keys = settings.routes.iter().map(|route| route.key.to_string());
                let keys = few(&keys.map(|key| format!("`{key}`")).collect::<Vec<_>>());
                CommandError::usage(
                    format!("the config has no route `{key}`"),
                    format!("its routes are {keys}"),
                )
            })?,
            None => {
                let passes_on = |route: &&Route| !matches!(route.purpose, Purpose::Answers(_));
                let first = || settings.routes.iter().find(passes_on);
                let chosen = find("$default").or_else(first);
                chosen.unwrap_or(&settings.routes[0])
            }
        };
        let mut routes = settings.routes.iter();
        let envelopes = routes.any(|route| route.purpose.rule().is_some_and(|rule| rule.envelope));
        let mut routes = settings.routes.iter();
        let answers = |route: &&Route| matches!(route.purpose, Purpose::Answers(Answers::History));
        let history = routes.find(answers).map(|route| route.key.to_string());
        Ok(Self::to(chosen, envelopes, history))
    }

    /// Where this route's messages are kept; `friend` is the other person, if they go to one.
    pub(super) fn kept(
        &self,
        friend: Option<&str>,
        shows_last_page: bool,
    ) -> Option<HistoryReader> {
        let friend = friend.filter(|_| self.receivers == Some(Receivers::Friend));
        let action = self.history.clone()?;
        Some(HistoryReader::new(
            action,
            friend.map(ToOwned::to_owned),
            shows_last_page,
        ))
    }

    fn to(route: &Route, envelopes: bool, history: Option<String>) -> Self {
        let keeps = route
            .purpose
            .rule()
            .is_some_and(|rule| rule.history.is_some());
        let receivers = match &route.purpose {
            Purpose::People { receivers, .. } => Some(*receivers),
            _ => None,
        };
        let member = route.purpose.text().map(ToOwned::to_owned);
        let (action, member) = match route.key.as_ref() {
            "$default" => (None, member),
            key => (Some(key.to_owned()), member.or(Some(MEMBER.to_owned()))),
        };
        Self {
            action,
            member,
            envelopes,
            history: history.filter(|_| keeps),
            receivers,
            takes_attributes: keeps && route.purpose.text().is_some(),
        }
    }

    /// What `frame` is, which has arrived.
    pub(super) fn read<'a>(&self, frame: &'a str) -> Received<'a> {
        if self.envelopes
            && let Ok(Envelope::Message(message)) = serde_json::from_str(frame)
        {
            return Received::Message(message);
        }
        if self.envelopes
            && let Ok(history::Frame::Deleted(deleted)) = serde_json::from_str(frame)
        {
            return Received::Deleted(deleted);
        }
        if self.envelopes
            && let Ok(presence) = serde_json::from_str(frame)
        {
            return Received::Presence(presence);
        }
        Received::Text(frame)
    }

    /// `text` as a frame. With a `mark`, which only a route with an envelope takes, its sender recognises it later.
    ///
    /// # Errors
    /// It is longer than a frame may be, in words for the person who typed it.
    pub(super) fn frame(&self, text: &str, mark: Option<&str>) -> Result<String, String> {
        let mut object = serde_json::Map::new();
        if let Some(action) = &self.action {
            object.insert("action".into(), action.clone().into());
        }
        let frame = match &self.member {
            Some(member) => {
                object.insert(member.clone(), text.into());
                if let Some(mark) = mark.filter(|_| self.takes_attributes) {
                    object.insert(ATTRIBUTES.into(), serde_json::json!({ REFERENCE: mark }));
                }
                serde_json::Value::Object(object).to_string()
            }
            None => text.to_owned(),
        };
        if frame.len() > MAX_FRAME_BYTES {
            return Err(format!(
                "not sent: {} bytes, and a frame has {MAX_FRAME_BYTES} at most",
                frame.len()
            ));
        }
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatctl_deploy::config::Overrides;

    fn framing(config: &str, route: Option<&str>) -> Result<Framing, CommandError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), config).unwrap();
        let settings = Settings::load(folder.path(), Overrides::default()).unwrap();
        Framing::for_route(&settings, route.map(|key| key.parse().unwrap()).as_ref())
    }

    const TWO: &str = "[[routes]]\nkey = \"send\"\n\
                       [[routes]]\nkey = \"say\"\nreceivers = \"room\"\ntext = \"words\"\n";

    #[test]
    fn a_text_to_the_default_route_is_the_frame() {
        let framing = framing("", None).unwrap();
        assert_eq!(framing.frame("hi \"you\"", None).unwrap(), "hi \"you\"");
    }

    #[test]
    fn other_routes_are_named_and_the_text_is_where_the_config_says() {
        let frame = |route| {
            framing(TWO, route)
                .unwrap()
                .frame("hi \"you\"", None)
                .unwrap()
        };
        assert_eq!(
            frame(Some("say")),
            r#"{"action":"say","words":"hi \"you\""}"#
        );
        assert_eq!(frame(None), r#"{"action":"send","message":"hi \"you\""}"#);
    }

    #[test]
    fn a_message_in_an_envelope_is_read_with_its_sender_where_a_route_has_envelopes() {
        let frame = |from: &str| {
            format!(r#"{{"type":"message","id":"1","route":"say",{from}"text":"h\"i","at":"x"}}"#)
        };
        let with = framing(&format!("{TWO}envelope = true\n"), None).unwrap();
        assert_eq!(with.read(&frame(r#""from":"Ann","#)).words(), "Ann: h\"i");
        assert_eq!(with.read(&frame("")).words(), "h\"i");
        assert_eq!(with.read("{}").words(), "{}");
        let without = framing(TWO, None).unwrap();
        assert_eq!(without.read(&frame("")).words(), frame(""));
    }

    #[test]
    fn who_has_come_and_who_has_left_is_read_where_a_route_has_envelopes() {
        let frame = r#"{"type":"presence","room":"tea","arrived":["Ann"],"left":["Bob"],"people":1,"at":"x"}"#;
        let with = framing(&format!("{TWO}envelope = true\n"), None).unwrap();
        assert_eq!(with.read(frame).words(), "Ann came, Bob left");
        let without = framing(TWO, None).unwrap();
        assert_eq!(without.read(frame), Received::Text(frame));
    }

    #[test]
    fn an_unknown_route_is_refused_with_the_known_ones() {
        let refused = framing(TWO, Some("sing")).unwrap_err();
        assert_eq!(
            (refused.exit, refused.hint()),
            (2, Some("its routes are `send`, `say`"))
        );
    }

    #[test]
    fn a_frame_has_32_kilobytes_at_most_the_names_around_the_text_included() {
        let plain = framing("", None).unwrap();
        assert!(plain.frame(&"x".repeat(32_768), None).is_ok());
        assert!(
            plain
                .frame(&"x".repeat(32_769), None)
                .unwrap_err()
                .contains("32769 bytes")
        );
        assert!(
            framing(TWO, None)
                .unwrap()
                .frame(&"x".repeat(32_768), None)
                .is_err()
        );
    }
}
