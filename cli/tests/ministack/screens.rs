//! What a user sees at a terminal of 80 columns and 24 rows, and what a script reads.

use expect_test::expect;
use serde_json::{Value, json};

use crate::cloud::{Cloud, built_handlers};
use crate::failures::with_a_failure;
use crate::terminal::{at_a_terminal, steady};

fn deploy() -> String {
    format!("deploy --handlers {}", built_handlers().display())
}

#[tokio::test]
async fn a_first_deployment_then_nothing_to_change_and_a_teardown_at_a_terminal() {
    let cloud = Cloud::start().await;
    let first = at_a_terminal(cloud.command(&deploy()), &[("Deploy this?", "y\r")]).await;
    expect![[r#"
                       Connections.Arn
                  IAM: + DisconnectRole may logs:CreateLogStream, logs:PutLogEvents on
                       DisconnectLogs.Arn
                  each route takes 500 requests a second, 1000 at once (`throttle`
                  under `[stage]`)
                  any client that has the address can connect under any name, and
                  receives what is sent to that name: `mode = "token"` under `[auth]`
                  requires a token (`chatctl keys new` makes the key that signs them)
        Deploy this? [y/N] y
           deploy 26 resources, T
           verify 4 functions run what was published, T
            probe 1 route answers both ways, slowest N ms, T

        Paste one line into each of two terminals (wscat: `npm install -g wscat`):
        wscat -H msgfrom:Tom -H msgto:Jerry -c ws://127.0.0.1:PORT/_aws/execute-api/API/v1
        wscat -H msgfrom:Jerry -H msgto:Tom -c ws://127.0.0.1:PORT/_aws/execute-api/API/v1

        Or without wscat: `chatctl chat --as Tom --to Jerry`
        Or in a browser: `chatctl web`

        `chatctl status` tells how it is, `chatctl teardown` removes it"#]]
    .assert_eq(&first.exits(0).shows());
    let again = at_a_terminal(cloud.command(&deploy()), &[]).await;
    expect![[r#"
            check handlers given, for ARCH, eu-west-1, account 123456789012 as root,
                  bucket is there, stack chat is CREATE_COMPLETE, T
            build handlers N MB, zip N MB (ARCH, given; glibc N), T
          publish N MB for ARCH, already there, T
           change nothing has changed, T
           verify 4 functions run what was published, T
            probe 1 route answers both ways, slowest N ms, T

        Paste one line into each of two terminals (wscat: `npm install -g wscat`):
        wscat -H msgfrom:Tom -H msgto:Jerry -c ws://127.0.0.1:PORT/_aws/execute-api/API/v1
        wscat -H msgfrom:Jerry -H msgto:Tom -c ws://127.0.0.1:PORT/_aws/execute-api/API/v1

        Or without wscat: `chatctl chat --as Tom --to Jerry`
        Or in a browser: `chatctl web`

        `chatctl status` tells how it is, `chatctl teardown` removes it"#]]
    .assert_eq(&again.exits(0).shows());
    let declined = at_a_terminal(cloud.command("teardown"), &[("eu-west-1:", "no\r")]).await;
    expect![[r#"
        goes:  stack `chat` (CREATE_COMPLETE): 1 Api, 1 Authorizer, 4 Function, 3
               Integration, 4 LogGroup, 4 Permission, 4 Role, 3 Route, 1 Stage, 1 Table
        goes:  table chat-Connections-ID (about N items)
        This cannot be taken back. Type the stack's name to tear it down in account
        123456789012, eu-west-1: no
        error: declined, nothing was changed
        hint: `--keep-data` keeps the table"#]]
    .assert_eq(&declined.exits(2).shows());
    let gone = at_a_terminal(cloud.command("teardown"), &[("eu-west-1:", "chat\r")]).await;
    expect![[r#"
        goes:  stack `chat` (CREATE_COMPLETE): 1 Api, 1 Authorizer, 4 Function, 3
               Integration, 4 LogGroup, 4 Permission, 4 Role, 3 Route, 1 Stage, 1 Table
        goes:  table chat-Connections-ID (about N items)
        This cannot be taken back. Type the stack's name to tear it down in account
        123456789012, eu-west-1: chat
         teardown everything removed, T
        stack `chat` in eu-west-1 is gone
        left: bucket chatctl-123456789012-eu-west-1-an, for the next deployment; empty
              it costs nothing"#]]
    .assert_eq(&gone.exits(0).shows());
    let twice = at_a_terminal(cloud.command("teardown"), &[]).await;
    expect![[r#"
        there is no stack `chat` in eu-west-1
        left: bucket chatctl-123456789012-eu-west-1-an, for the next deployment; empty
              it costs nothing"#]]
    .assert_eq(&twice.exits(0).shows());
}

/// An older version: its direct function may not query, and its table has a name of its own.
fn older(template: &mut Value) {
    let resources = &mut template["Resources"];
    resources["Connections"]["Properties"]["TableName"] = json!("chat-old");
    let policies = resources["DirectRole"]["Properties"]["Policies"].as_array_mut();
    for policy in policies.unwrap() {
        let granted = &mut policy["PolicyDocument"]["Statement"][0]["Action"];
        if let Value::Array(actions) = granted {
            actions.retain(|action| action != "dynamodb:Query");
        }
    }
}

#[tokio::test]
async fn an_update_shows_what_is_replaced_which_data_is_lost_and_which_permissions_are_gained() {
    let cloud = Cloud::start().await;
    cloud.between.edit_templates(older);
    cloud.deploy("--no-probe").await.exits(0);
    cloud.between.leave_templates_alone();
    cloud
        .between
        .tell_value_before("Connections", "/Properties/TableName", "chat-old");
    let declined = at_a_terminal(cloud.command(&deploy()), &[("Deploy this?", "n\r")]).await;
    expect![[r#"
                  ! Connections AWS::DynamoDB::Table: TableName (replaced: its contents
                    are lost)
                      TableName: chat-old → nothing
                  ! DefaultRoute AWS::ApiGatewayV2::Route: Target (may be replaced)
                  ~ DirectFunction AWS::Lambda::Function: Environment, Role
                  ! DirectIntegration AWS::ApiGatewayV2::Integration: IntegrationUri
                    (may be replaced)
                  ~ DirectRole AWS::IAM::Role: Policies
                  ~ DisconnectFunction AWS::Lambda::Function: Environment, Role
                  ! DisconnectIntegration AWS::ApiGatewayV2::Integration:
                    IntegrationUri (may be replaced)
                  ~ DisconnectRole AWS::IAM::Role: Policies
                  ! DisconnectRoute AWS::ApiGatewayV2::Route: Target (may be replaced)
                  IAM: + DirectRole may dynamodb:Query on Connections.Arn
                  each route takes 500 requests a second, 1000 at once (`throttle`
                  under `[stage]`)
                  any client that has the address can connect under any name, and
                  receives what is sent to that name: `mode = "token"` under `[auth]`
                  requires a token (`chatctl keys new` makes the key that signs them)
                  the items of table Connections are lost
        Deploy this? [y/N] n
        error: declined, nothing was changed
        hint: `chatctl diff` shows again what would change"#]]
    .assert_eq(&declined.exits(2).shows());
    let status = cloud.stack_status("chat").await;
    assert_eq!(status.as_deref(), Some("CREATE_COMPLETE"));
}

#[tokio::test]
async fn a_first_deployment_that_fails_ends_with_one_cause_and_what_is_left() {
    let cloud = Cloud::start().await;
    cloud.between.edit_templates(with_a_failure(1));
    let failed = at_a_terminal(cloud.command(&deploy()), &[("Deploy this?", "y\r")]).await;
    expect![[r#"
                  IAM: + DirectRole may dynamodb:DeleteItem, dynamodb:GetItem,
                       dynamodb:Query on Connections.Arn
                  IAM: + DirectRole may execute-api:ManageConnections on
                       execute-api:${Api}/${StageName}/POST/@connections/*
                  IAM: + DirectRole may logs:CreateLogStream, logs:PutLogEvents on
                       DirectLogs.Arn
                  IAM: + DisconnectRole may be assumed by lambda.amazonaws.com
                  IAM: + DisconnectRole may dynamodb:DeleteItem, dynamodb:GetItem on
                       Connections.Arn
                  IAM: + DisconnectRole may logs:CreateLogStream, logs:PutLogEvents on
                       DisconnectLogs.Arn
                  each route takes 500 requests a second, 1000 at once (`throttle`
                  under `[stage]`)
                  any client that has the address can connect under any name, and
                  receives what is sent to that name: `mode = "token"` under `[auth]`
                  requires a token (`chatctl keys new` makes the key that signs them)
        Deploy this? [y/N] y
           deploy Patience CREATE_FAILED: WaitCondition timed out. Received 0
                  conditions when expecting 1
        error: stack `chat` settled as ROLLBACK_COMPLETE
          Patience (AWS::CloudFormation::WaitCondition) could not be created:
          WaitCondition timed out. Received 0 conditions when expecting 1
        hint: nothing of it is left but its name, which the next deployment removes"#]]
    .assert_eq(&failed.exits(3).shows());
}

#[tokio::test]
async fn a_script_reads_one_json_value_a_line_and_nothing_else() {
    let cloud = Cloud::start().await;
    let run = cloud.deploy("--output json").await.exits(0);
    assert_eq!(run.stderr, "");
    let mut lines = Vec::new();
    let (mut events, mut members) = (0, Vec::new());
    for line in run.stdout.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        if value["type"] == "stackEvent" {
            events += 1;
            members = value.as_object().unwrap().keys().cloned().collect();
        } else {
            lines.push(line);
        }
    }
    assert!(events >= 26, "{events} stack events");
    assert_eq!(
        members[..6],
        ["type", "id", "at", "logicalId", "resourceType", "status"]
    );
    expect![[r#"
        {"type":"started","step":"check"}
        {"type":"finished","step":"check","detail":"handlers given, for ARCH, eu-west-1, account 123456789012 as root, bucket will be made, stack chat is new","milliseconds":N}
        {"type":"plan","stack":"chat","target":"aws","region":"eu-west-1","build":[],"given":[{"name":"handlers","path":"FILE"}],"state":null,"throttle":{"rate":500,"burst":1000},"cost":{"people":100,"messagesPerDay":50,"dollarsPerMonth":0.99,"pricesOf":"us-east-1"}}
        {"type":"started","step":"build"}
        {"type":"finished","step":"build","detail":"handlers N MB, zip N MB (ARCH, given; glibc N)","milliseconds":N}
        {"type":"started","step":"publish"}
        {"type":"finished","step":"publish","detail":"N MB for ARCH, sent","milliseconds":N}
        {"type":"started","step":"prepare"}
        {"type":"finished","step":"prepare","detail":"26 to add","milliseconds":N}
        {"type":"notice","message":"any client that has the address can connect under any name, and receives what is sent to that name: `mode = \"token\"` under `[auth]` requires a token (`chatctl keys new` makes the key that signs them)"}
        {"type":"started","step":"deploy"}
        {"type":"expecting","resources":26}
        {"type":"finished","step":"deploy","detail":"26 resources","milliseconds":N}
        {"type":"started","step":"verify"}
        {"type":"finished","step":"verify","detail":"4 functions run what was published","milliseconds":N}
        {"type":"started","step":"probe"}
        {"type":"finished","step":"probe","detail":"1 route answers both ways, slowest N ms","milliseconds":N}
        {"type":"result","stack":"chat","stage":"v1","endpoint":"ws://127.0.0.1:PORT/_aws/execute-api/API/v1","connectCommands":[{"from":"Tom","to":"Jerry","command":"wscat -H msgfrom:Tom -H msgto:Jerry -c ws://127.0.0.1:PORT/_aws/execute-api/API/v1"},{"from":"Jerry","to":"Tom","command":"wscat -H msgfrom:Jerry -H msgto:Tom -c ws://127.0.0.1:PORT/_aws/execute-api/API/v1"}],"page":null}"#]].assert_eq(&steady(&lines.join("\n")));
    let gone = cloud.chatctl("teardown --yes --output json").await.exits(0);
    assert_eq!(gone.stderr, "");
    let last = gone.stdout.lines().last().unwrap();
    expect![[r#"{"type":"result","stack":"chat","removed":true,"left":{"tables":[],"spared":[],"bucket":"chatctl-123456789012-eu-west-1-an"}}"#]].assert_eq(last);
    let missing = cloud.chatctl("status --output json").await.exits(2);
    expect![[r#"{"type":"error","exitCode":2,"message":"there is no stack `chat` in eu-west-1","hint":"`chatctl deploy` makes it; another region or account may have it (`--region`, `--profile`)"}"#]].assert_eq(missing.stdout.trim_end());
}
