//! Windows of a chat that has no function at all: a backend decides who receives what.

use std::os::unix::fs::PermissionsExt;

use crate::project::{ExampleBackend, Project};
use crate::scene::Scene;

/// What the backend checks.
const SECRET: &str = "only-the-backend-and-the-stack";

const CONFIG: &str = include_str!("../../../examples/http-backend/chatctl.toml");

#[test]
fn what_a_backend_posts_is_shown_as_another_user_s_words() {
    // The stack first: the backend must know where to post.
    let common = CONFIG
        .replace("stack = ", "# stack = ")
        .replace("variable = \"BACKEND_SECRET\"", "file = \"secret\"");
    let project = Project::new(&common);
    let secret = project.path().join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    let endpoint = project.deployed(&[]);
    let connections = endpoint.replace("ws://", "http://");
    let backend = ExampleBackend::start(SECRET, &connections);
    project.configure(&common.replace("127.0.0.1:3000", &backend.address));
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
