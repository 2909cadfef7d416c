//! Whatever stands in the environment or in ~/.aws: chatctl ends with an error of its own, and never panics.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::outside::{closed, with_keys};
use crate::project::{Project, finished};

/// Every variable that decides how AWS is reached, and as whom.
const VARIABLES: &[&str] = &[
    "ALL_PROXY",
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCOUNT_ID",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_AUTH_SCHEME_PREFERENCE",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_REGION",
    "AWS_DISABLE_CLOCK_SKEW_CORRECTION",
    "AWS_DISABLE_REQUEST_COMPRESSION",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_CLOUDFORMATION",
    "AWS_ENDPOINT_URL_STS",
    "AWS_EXECUTION_ENV",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_LOGIN_CACHE_DIRECTORY",
    "AWS_MAX_ATTEMPTS",
    "AWS_NEW_RETRIES_2026",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
    "AWS_RETRY_MODE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
    "AWS_SDK_UA_APP_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_SIGV4A_SIGNING_REGION_SET",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "https_proxy",
    "no_proxy",
];

fn values() -> Vec<OsString> {
    let values: [&[u8]; 12] = [
        b"",
        b" ",
        b"\n",
        b"a\nb",
        b"\xff\xfe",
        "ключ\u{2028}".as_bytes(),
        b"\x01\x7f",
        b"/",
        b"http://",
        b"http://[::1",
        b"-1",
        b"true",
    ];
    let mut values: Vec<_> = values
        .map(|value| OsStr::from_bytes(value).to_owned())
        .into();
    values.push("x".repeat(100_000).into());
    values
}

#[track_caller]
fn survives(what: &str, command: &mut std::process::Command) {
    let ended = command.output().unwrap();
    assert!(ended.status.code().is_some(), "{what}: {ended:?}");
    let ended = finished(ended);
    // There is no stack, and no AWS: something is wrong in any case, and said.
    assert!(
        (1..=4).contains(&ended.code),
        "{what}: {} {}",
        ended.code,
        ended.stderr
    );
    assert!(
        !ended.stderr.contains("a fault of its own") && !ended.stderr.contains("panicked"),
        "{what}: {}",
        ended.stderr
    );
    assert!(
        ended.stderr.lines().any(|line| line.starts_with("error: ")),
        "{what}: {}",
        ended.stderr
    );
}

#[test]
fn no_value_of_any_variable_ends_in_a_panic() {
    let project = Project::new("");
    let endpoint = format!("http://{}", closed());
    for variable in VARIABLES {
        for (number, value) in values().into_iter().enumerate() {
            for has_keys in [true, false] {
                // Nearly all of them mean the same with and without keys.
                if !has_keys && number % 3 != 0 {
                    continue;
                }
                let mut command = with_keys(&project, &["outputs"]);
                if !has_keys {
                    command
                        .env_remove("AWS_ACCESS_KEY_ID")
                        .env_remove("AWS_SECRET_ACCESS_KEY");
                }
                command
                    .env("AWS_ENDPOINT_URL", &endpoint)
                    .env(variable, &value);
                command.env("CHATCTL_TIME_FACTOR", "0.002");
                survives(
                    &format!("{variable}, value {number}, keys {has_keys}"),
                    &mut command,
                );
            }
        }
    }
}

#[test]
fn no_file_in_aws_s_folder_ends_in_a_panic() {
    let texts: [&[u8]; 19] = [
        b"",
        b"\0",
        b"\xff",
        b"[",
        b"[]",
        b"[profile ]",
        b"[default]\n = x",
        b"[default]\nx",
        b"[default]\n x = y",
        "[default]\né = é\n[profile é]\nregion = é\n".as_bytes(),
        b"[default]\r\nregion = eu-west-1\r\n",
        b"[default]\naws_access_key_id = \n",
        b"[default]\naws_access_key_id = a b\x0b\naws_secret_access_key = x",
        b"[default]\nsource_profile = default\nrole_arn = x\n",
        b"[default]\ncredential_process = \n",
        b"[default]\nsso_session = \n[sso-session ]\n",
        b"[default]\nendpoint_url = \n",
        b"[default]\nendpoint_url = x\n",
        b"[default]\nservices = s\n[services s]\ncloudformation = \n  endpoint_url = :\n",
    ];
    let endpoint = format!("http://{}", closed());
    for file in ["config", "credentials"] {
        for (number, text) in texts.iter().enumerate() {
            let project = Project::new("");
            std::fs::create_dir(project.path().join(".aws")).unwrap();
            std::fs::write(project.path().join(".aws").join(file), text).unwrap();
            let mut command = with_keys(&project, &["outputs"]);
            command
                .env_remove("AWS_ACCESS_KEY_ID")
                .env_remove("AWS_SECRET_ACCESS_KEY");
            survives(&format!("{file} {number}"), &mut command);
            let command = command.env("AWS_ENDPOINT_URL", &endpoint);
            survives(&format!("{file} {number}, elsewhere"), command);
        }
        let project = Project::new("");
        std::fs::create_dir_all(project.path().join(".aws").join(file)).unwrap();
        survives(
            file,
            with_keys(&project, &["outputs", "--profile", "p"]).env("AWS_ENDPOINT_URL", &endpoint),
        );
    }
}

#[test]
fn a_file_that_never_ends_is_given_up() {
    let project = Project::new("");
    for (variable, path) in [
        ("AWS_CONFIG_FILE", "/dev/zero"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/zero"),
        ("AWS_CA_BUNDLE", "/dev/zero"),
    ] {
        let mut command = with_keys(&project, &["outputs", "--profile", "p"]);
        survives(variable, command.env(variable, path));
    }
    let pipe = project.path().join("pipe");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
    )
    .unwrap();
    for variable in ["AWS_CONFIG_FILE", "AWS_CA_BUNDLE"] {
        let mut command = with_keys(&project, &["outputs", "--profile", "p"]);
        survives(variable, command.env(variable, &pipe));
    }
}
