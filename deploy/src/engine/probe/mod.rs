//! Proves that a deployed chat answers: two clients exchange a message both ways through every route.

mod client;
mod locked;
#[cfg(test)]
pub(in crate::engine) mod tests;
mod trial;

use std::time::{Duration, Instant};

use chat_protocol::Handshake;
use hyper::StatusCode;
use tokio_tungstenite::tungstenite;

use self::client::{address, connect, proven};
use self::trial::Trial;
use crate::config::route::Route;
use crate::engine::client::Closed;
use crate::engine::network::ProxyFailure;
use crate::engine::{TargetError, Token, random_hex};
use crate::stack::few::few;

/// Why the chat did not prove itself.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "the messages say what its variants and their fields are"
)]
pub enum ProbeError {
    #[error("{url} does not accept connections")]
    Connect {
        url: String,
        source: Box<tungstenite::Error>,
    },
    #[error("{url} takes connections and did not answer the handshake within {:.1} s", .waited.as_secs_f64())]
    NoAnswer { url: String, waited: Duration },
    #[error("{url} cannot be reached")]
    Proxy { url: String, source: ProxyFailure },
    /// The environment asks for what cannot be done.
    #[error(transparent)]
    Setup(TargetError),
    /// Names are to be proven, and are not.
    #[error("{url} accepts a client without a token, and its names are to be proven")]
    Open { url: String },
    #[error("route `{route}` did not deliver a message within {timeout:?}")]
    Silent { route: String, timeout: Duration },
    #[error("route `{route}` delivered {received:?} instead of {sent:?}")]
    Different {
        route: String,
        sent: String,
        received: String,
    },
    #[error("the connection was closed while route `{route}` was tried{}", behind(.how))]
    Closed { route: String, how: Closed },
}

/// How a connection was closed, where that is known.
fn behind(how: &Closed) -> String {
    match how.to_string() {
        words if words.is_empty() => words,
        words => format!(": {words}"),
    }
}

impl ProbeError {
    /// Whether it may be over in a moment: nothing arrived, or API Gateway itself answered, whose answer has the connection's id.
    fn may_pass(&self) -> bool {
        match self {
            // An authorizer of the version before may answer for a moment.
            Self::Silent { .. } | Self::Open { .. } => true,
            Self::Different { received, .. } => serde_json::from_str(received)
                .is_ok_and(|frame: serde_json::Value| frame["connectionId"].is_string()),
            Self::Connect { .. }
            | Self::NoAnswer { .. }
            | Self::Closed { .. }
            | Self::Proxy { .. }
            | Self::Setup(_) => false,
        }
    }
}

/// How the probe's clients prove their names.
#[derive(Clone, Copy)]
pub enum ProbeCredential<'a> {
    /// They claim them.
    Claims,
    /// By a token for the name that it is called with.
    Tokens(&'a dyn Fn(&str) -> Result<Token, TargetError>),
    /// They cannot: tokens are asked for, and none can be made here.
    Nothing,
    /// They claim them, and an authorizer of the user's may ask for something else.
    Custom {
        /// Whether the gateway serves what was deployed, so that 403 is the authorizer's.
        is_settled: bool,
    },
}

impl ProbeCredential<'_> {
    /// The same at a gateway that serves what was deployed.
    pub(in crate::engine) const fn at_once(self) -> Self {
        match self {
            Self::Custom { .. } => Self::Custom { is_settled: true },
            credential => credential,
        }
    }
}

impl std::fmt::Debug for ProbeCredential<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Claims => "Claims",
            Self::Tokens(_) => "Tokens",
            Self::Nothing => "Nothing",
            Self::Custom { .. } => "Custom",
        })
    }
}

/// For how long one message is waited for.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(5);

/// Exchanges one message in each direction through each of `routes` at `url` that leads back to people.
///
/// The answer is one line for the reader: how long each direction took, and which routes were not tried, because
/// what they do is up to their owner. The two clients say `said`, and have random names and a room of their own, so that they
/// meet no other client. Where they need tokens, a client without one must be refused as well; where they have none, that is
/// all that is tried.
///
/// An authorizer of the user's that refuses them is no failure: the answer says so. Of `max_per_second` messages a second that the chat takes
/// from one connection, no more are sent.
///
/// Failures that are usual right after a deployment are tried again from the start. AWS does not say when a stage has
/// deployed itself: until then connections are accepted whose messages reach no function, and routes are not there; and
/// permissions take a while to be in force everywhere
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>).
///
/// # Errors
/// [`ProbeError`], after `timeout` at the latest, counted from the first attempt to connect.
pub async fn probe(
    url: &str,
    said: &Handshake,
    credential: ProbeCredential<'_>,
    routes: &[Route],
    max_per_second: Option<u32>,
    timeout: Duration,
) -> Result<String, ProbeError> {
    if let ProbeCredential::Nothing = credential {
        return locked::probe_locked(url, said, timeout).await;
    }
    if let ProbeCredential::Custom { is_settled } = credential
        && let Some(reported) = locked::probe_custom(url, said, is_settled, timeout).await?
    {
        return Ok(reported);
    }
    let pauses = max_per_second.map_or(0, |most| routes.len() / count(most));
    let pauses = PAUSE * u32::try_from(pauses).unwrap_or(u32::MAX);
    let deadline = Instant::now() + timeout + pauses;
    let plan = ProbePlan {
        routes,
        max_per_second,
        each: MESSAGE_TIMEOUT,
    };
    match until_it_answers(url, said, credential, plan, deadline).await {
        Err(ProbeError::Different { received, .. })
            if matches!(credential, ProbeCredential::Custom { .. }) && is_not_allowed(&received) =>
        {
            Ok(
                "your authorizer lets clients in that claim a name, without the right to send, so no message was tried"
                    .to_owned(),
            )
        }
        outcome => outcome,
    }
}

