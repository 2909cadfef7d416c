//! Messages that are kept, over a stack of an emulator: its table, its IAM and its gateway.

use serde_json::{Value, json};

use crate::chat::Person;
use crate::cloud::Cloud;

const KEPT: &str = "[[routes]]\nkey = \"$default\"\ntext = \"message\"\nenvelope = true\nhistory = \"7d\"\n\
                    [[routes]]\nkey = \"history\"\nanswers = \"history\"\n[[routes]]\nkey = \"delete\"\nanswers = \"delete\"\n";

async fn asked(person: &mut Person, frame: &Value) -> Value {
    person.says(&frame.to_string()).await;
    serde_json::from_str(&person.receives().await).unwrap()
}

#[tokio::test]
async fn a_friend_who_was_away_finds_what_was_said_and_what_was_deleted() {
    let cloud = Cloud::start().await;
    cloud.config(KEPT);
    let deployed = cloud.deploy("--no-probe").await.exits(0);
    deployed.explains("reads what was said to it before");
    let url = deployed.url();
    let mut tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    let mut ids = Vec::new();
    for text in ["one", "two"] {
        let receipt = asked(&mut tom, &json!({"message": text, "ref": text})).await;
        let stored = (&receipt["delivered"], &receipt["stored"]);
        assert_eq!(stored, (&json!(0), &json!(true)), "{receipt}");
        ids.push(receipt["id"].clone());
    }
    let mut jerry = Person::connects(&url, "Jerry", "Tom").await.unwrap();
    let read = json!({"action": "history", "with": "Tom"});
    let page = asked(&mut jerry, &read).await;
    let texts: Vec<_> = (0..2)
        .map(|at| page["entries"][at]["text"].clone())
        .collect();
    assert_eq!(texts, ["one", "two"], "{page}");
    let order = json!({"action": "delete", "with": "Jerry", "id": ids[0], "ref": "d1"});
    assert_eq!(asked(&mut tom, &order).await["type"], "done");
    let notice: Value = serde_json::from_str(&jerry.receives().await).unwrap();
    assert_eq!(notice["of"], ids[0]);
    let page = asked(&mut jerry, &read).await;
    assert_eq!(page["entries"][0]["text"], "two", "{page}");
    assert_eq!(page["entries"][1], notice, "{page}");
}
