//! What the schema accepts is what chatctl accepts, as far as a schema can say it.

mod auth;

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use serde_json::{Value, json};

use super::schema;
use crate::config::parse::parse;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What a schema's reader and chatctl make of a config.
fn verdicts(text: &str) -> (bool, bool) {
    let value: Value = toml::from_str(text).expect("it is TOML");
    let validator = jsonschema::validator_for(&schema()).expect("it is a schema");
    let accepted = parse(Path::new("chatctl.toml"), text, Path::new("")).is_ok();
    (validator.is_valid(&value), accepted)
}

#[test]
fn the_schema_that_init_writes_is_made_from_the_types() {
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    expect_file![root().join("templates/chatctl.schema.json")].assert_eq(&text);
}

#[test]
fn every_config_of_the_project_is_valid() {
    let template = std::fs::read_to_string(root().join("templates/chatctl.toml")).unwrap();
    let in_force = template.replace("\n#: ", "\n");
    let mut configs = vec![String::new(), template, in_force];
    for example in std::fs::read_dir(root().join("examples")).unwrap() {
        let path = example.unwrap().path().join("chatctl.toml");
        configs.extend(std::fs::read_to_string(path));
    }
    assert!(configs.len() >= 9);
    for config in configs {
        assert_eq!(verdicts(&config), (true, true), "{config}");
    }
}

