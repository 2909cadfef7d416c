//! Settings → [`Template`]. The stack itself is `templates/chat.yaml`; what settings say is set into the parsed
//! document, value by value, never pasted into its text.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Template;
use crate::config::Settings;
use crate::config::names::{EndpointTemplate, RouteKey};

const CHAT: &str = include_str!("../../../templates/chat.yaml");

/// The names of the template's parameters: what only the deployment knows.
pub(crate) mod parameter {
    pub(crate) const CODE_BUCKET: &str = "CodeBucket";
    pub(crate) const CODE_KEY: &str = "CodeKey";
    pub(crate) const ARCHITECTURE: &str = "Architecture";
}

/// The names of the template's outputs.
pub(crate) mod output {
    pub(crate) const URL: &str = "Url";
}

/// Renders the stack that `settings` describe.
pub(crate) fn render(settings: &Settings) -> Template {
    let mut document: Value =
        serde_saphyr::from_str(CHAT).expect("templates/chat.yaml is YAML, a test reads it");
    document["Parameters"]["StageName"]["Default"] = json!(settings.stage);
    let resources = document["Resources"]
        .as_object_mut()
        .expect("templates/chat.yaml has resources");
    for resource in resources
        .values_mut()
        .filter(|resource| resource["Type"] == "AWS::Logs::LogGroup")
    {
        resource["Properties"]["RetentionInDays"] = json!(settings.log_retention_days);
    }
    set_message_routes(resources, &settings.routes);
    Template::new(document)
}

/// The template for an emulator of AWS, whose WebSocket APIs answer at `endpoint`: two outputs and the address that
/// handlers post to lead there. The template of a deployment to AWS itself never passes through here.
///
/// Authorizers say explicitly that they need no particular header: AWS takes that from the absence of
/// `IdentitySource`, MiniStack 1.5 takes the absence for `Authorization`.
pub(crate) fn for_emulator(template: &Template, endpoint: &EndpointTemplate) -> Template {
    let sockets = endpoint
        .as_ref()
        .replace("{api}", "${Api}")
        .replace("{stage}", "${StageName}");
    // ws:// becomes http://, wss:// becomes https://.
    let posts = format!("http{}", sockets.trim_start_matches("ws"));
    let mut document = template.document().clone();
    document["Outputs"]["Url"]["Value"] = json!({ "Fn::Sub": sockets });
    document["Outputs"]["ConnectionsUrl"]["Value"] = json!({ "Fn::Sub": posts });
    for (_, resource) in document["Resources"].as_object_mut().into_iter().flatten() {
        if resource["Type"] == "AWS::ApiGatewayV2::Authorizer"
            && resource["Properties"]["IdentitySource"].is_null()
        {
            resource["Properties"]["IdentitySource"] = json!([]);
        }
        let variables = resource.pointer_mut("/Properties/Environment/Variables");
        if let Some(address) = variables.and_then(|them| them.get_mut("CONNECTIONS_ENDPOINT")) {
            *address = json!({ "Fn::Sub": posts });
        }
    }
    Template::new(document)
}

/// Whether two deployments, each a template and its parameters, differ in nothing but the handlers' key.
pub(crate) fn is_code_only(
    (deployed, old): (&Template, &BTreeMap<String, String>),
    (template, new): (&Template, &BTreeMap<String, String>),
) -> bool {
    deployed == template
        && new
            .iter()
            .all(|(name, value)| name == parameter::CODE_KEY || old.get(name) == Some(value))
}

/// Puts one route and one permission per key in the place of the template's `$default` pair.
fn set_message_routes(resources: &mut Map<String, Value>, keys: &[RouteKey]) {
    let mut taken = |id: &str| {
        resources
            .shift_remove(id)
            .expect("templates/chat.yaml has a $default route")
    };
    let (route, permission) = (taken("DefaultRoute"), taken("DefaultPermission"));
    for key in keys {
        let [route_id, permission_id] = logical_ids(key.as_ref());
        let mut route = route.clone();
        route["Properties"]["RouteKey"] = json!(key);
        let mut permission = permission.clone();
        let source = permission["Properties"]["SourceArn"]["Fn::Sub"]
            .as_str()
            .expect("it is a Fn::Sub");
        permission["Properties"]["SourceArn"]["Fn::Sub"] =
            json!(source.replace("$default", key.as_ref()));
        resources.insert(route_id, route);
        resources.insert(permission_id, permission);
    }
}

