//! Every option with every example on the emulator, as far as it has the types: all that go together at once.

use testing::choices::together;

use crate::cloud::Cloud;
use crate::routes::without_what_the_emulator_does_not_know;

/// What has to exist in an account first is left out; `it/matrix.rs` renders and lints it, and `choices.rs` and the policy's
/// tests deploy some of it.
#[tokio::test]
async fn all_choices_that_go_together_are_deployed_and_torn_down() {
    let cloud = Cloud::start().await;
    without_what_the_emulator_does_not_know(&cloud);
    let secret = serde_json::json!({ "Name": "chat/backend", "SecretString": "secret" });
    crate::between::ask(
        cloud.port,
        "secretsmanager",
        "secretsmanager.CreateSecret",
        &secret,
    )
    .await;
    let architecture = std::env::consts::ARCH.replace("aarch64", "arm64");
    let more = format!("[handlers]\nprofile = \"dev\"\n[aws]\narchitecture = \"{architecture}\"\n");
    for case in together(|choice| choice.needs_account) {
        case.write(cloud.folder(), &more);
        let deployed = cloud.deploy("--no-probe --express").await;
        assert_eq!(deployed.code, 0, "{}: {}", case.name, deployed.stderr);
        if case.has_overlay() {
            deployed.explains("(overlay)");
        }
        let gone = cloud.chatctl("teardown --yes").await;
        assert_eq!(gone.code, 0, "{}: {}", case.name, gone.stderr);
        for (name, _) in &case.files {
            let _gone = std::fs::remove_file(cloud.folder().join(name));
        }
    }
}
