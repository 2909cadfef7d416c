//! Handlers of the user's, on a deployed local stack.

use std::path::Path;

use crate::conversations::Chat;
use crate::project::Project;

const CONFIG: &str = "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"roll\"\nhandler = \"roll\"\n\
                      [handlers]\nprofile = \"dev\"\n";

/// A crate whose binary says `mark`.
fn write_crate(project: &Project, mark: &str) {
    let folder = project.path().join("roll");
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let manifest =
        "[package]\nname = \"roll\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    let main = format!("fn main() {{ println!(\"{mark}\") }}");
    write_main(project, &main);
}

fn write_main(project: &Project, main: &str) {
    std::fs::write(project.path().join("roll/src/main.rs"), main).unwrap();
}

/// Deploys with a target folder of the project's own; answers what was said.
fn deploy(project: &Project) -> (i32, String) {
    let handlers = crate::project::handlers();
    let mut command = project.command(&["deploy", "--local", "--handlers"]);
    command
        .arg(handlers)
        .env("CARGO_TARGET_DIR", target(project));
    let deployed = crate::project::finished(command.output().unwrap());
    (deployed.code, deployed.stdout + &deployed.stderr)
}

fn target(project: &Project) -> std::path::PathBuf {
    Path::new(project.path()).join("target")
}

#[test]
fn new_code_of_one_handler_changes_its_function_alone_and_disconnects_no_client() {
    let project = Project::new(CONFIG);
    write_crate(&project, "one");
    let (code, said) = deploy(&project);
    assert_eq!(code, 0, "{said}");
    let url = said.lines().next().unwrap().rsplit(' ').next().unwrap();
    let mut tom = Chat::open(url, "Tom", "Jerry");
    let mut jerry = Chat::open(url, "Jerry", "Tom");
    write_crate(&project, "two");
    let (code, said) = deploy(&project);
    assert_eq!(code, 0, "{said}");
    for text in ["1 of 2 sent", "1 to change", "HandlerRollFunction updated"] {
        assert!(said.contains(text), "no {text:?} in {said}");
    }
    tom.say("still there?");
    assert_eq!(jerry.receive(), "still there?");
    let (code, said) = deploy(&project);
    assert!(code == 0 && said.contains("nothing has changed"), "{said}");
}

#[test]
fn a_handler_that_does_not_compile_leaves_what_runs_as_it_is() {
    let project = Project::new(CONFIG);
    write_crate(&project, "one");
    let (code, said) = deploy(&project);
    assert_eq!(code, 0, "{said}");
    std::fs::write(
        project.path().join("roll/src/main.rs"),
        "fn main() { missing() }",
    )
    .unwrap();
    let (code, said) = deploy(&project);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("the handler of route `roll`: ") && said.contains("`missing`"),
        "{said}"
    );
    let (url, tom) = (
        project.status()["endpoint"].as_str().unwrap().to_owned(),
        "Tom",
    );
    Chat::open(&url, tom, "Jerry");
}

#[test]
fn a_handler_may_do_what_its_route_grants_and_nothing_before() {
    let granting = |permissions: &str| {
        let route = format!("handler = \"roll\"\nreply = true\n{permissions}");
        CONFIG.replace("handler = \"roll\"\n", &route)
    };
    let project = Project::new(&granting(""));
    write_crate(&project, "");
    // It posts to the sender and answers with the status of that.
    let posts = include_str!("tiny/main.rs")
        .replace("\"direct\" =>", "\"roll\" | \"bootstrap\" =>")
        .replace("ask(host, \"POST\"", "let (head, _) = ask(host, \"POST\"")
        .replacen(
            "r#\"{\"statusCode\":200}\"#.into()",
            "format!(\"{{\\\"statusCode\\\":200,\\\"body\\\":\\\"{}\\\"}}\", &head[9..12])",
            1,
        );
    write_main(&project, &posts);
    let (code, said) = deploy(&project);
    assert_eq!(code, 0, "{said}");
    let url = said.lines().next().unwrap().rsplit(' ').next().unwrap();
    let mut tom = Chat::open(url, "Tom", "Jerry");
    tom.say(r#"{"action":"roll"}"#);
    assert_eq!(tom.receive(), "403");
    let grant = "[[routes.permissions]]\nactions = [\"execute-api:ManageConnections\"]\nresources = [\"connections\"]\n";
    project.configure(&granting(grant));
    let (code, said) = deploy(&project);
    assert_eq!(code, 0, "{said}");
    tom.say(r#"{"action":"roll"}"#);
    assert!(tom.receive().starts_with("first: "));
    assert_eq!(tom.receive(), "200");
}
