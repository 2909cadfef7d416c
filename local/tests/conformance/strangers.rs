//! Programs of other users of the machine. Only root can become another user, so other users test half of this.

use rustix::process::geteuid;

use crate::setup::Setup;
use crate::world::{World, within};

/// The status line that a program of `user` gets from `port`.
async fn asked_by(user: u32, port: u16) -> String {
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port} && printf 'GET /v1 HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n' >&3 && head -n 1 <&3"
    );
    let program = tokio::process::Command::new("bash")
        .args(["-c", &script])
        .current_dir("/")
        .uid(user)
        .output();
    let output = within(program).await.unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn only_programs_of_this_user_are_accepted() {
    let world = World::start(|setup: Setup| setup.chat().table("chat")).await;
    let tables = world
        .stack
        .status()
        .tables_endpoint
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let own = geteuid();
    for port in [world.stack.port(), tables] {
        let ours = asked_by(own.as_raw(), port).await;
        assert!(
            ours.starts_with("HTTP/1.1 ") && !ours.contains(" 403 "),
            "{ours}"
        );
        if own.is_root() {
            let other = asked_by(65_534, port).await;
            assert!(other.starts_with("HTTP/1.1 403 "), "{other}");
        }
    }
    let warned = world
        .warnings()
        .concat()
        .contains("of another user of this machine");
    assert_eq!(warned, own.is_root());
}
