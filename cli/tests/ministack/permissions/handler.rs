//! The same for what the config grants a handler of the user's.

use testing::until::eventually;

use super::is_denied;
use crate::chat::{NOTICE, Person};
use crate::cloud::{Cloud, built_handlers};
use crate::routes::crate_of;

const FRAME: &str = r#"{"action":"tell"}"#;

/// A handler that does what the direct chat's does, by becoming it; the emulator runs functions on this machine.
fn main_of_handler() -> String {
    format!(
        "use std::os::unix::process::CommandExt;\n\
         fn main() {{ panic!(\"{{}}\", std::process::Command::new({:?}).env(\"_HANDLER\", \"direct\").exec()) }}\n",
        built_handlers()
    )
}

/// Deploys a chat whose handler is granted these `permissions`, each `ACTION on RESOURCE`; answers where it is.
async fn deployed_with(cloud: &Cloud, permissions: &[&str]) -> String {
    let architecture = std::env::consts::ARCH.replace("aarch64", "arm64");
    let granted = permissions.iter().map(|permission| {
        let (action, resource) = permission.split_once(" on ").unwrap();
        format!("[[routes.permissions]]\nactions = [\"{action}\"]\nresources = [\"{resource}\"]\n")
    });
    let granted: String = granted.collect();
    cloud.config(&format!(
        "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"tell\"\nhandler = \"tell\"\n{granted}\
         [handlers]\nprofile = \"dev\"\n[aws]\narchitecture = \"{architecture}\"\n"
    ));
    cloud.deploy("--no-probe").await.exits(0).url()
}

#[tokio::test]
async fn a_handler_may_do_what_its_route_grants_and_breaks_without_any_of_it() {
    const READ: &str = "dynamodb:Query on table";
    const POST: &str = "execute-api:ManageConnections on connections";
    let cloud = Cloud::start().await;
    crate_of(&cloud, "tell", &main_of_handler());

    let url = deployed_with(&cloud, &[READ, POST]).await;
    let mut jerry = Person::connects(&url, "Jerry", "Tom").await.unwrap();
    let mut tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    tom.says(FRAME).await;
    assert_eq!(jerry.receives().await, FRAME);
    assert_eq!(cloud.between.denied(), [""; 0]);

    deployed_with(&cloud, &[READ]).await;
    tom.says(FRAME).await;
    let may_not_post = async || {
        let lines = cloud.logged("Tell", "").await;
        lines
            .iter()
            .any(|line| line.contains("the role needs execute-api:ManageConnections"))
    };
    eventually("the handler may not post", may_not_post).await;

    deployed_with(&cloud, &[POST]).await;
    tom.says(FRAME).await;
    is_denied(&cloud, "Query").await;
    assert_ne!(
        tom.receives().await,
        NOTICE,
        "it is an error and not an absent friend"
    );
    assert_eq!(jerry.leaves().await, [""; 0]);
}
