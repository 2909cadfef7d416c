mod announce;
mod auth;
mod choices;
mod company;
mod deployed;
mod limit_tests;
mod protocol;
mod samples;

pub(in crate::stack) use self::samples::{
    ALONE, ANNOUNCE, BACKEND, FULL, REQUESTS, REVIEWED, ROOM,
};
use super::fragment::CHAT;
use super::*;
use crate::config::{ConfigError, Overrides};
use crate::stack::permissions::gained;
use expect_test::expect_file;

fn loaded(toml: &str) -> Result<Settings, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chatctl.toml"), toml).unwrap();
    Settings::load(folder.path(), Overrides::default())
}

pub(in crate::stack) fn settings(toml: &str) -> Settings {
    loaded(toml).unwrap()
}

/// A stack whose tokens one key signs.
pub(super) fn with_key(toml: &str) -> (Settings, chat_identity::KeySet) {
    let folder = tempfile::tempdir().unwrap();
    let key = chat_identity::PrivateKey::generate()
        .unwrap()
        .public()
        .clone();
    let keys = chat_identity::KeySet::new([key]).unwrap();
    let text = format!("{toml}[auth]\nmode = \"token\"\n");
    std::fs::write(folder.path().join("chatctl.toml"), text).unwrap();
    std::fs::write(
        folder.path().join(chat_protocol::auth::KEYS_FILE),
        crate::config::keys::to_text(&keys),
    )
    .unwrap();
    let settings = Settings::load(folder.path(), Overrides::default()).unwrap();
    (settings, keys)
}

fn document(toml: &str) -> Value {
    serde_json::from_str(&render(&settings(toml)).to_json()).unwrap()
}

#[test]
fn every_rendering_is_recognised_as_ours() {
    let backend = "[[routes]]\nkey = \"$default\"\nhttp = \"https://backend.example/send\"\n";
    for config in ["", backend] {
        assert!(render(&settings(config)).is_ours(), "{config}");
    }
}

#[test]
fn the_default_rendering_is_the_template_itself() {
    let source: Value = serde_saphyr::from_str(CHAT).unwrap();
    assert_eq!(document(""), source);
}

#[test]
fn every_route_to_a_backend_sends_its_own_secret_by_reference() {
    let route = |key: &str, secret: &str| {
        format!("[[routes]]\nkey = \"{key}\"\nhttp = \"https://backend.example/\"\n{secret}\n")
    };
    let secret = "secret-header = { name = \"x-chat\", secretsmanager = \"chat\", json-key = \"a\", variable = \"A\" }";
    let rendered = document(
        &[
            route("$connect", secret),
            route("$disconnect", secret),
            route(
                "$default",
                "secret-header = { name = \"x-chat\", ssm = \"/chat\" }",
            ),
            route("open", ""),
        ]
        .concat(),
    );
    let value = |id: &str| {
        let parameters = &rendered["Resources"][id]["Properties"]["RequestParameters"];
        parameters["integration.request.header.x-chat"].clone()
    };
    let reference = json!("'{{resolve:secretsmanager:chat:SecretString:a}}'");
    assert_eq!(value("ConnectHttpIntegration"), reference);
    assert_eq!(value("DisconnectHttpIntegration"), reference);
    assert_eq!(
        value("DefaultHttpIntegration"),
        json!("'{{resolve:ssm:/chat}}'")
    );
    assert_eq!(value("HttpOpenIntegration"), Value::Null);
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
        .filter(|(id, _)| id.starts_with("Route") || *id == "DirectPermission")
        .collect();
    expect_file!["../snapshots/custom_route.json"].assert_eq(&format!("{:#}\n", json!(routes)));
}

