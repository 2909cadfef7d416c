//! Messages that a function of the user's reviews first.

use serde_json::{Value, json};
use testing::command::built_example;

use crate::chat::Person;
use crate::cloud::Cloud;
use crate::routes::crate_of;

const FRAMES: [&str; 2] = [
    r#"{"message":"room 101","ref":"1"}"#,
    r#"{"message":"spam","ref":"2"}"#,
];

/// A chat whose messages the SDK's example of a review function sees; the emulator runs functions on this machine.
async fn configured() -> Cloud {
    let cloud = Cloud::start().await;
    let architecture = std::env::consts::ARCH.replace("aarch64", "arm64");
    // An emulator starts functions more slowly than Lambda.
    cloud.config(&format!(
        "[[routes]]\nkey = \"$default\"\ntext = \"message\"\nenvelope = true\nreview = \"filter\"\nreview-timeout = \"10s\"\n\
         [handlers]\nprofile = \"dev\"\n[aws]\narchitecture = \"{architecture}\"\n"
    ));
    let main = format!(
        "use std::os::unix::process::CommandExt;\n\
         fn main() {{ panic!(\"{{}}\", std::process::Command::new({:?}).exec()) }}\n",
        built_example("chat-sdk", "filter")
    );
    crate_of(&cloud, "filter", &main);
    cloud
}

async fn next(person: &mut Person) -> Value {
    serde_json::from_str(&person.receives().await).unwrap()
}

#[tokio::test]
async fn a_review_changes_and_refuses_messages_and_without_the_permission_to_ask_none_passes() {
    let cloud = configured().await;
    let url = cloud
        .deploy("")
        .await
        .exits(0)
        .explains("not tried: `$default`")
        .url();
    let mut jerry = Person::connects(&url, "Jerry", "Tom").await.unwrap();
    let mut tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    for frame in FRAMES {
        tom.says(frame).await;
    }
    assert_eq!(next(&mut jerry).await["text"], "room ***");
    let mut reported = [next(&mut tom).await, next(&mut tom).await];
    reported.sort_by_key(|frame| frame["ref"].to_string());
    assert_eq!(reported[0]["changed"], json!(true), "{reported:?}");
    assert_eq!(
        (&reported[1]["error"], &reported[1]["message"]),
        (&json!("Refused"), &json!("no advertising, please"))
    );
    assert_eq!(cloud.between.denied(), [""; 0]);

    cloud.between.edit_templates(|template| {
        let action = "/Resources/DirectReviewPolicy/Properties/PolicyDocument/Statement/0/Action";
        *template.pointer_mut(action).unwrap() = json!("lambda:GetFunction");
    });
    cloud.deploy("--no-probe").await.exits(0);
    tom.says(FRAMES[0]).await;
    let refused = next(&mut tom).await;
    assert_eq!(refused["error"], "Refused", "{refused}");
    assert_eq!(jerry.leaves().await, [""; 0]);
}
