//! The conversation scripts, over a deployed local stack: real sockets, real handlers, real processes.

use std::collections::{BTreeMap, VecDeque};
use std::net::TcpStream;

use chat_protocol::Field;
use conversations::{Fault, Handshake, Party, Welcome, World};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, client};

use crate::project::{PATIENCE, Project, eventually};

/// One open connection.
pub(crate) struct Chat {
    socket: WebSocket<TcpStream>,
    unread: VecDeque<String>,
}

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

    /// Connects somebody who says nothing but a room.
    pub(crate) fn open_in(endpoint: &str, room: &str) -> Self {
        Self::try_open_with(endpoint, &Handshake::default().with(Field::Room, room))
            .expect("the handshake is accepted")
    }

    fn try_open_with(endpoint: &str, handshake: &Handshake) -> Result<Self, String> {
        let mut request = endpoint.into_client_request().unwrap();
        for (name, value) in handshake.headers() {
            let value = value.parse().map_err(|error| format!("{error}"))?;
            request.headers_mut().insert(name, value);
        }
        let address = endpoint
            .trim_start_matches("ws://")
            .split('/')
            .next()
            .unwrap();
        let stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let (socket, _) = client(request, stream).map_err(|error| error.to_string())?;
        Ok(Self {
            socket,
            unread: VecDeque::new(),
        })
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    /// The same in frames of `bytes`, which may cut characters in two.
    pub(crate) fn say_in_frames(&mut self, text: &str, bytes: usize) {
        let pieces: Vec<_> = text.as_bytes().chunks(bytes).collect();
        for (index, piece) in pieces.iter().enumerate() {
            let kind = match index {
                0 => Data::Text,
                _ => Data::Continue,
            };
            let is_last = index + 1 == pieces.len();
            let frame = Frame::message(piece.to_vec(), OpCode::Data(kind), is_last);
            self.socket.send(Message::Frame(frame)).unwrap();
        }
    }

    /// The next text, within reason.
    pub(crate) fn hear(&mut self) -> String {
        self.next().unwrap().expect("a message comes")
    }

    fn next(&mut self) -> Result<Option<String>, Error> {
        if let Some(text) = self.unread.pop_front() {
            return Ok(Some(text));
        }
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Ok(Some(text.to_string())),
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads everything that the gateway has sent before it answers a ping.
    fn read_up_to_a_pong(&mut self) -> Result<(), Error> {
        self.socket.send(Message::Ping("fence".into()))?;
        loop {
            match self.socket.read()? {
                Message::Text(text) => self.unread.push_back(text.to_string()),
                Message::Pong(_) => return Ok(()),
                _ => {}
            }
        }
    }

    /// The code of the close frame that comes next.
    pub(crate) fn closed_with(mut self) -> u16 {
        loop {
            if let Message::Close(Some(frame)) = self.socket.read().expect("a close frame comes") {
                return frame.code.into();
            }
        }
    }

    /// Says goodbye and waits for the answer.
    pub(crate) fn close(mut self) {
        self.socket.close(None).unwrap();
        while self.socket.read().is_ok() {}
    }
}

/// A deployed stack and the parties that are connected to it.
struct Deployed {
    project: Project,
    endpoint: String,
    open: BTreeMap<Party, Chat>,
}

impl Deployed {
    /// Nothing is under way, and the gateway has noticed everybody who left.
    fn is_quiet(&self) -> bool {
        let status = self.project.status();
        let idle = status["functions"]
            .as_object()
            .unwrap()
            .values()
            .all(|function| function["inFlight"] == 0);
        idle && status["connections"] == self.open.len()
    }

    fn chat(&mut self, party: &Party) -> &mut Chat {
        self.open
            .get_mut(party)
            .expect("the player knows who is connected")
    }
}

impl World for Deployed {
    async fn connect(&mut self, party: &Party, handshake: &Handshake) -> Result<Welcome, Fault> {
        match Chat::try_open_with(&self.endpoint, handshake) {
            Ok(chat) => {
                self.open.insert(party.clone(), chat);
                Ok(Welcome::Accepted)
            }
            Err(reason) => Ok(Welcome::Refused(reason)),
        }
    }

    async fn send(&mut self, party: &Party, text: &str) -> Result<(), Fault> {
        Ok(self.chat(party).socket.send(Message::text(text))?)
    }

    async fn next_frame(&mut self, party: &Party) -> Result<Option<String>, Fault> {
        Ok(self.chat(party).next()?)
    }

    async fn arrived_frame(&mut self, party: &Party) -> Result<Option<String>, Fault> {
        Ok(self.chat(party).unread.pop_front())
    }

    async fn disconnect(&mut self, party: &Party) -> Result<(), Fault> {
        self.disconnect_all(std::slice::from_ref(party)).await
    }

    async fn disconnect_all(&mut self, parties: &[Party]) -> Result<(), Fault> {
        for party in parties {
            let chat = self.open.remove(party);
            chat.expect("the player knows who is connected").close();
        }
        eventually("the gateway has noticed", || self.is_quiet());
        Ok(())
    }

    async fn vanish(&mut self, party: &Party) -> Result<(), Fault> {
        // Closing the TCP connection without a WebSocket goodbye.
        drop(self.open.remove(party));
        eventually("the gateway has noticed", || self.is_quiet());
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), Fault> {
        eventually("nothing is under way", || self.is_quiet());
        for chat in self.open.values_mut() {
            chat.read_up_to_a_pong()?;
        }
        Ok(())
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
    let project = Project::new(&first.stack.to_toml());
    let endpoint = project.deployed(&[]);
    let mut world = Deployed {
        project,
        endpoint,
        open: BTreeMap::new(),
    };
    for script in &scripts {
        if let Err(failure) = conversations::play(script, &mut world).await {
            panic!("{failure}: {:?}", failure.fault);
        }
        world.open.clear();
        eventually("everybody has left", || world.is_quiet());
    }
    let status = world.project.status();
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
);
