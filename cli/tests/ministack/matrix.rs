//! Every option with every example on the emulator, as far as it knows the types: all that go together at once.

use std::collections::BTreeSet;

use serde_json::Value;
use testing::choices::together;

use crate::cloud::Cloud;

/// What has to exist in an account first is left out; `it/matrix.rs` renders and lints it, and `choices.rs` and the policy's
/// tests deploy some of it.
#[tokio::test]
async fn all_choices_that_go_together_are_deployed_and_torn_down() {
    let cloud = Cloud::start().await;
    cloud.between.edit_templates(without_route_responses);
    let architecture = std::env::consts::ARCH.replace("aarch64", "arm64");
    let more = format!("[handlers]\nprofile = \"dev\"\n[aws]\narchitecture = \"{architecture}\"\n");
    for case in together(|choice| choice.needs_account) {
        case.write(cloud.folder(), &more);
        let deployed = cloud.deploy("--no-probe --express").await;
        assert_eq!(deployed.code, 0, "{}: {}", case.name, deployed.stderr);
        deployed.explains("(overlay)");
        let gone = cloud.chatctl("teardown --yes").await;
        assert_eq!(gone.code, 0, "{}: {}", case.name, gone.stderr);
        for (name, _) in &case.files {
            let _gone = std::fs::remove_file(cloud.folder().join(name));
        }
    }
}

/// The emulator does not know the type.
fn without_route_responses(template: &mut Value) {
    let resources = template["Resources"].as_object_mut().unwrap();
    resources.retain(|_, resource| resource["Type"] != "AWS::ApiGatewayV2::RouteResponse");
    let ids: BTreeSet<String> = resources.keys().cloned().collect();
    let waits = resources["Stage"]["DependsOn"].as_array_mut().unwrap();
    waits.retain(|id| ids.contains(id.as_str().unwrap()));
}
