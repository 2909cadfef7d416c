//! What a start, which has no earlier template, does to the tables of earlier starts.

use std::path::Path;
use std::sync::{Arc, Mutex};

use chatctl_local::unstable::stack::Table;
use chatctl_local::{
    LocalStack, Options, ResourceError, StackNotice, StartError, TableStorage, TablesError,
};
use serde_json::{Value, json};

use crate::puppets::Puppets;
use crate::setup::Setup;
use crate::table_changes::{add_index, count, global, statuses, touch, ttl};
use crate::tables::{call, pks, put, table_names};
use crate::world::recorder;

type Notices = Arc<Mutex<Vec<StackNotice>>>;

/// A stack in `folder` with table `chat` and what `more` adds.
async fn start_in(
    folder: &Path,
    more: impl FnOnce(Setup) -> Setup,
) -> Result<(LocalStack, Notices), StartError> {
    let puppets = Puppets::new().await;
    let setup = more(Setup::empty(puppets.bootstrap()).table("chat"));
    let storage = TableStorage::File(folder.join("tables.db"));
    let options = Options::default().with_tables(storage);
    let (observer, notices) = recorder();
    let started = LocalStack::start_resolved(setup.stack, setup.code, options, observer).await;
    Ok((started?, notices))
}

/// A change of table `chat` in the template.
fn chat(edit: impl FnOnce(&mut Table)) -> impl FnOnce(Setup) -> Setup {
    |setup| setup.edit(|stack| edit(stack.tables.get_mut("chatTable").unwrap()))
}

/// A folder with the table of a stack that was started, got the item `kept` and what `then` does, and was stopped.
async fn left_by(edit: impl FnOnce(&mut Table), then: impl AsyncFnOnce(&str)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = start_in(folder.path(), chat(edit)).await.unwrap();
    let endpoint = first.status().tables_endpoint;
    put(&endpoint, "chat", "kept").await;
    then(&endpoint).await;
    first.stop().await;
    folder
}

/// Lets the operator change table `chat`.
async fn by_hand(endpoint: &str, operation: &str, mut body: Value) {
    body["TableName"] = "chat".into();
    let (status, answer) = call(endpoint, "AKIA", operation, &body).await;
    assert_eq!(status, 200, "{answer}");
}

async fn is_protected(endpoint: &str) -> bool {
    let body = json!({ "TableName": "chat" });
    let (_, answer) = call(endpoint, "AKIA", "DescribeTable", &body).await;
    answer["Table"]["DeletionProtectionEnabled"] == true
}

/// What the stack event says of table `chat` when it is complete.
fn remark(notices: &Notices) -> String {
    let events = statuses(notices.lock().unwrap().clone());
    let complete = |(id, status, _): &&(String, String, String)| {
        id == "chatTable" && status.ends_with("_COMPLETE")
    };
    events.iter().rfind(complete).unwrap().2.clone()
}

fn protect(table: &mut Table) {
    table.create["DeletionProtectionEnabled"] = true.into();
}

/// Other keys: the partition key alone.
fn one_key(table: &mut Table) {
    let create = &mut table.create;
    create["KeySchema"].as_array_mut().unwrap().pop();
    create["AttributeDefinitions"].as_array_mut().unwrap().pop();
}

#[tokio::test]
async fn what_the_operator_set_by_hand_survives_a_restart() {
    let plain = |table: &mut Table| table.ttl_attribute = None;
    let set = async |endpoint: &str| {
        let protection = json!({ "DeletionProtectionEnabled": true });
        by_hand(endpoint, "UpdateTable", protection).await;
        let keys = json!([{ "AttributeName": "sk", "KeyType": "HASH" }]);
        let projection = json!({ "ProjectionType": "ALL" });
        let index = json!({ "IndexName": "byHand", "KeySchema": keys, "Projection": projection });
        let index = json!({
            "AttributeDefinitions": [{ "AttributeName": "sk", "AttributeType": "S" }],
            "GlobalSecondaryIndexUpdates": [{ "Create": index }],
        });
        by_hand(endpoint, "UpdateTable", index).await;
        let until = json!({ "AttributeName": "until", "Enabled": true });
        let until = json!({ "TimeToLiveSpecification": until });
        by_hand(endpoint, "UpdateTimeToLive", until).await;
    };
    let folder = left_by(plain, set).await;
    let (again, notices) = start_in(folder.path(), chat(plain)).await.unwrap();
    let endpoint = again.status().tables_endpoint;
    assert!(is_protected(&endpoint).await);
    assert_eq!(count(&endpoint, "byHand").await, Ok(1));
    assert_eq!(ttl(&endpoint).await["AttributeName"], "until");
    assert_eq!(pks(&endpoint).await, ["kept"]);
    assert_eq!(
        remark(&notices),
        "the table existed already and keeps its items"
    );
    again.stop().await;
}

