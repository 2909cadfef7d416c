//! Announcements of who comes and who leaves, over a deployed local stack: many at once.

use std::time::{Duration, Instant};

use chat_protocol::presence::Announcement;
use futures_util::future::join_all;
use testing::Client;
use testing::blocking::eventually;
use testing::until::try_until;

use crate::project::{Project, TIMEOUT};

const CONFIG: &str = "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n[[routes]]\nkey = \"who\"\nanswers = \"who\"\nannounce = true\n";

/// As many as machines with two cores take in two seconds, beside other tests.
const MEMBERS: usize = 200;

async fn enters(endpoint: &str, name: &str) -> Client {
    let named = [("msgfrom", name), ("msgroom", "hall")];
    // The route takes 500 handshakes a second.
    let opened = try_until(TIMEOUT, async || Client::open(endpoint, named).await);
    opened.await.unwrap()
}

async fn all_enter(endpoint: &str) -> Vec<Client> {
    let names = (0..MEMBERS).map(|number| format!("P{number:04}"));
    join_all(names.map(async |name| enters(endpoint, &name).await)).await
}

fn parsed(frame: &str) -> (Vec<String>, Vec<String>, usize) {
    let Announcement::Presence {
        arrived,
        left,
        people,
        ..
    } = serde_json::from_str(frame).unwrap();
    (arrived, left, people)
}

/// What has arrived until every announcer has ended.
async fn frames(project: &Project, clients: &mut [Client]) -> Vec<Vec<String>> {
    eventually("nothing is under way", || {
        let status = project.status();
        let functions = status["functions"].as_object().unwrap();
        functions.values().all(|function| function["inFlight"] == 0)
    });
    let mut all = Vec::new();
    for client in clients {
        client.read_up_to_a_pong().await.unwrap();
        let arrived = std::iter::from_fn(|| client.arrived());
        all.push(arrived.map(|text| text.to_string()).collect());
    }
    all
}

fn announcers(project: &Project) -> u64 {
    let status = project.status();
    status["functions"]["AnnounceFunction"]["invocations"]
        .as_u64()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_whose_members_all_reconnect_gets_no_frame_and_one_that_fills_few() {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let project = Project::new(CONFIG);
    let endpoint = project.deployed(&["--no-probe"]);
    let began = Instant::now();
    let mut old = all_enter(&endpoint).await;
    let took = began.elapsed();
    let read = frames(&project, &mut old).await;
    let most = took.as_secs() / 3 + 2;
    assert!(
        announcers(&project) <= most,
        "{} in {took:?}",
        announcers(&project)
    );
    for frames in &read {
        assert!(frames.len() as u64 <= most, "{frames:?}");
        assert_eq!(parsed(frames.last().unwrap()).2, MEMBERS);
    }

    let before = announcers(&project);
    let began = Instant::now();
    drop(old);
    let mut new = all_enter(&endpoint).await;
    let took = began.elapsed();
    let read = frames(&project, &mut new).await;
    let posts: usize = read.iter().map(Vec::len).sum();
    let more = announcers(&project) - before;
    // A member that was away for less than the grace has not left.
    if took < Duration::from_secs(3) {
        assert_eq!(posts, 0, "{read:?}");
    }
    assert!(more <= took.as_secs() / 3 + 2, "{more} in {took:?}");

    let _zoe = enters(&endpoint, "Zoe").await;
    for frames in frames(&project, &mut new).await {
        let [frame] = &frames[..] else {
            panic!("one frame: {frames:?}");
        };
        assert_eq!(parsed(frame), (vec!["Zoe".to_owned()], vec![], MEMBERS + 1));
    }
}
