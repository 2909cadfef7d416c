//! What a proof of a name costs the authorizer: until the first answer of a new process, and for each later one. Beside
//! it, in the same run and in turns, the authorizer of a stack where names are claims.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use chat_protocol::{Mode, variable};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::process::{Function, Role};
use super::signed::Signer;
use super::{FunctionsError, roles};
use crate::report::{Figure, Quantity, spread};
use crate::sample::Sample;
use crate::server::Server;

/// How often each process is started.
const STARTS: usize = 60;

/// How many events each process gets, in rounds that take turns.
const ROUNDS: usize = 20;
const EVENTS: usize = 200;

/// An authorizer to measure.
struct Case {
    name: String,
    role: Role,
    /// By how much longer its first answer may take than where names are claims; `None` is only reported.
    most: Option<f64>,
    /// How long the cryptography alone takes; `None` where there is none.
    bare: Option<Sample>,
}

/// A check of a token may take this much longer than none.
const MAX_VERIFICATION: Duration = Duration::from_micros(200);

/// Measures `handlers`.
pub(super) async fn measure(handlers: &Path) -> Result<Vec<Figure>, FunctionsError> {
    let signers = Signer::new_for_each_algorithm()?;
    let keys = json!({"keys": [signers[2].jwk()]});
    let issuer = Server::start("an issuer", move |listener: TcpListener| {
        testing::http::serve(listener, move |request, _connection| {
            std::future::ready(documents(&keys, &request))
        })
    })?;
    let issuer = format!("http://{}", issuer.address);
    let mut cases = vec![Case {
        name: "claimed".to_owned(),
        role: roles::authorize(),
        most: None,
        bare: None,
    }];
    let audience = (variable::AUTH_AUDIENCE, r#"["chat"]"#.to_owned());
    for signer in &signers {
        let keys = json!({"keys": [signer.jwk()]}).to_string();
        let variables = vec![
            (variable::AUTH_MODE, Mode::Token.word().to_owned()),
            (variable::AUTH_KEYS, keys),
            audience.clone(),
        ];
        cases.push(Case {
            name: format!("token, {}", signer.algorithm()),
            role: roles::prove(variables, &signer.token("chatctl")?),
            most: Some(1.3),
            bare: Sample::new(signer.bare_verifications()?),
        });
    }
    let variables = vec![
        (variable::AUTH_MODE, Mode::Jwt.word().to_owned()),
        (variable::AUTH_ISSUER, issuer.clone()),
        audience,
    ];
    cases.push(Case {
        name: "jwt, RS256, issuer on loopback".to_owned(),
        role: roles::prove(variables, &signers[2].token(&issuer)?),
        most: None,
        bare: None,
    });
    let mut figures = cold(handlers, &cases).await?;
    figures.extend(warm(handlers, &cases).await?);
    Ok(figures)
}

/// The time from the start of a process to its first answer.
async fn cold(handlers: &Path, cases: &[Case]) -> Result<Vec<Figure>, FunctionsError> {
    let mut times = vec![Vec::with_capacity(STARTS); cases.len()];
    for _ in 0..STARTS {
        for (case, times) in cases.iter().zip(&mut times) {
            let (mut function, start) = Function::start(handlers, &case.role).await?;
            let answer: Duration = function.invoke(1).await?.into_iter().sum();
            times.push(start + answer);
            function.stop().await?;
        }
    }
    let samples = sampled(times)?;
    let claimed = samples[0].median();
    let figures = cases.iter().zip(&samples).map(|(case, sample)| {
        let name = format!("start to the first answer: {}", case.name);
        let figure = Figure::time(name, sample.median(), spread(sample, "starts"));
        let figure = figure.over(Quantity::Time(claimed), "claimed");
        match case.most {
            Some(most) => figure.below(Quantity::Time(claimed.mul_f64(most))),
            None => figure,
        }
    });
    Ok(figures.collect())
}

/// The time of an event in a process that has had some.
async fn warm(handlers: &Path, cases: &[Case]) -> Result<Vec<Figure>, FunctionsError> {
    let mut functions = Vec::with_capacity(cases.len());
    for case in cases {
        let (mut function, _) = Function::start(handlers, &case.role).await?;
        function.invoke(EVENTS).await?;
        functions.push(function);
    }
    let mut times = vec![Vec::with_capacity(ROUNDS * EVENTS); cases.len()];
    for _ in 0..ROUNDS {
        for (function, times) in functions.iter_mut().zip(&mut times) {
            times.extend(function.invoke(EVENTS).await?);
        }
    }
    for function in functions {
        function.stop().await?;
    }
    let samples = sampled(times)?;
    let claimed = samples[0].median();
    let mut figures = Vec::new();
    for (case, sample) in cases.iter().zip(&samples) {
        let how = spread(sample, "events");
        figures.push(Figure::time(
            format!("one event: {}", case.name),
            sample.median(),
            how,
        ));
        if let Some(bare) = &case.bare {
            let more = sample.median().saturating_sub(claimed);
            let name = format!("more than claimed: {}", case.name);
            let figure = Figure::time(name, more, "difference of the medians");
            let floor = Quantity::Time(bare.median());
            figures.push(
                figure
                    .below(Quantity::Time(MAX_VERIFICATION))
                    .over(floor, "ring's bare verification"),
            );
        }
    }
    Ok(figures)
}

fn sampled(times: Vec<Vec<Duration>>) -> Result<Vec<Sample>, FunctionsError> {
    let samples = times.into_iter().map(Sample::new).collect::<Option<_>>();
    samples.ok_or(FunctionsError::Nothing)
}

/// An issuer's two documents.
fn documents(
    keys: &Value,
    request: &Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let host = request.headers().get("host");
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let document = match request.uri().path() {
        "/keys" => keys.clone(),
        _ => json!({"issuer": format!("http://{host}"), "jwks_uri": format!("http://{host}/keys")}),
    };
    let body = Full::new(Bytes::from(document.to_string()));
    Ok(Response::new(body))
}
