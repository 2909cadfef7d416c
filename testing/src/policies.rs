//! What the roles of a rendered template may do, and the template without some of it.

use serde_json::{Value, json};

/// Takes `action` from `role` and from the policies that are attached to it.
///
/// # Panics
/// It was not there exactly once.
pub fn take(template: &mut Value, role: &str, action: &str) {
    let mut taken = 0;
    for (id, resource) in template["Resources"].as_object_mut().unwrap() {
        let Some(properties) = resource.get_mut("Properties") else {
            continue;
        };
        if id == role {
            let policies = properties.get_mut("Policies").and_then(Value::as_array_mut);
            for policy in policies.into_iter().flatten() {
                taken += take_from(&mut policy["PolicyDocument"], action);
            }
        } else if properties["Roles"] == json!([{ "Ref": role }]) {
            taken += take_from(&mut properties["PolicyDocument"], action);
        }
    }
    assert_eq!(taken, 1, "{role} grants {action} once");
}

/// Takes `action` out of a policy document; answers how often it was there.
fn take_from(document: &mut Value, action: &str) -> usize {
    let mut taken = 0;
    for statement in document["Statement"].as_array_mut().unwrap() {
        let actions = match &statement["Action"] {
            Value::String(one) => vec![json!(one)],
            many => many.as_array().unwrap().clone(),
        };
        let kept = actions.iter().filter(|kept| *kept != action);
        let kept: Vec<_> = kept.cloned().collect();
        taken += actions.len() - kept.len();
        // A statement needs an action; one that nothing here is called stands for none.
        statement["Action"] = if kept.is_empty() {
            json!(["none:None"])
        } else {
            json!(kept)
        };
    }
    taken
}

/// Takes the authorizer away: sessions come from the table, as behind a gateway that ignores authorizers.
pub fn take_authorizer(template: &mut Value) {
    let resources = template["Resources"].as_object_mut().unwrap();
    for id in ["Authorizer", "AuthorizerPermission"] {
        resources.shift_remove(id).unwrap();
    }
    let route = resources["ConnectRoute"]["Properties"].as_object_mut();
    let route = route.unwrap();
    route.shift_remove("AuthorizerId").unwrap();
    route.shift_remove("AuthorizationType").unwrap();
}
