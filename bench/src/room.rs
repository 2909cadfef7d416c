//! A room of clients, all on the calling thread.

use std::time::{Duration, Instant};

use chat_protocol::Field;
use futures_util::future::try_join_all;
use tokio_tungstenite::tungstenite;

use crate::load::{ChatClient, LoadError};
use crate::sample::Sample;
use crate::tally::Faults;

/// Longer than any response takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Deliveries to rooms, a second: below the 10,000 requests that an account has, or that limit would be measured
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>).
const PACE: u32 = 9_000;

/// The members of one room.
#[derive(Debug)]
pub(crate) struct Room(Vec<ChatClient>);

/// The times of messages to a room.
#[derive(Debug)]
pub(crate) struct Broadcasts {
    /// The time of each message until its last receiver has read it.
    pub(crate) times: Sample,
    pub(crate) deliveries: usize,
    /// The sum of the times.
    pub(crate) elapsed: Duration,
}

impl Room {
    /// `count` members in the room `name`.
    ///
    /// API Gateway accepts 500 new connections a second, and so does the local gateway, so refused ones are retried.
    pub(crate) async fn open(url: &str, name: &str, count: usize) -> Result<Self, LoadError> {
        // Each is an open file. If the system's limit is too low, connecting will fail with that reason.
        let _as_it_was = rlimit::increase_nofile_limit(u64::MAX);
        let url = format!("{url}?{}={name}", Field::Room.name());
        let deadline = Instant::now() + TIMEOUT;
        let mut clients = Vec::with_capacity(count);
        while clients.len() < count {
            let person = format!("{name}-{}", clients.len());
            match ChatClient::open(&url, &person, &person).await {
                Ok(client) => clients.push(client),
                Err(error) if is_throttled(&error) && Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Self(clients))
    }

    /// Sends one message after another, each when all others have read the previous one, and not faster than [`PACE`].
    pub(crate) async fn play(&mut self, messages: usize) -> Result<Broadcasts, LoadError> {
        let mut times = Vec::with_capacity(messages);
        let receivers = self.0.len() - 1;
        let turn = Duration::from_secs(1) * u32::try_from(receivers).unwrap_or(u32::MAX) / PACE;
        for number in 0..messages {
            let said = Instant::now();
            let reported = tokio::time::timeout(TIMEOUT, self.send_from(number)).await;
            reported.map_err(|_elapsed| LoadError::Stuck(Faults::default()))??;
            times.push(said.elapsed());
            tokio::time::sleep_until((said + turn).into()).await;
        }
        let elapsed = times.iter().sum();
        Ok(Broadcasts {
            times: Sample::new(times).ok_or(LoadError::Empty)?,
            deliveries: messages * receivers,
            elapsed,
        })
    }

    async fn send_from(&mut self, number: usize) -> Result<(), LoadError> {
        let text = format!("room message {number}");
        let speaker = number % self.0.len();
        self.0[speaker].send(text.clone()).await?;
        for (_, client) in (self.0.iter_mut().enumerate()).filter(|(client, _)| *client != speaker)
        {
            let received = client.receive().await?;
            if *received != *text {
                // An older number is a duplicate; any other text was not sent.
                return Err(LoadError::Faults(Faults {
                    foreign: vec![received.to_string()],
                    ..Faults::default()
                }));
            }
        }
        Ok(())
    }

    /// Checks that no further messages arrived, and ends all connections.
    ///
    /// No message may be in progress inside the server: only written ones are waited for.
    pub(crate) async fn end(mut self) -> Result<(), LoadError> {
        let ends = self.0.iter_mut().map(async |client| {
            let rest = client.receive_the_rest().await?;
            client.goodbye().await?;
            Ok::<_, LoadError>(rest)
        });
        let ended = tokio::time::timeout(TIMEOUT, try_join_all(ends)).await;
        let rest = ended.map_err(|_elapsed| LoadError::Stuck(Faults::default()))??;
        let faults = Faults {
            foreign: rest.concat(),
            ..Faults::default()
        };
        if faults.none() {
            Ok(())
        } else {
            Err(LoadError::Faults(faults))
        }
    }
}

fn is_throttled(error: &LoadError) -> bool {
    let LoadError::Connect { source, .. } = error else {
        return false;
    };
    matches!(&**source, tungstenite::Error::Http(answer) if answer.status() == 429)
}
