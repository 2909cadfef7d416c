//! `chatctl dev`

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;

use super::{StackArgs, or_interrupted};
use crate::engine::{Refusal, TargetError};
use crate::error::CommandError;
use crate::local::foreground;
use crate::packaging;
use crate::stack::code::parameters_of_functions;
use crate::stack::render::{parameter, render};
use crate::terminal::{Output, Terminal};

/// Run a stack in the foreground, this project's or any template's, until Ctrl-C
///
/// The endpoint is printed on stdout once it answers; the functions' logs follow on stderr. Tables are kept in
/// memory. Any template will do that is made of API Gateway WebSocket, Lambda, DynamoDB, IAM and log group resources.
#[derive(Debug, clap::Args)]
pub(super) struct DevArgs {
    #[command(flatten)]
    stack: StackArgs,
    /// A CloudFormation template to run instead of this project's stack
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// A value for a template's parameter; can be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    parameter: Vec<(String, String)>,
    /// A function's code: a folder with an executable `bootstrap`, or a zip file; can be repeated
    #[arg(long, value_name = "LOGICAL_ID=PATH", value_parser = pair)]
    code: Vec<(String, String)>,
    /// The port on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Lets AWS's limits on connections pass N times faster; with 60, an idle connection is closed after ten seconds
    ///
    /// Also faster: the cut after two hours, the pauses before an asynchronous invocation is tried again, and throttling.
    /// Not faster: whatever waits for a function, and when items of a table expire.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clock_speed)]
    clock_speed: NonZeroU32,
    /// Built handlers for this project's own stack
    #[arg(long, value_name = "PATH", conflicts_with = "template")]
    handlers: Option<PathBuf>,
}

impl DevArgs {
    pub(super) fn terminal(&self) -> Terminal {
        self.stack.terminal()
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it needs a name, `=` and a value".into()),
    }
}

/// Beyond a thousand an idle connection would not live long enough to be used.
const FASTEST_CLOCK: u32 = 1_000;

fn clock_speed(text: &str) -> Result<NonZeroU32, String> {
    text.parse()
        .ok()
        .filter(|speed: &NonZeroU32| speed.get() <= FASTEST_CLOCK)
        .ok_or_else(|| format!("it must be a whole number from 1 to {FASTEST_CLOCK}"))
}

/// What a faster clock does to connections.
fn clock_hint(speed: NonZeroU32) -> String {
    let seconds = |limit: u32| f64::from(limit) / f64::from(speed.get());
    format!(
        "the clock runs {speed} times faster: idle connections are closed after {} s, all after {} s; functions have their usual time",
        seconds(600),
        seconds(7_200)
    )
}

pub(super) async fn run(args: DevArgs) -> Result<(), CommandError> {
    let terminal = args.terminal();
    let request = match &args.template {
        Some(path) => {
            let template = std::fs::read_to_string(path).map_err(|error| TargetError {
                refusal: Refusal::Usage,
                ..TargetError::file("read", path, error)
            })?;
            let stack_name = args
                .stack
                .stack
                .as_ref()
                .map_or("dev".to_owned(), ToString::to_string);
            let code = args
                .code
                .iter()
                .map(|(id, path)| (id.clone(), PathBuf::from(path)))
                .collect();
            foreground::Request {
                stack_name,
                template,
                parameters: args.parameter.iter().cloned().collect(),
                code,
            }
        }
        None => own_stack(&args, terminal).await?,
    };
    let running = or_interrupted(foreground::start(
        request,
        args.port,
        args.clock_speed,
        terminal.log(),
    ))
    .await?;
    if terminal.output == Output::Json {
        terminal.result_json(&serde_json::json!({"type": "ready", "endpoint": running.endpoint()}));
    } else {
        terminal.result(&running.endpoint());
    }
    if args.clock_speed > NonZeroU32::MIN {
        terminal.hint(&clock_hint(args.clock_speed));
    }
    terminal.hint("Ctrl-C stops it");
    crate::interrupt::requested().await;
    running.stop().await;
    Ok(())
}

async fn own_stack(
    args: &DevArgs,
    terminal: Terminal,
) -> Result<foreground::Request, CommandError> {
    let settings = args.stack.settings(None, None)?;
    let mut reporter = terminal.reporter();
    let built = or_interrupted(packaging::executables(
        &settings,
        args.handlers.as_deref(),
        &mut reporter,
    ))
    .await?;
    let template = render(&settings);
    let mut code: BTreeMap<String, PathBuf> = parameters_of_functions(&template)
        .into_iter()
        .filter_map(|(function, parameter)| Some((function, built.get(&parameter)?.path.clone())))
        .collect();
    code.extend(
        args.code
            .iter()
            .map(|(id, path)| (id.clone(), PathBuf::from(path))),
    );
    let mut parameters: BTreeMap<String, String> = built
        .iter()
        .map(|(parameter, executable)| (parameter.clone(), executable.digest.clone()))
        .collect();
    if !built.is_empty() {
        parameters.insert(parameter::CODE_BUCKET.to_owned(), "local".to_owned());
    }
    parameters.extend(args.parameter.iter().cloned());
    Ok(foreground::Request {
        stack_name: settings.stack.to_string(),
        template: template.to_json(),
        parameters,
        code,
    })
}
