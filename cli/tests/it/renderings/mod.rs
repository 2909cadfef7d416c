//! Every rendering is judged by cfn-lint, the template's security by checkov.

mod company;
mod settings;

use std::process::Command;

use crate::project::{Project, finished, peer};

fn lint(config: &str, format: &str) {
    lint_for(config, format, &["eu-west-1"]);
}

/// A public key, and always the same: about one in fifty has 40 characters in a row that checkov takes for a secret of AWS.
const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a","alg":"EdDSA","use":"sig"}]}"#;

/// A project with `config`, and the key that it may ask for.
fn project(config: &str) -> Project {
    let project = Project::new(config);
    if config.contains("mode = \"token\"") {
        std::fs::write(project.path().join("chatctl.keys.json"), KEYS).unwrap();
    }
    project
}

/// Lints the template for the first of `regions` by what CloudFormation has in all of them.
fn lint_for(config: &str, format: &str, regions: &[&str]) {
    let project = project(config);
    let rendered = project.run(&["render", "--format", format, "--region", regions[0]]);
    assert_eq!(rendered.code, 0, "{}", rendered.stderr);
    let file = project.path().join(format!("rendered.{format}"));
    std::fs::write(&file, &rendered.stdout).unwrap();
    let linted = finished(
        Command::new(peer("CHATCTL_CFN_LINT"))
            .arg(&file)
            .arg("--regions")
            .args(regions)
            .output()
            .unwrap(),
    );
    assert_eq!(
        (linted.code, linted.stdout.trim()),
        (0, ""),
        "{}",
        linted.stderr
    );
}

#[test]
fn the_default_rendering_passes_cfn_lint_as_yaml() {
    lint("", "yaml");
}

#[test]
fn the_default_rendering_passes_cfn_lint_as_json() {
    lint("", "json");
}

#[test]
fn a_rendering_with_every_setting_passes_cfn_lint() {
    let config = "stack = \"my-chat\"\nstage = \"beta_2\"\n[logs]\nretention-days = 365\n\
                  [[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"send-message\"\n[[routes]]\nkey = \"sendMessage\"\n";
    lint(config, "yaml");
}

