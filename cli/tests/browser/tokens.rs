//! Names that are proven: the page with a token, when it expires, and pages of other origins.

use std::process::Stdio;

use testing::issuer::Issuer;
use testing::running::Running;

use crate::project::{Project, finished};
use crate::scene::Scene;

/// Whether the token that the page connects with has expired.
/// For half a second: a browser blurs its clock, and the chat has one of its own.
const HAS_EXPIRED: &str = "claimsOf(chat.token).exp * 1000 + 500 <= Date.now()";

const TOKEN_MODE: &str = "[auth]\nmode = \"token\"\n";

/// A stack in token mode whose private key lies in the project's folder.
struct Chat {
    scene: Scene,
}

impl Chat {
    fn new() -> Self {
        let project = Project::new(TOKEN_MODE);
        run(&project, &["keys", "new"]);
        let mut command = project.deployment(&[]);
        command.env("XDG_CONFIG_HOME", project.path());
        let deployed = finished(command.output().unwrap());
        assert_eq!(deployed.code, 0, "{}", deployed.stderr);
        let endpoint = project.status()["endpoint"].as_str().unwrap().to_owned();
        let scene = Scene::before(project, endpoint);
        Self { scene }
    }

    fn token(&self, name: &str, lifetime: &str) -> String {
        let words = ["token", "--as", name, "--expires", lifetime];
        run(&self.scene.project, &words)
    }

    /// `chatctl web`, and the links that it prints.
    fn web(&self) -> (Running, [String; 2]) {
        let mut command = self.scene.project.command(&["web", "--local"]);
        command.env("XDG_CONFIG_HOME", self.scene.project.path());
        let mut process = Running::start(command.stdout(Stdio::piped()));
        let lines = process.lines();
        let links = [(); 2].map(|()| lines.recv().unwrap());
        (process, links)
    }
}

fn run(project: &Project, words: &[&str]) -> String {
    let mut command = project.command(words);
    command.env("XDG_CONFIG_HOME", project.path());
    let done = finished(command.output().unwrap());
    assert_eq!(done.code, 0, "{}", done.stderr);
    done.stdout.trim_end().to_owned()
}

#[test]
pub(crate) fn links_of_the_command_bring_tokens_that_renew_themselves_and_no_message_is_lost() {
    let mut chat = Chat::new();
    let (_web, [tom, jerry]) = chat.web();
    let mut tom = chat.scene.window(&tom);
    let mut jerry = chat.scene.window(&jerry);
    tom.until_status("Connected as Tom, talking to Jerry");
    jerry.until_status("Connected as Jerry, talking to Tom");
    assert_eq!(tom.eval("location.hash"), "", "nobody copies a secret");
    tom.says("hi there");
    jerry.sees("Tom: hi there");
    // A token that is about to expire, and then has.
    let short = chat.token("Tom", "2s");
    tom.eval(&format!(
        "chat.token = '{short}', chat._renewAt = Infinity, chat._line.close(4000), 0"
    ));
    tom.until_status("Connected as Tom, talking to Jerry");
    tom.until("the token has expired", HAS_EXPIRED);
    tom.says("said too late");
    jerry.sees("Tom: said too late");
    assert_ne!(tom.eval("chat.token"), short.as_str());
    assert_eq!(tom.messages(), ["You: hi there", "You: said too late"]);
    tom.reload();
    tom.until_status("Connected as Tom, talking to Jerry");
    for window in [&mut tom, &mut jerry] {
        assert_eq!(window.complaints(), [""; 0]);
    }
}

#[test]
pub(crate) fn a_page_without_new_tokens_asks_for_one_and_sends_what_was_refused() {
    let mut chat = Chat::new();
    let link = chat.scene.links[0].clone();
    let mut tom = chat.scene.window(&link);
    assert_eq!(tom.status(), "Not connected");
    assert_eq!(tom.eval("document.activeElement.id"), "token");
    tom.fill("#token", &chat.token("Tom", "2s"));
    tom.click("#connect");
    tom.until_status("Connected as Tom, talking to Jerry");
    let jerry = format!(
        "{}#token={}",
        chat.scene.links[1],
        chat.token("Jerry", "1h")
    );
    let mut jerry = chat.scene.window(&jerry);
    jerry.until_status("Connected as Jerry");
    tom.until("the token has expired", HAS_EXPIRED);
    tom.says("said too late");
    tom.until_status("Your token has expired. Paste a new one.");
    tom.fill("#token", &chat.token("Tom", "1h"));
    tom.click("#connect");
    jerry.sees("Tom: said too late");
    assert_eq!(tom.messages(), ["You: said too late"]);
    // Under another user's name the token is no good.
    tom.click("#disconnect");
    tom.fill("#from", "Jerry");
    tom.click("#connect");
    tom.until_status("did not accept the connection");
}

