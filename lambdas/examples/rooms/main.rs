//! Simulates messages to large rooms and prints the outcomes: `cargo xtask simulate rooms`.

mod model;

use std::process::ExitCode;
use std::time::Duration;

use model::{Outcome, Setup, play};

/// Accounts' limits, in requests a second and in one burst: in most Regions, and in the newer ones.
const LIMITS: [(f64, f64); 2] = [(10_000.0, 5_000.0), (2_500.0, 1_250.0)];

const ROOMS: [u32; 3] = [10_000, 100_000, 1_000_000];

const POSTS: [u64; 3] = [15, 30, 60];

fn main() -> ExitCode {
    say(
        "| members | requests/s | a post takes | all have it after | posts/s | of the limit | lost | twice | 429 | functions | GB-s |",
    );
    say("|---|---|---|---|---|---|---|---|---|---|---|");
    let mut is_whole = true;
    for (rate, burst) in LIMITS {
        for members in ROOMS {
            for post in POSTS {
                let setup = Setup {
                    members,
                    rate,
                    burst,
                    post: Duration::from_millis(post),
                    slow_one_in: None,
                };
                let outcome = play(setup, 1);
                say(&line(&setup, &outcome));
                is_whole &= outcome.lost == 0 && outcome.doubled == 0;
            }
        }
    }
    match is_whole {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn line(setup: &Setup, outcome: &Outcome) -> String {
    let speed = f64::from(setup.members) / outcome.took.as_secs_f64();
    format!(
        "| {} | {} | {} ms | {:.1} s | {speed:.0} | {:.0} % | {} | {} | {} | {} | {:.1} |",
        setup.members,
        setup.rate,
        setup.post.as_millis(),
        outcome.took.as_secs_f64(),
        100.0 * speed / setup.rate,
        outcome.lost,
        outcome.doubled,
        outcome.refusals,
        outcome.functions,
        outcome.gigabyte_seconds
    )
}

#[expect(clippy::print_stdout, reason = "the table is this program's output")]
fn say(text: &str) {
    println!("{text}");
}
