use chat_lambdas::handlers::{Admission, Allowed, Decision, Policy, decided, not_admitted};
use chat_lambdas::session::Names;
use serde_json::{Value, json};

use crate::gateway::{self, ARN};
use crate::scene::{BEGIN, Scene, json_of};

fn allowed(name: &str) -> Allowed {
    Allowed {
        name: name.to_owned(),
        ..Allowed::default()
    }
}

/// Effect and context of what `decision` makes of a handshake with `said`.
fn outcome(scene: &Scene, said: gateway::Names<'_>, decision: Decision) -> (String, Value) {
    let event = gateway::authorizer("c", said);
    let admission = Admission::new(Names::Required);
    let policy = decided(&event, &admission, decision, &scene.invocation()).unwrap();
    shown(&policy)
}

fn shown(policy: &Policy) -> (String, Value) {
    let policy = json_of(policy);
    let statement = &policy["policyDocument"]["Statement"][0];
    assert_eq!(statement["Resource"], ARN);
    let effect = statement["Effect"].as_str().unwrap();
    (effect.to_owned(), policy["context"].clone())
}

#[test]
fn what_is_allowed_becomes_the_context_as_a_token_s_claims_do() {
    let scene = Scene::new();
    let full = Allowed {
        friend: Some("Jerry".to_owned()),
        room: Some("hall".to_owned()),
        rights: Some(vec!["send".to_owned(), "moderate".to_owned()]),
        until: Some(BEGIN + 60),
        claims: [("team".to_owned(), json!("blue"))].into_iter().collect(),
        ..allowed("Tom")
    };
    let (effect, context) = outcome(&scene, (None, None), Decision::Allow(full));
    assert_eq!(effect, "Allow");
    assert_eq!(
        context,
        json!({"name": "Tom", "friend": "Jerry", "room": "hall", "exp": (BEGIN + 60).to_string(),
            "can": r#"["send","moderate"]"#, "claims": r#"{"team":"blue"}"#})
    );
    // Friend and room are the client's choice where nothing narrows them; two hours are the most a connection lasts.
    let said = (Some("Tom"), Some("Ann"));
    let (effect, context) = outcome(&scene, said, Decision::Allow(allowed("Tom")));
    assert_eq!(effect, "Allow");
    let end = (BEGIN + 8_100).to_string();
    assert_eq!(context, json!({"name": "Tom", "friend": "Ann", "exp": end}));
}

#[test]
fn an_allowed_name_is_the_only_name_and_what_is_narrowed_is_not_widened() {
    let scene = Scene::new();
    let jerry_only = Allowed {
        friend: Some("Jerry".to_owned()),
        ..allowed("Tom")
    };
    let past = Allowed {
        until: Some(BEGIN),
        ..allowed("Tom")
    };
    for (said, decision, reason) in [
        (
            (Some("Mallory"), Some("Jerry")),
            Decision::Allow(allowed("Tom")),
            "`msgfrom` is not the name",
        ),
        (
            (None, Some("Ann")),
            Decision::Allow(jerry_only),
            "does not allow what it says in `msgto`",
        ),
        (
            (None, None),
            Decision::Allow(allowed("Tom")),
            "`msgto` is missing",
        ),
        (
            (None, Some("Jerry")),
            Decision::Allow(allowed("not/a/name")),
            "cannot be used in a chat",
        ),
        (
            (None, Some("Jerry")),
            Decision::Allow(past),
            "a time that has passed",
        ),
        (
            (Some("Tom"), Some("Jerry")),
            Decision::Deny("it is night".to_owned()),
            "it is night",
        ),
    ] {
        let (effect, context) = outcome(&scene, said, decision);
        assert_eq!(effect, "Deny", "{reason}");
        assert_eq!(context, json!({}));
        assert!(scene.logged().contains(reason), "{}", scene.logged());
    }
}

#[test]
fn a_page_of_another_origin_is_denied_before_the_authorizer_is_asked() {
    let scene = Scene::new();
    let admission = Admission {
        names: Names::Optional,
        origins: vec!["https://chat.example".to_owned()],
    };
    let from = |origin| gateway::authorizer_with("c", (None, None), &[("Origin", origin)], &[]);
    let denied = |event| not_admitted(&event, &admission, &scene.invocation()).unwrap();
    assert_eq!(denied(from("https://chat.example")), None);
    assert_eq!(denied(gateway::authorizer("c", (None, None))), None);
    let policy = denied(from("https://evil.example")).unwrap();
    assert_eq!(shown(&policy).0, "Deny");
}
