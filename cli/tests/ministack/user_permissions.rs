//! The caller's permissions, as `doctor` compares them with the printed policy.

use serde_json::Value;

use crate::cloud::Cloud;
use crate::policy::{User, without};

/// The policy as a user has it who may also ask IAM. Its conditions are left out, because the emulator's simulation does not
/// look at the context of a question.
fn with_simulation(policy: &Value) -> Value {
    let mut policy = policy.clone();
    let statement = serde_json::json!({
        "Effect": "Allow", "Action": ["iam:SimulatePrincipalPolicy"], "Resource": "*",
    });
    let statements = policy["Statement"].as_array_mut().unwrap();
    for condition in statements.iter_mut().filter_map(Value::as_object_mut) {
        condition.shift_remove("Condition");
    }
    statements.push(statement);
    policy
}

#[tokio::test]
async fn doctor_compares_the_caller_s_permissions_with_the_printed_policy() {
    let cloud = Cloud::start().await;
    let whole: Value =
        serde_json::from_str(&cloud.chatctl("policy").await.exits(0).stdout).unwrap();
    let handlers = cloud.handlers("1");
    let doctor = async |user: &User| {
        let words = format!("doctor --handlers {}", handlers.display());
        user.runs(&cloud, &words).await.exits(0).stdout.clone()
    };
    let ann = User::with(&cloud, "ann", &with_simulation(&whole)).await;
    let reported = doctor(&ann).await;
    assert!(
        reported.contains("IAM's simulation allows the "),
        "{reported}"
    );

    let less = without(&with_simulation(&whole), "logs:FilterLogEvents");
    let bob = User::with(&cloud, "bob", &without(&less, "lambda:CreateFunction")).await;
    let reported = doctor(&bob).await;
    assert!(
        reported.contains("IAM's simulation denies 2 of the "),
        "{reported}"
    );
    for line in [
        "logs:FilterLogEvents on arn:aws:logs:eu-west-1:123456789012:log-group:chat-*: no policy allows it",
        "lambda:CreateFunction on arn:aws:lambda:eu-west-1:123456789012:function:chat-*: no policy allows it",
    ] {
        assert!(reported.contains(line), "{reported}");
    }

    let cat = User::with(&cloud, "cat", &whole).await;
    let reported = doctor(&cat).await;
    assert!(
        reported.contains("the permission iam:SimulatePrincipalPolicy would allow it"),
        "{reported}"
    );
}
