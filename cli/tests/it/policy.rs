//! The printed policies, compared with what AWS publishes: the actions of IAM, and the permissions that CloudFormation's
//! registry says the handlers of each type need. Both tables come with cfn-lint.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::project::{Project, finished, peer};

const RULES: &str = "[aws]\npermissions-boundary = \"arn:aws:iam::123456789012:policy/bounds\"\nrole-path = \"/chats/\"\n\
                     bucket = \"my-code\"\nkms-key = \"arn:aws:kms:eu-west-1:123456789012:key/x\"\ntags = { team = \"chat\" }\n";

const ROUTES: &str = "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"all\"\nreceivers = \"room\"\n[[routes]]\nkey = \"roll\"\n\
                      handler = \"roll\"\nreply = true\n[[routes]]\nkey = \"send\"\nhttp = \"https://backend.example/send\"\n\
                      secret-header = { name = \"x-chat-secret\", secretsmanager = \"chat/backend\" }\n";

/// A name, alarms and access logs.
const COMPANY: &str = "[domain]\nname = \"chat.example.com\"\n[logs]\naccess = true\n[alarms]\n\
                       email = \"ops@example.com\"\nkeep-failed-events = true\n";
/// A handler with settings that bring actions of their own.
const HANDLER: &str = "handler = \"roll\"\nreserved-concurrency = 5\nsecrets = { KEY = { ssm = \"/key\" } }\n\
                       vpc = { subnets = [\"subnet-01234567\"], security-groups = [\"sg-01234567\"] }";

/// Functions of the user's in every place that takes one, all functions in a VPC, kept messages and announcements.
const USER: &str = "[auth]\nhandler = \"door\"\nreserved-concurrency = 1\n\
                    [handlers]\nvpc = { subnets = [\"subnet-01234567\"], security-groups = [\"sg-01234567\"] }\n\
                    [[routes]]\nkey = \"$default\"\nreceivers = \"room\"\nenvelope = true\nhistory = \"7d\"\nreview = \"filter\"\n\
                    [[routes]]\nkey = \"history\"\nanswers = \"history\"\n[[routes]]\nkey = \"who\"\nanswers = \"who\"\n\
                    [[routes]]\nkey = \"roll\"\nhandler = \"roll\"\n";

/// Topics of the stack's events, beside a name.
const NOTIFIED: &str =
    "[aws]\nnotification-arns = [\"arn:aws:sns:eu-west-1:123456789012:stacks\"]\n[domain]";

#[test]
fn reserved_concurrency_and_a_vpc_bring_the_actions_that_lambda_asks_of_the_deployer() {
    let actions = [
        "lambda:PutFunctionConcurrency",
        "lambda:DeleteFunctionConcurrency",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ];
    let with = policy(
        &Project::new(&ROUTES.replace("handler = \"roll\"", HANDLER)),
        &[],
    );
    let without = policy(&Project::new(ROUTES), &[]);
    for action in actions {
        assert!(
            with.contains(action) && !without.contains(action),
            "{action}"
        );
    }
    // The function reads its secret, not the deployer.
    assert!(!with.contains("ssm:GetParameter"), "{with}");
    let review = "[[routes]]\nkey = \"$default\"\nenvelope = true\nreview = \"filter\"\n";
    let settings = HANDLER.lines().skip(1);
    let settings: String = settings.map(|line| format!("review-{line}\n")).collect();
    let with = policy(&Project::new(&format!("{review}{settings}")), &[]);
    let without = policy(&Project::new(review), &[]);
    for action in actions {
        let found = [with.contains(action), without.contains(action)];
        assert_eq!(found, [true, false], "{action} for a review function");
    }
}

const OFFLINE: [&str; 5] = [
    "policy",
    "--account",
    "123456789012",
    "--region",
    "eu-west-1",
];

fn policy(project: &Project, more: &[&str]) -> String {
    let printed = project.run(&[&OFFLINE, more].concat());
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    printed.stdout
}

