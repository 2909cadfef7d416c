//! The conversation scripts, over one deployment to the emulator: real sockets, real handlers, a gateway that is not ours.

use testing::conversations::{self, Deployed, Fault, OverSockets};
use testing::until::{TIMEOUT, try_until};

use crate::cloud::Cloud;

/// Scripts that the emulator's gateway cannot play, and why. Each is played over the fakes and over a local stack.
const BEYOND_THE_EMULATOR: &[(&str, &str)] = &[(
    "forged_events",
    "it routes a message whose action is `$connect` to the route of that name, which is for handshakes",
)];

impl Deployed for Cloud {
    /// The emulator writes a line into a function's log when a run is over.
    async fn quiet(&self, _open: usize, sent: usize, ended: usize) -> Result<(), Fault> {
        try_until(TIMEOUT, async || {
            let direct = self.finished_runs("Direct").await;
            let disconnect = self.finished_runs("Disconnect").await;
            let is_quiet = direct >= sent && disconnect >= ended;
            is_quiet.then_some(()).ok_or_else(|| {
                format!("of {sent} messages {direct} were dealt with, of {ended} ends {disconnect}")
                    .into()
            })
        })
        .await
    }
}

/// All connections end, and what was not dealt with is forgotten, so that one script's failure is not the next one's.
async fn clear(world: &mut OverSockets<Cloud>) {
    // What did not come until now is in the list already.
    drop(world.clear().await);
    world.sent = world.deployed.finished_runs("Direct").await;
    world.ended = world.deployed.finished_runs("Disconnect").await;
}

#[tokio::test]
async fn the_conversations_go_over_a_stack_of_the_emulator_as_they_are_written() {
    let cloud = Cloud::start().await;
    let endpoint = cloud.deploy("--no-probe").await.exits(0).url();
    let mut world = OverSockets::new(cloud, endpoint);
    let mut scripts = conversations::scripts().unwrap();
    // One deployment is all there is time for; the other stacks are played over on this machine.
    scripts.retain(|script| script.stack.name == "direct");
    let known: Vec<_> = scripts.iter().map(|script| script.name.as_str()).collect();
    for (name, _) in BEYOND_THE_EMULATOR {
        assert!(known.contains(name), "there is no script {name} any more");
    }
    let mut failures = Vec::new();
    for script in &scripts {
        let name = script.name.as_str();
        if BEYOND_THE_EMULATOR
            .iter()
            .any(|(beyond, _)| *beyond == name)
        {
            continue;
        }
        if let Err(failure) = conversations::play(script, &mut world).await {
            failures.push(format!("{failure}: {:?}", failure.fault));
        }
        clear(&mut world).await;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