#[test]
fn every_function_has_one_permission_for_all_routes_that_target_it() {
    for toml in ["", FULL, ROOM, ALONE, REQUESTS, ANNOUNCE, REVIEWED] {
        let rendered = document(toml);
        let resources = rendered["Resources"].as_object().unwrap();
        let of = |kind: &'static str| {
            resources
                .values()
                .filter(move |resource| resource["Type"] == kind)
        };
        let permitted = |function: &str, route: &str| {
            let mut permissions = of("AWS::Lambda::Permission")
                .map(|permission| &permission["Properties"])
                .filter(|permission| permission["FunctionName"]["Ref"] == function);
            let source = permissions.next().unwrap()["SourceArn"]["Fn::Sub"].clone();
            assert_eq!(permissions.next(), None);
            let source = source.as_str().unwrap();
            source.ends_with(&format!("/{route}")) || source.ends_with("${Api}/${StageName}/*")
        };
        for route in of("AWS::ApiGatewayV2::Route") {
            let key = route["Properties"]["RouteKey"].as_str().unwrap();
            let target = route["Properties"]["Target"]["Fn::Sub"].as_str().unwrap();
            let integration = target.replace("integrations/${", "").replace('}', "");
            if resources[&integration]["Properties"]["IntegrationType"] == "HTTP" {
                continue;
            }
            let function = integration.replace("Integration", "Function");
            assert!(
                permitted(&function, key),
                "{function} may not be invoked for {key}"
            );
        }
        assert!(permitted("AuthorizeFunction", "authorizers/${Authorizer}"));
    }
}

/// The permissions of all roles, except those for logs and assuming, and the variables of all functions.
fn functions(toml: &str) -> String {
    let rendered = render(&settings(toml));
    let permissions = gained(None, &rendered)
        .into_iter()
        .map(|permission| permission.to_string());
    let boring = ["may logs:", "may be assumed"];
    let permissions =
        permissions.filter(|permission| !boring.iter().any(|word| permission.contains(word)));
    let short = |text: String| text.replace("execute-api:${Api}/${StageName}", "API");
    let reported = rendered.resources().filter_map(|(id, resource)| {
        let variables = resource["Properties"]["Environment"]["Variables"].as_object()?;
        let said = variables
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)));
        Some(format!("{id} {}", said.collect::<Vec<_>>().join(" ")))
    });
    reported
        .chain(permissions.map(short))
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

#[test]
fn functions_have_the_variables_and_permissions_that_their_routes_need() {
    expect_file!["../snapshots/full.txt"].assert_eq(&functions(FULL));
    expect_file!["../snapshots/room.txt"].assert_eq(&functions(ROOM));
    expect_file!["../snapshots/requests.txt"].assert_eq(&functions(REQUESTS));
    expect_file!["../snapshots/reviewed.txt"].assert_eq(&functions(REVIEWED));
}

#[test]
fn a_chat_of_handlers_only_has_a_table_of_connections() {
    let rendered = document(ALONE);
    assert!(rendered["Resources"]["DirectFunction"].is_null());
    assert!(rendered["Parameters"]["CodeKey"].is_object());
    expect_file!["../snapshots/handler.json"].assert_eq(&format!(
        "{:#}\n",
        belonging(
            &rendered,
            &["DefaultHandler", "DefaultReply", "DefaultRoute"]
        )
    ));
}

#[test]
fn a_chat_at_a_backend_has_no_function_no_table_and_no_code() {
    let rendered = document(BACKEND);
    let text = rendered["Resources"].to_string();
    for kind in [
        "AWS::Lambda",
        "AWS::DynamoDB",
        "AWS::IAM",
        "AWS::Logs",
        "Authorizer",
    ] {
        assert!(!text.contains(kind), "{kind} in {text}");
    }
    let names = |section: &str| {
        rendered[section]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names("Parameters"), ["StageName"]);
    assert_eq!(
        names("Outputs"),
        ["Url", "ConnectionsUrl", "ApiId", "StageName"]
    );
    expect_file!["../snapshots/backend.json"].assert_eq(&format!("{:#}\n", rendered["Resources"]));
}

/// The resources whose ids start with one of `prefixes`.
pub(super) fn belonging(rendered: &Value, prefixes: &[&str]) -> Value {
    let resources = rendered["Resources"].as_object().unwrap().iter();
    let mine = resources.filter(|(id, _)| prefixes.iter().any(|prefix| id.starts_with(prefix)));
    mine.map(|(id, resource)| (id.clone(), resource.clone()))
        .collect::<Section>()
        .into()
}

