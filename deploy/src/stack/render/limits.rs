//! The variables and permissions that functions get because of `[limits]`.

use chat_protocol::Handler;
use serde_json::{Value, json};

use super::family::set_variable;
use super::fragment::Section;
use crate::config::limits::Limits;

/// Tells our functions what `limits` say, and lets them count. Without a limit nothing changes.
pub(super) fn set(resources: &mut Section, limits: &Limits) {
    if let Some((variable, value)) = limits.of_messages() {
        for handler in Handler::TAKE_FRAMES {
            let family = handler.family();
            if resources.contains_key(&format!("{family}Function")) {
                set_variable(resources, family, variable, &value);
                let_use_the_table(resources, family, &["dynamodb:UpdateItem"]);
            }
        }
    }
    let connect = Handler::Connect.family();
    let of_connections = limits.of_connections();
    if of_connections.is_empty() || !resources.contains_key(&format!("{connect}Function")) {
        return;
    }
    for (variable, value) in of_connections {
        set_variable(resources, connect, variable, &value);
    }
    // It counts, and takes back what it has written of a connection that is one too many.
    let_use_the_table(
        resources,
        connect,
        &["dynamodb:DeleteItem", "dynamodb:Query"],
    );
}

/// Adds `actions` to what the role of `family` may do with the table.
fn let_use_the_table(resources: &mut Section, family: &str, actions: &[&str]) {
    let policies = resources[&format!("{family}Role")]["Properties"]["Policies"].as_array_mut();
    let table = policies
        .into_iter()
        .flatten()
        .find(|policy| policy["PolicyName"] == "table")
        .expect("the templates let every function of chatctl but the authorizer use the table");
    let allowed: &mut Value = &mut table["PolicyDocument"]["Statement"][0]["Action"];
    if let Some(allowed) = allowed.as_array_mut() {
        allowed.extend(actions.iter().map(|action| json!(action)));
    }
}
