//! Renders the function that announces, and lets the others have it announce.

use chat_protocol::{Handler, table, variable};
use serde_json::{Value, json};

use super::fragment::{self, Section};

/// Adds the function to `resources`, which have all other functions of ours.
pub(super) fn add(resources: &mut Section) {
    for handler in Handler::ALL.into_iter().filter(|it| it.changes_rooms()) {
        let family = handler.family();
        if resources.contains_key(&format!("{family}Function")) {
            let_open_turns(resources, handler);
            let_invoke(resources, family);
        }
    }
    resources.extend(fragment::announce());
}

/// Lets `handler` read and open turns.
fn let_open_turns(resources: &mut Section, handler: Handler) {
    let statements = statements(resources, handler.family());
    let turns = json!(table::announcing("*"));
    let mut missing = vec!["dynamodb:Query", "dynamodb:UpdateItem"];
    for statement in statements.iter_mut() {
        let (condition, actions) = (statement.get("Condition"), statement["Action"].clone());
        let is_about_table = statement["Resource"] == table();
        if is_about_table && condition.is_none() {
            missing.retain(|action| !allows(&actions, action));
        } else if is_about_table && allows(&actions, "dynamodb:Query") {
            // The statement about bans.
            let keys =
                &mut statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
            if let Some(keys) = keys.as_array_mut() {
                keys.push(turns.clone());
                missing.retain(|action| *action != "dynamodb:Query");
            }
        }
    }
    if !missing.is_empty() {
        statements.push(json!({
            "Effect": "Allow",
            "Action": missing,
            "Resource": table(),
            "Condition": { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [turns] } },
        }));
    }
}

fn table() -> Value {
    json!({ "Fn::GetAtt": ["Connections", "Arn"] })
}

fn allows(actions: &Value, action: &str) -> bool {
    *actions == action
        || actions
            .as_array()
            .is_some_and(|all| all.contains(&json!(action)))
}

/// The statements about the table of the function of `family`: in its role, or in a policy beside it.
fn statements<'a>(resources: &'a mut Section, family: &str) -> &'a mut Vec<Value> {
    let role = format!("{family}Role");
    let is_beside = resources[&role]["Properties"].get("Policies").is_none();
    let document = if is_beside {
        &mut resources[&format!("{family}Policy")]["Properties"]["PolicyDocument"]
    } else {
        let mut policies = resources[&role]["Properties"]["Policies"]
            .as_array_mut()
            .into_iter()
            .flatten();
        let table = policies.find(|policy| policy["PolicyName"] == "table");
        &mut table.expect("the templates let each of these functions use the table")["PolicyDocument"]
    };
    document["Statement"]
        .as_array_mut()
        .expect("the templates have lists of statements")
}

/// Lets the function of `family` invoke the one that announces. The policy is a resource of its own, so that the role waits
/// for nothing.
fn let_invoke(resources: &mut Section, family: &str) {
    let function = &mut resources[&format!("{family}Function")]["Properties"]["Environment"];
    function["Variables"][variable::ANNOUNCE_FUNCTION] = json!({ "Ref": "AnnounceFunction" });
    let policy = json!({
        "Type": "AWS::IAM::Policy",
        "Properties": {
            "PolicyName": "announce",
            "Roles": [{ "Ref": format!("{family}Role") }],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Action": "lambda:InvokeFunction",
                    "Resource": { "Fn::GetAtt": ["AnnounceFunction", "Arn"] },
                }],
            },
        },
    });
    resources.insert(format!("{family}AnnouncePolicy"), policy);
}
