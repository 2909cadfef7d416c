//! What an update of the template changes of tables that have items, and what a failed one leaves.

use chatctl_local::unstable::stack::{Stack, Table};
use chatctl_local::{ChangeSummary, ResourceError, StackNotice, TablesError, UpdateError};
use serde_json::{Value, json};

use crate::setup::Setup;
use crate::tables::{call, pks, put, table_names};
use crate::world::World;

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
pub(crate) fn touch(stack: &mut Stack) {
    let digest = format!("{:?}", stack.tables["chatTable"]);
    let mut resources = stack.resources.iter_mut();
    let resource = resources.find(|resource| resource.logical_id == "chatTable");
    resource.unwrap().digest = digest;
}

/// Adds an index with these keys to `list`, and declares them.
pub(crate) fn add_index(table: &mut Table, list: &str, name: &str, keys: &[&str]) {
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

pub(crate) fn global(table: &mut Table, name: &str, key: &str) {
    add_index(table, "GlobalSecondaryIndexes", name, &[key]);
}

pub(crate) async fn ttl(endpoint: &str) -> Value {
    let body = json!({ "TableName": "chat" });
    let (_, answer) = call(endpoint, "AKIA", "DescribeTimeToLive", &body).await;
    answer["TimeToLiveDescription"].clone()
}

/// The number of items in an index of table `chat`, or the error.
pub(crate) async fn count(endpoint: &str, index: &str) -> Result<u64, Value> {
    let body = json!({ "TableName": "chat", "IndexName": index });
    let (_, answer) = call(endpoint, "AKIA", "Scan", &body).await;
    answer["Count"].as_u64().ok_or(answer)
}

/// The logical id, status and reason of every stack event.
pub(crate) fn statuses(notices: Vec<StackNotice>) -> Vec<(String, String, String)> {
    let notices = notices.into_iter();
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
    let events = statuses(world.notices());
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

/// A stack with table `chat`, and an update that fails after `chat` and `another` were changed and `wrong` was created:
/// the database refuses TTL by an attribute without a name.
async fn failed_update(edit: impl FnOnce(&mut Table)) -> (World, String, UpdateError) {
    let (world, endpoint) = with_table(|_| {}).await;
    create_by_hand(&endpoint, "Theirs").await;
    let setup = Setup::empty(world.puppets.bootstrap())
        .chat()
        .table("chat")
        .table("another")
        .table("wrong")
        .edit(|stack| {
            edit(stack.tables.get_mut("chatTable").unwrap());
            touch(stack);
            stack.tables.get_mut("wrongTable").unwrap().ttl_attribute = Some(String::new());
        });
    let updated = world.stack.update_resolved(setup.stack, setup.code).await;
    assert_eq!(items(&endpoint, "Theirs").await, 1);
    (world, endpoint, updated.unwrap_err())
}

/// Creates a table of the operator's with one item.
async fn create_by_hand(endpoint: &str, name: &str) {
    let (status, _) = call(endpoint, "AKIA", "CreateTable", &creation_of(name)).await;
    assert_eq!(status, 200);
    put(endpoint, name, "theirs").await;
}

async fn items(endpoint: &str, table: &str) -> u64 {
    let (_, answer) = call(endpoint, "AKIA", "Scan", &json!({ "TableName": table })).await;
    answer["Count"].as_u64().unwrap()
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
    let UpdateError::Resource(ResourceError::Tables(TablesError::Change { table, .. })) = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(table, "wrong");
    assert_eq!(table_names(&endpoint).await, ["Theirs", "chat"]);
    assert_eq!(ttl(&endpoint).await["AttributeName"], "ttl");
    assert!(count(&endpoint, "byKey").await.is_err());
    assert_eq!(pks(&endpoint).await, ["kept"]);
    let events = statuses(world.notices());
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
async fn a_name_that_differs_from_a_table_s_in_capitals_only_is_refused_and_loses_nothing() {
    let (world, endpoint) = with_table(|_| {}).await;
    create_by_hand(&endpoint, "WRONG").await;
    let reported = world.notices().len();
    let setup = Setup::empty(world.puppets.bootstrap())
        .chat()
        .table("chat")
        .table("another")
        .table("wrong");
    let updated = world.stack.update_resolved(setup.stack, setup.code).await;
    let error = updated.unwrap_err();
    let UpdateError::Resource(ResourceError::Tables(error @ TablesError::Create { .. })) = error
    else {
        panic!("{error:?}");
    };
    let text = error.to_string();
    assert!(
        text.contains("`wrong`") && text.contains("delete `WRONG`"),
        "{text}"
    );
    assert_eq!(world.notices().len(), reported, "nothing was begun");
    // Nor does a request create it.
    let (status, answer) = call(&endpoint, "AKIA", "CreateTable", &creation_of("wrong")).await;
    assert_eq!(status, 400);
    assert!(answer["message"].as_str().unwrap().contains("`WRONG`"));
    assert_eq!(table_names(&endpoint).await, ["WRONG", "chat"]);
    assert_eq!(items(&endpoint, "WRONG").await, 1);
    assert_eq!(pks(&endpoint).await, ["kept"]);
}

#[tokio::test]
async fn a_body_that_is_refused_fails_the_update_although_it_has_the_same_definition() {
    let (world, endpoint) = with_table(|_| {}).await;
    let wrong = |table: &mut Table| table.create["BillingMode"] = "FREE".into();
    let error = update(&world, wrong).await.unwrap_err();
    assert!(
        matches!(
            error,
            UpdateError::Resource(ResourceError::Tables(TablesError::Create { .. }))
        ),
        "{error:?}"
    );
    assert_eq!(pks(&endpoint).await, ["kept"]);
}

#[tokio::test]
async fn what_a_failed_update_has_left_is_renewed_by_the_next_one() {
    let (world, endpoint, error) = failed_update(|table| {
        add_index(table, "LocalSecondaryIndexes", "byTime", &["pk", "time"]);
    })
    .await;
    assert!(matches!(
        error,
        UpdateError::Resource(ResourceError::NotUndone { .. })
    ));
    for expected in [json!("ttl"), Value::Null] {
        let off = json!({ "AttributeName": "ttl", "Enabled": false });
        let body = json!({ "TableName": "chat", "TimeToLiveSpecification": off });
        call(&endpoint, "AKIA", "UpdateTimeToLive", &body).await;
        let same = Setup::empty(world.puppets.bootstrap()).chat().table("chat");
        let updated = world.stack.update_resolved(same.stack, same.code).await;
        assert!(updated.unwrap().is_empty());
        // The first update renews the table, and the second one has no reason to.
        assert_eq!(ttl(&endpoint).await["AttributeName"], expected);
    }
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
    let (_, status, reason) = statuses(world.notices()).pop().unwrap();
    assert_eq!((&*status, &reason), ("UPDATE_ROLLBACK_FAILED", left));
    // It has its former keys, for the functions that still run.
    assert!(count(&endpoint, "byTime").await.is_err());
    assert_eq!(ttl(&endpoint).await["AttributeName"], "ttl");
    put(&endpoint, "chat", "new").await;
}
