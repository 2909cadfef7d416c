//! The real `deliver` in simulated time, against a model of an account's limit. The large rooms are played by
//! `cargo xtask simulate rooms`.

#[path = "../../examples/rooms/model.rs"]
mod model;

use std::time::Duration;

use model::{Outcome, Setup, play};

const MAX_REGIONS: (f64, f64) = (10_000.0, 5_000.0);
const NEWER_REGIONS: (f64, f64) = (2_500.0, 1_250.0);

fn setup(members: u32, (rate, burst): (f64, f64), milliseconds: u64) -> Setup {
    Setup {
        members,
        rate,
        burst,
        post: Duration::from_millis(milliseconds),
        slow_one_in: None,
    }
}

/// Plays with several seeds; each time everybody gets it once.
fn everybody_gets_it_once(setup: Setup) -> Vec<Outcome> {
    let outcomes: Vec<_> = (1..=3).map(|seed| play(setup, seed)).collect();
    for outcome in &outcomes {
        assert_eq!(
            (outcome.lost, outcome.doubled),
            (0, 0),
            "{setup:?} {outcome:?}"
        );
    }
    outcomes
}

#[test]
fn a_room_of_ten_thousand_gets_it_once_whatever_the_account_may_ask_and_a_post_takes() {
    for limit in [MAX_REGIONS, NEWER_REGIONS] {
        for post in [15, 30, 60] {
            everybody_gets_it_once(setup(10_000, limit, post));
        }
    }
}

#[test]
fn a_room_uses_nine_tenths_of_what_the_account_may_ask_at_least() {
    let large = setup(40_000, NEWER_REGIONS, 15);
    for outcome in everybody_gets_it_once(large) {
        let speed = f64::from(large.members) / outcome.took.as_secs_f64();
        assert!(speed >= 0.9 * large.rate, "{speed} a second: {outcome:?}");
        let refused = outcome.refusals as f64 / f64::from(large.members);
        assert!(refused < 0.2, "{refused} of the posts refused: {outcome:?}");
    }
}

#[test]
fn what_one_function_has_no_time_for_others_do() {
    // 100 requests a second, of which one function can make no more than 30,000 while it may run.
    let slow_account = setup(40_000, (100.0, 50.0), 15);
    for outcome in everybody_gets_it_once(slow_account) {
        assert!(outcome.functions > 4, "{outcome:?}");
    }
}

#[test]
fn clients_that_read_too_slowly_keep_nobody_else_waiting() {
    let alone = setup(10_000, MAX_REGIONS, 15);
    let crowd = Setup {
        slow_one_in: Some(50),
        ..alone
    };
    let slow = everybody_gets_it_once(crowd);
    for (outcome, undisturbed) in slow.iter().zip(everybody_gets_it_once(alone)) {
        // The slow ones take 1.2 seconds, and the pause after that.
        let later = outcome.took.saturating_sub(undisturbed.took);
        assert!(later < Duration::from_secs(4), "{outcome:?}");
    }
}
