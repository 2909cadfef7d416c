use chat_identity::{KeySet, PrivateKey, Rules, TokenRequest, Verifier};
use chat_lambdas::event::SocketEvent;
use chat_lambdas::handlers::{Admission, HandlerError, prove};
use chat_lambdas::session::Names::{self, Optional, Required};
use serde_json::{Value, json};

use crate::gateway::{self, ARN, Claims};
use crate::scene::{BEGIN, Scene, json_of};

/// A stack's key, and a scene at its stack.
struct Stack {
    key: PrivateKey,
    scene: Scene,
}

impl Stack {
    fn new() -> Self {
        Self {
            key: PrivateKey::generate().unwrap(),
            scene: Scene::new(),
        }
    }

    fn verifier(&self) -> Verifier {
        let keys = KeySet::new([self.key.public().clone()]).unwrap();
        let rules = Rules {
            audience: vec!["chat".into()],
            ..Rules::default()
        };
        Verifier::new(keys, rules)
    }

    fn token(&self, change: impl FnOnce(&mut TokenRequest)) -> String {
        let mut request = TokenRequest {
            name: "Tom".into(),
            audience: Some("chat".into()),
            now: BEGIN,
            seconds: 3_600,
            ..TokenRequest::default()
        };
        change(&mut request);
        self.key.token(&request).unwrap()
    }

    /// What the authorizer answers to a handshake with `token`: `Allow` with its context, or what becomes of it.
    async fn answer(&self, names: Names, token: Option<&str>, claims: Claims<'_>) -> Value {
        let header = token.map(|token| format!("Bearer {token}"));
        let headers = header.as_ref().map(|it| ("Authorization", it.as_str()));
        let event = gateway::authorizer_with("c", claims, headers.as_slice(), &[]);
        self.answer_to(&event, &Admission::new(names)).await
    }

    async fn answer_to(&self, event: &SocketEvent, admission: &Admission) -> Value {
        let invocation = self.scene.invocation();
        match prove(event, admission, &self.verifier(), &invocation).await {
            Ok(policy) => {
                let policy = json_of(&policy);
                let statement = &policy["policyDocument"]["Statement"][0];
                assert_eq!(statement["Resource"], ARN);
                match statement["Effect"].as_str() {
                    Some("Allow") => policy["context"].clone(),
                    effect => {
                        assert_eq!((effect, &policy["context"]), (Some("Deny"), &json!({})));
                        json!(403)
                    }
                }
            }
            Err(HandlerError::Unauthorized) => json!(401),
            Err(error) => panic!("{error}"),
        }
    }
}

const NO_CLAIMS: Claims<'_> = Claims {
    from: None,
    to: None,
    room: None,
};

