//! An issuer's keys: fetched, kept, and fetched anew, over documents in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chat_identity::{PrivateKey, Rules, TokenRequest};
use chat_lambdas::issuer::{Documents, IssuerTokens};
use chat_lambdas::tokens::{TokenError, Tokens as _};
use serde_json::{Value, json};

use crate::scene::{BEGIN, Scene};

const ISSUER: &str = "https://issuer.example";

/// What an issuer serves, by URL, and how often each was asked for.
#[derive(Default)]
struct Site {
    pages: Mutex<BTreeMap<String, Vec<u8>>>,
    asked: Mutex<usize>,
}

impl Documents for &Site {
    async fn fetch(
        &self,
        url: &str,
        max_bytes: usize,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        *self.asked.lock().unwrap() += 1;
        let page = self.pages.lock().unwrap().get(url).cloned();
        let page = page.ok_or("no answer")?;
        assert!(max_bytes <= 256 * 1024);
        Ok(page)
    }
}

impl Site {
    fn serving(keys: &[&PrivateKey]) -> Self {
        let site = Self::default();
        site.publish(keys);
        site
    }

    fn publish(&self, keys: &[&PrivateKey]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.public().to_jwk()).collect();
        let discovery = json!({"issuer": ISSUER, "jwks_uri": "https://issuer.example/keys"});
        self.put("/.well-known/openid-configuration", &discovery.to_string());
        self.put("/keys", &json!({ "keys": keys }).to_string());
    }

    fn put(&self, path: &str, text: &str) {
        let url = format!("{ISSUER}{path}");
        self.pages
            .lock()
            .unwrap()
            .insert(url, text.as_bytes().to_vec());
    }

    fn vanish(&self) {
        self.pages.lock().unwrap().clear();
    }

    fn asked(&self) -> usize {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn tokens(&self) -> IssuerTokens<&Self> {
        let rules = Rules {
            issuer: Some(ISSUER.into()),
            audience: vec!["chat".into()],
            ..Rules::default()
        };
        IssuerTokens::new(ISSUER.into(), rules, self)
    }
}

fn token(key: &PrivateKey) -> String {
    let request = TokenRequest {
        name: "Tom".into(),
        issuer: Some(ISSUER.into()),
        audience: Some("chat".into()),
        now: BEGIN,
        seconds: 86_400,
        ..TokenRequest::default()
    };
    key.token(&request).unwrap()
}

/// `accepted`, `refused`, or `unavailable`.
async fn judged(tokens: &IssuerTokens<&Site>, token: &str, scene: &Scene) -> &'static str {
    match tokens.verify(token, &scene.invocation()).await {
        Ok(_) => "accepted",
        Err(TokenError::Refused(_)) => "refused",
        Err(TokenError::Unavailable(_)) => "unavailable",
    }
}

#[tokio::test]
async fn keys_are_fetched_once_and_again_for_a_key_that_is_not_known() {
    let (old, new) = (
        PrivateKey::generate().unwrap(),
        PrivateKey::generate().unwrap(),
    );
    let (site, mut scene) = (Site::serving(&[&old]), Scene::new());
    let tokens = site.tokens();
    let log = scene.invocation().log;
    tokens.start(BEGIN, &log).await;
    assert_eq!(site.asked(), 2);
    for _ in 0..10 {
        assert_eq!(judged(&tokens, &token(&old), &scene).await, "accepted");
    }
    assert_eq!(site.asked(), 0);
    // The issuer changes its key right after the start.
    site.publish(&[&new]);
    assert_eq!(judged(&tokens, &token(&new), &scene).await, "accepted");
    assert_eq!(site.asked(), 2);
    // Tokens with made-up keys cost the issuer no more than that.
    for _ in 0..50 {
        assert_eq!(judged(&tokens, &token(&old), &scene).await, "refused");
    }
    assert_eq!(site.asked(), 0);
    scene.now += 5;
    assert_eq!(judged(&tokens, &token(&old), &scene).await, "refused");
    assert_eq!(site.asked(), 2);
}

#[tokio::test]
async fn keys_are_fetched_again_after_a_while_and_stale_ones_serve_while_the_issuer_is_down() {
    let (old, new) = (
        PrivateKey::generate().unwrap(),
        PrivateKey::generate().unwrap(),
    );
    let (site, mut scene) = (Site::serving(&[&old]), Scene::new());
    let tokens = site.tokens();
    let log = scene.invocation().log;
    tokens.start(BEGIN, &log).await;
    site.vanish();
    for later in [0, 600, 6_000, 60_000] {
        scene.now = BEGIN + later;
        assert_eq!(judged(&tokens, &token(&old), &scene).await, "accepted");
    }
    assert!(scene.logged().contains("keys not fetched"));
    // A key that the issuer has withdrawn is not accepted any longer.
    site.publish(&[&new]);
    scene.now += 5;
    assert_eq!(judged(&tokens, &token(&old), &scene).await, "refused");
    assert_eq!(judged(&tokens, &token(&new), &scene).await, "accepted");
}

#[tokio::test]
async fn without_keys_tokens_are_not_refused_but_cannot_be_checked() {
    let key = PrivateKey::generate().unwrap();
    let (site, mut scene) = (Site::default(), Scene::new());
    let tokens = site.tokens();
    let log = scene.invocation().log;
    tokens.start(BEGIN, &log).await;
    assert_eq!(judged(&tokens, &token(&key), &scene).await, "unavailable");
    site.publish(&[&key]);
    // Within the pause nothing is fetched.
    assert_eq!(judged(&tokens, &token(&key), &scene).await, "unavailable");
    scene.now += 5;
    assert_eq!(judged(&tokens, &token(&key), &scene).await, "accepted");
}

#[tokio::test]
async fn what_an_issuer_serves_is_believed_only_if_it_is_its_own_and_makes_sense() {
    let key = PrivateKey::generate().unwrap();
    let keys = json!({ "keys": [key.public().to_jwk()] }).to_string();
    let discovery =
        |issuer: &str, keys: &str| json!({"issuer": issuer, "jwks_uri": keys}).to_string();
    let own = discovery(ISSUER, "https://issuer.example/keys");
    for (discovery, keys, reason) in [
        (
            "<html>".to_owned(),
            keys.clone(),
            "not a discovery document",
        ),
        ("{}".to_owned(), keys.clone(), "not a discovery document"),
        (
            discovery("https://evil.example", "https://issuer.example/keys"),
            keys.clone(),
            "about another issuer",
        ),
        (
            discovery("https://issuer.example/", "https://issuer.example/keys"),
            keys.clone(),
            "about another issuer",
        ),
        (
            discovery(ISSUER, "http://issuer.example/keys"),
            keys.clone(),
            "not encrypted",
        ),
        (
            discovery(ISSUER, "https://issuer.example/other"),
            keys,
            "other cannot be fetched",
        ),
        (own.clone(), "<html>".to_owned(), "no keys that can be used"),
        (
            own.clone(),
            r#"{"keys":[{"kty":"oct","k":"AA"}]}"#.to_owned(),
            "no keys that can be used",
        ),
        (own, "x".repeat(300_000), "no keys that can be used"),
    ] {
        let (site, scene) = (Site::default(), Scene::new());
        site.put("/.well-known/openid-configuration", &discovery);
        site.put("/keys", &keys);
        let tokens = site.tokens();
        assert_eq!(judged(&tokens, &token(&key), &scene).await, "unavailable");
        let logged = scene.logged();
        assert!(logged.contains(reason), "{reason}: {logged}");
    }
}
