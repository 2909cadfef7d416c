//! A storm: the members of one room all enter it, and all reconnect, within seconds, while the room is announced to them. Counts
//! what the chat posts.

use std::time::{Duration, Instant};

use chat_protocol::presence::Announcement;
use chat_protocol::{Field, Handshake};
use futures_util::future::try_join_all;
use testing::Client;
use tokio_tungstenite::tungstenite::Error;

use crate::chatctl::{ChatctlError, Deployed, Programs, Project};
use crate::kept::RandomNumbers;
use crate::report::{Figure, Quantity, spread, table};
use crate::sample::Sample;

/// One room, whose members get announcements.
const CONFIG: &str = r#"
[[routes]]
key = "$default"
receivers = "room"
[[routes]]
key = "who"
answers = "who"
announce = true
"#;

/// The time between two announcements of a room, and how long a name can be absent without having left.
const WINDOW: Duration = Duration::from_secs(3);

/// How long a handshake may be tried again.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long a client waits after a handshake that failed: API Gateway's quota lets 500 pass in a second.
const AGAIN: Duration = Duration::from_millis(50);

/// Lets a whole room reconnect at once
#[derive(Debug, clap::Args)]
pub(crate) struct StormArgs {
    #[command(flatten)]
    programs: Programs,
    /// How many members the room has
    #[arg(long, default_value_t = 1_000)]
    members: usize,
    /// Within how many seconds they all connect
    #[arg(long, default_value_t = 2.0)]
    within: f64,
    /// The first number of all that are random
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Why the storm failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StormError {
    #[error(transparent)]
    Chatctl(#[from] ChatctlError),
    #[error("`{name}` could not enter the room")]
    Connect { name: String, source: Box<Error> },
    #[error("the connection of a member broke")]
    Broken(#[source] Box<Error>),
    #[error("a member got a frame that is no announcement: {0}")]
    Foreign(String),
    #[error("after {what}, {members} members do not have {people} people in their last frame")]
    Miscounted {
        what: &'static str,
        members: usize,
        people: usize,
    },
    #[error("no member entered, so there are no times")]
    Empty,
    #[error("{0} bounds are missed")]
    Missed(usize),
}

/// The room in the middle of the storm.
struct Room<'a> {
    stack: &'a Deployed<'a>,
    url: String,
    args: &'a StormArgs,
    chance: RandomNumbers,
}

/// What entering took.
struct Entered {
    clients: Vec<Client>,
    took: Duration,
    /// Of each member's handshake, with those that did not succeed before it.
    handshakes: Sample,
    /// The handshakes that did not succeed.
    failed: Failed,
}

/// Handshakes that did not succeed, and were tried again.
#[derive(Debug, Clone, Copy, Default)]
struct Failed {
    /// The gateway has refused them.
    refused: usize,
    /// There was no response.
    broken: usize,
}

/// Runs it and prints a table. Fails if a bound is missed.
pub(crate) async fn run(args: &StormArgs) -> Result<(), StormError> {
    let _as_it_was = rlimit::increase_nofile_limit(u64::MAX);
    crate::say(&format!("seed {}", args.seed));
    let project = Project::with_config(&args.programs, CONFIG);
    let (stack, _took) = project.deploy()?;
    let mut room = Room {
        stack: &stack,
        url: stack.status()?.endpoint,
        args,
        chance: RandomNumbers::new(args.seed),
    };
    let mut figures = Vec::new();

    let mut entered = room.enter().await?;
    figures.extend(
        room.announced("arrivals", &mut entered, args.members)
            .await?,
    );

    let old = std::mem::take(&mut entered.clients);
    // Without a goodbye, as when a router is restarted. Each comes back within the time.
    drop(old);
    let mut entered = room.enter().await?;
    figures.extend(
        room.announced("reconnects", &mut entered, args.members)
            .await?,
    );

    let before = room.announcers()?;
    let (zoe, ..) = enter(&room.url, "Zoe").await?;
    let frames = room.frames(&mut entered.clients).await?;
    let posts: usize = frames.iter().map(Vec::len).sum();
    agreed("one more", &frames, args.members + 1)?;
    figures.push(
        Figure::new(
            "one more arrival: posts",
            Quantity::Count(posts),
            format!(
                "{} announcers, {} members",
                room.announcers()? - before,
                args.members
            ),
        )
        .below(Quantity::Count(args.members + 1)),
    );
    drop(zoe);
    crate::say(&table(&figures));
    match figures
        .iter()
        .filter(|it| it.is_reached() == Some(false))
        .count()
    {
        0 => Ok(()),
        missed => Err(StormError::Missed(missed)),
    }
}

impl Room<'_> {
    /// Lets each member enter at a random moment within the time.
    async fn enter(&mut self) -> Result<Entered, StormError> {
        let began = Instant::now();
        let milliseconds = (self.args.within * 1e3) as u64;
        let entering = (0..self.args.members).map(|number| {
            let (moment, url) = (self.chance.moment(milliseconds), &self.url);
            async move {
                tokio::time::sleep_until(moment).await;
                enter(url, &format!("Member {number:04} of the room")).await
            }
        });
        let entered = try_join_all(entering.collect::<Vec<_>>()).await?;
        let took = began.elapsed();
        let mut failed = Failed::default();
        for (.., of_member) in &entered {
            failed.refused += of_member.refused;
            failed.broken += of_member.broken;
        }
        let (times, clients) = entered
            .into_iter()
            .map(|(client, time, _)| (time, client))
            .unzip();
        Ok(Entered {
            clients,
            took,
            handshakes: Sample::new(times).ok_or(StormError::Empty)?,
            failed,
        })
    }

    /// The figures of what was announced since `entered`, to the end of the last announcement.
    async fn announced(
        &self,
        what: &'static str,
        entered: &mut Entered,
        people: usize,
    ) -> Result<Vec<Figure>, StormError> {
        let frames = self.frames(&mut entered.clients).await?;
        let posts: usize = frames.iter().map(Vec::len).sum();
        let most = frames.iter().map(Vec::len).max().unwrap_or_default();
        let windows = entered.took.as_secs() / WINDOW.as_secs() + 2;
        // A member that reconnects in time was never away.
        let is_silent = what == "reconnects" && entered.took < WINDOW;
        if !is_silent {
            agreed(what, &frames, people)?;
        }
        let windows = usize::try_from(windows).unwrap_or(usize::MAX);
        let bound = if is_silent {
            0
        } else {
            windows * self.args.members
        };
        let (within, p99) = (self.args.within, entered.handshakes.percentile(99));
        Ok(vec![
            Figure::time(
                format!("{what}: until all are in the room"),
                entered.took,
                format!(
                    "asked for within {within} s; {} handshakes refused and {} without a response, then tried again",
                    entered.failed.refused, entered.failed.broken
                ),
            ),
            Figure::time(
                format!("{what}: handshake"),
                entered.handshakes.median(),
                format!(
                    "{}, p99 {}",
                    spread(&entered.handshakes, "handshakes"),
                    Quantity::Time(p99)
                ),
            ),
            Figure::new(
                format!("{what}: posts"),
                Quantity::Count(posts),
                format!("{most} at most to one of {} members", self.args.members),
            )
            .below(Quantity::Count(bound + 1)),
        ])
    }

    fn announcers(&self) -> Result<u64, ChatctlError> {
        let functions = self.stack.status()?.functions;
        Ok(functions
            .get("AnnounceFunction")
            .map_or(0, |it| it.invocations))
    }

    /// What each member has got when nothing is under way any more.
    async fn frames(
        &self,
        clients: &mut [Client],
    ) -> Result<Vec<Vec<AnnouncedPeople>>, StormError> {
        let mut all = Vec::with_capacity(clients.len());
        // What is not read would wait for its reader.
        let mut is_quiet = false;
        while !is_quiet {
            is_quiet = self.stack.is_quiet()?;
            for client in &mut *clients {
                let read = client.read_up_to_a_pong().await;
                read.map_err(|error| StormError::Broken(Box::new(error)))?;
            }
        }
        for client in clients {
            let texts = std::iter::from_fn(|| client.arrived());
            all.push(texts.map(|text| said(&text)).collect::<Result<_, _>>()?);
        }
        Ok(all)
    }
}

/// What counts in an announcement.
#[derive(Debug)]
struct AnnouncedPeople {
    people: usize,
}

fn said(text: &str) -> Result<AnnouncedPeople, StormError> {
    match serde_json::from_str(text) {
        Ok(Announcement::Presence { people, .. }) => Ok(AnnouncedPeople { people }),
        Err(_) => Err(StormError::Foreign(text.to_owned())),
    }
}

/// Checks that the last frame of each member says `people`.
fn agreed(
    what: &'static str,
    frames: &[Vec<AnnouncedPeople>],
    people: usize,
) -> Result<(), StormError> {
    let wrong =
        |frames: &&Vec<AnnouncedPeople>| frames.last().is_none_or(|last| last.people != people);
    match frames.iter().filter(wrong).count() {
        0 => Ok(()),
        members => Err(StormError::Miscounted {
            what,
            members,
            people,
        }),
    }
}

/// Enters the room as `name`; returns how long it took, and which handshakes did not succeed before.
async fn enter(url: &str, name: &str) -> Result<(Client, Duration, Failed), StormError> {
    let began = Instant::now();
    let mut failed = Failed::default();
    loop {
        match connect(url, name).await {
            Ok(client) => return Ok((client, began.elapsed(), failed)),
            Err(error) if began.elapsed() < TIMEOUT => {
                match error {
                    Error::Http(_) => failed.refused += 1,
                    _ => failed.broken += 1,
                }
                tokio::time::sleep(AGAIN).await;
            }
            Err(source) => {
                return Err(StormError::Connect {
                    name: name.to_owned(),
                    source: Box::new(source),
                });
            }
        }
    }
}

async fn connect(url: &str, name: &str) -> Result<Client, Error> {
    let handshake = Handshake::default()
        .with(Field::From, name)
        .with(Field::Room, "hall");
    Client::open(url, handshake.headers()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_of_some_dozen_gets_a_bounded_number_of_posts() {
        let args = StormArgs {
            programs: Programs {
                chatctl: testing::command::chatctl(),
                handlers: testing::command::handlers().to_owned(),
            },
            members: 40,
            within: 0.5,
            seed: 3,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(run(&args)).unwrap();
    }

    #[test]
    fn a_member_without_the_last_number_is_a_failure() {
        let frames = |numbers: &[usize]| -> Vec<AnnouncedPeople> {
            numbers
                .iter()
                .map(|people| AnnouncedPeople { people: *people })
                .collect()
        };
        agreed("arrivals", &[frames(&[1, 3]), frames(&[3])], 3).unwrap();
        agreed("arrivals", &[frames(&[3, 1]), frames(&[3])], 3).unwrap_err();
        agreed("arrivals", &[frames(&[]), frames(&[3])], 3).unwrap_err();
        said("hello").unwrap_err();
    }
}
