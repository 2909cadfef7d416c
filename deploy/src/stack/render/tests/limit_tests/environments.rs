//! The variables of every function, as Lambda measures them: one JSON object, with its quotes and escapes
//! (<https://github.com/github-aws-runners/terraform-aws-github-runner/issues/3594>).

use chat_protocol::auth::MAX_ENVIRONMENT_BYTES;

use super::*;

/// The bytes of each function's variables, with the longest names that the deployment can give.
fn environments(settings: &Settings) -> BTreeMap<String, usize> {
    let rendered = render(settings);
    let functions = rendered
        .resources()
        .filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Function");
    let measured = functions.map(|(id, function)| {
        let variables = function.pointer("/Properties/Environment/Variables");
        let variables = variables.and_then(Value::as_object).into_iter().flatten();
        let object: Section = variables
            .map(|(name, value)| (name.clone(), json!(longest_value(value, settings))))
            .collect();
        (id.to_owned(), json!(object).to_string().len())
    });
    measured.collect()
}

fn longest_value(value: &Value, settings: &Settings) -> String {
    let function = "f".repeat(64);
    if let Some(id) = value["Ref"].as_str() {
        return match id.ends_with("Function") {
            true => function,
            false => format!("{}-{id}-ABCDEFGHIJKLM", settings.stack),
        };
    }
    let place = [
        ("${StageName}", settings.stage.as_ref()),
        ("${AWS::StackName}", settings.stack.as_ref()),
        ("${AWS::URLSuffix}", "amazonaws.com.cn"),
    ];
    let text = resolved(value, settings);
    let text = place.into_iter().fold(
        text.as_str().unwrap_or_default().to_owned(),
        |text, (name, value)| text.replace(name, value),
    );
    // What is left are names of functions.
    let mut parts = text.split("${");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |before, part| {
        let (id, rest) = part.split_once('}').unwrap();
        assert!(id.ends_with("Function"), "{id}");
        before + &function + rest
    })
}

/// As many routes as the config accepts.
fn most(route: impl Fn(usize) -> String) -> String {
    let of = |count: usize| (0..count).map(&route).collect::<String>();
    let refused = (1..200).find(|count| loaded(&of(*count)).is_err());
    of(refused.expect("there is a limit") - 1)
}

#[test]
fn the_variables_of_our_own_functions_fit_whatever_the_names_and_routes() {
    let plain =
        |key: String, more: &str| format!("[[routes]]\nkey = \"{key}\"\ntext = \"t\"\n{more}");
    let kept = "envelope = true\nhistory = \"7d\"\n";
    for routes in [
        String::new(),
        FULL.to_owned(),
        ROOM.to_owned(),
        REQUESTS.to_owned(),
        REVIEWED.to_owned(),
        ANNOUNCE.to_owned(),
        many("friend"),
        many("room"),
        // Quotes weigh most beside short names.
        most(|at| plain(format!("{at}"), "")),
        most(|at| {
            plain(
                format!("{at:0>128}"),
                "receivers = \"room\"\ninclude-sender = false\n",
            )
        }),
        most(|at| plain(format!("{at}"), &format!("receivers = \"room\"\n{kept}"))),
        most(|at| {
            plain(
                format!("{at}"),
                &format!("receivers = \"room\"\n{kept}review = \"r{at}\"\n"),
            )
        }),
        most(|at| {
            plain(
                format!("{at}"),
                "envelope = true\nreview = \"one\"\nreview-fallback = \"allow\"\n",
            )
        }),
    ] {
        let limits = "[limits]\nmessages-per-second = 500\nconnections-per-name = 100\n";
        let settings = longest(&format!("{routes}{limits}"));
        for (function, bytes) in environments(&settings) {
            assert!(
                bytes <= MAX_ENVIRONMENT_BYTES,
                "{function}: {bytes} bytes\n{routes}"
            );
        }
    }
}

#[test]
fn what_is_computed_for_a_function_of_the_user_is_an_upper_bound_and_close() {
    let text = r#"say "hi" \\ ü"#;
    let of = |length: usize| {
        let routes = format!(
            "[[routes]]\nkey = \"roll\"\nhandler = \"roll\"\nreply = true\nenvironment = {{ TEXT = '{text}{}' }}\n\
             secrets = {{ KEY = {{ ssm = \"/key\" }} }}\n[limits]\nmessages-per-second = 500\n",
            "x".repeat(length)
        );
        let stack = format!("s{}", "-".repeat(127));
        format!(
            "stack = \"{stack}\"\nstage = \"{}\"\n{routes}",
            "t".repeat(128)
        )
    };
    let largest = (3_000..4_000)
        .rev()
        .find(|length| loaded(&of(*length)).is_ok())
        .unwrap();
    let settings = loaded(&of(largest)).unwrap();
    let bytes = environments(&settings)["HandlerRollFunction"];
    assert!(
        (MAX_ENVIRONMENT_BYTES - 160..=MAX_ENVIRONMENT_BYTES).contains(&bytes),
        "{bytes}"
    );
}

#[test]
fn the_largest_network_fits_into_the_role_of_every_function_of_ours() {
    let ids = |prefix: &str, count: usize| {
        let ids: Vec<_> = (0..count)
            .map(|at| format!("\"{prefix}-{at:017x}\""))
            .collect();
        ids.join(", ")
    };
    let network = format!(
        "[handlers]\nvpc = {{ subnets = [{}], security-groups = [{}] }}\n",
        ids("subnet", 16),
        ids("sg", 5)
    );
    for routes in [FULL, ROOM, REQUESTS, REVIEWED, ANNOUNCE] {
        let settings = longest(&format!("{routes}{network}"));
        for (role, size) in policies_of_roles(&settings) {
            assert!(size < MAX_POLICIES_BYTES, "{role}: {size}");
        }
    }
}
