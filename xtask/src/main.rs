//! `cargo xtask`: what the project does to itself.

mod bench;
mod conformance;
mod licences;
mod peers;
mod run;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [ARGS]   set the pinned third-party peers up (into target/), then run every test; ARGS go to cargo test
  bench local [ARGS]
                build for release, measure the local target, print a table; ARGS go to the measuring program
  bench deploy [ARGS]
                build for release, measure deployments against an emulator of AWS, beside AWS's own command line
  bench functions [ARGS]
                build for release, measure the handlers' processes by themselves: start, one event, growth of memory
  simulate rooms
                play messages to large rooms in simulated time, print a table
  conformance   run the tests of the conformance checklist, print each statement and whether it holds
  peers         only set the peers up
  licences      check that every dependency is from the crate registry, under a licence that we accept
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let rest: Vec<String> = words.collect();
    let outcome = match command.as_str() {
        "test" => peers::set_up().and_then(|peers| run::tests(&peers, &rest)),
        "bench" if rest.first().is_some_and(|what| what == "local") => bench::local(&rest[1..]),
        "bench" if rest.first().is_some_and(|what| what == "deploy") => bench::deploy(&rest[1..]),
        "bench" if rest.first().is_some_and(|what| what == "functions") => {
            bench::functions(&rest[1..])
        }
        "simulate" if rest == ["rooms"] => bench::rooms(),
        "conformance" => conformance::check(),
        "peers" => peers::set_up().map(drop),
        "licences" => licences::check(),
        _ => {
            say(USAGE);
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("xtask: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Talks to whoever runs it.
#[expect(
    clippy::print_stderr,
    reason = "this is the one place where xtask talks"
)]
fn say(text: &str) {
    eprintln!("{text}");
}