#[test]
fn a_rendering_of_each_mode_of_auth_passes_cfn_lint() {
    let origins = "origins = [\"https://chat.example\"]\n";
    lint(&format!("{EVERYTHING_OF_OURS}[auth]\n{origins}"), "yaml");
    let issuer = "issuer = \"https://issuer.example\"\naudience = [\"chat\"]\n";
    lint(
        &format!("{EVERYTHING_OF_OURS}[auth]\nmode = \"jwt\"\n{issuer}{origins}"),
        "yaml",
    );
    let token = format!("{EVERYTHING_OF_OURS}[auth]\nmode = \"token\"\n{origins}");
    lint(&token, "yaml");
    lint_for(&token, "json", &["us-gov-west-1"]);
    // Without a key there is no template: a stack of it would refuse every client.
    let refused = Project::new(&token).run(&["render"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    refused.explains("chatctl.keys.json has none");
    refused.explains("chatctl keys new");
}

#[test]
fn a_rendering_with_limits_and_an_authorizer_of_the_user_s_passes_cfn_lint() {
    let limits = "[limits]\nmessages-per-second = 5\nconnections-per-name = 10\nroom-size = 500\n";
    let own = "[auth]\nhandler = \"door\"\npermissions = [{ actions = [\"dynamodb:GetItem\"], resources = [\"table\"] }]\n";
    lint(&format!("{EVERYTHING_OF_OURS}{limits}{own}"), "yaml");
    lint_for(
        &format!("{EVERYTHING}{limits}{own}"),
        "json",
        &["us-gov-west-1"],
    );
}

/// Routes of both kinds with reviews, one of which they share.
const REVIEWED: &str = r#"
[[routes]]
key = "whisper"
envelope = true
review = "filter"
review-permissions = [{ actions = ["dynamodb:GetItem"], resources = ["table"] }]
[[routes]]
key = "say"
receivers = "room"
envelope = true
review = "./filter"
review-fallback = "allow"
[[routes]]
key = "shout"
receivers = "room"
envelope = true
review = "../other"
review-timeout = "10s"
"#;

#[test]
fn a_rendering_with_reviews_passes_cfn_lint() {
    lint(REVIEWED, "yaml");
    lint_for(REVIEWED, "json", &["us-gov-west-1"]);
    let account = "[aws]\npermissions-boundary = \"arn:aws:iam::123456789012:policy/boundary\"\nrole-path = \"/chat/\"\n";
    lint(&format!("{REVIEWED}{account}"), "yaml");
}

#[test]
fn a_rendering_of_a_chat_that_keeps_messages_passes_cfn_lint() {
    let kept = "[[routes]]\nkey = \"tell\"\nenvelope = true\nhistory = \"7d\"\n\
                [[routes]]\nkey = \"say\"\nreceivers = \"room\"\nenvelope = true\nhistory = \"365d\"\n\
                [[routes]]\nkey = \"history\"\nanswers = \"history\"\n[[routes]]\nkey = \"delete\"\nanswers = \"delete\"\n";
    lint(kept, "yaml");
    lint_for(kept, "json", &["us-gov-west-1"]);
}

#[test]
fn a_rendering_without_a_default_route_passes_cfn_lint() {
    lint("[[routes]]\nkey = \"send\"\n", "yaml");
}

/// A route to each kind of function.
const EVERYTHING_OF_OURS: &str = r#"
[[routes]]
key = "$default"
[[routes]]
key = "onMessage"
receivers = "room"
[[routes]]
key = "roll"
handler = "roll"
reply = true
[[routes]]
key = "who"
answers = "who"
announce = true
"#;

/// Every kind of route and option that goes together.
const EVERYTHING: &str = r#"
[[routes]]
key = "$default"
[[routes]]
key = "tell"
text = "words"
max-text-bytes = 100
[[routes]]
key = "onMessage"
receivers = "room"
text = "message"
include-sender = true
[[routes]]
key = "send"
http = "https://backend.example/send?x=1"
text = "message"
[[routes]]
key = "raw"
http = "https://backend.example/raw"
secret-header = { name = "x-chat-secret", ssm = "/chat/backend" }
[[routes]]
key = "roll"
handler = "roll"
reply = true
[[routes.permissions]]
actions = ["dynamodb:Query"]
resources = ["table"]
[[routes.permissions]]
actions = ["execute-api:ManageConnections"]
resources = ["connections"]
[[routes.permissions]]
actions = ["s3:GetObject"]
resources = ["arn:aws:s3:::pictures/*"]
[[routes]]
key = "count-all"
handler = "count"
"#;

/// A backend that decides who may connect, with functions of its owner's beside it.
const BACKEND_AND_HANDLER: &str = r#"
[[routes]]
key = "$connect"
http = "https://backend.example/connect"
[[routes]]
key = "$disconnect"
http = "https://backend.example/disconnect"
secret-header = { name = "x-chat-secret", secretsmanager = "chat/backend", json-key = "token" }
[[routes]]
key = "$default"
handler = "."
reply = true
[[routes]]
key = "send"
http = "https://backend.example/send"
"#;

#[test]
fn a_rendering_with_every_kind_of_route_passes_cfn_lint() {
    lint(EVERYTHING, "yaml");
}

#[test]
fn a_rendering_with_a_backend_and_a_handler_passes_cfn_lint() {
    lint(BACKEND_AND_HANDLER, "yaml");
}

#[test]
fn a_rendering_with_handlers_only_passes_cfn_lint() {
    lint("[[routes]]\nkey = \"$default\"\nhandler = \".\"\n", "yaml");
}

/// One template for each partition but one, and that one's.
const ANYWHERE: &[&str] = &[
    // aws
    "us-east-1",
    "eu-west-1",
    "ap-southeast-5",
    "mx-central-1",
    // aws-cn
    "cn-north-1",
    "cn-northwest-1",
    // aws-iso, -b, -e, -f
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "eu-isoe-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    // aws-eusc
    "eusc-de-east-1",
];
const GOVCLOUD: &[&str] = &["us-gov-west-1", "us-gov-east-1"];

#[test]
fn a_rendering_passes_cfn_lint_for_the_regions_of_every_partition() {
    for config in [EVERYTHING, BACKEND_AND_HANDLER] {
        lint_for(config, "yaml", ANYWHERE);
        lint_for(config, "yaml", GOVCLOUD);
    }
}

#[test]
fn what_govcloud_refuses_is_in_no_rendering_for_it() {
    for config in ["", EVERYTHING, BACKEND_AND_HANDLER] {
        let project = Project::new(config);
        let there = project.run(&["render", "--region", "us-gov-east-1"]).stdout;
        assert!(!there.contains("LoggingConfig"), "{there}");
        let anywhere = project.run(&["render"]).stdout;
        assert!(anywhere.contains("LoggingConfig"), "{anywhere}");
    }
}

#[test]
fn the_region_of_a_rendering_is_the_one_that_a_deployment_would_go_to() {
    let is_of_govcloud = |project: &Project, variables: &[(&str, &str)], words: &[&str]| {
        let home = project.path().join("home");
        std::fs::create_dir_all(home.join(".aws")).unwrap();
        let profiles = "[default]\nregion = eu-west-1\n[profile gov]\nregion = us-gov-west-1\n";
        std::fs::write(home.join(".aws/config"), profiles).unwrap();
        let mut command = project.command(&[&["render"], words].concat());
        command.env("HOME", home).envs(variables.iter().copied());
        let rendered = finished(command.output().unwrap());
        assert_eq!(rendered.code, 0, "{}", rendered.stderr);
        !rendered.stdout.contains("LoggingConfig")
    };
    let (plain, configured) = (
        Project::new(""),
        Project::new("[aws]\nregion = \"us-gov-east-1\"\n"),
    );
    let gov = ("AWS_REGION", "us-gov-west-1");
    assert!(!is_of_govcloud(&plain, &[], &[]));
    assert!(is_of_govcloud(&plain, &[gov], &[]));
    assert!(is_of_govcloud(&plain, &[("AWS_PROFILE", "gov")], &[]));
    assert!(is_of_govcloud(&plain, &[], &["--profile", "gov"]));
    assert!(!is_of_govcloud(&plain, &[gov], &["--region", "eu-west-1"]));
    assert!(is_of_govcloud(&configured, &[], &[]));
    assert!(!is_of_govcloud(
        &configured,
        &[gov],
        &["--region", "eu-west-1"]
    ));
}

/// Every rule of an account.
const ACCOUNT: &str = r#"
[aws]
permissions-boundary = "arn:aws:iam::123456789012:policy/bounds/chats"
role-path = "/chats/"
role-arn = "arn:aws:iam::123456789012:role/cloudformation"
bucket = "my-code"
kms-key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
tags = { team = "chat" }
notification-arns = ["arn:aws:sns:eu-west-1:123456789012:stacks"]
"#;

#[test]
fn every_kind_of_rendering_passes_cfn_lint_under_the_rules_of_an_account() {
    for config in ["", EVERYTHING, BACKEND_AND_HANDLER] {
        lint(&format!("{config}{ACCOUNT}"), "yaml");
    }
    let there = ACCOUNT
        .replace("arn:aws:", "arn:aws-us-gov:")
        .replace("eu-west-1", "us-gov-west-1");
    lint_for(&format!("{EVERYTHING}{there}"), "yaml", &["us-gov-west-1"]);
}

/// Every example's config, by its name.
fn examples() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let examples = std::fs::read_dir(folder).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let config = std::fs::read_to_string(path.join("chatctl.toml")).ok()?;
        Some((path.file_name()?.to_str()?.to_owned(), config))
    });
    examples.collect()
}

