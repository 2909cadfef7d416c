//! How much a command says about a stack on this machine.

use crate::project::Project;

#[test]
fn verbose_commands_show_what_they_ask_the_local_stack_and_quiet_ones_only_results() {
    let project = Project::new("");
    let deployed = project.deploy(&["-q"]);
    assert_eq!((deployed.code, deployed.stderr.as_str()), (0, ""));
    assert_eq!(deployed.stdout.lines().count(), 2, "{}", deployed.stdout);
    let status = project.run(&["status", "--local", "-v"]);
    status.explains("request GET local-stack /status 200 ");
    let again = project.deploy(&["--verbose"]);
    again.explains("request GET websocket 127.0.0.1:");
    assert_eq!(again.stdout, deployed.stdout);
    let json = project.run(&["-v", "outputs", "--local", "--output", "json"]);
    serde_json::from_str::<serde_json::Value>(&json.stdout).unwrap();
    let quiet = project.run(&["status", "--local", "-q"]);
    assert_eq!(quiet.stderr, "");
    assert!(quiet.stdout.contains("endpoint "), "{}", quiet.stdout);
    let both = project.run(&["status", "--local", "-q", "-v"]);
    assert_eq!(both.code, 2, "{}", both.stderr);
    let gone = project.run(&["teardown", "--local", "--yes", "-q"]);
    assert_eq!((gone.code, gone.stderr.as_str()), (0, ""));
    let missing = project.run(&["status", "--local", "-q"]);
    missing.explains("there is no local stack `chat`");
}
