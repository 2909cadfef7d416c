//! What each permission of a chat with tokens is for. Without one, nothing is said that is not so, and nothing is tried for ever.

use chat_identity::{PrivateKey, TokenRequest};
use chat_protocol::auth::{KEYS_FILE, SCHEME};
use serde_json::{Value, json};
use testing::blocking::Client;

use super::{Stack, give_reads_of_sessions, now, start};
use crate::project::{Project, eventually};

const CHAT: &str =
    "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"all\"\nreceivers = \"room\"\n";

/// The chat of [`CHAT`] with `auth`, by this key.
fn rendered(key: &PrivateKey, auth: &str) -> Value {
    let project = Project::new(&format!("{CHAT}[auth]\n{auth}\n"));
    let keys = json!({"keys": [key.public().to_jwk()]}).to_string();
    std::fs::write(project.path().join(KEYS_FILE), keys).unwrap();
    let rendered = project.run(&["render", "--format", "json"]);
    assert_eq!(rendered.code, 0, "{}", rendered.stderr);
    serde_json::from_str(&rendered.stdout).unwrap()
}

/// Takes `method` of the @connections API from `role`.
fn take_method(template: &mut Value, role: &str, method: &str) {
    let policies = &mut template["Resources"][role]["Properties"]["Policies"];
    let policies = policies.as_array_mut().unwrap().iter_mut();
    let mut post = policies.filter(|policy| policy["PolicyName"] == "post");
    let statement = &mut post.next().unwrap()["PolicyDocument"]["Statement"][0];
    let resources = statement["Resource"].as_array_mut().unwrap();
    let before = resources.len();
    let word = format!("/{method}/@connections");
    resources.retain(|resource| !resource.to_string().contains(&word));
    assert_eq!(resources.len() + 1, before, "{role} grants {method} once");
}

/// A token of Tom's that expires in some seconds, and when.
fn brief(key: &PrivateKey) -> (String, u64) {
    let (now, seconds) = (now(), 3);
    let token = key.token(&TokenRequest {
        name: "Tom".into(),
        audience: Some("chat".into()),
        now,
        seconds,
        ..TokenRequest::default()
    });
    (token.unwrap(), now + seconds)
}

fn open(endpoint: &str, token: &str) -> Client {
    let bearer = format!("{SCHEME} {token}");
    Client::open(
        endpoint,
        [("authorization", bearer.as_str()), ("msgto", "Tom")],
    )
    .unwrap()
}

fn error(frame: &str) -> Value {
    serde_json::from_str::<Value>(frame).expect(frame)["error"].clone()
}

