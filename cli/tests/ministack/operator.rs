//! The operator's commands with an emulator's table and @connections API.

use serde_json::Value;

use crate::chat::Person;
use crate::cloud::Cloud;

#[tokio::test]
async fn the_operator_lists_speaks_to_and_closes_connections_on_aws() {
    let cloud = Cloud::start().await;
    cloud
        .chatctl("connections")
        .await
        .exits(2)
        .explains("there is no stack `chat`");
    let url = cloud.deploy("--no-probe").await.exits(0).url();
    let mut tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    let _jerry = Person::connects(&url, "Jerry", "Tom").await.unwrap();
    let names = async || {
        let look = cloud
            .chatctl("connections --output json")
            .await
            .exits(0)
            .stdout;
        let look: Value = serde_json::from_str(&look).unwrap();
        let all = look["connections"].as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names().await.len(), 2);
    let sent = cloud.chatctl("send Tom hello --output json").await.exits(0);
    let sent: Value = serde_json::from_str(&sent.stdout).unwrap();
    assert_eq!(sent["accepted"], 1);
    assert_eq!(tom.receives().await, "hello");
    cloud.chatctl("send Nobody hello").await.exits(3);
    let kicked = cloud.chatctl("kick Tom --ban 1h --yes --output json").await;
    let kicked: Value = serde_json::from_str(&kicked.exits(0).stdout).unwrap();
    assert_eq!(kicked["closed"].as_array().unwrap().len(), 1, "{kicked}");
    assert!(Person::connects(&url, "Tom", "Jerry").await.is_err());
    assert_eq!(names().await, ["Jerry"]);
    cloud.chatctl("kick Tom --unban").await.exits(0);
    let _tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
}