/// What the tables say of a policy and of a template, one line a problem.
fn judged(policies: &[Value], template: &Value) -> String {
    let python = peer("CHATCTL_CFN_LINT").with_file_name("python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/iam_tables.py");
    let mut judge = Command::new(python)
        .args(["-I", "-B", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = json!({ "policies": policies, "template": template });
    let mut input = judge.stdin.take().unwrap();
    write!(input, "{asked}").unwrap();
    drop(input);
    let judged = finished(judge.wait_with_output().unwrap());
    assert_eq!(judged.code, 0, "{}", judged.stderr);
    judged.stdout
}

#[test]
fn every_action_exists_takes_its_resource_and_none_that_cloudformation_needs_is_missing() {
    let company = format!("{ROUTES}{COMPANY}");
    let named = "[domain]\nname = \"chat.example.com\"\nzone = \"Z1\"\n".to_owned();
    let settings = ROUTES.replace("handler = \"roll\"", HANDLER);
    let everything = format!("{USER}{}", COMPANY.replace("[domain]", NOTIFIED));
    for config in [
        String::new(),
        ROUTES.to_owned(),
        format!("{ROUTES}{RULES}"),
        format!("{company}{RULES}"),
        company,
        named,
        settings,
        everything,
    ] {
        let project = Project::new(&config);
        let whole: Value = serde_json::from_str(&policy(&project, &[])).unwrap();
        let split: Value = serde_json::from_str(&policy(&project, &["--service-role"])).unwrap();
        let rendered = project.run(&["render", "--format", "json", "--region", "eu-west-1"]);
        let template: Value = serde_json::from_str(&rendered.stdout).unwrap();
        assert_eq!(judged(&[whole], &template), "", "{config}");
        let parts = [split["deployer"].clone(), split["cloudformation"].clone()];
        assert_eq!(judged(&parts, &template), "", "{config}");
    }
}

#[test]
fn the_tables_notice_a_wrong_action_a_wrong_resource_and_a_missing_action() {
    let project = Project::new("");
    let whole: Value = serde_json::from_str(&policy(&project, &[])).unwrap();
    let rendered = project.run(&["render", "--format", "json", "--region", "eu-west-1"]);
    let template: Value = serde_json::from_str(&rendered.stdout).unwrap();
    let edited = |from: &str, to: &str| {
        let text = whole.to_string().replace(from, to);
        judged(&[serde_json::from_str(&text).unwrap()], &template)
    };
    assert!(
        edited("lambda:GetPolicy", "lambda:GetPolice")
            .contains("IAM has no action lambda:GetPolice")
    );
    assert!(
        edited("iam:CreateRole", "iam:GetRole").contains("AWS::IAM::Role needs iam:CreateRole")
    );
    let on_a_log_group = edited("dynamodb:DescribeTable", "logs:FilterLogEvents");
    assert!(
        on_a_log_group.contains("logs:FilterLogEvents takes no table"),
        "{on_a_log_group}"
    );
}

#[test]
fn a_policy_is_printed_without_credentials_and_says_what_it_lacks() {
    let project = Project::new("");
    let refused = project.run(&["policy", "--account", "123456789012"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    refused.explains("no Region is set");
    let refused = project.run(&["policy", "--account", "12"]);
    assert_eq!(refused.code, 2);
    refused.explains("12 digits");
    let refused =
        project.run(&[&OFFLINE[..], &["--format", "terraform", "--output", "json"]].concat());
    assert_eq!(refused.code, 2, "{}", refused.stdout);
    let printed = project.run(&OFFLINE);
    printed.explains("`permissions-boundary` under `[aws]`");
    let there = Project::new(RULES);
    let refused = there.run(&[
        "policy",
        "--account",
        "123456789012",
        "--region",
        "cn-north-1",
    ]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    refused.explains("chatctl.toml:2:24: it is in the partition aws, and cn-north-1 is in aws-cn");
    let refused = there.run(&[
        "policy",
        "--account",
        "210987654321",
        "--region",
        "eu-west-1",
    ]);
    refused.explains("it is in account 123456789012");
    assert_eq!(refused.code, 2);
}

/// HCL is read by the parser that Checkov brings.
#[test]
fn terraform_reads_what_is_printed_for_it() {
    let project = Project::new(&format!("stack = \"my-chat\"\n{RULES}"));
    let printed = policy(&project, &["--format", "terraform", "--service-role"]);
    let file = project.path().join("policy.tf");
    std::fs::write(&file, printed).unwrap();
    let python = peer("CHATCTL_CHECKOV").with_file_name("python");
    let read = "import hcl2, json, sys; print(json.dumps(hcl2.load(open(sys.argv[1]))))";
    let mut parser = Command::new(python);
    parser.args(["-I", "-B", "-c", read]).arg(&file);
    let parsed = finished(parser.output().unwrap());
    assert_eq!(parsed.code, 0, "{}", parsed.stderr);
    let parsed: Value = serde_json::from_str(&parsed.stdout).unwrap();
    let resources = parsed["resource"].as_array().unwrap();
    assert_eq!(resources.len(), 4, "{parsed:#}");
}