/// The frames of the two routes, and the functions that they reach.
const ROUTES: [(&str, &str); 2] = [
    ("hello", "DirectFunction"),
    (r#"{"action":"all","message":"hello"}"#, "BroadcastFunction"),
];

impl Stack {
    /// How many lines the stack has said with all of `words` in them.
    fn count(&self, words: &[&str]) -> usize {
        let logged = self.logged.lock().unwrap();
        let is_said = |line: &&String| words.iter().all(|word| line.contains(word));
        logged.iter().filter(is_said).count()
    }

    /// Waits until the stack has said so at least this often.
    async fn tells_times(&self, times: usize, words: &[&str]) {
        let what = format!("it says {words:?} {times} times");
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let logged = std::sync::Arc::clone(&self.logged);
        let is_said = move || {
            let logged = logged.lock().unwrap();
            let lines = logged.iter();
            let lines = lines.filter(|line| words.iter().all(|word| line.contains(word.as_str())));
            lines.count() >= times
        };
        tokio::task::spawn_blocking(move || eventually(&what, is_said))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn with_every_permission_an_expired_token_gets_an_error_frame_and_its_connection_ends() {
    let key = PrivateKey::generate().unwrap();
    let stack = start(&rendered(&key, "mode = \"token\"")).await;
    for (frame, _) in ROUTES {
        let (token, expiry) = brief(&key);
        let logged = stack.client(move |endpoint| {
            let mut tom = open(&endpoint, &token);
            tom.send("to myself");
            assert_eq!(tom.receive(), "to myself");
            eventually("the token has expired", || now() > expiry);
            tom.send(frame);
            (tom.receive(), tom.close_code())
        });
        let (logged, code) = logged.await;
        assert_eq!((error(&logged), code), (json!("TokenExpired"), 1000));
    }
    stack.logged_without_a_denial();
}

#[tokio::test]
async fn without_permission_to_end_connections_late_frames_are_refused_and_the_log_says_why() {
    let key = PrivateKey::generate().unwrap();
    let mut template = rendered(&key, "mode = \"token\"");
    for role in ["DirectRole", "BroadcastRole"] {
        take_method(&mut template, role, "DELETE");
    }
    let stack = start(&template).await;
    for (frame, function) in ROUTES {
        let (token, expiry) = brief(&key);
        let logged = stack.client(move |endpoint| {
            let mut tom = open(&endpoint, &token);
            eventually("the token has expired", || now() > expiry);
            // The connection stays open, and proves nothing any more: each frame is answered, and none is delivered.
            let logged = [(); 3].map(|()| {
                tom.send(frame);
                tom.receive()
            });
            tom.close();
            logged
        });
        for logged in logged.await {
            assert_eq!(error(&logged), "TokenExpired", "{logged}");
        }
        let said = [
            function,
            "connection not ended",
            "execute-api:ManageConnections",
        ];
        stack.tells(&["DisconnectFunction", "disconnected"]).await;
        // The client may have left before the last refusal is in the log.
        stack.tells_times(3, &said).await;
        // Once for each frame, and no more: a refusal is not tried again.
        assert_eq!(stack.count(&said), 3, "{function}");
        assert_eq!(stack.count(&[function, "frame refused"]), 3);
    }
}

#[tokio::test]
async fn without_the_permission_to_post_a_late_frame_ends_the_connection_all_the_same() {
    let key = PrivateKey::generate().unwrap();
    let mut template = rendered(&key, "mode = \"token\"");
    for role in ["DirectRole", "BroadcastRole"] {
        take_method(&mut template, role, "POST");
    }
    let stack = start(&template).await;
    for (frame, function) in ROUTES {
        let (token, expiry) = brief(&key);
        let code = stack.client(move |endpoint| {
            let mut tom = open(&endpoint, &token);
            eventually("the token has expired", || now() > expiry);
            tom.send(frame);
            tom.close_code()
        });
        assert_eq!(code.await, 1000);
        let said = [function, "notice refused", "execute-api:ManageConnections"];
        stack.tells(&said).await;
        assert_eq!(stack.count(&[function, "connection not ended"]), 0);
    }
}

#[tokio::test]
async fn a_session_in_the_table_proves_nothing_where_no_authorizer_says_so() {
    let key = PrivateKey::generate().unwrap();
    let mut template = rendered(&key, "mode = \"token\"");
    give_reads_of_sessions(&mut template);
    crate::policies::take_authorizer(&mut template);
    let stack = start(&template).await;
    let (token, _) = brief(&key);
    let refused = stack.client(move |endpoint| {
        let bearer = format!("{SCHEME} {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("msgfrom", "Tom"),
            ("msgto", "Tom"),
        ];
        Client::open(&endpoint, headers)
            .err()
            .map(|error| error.to_string())
    });
    let refused = refused.await.expect("nothing has proven the name");
    assert!(refused.contains("401"), "{refused}");
}

#[test]
fn tokens_give_no_role_more_than_to_end_a_connection_and_the_authorizer_nothing() {
    let key = PrivateKey::generate().unwrap();
    let policies = |auth: &str| {
        let template = rendered(&key, auth);
        let resources = template["Resources"].as_object().unwrap().clone();
        let roles = resources.into_iter().filter(|(id, resource)| {
            id.ends_with("Role") || resource["Type"].as_str().unwrap().contains("Polic")
        });
        roles
            .map(|(id, role)| (id, role["Properties"].clone()))
            .collect::<Vec<_>>()
    };
    let claimed = policies("mode = \"claimed\"");
    let jwt = "mode = \"jwt\"\nissuer = \"https://issuer.example\"\naudience = [\"chat\"]";
    for auth in ["mode = \"token\"", jwt] {
        let proven = policies(auth);
        assert_eq!(proven.len(), claimed.len());
        for ((id, proven), (_, claimed)) in proven.into_iter().zip(&claimed) {
            if ["DirectRole", "BroadcastRole"].contains(&id.as_str()) {
                let mut resources =
                    json!({ "Resources": { id.as_str(): { "Properties": proven } } });
                take_method(&mut resources, &id, "DELETE");
                let left = resources["Resources"][&id]["Properties"].to_string();
                let left = left.replace("[{\"Fn::Sub\"", "{\"Fn::Sub\"");
                let left = left.replace("@connections/*\"}]", "@connections/*\"}");
                assert_eq!(left, claimed.to_string(), "{id}");
            } else {
                assert_eq!(&proven, claimed, "{id}");
            }
        }
    }
}
