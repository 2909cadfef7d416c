//! The guide's pages, played as a reader would: their configs, commands and sessions.

use std::path::Path;

use crate::examples::{play, session};
use crate::operator::enter;
use crate::project::{Project, built_example, finished};
use crate::reviews::write_crate;

fn page(name: &str) -> String {
    let path = format!("../docs/guide/{name}.md");
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The blocks of code of this kind.
fn blocks<'a>(text: &'a str, kind: &str) -> Vec<&'a str> {
    let opening = format!("```{kind}\n");
    let blocks = text.split(&opening).skip(1);
    blocks
        .filter_map(|rest| rest.split("\n```").next())
        .collect()
}

/// The commands of chatctl that the page has its reader type, without `chatctl` itself.
fn commands(text: &str) -> Vec<Vec<String>> {
    let lines = blocks(text, "sh").into_iter().flat_map(str::lines);
    let commands = lines.filter_map(|line| line.trim_end().strip_prefix("chatctl "));
    let words = |line: &str| {
        let command = line.split('#').next().unwrap_or_default();
        command.split_whitespace().map(str::to_owned).collect()
    };
    commands.map(words).collect()
}

/// Follows the page `name` in `project`: every command must succeed, and the session must go as it is shown.
fn follow(name: &str, project: &Project) {
    let text = page(name);
    let mut deployments = 0;
    for words in commands(&text) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if words == ["deploy", "--local"] {
            let mut command = project.deployment(&[]);
            command.env("CARGO_TARGET_DIR", project.path().join("target"));
            let deployed = finished(command.output().unwrap());
            assert_eq!(deployed.code, 0, "{}", deployed.stderr);
            let url = deployed.stdout.lines().next().unwrap();
            play(&session(&text), project, url.rsplit(' ').next().unwrap());
            deployments += 1;
        } else if words.contains(&"--local") {
            let agreed: &[&str] = if words[0] == "teardown" {
                &["--yes"]
            } else {
                &[]
            };
            let ended = project.run(&[&words, agreed].concat());
            assert_eq!(ended.code, 0, "{words:?}: {}", ended.stderr);
        } else {
            panic!("{name}: the page's commands are about the local stack, and {words:?} is not");
        }
    }
    assert_eq!(deployments, 1, "{name} deploys once");
}

#[test]
fn the_quickstart_is_as_it_says() {
    let project = Project::new("");
    follow("quickstart", &project);
    assert!(
        !project.state().exists(),
        "its last command removes the stack"
    );
}

#[test]
fn the_page_about_rooms_is_as_it_says() {
    let text = page("rooms");
    follow("rooms", &Project::new(blocks(&text, "toml")[0]));
}

#[test]
fn the_page_about_presence_is_as_it_says() {
    let text = page("presence");
    follow("presence", &Project::new(blocks(&text, "toml")[0]));
}

#[test]
fn the_page_about_senders_is_as_it_says() {
    let text = page("senders");
    follow("senders", &Project::new(blocks(&text, "toml")[0]));
}

#[test]
fn the_page_about_overlays_is_as_it_says() {
    let text = page("overlay");
    let project = Project::new(blocks(&text, "toml")[0]);
    std::fs::write(project.path().join("extra.yaml"), blocks(&text, "yaml")[0]).unwrap();
    follow("overlay", &project);
    assert!(!project.state().exists());
}

#[test]
fn the_page_about_history_is_as_it_says() {
    let text = page("history");
    follow("history", &Project::new(blocks(&text, "toml")[0]));
}

