//! The real `deliver` in simulated time, against a model of an account's limit. `cargo xtask simulate rooms` simulates
//! the large rooms.

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

/// Simulates with several seeds; each time every member must get it once.
fn check_that_each_member_gets_it_once(setup: Setup) -> Vec<Outcome> {
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
fn a_room_of_ten_thousand_gets_it_once_whatever_the_limit_and_the_time_of_posts() {
    for limit in [MAX_REGIONS, NEWER_REGIONS] {
        for post in [15, 30, 60] {
            check_that_each_member_gets_it_once(setup(10_000, limit, post));
        }
    }
}

#[test]
fn a_room_uses_at_least_nine_tenths_of_the_account_s_limit() {
    let large = setup(40_000, NEWER_REGIONS, 15);
    for outcome in check_that_each_member_gets_it_once(large) {
        let speed = f64::from(large.members) / outcome.took.as_secs_f64();
        assert!(speed >= 0.9 * large.rate, "{speed} a second: {outcome:?}");
        let refused = outcome.refusals as f64 / f64::from(large.members);
        assert!(refused < 0.2, "{refused} of the posts refused: {outcome:?}");
    }
}

#[test]
fn the_next_functions_serve_the_remaining_members() {
    // 100 requests a second, so one function can make at most 30,000 within its timeout.
    let slow_account = setup(40_000, (100.0, 50.0), 15);
    for outcome in check_that_each_member_gets_it_once(slow_account) {
        assert!(outcome.functions > 4, "{outcome:?}");
    }
}

#[test]
fn slow_clients_do_not_delay_the_others() {
    let alone = setup(10_000, MAX_REGIONS, 15);
    let crowd = Setup {
        slow_one_in: Some(50),
        ..alone
    };
    let slow = check_that_each_member_gets_it_once(crowd);
    for (outcome, undisturbed) in slow.iter().zip(check_that_each_member_gets_it_once(alone)) {
        // The slow ones take 1.2 seconds, and the pause after that.
        let later = outcome.took.saturating_sub(undisturbed.took);
        assert!(later < Duration::from_secs(4), "{outcome:?}");
    }
}
