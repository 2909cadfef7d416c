//! What `[auth]` makes of a template.

use chat_protocol::variable;

use super::*;

const JWT: &str = "[auth]\nmode = \"jwt\"\nissuer = \"https://issuer.example/\"\naudience = [\"chat\"]\nname-claim = \"email\"\n\
                   origins = [\"https://chat.example\"]\n";

fn variables(template: &Template, family: &str) -> Value {
    let id = format!("{family}Function");
    let found = template.resources().find(|(found, _)| *found == id);
    let (_, function) = found.expect("the function is in the stack");
    function["Properties"]["Environment"]["Variables"].clone()
}

#[test]
fn the_authorizer_gets_the_rules_of_tokens_and_the_others_the_mode() {
    let (with_token, keys) = with_key(FULL);
    let rendered = render(&with_token);
    let reported = variables(&rendered, "Authorize");
    assert_eq!(reported[variable::AUTH_MODE], "token");
    assert_eq!(reported[variable::AUTH_KEYS], keys.to_json().to_string());
    // The name that CloudFormation has for the stack, whatever the config says.
    let audience = json!({"Fn::Sub": r#"["${AWS::StackName}"]"#});
    assert_eq!(reported[variable::AUTH_AUDIENCE], audience);
    let own = ["Connect", "Direct", "Broadcast", "HandlerRoll"];
    for family in own {
        assert_eq!(
            variables(&rendered, family)[variable::AUTH_MODE],
            "token",
            "{family}"
        );
    }
    let reported = variables(&render(&settings(JWT)), "Authorize");
    assert_eq!(
        reported,
        json!({(variable::AUTH_MODE): "jwt", (variable::AUTH_ISSUER): "https://issuer.example/", (variable::AUTH_AUDIENCE): r#"["chat"]"#,
            (variable::AUTH_NAME_CLAIM): "email", (variable::AUTH_ORIGINS): r#"["https://chat.example"]"#})
    );
    // Nothing of a private key can be in a template: none is read.
    assert!(!rendered.to_json().contains(r#"\"d\":"#));
}

#[test]
fn where_names_are_claims_origins_are_all_that_is_reported() {
    let rendered = render(&settings("[auth]\norigins = [\"https://chat.example\"]\n"));
    let reported = json!({(variable::AUTH_ORIGINS): r#"["https://chat.example"]"#});
    assert_eq!(variables(&rendered, "Authorize"), reported);
    let plain = json!({(variable::TABLE_NAME): {"Ref": "Connections"}});
    assert_eq!(variables(&rendered, "Connect"), plain);
}

#[test]
fn with_tokens_receivers_of_messages_may_close_connections_and_no_role_gains_more() {
    let claimed = render(&settings(FULL));
    let proven = render(&with_key(FULL).0);
    let mut reported: Vec<_> = gained(Some(&claimed), &proven)
        .iter()
        .map(ToString::to_string)
        .collect();
    reported.sort();
    let may = "may execute-api:ManageConnections on execute-api:${Api}/${StageName}";
    let posts_and_ends = |role: &str| {
        ["DELETE", "POST"].map(|method| format!("{role} {may}/{method}/@connections/*"))
    };
    let mut expected = vec![
        format!("BroadcastRole {may}/DELETE/@connections/*"),
        format!("DirectRole {may}/DELETE/@connections/*"),
    ];
    // The other handler of the user's may do both by its own permissions already.
    expected.extend(posts_and_ends("HandlerCountRole"));
    assert_eq!(reported, expected);
    // An issuer is asked over the internet, which needs no permission.
    let of_issuer = render(&settings(&format!("{FULL}{JWT}")));
    assert_eq!(gained(Some(&proven), &of_issuer), []);
}

const OWN: &str = "[auth]\nhandler = \"door\"\norigins = [\"https://chat.example\"]\n\
                   [[auth.permissions]]\nactions = [\"dynamodb:GetItem\"]\nresources = [\"table\"]\n";

#[test]
fn a_user_s_authorizer_takes_the_place_of_ours_with_its_own_code_and_permissions() {
    let (ours, own) = (
        render(&settings(FULL)),
        render(&settings(&format!("{FULL}{OWN}"))),
    );
    let function = |template: &Template| {
        let mut found = template
            .resources()
            .filter(|(id, _)| *id == "AuthorizeFunction");
        found.next().unwrap().1["Properties"].clone()
    };
    let authorizer = function(&own);
    assert_eq!(authorizer["Handler"], "bootstrap");
    assert_eq!(
        authorizer["Code"]["S3Key"],
        json!({"Ref": "AuthorizeCodeKey"})
    );
    let reported = variables(&own, "Authorize");
    assert_eq!(reported[variable::AUTH_MODE], "handler");
    assert_eq!(
        reported[variable::AUTH_ORIGINS],
        r#"["https://chat.example"]"#
    );
    assert_eq!(
        reported[variable::TABLE_NAME],
        json!({"Ref": "Connections"})
    );
    // All that is proven by tokens is proven by it as well.
    for family in ["Connect", "Direct", "Broadcast", "HandlerRoll"] {
        assert_eq!(
            variables(&own, family)[variable::AUTH_MODE],
            "handler",
            "{family}"
        );
    }
    let reported: Vec<_> = gained(Some(&ours), &own)
        .iter()
        .map(ToString::to_string)
        .filter(|permission| permission.starts_with("Authorize"))
        .collect();
    assert_eq!(
        reported,
        ["AuthorizeRole may dynamodb:GetItem on Connections.Arn"]
    );
    // Nothing is replaced: the authorizer, its function, its role and its log are the same resources.
    let ids = |template: &Template| {
        let mut ids: Vec<_> = template.resources().map(|(id, _)| id.to_owned()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&ours), ids(&own));
}
