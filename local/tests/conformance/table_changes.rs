//! What an update of the template changes of tables that have items, and what a failed one leaves.

use chatctl_local::unstable::stack::{Stack, Table};
use chatctl_local::{
    ChangeSummary, LocalStack, Options, ResourceError, StackNotice, StartError, TableStorage,
    TablesError, UpdateError,
};
use serde_json::{Value, json};

use crate::puppets::Puppets;
use crate::setup::Setup;
use crate::tables::{call, pks, put, table_names};
use crate::world::{World, recorder};

/// A stack with table `chat`, which has the item `kept`, and its tables' address.
async fn with_table(edit: impl FnOnce(&mut Table)) -> (World, String) {
    let edit = |stack: &mut Stack| edit(stack.tables.get_mut("chatTable").unwrap());
    let world = World::start(|setup| setup.chat().table("chat").edit(edit)).await;
    let endpoint = world.stack.status().tables_endpoint;
    put(&endpoint, "chat", "kept").await;
    (world, endpoint)
}

/// Updates the stack with table `chat` as `edit` makes it.
async fn update(
    world: &World,
    edit: impl FnOnce(&mut Table),
) -> Result<ChangeSummary, UpdateError> {
    let setup = Setup::empty(world.puppets.bootstrap())
        .chat()
        .table("chat")
        .edit(|stack| {
            edit(stack.tables.get_mut("chatTable").unwrap());
            touch(stack);
        });
    world.stack.update_resolved(setup.stack, setup.code).await
}

/// Marks table `chat` as changed, with another digest than before.
fn touch(stack: &mut Stack) {
    let digest = format!("{:?}", stack.tables["chatTable"]);
    let mut resources = stack.resources.iter_mut();
    let resource = resources.find(|resource| resource.logical_id == "chatTable");
    resource.unwrap().digest = digest;
}

/// Adds an index with these keys to `list`, and declares them.
fn add_index(table: &mut Table, list: &str, name: &str, keys: &[&str]) {
    let kinds = ["HASH", "RANGE"];
    let schema: Vec<Value> = keys
        .iter()
        .zip(kinds)
        .map(|(key, kind)| json!({ "AttributeName": key, "KeyType": kind }))
        .collect();
    for key in keys {
        let attribute = json!({ "AttributeName": key, "AttributeType": "S" });
        let declared = table.create["AttributeDefinitions"].as_array_mut().unwrap();
        if !declared.contains(&attribute) {
            declared.push(attribute);
        }
    }
    if table.create[list].is_null() {
        table.create[list] = json!([]);
    }
    table.create[list].as_array_mut().unwrap().push(json!({
        "IndexName": name, "KeySchema": schema, "Projection": { "ProjectionType": "ALL" },
    }));
}

fn global(table: &mut Table, name: &str, key: &str) {
    add_index(table, "GlobalSecondaryIndexes", name, &[key]);
}

async fn ttl(endpoint: &str) -> Value {
    let body = json!({ "TableName": "chat" });
    let (_, answer) = call(endpoint, "AKIA", "DescribeTimeToLive", &body).await;
    answer["TimeToLiveDescription"].clone()
}

/// The number of items in an index of table `chat`, or the error.
async fn count(endpoint: &str, index: &str) -> Result<u64, Value> {
    let body = json!({ "TableName": "chat", "IndexName": index });
    let (_, answer) = call(endpoint, "AKIA", "Scan", &body).await;
    answer["Count"].as_u64().ok_or(answer)
}

fn statuses(world: &World) -> Vec<(String, String, String)> {
    let notices = world.notices().into_iter();
    let events = notices.filter_map(|notice| match notice {
        StackNotice::Event(event) => Some(event),
        _ => None,
    });
    let status = |event: chatctl_local::StackEvent| {
        let reason = event.reason.unwrap_or_default();
        (event.logical_id, event.status, reason)
    };
    events.map(status).collect()
}

#[tokio::test]
async fn another_ttl_attribute_takes_effect_and_so_does_none() {
    let (world, endpoint) = with_table(|_| {}).await;
    let enabled = |name: &str| json!({ "AttributeName": name, "TimeToLiveStatus": "ENABLED" });
    assert_eq!(ttl(&endpoint).await, enabled("ttl"));
    let until = |table: &mut Table| table.ttl_attribute = Some("until".to_owned());
    let summary = update(&world, until).await.unwrap();
    assert_eq!(
        (summary.changed, summary.replaced),
        (vec!["chatTable".to_owned()], vec![])
    );
    assert_eq!(ttl(&endpoint).await, enabled("until"));
    update(&world, |table| table.ttl_attribute = None)
        .await
        .unwrap();
    assert_eq!(
        ttl(&endpoint).await,
        json!({ "TimeToLiveStatus": "DISABLED" })
    );
    assert_eq!(pks(&endpoint).await, ["kept"]);
}

