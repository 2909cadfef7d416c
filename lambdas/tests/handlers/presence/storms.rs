//! Rooms of a thousand: the number of posts, counted.

use std::cell::Cell;
use std::time::Duration;

use chat_lambdas::handlers::Announcements;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Instant, sleep};

use super::{Kitchen, said};

const MEMBERS: usize = 1_000;

fn name(number: usize) -> String {
    format!("Person {number:04} of the room")
}

/// Lets `number` do something at a random time in `within`, all at once, while announcers run. Returns what they did.
async fn storm<F: Future<Output = ()>>(
    kitchen: &Kitchen,
    within: Duration,
    mut act: impl FnMut(usize) -> F,
) -> Vec<Announcements> {
    fastrand::seed(7);
    let is_over = Cell::new(false);
    let acts: FuturesUnordered<_> = (0..MEMBERS)
        .map(|number| {
            let (wait, act) = (within.mul_f64(fastrand::f64()), act(number));
            async move {
                sleep(wait).await;
                act.await;
            }
        })
        .collect();
    let people = async {
        acts.collect::<()>().await;
        is_over.set(true);
    };
    let announcers = async {
        let mut running = FuturesUnordered::new();
        let mut done = Vec::new();
        loop {
            for announce_event in kitchen.announcer.take() {
                running.push(async move { kitchen.announces(&announce_event).await.unwrap() });
            }
            tokio::select! {
                Some(announced) = running.next(), if !running.is_empty() => done.push(announced),
                () = sleep(Duration::from_millis(20)) => {
                    if is_over.get() && running.is_empty() {
                        return done;
                    }
                }
            }
        }
    };
    tokio::join!(people, announcers).1
}

fn posts(done: &[Announcements]) -> usize {
    done.iter()
        .map(|it| it.posts.delivered + it.posts.gone + it.posts.refused)
        .sum()
}

/// A kitchen of a thousand that is announced.
async fn full() -> Kitchen {
    let kitchen = Kitchen::new();
    for number in 0..MEMBERS {
        kitchen.enters(&name(number), &format!("{number}-0")).await;
    }
    kitchen.settles().await;
    for number in 0..MEMBERS {
        assert_eq!(kitchen.read(&format!("{number}-0")).len(), 1);
    }
    sleep(Duration::from_secs(60)).await;
    kitchen
}

#[tokio::test(start_paused = true)]
async fn a_thousand_arrivals_within_two_seconds_are_one_frame_for_each_member() {
    let kitchen = Kitchen::new();
    let done = storm(&kitchen, Duration::from_secs(2), async |number| {
        kitchen.enters(&name(number), &format!("{number}-0")).await;
    })
    .await;
    assert_eq!((done.len(), done[0].frames, posts(&done)), (1, 1, MEMBERS));
    let (arrived, left, people) = kitchen.read("7-0").remove(0);
    assert_eq!((arrived.len(), left.len(), people), (MEMBERS, 0, MEMBERS));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_reconnects_within_two_seconds_are_no_post_and_one_or_two_announcers() {
    for old_leaves_first in [true, false] {
        let kitchen = full().await;
        let done = storm(&kitchen, Duration::from_secs(2), async |number| {
            let (old, new) = (format!("{number}-0"), format!("{number}-1"));
            if old_leaves_first {
                kitchen.leaves(&old).await;
                sleep(Duration::from_millis(fastrand::u64(0..2_000))).await;
                kitchen.enters(&name(number), &new).await;
            } else {
                kitchen.enters(&name(number), &new).await;
                sleep(Duration::from_millis(fastrand::u64(0..2_000))).await;
                kitchen.leaves(&old).await;
            }
        })
        .await;
        assert_eq!(posts(&done), 0);
        assert!((1..=2).contains(&done.len()), "{}", done.len());
        kitchen.enters("Zoe", "z").await;
        kitchen.settles().await;
        assert_eq!(kitchen.read("7-1"), [said(&["Zoe"], &[], MEMBERS + 1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_who_return_within_two_seconds_cost_one_frame_for_each_old_connection() {
    let kitchen = full().await;
    // No `$disconnect` at all: a thousand old rows stay until a post finds them gone.
    let done = storm(&kitchen, Duration::from_secs(2), async |number| {
        kitchen.vanishes(&format!("{number}-0"));
        kitchen.enters(&name(number), &format!("{number}-1")).await;
    })
    .await;
    assert_eq!(posts(&done), 0);
    kitchen.enters("Zoe", "z").await;
    let done = kitchen.settles().await;
    assert_eq!((done[0].frames, posts(&done)), (1, 2 * MEMBERS + 1));
    assert_eq!(kitchen.scene.members().len(), MEMBERS + 1);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_never_rests_gets_at_most_a_frame_for_each_member_and_window() {
    let kitchen = full().await;
    let began = Instant::now();
    let done = storm(&kitchen, Duration::from_secs(60), async |number| {
        match number % 2 {
            0 => kitchen.leaves(&format!("{number}-0")).await,
            _ => {
                kitchen
                    .enters(&format!("New {number}"), &format!("{number}-1"))
                    .await
            }
        }
    })
    .await;
    let windows = began.elapsed().as_secs_f64() / 3.0;
    let most = windows.ceil() as usize + 1;
    assert!(
        done.len() <= most,
        "{} announcers in {windows} windows",
        done.len()
    );
    let frames: usize = done.iter().map(|it| it.frames).sum();
    assert!(frames <= most, "{frames} frames in {windows} windows");
    assert!(posts(&done) <= most * MEMBERS, "{} posts", posts(&done));
}
