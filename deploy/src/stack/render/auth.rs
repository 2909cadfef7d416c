//! The variables and permissions that functions get because of `[auth]`.

use chat_protocol::{Handler, Receivers, variable};
use serde_json::{Value, json};

use super::fragment::Section;
use super::functions::{connections, set_variable};
use crate::config::auth::Auth;

/// Tells the authorizer what `auth` says. With tokens, all functions that serve clients take none but proven names, and those
/// that receive messages may close a connection whose token has expired.
pub(super) fn set(resources: &mut Section, auth: &Auth) {
    let authorizer = Handler::Authorize.family();
    for (variable, value) in auth.variables() {
        // CloudFormation knows the stack's name for certain, also where it is deployed under another one than the config's.
        match value.contains("${AWS::StackName}") {
            true => {
                let function = &mut resources[&format!("{authorizer}Function")];
                function["Properties"]["Environment"]["Variables"][variable] =
                    json!({ "Fn::Sub": value });
            }
            false => set_variable(resources, authorizer, variable, &value),
        }
    }
    let mode = auth.mode();
    if !mode.needs_token() {
        return;
    }
    set_variable(
        resources,
        Handler::Connect.family(),
        variable::AUTH_MODE,
        mode.word(),
    );
    for family in Receivers::ALL.map(|receivers| receivers.handler().family()) {
        if let Some(role) = resources.get_mut(&format!("{family}Role")) {
            let_close(role);
            set_variable(resources, family, variable::AUTH_MODE, mode.word());
        }
    }
}

/// Lets a role that may post to connections close them, too.
fn let_close(role: &mut Value) {
    let policies = role["Properties"]["Policies"].as_array_mut();
    let post = policies
        .into_iter()
        .flatten()
        .find(|policy| policy["PolicyName"] == "post")
        .expect("the templates let whatever receives messages post");
    let statement = &mut post["PolicyDocument"]["Statement"][0];
    let posts = statement["Resource"].take();
    statement["Resource"] = json!([posts, connections("DELETE")]);
}