#[tokio::test]
async fn global_indexes_come_change_and_go_while_the_items_stay() {
    let (world, endpoint) = with_table(|_| {}).await;
    let two = |table: &mut Table| {
        global(table, "byKey", "sk");
        global(table, "byRoom", "room");
    };
    update(&world, two).await.unwrap();
    assert_eq!(count(&endpoint, "byKey").await, Ok(1));
    assert_eq!(count(&endpoint, "byRoom").await, Ok(0));
    // Another key of one, and the other one is gone.
    update(&world, |table| global(table, "byRoom", "sk"))
        .await
        .unwrap();
    assert_eq!(count(&endpoint, "byRoom").await, Ok(1));
    assert!(count(&endpoint, "byKey").await.is_err());
    update(&world, |_| {}).await.unwrap();
    assert!(count(&endpoint, "byRoom").await.is_err());
    assert_eq!(pks(&endpoint).await, ["kept"]);
}

#[tokio::test]
async fn a_stream_comes_changes_its_view_and_goes() {
    let (world, endpoint) = with_table(|_| {}).await;
    for view in [Some("KEYS_ONLY"), Some("NEW_IMAGE"), None] {
        let stream = |table: &mut Table| {
            if let Some(view) = view {
                table.create["StreamSpecification"] =
                    json!({ "StreamEnabled": true, "StreamViewType": view });
            }
        };
        update(&world, stream).await.unwrap();
        let body = json!({ "TableName": "chat" });
        let (_, answer) = call(&endpoint, "AKIA", "DescribeTable", &body).await;
        let shown = &answer["Table"]["StreamSpecification"]["StreamViewType"];
        assert_eq!(shown.as_str(), view);
    }
    assert_eq!(pks(&endpoint).await, ["kept"]);
}

#[tokio::test]
async fn a_changed_local_index_replaces_the_table_and_the_summary_says_so() {
    let (world, endpoint) = with_table(|_| {}).await;
    let local = |table: &mut Table| {
        add_index(table, "LocalSecondaryIndexes", "byTime", &["pk", "time"]);
    };
    let summary = update(&world, local).await.unwrap();
    assert_eq!(summary.replaced, ["chatTable"]);
    assert_eq!(count(&endpoint, "byTime").await, Ok(0));
    assert!(pks(&endpoint).await.is_empty());
}

#[tokio::test]
async fn a_protected_table_is_neither_replaced_nor_reported_as_deleted() {
    let protect = |table: &mut Table| table.create["DeletionProtectionEnabled"] = true.into();
    let (world, endpoint) = with_table(protect).await;
    let error = update(&world, |table| {
        protect(table);
        add_index(table, "LocalSecondaryIndexes", "byTime", &["pk", "time"]);
    });
    let error = error.await.unwrap_err();
    let UpdateError::Resource(ResourceError::Tables(error @ TablesError::Protected { .. })) = error
    else {
        panic!("{error:?}");
    };
    assert!(
        error
            .to_string()
            .contains("turn `DeletionProtectionEnabled` off")
    );
    let none = Setup::empty(world.puppets.bootstrap()).chat();
    let removed = world.stack.update_resolved(none.stack, none.code).await;
    assert_eq!(removed.unwrap().removed, ["chatTable"]);
    assert_eq!(pks(&endpoint).await, ["kept"]);
    let events = statuses(&world);
    let [.., failed, complete] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!((&*failed.0, &*failed.1), ("chatTable", "DELETE_FAILED"));
    assert!(
        failed.2.contains("which stays with its items"),
        "{failed:?}"
    );
    assert_eq!((&*complete.0, &*complete.1), ("test", "UPDATE_COMPLETE"));
    assert!(complete.2.contains("chatTable"), "{complete:?}");
}

#[tokio::test]
async fn deletion_protection_can_be_turned_off() {
    let protect = |table: &mut Table| table.create["DeletionProtectionEnabled"] = true.into();
    let (world, endpoint) = with_table(protect).await;
    update(&world, |_| {}).await.unwrap();
    let none = Setup::empty(world.puppets.bootstrap()).chat();
    world
        .stack
        .update_resolved(none.stack, none.code)
        .await
        .unwrap();
    assert!(table_names(&endpoint).await.is_empty());
}

