//! What an update in place keeps, changes and ends.

use chatctl_local::unstable::stack::Stack;
use chatctl_local::{ChangeSummary, ResourceError, StackNotice, TablesError, UpdateError};
use serde_json::json;
use testing::processes::exists;

use crate::puppets::Act;
use crate::setup::Setup;
use crate::world::{World, until, within};

async fn update(world: &World, setup: Setup) -> Result<ChangeSummary, UpdateError> {
    world.stack.update_resolved(setup.stack, setup.code).await
}

/// Marks a resource as changed, as another digest of its properties does.
fn touch(stack: &mut Stack, id: &str) {
    let resource = stack
        .resources
        .iter_mut()
        .find(|resource| resource.logical_id == id)
        .unwrap();
    resource.digest.push('+');
}

fn base(world: &World) -> Setup {
    Setup::empty(world.puppets.bootstrap()).chat()
}

#[tokio::test]
async fn an_open_connection_stays_and_finds_the_new_route() {
    let world = World::chat().await;
    let mut client = world.connect().await;
    let id = world.connection_id(0).await;
    let pid = world.puppets.event("connect", 0).await.pid;
    client.send(r#"{"action":"join"}"#).await;
    world.puppets.event("default", 0).await;
    let summary = update(&world, base(&world).route("join", "join"))
        .await
        .unwrap();
    assert_eq!(
        (summary.added, summary.changed, summary.removed),
        (vec!["join".to_owned()], vec![], vec![])
    );
    client.send(r#"{"action":"join"}"#).await;
    assert_eq!(
        world.puppets.event("join", 0).await.context()["connectionId"],
        id
    );
    world.connect().await;
    assert_eq!(
        world.puppets.event("connect", 1).await.pid,
        pid,
        "an unchanged function keeps its process"
    );
}

#[tokio::test]
async fn nothing_to_change_is_an_empty_summary() {
    let world = World::chat().await;
    assert!(update(&world, base(&world)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_changed_function_gets_new_processes_and_the_old_one_finishes() {
    let world = World::start(|setup| setup.chat().two_way("echo", "echo")).await;
    let finish = world.puppets.later("echo", || body("new"));
    let mut client = world.connect().await;
    client.send(r#"{"action":"echo"}"#).await;
    let old = world.puppets.event("echo", 0).await.pid;
    let changed = base(&world).two_way("echo", "echo").edit(|stack| {
        let function = stack.functions.get_mut("echo").unwrap();
        function
            .environment
            .insert("COLOR".to_owned(), "blue".to_owned());
        touch(stack, "echo");
    });
    assert_eq!(update(&world, changed).await.unwrap().changed, ["echo"]);
    client.send(r#"{"action":"echo"}"#).await;
    assert_eq!(client.receive().await, "new");
    assert_ne!(world.puppets.event("echo", 1).await.pid, old);
    assert_eq!(world.puppets.variables().last().unwrap()["COLOR"], "blue");
    finish.send(body("old")).unwrap();
    assert_eq!(client.receive().await, "old");
    until(async || (!exists(old)).then_some(())).await;
}

fn body(text: &str) -> Act {
    Act::json(&json!({ "statusCode": 200, "body": text }))
}

#[tokio::test]
async fn new_code_at_the_same_path_is_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::chat().await;
    world.connect().await;
    let old = world.puppets.event("connect", 0).await.pid;
    let install = || {
        let bootstrap = folder.path().join("bootstrap");
        let part = folder.path().join("part");
        std::fs::copy(world.puppets.bootstrap().0, &part).unwrap();
        std::fs::rename(part, &bootstrap).unwrap();
        let mut setup = base(&world);
        setup
            .code
            .insert("connect".to_owned(), folder.path().to_owned());
        setup
    };
    assert_eq!(
        update(&world, install()).await.unwrap().changed,
        ["connect"]
    );
    world.connect().await;
    let first = world.puppets.event("connect", 1).await.pid;
    assert_ne!(first, old);
    assert_eq!(
        update(&world, install()).await.unwrap().changed,
        ["connect"]
    );
    world.connect().await;
    assert_ne!(world.puppets.event("connect", 2).await.pid, first);
}

#[tokio::test]
async fn a_removed_stage_closes_its_connections() {
    let rename = |stack: &mut Stack| {
        let mut stage = stack.api.stages.remove("v1").unwrap();
        stage.name = "v2".to_owned();
        stack.api.stages.insert("v2".to_owned(), stage);
    };
    let world = World::chat().await;
    let mut client = world.connect().await;
    update(&world, base(&world).edit(rename)).await.unwrap();
    assert_eq!(client.close_code().await, 1001);
    assert_eq!(world.upgrade("/v1", "").await.status, 403);
    world.connect_to("/v2", "").await;
}

#[tokio::test]
async fn a_role_has_its_new_policies_at_once() {
    let world = World::chat().await;
    let _client = world.connect().await;
    let path = format!("/v1/@connections/{}", world.connection_id(0).await);
    let key = world.puppets.variables()[0]["AWS_ACCESS_KEY_ID"].clone();
    assert_eq!(world.manage(&key, "GET", &path, b"").await.status, 200);
    update(&world, base(&world).policy(&json!([])))
        .await
        .unwrap();
    assert_eq!(world.manage(&key, "GET", &path, b"").await.status, 403);
}

#[tokio::test]
async fn tables_come_go_and_are_replaced_when_their_keys_change() {
    let world =
        World::start(|setup| setup.chat().table("kept").table("rekeyed").table("gone")).await;
    let with = |rekey: bool| {
        base(&world)
            .table("kept")
            .table("rekeyed")
            .table("new")
            .edit(|stack| {
                if rekey {
                    let create = &mut stack.tables.get_mut("rekeyedTable").unwrap().create;
                    create["KeySchema"][1]["AttributeName"] = "at".into();
                    create["AttributeDefinitions"][1]["AttributeName"] = "at".into();
                    touch(stack, "rekeyedTable");
                }
            })
    };
    let endpoint = world.stack.status().tables_endpoint;
    let summary = update(&world, with(true)).await.unwrap();
    assert_eq!(summary.added, ["newTable"]);
    assert_eq!(
        (summary.changed, summary.replaced),
        (
            vec!["rekeyedTable".to_owned()],
            vec!["rekeyedTable".to_owned()]
        )
    );
    assert_eq!(summary.removed, ["goneTable"]);
    let lost = world.notices().into_iter().any(|notice| match notice {
        StackNotice::Event(event) => {
            event.logical_id == "rekeyedTable"
                && event
                    .reason
                    .is_some_and(|reason| reason.contains("are lost"))
        }
        _ => false,
    });
    assert!(lost, "the loss is reported");
    assert_eq!(world.stack.status().tables_endpoint, endpoint);
    let names: Vec<String> = world
        .stack
        .status()
        .tables
        .into_iter()
        .map(|table| table.name)
        .collect();
    assert_eq!(names, ["kept", "new", "rekeyed"]);
    assert_eq!(
        crate::tables::table_names(&endpoint).await,
        ["kept", "new", "rekeyed"]
    );
}

#[tokio::test]
async fn table_data_stays_through_an_update() {
    let world = World::start(|setup| setup.chat().table("chat")).await;
    let endpoint = world.stack.status().tables_endpoint;
    crate::tables::put(&endpoint, "chat", "kept").await;
    let touched = base(&world)
        .table("chat")
        .route("join", "join")
        .edit(|stack| touch(stack, "chatTable"));
    assert_eq!(
        update(&world, touched).await.unwrap().changed,
        ["chatTable"]
    );
    assert_eq!(crate::tables::pks(&endpoint).await, ["kept"]);
}

#[tokio::test]
async fn a_refused_update_changes_nothing() {
    let world = World::start(|setup| setup.chat().table("chat")).await;
    let mut client = world.connect().await;
    let endpoint = world.stack.status().tables_endpoint;
    crate::tables::put(&endpoint, "chat", "kept").await;
    let reported = world.notices().len();
    let bad_table = base(&world)
        .table("chat")
        .table("bad")
        .route("join", "join")
        .edit(|stack| {
            stack
                .tables
                .get_mut("badTable")
                .unwrap()
                .create
                .as_object_mut()
                .unwrap()
                .remove("KeySchema");
            // It would be replaced if the update continued.
            let create = &mut stack.tables.get_mut("chatTable").unwrap().create;
            create["KeySchema"].as_array_mut().unwrap().pop();
            create["AttributeDefinitions"].as_array_mut().unwrap().pop();
        });
    let error = update(&world, bad_table).await.unwrap_err();
    assert!(
        matches!(
            error,
            UpdateError::Resource(ResourceError::Tables(TablesError::Create { .. }))
        ),
        "{error:?}"
    );
    let mut no_code = base(&world).table("chat").route("join", "join");
    no_code.code.remove("join");
    assert!(matches!(
        update(&world, no_code).await.unwrap_err(),
        UpdateError::Code(_)
    ));
    let other = base(&world).edit(|stack| stack.identity.stack_name = "other".to_owned());
    assert!(matches!(
        update(&world, other).await.unwrap_err(),
        UpdateError::OtherStack { .. }
    ));
    assert_eq!(world.notices().len(), reported, "nothing was begun");
    assert_eq!(crate::tables::pks(&endpoint).await, ["kept"]);
    assert_eq!(crate::tables::table_names(&endpoint).await, ["chat"]);
    client.send(r#"{"action":"join"}"#).await;
    assert_eq!(
        world.puppets.event("default", 0).await.context()["routeKey"],
        "$default"
    );
    within(world.stack.stop()).await;
}