#[test]
fn what_chatctl_refuses_by_form_the_schema_refuses_too() {
    let keys = [
        "stak = \"chat\"",
        "stack = 1",
        "stack = \"1chat\"",
        "stage = \"v1/beta\"",
        "stage = true",
        "[stage]\nthrottle = true",
        "[stage]\nthrottle = { rate = 1 }",
        "[stage]\nthrottle = { rate = 0, burst = 1 }",
        "from = \" Tom\"",
        "to = []",
        "routes = 1",
        "[logs]\nretention-days = 13",
        "[logs]\nretention-days = \"14\"",
        "[limits]\nmessages-per-second = 0",
        "[limits]\nmessages-per-second = 501",
        "[limits]\nconnections-per-name = 1.5",
        "[limits]\nroom-size = 1",
        "[limits]\nrooms = 1",
        "[auth]\nhandler = \"\"",
        "[auth]\nhandler = \"door\"\nmode = \"token\"",
        "[auth]\nmode = \"handler\"",
        "[[auth.permissions]]\nactions = [\"dynamodb:Query\"]\nresources = [\"table\"]",
        "[local]\nport = 0",
        "[local]\nport = 65536",
        "[local]\nports = 1",
        "[aws]\narchitecture = \"mips\"",
        "[aws]\nregion = \"EU\"",
        "[aws]\npermissions-boundary = \"arn:aws:iam::123456789012:role/x\"",
        "[aws]\nrole-path = \"chat\"",
        "[aws]\nrole-arn = \"deployer\"",
        "[aws]\nbucket = \"My_Bucket\"",
        "[aws]\nkms-key = \"alias/chat\"",
        "[aws]\ntags = { team = 1 }",
        "[aws]\nnotification-arns = [\"arn:aws:sqs:eu-west-1:123456789012:x\"]",
        "[domain]",
        "[domain]\nname = \"localhost\"",
        "[domain]\nname = \"Chat.example.com\"",
        "[domain]\nname = \"chat.example.com:443\"",
        "[domain]\nname = \"10.0.0.1\"",
        "[domain]\nname = \"chat.example.com\"\npath = \"a/b\"",
        "[domain]\nname = \"chat.example.com\"\npath = \"ping\"",
        "[domain]\nname = \"chat.example.com\"\nzone = true",
        "[domain]\nname = \"chat.example.com\"\nzone = \"example.com\"",
        "[domain]\nname = \"chat.example.com\"\ncertificate = \"arn:aws:iam::123456789012:server-certificate/x\"",
        "[alarms]",
        "[alarms]\nemail = \"ops\"",
        "[alarms]\nemail = \"ops@example.com\"\ntopic = \"arn:aws:sns:eu-west-1:123456789012:ops\"",
        "[alarms]\nemail = \"ops@example.com\"\nclient-errors = 0",
        "[alarms]\nemail = \"ops@example.com\"\nclient-errors = true",
        "[logs]\naccess = \"yes\"",
        "[handlers]\nprofile = {}",
        "[template]\noverlay = \"\"",
        "[template]\noverlays = \"extra.yaml\"",
        "[[routes]]",
        "[[routes]]\nkey = \"a b\"",
        "[[routes]]\nkey = \"$connect\"",
    ];
    let routes = [
        "receivers = \"people\"",
        "receivers = \"room\"\nhttp = \"https://backend.example/\"",
        "http = \"https://backend.example/\"\nhandler = \"roll\"",
        "http = \"ftp://backend.example/\"",
        "http = \"https://backend.example/\"\nmax-text-bytes = 10",
        "http = \"https://backend.example/\"\nsecret-header = { name = \"x-secret\" }",
        "http = \"https://backend.example/\"\nsecret-header = { name = \"x\", ssm = \"a\", secretsmanager = \"b\" }",
        "http = \"https://backend.example/\"\nsecret-header = { name = \"x\", ssm = \"a\", json-key = \"b\" }",
        "http = \"https://backend.example/\"\nsecret-header = { name = \"x y\", ssm = \"a\" }",
        "secret-header = { name = \"x\", ssm = \"a\" }",
        "handler = \"\"",
        "handler = \"roll\"\ntext = \"message\"",
        "handler = \"roll\"\npermissions = [{ actions = [], resources = [\"table\"] }]",
        "handler = \"roll\"\npermissions = [{ actions = [\"dynamodb:*\"], resources = [\"table\"] }]",
        "handler = \"roll\"\npermissions = [{ actions = [\"dynamodb:Query\"], resources = [\"*\"] }]",
        "reply = true",
        "permissions = []",
        "include-sender = true",
        "receivers = \"friend\"\ninclude-sender = true",
        "max-text-bytes = 131073",
        "envelope = 1",
        "history = \"7d\"",
        "history = \"7d\"\nenvelope = false",
        "history = \"8761h\"\nenvelope = true",
        "history = \"366d\"\nenvelope = true",
        "history = \"0d\"\nenvelope = true",
        "history = 7\nenvelope = true",
        "http = \"https://backend.example/\"\nhistory = \"7d\"",
        "handler = \"roll\"\nhistory = \"7d\"",
        "answers = \"history\"\nhistory = \"7d\"",
        "answers = \"why\"",
        "answers = \"who\"\nreceivers = \"room\"",
        "answers = \"who\"\ntext = \"message\"",
        "answers = \"kick\"\nannounce = true",
        "announce = true",
        "receivers = \"room\"\nannounce = false",
        "answers = \"who\"\nannounce = \"yes\"",
        "http = \"https://backend.example/\"\nenvelope = true",
        "handler = \"roll\"\nenvelope = false",
        "text = \"ref\"\nenvelope = true",
        "text = \"a.b\"",
        "review = \"filter\"",
        "review = \"filter\"\nenvelope = false",
        "review = \"\"\nenvelope = true",
        "envelope = true\nreview-fallback = \"refuse\"",
        "envelope = true\nreview-timeout = \"2s\"",
        "envelope = true\nreview-permissions = []",
        "envelope = true\nreview = \"filter\"\nreview-fallback = \"deny\"",
        "envelope = true\nreview = \"filter\"\nreview-timeout = \"1m\"",
        "envelope = true\nreview = \"filter\"\nreview-timeout = 2",
        "handler = \"roll\"\nreview = \"filter\"",
        "http = \"https://backend.example/\"\nreview-fallback = \"allow\"",
    ];
    let routes = routes.map(|keys| format!("[[routes]]\nkey = \"$default\"\n{keys}"));
    for config in keys.map(str::to_owned).into_iter().chain(routes) {
        assert_eq!(verdicts(&config), (false, false), "{config}");
    }
}