/// A stack in `folder` with table `chat` and what `more` adds.
async fn start_in(
    folder: &std::path::Path,
    more: impl FnOnce(Setup) -> Setup,
) -> Result<LocalStack, StartError> {
    let puppets = Puppets::new().await;
    let setup = more(Setup::empty(puppets.bootstrap()).table("chat"));
    let storage = TableStorage::File(folder.join("tables.db"));
    let options = Options::default().with_tables(storage);
    LocalStack::start_resolved(setup.stack, setup.code, options, recorder().0).await
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
    let first = start_in(folder.path(), indexed).await.unwrap();
    put(&first.status().tables_endpoint, "chat", "kept").await;
    first.stop().await;
    let again = start_in(folder.path(), indexed).await.unwrap();
    let endpoint = again.status().tables_endpoint;
    assert_eq!(pks(&endpoint).await, ["kept"]);
    assert_eq!(count(&endpoint, "byKey").await, Ok(1));
    again.stop().await;
}

/// One table would be replaced, a later one is wrong: no items are lost for a start that fails anyway.
#[tokio::test]
async fn a_start_that_is_refused_leaves_the_tables_of_earlier_starts() {
    let folder = tempfile::tempdir().unwrap();
    let first = start_in(folder.path(), |setup| setup).await.unwrap();
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
    let again = start_in(folder.path(), |setup| setup).await.unwrap();
    let endpoint = again.status().tables_endpoint;
    assert_eq!(pks(&endpoint).await, ["kept"]);
    assert_eq!(table_names(&endpoint).await, ["chat"]);
    again.stop().await;
}

/// A stack with table `chat`, and an update that fails after `chat` and `another` were changed: the database refuses a
/// table whose name differs from that of one of the operator's in capitals only.
async fn failed_update(edit: impl FnOnce(&mut Table)) -> (World, String, UpdateError) {
    let (world, endpoint) = with_table(|_| {}).await;
    let (status, _) = call(&endpoint, "AKIA", "CreateTable", &creation_of("WRONG")).await;
    assert_eq!(status, 200);
    let setup = Setup::empty(world.puppets.bootstrap())
        .chat()
        .table("chat")
        .table("another")
        .table("wrong")
        .edit(|stack| {
            edit(stack.tables.get_mut("chatTable").unwrap());
            touch(stack);
        });
    let updated = world.stack.update_resolved(setup.stack, setup.code).await;
    (world, endpoint, updated.unwrap_err())
}

/// The body of the call that creates a table.
fn creation_of(name: &str) -> Value {
    let setup = Setup::empty(Default::default()).table(name);
    setup.stack.tables[&format!("{name}Table")].create.clone()
}

#[tokio::test]
async fn a_failed_update_takes_back_what_it_changed_of_tables() {
    let (world, endpoint, error) = failed_update(|table| {
        table.ttl_attribute = None;
        global(table, "byKey", "sk");
    })
    .await;
    let UpdateError::Resource(ResourceError::Tables(TablesError::Create { table, .. })) = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(table, "wrong");
    assert_eq!(table_names(&endpoint).await, ["WRONG", "chat"]);
    assert_eq!(ttl(&endpoint).await["AttributeName"], "ttl");
    assert!(count(&endpoint, "byKey").await.is_err());
    assert_eq!(pks(&endpoint).await, ["kept"]);
    let events = statuses(&world);
    let last: Vec<_> = events[events.len() - 3..]
        .iter()
        .map(|(id, status, _)| format!("{id} {status}"))
        .collect();
    assert_eq!(
        last,
        [
            "wrongTable CREATE_FAILED",
            "test UPDATE_ROLLBACK_IN_PROGRESS",
            "test UPDATE_ROLLBACK_COMPLETE"
        ]
    );
}

#[tokio::test]
async fn a_failed_update_that_replaced_a_table_names_the_loss() {
    let (world, endpoint, error) = failed_update(|table| {
        add_index(table, "LocalSecondaryIndexes", "byTime", &["pk", "time"]);
    })
    .await;
    let UpdateError::Resource(ResourceError::NotUndone { left, .. }) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(left, "table `chat` was replaced and is empty now");
    let (_, status, reason) = statuses(&world).pop().unwrap();
    assert_eq!((&*status, &reason), ("UPDATE_ROLLBACK_FAILED", left));
    // It has its former keys, for the functions that still run.
    assert!(count(&endpoint, "byTime").await.is_err());
    assert_eq!(ttl(&endpoint).await["AttributeName"], "ttl");
    put(&endpoint, "chat", "new").await;
}