#[tokio::test]
async fn another_local_index_leaves_the_table_at_a_restart_and_at_an_update_of_the_rest() {
    let local = |name: &'static str| {
        move |table: &mut Table| {
            add_index(table, "LocalSecondaryIndexes", name, &["pk", "time"]);
        }
    };
    let folder = left_by(local("byTime"), async |_| {}).await;
    let other = chat(local("byOther"));
    let (again, notices) = start_in(folder.path(), other).await.unwrap();
    let endpoint = again.status().tables_endpoint;
    assert_eq!(pks(&endpoint).await, ["kept"]);
    assert_eq!(count(&endpoint, "byTime").await, Ok(0));
    assert!(count(&endpoint, "byOther").await.is_err());
    let stays =
        "its local indexes or attribute types differ from the template's and stay as they are";
    assert!(remark(&notices).starts_with(stays));
    // The update has the local index of the template before.
    let setup = Setup::empty(Default::default()).table("chat");
    let setup = chat(|table| {
        local("byOther")(table);
        table.ttl_attribute = Some("until".to_owned());
    })(setup);
    let setup = setup.edit(touch);
    let summary = again.update_resolved(setup.stack, setup.code).await;
    assert_eq!(summary.unwrap().replaced, [""; 0]);
    assert_eq!(ttl(&endpoint).await["AttributeName"], "until");
    assert_eq!(pks(&endpoint).await, ["kept"]);
    assert!(remark(&notices).starts_with(stays));
    again.stop().await;
}

#[tokio::test]
async fn what_the_template_has_more_is_made_at_a_restart() {
    let folder = left_by(|_| {}, async |_| {}).await;
    let more = chat(|table| {
        protect(table);
        global(table, "byKey", "sk");
        table.ttl_attribute = Some("until".to_owned());
    });
    let (again, _) = start_in(folder.path(), more).await.unwrap();
    let endpoint = again.status().tables_endpoint;
    assert!(is_protected(&endpoint).await);
    assert_eq!(count(&endpoint, "byKey").await, Ok(1));
    assert_eq!(ttl(&endpoint).await["AttributeName"], "until");
    assert_eq!(pks(&endpoint).await, ["kept"]);
    again.stop().await;
}

#[tokio::test]
async fn a_table_with_other_keys_is_not_replaced_at_a_restart_if_either_side_protects_it() {
    let by_operator = async |endpoint: &str| {
        let protection = json!({ "DeletionProtectionEnabled": true });
        by_hand(endpoint, "UpdateTable", protection).await;
    };
    let theirs = left_by(|_| {}, by_operator).await;
    let ours = left_by(|_| {}, async |_| {}).await;
    let other_keys = chat(one_key);
    let protected = chat(|table| {
        one_key(table);
        protect(table);
    });
    let refused = [
        start_in(theirs.path(), other_keys).await.unwrap_err(),
        start_in(ours.path(), protected).await.unwrap_err(),
    ];
    for error in refused {
        let StartError::Resource(ResourceError::Tables(error @ TablesError::OtherKeys { .. })) =
            error
        else {
            panic!("{error:?}");
        };
        assert!(error.to_string().contains("it is not replaced"), "{error}");
    }
    for folder in [theirs, ours] {
        let (again, _) = start_in(folder.path(), |setup| setup).await.unwrap();
        assert_eq!(pks(&again.status().tables_endpoint).await, ["kept"]);
        again.stop().await;
    }
}

#[tokio::test]
async fn a_table_with_indexes_keeps_its_items_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let indexed = |setup: Setup| {
        setup.edit(|stack| {
            let table = stack.tables.get_mut("chatTable").unwrap();
            add_index(table, "LocalSecondaryIndexes", "byTime", &["pk", "time"]);
            let projection = json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "a"] });
            table.create["LocalSecondaryIndexes"][0]["Projection"] = projection;
            global(table, "byKey", "sk");
            table.create["GlobalSecondaryIndexes"][0]["Projection"] =
                json!({ "ProjectionType": "KEYS_ONLY" });
        })
    };
    let (first, _) = start_in(folder.path(), indexed).await.unwrap();
    put(&first.status().tables_endpoint, "chat", "kept").await;
    first.stop().await;
    let (again, _) = start_in(folder.path(), indexed).await.unwrap();
    let endpoint = again.status().tables_endpoint;
    assert_eq!(pks(&endpoint).await, ["kept"]);
    assert_eq!(count(&endpoint, "byKey").await, Ok(1));
    again.stop().await;
}

/// One table would be replaced, a later one is wrong: no items are lost for a start that fails anyway.
#[tokio::test]
async fn a_start_that_is_refused_leaves_the_tables_of_earlier_starts() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = start_in(folder.path(), |setup| setup).await.unwrap();
    put(&first.status().tables_endpoint, "chat", "kept").await;
    first.stop().await;
    let wrong = |setup: Setup| {
        setup.table("wrong").edit(|stack| {
            let chat = &mut stack.tables.get_mut("chatTable").unwrap().create;
            chat["KeySchema"].as_array_mut().unwrap().pop();
            chat["AttributeDefinitions"].as_array_mut().unwrap().pop();
            let wrong = &mut stack.tables.get_mut("wrongTable").unwrap().create;
            wrong.as_object_mut().unwrap().remove("KeySchema");
        })
    };
    start_in(folder.path(), wrong).await.unwrap_err();
    let (again, _) = start_in(folder.path(), |setup| setup).await.unwrap();
    let endpoint = again.status().tables_endpoint;
    assert_eq!(pks(&endpoint).await, ["kept"]);
    assert_eq!(table_names(&endpoint).await, ["chat"]);
    again.stop().await;
}
