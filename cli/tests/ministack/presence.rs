//! Announcements of who comes and who leaves.

use serde_json::{Value, json};

use crate::chat::Person;
use crate::cloud::Cloud;

#[tokio::test]
async fn the_members_of_a_room_get_who_comes_and_who_leaves() {
    let cloud = Cloud::start().await;
    cloud.config(
        "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n[[routes]]\nkey = \"who\"\nanswers = \"who\"\nannounce = true\n",
    );
    let url = cloud.deploy("").await.exits(0).url();
    let mut ann = Person::enters_as(&url, "Ann", "hall").await.unwrap();
    assert_eq!(
        finished(&ann.receives().await),
        (json!(["Ann"]), json!([]), json!(1))
    );
    let mut bob = Person::enters_as(&url, "Bob", "hall").await.unwrap();
    for person in [&mut ann, &mut bob] {
        assert_eq!(
            finished(&person.receives().await),
            (json!(["Bob"]), json!([]), json!(2))
        );
    }
    bob.leaves().await;
    assert_eq!(
        finished(&ann.receives().await),
        (json!([]), json!(["Bob"]), json!(1))
    );
}

/// Who arrived, who left, and how many are there.
fn finished(frame: &str) -> (Value, Value, Value) {
    let frame: Value = serde_json::from_str(frame).unwrap();
    assert_eq!(
        (&frame["type"], &frame["room"]),
        (&json!("presence"), &json!("hall"))
    );
    (
        frame["arrived"].clone(),
        frame["left"].clone(),
        frame["people"].clone(),
    )
}
