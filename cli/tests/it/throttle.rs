//! `[stage] throttle`, as it holds on this machine.

use crate::conversations::Chat;
use crate::project::Project;

#[test]
fn messages_beyond_the_stage_s_limits_are_refused_and_status_tells_so() {
    let project = Project::new("[stage]\nthrottle = { rate = 1, burst = 3 }\n");
    let endpoint = project.deployed(&["--no-probe"]);
    let mut tom = Chat::open(&endpoint, "Tom", "Jerry");
    for number in 0..10 {
        tom.say(&number.to_string());
    }
    // No friend is there to read them, so each is answered.
    let frames: Vec<_> = (0..10).map(|_| tom.receive()).collect();
    let refused = frames
        .iter()
        .filter(|frame| frame.starts_with(r#"{"message": "Too Many Requests", "connectionId":""#))
        .count();
    let taken = frames
        .iter()
        .filter(|frame| frame.starts_with("Your friend is not reachable"));
    assert!(refused > 0 && taken.count() == 10 - refused, "{frames:?}");
    assert!(refused <= 7, "{frames:?}");
    let status = project.run(&["status", "--local"]).stdout;
    let warning = "route `$default` of stage `v1` exceeds the limits of the stage's settings, 1 a second and 3 at once";
    assert!(status.contains(warning), "{status}");
}

#[test]
fn limits_that_are_lifted_are_in_no_template_and_wrong_ones_point_at_their_place() {
    let lifted = Project::new("[stage]\nname = \"beta\"\nthrottle = false\n").run(&["render"]);
    assert!(
        !lifted.stdout.contains("DefaultRouteSettings"),
        "{}",
        lifted.stdout
    );
    assert!(lifted.stdout.contains("Default: beta"), "{}", lifted.stdout);
    let wrong = Project::new("[stage]\nthrottle = { rate = 0, burst = 9 }\n").run(&["render"]);
    assert_eq!(wrong.code, 2);
    wrong.explains("chatctl.toml:2:21: 0 would refuse every request; `throttle = false` leaves the account's limits alone");
    let misspelt = Project::new("[stage]\nthrottel = false\n").run(&["render"]);
    assert_eq!(misspelt.code, 2);
    misspelt.explains("chatctl.toml:2:1: unknown field `throttel`, expected `name` or `throttle`");
}
