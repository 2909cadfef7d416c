//! A stack in jwt mode, and a certified OpenID Connect issuer: the npm package `oidc-provider`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use testing::issuer::Issuer;

use super::Owner;
use super::stack::{chat, deployed};
use crate::project::eventually;

#[test]
fn tokens_of_an_issuer_are_accepted_by_discovery_and_a_conversation_outlives_a_rotation() {
    let mut issuer = Issuer::start();
    let owner = Owner::new(&format!(
        "[auth]\nmode = \"jwt\"\nissuer = \"{}\"\naudience = [\"chat\"]\n",
        issuer.url
    ));
    let reported = deployed(&owner, &[]);
    reported.explains("a client without a token is refused (401)");
    reported.explains(&format!("a token of {} whose `sub`", issuer.url));
    for command in reported.stdout.lines() {
        let header = r#"-H "authorization: Bearer $CHATCTL_TOKEN""#;
        assert!(command.contains(header), "{command}");
    }
    // Tom stays in the chat all the time.
    let mut tom = owner
        .command(&["chat", "--local", "--to", "Jerry"])
        .env("CHATCTL_TOKEN", issuer.token("Tom"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut received = BufReader::new(tom.stdout.take().unwrap()).lines();
    eventually("Tom is connected", || {
        owner.project.status()["connections"] == 1
    });
    let jerry = issuer.token("Jerry");
    let said = chat(&owner, &["--to", "Tom"], "before\n", Some(&jerry));
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(received.next().unwrap().unwrap(), "before");
    assert_eq!(issuer.asked("rotate"), "rotated");
    let jerry = issuer.token("Jerry");
    // Keys are asked for only so often, whatever unknown ones tokens name.
    eventually("the new key is known", || {
        let said = chat(&owner, &["--to", "Tom"], "after\n", Some(&jerry));
        assert!(matches!(said.code, 0 | 3), "{}", said.stderr);
        said.code == 0
    });
    assert_eq!(received.next().unwrap().unwrap(), "after");
    drop(tom.stdin.take());
    assert!(tom.wait().unwrap().success());
    // Another user's token, no token, and another name.
    let said = chat(&owner, &[], "", None);
    assert_eq!(said.code, 2);
    said.explains(&issuer.url);
    let stranger = Issuer::start().token("Tom");
    for (words, token) in [
        (&["--to", "Tom"][..], &stranger),
        (&["--as", "Tom"], &jerry),
    ] {
        let said = chat(&owner, words, "", Some(token));
        assert_eq!(said.code, 3, "{}", said.stderr);
    }
}