#[tokio::test]
async fn a_token_proves_the_name_and_its_claims_become_the_context() {
    let stack = Stack::new();
    let token = stack.token(|it| it.can = Some(vec!["send".into(), "moderate".into()]));
    let to_jerry = Claims {
        to: Some("Jerry"),
        ..NO_CLAIMS
    };
    let mut context = stack.answer(Required, Some(&token), to_jerry).await;
    let claims = context["claims"].take();
    let claims: Value = serde_json::from_str(claims.as_str().unwrap()).unwrap();
    assert_eq!(
        context,
        json!({"name": "Tom", "friend": "Jerry", "exp": (BEGIN + 3_600).to_string(),
            "can": r#"["send","moderate"]"#, "claims": null})
    );
    assert_eq!(claims["sub"], "Tom");
    let logged = stack.scene.logged();
    assert!(
        !logged.contains("Tom") && !logged.contains(&token),
        "{logged}"
    );
}

#[tokio::test]
async fn a_handshake_says_what_its_token_leaves_open_and_nothing_else() {
    let stack = Stack::new();
    let says = |from, to, room| Claims { from, to, room };
    let free = stack.token(|_| {});
    let to_jerry = stack.token(|it| it.to = Some("Jerry".into()));
    let in_hall = stack.token(|it| it.room = Some("hall".into()));
    for (names, token, claims, friend, room) in [
        (
            Required,
            &free,
            says(None, Some("Jerry"), None),
            "Jerry",
            "",
        ),
        (
            Required,
            &free,
            says(Some("Tom"), Some("Ann"), Some("hall")),
            "Ann",
            "hall",
        ),
        (Required, &to_jerry, says(None, None, None), "Jerry", ""),
        (
            Required,
            &to_jerry,
            says(Some("Tom"), Some("Jerry"), None),
            "Jerry",
            "",
        ),
        (Optional, &free, says(None, None, None), "", "everybody"),
        (Optional, &free, says(None, None, Some("hall")), "", "hall"),
        (Optional, &in_hall, says(None, None, None), "", "hall"),
        (
            Optional,
            &in_hall,
            says(None, None, Some("hall")),
            "",
            "hall",
        ),
    ] {
        let context = stack.answer(names, Some(token), claims).await;
        let member = |name: &str| context[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(member("name"), "Tom", "{claims:?}: {context}");
        assert_eq!(
            (member("friend").as_str(), member("room").as_str()),
            (friend, room),
            "{claims:?}"
        );
    }
    for (names, token, claims, reason) in [
        (
            Required,
            &free,
            says(Some("Eve"), Some("Jerry"), None),
            "`msgfrom` is not the name",
        ),
        (
            Required,
            &free,
            says(None, None, None),
            "`msgto` is missing",
        ),
        (
            Required,
            &free,
            says(None, Some("a/b"), None),
            "`msgto` is not a name",
        ),
        (
            Required,
            &to_jerry,
            says(None, Some("Eve"), None),
            "does not allow what it says in `msgto`",
        ),
        (
            Optional,
            &in_hall,
            says(None, None, Some("attic")),
            "does not allow what it says in `msgroom`",
        ),
        (
            Optional,
            &in_hall,
            says(None, None, Some("everybody")),
            "does not allow what it says in `msgroom`",
        ),
    ] {
        assert_eq!(
            stack.answer(names, Some(token), claims).await,
            403,
            "{claims:?}"
        );
        let logged = stack.scene.logged();
        let last = logged.lines().last().unwrap();
        assert!(last.contains(reason), "{last}");
    }
}

#[tokio::test]
async fn a_name_that_is_said_in_two_ways_must_be_the_proven_one_in_both() {
    let stack = Stack::new();
    let token = stack.token(|it| it.to = Some("Jerry".into()));
    let header = format!("Bearer {token}");
    for (name, accepted) in [("msgfrom", "Tom"), ("msgto", "Jerry")] {
        for (query, is_accepted) in [(accepted, true), ("Eve", false)] {
            let claims = Claims {
                from: Some("Tom"),
                to: Some("Jerry"),
                room: None,
            };
            let headers = [("authorization", header.as_str())];
            let event = gateway::authorizer_with("c", claims, &headers, &[(name, query)]);
            let answer = stack.answer_to(&event, &Admission::new(Required)).await;
            assert_eq!(answer != 403, is_accepted, "{name}={query}");
        }
    }
}

#[tokio::test]
async fn without_a_token_the_client_is_unauthorized_and_with_another_s_it_is_refused() {
    let stack = Stack::new();
    let tom = Claims {
        from: Some("Tom"),
        to: Some("Jerry"),
        room: None,
    };
    assert_eq!(stack.answer(Required, None, tom).await, 401);
    let foreign = Stack::new().token(|_| {});
    for token in [foreign.as_str(), "a.b.c", "nonsense"] {
        assert_eq!(stack.answer(Required, Some(token), tom).await, 403);
    }
    let no_name = stack.token(|it| it.name = "a/b".into());
    assert_eq!(stack.answer(Required, Some(&no_name), NO_CLAIMS).await, 403);
}

#[tokio::test]
async fn a_token_in_its_last_minute_of_leeway_opens_a_connection_that_may_send() {
    let mut stack = Stack::new();
    let token = stack.token(|it| {
        it.seconds = 10;
        it.to = Some("Jerry".into());
    });
    let expiry = |context: Value| context["exp"].as_str().unwrap().parse::<u64>().unwrap();
    let early = expiry(stack.answer(Required, Some(&token), NO_CLAIMS).await);
    assert_eq!(early, BEGIN + 10);
    stack.scene.now += 40;
    let late = expiry(stack.answer(Required, Some(&token), NO_CLAIMS).await);
    assert_eq!(late, BEGIN + 10 + 60);
}

#[tokio::test]
async fn a_page_of_an_origin_that_is_not_listed_is_refused_and_what_is_no_browser_is_not() {
    let stack = Stack::new();
    let admission = Admission {
        names: Optional,
        origins: vec!["https://chat.example".into()],
    };
    let token = format!("Bearer {}", stack.token(|_| {}));
    let authorization = ("Authorization", token.as_str());
    let from = |origin| {
        let headers = [authorization, ("Origin", origin)];
        gateway::authorizer_with("c", NO_CLAIMS, &headers, &[])
    };
    let event = gateway::authorizer_with("c", NO_CLAIMS, &[authorization], &[]);
    assert_ne!(stack.answer_to(&event, &admission).await, 403);
    assert_ne!(
        stack
            .answer_to(&from("https://chat.example"), &admission)
            .await,
        403
    );
    for other in [
        "https://evil.example",
        "https://chat.example.evil.example",
        "https://chat.example:8443",
        "http://chat.example",
        "null",
        "",
    ] {
        assert_eq!(
            stack.answer_to(&from(other), &admission).await,
            403,
            "{other}"
        );
    }
}

#[tokio::test]
async fn claims_that_do_not_fit_into_the_context_are_left_out_of_it() {
    let stack = Stack::new();
    let many =
        |count: usize| -> Vec<String> { (0..count).map(|at| format!("right-{at}")).collect() };
    let token = stack.token(|it| it.can = Some(many(330)));
    let context = stack.answer(Optional, Some(&token), NO_CLAIMS).await;
    assert_eq!(context["claims"], Value::Null);
    assert!(context["can"].as_str().unwrap().contains("right-329"));
    assert!(stack.scene.logged().contains("too long for handlers"));
    // Rights that do not fit are not left out: the connection would have others than its token says.
    let token = stack.token(|it| it.can = Some(vec!["a".into(); 1_400]));
    let refused = stack.answer(Optional, Some(&token), NO_CLAIMS).await;
    assert_eq!(refused, json!(403));
    assert!(
        stack
            .scene
            .logged()
            .contains("more rights than a connection can carry")
    );
}
