//! Every action that a role allows is one that the chat needs: without it something breaks, and this tells what.
//!
//! The emulator lets any function write its log; that both actions for it are needed shows on a local stack.

mod handler;
mod rooms;

use serde_json::Value;
use testing::until::eventually;

use crate::chat::{NOTICE, Person};
use crate::cloud::Cloud;
use crate::policies;

/// An edit that takes `action` from `role`.
fn without(
    role: &'static str,
    action: &'static str,
) -> impl Fn(&mut Value) + Send + Sync + 'static {
    move |template| policies::take(template, role, action)
}

async fn deployed_without(role: &'static str, action: &'static str) -> (Cloud, String) {
    let cloud = Cloud::start().await;
    cloud.between.edit_templates(without(role, action));
    let url = cloud.deploy("--no-probe").await.exits(0).url();
    (cloud, url)
}

async fn table(cloud: &Cloud) -> String {
    let outputs = cloud.chatctl("outputs --output json").await.exits(0);
    let outputs: Value = serde_json::from_str(&outputs.stdout).unwrap();
    outputs["TableName"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn without_put_item_no_client_can_connect() {
    let (_cloud, url) = deployed_without("ConnectRole", "dynamodb:PutItem").await;
    assert!(Person::connects(&url, "Tom", "Jerry").await.is_err());
}

#[tokio::test]
async fn without_query_no_name_is_let_in_because_it_may_be_banned() {
    let (_cloud, url) = deployed_without("ConnectRole", "dynamodb:Query").await;
    assert!(Person::connects(&url, "Tom", "Jerry").await.is_err());
}

#[tokio::test]
async fn without_delete_item_who_has_left_is_not_forgotten() {
    let (cloud, url) = deployed_without("DisconnectRole", "dynamodb:DeleteItem").await;
    let tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    assert_eq!(tom.leaves().await, [""; 0]);
    assert_ne!(cloud.items(&table(&cloud).await).await, 0);
}

#[tokio::test]
async fn without_query_a_friend_is_not_found() {
    let (_cloud, url) = deployed_without("DirectRole", "dynamodb:Query").await;
    let _jerry = Person::connects(&url, "Jerry", "Tom").await.unwrap();
    let mut tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    tom.says("hi").await;
    assert_ne!(
        tom.receives().await,
        NOTICE,
        "it is an error and not an absent friend"
    );
}

#[tokio::test]
async fn without_manage_connections_nothing_is_delivered() {
    let (cloud, url) = deployed_without("DirectRole", "execute-api:ManageConnections").await;
    let table = table(&cloud).await;
    let jerry = Person::connects(&url, "Jerry", "Tom").await.unwrap();
    let before = cloud.items(&table).await;
    let mut tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    tom.says("hi").await;
    // The emulator works one connection's frames off in turn: Tom is forgotten after his message was tried.
    assert_eq!(tom.leaves().await, [""; 0]);
    let is_forgotten = async || cloud.items(&table).await <= before;
    eventually("Tom is forgotten", is_forgotten).await;
    assert_eq!(jerry.leaves().await, [""; 0]);
}

/// The template without its authorizer, so that functions find out from the table who is speaking, as behind a gateway
/// that ignores authorizers, and without `action` in `role`.
fn unauthorized_and_without(
    role: &'static str,
    action: &'static str,
) -> impl Fn(&mut Value) + Send + Sync + 'static {
    move |template| {
        policies::take(template, role, action);
        policies::take_authorizer(template);
    }
}

/// Waits until a function has been refused `action` of DynamoDB.
async fn is_denied(cloud: &Cloud, action: &str) {
    let name = format!("DynamoDB_20120810.{action}");
    let is_denied = async || cloud.between.denied().contains(&name);
    eventually(&format!("{name} is denied"), is_denied).await;
}

#[tokio::test]
async fn without_get_item_no_connection_is_forgotten_where_there_is_no_authorizer() {
    let cloud = Cloud::start().await;
    let role = unauthorized_and_without("DisconnectRole", "dynamodb:GetItem");
    cloud.between.edit_templates(role);
    let url = cloud.deploy("--no-probe").await.exits(0).url();
    let table = table(&cloud).await;
    let tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    assert_eq!(
        cloud.items(&table).await,
        2,
        "his row and his connection's own record"
    );
    assert_eq!(tom.leaves().await, [""; 0]);
    is_denied(&cloud, "GetItem").await;
    assert_eq!(cloud.items(&table).await, 2);
}

#[tokio::test]
async fn without_get_item_a_message_has_no_sender_where_there_is_no_authorizer() {
    let cloud = Cloud::start().await;
    let role = unauthorized_and_without("DirectRole", "dynamodb:GetItem");
    cloud.between.edit_templates(role);
    let url = cloud.deploy("--no-probe").await.exits(0).url();
    let jerry = Person::connects(&url, "Jerry", "Tom").await.unwrap();
    let mut tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    tom.says("hi").await;
    is_denied(&cloud, "GetItem").await;
    assert_ne!(
        tom.receives().await,
        NOTICE,
        "it is an error and not an absent friend"
    );
    assert_eq!(jerry.leaves().await, [""; 0]);
}

#[tokio::test]
async fn where_an_authorizer_proves_sessions_nothing_reads_them_from_the_table() {
    let cloud = Cloud::start().await;
    cloud.between.edit_templates(|template: &mut Value| {
        // Only a template for an emulator has them.
        for role in ["DisconnectRole", "DirectRole"] {
            policies::take(template, role, "dynamodb:GetItem");
        }
    });
    let url = cloud.deploy("--no-probe").await.exits(0).url();
    let mut jerry = Person::connects(&url, "Jerry", "Tom").await.unwrap();
    let mut tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    tom.says("hi").await;
    assert_eq!(jerry.receives().await, "hi");
    assert_eq!(tom.leaves().await, [""; 0]);
    assert_eq!(jerry.leaves().await, [""; 0]);
    let table = table(&cloud).await;
    let is_empty = async || cloud.items(&table).await == 0;
    eventually("no row is left", is_empty).await;
    assert_eq!(cloud.between.denied(), [""; 0]);
}

/// What Tom receives who talks to Jerry, of whom there is only the row of a connection that ended unnoticed long ago.
async fn talks_to_a_lost_connection(url: &str, cloud: &Cloud, table: &str) -> String {
    let long_ago = 3600;
    cloud
        .row_of_a_lost_connection(table, "Jerry", long_ago)
        .await;
    let mut tom = Person::connects(url, "Tom", "Jerry").await.unwrap();
    tom.says("hi").await;
    let received = tom.receives().await;
    assert_eq!(tom.leaves().await, [""; 0]);
    received
}

#[tokio::test]
async fn without_delete_item_a_lost_connection_is_tried_again_and_again() {
    let (cloud, url) = deployed_without("DirectRole", "dynamodb:DeleteItem").await;
    let table = table(&cloud).await;
    assert_eq!(
        talks_to_a_lost_connection(&url, &cloud, &table).await,
        NOTICE
    );
    is_denied(&cloud, "DeleteItem").await;
    let forgets_tom = async || cloud.items(&table).await == 1;
    eventually("only Jerry's row is left", forgets_tom).await;
}

#[tokio::test]
async fn with_all_permissions_a_lost_connection_is_forgotten_without_a_denial() {
    let cloud = Cloud::start().await;
    let url = cloud.deploy("").await.exits(0).url();
    let table = table(&cloud).await;
    assert_eq!(
        talks_to_a_lost_connection(&url, &cloud, &table).await,
        NOTICE
    );
    let is_empty = async || cloud.items(&table).await == 0;
    eventually("no row is left", is_empty).await;
    assert_eq!(cloud.between.denied(), [""; 0]);
}