/// The page's commands, with the people that it supposes.
#[test]
fn the_page_about_operating_is_as_it_says() {
    let text = page("operator");
    let project = Project::new(blocks(&text, "toml")[0]);
    let mut people = Vec::new();
    for words in commands(&text) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[0] {
            "deploy" => {
                let url = project.deployed(&[]);
                people = ["Ann", "Ann", "Bob"]
                    .map(|name| enter(&url, name, "kitchen"))
                    .into();
                continue;
            }
            "kick" | "teardown" => {
                let agreed = [&words[..], &["--yes"]].concat();
                assert_eq!(project.run(&agreed).code, 0, "{words:?}");
                continue;
            }
            _ => {}
        }
        let ended = project.run(&words);
        assert_eq!(ended.code, 0, "{words:?}: {}", ended.stderr);
        if words[0] == "connections" {
            let shown = blocks(&text, "text")[0];
            let head = |text: &str| {
                text.lines()
                    .next()
                    .unwrap()
                    .split_whitespace()
                    .collect::<String>()
            };
            assert_eq!(head(&ended.stdout), head(shown));
            assert_eq!(ended.stdout.lines().last(), shown.lines().last());
        }
    }
    let Some(bob) = people.last_mut() else {
        panic!("the page deploys nothing");
    };
    assert!(bob.receive().contains("Supper"));
    assert!(bob.close_code() > 0);
}

/// The page's function, as the SDK's example that it quotes: what the page makes with cargo would build all of the AWS
/// SDK once more.
#[test]
fn the_page_about_handlers_is_as_it_says() {
    let text = page("custom-handler");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/examples/shout.rs");
    let source = std::fs::read_to_string(example).unwrap();
    let (_, code) = source
        .split_once("\n\n")
        .expect("a line about it comes first");
    assert_eq!(blocks(&text, "rust")[0], code.trim_end());
    let config = blocks(&text, "toml")[0].to_owned() + "\n[handlers]\nprofile = \"dev\"\n";
    let project = Project::new(&config);
    let folder = project.path().join("shout");
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let manifest =
        "[package]\nname = \"shout\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    let main = format!(
        "use std::os::unix::process::CommandExt;\n\
         fn main() {{ panic!(\"{{}}\", std::process::Command::new({:?}).exec()) }}\n",
        built_example("chat-sdk", "shout")
    );
    std::fs::write(folder.join("src/main.rs"), main).unwrap();
    follow("custom-handler", &project);
}

/// The same for the function with a variable and a secret.
#[test]
fn the_page_about_settings_of_handlers_is_as_it_says() {
    use std::os::unix::fs::PermissionsExt as _;
    let text = page("handlers");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/examples/greet.rs");
    let source = std::fs::read_to_string(example).unwrap();
    let (_, code) = source
        .split_once("\n\n")
        .expect("a line about it comes first");
    assert_eq!(blocks(&text, "rust")[0], code.trim_end());
    let config = blocks(&text, "toml")[0].to_owned() + "\n[handlers]\nprofile = \"dev\"\n";
    let project = Project::new(&config);
    write_crate(&project, "greet", "greet");
    let secret = project.path().join("key.secret");
    std::fs::write(&secret, "this is a secret\n").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    follow("handlers", &project);
    // The other settings that it shows.
    for line in &blocks(&text, "toml")[1..] {
        let config = format!("[[routes]]\nkey = \"$default\"\nhandler = \"greet\"\n{line}\n");
        let rendered = Project::new(&config).run(&["render"]);
        assert_eq!(rendered.code, 0, "{line}: {}", rendered.stderr);
    }
}

/// The same for the function that reviews messages.
#[test]
fn the_page_about_reviews_is_as_it_says() {
    let text = page("review");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/examples/filter.rs");
    let source = std::fs::read_to_string(example).unwrap();
    let (_, code) = source
        .split_once("\n\n")
        .expect("a line about it comes first");
    assert_eq!(blocks(&text, "rust")[0], code.trim_end());
    let config = blocks(&text, "toml")[0].to_owned() + "\n[handlers]\nprofile = \"dev\"\n";
    let project = Project::new(&config);
    write_crate(&project, "filter", "filter");
    follow("review", &project);
}

#[test]
fn the_page_about_backends_quotes_the_example_that_is_played() {
    let text = page("http-backend");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/http-backend");
    let read = |file: &str| std::fs::read_to_string(example.join(file)).unwrap();
    let config = read("chatctl.toml");
    assert!(config.contains(blocks(&text, "toml")[0]));
    assert_eq!(session(&text), session(&read("README.md")));
    let shown = blocks(&text, "sh")[0];
    assert!(read("README.md").contains(shown), "{shown}");
}