/// What a company adds: a name, alarms by mail, failed events that are kept. Access logs come behind `[logs]`.
const COMPANY: &str = r#"
[domain]
name = "chat.example.com"
path = "team"
[alarms]
email = "ops@example.com"
keep-failed-events = true
"#;

/// `config` with all of it.
fn of_a_company(config: &str) -> String {
    let access = "[logs]\naccess = true\n";
    match config.contains("\n[logs]\n") {
        true => format!(
            "{}{COMPANY}",
            config.replacen("\n[logs]\n", &format!("\n{access}"), 1)
        ),
        false => format!("{config}{COMPANY}{access}"),
    }
}

#[test]
fn every_example_passes_cfn_lint() {
    let examples = examples();
    assert!(examples.len() >= 6);
    for (_, config) in examples {
        lint(&config, "yaml");
    }
}

#[test]
fn checkov_finds_nothing_but_what_is_kept_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut configs = examples();
    for (name, config) in [
        ("", ""),
        ("everything", EVERYTHING),
        ("backend", BACKEND_AND_HANDLER),
        ("account", ACCOUNT),
        ("company", &of_a_company(EVERYTHING)),
        ("ruled-company", &of_a_company(ACCOUNT)),
        ("settings", &settings::with_settings(EVERYTHING)),
        ("reviews", REVIEWED),
        ("reviewed-settings", &settings::with_settings(REVIEWED)),
    ] {
        configs.push((name.to_owned(), config.to_owned()));
    }
    for (name, config) in configs {
        let file = folder.path().join(format!("chat-{name}.yaml"));
        let rendered = project(&config).run(&["render"]);
        assert_eq!(rendered.code, 0, "{name}: {}", rendered.stderr);
        std::fs::write(&file, rendered.stdout).unwrap();
    }
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../templates/checkov.yaml");
    let mut checkov = Command::new(peer("CHATCTL_CHECKOV"));
    checkov
        .args(["--config-file", config, "--directory"])
        .arg(folder.path());
    let checked = finished(checkov.output().unwrap());
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
}
