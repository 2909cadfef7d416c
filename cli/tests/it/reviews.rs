//! Review functions, on a deployed local stack.

use serde_json::{Value, json};
use testing::conversations::REVIEW_FOLDER;

use crate::conversations::Chat;
use crate::project::{Project, built_example, eventually, finished};

/// Writes a crate to `folder` of `project` whose binary becomes the example `name` of the SDK, which is built with the tests.
pub(crate) fn write_crate(project: &Project, folder: &str, name: &str) {
    let becomes = built_example("chat-sdk", name);
    write_program(
        project,
        folder,
        &format!(
            "use std::os::unix::process::CommandExt;\n\
             fn main() {{ panic!(\"{{}}\", std::process::Command::new({becomes:?}).exec()) }}\n"
        ),
    );
}

fn write_program(project: &Project, folder: &str, main: &str) {
    let path = project.path().join(folder);
    std::fs::create_dir_all(path.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"{folder}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n"
    );
    std::fs::write(path.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(path.join("src/main.rs"), main).unwrap();
}

fn deploy(project: &Project) -> String {
    let mut command = project.deployment(&["--no-probe"]);
    command.env("CARGO_TARGET_DIR", project.path().join("target"));
    let deployed = finished(command.output().unwrap());
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let line = deployed.stdout.lines().next().unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

/// A deployed stack with the routes in `toml`, whose review is the SDK's example of one.
pub(crate) fn deployed(toml: &str) -> (Project, String) {
    let project = Project::new(&format!("{toml}[handlers]\nprofile = \"dev\"\n"));
    write_crate(&project, REVIEW_FOLDER, "filter");
    let endpoint = deploy(&project);
    (project, endpoint)
}

fn config(more: &str) -> String {
    format!(
        "[[routes]]\nkey = \"$default\"\ntext = \"message\"\nenvelope = true\nreview = \"{REVIEW_FOLDER}\"\n{more}\n\
         [handlers]\nprofile = \"dev\"\n"
    )
}

/// What Tom gets for a message to himself.
fn reported(url: &str) -> Value {
    let mut tom = Chat::open(url, "Tom", "Tom");
    tom.say(r#"{"message":"hi","ref":"1"}"#);
    let frame = serde_json::from_str(&tom.receive()).unwrap();
    tom.close();
    frame
}

#[test]
fn a_function_that_ends_before_it_answers_leaves_the_message_to_the_fallback() {
    let project = Project::new(&config(""));
    write_program(
        &project,
        REVIEW_FOLDER,
        "fn main() { std::process::exit(1) }\n",
    );
    let refused = reported(&deploy(&project));
    assert_eq!(refused["error"], "Refused");
    assert_eq!(refused["ref"], "1");
    let words = refused["message"].as_str().unwrap();
    assert!(words.contains("could not be reviewed"), "{words}");
    eventually("the reason is logged", || {
        let logs = project.run(&["logs", "--local", "--function", "Direct"]);
        logs.stdout.contains("message not reviewed")
    });
    project.configure(&config("review-fallback = \"allow\""));
    let delivered = reported(&deploy(&project));
    assert_eq!(
        (&delivered["type"], &delivered["text"]),
        (&json!("message"), &json!("hi"))
    );
}

/// It takes its first event and never answers.
const SILENT: &str = "use std::io::{Read, Write};\n\
    fn main() {\n\
        let address = std::env::var(\"AWS_LAMBDA_RUNTIME_API\").unwrap();\n\
        let mut api = std::net::TcpStream::connect(&address).unwrap();\n\
        let next = format!(\"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: {address}\\r\\n\\r\\n\");\n\
        api.write_all(next.as_bytes()).unwrap();\n\
        let mut taken = Vec::new();\n\
        api.read_to_end(&mut taken).unwrap();\n\
    }\n";

#[test]
fn a_function_that_does_not_answer_is_waited_for_as_long_as_its_route_says() {
    let project = Project::new(&config("review-timeout = \"300ms\""));
    write_program(&project, REVIEW_FOLDER, SILENT);
    let url = deploy(&project);
    let began = std::time::Instant::now();
    let refused = reported(&url);
    assert_eq!(refused["error"], "Refused");
    assert!(began.elapsed().as_millis() >= 300);
    eventually("the reason is logged", || {
        let logs = project.run(&["logs", "--local", "--function", "Direct"]);
        logs.stdout.contains("did not answer within 300ms")
    });
}

/// Two routes with one function have together what it needs, and a third one takes another binary of the same crate.
#[test]
fn a_review_function_has_the_settings_of_its_routes() {
    let project = Project::new(
        "[[routes]]\nkey = \"$default\"\nenvelope = true\nreview = \"filter\"\nreview-binary = \"filter\"\n\
         review-environment = { GREETING = \"good morning\" }\nreview-log-level = \"debug\"\nreview-memory = 256\n\
         [[routes]]\nkey = \"tell\"\ntext = \"message\"\nenvelope = true\nreview = \"./filter\"\nreview-binary = \"filter\"\n\
         review-memory = 256\nreview-secrets = { KEY = { ssm = \"/chat/key\", variable = \"CHAT_KEY\" } }\n\
         [[routes]]\nkey = \"plain\"\ntext = \"message\"\nenvelope = true\nreview = \"filter\"\nreview-binary = \"other\"\n\
         [handlers]\nprofile = \"dev\"\n",
    );
    write_crate(&project, "filter", "censor");
    let folder = project.path().join("filter/src");
    std::fs::create_dir(folder.join("bin")).unwrap();
    std::fs::copy(folder.join("main.rs"), folder.join("bin/other.rs")).unwrap();
    let mut command = project.deployment(&["--no-probe"]);
    command
        .env("CARGO_TARGET_DIR", project.path().join("target"))
        .env("CHAT_KEY", "hush");
    let deployed = finished(command.output().unwrap());
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let line = deployed.stdout.lines().next().unwrap();
    let mut tom = Chat::open(line.rsplit(' ').next().unwrap(), "Tom", "Tom");
    let mut reported = |frame: &str| {
        tom.say(frame);
        serde_json::from_str::<Value>(&tom.receive()).unwrap()
    };
    for (frame, text) in [
        ("variable GREETING", "good morning"),
        ("variable AWS_LAMBDA_LOG_LEVEL", "DEBUG"),
        ("variable AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("secret KEY", "hsuh"),
        (
            r#"{"action":"tell","message":"variable GREETING"}"#,
            "good morning",
        ),
        (r#"{"action":"tell","message":"secret KEY"}"#, "hsuh"),
        (
            r#"{"action":"plain","message":"variable AWS_LAMBDA_FUNCTION_MEMORY_SIZE"}"#,
            "128",
        ),
    ] {
        assert_eq!(reported(frame)["text"], text, "{frame}");
    }
    let refused = reported(r#"{"action":"plain","message":"secret KEY"}"#);
    assert_eq!(refused["error"], "Refused");
}
