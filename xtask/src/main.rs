//! `cargo xtask`: the project's own tasks.

mod advisories;
mod arm64;
mod bench;
mod book;
mod conformance;
mod cross;
mod debian;
mod dist;
mod features;
mod fuzz;
mod licences;
mod metadata;
mod peers;
mod prose;
mod release;
mod run;
mod sbom;
mod spelling;
mod tokens;
mod unused;
mod words;
mod zipped;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [ARGS]   set the pinned third-party peers up (into target/), then run every test; ARGS go to cargo test
  bench local [--record] [--clone] [ARGS]
                build the command as it is distributed, or as a clone builds it, measure the local target, print a table;
                ARGS go to the measuring program. --record also writes the table into docs/reference/benchmarks.md
  bench deploy [ARGS]
                build for release, measure deployments against an emulator of AWS, beside AWS's own command line
  soak MINUTES [ARGS]
                build for release, flood a local stack in every way that we know while two people talk, print a table; fails
                when they wait, or when the stack takes or keeps too much memory; ARGS go to the measuring program
  bench functions [ARGS]
                build for release, measure the handlers' processes by themselves: start, one event, growth of memory
  bench kept [--messages N] [ARGS]
                build for release, send 100,000 messages that are kept while connections, processes of functions and the
                whole stack are killed again and again; fails when one is missing on a screen, or twice
  bench storm [--members N] [ARGS]
                build for release, let the 1,000 members of a room that is announced all enter it, and all reconnect, within
                2 seconds; fails when the chat posts more than it says
  simulate rooms
                play messages to large rooms in simulated time, print a table
  conformance   run the tests of the conformance checklist, print each statement and whether it holds
  fuzz SECONDS [TARGET...]
                build the fuzz targets, run each for that long; needs a C++ compiler. New inputs and finds stay in target/fuzz
  fuzz check    check that the fuzz targets compile; needs no C++ compiler
  peers         only install the tests' third-party programs
  book          build the documentation into target/book; fails where a link leads nowhere
  pictures      make the pictures in docs/images anew, from real runs; look at them before you commit them
  licences      check that every dependency is from the crate registry, under a licence that deny.toml accepts, and in the
                versions that it accepts
  advisories    compare the lock files with RustSec's database, where that is at hand
  spelling      look for misspelt words in prose and code (typos.toml has the exceptions), and in comments for words that
                docs/style.md rules out
  features [PACKAGE...]
                check that each package, or each of these, compiles alone with its tests; takes long the first time
  unused        check that every dependency is named by a source of its package
  release       build the command and the handlers for other machines, without any path of this one
  dist [--out FOLDER]
                make what a release holds for this system: the command, built handlers, completions, man pages, licences
  dist --check ARCHIVE
                unpack an archive and deploy a chat on this machine with it, without Rust; print how long that takes
  arm64         build the handlers for arm64, and play every conversation with them; QEMU runs them elsewhere
  sbom          describe what the command and the handlers are made of: CycloneDX, in target/sbom
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let rest: Vec<String> = words.collect();
    let outcome = match command.as_str() {
        "test" => peers::set_up().and_then(|peers| tests(&peers, &rest)),
        "bench" if rest.first().is_some_and(|what| what == "local") => bench::local(&rest[1..]),
        "bench" if rest.first().is_some_and(|what| what == "deploy") => bench::deploy(&rest[1..]),
        "soak"
            if rest
                .first()
                .is_some_and(|word| word.parse::<f64>().is_ok_and(|it| it > 0.0)) =>
        {
            bench::soak(&rest)
        }
        "bench" if rest.first().is_some_and(|what| what == "functions") => {
            bench::functions(&rest[1..])
        }
        "bench" if rest.first().is_some_and(|what| what == "kept") => bench::kept(&rest[1..]),
        "bench" if rest.first().is_some_and(|what| what == "storm") => bench::storm(&rest[1..]),
        "simulate" if rest == ["rooms"] => bench::rooms(),
        "conformance" => conformance::check(),
        "fuzz" if rest == ["check"] => fuzz::check(),
        "fuzz"
            if rest
                .first()
                .is_some_and(|word| word.parse::<u64>().is_ok_and(|seconds| seconds > 0)) =>
        {
            fuzz::run(rest[0].parse().unwrap_or(1), &rest[1..])
        }
        "peers" => peers::set_up().map(drop),
        "book" => book::build(),
        "pictures" => peers::set_up().and_then(|peers| book::draw(&peers)),
        "licences" => licences::check(),
        "features" => features::check(&rest),
        "unused" => unused::check(),
        "advisories" => advisories::check(),
        "spelling" => prose::check().and_then(|()| spelling::check()),
        "release" => release::build(),
        "dist" => dist::run(&rest),
        "arm64" => arm64::check(),
        "sbom" => sbom::write(),
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

/// Runs every test of the workspace with the third-party programs.
fn tests(peers: &peers::Peers, more: &[String]) -> Result<(), run::StepError> {
    let mut command = std::process::Command::new(run::cargo());
    command.args(["test", "--workspace", "--locked"]).args(more);
    for (name, path) in peers.variables() {
        command.env(name, path);
    }
    run::finish(command, "install a Rust toolchain", "cargo test")
}

/// Prints a message.
#[expect(clippy::print_stderr, reason = "xtask's only output")]
fn say(text: &str) {
    eprintln!("{}", printable(text));
}

/// `text` without control characters, because it may quote the output of other programs.
fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}
