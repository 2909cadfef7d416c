//! What a config may say of a function, and what follows from it.

use std::path::Path;

use expect_test::{Expect, expect};

use super::*;
use crate::config::{ConfigError, Settings};

fn read(toml: &str) -> Result<Settings, ConfigError> {
    Settings::read(
        Path::new("chatctl.toml"),
        toml,
        "/p".into(),
        Default::default(),
    )
}

/// A route with a handler that has these settings.
fn with(settings: &str) -> String {
    format!("[[routes]]\nkey = \"roll\"\nhandler = \"roll\"\n{settings}\n")
}

fn settings(text: &str) -> FunctionSettings {
    let settings = read(&with(text)).unwrap();
    let (_, handler) = settings.custom_handlers().next().unwrap();
    handler.settings.clone()
}

fn check(text: &str, expected: Expect) {
    let error = read(text).expect_err(text);
    expected.assert_eq(&format!("{error}\n"));
}

#[test]
fn every_setting_of_a_handler_is_read() {
    let all = settings(
        r#"
memory = 512
timeout = 5
log-level = "debug"
reserved-concurrency = 0
environment = { GREETING = "hello", ROOMS = "" }
secrets = { KEY = { ssm = "/chat/key:2", file = "local.secret" }, DB = { secretsmanager = "chat/db", json-key = "password" } }
vpc = { subnets = ["subnet-0123456789abcdef0"], security-groups = ["sg-01234567"] }
"#,
    );
    assert_eq!(all.memory, Some(Memory(512)));
    assert_eq!(all.timeout, Some(Timeout(5)));
    assert_eq!(all.log_level.map(LogLevel::word), Some("DEBUG"));
    assert_eq!(all.reserved_concurrency, Some(ReservedConcurrency(0)));
    assert_eq!(
        all.secrets["KEY"].local,
        Some(LocalSecret::File("/p/local.secret".into()))
    );
    assert_eq!(all.vpc.as_ref().unwrap().subnets.len(), 1);
    let variables = all.variables();
    assert_eq!(variables["GREETING"], "hello");
    expect![[r#"{"DB":"secretsmanager:chat/db:SecretString:password","KEY":"ssm:/chat/key:2"}"#]]
        .assert_eq(&variables["SECRETS"]);
    assert_eq!(settings(""), FunctionSettings::default());
}

#[test]
fn the_authorizer_has_the_same_settings() {
    let text = "[auth]\nhandler = \"door\"\nbinary = \"guard\"\nmemory = 256\nsecrets = { KEY = { ssm = \"/k\", variable = \"KEY\" } }\n";
    let settings = read(text).unwrap();
    let handler = settings.auth.handler().unwrap();
    assert_eq!(handler.binary.as_deref(), Some("guard"));
    assert_eq!(handler.settings.memory, Some(Memory(256)));
    let names: Vec<_> = settings
        .functions_of_the_user()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["[auth]"]);
    check(
        "[auth]\nmemory = 256\n",
        expect![[r#"
            chatctl.toml:2:10: `memory` belongs to `handler`, which names the folder of your authorizer's crate
                |
              2 | memory = 256
                |          ^^^
        "#]],
    );
}

#[test]
fn settings_belong_to_handlers() {
    check(
        "[[routes]]\nkey = \"send\"\nhttp = \"https://b.example/\"\ntimeout = 5\n",
        expect![[r#"
            chatctl.toml:4:11: `timeout` belongs to a route with `handler`, and this one has `http`
                |
              4 | timeout = 5
                |           ^
        "#]],
    );
    for setting in [
        "binary = \"a\"",
        "environment = { A1 = \"b\" }",
        "secrets = { KEY = { ssm = \"a\" } }",
        "memory = 128",
        "log-level = \"info\"",
        "reserved-concurrency = 1",
        "vpc = { subnets = [\"subnet-01234567\"], security-groups = [\"sg-01234567\"] }",
    ] {
        let key = setting.split(' ').next().unwrap();
        for kind in ["receivers = \"friend\"", "http = \"https://b.example/\""] {
            let route = format!("[[routes]]\nkey = \"send\"\n{kind}\n{setting}\n");
            let error = read(&route).unwrap_err().to_string();
            assert!(error.contains(&format!("`{key}` belongs to")), "{error}");
        }
    }
}

#[test]
fn bounds_are_those_of_aws_and_say_why() {
    check(
        &with("timeout = 30"),
        expect![[r#"
            chatctl.toml:4:11: a timeout of 30 s is not possible, only 1 to 29: API Gateway waits 29 s for a function, so its answer would be lost later; begin longer work here and let another program do it
                |
              4 | timeout = 30
                |           ^^
        "#]],
    );
    for (setting, reason) in [
        ("memory = 127", "only 128 to 10240"),
        ("memory = 10241", "only 128 to 10240"),
        ("timeout = 0", "only 1 to 29"),
        (
            "reserved-concurrency = -1",
            "with 0, none runs and every message is refused",
        ),
        ("log-level = \"loud\"", "unknown value `loud`"),
        ("binary = \"a/b\"", "is not the name of a binary"),
        ("binary = \"--release\"", "is not the name of a binary"),
        ("environment = { A = \"x\" }", "two or more letters"),
        ("environment = { \"a-b\" = \"x\" }", "two or more letters"),
        (
            "environment = { AWS_REGION = \"x\" }",
            "`AWS_REGION` belongs to Lambda",
        ),
        (
            "environment = { AWS_ENDPOINT_URL = \"x\" }",
            "belongs to Lambda",
        ),
        ("environment = { aws_profile = \"x\" }", "belongs to Lambda"),
        (
            "environment = { LAMBDA_TASK_ROOT = \"x\" }",
            "belongs to Lambda",
        ),
        (
            "environment = { TABLE_NAME = \"x\" }",
            "one of the variables that the stack sets",
        ),
        (
            "secrets = { SECRETS = { ssm = \"a\" } }",
            "one of the variables that the stack sets",
        ),
        (
            "environment = { LOG_LEVEL = \"x\" }",
            "write `log-level = \"debug\"` instead",
        ),
        (
            "environment = { KEY = \"{{resolve:ssm:/key}}\" }",
            "name it under `secrets`",
        ),
        ("environment = { KEY = \"a\\u0000b\" }", "U+0000"),
        (
            "environment = { KEY = \"a\" }\nsecrets = { KEY = { ssm = \"a\" } }",
            "`KEY` is both a variable and a secret",
        ),
        (
            "secrets = { KEY = { file = \"a\" } }",
            "the secret `KEY`: it does not name the value's place at AWS",
        ),
        (
            "secrets = { KEY = { ssm = \"a\", json-key = \"b\" } }",
            "`json-key` belongs to `secretsmanager`",
        ),
        (
            "secrets = { KEY = { ssm = \"a\", value = \"topsecret\" } }",
            "unknown field `value`",
        ),
        (
            "secrets = { KEY = { ssm = \"a\", kms-key = \"alias/x\" } }",
            "is not a key of KMS",
        ),
        (
            "vpc = { subnets = [], security-groups = [\"sg-01234567\"] }",
            "the list is empty",
        ),
        (
            "vpc = { subnets = [\"subnet-01234567\"] }",
            "missing field `security-groups`",
        ),
        (
            "vpc = { subnets = [\"sg-01234567\"], security-groups = [\"sg-01234567\"] }",
            "is not the id of a subnet",
        ),
        (
            "vpc = { subnets = [\"subnet-01234567\", \"subnet-01234567\"], security-groups = [\"sg-01234567\"] }",
            "an entry twice",
        ),
    ] {
        let error = read(&with(setting)).expect_err(setting).to_string();
        assert!(error.contains(reason), "{setting}: {error}");
        // The line of the setting, whatever the table is.
        assert!(
            error.starts_with("chatctl.toml:4:") || error.starts_with("chatctl.toml:5:"),
            "{error}"
        );
        assert!(
            !error.lines().next().unwrap().contains("topsecret"),
            "{error}"
        );
    }
}

#[test]
fn a_variable_in_a_table_of_its_own_is_refused_on_its_own_line() {
    check(
        &with("[routes.environment]\nGREETING = \"hi\"\nAWS_REGION = \"x\""),
        expect![[r#"
            chatctl.toml:6:1: `AWS_REGION` belongs to Lambda and AWS's SDKs, which set and read variables with `AWS_` and `LAMBDA_`: choose another name
                |
              6 | AWS_REGION = "x"
                | ^^^^^^^^^^
        "#]],
    );
}

#[test]
fn variables_share_the_4_kb_with_those_of_the_stack() {
    let of = |bytes: usize| {
        with(&format!(
            "environment = {{ TEXT = \"{}\" }}",
            "x".repeat(bytes)
        ))
    };
    assert!(read(&of(3_600)).is_ok());
    let error = read(&of(4_000)).unwrap_err().to_string();
    assert!(error.contains("AWS Lambda takes 4096"), "{error}");
    // A longer stage is part of the stack's own address.
    let staged = format!("stage = \"{}\"\n{}", "s".repeat(128), of(3_850));
    assert!(read(&of(3_850)).is_ok());
    assert!(read(&staged).is_err());
    // References count, values do not.
    let many: Vec<_> = (0..90)
        .map(|at| {
            format!("SECRET{at} = {{ ssm = \"/chat/a/rather/long/name/of/a/parameter/{at}\" }}")
        })
        .collect();
    let error = read(&with(&format!("secrets = {{ {} }}", many.join(", ")))).unwrap_err();
    assert!(error.to_string().contains("4096"), "{error}");
}

#[test]
fn rights_that_follow_from_settings_count_for_the_limit_of_a_role() {
    let arns: Vec<_> = (0..100)
        .map(|at| format!("\"arn:aws:s3:::{}{at}/*\"", "x".repeat(60)))
        .collect();
    let grants = format!(
        "permissions = [{{ actions = [\"s3:GetObject\"], resources = [{}] }}]\n",
        arns.join(",")
    );
    assert!(read(&with(&grants)).is_ok());
    let subnets: Vec<_> = (0..16).map(|at| format!("\"subnet-{at:017x}\"")).collect();
    let vpc = format!(
        "vpc = {{ subnets = [{}], security-groups = [\"sg-01234567\"] }}",
        subnets.join(",")
    );
    assert!(read(&with(&vpc)).is_ok());
    let error = read(&with(&format!("{grants}{vpc}")))
        .unwrap_err()
        .to_string();
    assert!(error.contains("IAM limits to 10240"), "{error}");
}

#[test]
fn a_secret_of_another_partition_or_region_is_refused_with_its_line() {
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chat-AbCdEf";
    let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let of = |region: &str| {
        read(&format!(
            "{}[aws]\nregion = \"{region}\"\n",
            with(&format!(
                "secrets = {{ KEY = {{ secretsmanager = \"{arn}\", kms-key = \"{key}\" }} }}"
            ))
        ))
    };
    assert!(of("eu-west-1").is_ok());
    let error = of("us-gov-west-1").unwrap_err().to_string();
    assert!(error.contains("chatctl.toml:4:"), "{error}");
    assert!(error.contains("it is in the partition aws"), "{error}");
    let error = of("eu-central-1").unwrap_err().to_string();
    assert!(
        error.contains("`secretsmanager` must be in the stack's own Region"),
        "{error}"
    );
}

#[test]
fn a_role_may_read_exactly_the_secrets_that_are_named_and_use_a_key_only_if_one_is() {
    let text = |policies: &[(&str, Value)]| {
        let lines = policies.iter().flat_map(|(name, document)| {
            let statements = document["Statement"].as_array().unwrap();
            statements.iter().map(move |one| format!("{name} {one}\n"))
        });
        lines.collect::<String>()
    };
    let plain = settings(
        "secrets = { A1 = { ssm = \"/chat/key:3\" }, A2 = { ssm = \"plain\" }, B1 = { secretsmanager = \"db\", json-key = \"user\" }, \
         B2 = { secretsmanager = \"db\", json-key = \"password\" } }",
    );
    expect![[r#"
        secrets {"Effect":"Allow","Action":["ssm:GetParameter"],"Resource":[{"Fn::Sub":"arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/chat/key"},{"Fn::Sub":"arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/plain"}]}
        secrets {"Effect":"Allow","Action":["secretsmanager:GetSecretValue"],"Resource":[{"Fn::Sub":"arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:db-??????"}]}
    "#]].assert_eq(&text(&plain.policies()));
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chat";
    let key = "arn:aws:kms:eu-west-1:123456789012:key/1";
    let named = settings(&format!(
        "secrets = {{ A1 = {{ ssm = \"k\", kms-key = \"{key}\" }}, B1 = {{ secretsmanager = \"{arn}-AbCdEf\" }}, B2 = {{ \
         secretsmanager = \"{arn}\" }} }}"
    ));
    expect![[r#"
        secrets {"Effect":"Allow","Action":["ssm:GetParameter"],"Resource":[{"Fn::Sub":"arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/k"}]}
        secrets {"Effect":"Allow","Action":["secretsmanager:GetSecretValue"],"Resource":["arn:aws:secretsmanager:eu-west-1:123456789012:secret:chat-??????","arn:aws:secretsmanager:eu-west-1:123456789012:secret:chat-AbCdEf"]}
        secrets {"Effect":"Allow","Action":["kms:Decrypt"],"Resource":["arn:aws:kms:eu-west-1:123456789012:key/1"],"Condition":{"StringEquals":{"kms:ViaService":{"Fn::Sub":"ssm.${AWS::Region}.${AWS::URLSuffix}"}}}}
    "#]].assert_eq(&text(&named.policies()));
    let vpc = "vpc = { subnets = [\"subnet-01234567\"], security-groups = [\"sg-01234567\"] }";
    expect![[r#"
        network {"Effect":"Allow","Action":["ec2:CreateNetworkInterface"],"Resource":[{"Fn::Sub":"arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*"},{"Fn::Sub":"arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:subnet/subnet-01234567"},{"Fn::Sub":"arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/sg-01234567"}]}
        network {"Effect":"Allow","Action":["ec2:AssignPrivateIpAddresses","ec2:UnassignPrivateIpAddresses"],"Resource":[{"Fn::Sub":"arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*"}]}
        network {"Effect":"Allow","Action":["ec2:DeleteNetworkInterface"],"Resource":[{"Fn::Sub":"arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:*/*"}]}
        network {"Effect":"Allow","Action":["ec2:DescribeNetworkInterfaces","ec2:DescribeSubnets"],"Resource":["*"]}
        network {"Effect":"Deny","Action":["ec2:AssignPrivateIpAddresses","ec2:CreateNetworkInterface","ec2:DeleteNetworkInterface","ec2:DescribeNetworkInterfaces","ec2:DescribeSubnets","ec2:UnassignPrivateIpAddresses"],"Resource":["*"],"Condition":{"ArnLike":{"lambda:SourceFunctionArn":{"Fn::Sub":"arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"}}}}
    "#]].assert_eq(&text(&settings(vpc).policies()));
}
