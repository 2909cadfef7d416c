//! The variables and permissions that functions get because of `[auth]`.

use chat_protocol::{Handler, Index, variable};
use serde_json::{Value, json};

use super::family::{set_index, set_variable};
use super::fragment::{self, Section};
use super::functions::{connections, grant};
use super::parameter::AUTHORIZER_CODE_KEY;
use super::settings;
use crate::config::auth::Auth;
use crate::config::route::CustomHandler;

/// Tells the authorizer what `auth` says. Where names are proven, all functions that serve clients take none but proven names, and those
/// that receive messages may close a connection whose token has expired.
pub(super) fn set(resources: &mut Section, auth: &Auth) {
    let authorizer = Handler::Authorize.family();
    for (variable, value) in auth.variables() {
        // CloudFormation has the stack's true name, also where it is deployed under another one than the config's.
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
    if !mode.proves_names() {
        return;
    }
    set_variable(
        resources,
        Handler::Connect.family(),
        variable::AUTH_MODE,
        mode.word(),
    );
    for handler in Handler::TAKE_FRAMES {
        let family = handler.family();
        if let Some(role) = resources.get_mut(&format!("{family}Role")) {
            let_close(role);
            set_variable(resources, family, variable::AUTH_MODE, mode.word());
        }
    }
}

/// Makes the user's `handler` the authorizer of a stack whose connections are found by `index`; returns the parameter of its
/// code. Its function, role and log keep their logical ids, so that a change between it and ours replaces nothing.
pub(super) fn take(resources: &mut Section, handler: &CustomHandler, index: Index) -> Value {
    let family = Handler::Authorize.family();
    let (mut own, parameter) = fragment::handler();
    let variables = own["HandlerFunction"]["Properties"]["Environment"]["Variables"].take();
    let function = &mut resources[&format!("{family}Function")]["Properties"];
    function["Handler"] = json!("bootstrap");
    function["Code"]["S3Key"] = json!({ "Ref": AUTHORIZER_CODE_KEY });
    for (variable, value) in variables.as_object().into_iter().flatten() {
        function["Environment"]["Variables"][variable] = value.clone();
    }
    set_index(resources, family, index);
    grant(&mut resources[&format!("{family}Role")], &handler.grants);
    settings::set(resources, family, &handler.settings);
    parameter
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
