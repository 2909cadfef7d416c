//! What has an effect on AWS alone, on one machine.

use crate::project::Project;

#[test]
fn a_name_alarms_and_access_logs_have_no_effect_here_which_is_said_once() {
    let name = "[domain]\nname = \"chat.example.com\"\ndisable-default-endpoint = true\n";
    let more = "[alarms]\nemail = \"ops@example.com\"\n[logs]\naccess = true\n";
    let project = Project::new(&format!("{name}{more}"));
    let deployed = project.deploy(&[]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let said =
        "`[domain]` and `[alarms]` and `access` under `[logs]` have no effect on one machine";
    assert_eq!(
        deployed.stderr.matches(said).count(),
        1,
        "{}",
        deployed.stderr
    );
    deployed.explains("route answers both ways");
    assert!(
        deployed.stdout.contains("ws://127.0.0.1:"),
        "{}",
        deployed.stdout
    );
    assert!(
        !deployed.stdout.contains("example.com"),
        "{}",
        deployed.stdout
    );
}
