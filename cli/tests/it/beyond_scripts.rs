//! What the conversation scripts cannot say: a text in several frames, and connections that end without a close frame.

use rustix::process::{Pid, Signal, kill_process};

use crate::conversations::Chat;
use crate::project::{Project, eventually};

#[test]
fn a_text_of_128_kb_in_frames_that_cut_characters_in_two_arrives_whole() {
    let project = Project::new("");
    let url = project.deployed(&[]);
    let mut tom = Chat::open(&url, "Tom", "Jerry");
    let mut jerry = Chat::open(&url, "Jerry", "Tom");
    let text = format!("\n{}\r\n\"", "\u{1F642}".repeat(32 * 1024 - 1));
    assert_eq!(text.len(), 128 * 1024);
    tom.say_in_frames(&text, 32 * 1024);
    assert!(jerry.receive() == text, "it is not the same text");
}

/// A killed stack closes no connection properly: its table still has the connections.
#[test]
fn connections_that_are_gone_hold_no_message_up_and_are_forgotten() {
    let config = include_str!("../../../examples/broadcast-cleanup/chatctl.toml");
    let project = Project::new(config);
    let url = project.deployed(&["--no-probe"]);
    let _lost = [(); 2].map(|()| Chat::open_in(&url, "everybody"));
    let pid = Pid::from_raw(project.pid().cast_signed()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    project.noticed_as_dead();
    project.deployed(&["--no-probe"]);
    let mut here = [(); 2].map(|()| Chat::open_in(&url, "everybody"));
    let logged = |text: &str| {
        let logs = project.run(&["logs", "--local", "--function", "Broadcast"]);
        logs.stdout
            .lines()
            .filter(|line| line.contains(text))
            .count()
    };
    let mut said = 0;
    // For some seconds a 410 may as well mean that a client is just arriving.
    eventually("nobody is looked for in vain any more", || {
        let before = logged("gone=2");
        here[0].say(r#"{"action":"broadcast","data":"Who is left?"}"#);
        said += 1;
        for chat in &mut here {
            assert_eq!(chat.receive(), "Who is left?");
        }
        eventually("the function is done", || logged("REPORT") == said);
        before > 0 && logged("gone=2") == before
    });
}
