//! chatctl behind a proxy: what it asks AWS, and what it says in a chat.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::outside::{
    AUTHORITY, BOUNDED, Proxying, aws, aws_by_tls, bare, closed, proxy, with_keys, without_stacks,
};
use crate::project::{Finished, Project, finished};

fn run(command: &mut Command) -> Finished {
    finished(command.output().unwrap())
}

const NO_STACK: &str = "there is no stack `chat` in eu-west-1";

#[test]
fn aws_is_asked_through_the_proxy_by_tls_with_the_certificates_of_the_bundle() {
    let project = Project::new("");
    let (address, heads) = proxy(Proxying::To(aws_by_tls()));
    let asked = run(with_keys(&project, &["outputs"])
        .env("HTTPS_PROXY", format!("http://ann:secret@{address}"))
        .env("AWS_CA_BUNDLE", AUTHORITY));
    assert_eq!(asked.code, 2, "{}", asked.stderr);
    asked.explains(NO_STACK);
    let heads = heads.lock().unwrap();
    let head = heads.first().unwrap();
    assert!(
        head.starts_with("CONNECT cloudformation.eu-west-1.amazonaws.com:443 "),
        "{head}"
    );
    // ann:secret
    assert!(head.contains("YW5uOnNlY3JldA=="), "{head}");
}

