//! Changes and announcers at the same time, in every order that chance finds.

use std::cell::Cell;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Instant, sleep};

use super::{Client, Kitchen, people};

/// So many random histories. Each is the same in every run.
const HISTORIES: u64 = 60;

/// A client that stays sees every change, whatever happens between the calls of a change and those of an announcer.
///
/// People enter and leave at random times, some by several devices, while each call to the table takes a random time
/// before and after it has its effect, and announcers run as soon as they are summoned. In a third of the histories, an
/// announcer in eight is dropped by Lambda, and one in eight dies at work. When all is quiet, and one more change follows
/// where some have died, the client's names are those in the room.
#[tokio::test(start_paused = true)]
async fn no_change_is_lost_between_two_windows() {
    for seed in 0..HISTORIES {
        fastrand::seed(seed);
        let kitchen = Kitchen::new();
        let deaths = seed % 3 == 0;
        kitchen.enters("Watcher", "watcher").await;
        kitchen.scene.store.dawdle(Duration::from_millis(900));
        let is_over = Cell::new(false);
        let people_s_work = async {
            let persons: FuturesUnordered<_> =
                (0..6).map(|number| person(&kitchen, number)).collect();
            persons.collect::<()>().await;
            is_over.set(true);
        };
        let announcers = announcers(&kitchen, &is_over, deaths);
        tokio::join!(people_s_work, announcers);
        kitchen.scene.store.dawdle(Duration::ZERO);
        if deaths {
            // A dead announcer's turn is over after a while.
            sleep(Duration::from_secs(180)).await;
            kitchen.enters("Last", "last").await;
        }
        kitchen.settles().await;
        let mut watcher = Client::default();
        watcher.applies(kitchen.read("watcher"));
        let names: Vec<_> = people(&kitchen).into_keys().collect();
        let seen: Vec<_> = watcher.names.into_iter().collect();
        assert_eq!(seen, names, "history {seed}");
    }
}

/// Enters and leaves at random times, by one or two devices.
async fn person(kitchen: &Kitchen, number: usize) {
    let name = format!("P{number}");
    for round in 0..fastrand::usize(1..6) {
        let device = |device: usize| format!("{name}-{round}-{device}");
        sleep(Duration::from_millis(fastrand::u64(0..9_000))).await;
        kitchen.enters(&name, &device(0)).await;
        sleep(Duration::from_millis(fastrand::u64(0..9_000))).await;
        let second = fastrand::bool();
        if second {
            kitchen.enters(&name, &device(1)).await;
        }
        if fastrand::u8(..) < 200 {
            kitchen.leaves(&device(0)).await;
        }
        if second {
            sleep(Duration::from_millis(fastrand::u64(0..4_000))).await;
            kitchen.leaves(&device(1)).await;
        }
    }
}

/// Runs every announcer that is summoned, at once, until the people have ended and none is left.
async fn announcers(kitchen: &Kitchen, is_over: &Cell<bool>, deaths: bool) {
    let mut running = FuturesUnordered::new();
    loop {
        for announce_event in kitchen.announcer.take() {
            let chance = fastrand::u8(..);
            if deaths && chance < 32 {
                continue;
            }
            let life = match chance {
                32..64 if deaths => Duration::from_millis(fastrand::u64(0..10_000)),
                _ => Duration::from_secs(900),
            };
            running.push(async move {
                let until = Instant::now() + life;
                // Lambda invokes it again after an error.
                while let Ok(Err(_busy)) =
                    tokio::time::timeout_at(until, kitchen.announces(&announce_event)).await
                {
                }
            });
        }
        tokio::select! {
            Some(()) = running.next(), if !running.is_empty() => {}
            () = sleep(Duration::from_millis(20)) => {
                if is_over.get() && running.is_empty() {
                    return;
                }
            }
        }
    }
}
