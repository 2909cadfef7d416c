use super::*;

#[test]
fn one_folder_has_one_name_however_it_is_written() {
    for written in ["filter", "./filter", "filter/", "filter/.", ".//filter"] {
        assert_eq!(plain(written), "filter");
    }
    assert_eq!((plain("."), plain("./")), (".".into(), ".".into()));
    assert_eq!(
        (plain("../filter"), plain("/a//b")),
        ("../filter".into(), "/a/b".into())
    );
}

#[test]
fn a_review_is_kept_with_its_defaults_and_routes_with_the_same_folder_share_a_function() {
    use chat_protocol::review::Fallback::{Allow, Refuse};
    let grant = |action: &str| {
        format!("review-permissions = [{{ actions = [\"{action}\"], resources = [\"table\"] }}]\n")
    };
    let route = |key: &str, more: &str| {
        format!("[[routes]]\nkey = \"{key}\"\nenvelope = true\nreview = {more}\n")
    };
    let text = [
        route("a", "\"filter\""),
        route(
            "b",
            "\"./filter\"\nreview-timeout = \"500ms\"\nreview-fallback = \"allow\"",
        ) + &grant("dynamodb:GetItem"),
        route("c", "\"other\""),
        route("d", "\"filter/\"") + &grant("dynamodb:GetItem"),
        route("e", "\"filter\"") + &grant("dynamodb:PutItem"),
    ]
    .concat();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chatctl.toml"), text).unwrap();
    let settings = crate::config::Settings::load(folder.path(), Default::default()).unwrap();
    let reviews: Vec<_> = settings.reviews().map(|(_, review)| review).collect();
    let said = reviews.iter().map(|it| (it.fallback, it.timeout_ms));
    let plain = (Refuse, 2_000);
    assert_eq!(
        said.collect::<Vec<_>>(),
        [plain, (Allow, 500), plain, plain, plain]
    );
    let functions = settings.review_functions();
    let shown = functions
        .iter()
        .map(|it| (it.name, it.grants.len(), it.timeout_ms));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [("filter", 2, 2_000), ("other", 0, 2_000)]
    );
    assert_eq!(functions[0].folder, folder.path().join("filter"));
}

#[test]
fn permissions_too_large_for_the_review_function_s_role_are_refused_at_their_place() {
    let route = |key: &str, letter: &str| {
        let arn = format!("arn:aws:s3:::{}", letter.repeat(5_100));
        format!(
            "[[routes]]\nkey = \"{key}\"\nenvelope = true\nreview = \"filter\"\n\
             review-permissions = [{{ actions = [\"s3:GetObject\"], resources = [\"{arn}\"] }}]\n"
        )
    };
    let load = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), text).unwrap();
        crate::config::Settings::load(folder.path(), Default::default())
    };
    load(&(route("a", "x") + &route("b", "x"))).unwrap();
    // Each alone would fit.
    let error = load(&(route("a", "x") + &route("b", "y")))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("chatctl.toml:10:22: the permissions of the review function take 10"),
        "{error}"
    );
}

fn load(text: &str) -> Result<crate::config::Settings, crate::config::ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chatctl.toml"), text).unwrap();
    crate::config::Settings::load(folder.path(), Default::default())
}

fn route(key: &str, more: &str) -> String {
    format!("[[routes]]\nkey = \"{key}\"\nenvelope = true\n{more}\n")
}

#[test]
fn one_function_has_the_settings_of_all_of_its_routes() {
    let text = [
        route(
            "a",
            "review = \"filter\"\nreview-memory = 256\nreview-environment = { A1 = \"1\" }",
        ),
        route(
            "b",
            "review = \"./filter\"\nreview-memory = 256\nreview-environment = { A1 = \"1\", B1 = \"2\" }",
        ),
        route(
            "c",
            "review = \"filter\"\nreview-secrets = { KEY = { ssm = \"/k\", file = \"key\" } }",
        ),
        route(
            "d",
            "review = \"filter\"\nreview-binary = \"other\"\nreview-memory = 512",
        ),
    ];
    let settings = load(&text.concat()).unwrap();
    let functions = settings.review_functions();
    let shown = functions.iter().map(|it| {
        let (variables, secrets) = (&it.settings.environment, &it.settings.secrets);
        let memory = it.settings.memory.unwrap().0;
        (it.name, it.binary, variables.len(), secrets.len(), memory)
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            ("filter", None, 2, 1, 256),
            ("filter//other", Some("other"), 0, 0, 512)
        ]
    );
    // The local stack reads the value.
    assert_eq!(settings.secret_files().count(), 3);
}

#[test]
fn settings_of_one_function_that_contradict_one_another_are_refused_at_the_second_place() {
    let first = route(
        "a",
        "review = \"filter\"\nreview-memory = 256\nreview-environment = { A1 = \"1\" }",
    );
    for (second, place) in [
        ("review-memory = 512", "11:17: `review-memory` contradicts"),
        (
            "review-environment = { A1 = \"2\" }",
            "11:22: `review-environment` contradicts",
        ),
        (
            "review-secrets = { A1 = { ssm = \"a\" } }",
            "11:18: `review-secrets` contradicts",
        ),
    ] {
        let second = route("b", &format!("review = \"filter/\"\n{second}"));
        let error = load(&format!("{first}{second}")).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("chatctl.toml:{place}")),
            "{error}"
        );
    }
}

#[test]
fn settings_of_a_review_are_checked_like_those_of_a_handler() {
    let review = "review = \"filter\"";
    for (more, expected) in [
        ("review-memory = 256", "`review-memory` belongs to `review`"),
        (
            &format!("{review}\nmemory = 256"),
            "`memory` belongs to a route with `handler`; for the function of `review`, write `review-memory`",
        ),
        (
            &format!("{review}\npermissions = []"),
            "for the function of `review`, write `review-permissions`",
        ),
        (
            &format!("{review}\nreview-memory = 64"),
            "only 128 to 10240",
        ),
        (
            &format!("{review}\nreview-binary = \"a/b\""),
            "is not the name of a binary",
        ),
        (
            &format!("{review}\nreview-environment = {{ TABLE_NAME = \"x\" }}"),
            "variables that the stack sets",
        ),
        (
            &format!(
                "{review}\nreview-environment = {{ LONG = \"{}\" }}",
                "x".repeat(4_096)
            ),
            "AWS Lambda takes 4096",
        ),
    ] {
        let error = load(&route("a", more)).unwrap_err().to_string();
        assert!(error.contains(expected), "{more}: {error}");
    }
    for kind in [
        "http = \"https://b.example/\"",
        "handler = \"a\"",
        "answers = \"who\"",
    ] {
        let text = format!("[[routes]]\nkey = \"a\"\n{kind}\nreview-memory = 256\n");
        let error = load(&text).unwrap_err().to_string();
        assert!(
            error.contains("`review-memory` belongs to a route with `receivers`"),
            "{error}"
        );
    }
}
