//! Chats with other routes than the one to a friend.

use crate::cloud::Cloud;

/// A crate whose binary says `mark` and is never asked anything.
fn handler(cloud: &Cloud, name: &str, mark: &str) {
    crate_of(
        cloud,
        name,
        &format!("fn main() {{ println!(\"{mark}\") }}"),
    );
}

/// A crate of this name without dependencies, whose binary is `main`.
pub(crate) fn crate_of(cloud: &Cloud, name: &str, main: &str) {
    let folder = cloud.folder().join(name);
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n"
    );
    let lock = format!("version = 4\n\n[[package]]\nname = \"{name}\"\nversion = \"0.0.0\"\n");
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(folder.join("Cargo.lock"), lock).unwrap();
    std::fs::write(folder.join("src/main.rs"), main).unwrap();
}

#[tokio::test]
async fn a_custom_handler_is_published_swapped_and_removed_by_itself() {
    let cloud = Cloud::start().await;
    let architecture = std::env::consts::ARCH.replace("aarch64", "arm64");
    cloud.config(&format!(
        "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"roll\"\nhandler = \"roll\"\n\
         [handlers]\nprofile = \"dev\"\n[aws]\narchitecture = \"{architecture}\"\n"
    ));
    handler(&cloud, "roll", "one");
    cloud
        .deploy("")
        .await
        .exits(0)
        .explains("5 functions run what was published")
        .explains("1 route answers both ways")
        .explains("not tried: `roll`");
    assert_eq!(cloud.published().await, 2);
    cloud
        .deploy("")
        .await
        .exits(0)
        .explains("nothing has changed");
    handler(&cloud, "roll", "two");
    cloud
        .deploy("--hotswap --no-probe")
        .await
        .exits(0)
        .explains("1 of 2 sent")
        .explains("new code in 1 of 5 functions");
    let status = cloud.chatctl("status").await.exits(0);
    assert!(
        status
            .stdout
            .contains("HandlerRollFunction runs other code"),
        "{}",
        status.stdout
    );
    cloud
        .deploy("--no-probe")
        .await
        .exits(0)
        .explains("1 to change");
    cloud.chatctl("teardown --yes").await.exits(0);
    assert_eq!(
        cloud.objects().await,
        [""; 0],
        "the first version of the handler goes, too"
    );
}

#[tokio::test]
async fn a_handler_that_is_no_crate_stops_a_deployment_before_anything_is_touched() {
    let cloud = Cloud::start().await;
    cloud.config("[[routes]]\nkey = \"roll\"\nhandler = \"roll\"\n");
    cloud
        .deploy("")
        .await
        .exits(2)
        .explains("the handler of route `roll`")
        .explains("has no Cargo.toml");
    assert_eq!(cloud.stack_status("chat").await, None);
}

const BACKEND: &str = "[[routes]]\nkey = \"$connect\"\nhttp = \"https://backend.example/in\"\n\
                       [[routes]]\nkey = \"$disconnect\"\nhttp = \"https://backend.example/out\"\n\
                       [[routes]]\nkey = \"$default\"\nhttp = \"https://backend.example/send\"\n";

/// Takes the types out of every template that the emulator does not know.
pub(crate) fn without_what_the_emulator_does_not_know(cloud: &Cloud) {
    let unknown = [
        "AWS::ApiGatewayV2::IntegrationResponse",
        "AWS::ApiGatewayV2::RouteResponse",
    ];
    cloud.between.edit_templates(move |template| {
        let resources = template["Resources"].as_object_mut().unwrap();
        resources.retain(|_, resource| !unknown.iter().any(|kind| resource["Type"] == *kind));
        let ids: Vec<String> = resources.keys().cloned().collect();
        let waits = resources["Stage"]["DependsOn"].as_array_mut().unwrap();
        waits.retain(|id| ids.iter().any(|there| id == there));
    });
}

#[tokio::test]
async fn an_address_that_aws_cannot_reach_stops_a_deployment_before_anything_is_touched() {
    let cloud = Cloud::start().await;
    cloud.config(&BACKEND.replace("https://backend.example/send", "http://127.0.0.1:3000/send"));
    cloud
        .chatctl("deploy --yes")
        .await
        .exits(2)
        .explains("AWS cannot reach http://127.0.0.1:3000 (`$default`): it is this machine")
        .explains("--local");
    cloud.between.only_looked();
}

#[tokio::test]
async fn a_chat_at_a_backend_is_deployed_without_a_build_a_bucket_or_a_table() {
    let cloud = Cloud::start().await;
    cloud.config(BACKEND);
    without_what_the_emulator_does_not_know(&cloud);
    let deployed = cloud.chatctl("deploy --yes --no-probe").await.exits(0);
    deployed
        .explains("3 backend addresses are public")
        .explains("the stage serves");
    for word in ["build", "publish", "bucket"] {
        assert!(!deployed.stderr.contains(word), "{}", deployed.stderr);
    }
    assert!(
        deployed.stdout.starts_with("wscat -c "),
        "{}",
        deployed.stdout
    );
    let printed = cloud.chatctl("print-connect-commands").await.exits(0);
    assert_eq!(printed.stdout, deployed.stdout);
    cloud
        .chatctl("diff --exit-code")
        .await
        .exits(0)
        .explains("nothing would change");
    let status = cloud.chatctl("status").await.exits(0);
    assert!(
        status.stdout.contains("CREATE_COMPLETE"),
        "{}",
        status.stdout
    );
    cloud.chatctl("teardown --yes").await.exits(0);
    assert_eq!(cloud.stack_status("chat").await, None);
    let asked = cloud.between.asked();
    assert!(
        !asked.iter().any(|action| action.starts_with("PUT")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_backend_that_is_reached_unencrypted_is_warned_of_before_the_question() {
    let cloud = Cloud::start().await;
    without_what_the_emulator_does_not_know(&cloud);
    let secret = "secret-header = { name = \"x-chat\", ssm = \"/chat\" }\n";
    let clear = BACKEND.replace(
        "https://backend.example/out\"\n",
        "http://backend.example/out\"\n",
    );
    cloud.config(&format!("{clear}{secret}"));
    // Without a terminal nothing can be asked, so nothing is deployed.
    cloud
        .chatctl("deploy")
        .await
        .exits(2)
        .explains("messages travel to http://backend.example unencrypted");
    assert_eq!(cloud.stack_status("chat").await, None);
    cloud
        .chatctl("deploy --dry-run")
        .await
        .exits(0)
        .explains("messages travel to http://backend.example unencrypted");
    cloud.config(&format!("{}{secret}", clear.replace("https://", "http://")));
    cloud
        .chatctl("deploy")
        .await
        .exits(2)
        .explains("messages and the header `x-chat` travel to http://backend.example unencrypted");
}

#[tokio::test]
async fn a_room_is_deployed_and_every_member_receives_every_message() {
    let cloud = Cloud::start().await;
    cloud.config("[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\ninclude-sender = true\n");
    cloud
        .deploy("")
        .await
        .exits(0)
        .explains("5 functions run what was published")
        .explains("1 route answers both ways");
}
