//! IAM: decisions of policies, refused policies, and the wildcards against a simple model.

use std::collections::BTreeMap;

use chatctl_local::iam::{Decision, Policy, Request, decide, matches_arn};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};

const TABLE: &str = "arn:aws:dynamodb:eu-central-1:000000000000:table/chat";

fn allow(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
}

fn policy(statement: Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statement })
}

/// One line a request: `action resource [key=value|value]…` → decision.
fn check(policies: &[Value], requests: &str, expected: Expect) {
    let policies: Vec<Policy> = policies
        .iter()
        .map(|document| Policy::parse(document).expect("a policy"))
        .collect();
    let mut answers = String::new();
    for line in requests.lines() {
        let mut words = line.split_whitespace();
        let (action, resource) = (
            words.next().expect("an action and a resource").to_owned(),
            words.next().expect("an action and a resource").to_owned(),
        );
        let context: BTreeMap<String, Vec<String>> = words
            .filter_map(|word| word.split_once('='))
            .map(|(key, values)| {
                (
                    key.to_owned(),
                    values.split('|').map(str::to_owned).collect(),
                )
            })
            .collect();
        let decision = decide(
            &policies,
            &Request::new(action, resource).with_context(context),
        );
        answers.push_str(&format!("{decision:?}\n"));
    }
    expected.assert_eq(&answers);
}

fn check_error(document: Value, expected: Expect) {
    let error = Policy::parse(&document).expect_err("the policy is wrong");
    let source = std::error::Error::source(&error)
        .map(|source| format!(": {source}"))
        .unwrap_or_default();
    expected.assert_eq(&format!("{error}{source}"));
}

#[test]
fn without_a_policy_nothing_is_allowed() {
    check(
        &[],
        &format!("dynamodb:PutItem {TABLE}"),
        expect!["ImplicitlyDenied\n"],
    );
}

#[test]
fn an_action_is_compared_without_case_and_a_resource_with_it() {
    check(
        &[policy(json!([allow("dynamodb:put*", TABLE)]))],
        &format!(
            "DynamoDB:PutItem {TABLE}\ndynamodb:PutItem {}\ndynamodb:GetItem {TABLE}",
            TABLE.to_uppercase()
        ),
        expect!["Allowed\nImplicitlyDenied\nImplicitlyDenied\n"],
    );
}

#[test]
fn an_explicit_deny_wins_whatever_the_order_of_policies() {
    let deny =
        policy(json!({ "Effect": "Deny", "Action": "dynamodb:DeleteItem", "Resource": "*" }));
    let everything = policy(allow("*", "*"));
    let requests = format!("dynamodb:DeleteItem {TABLE}\ndynamodb:PutItem {TABLE}");
    for order in [[deny.clone(), everything.clone()], [everything, deny]] {
        check(&order, &requests, expect!["ExplicitlyDenied\nAllowed\n"]);
    }
}

#[test]
fn not_action_and_not_resource_mean_all_the_others() {
    check(
        &[policy(
            json!([{ "Effect": "Allow", "NotAction": ["dynamodb:Scan"], "NotResource": "arn:aws:dynamodb:*/secret" }]),
        )],
        &format!(
            "dynamodb:Query {TABLE}\ndynamodb:Scan {TABLE}\ndynamodb:Query arn:aws:dynamodb:x:y:table/secret"
        ),
        expect!["Allowed\nImplicitlyDenied\nImplicitlyDenied\n"],
    );
}

