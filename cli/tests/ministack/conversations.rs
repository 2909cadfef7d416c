//! The conversation scripts, over one deployment to the emulator: real sockets, real handlers, a gateway that is not ours.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use conversations::{Fault, Handshake, Party, Welcome, World};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::chat::{PATIENCE, Socket};
use crate::cloud::Cloud;

/// Scripts that the emulator's gateway cannot play, and why. Each is played over the fakes and over a local stack.
const BEYOND_THE_EMULATOR: &[(&str, &str)] = &[(
    "forged_events",
    "it routes a message whose action is `$connect` to the route of that name, which is for handshakes",
)];

/// A deployed stack, and the parties that are connected to it.
struct Deployed {
    cloud: Cloud,
    endpoint: String,
    open: BTreeMap<Party, Chat>,
    /// Messages that were sent, and connections that were ended, ever.
    sent: usize,
    ended: usize,
}

struct Chat {
    socket: Socket,
    unread: VecDeque<String>,
}

impl Deployed {
    /// Waits until the functions have dealt with all of it: the emulator writes a line into a function's log when a
    /// run is over.
    async fn nothing_is_under_way(&self) -> Result<(), Fault> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let direct = self.cloud.finished_runs("Direct").await;
            let disconnect = self.cloud.finished_runs("Disconnect").await;
            if direct >= self.sent && disconnect >= self.ended {
                return Ok(());
            }
            if Instant::now() > deadline {
                let (sent, ended) = (self.sent, self.ended);
                return Err(format!(
                    "of {sent} messages {direct} were dealt with, of {ended} ends {disconnect}"
                )
                .into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everybody goes, and what was not dealt with is forgotten, so that one script's failure is not the next one's.
    async fn clear(&mut self) {
        self.ended += std::mem::take(&mut self.open).len();
        // What did not come until now was told already.
        drop(self.nothing_is_under_way().await);
        self.sent = self.cloud.finished_runs("Direct").await;
        self.ended = self.cloud.finished_runs("Disconnect").await;
    }

    fn chat(&mut self, party: &Party) -> &mut Chat {
        let open = self.open.get_mut(party);
        open.expect("the player knows who is connected")
    }

    async fn end(&mut self, party: &Party) -> Chat {
        self.ended += 1;
        let open = self.open.remove(party);
        open.expect("the player knows who is connected")
    }
}

impl Chat {
    /// Reads everything that was sent before the answer to a ping.
    async fn read_up_to_a_pong(&mut self) -> Result<(), Fault> {
        self.socket.send(Message::Ping("fence".into())).await?;
        while let Some(frame) = self.socket.next().await {
            match frame? {
                Message::Text(text) => self.unread.push_back(text.to_string()),
                Message::Pong(_) => return Ok(()),
                _ => {}
            }
        }
        Err("the connection ended".into())
    }
}

impl World for Deployed {
    async fn connect(&mut self, party: &Party, handshake: &Handshake) -> Result<Welcome, Fault> {
        let mut request = self.endpoint.as_str().into_client_request()?;
        for (name, value) in handshake.headers() {
            request.headers_mut().insert(name, value.parse()?);
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => {
                let unread = VecDeque::new();
                self.open.insert(party.clone(), Chat { socket, unread });
                Ok(Welcome::Accepted)
            }
            Err(error) => Ok(Welcome::Refused(error.to_string())),
        }
    }

    async fn send(&mut self, party: &Party, text: &str) -> Result<(), Fault> {
        self.sent += 1;
        Ok(self.chat(party).socket.send(Message::text(text)).await?)
    }

    async fn next_frame(&mut self, party: &Party) -> Result<Option<String>, Fault> {
        let chat = self.chat(party);
        if let Some(text) = chat.unread.pop_front() {
            return Ok(Some(text));
        }
        let next = async {
            while let Some(frame) = chat.socket.next().await {
                if let Message::Text(text) = frame? {
                    return Ok(Some(text.to_string()));
                }
            }
            Err("the connection ended".into())
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .unwrap_or(Ok(None))
    }

    async fn arrived_frame(&mut self, party: &Party) -> Result<Option<String>, Fault> {
        Ok(self.chat(party).unread.pop_front())
    }

    async fn disconnect(&mut self, party: &Party) -> Result<(), Fault> {
        let mut chat = self.end(party).await;
        chat.socket.close(None).await?;
        while let Some(Ok(_)) = chat.socket.next().await {}
        self.nothing_is_under_way().await
    }

    async fn vanish(&mut self, party: &Party) -> Result<(), Fault> {
        drop(self.end(party).await);
        self.nothing_is_under_way().await
    }

    async fn settle(&mut self) -> Result<(), Fault> {
        self.nothing_is_under_way().await?;
        for chat in self.open.values_mut() {
            chat.read_up_to_a_pong().await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn the_conversations_go_over_a_stack_of_the_emulator_as_they_are_written() {
    let cloud = Cloud::start().await;
    let endpoint = cloud.deploy("--no-probe").await.exits(0).url();
    let mut world = Deployed {
        cloud,
        endpoint,
        open: BTreeMap::new(),
        sent: 0,
        ended: 0,
    };
    let mut scripts = conversations::scripts().unwrap();
    // One deployment is all there is time for; the other stacks are played over on this machine.
    scripts.retain(|script| script.stack.name == "direct");
    let known: Vec<_> = scripts.iter().map(|script| script.name.as_str()).collect();
    for (name, _) in BEYOND_THE_EMULATOR {
        assert!(known.contains(name), "there is no script {name} any more");
    }
    let mut failures = Vec::new();
    for script in &scripts {
        let name = script.name.as_str();
        if BEYOND_THE_EMULATOR
            .iter()
            .any(|(beyond, _)| *beyond == name)
        {
            continue;
        }
        if let Err(failure) = conversations::play(script, &mut world).await {
            failures.push(format!("{failure}: {:?}", failure.fault));
        }
        world.clear().await;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