/// What is sent, and how fast.
#[derive(Clone, Copy)]
struct ProbePlan<'a> {
    routes: &'a [Route],
    /// How many messages of one connection the chat takes in a second.
    max_per_second: Option<u32>,
    /// For how long one message is waited for.
    each: Duration,
}

/// After it, another second has begun, whatever clock counts them.
const PAUSE: Duration = Duration::from_millis(1_050);

fn count(most: u32) -> usize {
    usize::try_from(most).unwrap_or(usize::MAX).max(1)
}

fn is_not_allowed(frame: &str) -> bool {
    serde_json::from_str(frame)
        .is_ok_and(|frame: serde_json::Value| frame["error"] == chat_protocol::auth::NOT_ALLOWED)
}

async fn until_it_answers(
    url: &str,
    said: &Handshake,
    credential: ProbeCredential<'_>,
    plan: ProbePlan<'_>,
    deadline: Instant,
) -> Result<String, ProbeError> {
    loop {
        match exchange(url, said, credential, plan, deadline).await {
            Err(error) if error.may_pass() && Instant::now() < deadline => {}
            outcome => return outcome,
        }
    }
}

async fn exchange(
    url: &str,
    said: &Handshake,
    credential: ProbeCredential<'_>,
    ProbePlan {
        routes,
        max_per_second,
        each,
    }: ProbePlan<'_>,
    deadline: Instant,
) -> Result<String, ProbeError> {
    // New names each time: late messages of an earlier attempt reach no client.
    let nonce = random_hex::<6>();
    let anything_may_pass = |_: &tungstenite::Error| false;
    let [a, b] =
        [("a", "b"), ("b", "a")].map(|(own, friend)| address(url, said, &nonce, own, friend));
    let (a, b) = (proven(a, credential)?, proven(b, credential)?);
    let mut first = connect(&a, deadline, anything_may_pass).await?;
    let mut second = connect(&b, deadline, anything_may_pass).await?;
    let mut slowest = Duration::ZERO;
    let mut tried = 0;
    for route in routes {
        let Some(trial) = Trial::for_route(route, &nonce) else {
            continue;
        };
        // The chat refuses what is beyond its own limit.
        if tried > 0 && max_per_second.is_some_and(|most| tried % count(most) == 0) {
            tokio::time::sleep(PAUSE).await;
        }
        let until = || deadline.min(Instant::now() + each);
        slowest = slowest.max(trial.run(&mut first, &mut second, until()).await?);
        slowest = slowest.max(trial.run(&mut second, &mut first, until()).await?);
        tried += 1;
    }
    for connection in [first, second] {
        connection.hang_up().await;
    }
    let locked = match credential {
        ProbeCredential::Claims | ProbeCredential::Nothing => "",
        ProbeCredential::Custom { .. } => "; your authorizer lets clients in that claim a name",
        ProbeCredential::Tokens(_) => {
            locked::refuses_strangers(url, said, &nonce, deadline).await?;
            "; a client without a token is refused"
        }
    };
    let reported = match tried {
        0 => "accepts connections".to_owned(),
        1 => "1 route answers both ways".to_owned(),
        many => format!("{many} routes answer both ways"),
    };
    let slowest = match tried {
        0 => String::new(),
        _ => format!(", slowest {:.1} ms", slowest.as_secs_f64() * 1e3),
    };
    Ok(format!(
        "{reported}{slowest}{locked}{}",
        untried(routes, &nonce)
    ))
}

/// Asks the gateway at `url` whether it is there, where a backend of the user's decides who may connect.
///
/// That backend may not run yet, or refuse the probe: its refusal proves the gateway as well as its consent.
///
/// # Errors
/// [`ProbeError::Connect`]: nothing answers, or after `timeout` still a stage that is not there yet.
pub(crate) async fn probe_gateway(
    url: &str,
    said: &Handshake,
    routes: &[Route],
    timeout: Duration,
) -> Result<String, ProbeError> {
    let nonce = random_hex::<6>();
    let client = address(url, said, &nonce, "a", "b");
    let reported = match connect(&client, Instant::now() + timeout, is_backends).await {
        Ok(connection) => {
            connection.hang_up().await;
            "the backend accepts connections".to_owned()
        }
        Err(ProbeError::Connect { source, .. }) if is_backends(&source) => {
            let why = source.to_string();
            let why = why.trim_start_matches("HTTP error: ");
            format!("the gateway answers; the backend refuses or does not run ({why})")
        }
        Err(error) => return Err(error),
    };
    Ok(format!("{reported}{}", untried(routes, &nonce)))
}

/// Whether it is an answer that comes from, or because of, a backend, and not from a stage that is not there yet.
fn is_backends(error: &tungstenite::Error) -> bool {
    matches!(error, tungstenite::Error::Http(answer) if answer.status() != StatusCode::FORBIDDEN)
}

/// The routes that no message was sent through, for the reader.
fn untried(routes: &[Route], nonce: &str) -> String {
    let keys: Vec<_> = routes
        .iter()
        .filter(|route| Trial::for_route(route, nonce).is_none())
        .map(|route| format!("`{}`", route.key))
        .collect();
    match keys.len() {
        0 => String::new(),
        _ => format!("; not tried: {}", few(&keys)),
    }
}
