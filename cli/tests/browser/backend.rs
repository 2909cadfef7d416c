//! Windows of a chat that has no function at all: a backend decides who hears what.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use crate::project::{Project, built};
use crate::scene::Scene;

/// What the backend checks.
const SECRET: &str = "only-the-backend-and-the-stack";

const CONFIG: &str = include_str!("../../../examples/http-backend/chatctl.toml");

/// The example's backend, ended at the end.
struct Backend(Child);

impl Drop for Backend {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn what_a_backend_posts_is_shown_as_somebody_elses_words() {
    // The stack first: the backend must know where to post.
    let common = CONFIG
        .replace("stack = ", "# stack = ")
        .replace("variable = \"BACKEND_SECRET\"", "file = \"secret\"");
    let project = Project::new(&common);
    let secret = project.path().join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    let endpoint = project.deployed(&[]);
    let mut child = Command::new(built("http-backend", "http-backend"))
        .env("CONNECTIONS_URL", endpoint.replace("ws://", "http://"))
        .env("LISTEN", "127.0.0.1:0")
        .env("BACKEND_SECRET", SECRET)
        .env("AWS_REGION", "local")
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let _backend = Backend(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on ").unwrap();
    project.configure(&common.replace("127.0.0.1:3000", address));
    project.deployed(&[]);

    let mut scene = Scene::before(project, endpoint);
    let links = &scene.links;
    assert_eq!(links.len(), 1, "nobody is asked for a name: {links:?}");
    let [mut ann, mut bob] = [(); 2].map(|()| {
        let mut window = scene.tom();
        assert_eq!(
            window.eval("['from', 'to', 'room'].some(id => at(id).checkVisibility())"),
            false
        );
        window.press("Enter", false);
        window.until_status("Connected");
        window
    });
    ann.says("Hi");
    bob.sees("Another User: Hi");
    bob.says("\"Hello\"\nto you");
    ann.sees("Another User: \"Hello\"\nto you");
    assert_eq!(
        ann.messages(),
        ["You: Hi", "Another User: \"Hello\"\nto you"]
    );
}
