//! A room full of clients, all on the calling thread.

use std::time::{Duration, Instant};

use chat_protocol::Field;
use futures_util::future::try_join_all;
use tokio_tungstenite::tungstenite;

use crate::load::{LoadError, Seat};
use crate::sample::Sample;
use crate::tally::Faults;

/// Longer than any honest answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Everybody in one room.
#[derive(Debug)]
pub(crate) struct Room(Vec<Seat>);

/// What messages to a room took.
#[derive(Debug)]
pub(crate) struct Broadcasts {
    /// Of each message, until the last of its receivers has read it.
    pub(crate) times: Sample,
    pub(crate) deliveries: usize,
    pub(crate) elapsed: Duration,
}

impl Room {
    /// `count` people in the room `name`.
    ///
    /// API Gateway takes 500 new connections a second, and so does the local gateway: who is turned away tries again.
    pub(crate) async fn open(url: &str, name: &str, count: usize) -> Result<Self, LoadError> {
        // Each is an open file; where the system allows too few of them, connecting will say so.
        let _as_it_was = rlimit::increase_nofile_limit(u64::MAX);
        let url = format!("{url}?{}={name}", Field::Room.name());
        let deadline = Instant::now() + PATIENCE;
        let mut seats = Vec::with_capacity(count);
        while seats.len() < count {
            let person = format!("{name}-{}", seats.len());
            match Seat::open(&url, &person, &person).await {
                Ok(seat) => seats.push(seat),
                Err(error) if is_throttled(&error) && Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Self(seats))
    }

    /// Lets one after another say something, each when everybody else has read what was said before.
    pub(crate) async fn play(&mut self, messages: usize) -> Result<Broadcasts, LoadError> {
        let mut times = Vec::with_capacity(messages);
        let started = Instant::now();
        for number in 0..messages {
            let said = Instant::now();
            let told = tokio::time::timeout(PATIENCE, self.say(number)).await;
            told.map_err(|_elapsed| LoadError::Stuck(Faults::default()))??;
            times.push(said.elapsed());
        }
        Ok(Broadcasts {
            times: Sample::new(times).ok_or(LoadError::Empty)?,
            deliveries: messages * (self.0.len() - 1),
            elapsed: started.elapsed(),
        })
    }

    async fn say(&mut self, number: usize) -> Result<(), LoadError> {
        let text = format!("room message {number}");
        let speaker = number % self.0.len();
        self.0[speaker].say(text.clone()).await?;
        for (_, seat) in (self.0.iter_mut().enumerate()).filter(|(seat, _)| *seat != speaker) {
            let heard = seat.hear().await?;
            if *heard != *text {
                // An older one is a doubled one, anything else was said by nobody.
                return Err(LoadError::Faults(Faults {
                    foreign: vec![heard.to_string()],
                    ..Faults::default()
                }));
            }
        }
        Ok(())
    }

    /// Makes sure that nobody was sent anything more, and ends all connections.
    ///
    /// Nothing may be under way inside the server any more: only what it has written already is waited for.
    pub(crate) async fn end(mut self) -> Result<(), LoadError> {
        let ends = self.0.iter_mut().map(async |seat| {
            let rest = seat.hear_the_rest().await?;
            seat.goodbye().await?;
            Ok::<_, LoadError>(rest)
        });
        let ended = tokio::time::timeout(PATIENCE, try_join_all(ends)).await;
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