#[test]
fn leading_keys_must_all_be_among_the_allowed_ones() {
    let mut statement = allow("dynamodb:*", "*");
    statement["Condition"] =
        json!({ "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["Tom", "Jerry"] } });
    check(
        &[policy(statement)],
        &format!(
            "dynamodb:Query {TABLE} dynamodb:leadingkeys=Tom\ndynamodb:Query {TABLE} dynamodb:LeadingKeys=Tom|Spike\n\
             dynamodb:Query {TABLE}"
        ),
        expect!["Allowed\nImplicitlyDenied\nAllowed\n"],
    );
}

#[test]
fn each_condition_operator_handles_equal_different_and_absent_keys() {
    let arn = "arn:aws:lambda:eu-central-1:000000000000:function:chat";
    let mut answers = String::new();
    for (operator, wanted) in [
        ("StringEquals", "Tom"),
        ("StringEqualsIfExists", "Tom"),
        ("StringNotEquals", "Tom"),
        ("StringEqualsIgnoreCase", "tom"),
        ("StringNotEqualsIgnoreCase", "tom"),
        ("StringLike", "T*"),
        ("StringNotLike", "T*"),
        ("Bool", "tom"),
        ("ForAnyValue:StringEquals", "Tom"),
        ("ForAllValues:StringNotEquals", "Tom"),
        ("Null", "true"),
        ("Null", "false"),
        ("ArnLike", "arn:aws:*:*:*:function:ch?t"),
        ("ArnEquals", "arn:aws:*"),
        ("ArnNotLike", "arn:aws:*:*:*:function:ch?t"),
    ] {
        let mut statement = allow("*", "*");
        statement["Condition"] = json!({ operator: { "aws:Key": wanted } });
        let policy = Policy::parse(&policy(statement)).unwrap();
        let judge = |value: Option<&str>| {
            let context = value
                .map(|value| ("aws:key".to_owned(), vec![value.to_owned()]))
                .into_iter()
                .collect();
            let request = Request::new("a:b", "arn:x").with_context(context);
            if decide(std::slice::from_ref(&policy), &request) == Decision::Allowed {
                "yes"
            } else {
                "no"
            }
        };
        let equal = if operator.starts_with("Arn") {
            arn
        } else {
            "Tom"
        };
        let row = [judge(Some(equal)), judge(Some("Spike")), judge(None)].join(" ");
        answers.push_str(&format!("{operator} {wanted}: {row}\n"));
    }
    expect![[r#"
        StringEquals Tom: yes no no
        StringEqualsIfExists Tom: yes no yes
        StringNotEquals Tom: no yes yes
        StringEqualsIgnoreCase tom: yes no no
        StringNotEqualsIgnoreCase tom: no yes yes
        StringLike T*: yes no no
        StringNotLike T*: no yes yes
        Bool tom: yes no no
        ForAnyValue:StringEquals Tom: yes no no
        ForAllValues:StringNotEquals Tom: no yes yes
        Null true: no no yes
        Null false: yes yes no
        ArnLike arn:aws:*:*:*:function:ch?t: yes no no
        ArnEquals arn:aws:*: no no no
        ArnNotLike arn:aws:*:*:*:function:ch?t: no yes yes
    "#]]
    .assert_eq(&answers);
}

#[test]
fn an_unsupported_operator_is_an_error_and_never_an_allow() {
    for (operator, expected) in [
        (
            "DateLess",
            expect![
                "statement `Late` of the policy has a condition that cannot be evaluated: the condition operator `DateLess` is not supported by the local target"
            ],
        ),
        (
            "ForSomeValues:StringEquals",
            expect![
                "statement `Late` of the policy has a condition that cannot be evaluated: the condition operator `ForSomeValues:StringEquals` is not supported by the local target"
            ],
        ),
        (
            "NullIfExists",
            expect![
                "statement `Late` of the policy has a condition that cannot be evaluated: the condition operator `NullIfExists` is not supported by the local target"
            ],
        ),
    ] {
        let mut statement = allow("*", "*");
        statement["Sid"] = json!("Late");
        statement["Condition"] = json!({ operator: { "aws:CurrentTime": "2020-01-01" } });
        check_error(policy(statement), expected);
    }
}

#[test]
fn a_policy_variable_is_refused_if_the_version_supports_it() {
    let resource = "arn:aws:dynamodb:::table/${aws:username}";
    check_error(
        policy(allow("dynamodb:*", resource)),
        expect![
            "statement 1 of the policy uses the policy variable in `arn:aws:dynamodb:::table/${aws:username}`, which the local target does not support"
        ],
    );
    let old = json!({ "Version": "2008-10-17", "Statement": [allow("dynamodb:*", resource)] });
    assert!(
        Policy::parse(&old).is_ok(),
        "in the older version `${{` is plain text"
    );
    let mut statement = allow("*", "*");
    statement["Condition"] = json!({ "StringEquals": { "aws:x": "${aws:username}" } });
    check_error(
        policy(statement),
        expect![
            "statement 1 of the policy has a condition that cannot be evaluated: the policy variable in `${aws:username}` is not supported by the local target"
        ],
    );
}

#[test]
fn every_malformed_document_is_an_error_with_the_reason() {
    let statement = |change: &dyn Fn(&mut Value)| {
        let mut statement = allow("s3:*", "*");
        change(&mut statement);
        policy(json!([statement]))
    };
    check_error(
        json!("text"),
        expect!["the policy document is malformed: it must be an object"],
    );
    check_error(
        json!({}),
        expect![
            "the policy document is malformed: `Statement` must be a statement or a list of them"
        ],
    );
    check_error(
        json!({ "Statements": [] }),
        expect!["the policy document is malformed: `Statements` is not an element of a policy"],
    );
    check_error(
        json!({ "Version": "2020-01-01" }),
        expect![[
            r#"the policy document is malformed: `Version` must be "2012-10-17" or "2008-10-17""#
        ]],
    );
    check_error(
        policy(json!([1])),
        expect!["statement 1 of the policy is malformed: it must be an object"],
    );
    check_error(
        statement(&|s| s["Effect"] = json!("allow")),
        expect![[r#"statement 1 of the policy is malformed: `Effect` must be "Allow" or "Deny""#]],
    );
    check_error(
        statement(&|s| s["NotAction"] = json!("*")),
        expect![
            "statement 1 of the policy is malformed: it must have either `Action` or `NotAction`"
        ],
    );
    check_error(
        statement(&|s| s["Action"] = json!([])),
        expect![
            "statement 1 of the policy is malformed: `Action` must be a string or a list of strings"
        ],
    );
    check_error(
        statement(&|s| s["Action"] = json!("PutItem")),
        expect![
            "statement 1 of the policy is malformed: the action `PutItem` must have the form service:Name"
        ],
    );
    check_error(
        statement(&|s| s["Resource"] = json!("table/chat")),
        expect![[
            r#"statement 1 of the policy is malformed: the resource `table/chat` must be an ARN or "*""#
        ]],
    );
    check_error(
        statement(&|s| s["Principal"] = json!("*")),
        expect![
            "statement 1 of the policy is malformed: `Principal` is not allowed in an identity policy"
        ],
    );
    check_error(
        statement(&|s| s["Conditions"] = json!({})),
        expect![
            "statement 1 of the policy is malformed: `Conditions` is not an element of a statement"
        ],
    );
    check_error(
        statement(&|s| s["Condition"] = json!({ "Bool": "x" })),
        expect![
            "statement 1 of the policy has a condition that cannot be evaluated: `Bool` must map condition keys to a value or a list of values"
        ],
    );
}

#[test]
fn a_hostile_pattern_ends_soon() {
    let pattern = "*a".repeat(1_000) + "b";
    assert!(!matches_arn(&pattern, &"a".repeat(4_000)));
}

/// Tries every length for every `*`: slow, but obviously correct.
fn model(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|taken| model(rest, &text[taken..])),
        Some(('?', rest)) => text
            .split_first()
            .is_some_and(|(_, tail)| model(rest, tail)),
        Some((wanted, rest)) => text
            .split_first()
            .is_some_and(|(found, tail)| found == wanted && model(rest, tail)),
    }
}

proptest! {
    #[test]
    fn the_matcher_agrees_with_the_model(pattern in "[ab*?:]{0,8}", text in "[ab*:]{0,8}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(matches_arn(&pattern, &text), model(&chars(&pattern), &chars(&text)));
    }

    #[test]
    fn a_text_without_wildcards_only_matches_itself(one in "[a-zé:/]{0,12}", other in "[a-zé:/]{0,12}") {
        prop_assert!(matches_arn(&one, &one));
        prop_assert_eq!(matches_arn(&one, &other), one == other);
    }
}