/// The keys of `table`, which lies in `within`, with what can be said of each in a row.
fn rows(schema: &Value, table: &Value, within: &str, rows: &mut Vec<String>) {
    let resolved = |value: &Value| match value["$ref"].as_str() {
        Some(path) => schema.pointer(&path[1..]).cloned().unwrap_or_default(),
        None => value.clone(),
    };
    for (key, said) in table["properties"].as_object().into_iter().flatten() {
        let place = match within {
            "" => key.clone(),
            within => format!("{within}.{key}"),
        };
        let shape = ["allOf", "anyOf"]
            .into_iter()
            .fold(resolved(said), |shape, word| {
                let last = shape[word].as_array().and_then(|all| all.last());
                let inner = last.map(resolved).unwrap_or_default();
                if shape["properties"].is_null() && inner["properties"].is_object() {
                    inner
                } else {
                    shape
                }
            });
        let items = resolved(&shape["items"]);
        let described = said["description"].as_str().unwrap_or_default();
        let default = match &said["default"] {
            Value::Null | Value::Object(_) | Value::Array(_)
                if within.is_empty() || said["default"].is_null() =>
            {
                "–".into()
            }
            Value::Object(limits) => {
                let pairs: Vec<_> = limits
                    .iter()
                    .map(|(key, value)| format!("{key} = {value}"))
                    .collect();
                format!("`{{ {} }}`", pairs.join(", "))
            }
            value => format!("`{value}`"),
        };
        let text = described.split_whitespace().collect::<Vec<_>>().join(" ");
        rows.push(format!(
            "| `{place}` | {} | {text} | {default} |",
            form(&shape)
        ));
        if shape["properties"].is_object() {
            self::rows(schema, &shape, &place, rows);
        } else if items["properties"].is_object() {
            self::rows(schema, &items, &format!("{place}[]"), rows);
        }
    }
}

/// The form of a value, in TOML's words.
fn form(shape: &Value) -> String {
    let words = |list: &Value| {
        let list = list.as_array().into_iter().flatten();
        let words: Vec<_> = list.map(|word| format!("`{word}`")).collect();
        words.join(", ")
    };
    match shape["type"].as_str() {
        _ if shape["enum"].is_array() => words(&shape["enum"]),
        _ if shape["const"] != Value::Null => format!("`{}`", shape["const"]),
        Some("integer") => {
            let bound = |bound: &str| shape[bound].as_u64().map_or("".into(), |it| it.to_string());
            format!("{} to {}", bound("minimum"), bound("maximum"))
        }
        Some("string") => "text".into(),
        Some("boolean") => "`true`, `false`".into(),
        Some("array") => "list".into(),
        Some("object") => "table".into(),
        _ => {
            let choices = shape["anyOf"].as_array().into_iter().flatten();
            choices.map(form).collect::<Vec<_>>().join(", or ")
        }
    }
}

#[test]
fn the_page_of_the_config_lists_every_key_as_the_types_have_it() {
    let schema = schema();
    let mut rows = vec![
        "| key | value | what it says | default |".to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    self::rows(&schema, &schema, "", &mut rows);
    assert!(rows.len() > 30, "{rows:#?}");
    let config = std::fs::read_to_string(root().join("templates/chatctl.toml")).unwrap();
    let page = root().join("docs/reference/config.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let begin = "<!-- generated: UPDATE_EXPECT=1 cargo test --workspace --lib config::schema -->\n";
    let (before, _) = text
        .split_once(begin)
        .expect("the page has a generated part");
    let made = format!(
        "{before}{begin}\n## Every key\n\n{}\n\n## The file that `chatctl init` writes\n\n```toml\n{}\n```\n",
        rows.join("\n"),
        config.trim_end()
    );
    expect_file![page].assert_eq(&made);
    // A key in the schema is one that the types read.
    let unknown = parse(Path::new("x"), "x = 1", Path::new(""))
        .unwrap_err()
        .to_string();
    let keys = schema["properties"].as_object().unwrap().keys();
    for key in keys {
        assert!(unknown.contains(&format!("`{key}`")), "{key}: {unknown}");
    }
    assert_eq!(schema["additionalProperties"], json!(false));
}
