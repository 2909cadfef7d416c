//! Compares templates with the protocol crate, and checks what only an emulator's template permits.

use std::collections::BTreeMap;

use chat_protocol::review::{Fallback, Reviewer};
use chat_protocol::{Handler, table, variable};
use serde_json::{Map, json};

use super::super::{Template, for_emulator, render};
use super::{ALONE, ANNOUNCE, FULL, REQUESTS, REVIEWED, ROOM, document, settings};

#[test]
fn with_an_authorizer_no_function_has_permission_to_read_sessions_from_the_table() {
    let mixed = format!("{ROOM}[[routes]]\nkey = \"tell\"\n");
    for toml in ["", ROOM, &mixed, ALONE] {
        let mut document = document(toml);
        // Except for bans, of which a handshake is refused.
        let connect = "/Resources/ConnectRole/Properties/Policies/1/PolicyDocument/Statement";
        let statements = document.pointer_mut(connect).unwrap();
        let bans = statements.as_array_mut().unwrap().pop().unwrap();
        let leading = table::ban("*");
        let condition = json!({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [leading] } });
        assert_eq!(bans["Condition"], condition, "{toml}");
        let text = document.to_string();
        assert!(!text.contains("dynamodb:GetItem"), "{toml}");
    }
}

#[test]
fn the_templates_name_handlers_and_variables_as_the_protocol_does() {
    let mut handlers = Vec::new();
    let documents = [FULL, REQUESTS, ANNOUNCE, REVIEWED].map(document);
    let resources = documents
        .iter()
        .map(|it| it["Resources"].as_object().unwrap());
    for (id, resource) in resources.flatten() {
        let properties = &resource["Properties"];
        let Some(name) = properties["Handler"].as_str() else {
            continue;
        };
        if name != "bootstrap" {
            let handler = Handler::from_name(name).expect(name);
            assert_eq!(*id, format!("{}Function", handler.family()));
            handlers.push(handler);
        }
        let variables = properties["Environment"]["Variables"].as_object();
        for variable in variables.into_iter().flat_map(Map::keys) {
            assert!(
                variable::ALL.contains(&variable.as_str()),
                "{id}: {variable}"
            );
        }
    }
    handlers.sort();
    handlers.dedup();
    assert_eq!(handlers, Handler::ALL);
}

#[test]
fn an_emulator_s_template_differs_in_three_addresses_a_default_and_reads_of_sessions() {
    let template = render(&settings(""));
    let endpoint = "wss://emulator:1/{api}/{stage}".parse().unwrap();
    let mut after = for_emulator(&template, &endpoint).document().clone();
    let authorizer = after["Resources"]["Authorizer"]["Properties"].as_object_mut();
    assert_eq!(
        authorizer.unwrap().remove("IdentitySource"),
        Some(json!([]))
    );
    for role in ["DisconnectRole", "DirectRole"] {
        let table =
            format!("/Resources/{role}/Properties/Policies/1/PolicyDocument/Statement/0/Action");
        let actions = after.pointer_mut(&table).unwrap().as_array_mut().unwrap();
        assert_eq!(actions.pop(), Some(json!("dynamodb:GetItem")));
    }
    let before = template.to_json();
    let after = Template::new(after).to_json();
    let changed: Vec<_> = before
        .lines()
        .zip(after.lines())
        .filter(|(before, after)| before != after)
        .map(|(_, after)| after.trim())
        .collect();
    assert_eq!(before.lines().count(), after.lines().count());
    assert_eq!(
        changed,
        [
            r#""Fn::Sub": "https://emulator:1/${Api}/${StageName}""#,
            r#""Fn::Sub": "wss://emulator:1/${Api}/${StageName}""#,
            r#""Fn::Sub": "https://emulator:1/${Api}/${StageName}""#,
        ]
    );
}

#[test]
fn a_function_whose_routes_are_reviewed_gets_their_functions_by_name_and_no_other_does() {
    let rendered = document(REVIEWED);
    let variables = |family: &str| {
        let place = format!("/Resources/{family}Function/Properties/Environment/Variables");
        rendered.pointer(&place).unwrap().as_object().unwrap()
    };
    let reviews = |family: &str| {
        let text = variables(family)[variable::REVIEWS]["Fn::Sub"]
            .as_str()
            .unwrap();
        serde_json::from_str::<BTreeMap<String, Reviewer>>(text).unwrap()
    };
    let reviewer = |function: &str, fallback, timeout_ms| Reviewer {
        function: format!("${{{function}}}"),
        fallback,
        timeout_ms,
    };
    let filter = reviewer("ReviewFilterFunction", Fallback::Refuse, 2_000);
    assert_eq!(
        reviews("Direct"),
        BTreeMap::from([("$default".to_owned(), filter)])
    );
    let say = reviewer("ReviewFilterFunction", Fallback::Allow, 500);
    let shout = reviewer("ReviewLoudfilter1679807fFunction", Fallback::Refuse, 10_000);
    let both = [("say".to_owned(), say), ("shout".to_owned(), shout)];
    assert_eq!(reviews("Broadcast"), BTreeMap::from(both));
    for family in ["Connect", "Disconnect", "Deliver", "ReviewFilter"] {
        assert!(
            !variables(family).contains_key(variable::REVIEWS),
            "{family}"
        );
    }
    let timeout =
        |family: &str| &rendered["Resources"][format!("{family}Function")]["Properties"]["Timeout"];
    assert_eq!(*timeout("ReviewFilter"), 3);
    assert_eq!(*timeout("ReviewLoudfilter1679807f"), 11);
    assert!(rendered["Resources"]["ReviewFilterIntegration"].is_null());
}