#[test]
fn a_page_takes_the_tokens_of_an_issuer_and_shows_the_name_in_them() {
    let mut issuer = Issuer::start();
    let mut scene = Scene::new(&format!(
        "[auth]\nmode = \"jwt\"\nissuer = \"{}\"\naudience = [\"chat\"]\n",
        issuer.url
    ));
    let base = scene.base();
    let [mut tom, mut jerry] = [("Tom", "Jerry"), ("Jerry", "Tom")].map(|(name, friend)| {
        let token = issuer.token(name);
        scene.window(&format!("{base}?to={friend}#token={token}"))
    });
    tom.until_status("Connected as Tom, talking to Jerry");
    jerry.until_status("Connected as Jerry, talking to Tom");
    issuer.asked("rotate");
    tom.says("hi there");
    jerry.sees("Tom: hi there");
    let token = issuer.token("Tom");
    let mut again = scene.window(&format!("{base}?to=Jerry#token={token}"));
    again.until_status("Connected as Tom, talking to Jerry");
    again.says("with the new key");
    jerry.sees("Tom: with the new key");
}

/// A gateway may refuse to end a connection, and then nothing but refusals would come over it for ever.
#[test]
fn a_page_whose_connection_is_not_ended_after_its_token_s_expiry_ends_it_itself() {
    let mut chat = Chat::new();
    let (_web, [tom, jerry]) = chat.web();
    let mut tom = chat.scene.window(&tom);
    let mut jerry = chat.scene.window(&jerry);
    tom.until_status("Connected as Tom, talking to Jerry");
    jerry.until_status("Connected as Jerry, talking to Tom");
    let short = chat.token("Tom", "2s");
    tom.eval(&format!(
        "chat.token = '{short}', chat._renewAt = Infinity, chat._line.close(4000), 0"
    ));
    tom.until_status("Connected as Tom, talking to Jerry");
    tom.until("the token has expired", HAS_EXPIRED);
    // The frame goes nowhere, and the answer is that of a function that may post and not close.
    tom.eval("window.before = chat._line, chat._line.send = () => {}, 0");
    tom.says("said too late");
    tom.eval(r#"chat._received(chat._line, '{"error":"TokenExpired","message":"m","route":"$default"}'), 0"#);
    jerry.sees("Tom: said too late");
    tom.until(
        "another connection",
        "chat._line !== before && chat._line?.readyState === 1",
    );
    assert_eq!(tom.messages(), ["You: said too late"]);
}

#[test]
fn a_page_of_another_origin_is_refused_and_says_so_until_its_own_is_listed() {
    let mut scene = Scene::new("[auth]\norigins = [\"https://chat.example\"]\n");
    let mut tom = scene.tom();
    let origin = scene.base().trim_end_matches('/').to_owned();
    tom.until_status(&format!(
        "The chat takes no connections of this page: {origin}"
    ));
    let words = ["chat", "--local", "--as", "Tom", "--to", "Tom"];
    let said = scene.project.run(&words);
    assert_eq!(said.code, 0, "{}", said.stderr);
    // What is wrong with another chat's address is not known here.
    tom.click("#disconnect");
    tom.eval("at('details').open = true, 0");
    tom.fill("#endpoint", "ws://127.0.0.1:9/v1");
    tom.click("#connect");
    tom.until_status("The server did not accept the connection");
    let listed = format!("[auth]\norigins = [\"https://chat.example\", \"{origin}\"]\n");
    scene.project.configure(&listed);
    scene.project.deployed(&[]);
    let mut tom = scene.tom();
    tom.until_status("Connected as Tom, talking to Jerry");
}
