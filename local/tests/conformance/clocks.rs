//! The effects of the machine's sleep and of a changed wall clock on connections.

use std::time::Duration;

use crate::setup::Setup;
use crate::world::{Client, World};

const HOUR: u64 = 3_600;
const DAY: i64 = 86_400;

/// Checks that a message of the `index`th connection's client arrives, and that a post reaches it.
async fn is_reachable(world: &World, client: &mut Client, index: usize) {
    let id = world.connection_id(index).await;
    let before = world.puppets.count("default");
    client.send("x").await;
    // Its response has arrived too, so that nothing is in progress when the clock is moved.
    world.puppets.event("default", before).await;
    world.settled().await;
    assert_eq!(world.operate("POST", &id, b"y").await.status, 200);
    assert_eq!(client.receive().await, "y");
}

/// Checks that the client's connection ends as the `ended`th, and that its next one is the `index`th.
async fn is_ended_and_comes_back(
    world: &World,
    client: &mut Client,
    (ended, index): (usize, usize),
) -> Client {
    assert_eq!(client.close_code().await, 1001);
    let received = world.puppets.event("disconnect", ended).await;
    assert_eq!(received.context()["disconnectStatusCode"], 1001);
    let mut again = world.connect().await;
    is_reachable(world, &mut again, index).await;
    again
}

#[tokio::test]
async fn a_connection_that_expired_during_sleep_is_ended_and_the_next_one_is_reachable() {
    let (world, manual) = World::by_hand(Setup::chat).await;
    let mut client = world.connect().await;
    is_reachable(&world, &mut client, 0).await;
    let slept = Duration::from_secs(2 * HOUR + 20 * 60);
    manual.set_wall_clock(i64::try_from(slept.as_secs()).unwrap());
    manual.advance(slept);
    is_ended_and_comes_back(&world, &mut client, (0, 1)).await;
}

#[tokio::test]
async fn a_wall_clock_set_forward_ends_connections_and_one_set_back_does_not() {
    let (world, manual) = World::by_hand(Setup::chat).await;
    let mut client = world.connect().await;
    is_reachable(&world, &mut client, 0).await;
    // Less than two hours: the functions' records of it have not expired.
    manual.set_wall_clock(3_600);
    is_reachable(&world, &mut client, 0).await;
    manual.set_wall_clock(DAY);
    let mut client = is_ended_and_comes_back(&world, &mut client, (0, 1)).await;
    manual.set_wall_clock(-DAY);
    is_reachable(&world, &mut client, 1).await;
    // Connections that were opened meanwhile are ended when the clock is corrected.
    let mut early = world.connect().await;
    is_reachable(&world, &mut early, 2).await;
    manual.set_wall_clock(DAY);
    let mut late = is_ended_and_comes_back(&world, &mut early, (1, 3)).await;
    is_reachable(&world, &mut late, 3).await;
    // The first one has the same age on both clocks.
    is_reachable(&world, &mut client, 1).await;
}
