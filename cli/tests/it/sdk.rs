//! Handlers on `chat-sdk`, on a deployed local stack.

use crate::conversations::Chat;
use crate::project::{Project, built_example, eventually, finished};

/// A chat of friends and rooms, with a handler behind `do` that is granted `permissions`.
fn config(permissions: &str) -> String {
    format!(
        "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"say\"\nreceivers = \"room\"\n\
         [[routes]]\nkey = \"do\"\nhandler = \"do\"\nreply = true\n{permissions}\n[handlers]\nprofile = \"dev\"\n"
    )
}

/// A crate whose binary becomes the example of the SDK that can do everything; that one is built with the tests.
pub(crate) fn write_crate(project: &Project) {
    let folder = project.path().join("do/src");
    std::fs::create_dir_all(&folder).unwrap();
    let manifest =
        "[package]\nname = \"do\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
    std::fs::write(project.path().join("do/Cargo.toml"), manifest).unwrap();
    let main = format!(
        "use std::os::unix::process::CommandExt;\n\
         fn main() {{ panic!(\"{{}}\", std::process::Command::new({:?}).exec()) }}\n",
        built_example("chat-sdk", "everything")
    );
    std::fs::write(folder.join("main.rs"), main).unwrap();
}

pub(crate) fn deploy(project: &Project) -> String {
    let mut command = project.deployment(&["--no-probe"]);
    command.env("CARGO_TARGET_DIR", project.path().join("target"));
    let deployed = finished(command.output().unwrap());
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let line = deployed.stdout.lines().next().unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

/// Asks the handler to do `what`; answers its reply.
pub(crate) fn asks(client: &mut Chat, what: &str) -> String {
    client.say(&format!(r#"{{"action":"do","do":{what}}}"#));
    client.receive()
}

/// What the functions have logged, without the escapes of JSON in JSON.
pub(crate) fn logged(project: &Project) -> String {
    let logs = project.run(&["logs", "--local", "--function", "HandlerDo"]);
    assert_eq!(logs.code, 0, "{}", logs.stderr);
    logs.stdout.replace("\\\"", "\"")
}

#[test]
fn a_handler_learns_who_speaks_and_answers_without_any_permission() {
    let project = Project::new(&config(""));
    write_crate(&project);
    let url = deploy(&project);
    let mut tom = Chat::open(&url, "Tom", "Jerry");
    assert_eq!(asks(&mut tom, r#""reply","text":"so""#), "so");
    assert_eq!(asks(&mut tom, "\"who\""), r#"["Tom","Jerry","everybody"]"#);
    let refused = asks(&mut tom, "\"sing\"");
    assert!(refused.contains("Internal server error"), "{refused}");
    eventually("the reason is logged", || {
        logged(&project).contains("unknown action")
    });
}

#[test]
fn a_flood_does_not_reach_a_handler_whose_chat_limits_messages() {
    let project = Project::new(&(config("") + "[limits]\nmessages-per-second = 1\n"));
    write_crate(&project);
    let url = deploy(&project);
    let mut tom = Chat::open(&url, "Tom", "Jerry");
    for _ in 0..6 {
        tom.say(r#"{"action":"do","do":"reply","text":"so"}"#);
    }
    let frames: Vec<_> = (0..6).map(|_| tom.receive()).collect();
    let refused = frames
        .iter()
        .filter(|frame| frame.starts_with(r#"{"error":"TooManyMessages","#));
    let (refused, replied) = (
        refused.count(),
        frames.iter().filter(|it| *it == "so").count(),
    );
    assert!(refused > 0 && replied > 0, "{frames:?}");
    assert_eq!(refused + replied, 6, "{frames:?}");
}

/// Everything that needs a permission, and what a client that is alone in the chat receives.
const DEEDS: [(&str, &[&str]); 7] = [
    (r#""sender","text":"x""#, &["x", "[1,0,0]"]),
    (r#""person","to":"Tom","text":"x""#, &["x", "[1,0,0]"]),
    (r#""room","text":"x""#, &["x", "[1,0,0]"]),
    ("\"count\"", &["1"]),
    (r#""write","text":"x""#, &[]),
    // The stack keeps what the deed before has written.
    ("\"read\"", &["\"x\""]),
    ("\"remove\"", &[]),
];

#[test]
fn the_line_that_an_error_names_is_all_that_the_config_lacked() {
    let project = Project::new(&config(""));
    write_crate(&project);
    let url = deploy(&project);
    let mut tom = Chat::open(&url, "Tom", "Jerry");
    // One after another, so that the log tells whose error is whose.
    let mut lines = Vec::new();
    for (deed, _) in DEEDS {
        let refused = asks(&mut tom, deed);
        assert!(
            refused.contains("Internal server error"),
            "{deed}: {refused}"
        );
        let mut named = Vec::new();
        eventually("the error names a line", || {
            let logged = logged(&project);
            let parts = logged.split("its route needs `").skip(1);
            named = parts
                .map(|part| part.split('`').next().unwrap().to_owned())
                .collect();
            named.len() > lines.len()
        });
        lines.push(named.pop().unwrap());
    }
    drop(tom);
    for (line, (deed, receives)) in lines.iter().zip(DEEDS) {
        project.configure(&config(line));
        let url = deploy(&project);
        let mut tom = Chat::open(&url, "Tom", "Jerry");
        tom.say(&format!(r#"{{"action":"do","do":{deed}}}"#));
        // In any order: a reply and a post have ways of their own.
        let mut received: Vec<_> = receives.iter().map(|_| tom.receive()).collect();
        received.sort();
        let mut receives = receives.to_vec();
        receives.sort_unstable();
        assert_eq!(received, receives, "{deed} with {line}");
        assert_eq!(asks(&mut tom, r#""reply","text":"done""#), "done", "{deed}");
        tom.close();
    }
}

#[test]
fn a_message_goes_to_every_device_of_a_person_and_to_the_others_in_a_room() {
    let both = "permissions = [{ actions = [\"execute-api:ManageConnections\"], resources = [\"connections\"] }, \
                { actions = [\"dynamodb:Query\", \"dynamodb:DeleteItem\"], resources = [\"table\"] }]";
    let project = Project::new(&config(both));
    write_crate(&project);
    let url = deploy(&project);
    let mut tom = Chat::open(&url, "Tom", "Jerry");
    let mut devices = [(); 2].map(|()| Chat::open(&url, "Jerry", "Tom"));
    assert_eq!(
        asks(&mut tom, r#""person","to":"Jerry","text":"hello""#),
        "[2,0,0]"
    );
    for jerry in &mut devices {
        assert_eq!(jerry.receive(), "hello");
    }
    assert_eq!(asks(&mut tom, r#""others","text":"you two""#), "[2,0,0]");
    for jerry in &mut devices {
        assert_eq!(jerry.receive(), "you two");
    }
    assert_eq!(
        asks(&mut tom, r#""person","to":"Spike","text":"?""#),
        "[0,0,0]"
    );
    let logged = logged(&project);
    assert!(!logged.contains("permissions = ["), "{logged}");
}

#[test]
fn a_chat_that_records_no_user_by_name_says_which_route_would() {
    let room = config("").replace(
        "key = \"$default\"",
        "key = \"$default\"\nreceivers = \"room\"",
    );
    let project = Project::new(&room);
    write_crate(&project);
    let url = deploy(&project);
    let mut tom = Chat::open(&url, "Tom", "Jerry");
    let refused = asks(&mut tom, r#""person","to":"Tom","text":"x""#);
    assert!(refused.contains("Internal server error"), "{refused}");
    eventually("the error names the route", || {
        logged(&project).contains("a route with `receivers = \"friend\"`")
    });
}
