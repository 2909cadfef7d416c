//! The conversation scripts, over a deployed local stack: real sockets, real handlers, real processes.

use std::ops::{Deref, DerefMut};

use chat_protocol::{Field, Handshake};
use serde_json::Value;
use testing::blocking::{Client, eventually};
use testing::conversations::{self, Deployed, Fault, OverSockets};

use crate::project::Project;
use crate::reviews;

/// One open connection of a party in the chat.
pub(crate) struct Chat(Client);

impl Chat {
    /// Connects `from` to `to`, which must succeed.
    pub(crate) fn open(endpoint: &str, from: &str, to: &str) -> Self {
        Self::try_open(endpoint, Some(from), Some(to)).expect("the handshake is accepted")
    }

    pub(crate) fn try_open(
        endpoint: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Self, String> {
        let handshake = Handshake::default().with_some(Field::From, from);
        Self::try_open_with(endpoint, &handshake.with_some(Field::To, to))
    }

    /// Connects a party that names a room and nothing else.
    pub(crate) fn open_in(endpoint: &str, room: &str) -> Self {
        Self::try_open_with(endpoint, &Handshake::default().with(Field::Room, room))
            .expect("the handshake is accepted")
    }

    fn try_open_with(endpoint: &str, handshake: &Handshake) -> Result<Self, String> {
        let client = Client::open(endpoint, handshake.headers());
        client.map(Self).map_err(|error| error.to_string())
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.send(text);
    }

    pub(crate) fn say_in_frames(&mut self, text: &str, bytes: usize) {
        self.send_in_frames(text, bytes);
    }

    /// The code of the frame that closes the connection.
    pub(crate) fn closed_with(mut self) -> u16 {
        self.close_code()
    }

    pub(crate) fn close(self) {
        self.0.close();
    }
}

impl Deref for Chat {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

impl DerefMut for Chat {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.0
    }
}

/// A local stack.
struct Local(Project);

impl Deployed for Local {
    async fn quiet(&self, open: usize, _sent: usize, _ended: usize) -> Result<(), Fault> {
        // It waits for what else happens in the room.
        self.has_ended(open, |function| function != "AnnounceFunction");
        Ok(())
    }

    async fn settled(&self, open: usize, _sent: usize, _ended: usize) -> Result<(), Fault> {
        self.has_ended(open, |_| true);
        Ok(())
    }
}

impl Local {
    /// Returns when nothing is under way in the functions that `counts`, and so many connections are open.
    fn has_ended(&self, open: usize, counts: impl Fn(&str) -> bool) {
        eventually("nothing is under way, and all ends are noticed", || {
            let status = self.0.status();
            let functions = status["functions"].as_object().unwrap();
            let is_idle =
                |(name, function): (&String, &Value)| !counts(name) || function["inFlight"] == 0;
            functions.iter().all(is_idle) && status["connections"] == open
        });
    }
}

/// Plays every script that is written for `stack` over one deployment of it, in which so many shards of large rooms
/// are handed over.
async fn play_over(stack: &str, handed_over: u64) {
    // Some rooms have more members than many systems let a program have files.
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let mut scripts = conversations::scripts().unwrap();
    scripts.retain(|script| script.stack.name == stack);
    let first = scripts.first().expect("there is a script for the stack");
    let is_reviewed = first.stack.routes.iter().any(|route| route.review);
    let (project, endpoint) = match is_reviewed {
        false => {
            let project = Project::new(&first.stack.to_toml());
            let endpoint = project.deployed(&[]);
            (project, endpoint)
        }
        true => reviews::deployed(&first.stack.to_toml()),
    };
    let mut world = OverSockets::new(Local(project), endpoint);
    for script in &scripts {
        if let Err(failure) = conversations::play(script, &mut world).await {
            panic!("{failure}: {:?}", failure.fault);
        }
        world.clear().await.unwrap();
    }
    let status = world.deployed.0.status();
    let invocations = &status["functions"]["DeliverFunction"]["invocations"];
    assert_eq!(invocations.as_u64().unwrap_or_default(), handed_over);
}

/// One test per stack: a stack without one would be found by the last test.
macro_rules! stacks {
    ($($test:ident: $stack:literal hands over $handed_over:literal),* $(,)?) => {
        $(#[tokio::test]
        async fn $test() {
            play_over($stack, $handed_over).await;
        })*

        #[test]
        fn every_stack_that_a_script_may_name_is_played_over() {
            let played = [$($stack),*];
            assert_eq!(conversations::STACKS.map(|stack| stack.name), played);
        }
    };
}

stacks!(
    every_conversation_of_friends_goes_over_a_deployed_stack_as_it_is_written: "direct" hands over 0,
    every_conversation_of_everybody_goes_over_a_deployed_stack_as_it_is_written: "broadcast" hands over 0,
    every_relayed_conversation_goes_over_a_deployed_stack_as_it_is_written: "relay" hands over 4,
    every_conversation_with_a_clean_up_goes_over_a_deployed_stack_as_it_is_written: "cleanup" hands over 0,
    every_conversation_of_rooms_and_friends_goes_over_a_deployed_stack_as_it_is_written: "mixed" hands over 0,
    every_conversation_with_senders_goes_over_a_deployed_stack_as_it_is_written: "envelopes" hands over 0,
    every_reviewed_conversation_goes_over_a_deployed_stack_as_it_is_written: "reviewed" hands over 0,
    every_conversation_that_is_kept_goes_over_a_deployed_stack_as_it_is_written: "history" hands over 0,
    every_conversation_with_announcements_goes_over_a_deployed_stack_as_it_is_written: "presence" hands over 0,
);