#[test]
fn every_parameter_and_every_reference_has_its_definition() {
    for toml in ["", FULL, ROOM, BACKEND, ALONE, REQUESTS, ANNOUNCE, REVIEWED] {
        let rendered = document(toml);
        let text = rendered.to_string();
        let named = |id: &str| {
            !rendered["Resources"][id].is_null() || !rendered["Parameters"][id].is_null()
        };
        for (before, after) in [(r#"{"Ref":""#, '"'), (r#"{"Fn::GetAtt":[""#, '"')] {
            for reference in text.split(before).skip(1) {
                let id = reference.split(after).next().unwrap();
                assert!(named(id) || id.starts_with("AWS::"), "{id} is not there");
            }
        }
        for parameter in rendered["Parameters"].as_object().unwrap().keys() {
            let used =
                text.contains(&format!(r#"{{"Ref":"{parameter}"}}"#)) || parameter == "StageName";
            assert!(used, "{parameter} is not used");
        }
    }
}

#[test]
fn no_policy_grants_a_wildcard_action_or_every_resource() {
    let text = [document(""), document(FULL), document(ROOM)]
        .map(|it| it.to_string())
        .concat();
    assert!(!text.contains("dynamodb:*") && !text.contains("dynamodb:Scan"));
    assert!(!text.contains(r#""Resource":"*""#) && !text.contains(r#""Action":"*""#));
}

#[test]
fn the_stage_deploys_itself_limits_every_route_and_logs_nothing() {
    let stage = |toml: &str| document(toml)["Resources"]["Stage"]["Properties"].clone();
    let properties = stage("");
    assert_eq!(properties["AutoDeploy"], true);
    assert_eq!(
        properties.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["ApiId", "StageName", "AutoDeploy", "DefaultRouteSettings"]
    );
    let limits =
        |rate, burst| json!({ "ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst });
    assert_eq!(properties["DefaultRouteSettings"], limits(500, 1_000));
    assert_eq!(
        stage("[stage]\nthrottle = { rate = 7, burst = 9 }\n")["DefaultRouteSettings"],
        limits(7, 9)
    );
    let lifted = stage("[stage]\nname = \"beta\"\nthrottle = false\n");
    assert!(lifted.get("DefaultRouteSettings").is_none());
}

#[test]
fn new_code_is_distinguished_from_other_changes() {
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
    // One handler's code counts as code, like that of all of ours.
    let mut with_handler = values("a", "arm64");
    with_handler.insert("CodeKeyRoll".into(), "x".into());
    let mut with_new_handler = with_handler.clone();
    with_new_handler.insert("CodeKeyRoll".into(), "y".into());
    assert!(is_code_only(
        (&template, &with_handler),
        (&template, &with_new_handler)
    ));
    let other = render(&settings("[logs]\nretention-days = 1\n"));
    assert!(!is_code(&other, &values("b", "arm64")));
}

/// The number of resources that CloudFormation must create one after another up to this one, itself included.
pub(super) fn depth(id: &str, resources: &serde_json::Map<String, Value>) -> usize {
    let text = resources[id].to_string();
    let waits = resources[id]["DependsOn"].as_array();
    let waits: Vec<_> = waits
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let needs = |other: &&String| {
        waits.contains(&other.as_str())
            || other.as_str() != id
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
fn cloudformation_creates_at_most_six_resources_one_after_another() {
    for (toml, most) in [
        ("", 6),
        (ROOM, 6),
        (FULL, 7),
        (ALONE, 7),
        (BACKEND, 5),
        (REQUESTS, 6),
        (REVIEWED, 6),
        (ANNOUNCE, 7),
    ] {
        let rendered = document(toml);
        let resources = rendered["Resources"].as_object().unwrap();
        let deepest = resources.keys().map(|id| depth(id, resources)).max();
        assert_eq!(deepest, Some(most), "{toml}");
    }
}
