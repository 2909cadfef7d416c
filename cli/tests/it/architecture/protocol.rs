//! What the crates agree on has one place, and the local stack does not share it.

use std::path::Path;

use super::sources;

/// The workspace's packages that `package` depends on, those of its tests included.
fn ours_of(package: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let manifest = std::fs::read_to_string(root.join(package).join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("dependencies]").skip(1).collect::<String>();
    let names = dependencies
        .lines()
        .filter_map(|line| line.split(['.', ' ']).next());
    let ours = names.filter(|name| {
        ["chat", "apigw", "template", "testing"]
            .iter()
            .any(|ours| name.starts_with(ours))
    });
    ours.map(str::to_owned).collect()
}

#[test]
fn the_local_stack_shares_no_type_and_the_others_share_the_protocol() {
    assert_eq!(ours_of("local"), ["apigw-mapping", "testing"]);
    assert_eq!(ours_of("mapping"), ["testing"]);
    assert_eq!(ours_of("protocol"), [""; 0]);
    assert_eq!(
        ours_of("lambdas"),
        ["chat-identity", "chat-protocol", "testing"]
    );
    assert_eq!(ours_of("sdk"), ["chat-lambdas", "chat-protocol"]);
    assert_eq!(ours_of("identity"), ["testing"]);
    assert_eq!(
        ours_of("deploy"),
        [
            "chat-identity",
            "chat-protocol",
            "chat-sources",
            "chatctl-local",
            "template-yaml",
            "testing"
        ]
    );
    assert_eq!(ours_of("yaml"), ["testing"]);
    assert_eq!(
        ours_of("cli"),
        [
            "chat-lambdas",
            "chat-protocol",
            "chat-sources",
            "chatctl-deploy",
            "chat-identity",
            "chatctl-local",
            "testing"
        ]
    );
    assert_eq!(ours_of("sources"), [""; 0]);
    assert_eq!(ours_of("bench"), ["chat-protocol", "testing"]);
    assert_eq!(ours_of("testing"), ["chat-protocol"]);
}

/// The product is built without the tests' crate, and only its module for scripts shares types with the product.
#[test]
fn the_test_tools_are_for_tests_and_the_local_stack_s_tests_get_no_type_of_the_product() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
    for package in ["cli", "deploy", "lambdas", "local", "protocol", "sdk"] {
        let manifest = read(&format!("{package}/Cargo.toml"));
        let product = manifest.split("[dev-dependencies]").next().unwrap();
        assert!(!product.contains("\ntesting"), "{package}");
    }
    // Without a feature it has no dependency on a crate of the product.
    assert!(
        read("Cargo.toml").contains("testing = { path = \"testing\", default-features = false }")
    );
    assert!(read("local/Cargo.toml").contains("\ntesting.workspace = true\n"));
    let manifest = read("testing/Cargo.toml");
    assert!(manifest.contains("\nchat-protocol = { workspace = true, optional = true }\n"));
    for file in sources(&root.join("testing/src")) {
        let is_for_scripts = file
            .components()
            .any(|part| part.as_os_str() == "conversations");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            is_for_scripts || !text.contains("chat_protocol"),
            "{}",
            file.display()
        );
    }
    // The workspace builds it with all features, so the compiler does not keep this.
    for file in sources(&root.join("local")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for module in [
            "command",
            "conversations",
            "emulator",
            "issuer",
            "project",
            "pty",
            "rights",
        ] {
            assert!(
                !text.contains(&format!("testing::{module}")),
                "{}",
                file.display()
            );
        }
    }
}

#[test]
fn the_protocol_needs_serde_and_nothing_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let manifest = std::fs::read_to_string(root.join("protocol/Cargo.toml")).unwrap();
    let dependencies = manifest
        .split("[dependencies]\n")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    assert_eq!(dependencies, "serde.workspace = true");
}