#[test]
fn a_chat_goes_through_the_proxy_too() {
    let project = Project::new("");
    let (address, heads) = proxy(Proxying::To(aws_by_tls()));
    let url = "wss://chat.eu-west-1.amazonaws.com/v1";
    let mut command = bare(
        &project,
        &["chat", "--as", "Tom", "--to", "Jerry", "--url", url],
    );
    let mut child = command
        .env("https_proxy", format!("http://ann:secret@{address}"))
        .env("AWS_CA_BUNDLE", AUTHORITY)
        .env_remove("CHATCTL_TIME_FACTOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"hi\n").unwrap();
    let chatted = finished(child.wait_with_output().unwrap());
    assert_eq!(
        (chatted.code, chatted.stdout.as_str()),
        (0, "hi\n"),
        "{}",
        chatted.stderr
    );
    let heads = heads.lock().unwrap();
    assert!(
        heads[0].starts_with("CONNECT chat.eu-west-1.amazonaws.com:443 "),
        "{heads:?}"
    );
    assert!(heads[0].contains("YW5uOnNlY3JldA=="), "{heads:?}");
}

#[test]
fn a_certificate_that_is_not_trusted_leads_to_the_bundle() {
    let project = Project::new("");
    let (address, _) = proxy(Proxying::To(aws_by_tls()));
    let asked =
        run(with_keys(&project, &["outputs"]).env("HTTPS_PROXY", format!("http://{address}")));
    assert_eq!(asked.code, 3, "{}", asked.stderr);
    asked.explains("because: invalid peer certificate");
    asked.explains("AWS_CA_BUNDLE");
}

#[test]
fn without_tls_aws_is_asked_through_the_proxy_for_http() {
    let (address, heads) = aws(without_stacks);
    let through = asked_without_tls(&format!("http://ann:secret@{address}"), "");
    through.explains(NO_STACK);
    let head = heads.lock().unwrap().pop().unwrap();
    assert!(head.starts_with("POST http://aws.invalid/ "), "{head}");
    assert!(
        head.to_ascii_lowercase()
            .contains("proxy-authorization: basic yw5uonnly3jlda=="),
        "{head}"
    );
    let count = heads.lock().unwrap().len();
    asked_without_tls(&format!("http://{address}"), "example.com, .invalid")
        .explains("check the Region's name");
    assert_eq!(
        heads.lock().unwrap().len(),
        count,
        "the proxy was asked all the same"
    );
}

#[test]
fn without_tls_an_answer_of_the_proxy_is_reported_as_its_own() {
    let (asking, _) = proxy(Proxying::Refusing("407 Proxy Authentication Required"));
    asked_without_tls(&format!("http://{asking}"), "").explains(&format!(
        "because: the proxy http://{asking} (HTTP_PROXY) wants a name and a password"
    ));
    let (broken, _) = proxy(Proxying::Refusing("502 Bad Gateway"));
    asked_without_tls(&format!("http://{broken}"), "")
        .explains("got no response from aws.invalid: HTTP status 502");
}

/// chatctl that asks an AWS without TLS, through `proxy` except for what `rules` name.
fn asked_without_tls(proxy: &str, rules: &str) -> Finished {
    run(with_keys(&Project::new(""), &["outputs"])
        .env("AWS_ENDPOINT_URL", "http://aws.invalid")
        .env("HTTP_PROXY", proxy)
        .env("NO_PROXY", rules))
}

#[test]
fn what_runs_on_this_machine_is_reached_without_the_proxy() {
    let project = Project::new("");
    let (address, heads) = aws(without_stacks);
    let asked = run(with_keys(&project, &["outputs"])
        .env("AWS_ENDPOINT_URL", format!("http://{address}"))
        .env("HTTP_PROXY", format!("http://{}", closed())));
    asked.explains(NO_STACK);
    assert!(heads.lock().unwrap()[0].starts_with("POST / "));
}

#[test]
fn a_proxy_that_does_not_lead_to_aws_or_a_chat_is_named_without_its_password() {
    let project = Project::new("");
    let answers = [
        (
            proxy(Proxying::Refusing("407 Proxy Authentication Required")).0,
            "does not accept the name and password",
        ),
        (
            proxy(Proxying::Refusing("502 Bad Gateway")).0,
            "refuses to connect to ",
        ),
        (proxy(Proxying::Silent).0, "did not connect to "),
        (closed(), "cannot be reached"),
    ];
    for (address, why) in answers {
        let began = Instant::now();
        let url = "wss://chat.eu-west-1.amazonaws.com/v1";
        for words in [&["outputs"][..], &["chat", "--url", url][..]] {
            let asked = run(with_keys(&project, words)
                .env("HTTPS_PROXY", format!("http://ann:secret@{address}")));
            assert_eq!(asked.code, 3, "{}", asked.stderr);
            asked.explains(&format!("the proxy http://{address} (HTTPS_PROXY) {why}"));
            asked.explains("hint: ");
            assert!(!asked.stderr.contains("secret"), "{}", asked.stderr);
        }
        assert!(began.elapsed() < BOUNDED, "{why}");
    }
}

#[test]
fn doctor_names_the_proxy_and_certificates_and_what_is_wrong_with_them() {
    let project = Project::new("");
    let (address, _) = aws(without_stacks);
    let doctor = |name: &str, value: &str| {
        run(with_keys(&project, &["doctor", "--handlers", "missing"])
            .env_remove("ALL_PROXY")
            .env("AWS_ENDPOINT_URL", format!("http://{address}"))
            .env("no_proxy", "corp.example")
            .env("AWS_CA_BUNDLE", AUTHORITY)
            .env(name, value))
    };
    let line = |finished: &Finished| {
        let lines = finished.stdout.lines();
        lines
            .filter(|line| line.contains(" network "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        line(&doctor("https_proxy", "http://ann:secret@proxy.corp:3128")),
        [format!(
            "ok  network      through the proxy http://proxy.corp:3128 (https_proxy), but not to corp.example (NO_PROXY); \
             certificates from {AUTHORITY} (AWS_CA_BUNDLE)"
        )]
    );
    let none = doctor("AWS_CA_BUNDLE", "");
    assert_eq!(
        line(&none),
        ["ok  network      no proxy; this machine's certificates"]
    );
    let missing = doctor("AWS_CA_BUNDLE", "/no/such.pem");
    assert_eq!(missing.code, 2);
    assert_eq!(
        line(&missing),
        [
            "bad network      could not take certificates from /no/such.pem (AWS_CA_BUNDLE): No such file or directory (os error 2)"
        ]
    );
    assert!(
        !missing.stdout.contains("region"),
        "told once: {}",
        missing.stdout
    );
    let socks = doctor("HTTPS_PROXY", "socks5://ann:secret@h:1");
    assert!(
        line(&socks)[0]
            .starts_with("bad network      HTTPS_PROXY does not name a proxy: it is a SOCKS proxy"),
        "{}",
        socks.stdout
    );
    assert!(!socks.stdout.contains("secret"), "{}", socks.stdout);
}
