//! A local stack whose folder is removed or moved while it runs.

use crate::conversations::Chat;
use crate::project::{Project, eventually, is_alive};

fn remove_state(project: &Project) {
    std::fs::remove_dir_all(project.path().join(".chatctl")).unwrap();
}

#[test]
fn a_stack_whose_folder_is_removed_ends_itself_and_makes_nothing_anew() {
    let project = Project::new("");
    let endpoint = project.deployed(&[]);
    let pid = project.pid();
    let tom = Chat::open(&endpoint, "Tom", "Jerry");
    remove_state(&project);
    assert_eq!(tom.closed_with(), 1001);
    eventually("it has ended", || !is_alive(pid));
    assert!(!project.path().join(".chatctl").exists());
    let status = project.run(&["status", "--local"]);
    status.explains("there is no local stack `chat`");
}

#[test]
fn until_then_it_is_found_by_status_and_ended_by_deploy_and_by_teardown() {
    let project = Project::new("");
    for _ in 0..2 {
        let endpoint = project.deployed(&[]);
        let pid = project.pid();
        remove_state(&project);
        let status = project.run(&["status", "--local"]);
        assert_eq!(status.code, 2, "{}", status.stdout);
        // On a busy machine it may have ended already.
        if is_alive(pid) {
            status.explains(&format!("its process {pid} still serves {endpoint}"));
        }
        let torn_down = project.run(&["teardown", "--local", "--yes"]);
        assert_eq!(torn_down.code, 0, "{}", torn_down.stderr);
        assert!(!is_alive(pid) || project.run(&["status", "--local"]).code == 2);
        eventually("it has ended", || !is_alive(pid));
        assert!(!project.path().join(".chatctl").exists());
    }
    let endpoint = project.deployed(&[]);
    let before = project.pid();
    remove_state(&project);
    // The port that the first one has is free for the second one.
    let port = endpoint.split([':', '/']).nth(4).unwrap().to_owned();
    assert_eq!(project.deployed(&["--port", &port]), endpoint);
    eventually("the first one has ended", || !is_alive(before));
    assert_ne!(project.pid(), before);
}

#[test]
fn a_project_that_is_moved_is_deployed_again_with_its_data_where_it_is_now() {
    let project = Project::new("");
    let at = |name: &str| project.path().join(name);
    std::fs::create_dir(at("project")).unwrap();
    let in_folder = |name: &str, words: &[&str]| {
        let mut command = project.command(words);
        command.current_dir(at(name));
        crate::project::finished(command.output().unwrap())
    };
    let handlers = crate::project::handlers().to_str().unwrap();
    let deploy = ["deploy", "--local", "--no-probe", "--handlers", handlers];
    let deployed = in_folder("project", &deploy);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    std::fs::rename(at("project"), at("moved")).unwrap();
    eventually("it has ended", || {
        in_folder("moved", &["status", "--local"]).code == 2
    });
    let again = in_folder("moved", &deploy);
    assert_eq!(again.code, 0, "{}", again.stderr);
    again.explains("it starts with its data");
    assert_eq!(again.stdout, deployed.stdout, "its port is kept");
    assert!(!at("project").exists());
    let gone = in_folder("moved", &["teardown", "--local", "--yes"]);
    assert_eq!(gone.code, 0, "{}", gone.stderr);
}