/// The logical ids of a key's route and permission, different for different keys.
fn logical_ids(key: &str) -> [String; 2] {
    if key == "$default" {
        return ["DefaultRoute", "DefaultPermission"].map(str::to_owned);
    }
    let words = key.split(['-', '_']).filter(|word| !word.is_empty());
    let mut name: String = words
        .flat_map(|word| {
            let (first, rest) = word.split_at(1);
            [first.to_ascii_uppercase(), rest.to_owned()]
        })
        .collect();
    let is_plain = key.starts_with(|c: char| c.is_ascii_lowercase()) && !key.contains(['-', '_']);
    if !is_plain {
        // `send-all`, `send_all` and `SendAll` would all be `SendAll`.
        name.extend(
            Sha256::digest(key)
                .iter()
                .take(4)
                .map(|byte| format!("{byte:02x}")),
        );
    }
    [format!("Route{name}"), format!("Permission{name}")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;
    use expect_test::expect_file;
    use proptest::prelude::*;

    fn settings(toml: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), toml).unwrap();
        Settings::load(folder.path(), Overrides::default()).unwrap()
    }

    fn document(toml: &str) -> Value {
        serde_json::from_str(&render(&settings(toml)).to_json()).unwrap()
    }

    #[test]
    fn the_default_rendering_is_the_template_itself() {
        let source: Value = serde_saphyr::from_str(CHAT).unwrap();
        assert_eq!(document(""), source);
    }

    #[test]
    fn yaml_and_json_are_the_same_document() {
        let template = render(&settings("stage = \"beta\"\n"));
        let yaml: Value = serde_saphyr::from_str(&template.to_yaml()).unwrap();
        let json: Value = serde_json::from_str(&template.to_json()).unwrap();
        assert_eq!(yaml, json);
    }

    #[test]
    fn custom_routes_are_rendered_with_their_own_permissions() {
        let rendered = document("[[routes]]\nkey = \"send-all\"\n");
        let routes: Vec<_> = rendered["Resources"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(id, _)| id.starts_with("Route") || id.starts_with("Permission"))
            .collect();
        expect_file!["snapshots/custom_route.json"].assert_eq(&format!("{:#}\n", json!(routes)));
    }

    #[test]
    fn every_function_has_a_permission_for_every_route_that_targets_it() {
        let rendered = document(
            "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"a\"\n[[routes]]\nkey = \"b\"\n",
        );
        let resources = rendered["Resources"].as_object().unwrap();
        let of = |kind: &'static str| {
            resources
                .values()
                .filter(move |resource| resource["Type"] == kind)
        };
        let permitted = |function: &str, route: &str| {
            of("AWS::Lambda::Permission").any(|permission| {
                permission["Properties"]["FunctionName"]["Ref"] == function
                    && permission["Properties"]["SourceArn"]["Fn::Sub"]
                        .as_str()
                        .unwrap()
                        .ends_with(&format!("/{route}"))
            })
        };
        for route in of("AWS::ApiGatewayV2::Route") {
            let key = route["Properties"]["RouteKey"].as_str().unwrap();
            let target = route["Properties"]["Target"]["Fn::Sub"].as_str().unwrap();
            let function = target
                .replace("integrations/${", "")
                .replace("Integration}", "Function");
            assert!(
                permitted(&function, key),
                "{function} may not be invoked for {key}"
            );
        }
        assert!(permitted("AuthorizeFunction", "authorizers/${Authorizer}"));
    }

    #[test]
    fn no_policy_grants_a_wildcard_action_or_every_resource() {
        let text = serde_json::to_string(&document("")).unwrap();
        assert!(!text.contains("dynamodb:*") && !text.contains("dynamodb:Scan"));
        assert!(!text.contains(r#""Resource":"*""#) && !text.contains(r#""Action":"*""#));
    }

    #[test]
    fn the_stage_deploys_itself_and_nothing_is_logged_or_throttled_by_it() {
        let stage = &document("")["Resources"]["Stage"]["Properties"];
        assert_eq!(stage["AutoDeploy"], true);
        assert_eq!(
            stage.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["ApiId", "StageName", "AutoDeploy"]
        );
    }

    #[test]
    fn new_handlers_are_told_from_anything_else_that_is_new() {
        let template = render(&settings(""));
        let values = |key: &str, architecture: &str| {
            BTreeMap::from([
                (parameter::CODE_KEY.to_owned(), key.to_owned()),
                (parameter::ARCHITECTURE.to_owned(), architecture.to_owned()),
            ])
        };
        let before = values("a", "arm64");
        let is_code = |template: &Template, new: &BTreeMap<String, String>| {
            is_code_only((&render(&settings("")), &before), (template, new))
        };
        assert!(is_code(&template, &values("b", "arm64")));
        assert!(!is_code(&template, &values("b", "x86_64")));
        let other = render(&settings("[logs]\nretention-days = 1\n"));
        assert!(!is_code(&other, &values("b", "arm64")));
    }

    #[test]
    fn an_emulator_s_template_differs_in_three_addresses_and_an_explicit_default() {
        let template = render(&settings(""));
        let endpoint = "wss://emulator:1/{api}/{stage}".parse().unwrap();
        let mut after = for_emulator(&template, &endpoint).document().clone();
        let authorizer = after["Resources"]["Authorizer"]["Properties"].as_object_mut();
        assert_eq!(
            authorizer.unwrap().remove("IdentitySource"),
            Some(json!([]))
        );
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

    /// How many resources CloudFormation must make one after another before this one is there, itself included.
    fn depth(id: &str, resources: &serde_json::Map<String, Value>) -> usize {
        let text = resources[id].to_string();
        let needs = |other: &&String| {
            other.as_str() != id
                && [
                    format!(r#""Ref":"{other}""#),
                    format!(r#""Fn::GetAtt":["{other}""#),
                    format!("${{{other}}}"),
                    format!("${{{other}."),
                ]
                .iter()
                .any(|reference| text.contains(reference))
        };
        1 + resources
            .keys()
            .filter(needs)
            .map(|other| depth(other, resources))
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn cloudformation_has_no_more_than_five_resources_to_make_one_after_another() {
        let rendered = document("");
        let resources = rendered["Resources"].as_object().unwrap();
        let deepest = resources.keys().map(|id| depth(id, resources)).max();
        assert_eq!(deepest, Some(5));
    }

    proptest! {
        #[test]
        fn different_route_keys_get_different_logical_ids(a in "[A-Za-z0-9_-]{1,12}", b in "[A-Za-z0-9_-]{1,12}") {
            prop_assume!(a != b);
            prop_assert_ne!(logical_ids(&a), logical_ids(&b));
            prop_assert!(logical_ids(&a).concat().chars().all(|c| c.is_ascii_alphanumeric()));
        }
    }
}
