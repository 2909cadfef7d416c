//! What the policies allow, for each kind of config.

mod options;

use std::collections::BTreeSet;
use std::path::Path;

use expect_test::expect_file;

use super::*;

const ACCOUNT: &str = "123456789012";

fn settings(toml: &str) -> Settings {
    Settings::read(
        Path::new("chatctl.toml"),
        toml,
        "".into(),
        Default::default(),
    )
    .unwrap()
}

fn rendered(toml: &str, region: &str, is_split: bool) -> Policies {
    let settings = settings(toml);
    let subject = Subject {
        settings: &settings,
        region,
        account: ACCOUNT,
        bucket: "chatctl-code",
    };
    policies(&subject, is_split)
}

fn actions(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|statement| statement["Action"].as_array().unwrap());
    actions
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

const RULES: &str = "
[aws]
permissions-boundary = \"arn:aws:iam::123456789012:policy/bounds\"
role-path = \"/chats/\"
role-arn = \"arn:aws:iam::123456789012:role/deployer\"
bucket = \"my-code\"
kms-key = \"arn:aws:kms:eu-west-1:123456789012:key/x\"
tags = { team = \"chat\" }
";

#[test]
fn the_policy_of_the_default_chat_is_as_recorded() {
    let text = format!("{:#}\n", rendered("", "eu-west-1", false).to_json());
    expect_file!["../snapshots/default.json"].assert_eq(&text);
}

#[test]
fn the_policies_under_every_rule_of_an_account_are_as_recorded() {
    let text = format!("{:#}\n", rendered(RULES, "eu-west-1", true).to_json());
    expect_file!["../snapshots/rules.json"].assert_eq(&text);
}

const COMPANY: &str = "
[[routes]]
key = \"all\"
receivers = \"room\"
[domain]
name = \"chat.example.com\"
zone = \"Z0123\"
[logs]
access = true
[alarms]
email = \"ops@example.com\"
keep-failed-events = true
";

/// What `more` adds to the policy, one line a statement.
fn added(plain: &str, more: &str) -> String {
    let lines = |toml: &str| {
        let policy = rendered(toml, "eu-west-1", false).to_json();
        let statements = policy["Statement"].as_array().unwrap().clone();
        let line = |it: &Value| {
            let actions = it["Action"].as_array().unwrap().iter();
            let actions: Vec<_> = actions.filter_map(Value::as_str).collect();
            format!(
                "{} {} {}\n",
                actions.join(" "),
                it["Resource"],
                it["Condition"]
            )
        };
        statements.iter().map(line).collect::<BTreeSet<_>>()
    };
    lines(&format!("{plain}{more}"))
        .difference(&lines(plain))
        .cloned()
        .collect()
}

#[test]
fn a_name_alarms_and_access_logs_add_the_least_to_the_policy() {
    let (room, more) = COMPANY.split_at(COMPANY.find("[domain]").unwrap());
    expect_file!["../snapshots/company.txt"].assert_eq(&added(room, more));
}

#[test]
fn terraform_gets_the_same_policies() {
    let split = rendered("stack = \"my-chat\"", "eu-west-1", true);
    expect_file!["../snapshots/split.tf"]
        .assert_eq(&terraform(&split, &"my-chat".parse().unwrap()));
}

#[test]
fn the_two_parts_together_are_the_whole_and_one_right_to_pass_the_role() {
    for toml in ["", RULES, "[[routes]]\nkey = \"a\"\nreceivers = \"room\"\n"] {
        let Policies::Whole(whole) = rendered(toml, "eu-west-1", false) else {
            panic!("it is not split");
        };
        let split = rendered(toml, "eu-west-1", true);
        let parts: BTreeSet<_> = split.named()[..2]
            .iter()
            .flat_map(|(_, part)| actions(part))
            .collect();
        assert_eq!(parts, actions(&whole), "{toml}");
        let person = actions(split.named()[0].1);
        assert!(
            !person.contains("iam:CreateRole") && person.contains("iam:PassRole"),
            "{person:?}"
        );
        let service = actions(split.named()[1].1);
        assert!(
            !service
                .iter()
                .any(|action| action.starts_with("cloudformation:")),
            "{service:?}"
        );
    }
}

#[test]
fn no_policy_has_a_wildcard_for_actions_and_only_lists_are_for_every_resource() {
    for toml in [
        "",
        RULES,
        COMPANY,
        "[domain]\nname = \"chat.example.com\"\n",
    ] {
        for (_, policy) in rendered(toml, "eu-west-1", true).named() {
            for statement in policy["Statement"].as_array().unwrap() {
                let text = statement["Action"].to_string();
                assert!(!text.contains('*'), "{text}");
                if statement["Resource"] == "*" {
                    for action in statement["Action"].as_array().unwrap() {
                        let listing = [
                            "cloudformation:DescribeStacks",
                            "cloudwatch:GetMetricData",
                            "lambda:GetAccountSettings",
                            "acm:ListCertificates",
                            "route53:ListHostedZones",
                            "route53:ListHostedZonesByName",
                        ];
                        let action = action.as_str().unwrap();
                        assert!(
                            listing.contains(&action) || actions::ON_NOTHING.contains(&action),
                            "{action}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_default_policies_fit_into_managed_ones() {
    for (toml, is_split) in [("", false), ("", true), (RULES, true)] {
        assert_eq!(rendered(toml, "eu-west-1", is_split).too_long(), []);
    }
}

#[test]
fn a_stack_without_functions_needs_no_bucket_role_or_function() {
    let toml = "[[routes]]\nkey = \"$connect\"\nhttp = \"https://b.example/c\"\n[[routes]]\nkey = \"$disconnect\"\n\
                http = \"https://b.example/d\"\n[[routes]]\nkey = \"$default\"\nhttp = \"https://b.example/m\"\n\
                secret-header = { name = \"x-secret\", ssm = \"/chat/backend:3\" }\n";
    let Policies::Whole(policy) = rendered(toml, "cn-north-1", false) else {
        panic!("it is not split");
    };
    let services: BTreeSet<_> = actions(&policy)
        .iter()
        .map(|action| action.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        services.iter().map(String::as_str).collect::<Vec<_>>(),
        ["apigateway", "cloudformation", "cloudwatch", "ssm"]
    );
    let text = policy.to_string();
    assert!(
        text.contains("arn:aws-cn:ssm:cn-north-1:123456789012:parameter/chat/backend\""),
        "{text}"
    );
    assert!(!text.contains("arn:aws:"), "{text}");
}

#[test]
fn a_stack_without_functions_needs_the_bucket_for_a_template_beyond_a_request() {
    let routes = |count: usize| -> String {
        let keys = ["$connect", "$disconnect", "$default"].map(str::to_owned);
        let keys = keys
            .into_iter()
            .chain((0..count).map(|at| format!("r{at}")));
        keys.map(|key| format!("[[routes]]\nkey = \"{key}\"\nhttp = \"https://b.example/m\"\n"))
            .collect()
    };
    let parts = |toml: &str| {
        let split = rendered(toml, "eu-west-1", true);
        let named = split.named();
        [actions(named[0].1), actions(named[1].1)]
    };
    let of_s3 = |all: &BTreeSet<String>| -> Vec<String> {
        let found = all.iter().filter(|action| action.starts_with("s3:"));
        found.cloned().collect()
    };
    let [person, _] = parts(&routes(3));
    assert_eq!(of_s3(&person), [""; 0]);
    let [person, service] = parts(&routes(150));
    for needed in [
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
        "s3:CreateBucket",
    ] {
        assert!(person.contains(needed), "{needed}");
    }
    assert!(!person.contains("lambda:UpdateFunctionCode"));
    assert_eq!(of_s3(&service), [""; 0]);
}

#[test]
fn secrets_are_read_by_name_or_arn() {
    let toml = |secret: &str| {
        format!(
            "[[routes]]\nkey = \"$default\"\nhttp = \"https://b.example/m\"\nsecret-header = {{ name = \"x-secret\", secretsmanager = \"{secret}\" }}\n"
        )
    };
    for (secret, on) in [
        (
            "chat/backend",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chat/backend-??????",
        ),
        (
            "arn:aws:secretsmanager:eu-west-1:210987654321:secret:x-AbCdEf",
            "arn:aws:secretsmanager:eu-west-1:210987654321:secret:x-AbCdEf",
        ),
        // Without the random end, which an ARN may leave out.
        (
            "arn:aws:secretsmanager:eu-west-1:210987654321:secret:chat/backend",
            "arn:aws:secretsmanager:eu-west-1:210987654321:secret:chat/backend-??????",
        ),
    ] {
        let text = rendered(&toml(secret), "eu-west-1", false)
            .to_json()
            .to_string();
        assert!(text.contains(on), "{text}");
    }
}

#[test]
fn names_that_cloudformation_cuts_are_matched_by_their_beginning() {
    let text = rendered(
        "stack = \"a-very-long-name-of-a-chat-stack\"",
        "us-gov-west-1",
        false,
    )
    .to_json()
    .to_string();
    for resource in [
        "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:a-very-long-name-of-a-ch*",
        "arn:aws-us-gov:iam::123456789012:role/a-very-long-name-of-a-ch*",
        "arn:aws-us-gov:dynamodb:us-gov-west-1:123456789012:table/a-very-long-name-of-a-chat-stack-*",
        "arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:/aws/lambda/a-very-long-name-of-a-ch*",
    ] {
        assert!(
            text.contains(&format!("\"{resource}\"")),
            "{resource}: {text}"
        );
    }
}

/// The actions that the adapters of `aws` name in their errors are those of their requests.
#[test]
fn whatever_chatctl_asks_aws_for_is_in_the_policy() {
    fn named(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named(&path, found);
            } else if !path.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                found.extend(code.split('"').filter_map(|word| {
                    let (service, action) = word.split_once(':')?;
                    let is_action = [
                        "cloudformation",
                        "s3",
                        "lambda",
                        "apigateway",
                        "dynamodb",
                        "logs",
                        "acm",
                        "route53",
                    ]
                    .contains(&service)
                        && action.starts_with(|c: char| c.is_ascii_uppercase())
                        && action.bytes().all(|byte| byte.is_ascii_alphanumeric());
                    is_action.then(|| word.to_owned())
                }));
            }
        }
    }
    let mut found = BTreeSet::new();
    named(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws"),
        &mut found,
    );
    assert!(found.len() > 25, "{found:?}");
    let named = "[domain]\nname = \"chat.example.com\"\n[logs]\naccess = true\n";
    let tagged = rendered(
        &format!("{named}[aws]\ntags = {{ team = \"chat\" }}\n"),
        "eu-west-1",
        true,
    );
    let person = actions(tagged.named()[0].1);
    let missing: Vec<_> = found.difference(&person).collect();
    // What `connections`, `send` and `kick` ask for is a matter of operating, and on a page of its own.
    let of_operators = ["DeleteItem", "PutItem", "Query", "Scan"];
    assert_eq!(
        missing,
        of_operators
            .map(|action| format!("dynamodb:{action}"))
            .each_ref()
    );
}
