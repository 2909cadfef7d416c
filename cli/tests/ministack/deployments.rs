//! What goes well.

use crate::chat::{NOTICE, Person, two_friends_chat};
use crate::cloud::Cloud;
use expect_test::expect;

/// The lines up to the empty one before the commands, without what differs from run to run.
fn screen(stderr: &str) -> String {
    let lines = stderr.lines().take_while(|line| !line.is_empty());
    let (created, rest): (Vec<_>, Vec<_>) = lines.partition(|line| line.ends_with(" created"));
    // The first line keeps the columns of the others in place.
    let mut screen = String::from("$ chatctl deploy --yes\n");
    for line in rest {
        if line.contains("deploy 26 resources") {
            screen.push_str(&format!("   deploy ... created, {} lines\n", created.len()));
        }
        // Which processor and why, and which glibc: this machine's business.
        let line = match (line.split_once(" ("), line.rsplit_once("), ")) {
            (Some((before, _)), Some((_, after))) if line.contains(" build ") => {
                format!("{before} (NOTE), {after}")
            }
            _ => line.to_owned(),
        };
        // Where the tests' handlers lie.
        let line = match line.split_once("its functions run ") {
            Some((before, _)) => format!("{before}its functions run FILE"),
            None => line,
        };
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for at in 0..words.len() {
            let unit = words.get(at + 1).map(|next| next.trim_end_matches(','));
            if matches!(unit, Some("MB" | "ms")) {
                words[at] = "N".into();
            }
            if matches!(words[at].as_str(), "x86_64," | "arm64,") {
                words[at] = "ARCH,".into();
            }
        }
        if words
            .last()
            .is_some_and(|last| last.ends_with('s') && last.contains('.'))
        {
            words.pop();
            words.push("T".into());
        }
        screen.push_str(&words.join(" "));
        screen.push('\n');
    }
    screen
}

#[tokio::test]
async fn a_stack_is_deployed_chatted_over_left_unchanged_and_torn_down_twice() {
    let cloud = Cloud::start().await;
    let first = cloud.deploy("").await.exits(0);
    first.explains("1 route answers both ways");
    let url = first.url();
    assert_eq!(
        first.stdout,
        format!(
            "wscat -H msgfrom:Tom -H msgto:Jerry -c {url}\nwscat -H msgfrom:Jerry -H msgto:Tom -c {url}\n"
        )
    );
    expect![[r#"
        $ chatctl deploy --yes
            check handlers given, for ARCH, eu-west-1, account 123456789012 as root, bucket will be made, stack chat is new, T
             plan deploy stack `chat` to eu-west-1, once you agree; its functions run FILE
             plan it is charged by use: some $0.99 a month for 100 people who send 50 messages a day each; `chatctl cost` has the parts
            build handlers N MB, zip N MB (NOTE), T
          publish N MB for ARCH, sent, T
           change 26 to add, T
                  + 26 new: 1 Api, 1 Authorizer, 4 Function, 3 Integration, 4 LogGroup, 4 Permission, 4 Role, 3 Route, 1 Stage, 1 Table
                  IAM: + AuthorizeRole may be assumed by lambda.amazonaws.com
                  IAM: + AuthorizeRole may logs:CreateLogStream, logs:PutLogEvents on AuthorizeLogs.Arn
                  IAM: + ConnectRole may be assumed by lambda.amazonaws.com
                  IAM: + ConnectRole may dynamodb:PutItem on Connections.Arn
                  IAM: + ConnectRole may dynamodb:Query on Connections.Arn where each dynamodb:LeadingKeys is like B#*
                  IAM: + ConnectRole may logs:CreateLogStream, logs:PutLogEvents on ConnectLogs.Arn
                  IAM: + DirectRole may be assumed by lambda.amazonaws.com
                  IAM: + DirectRole may dynamodb:DeleteItem, dynamodb:GetItem, dynamodb:Query on Connections.Arn
                  IAM: + DirectRole may execute-api:ManageConnections on execute-api:${Api}/${StageName}/POST/@connections/*
                  IAM: + DirectRole may logs:CreateLogStream, logs:PutLogEvents on DirectLogs.Arn
                  IAM: + DisconnectRole may be assumed by lambda.amazonaws.com
                  IAM: + DisconnectRole may dynamodb:DeleteItem, dynamodb:GetItem on Connections.Arn
                  IAM: + DisconnectRole may logs:CreateLogStream, logs:PutLogEvents on DisconnectLogs.Arn
                  each route takes 500 requests a second, 1000 at once (`throttle` under `[stage]`)
                  any client that has the address can connect under any name, and receives what is sent to that name: `mode = "token"` under `[auth]` requires a token (`chatctl keys new` makes the key that signs them)
           deploy ... created, 26 lines
           deploy 26 resources, T
           verify 4 functions run what was published, T
            probe 1 route answers both ways, slowest N ms, T
    "#]]
    .assert_eq(&screen(&first.stderr));
    two_friends_chat(&url).await;
    let mut tom = Person::connects(&url, "Tom", "Nobody").await.unwrap();
    tom.says("anybody?").await;
    assert_eq!(tom.receives().await, NOTICE);
    assert_eq!(tom.leaves().await, [""; 0]);

    let again = cloud.deploy("").await.exits(0);
    again
        .explains("nothing has changed")
        .explains("already there");
    assert_eq!(again.stdout, first.stdout);
    let printed = cloud.chatctl("print-connect-commands").await.exits(0);
    assert_eq!(printed.stdout, first.stdout);
    assert_eq!(
        cloud.stack_status("chat").await.as_deref(),
        Some("CREATE_COMPLETE")
    );

    cloud
        .chatctl("teardown --yes")
        .await
        .exits(0)
        .explains("stack `chat` in eu-west-1 is gone");
    assert_eq!(cloud.stack_status("chat").await, None);
    assert_eq!(
        cloud.objects().await,
        [""; 0],
        "the handlers that nobody uses are removed"
    );
    cloud
        .chatctl("teardown --yes")
        .await
        .exits(0)
        .explains("there is no stack `chat`");
    cloud.chatctl("status").await.exits(2);
}

#[tokio::test]
async fn a_new_route_and_new_handlers_are_reported_beforehand_and_serve_afterwards() {
    let cloud = Cloud::start().await;
    let url = cloud.deploy("").await.exits(0).url();
    let same = format!(
        "diff --exit-code --handlers {}",
        crate::cloud::built_handlers().display()
    );
    cloud
        .chatctl(&same)
        .await
        .exits(0)
        .explains("nothing would change");

    cloud.config("[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"send\"\n");
    let status = cloud.chatctl("status").await.exits(0);
    let drift = "differs      the config describes another template";
    assert!(status.stdout.contains(drift), "{}", status.stdout);
    let reported = cloud.chatctl(&same).await.exits(5);
    assert!(
        reported
            .stdout
            .contains("+ RouteSend AWS::ApiGatewayV2::Route"),
        "{}",
        reported.stdout
    );
    let json = cloud
        .chatctl(&format!("{same} --output json"))
        .await
        .exits(5);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["changed"], true);
    let after = cloud.deploy("").await.exits(0);
    after.explains("2 routes answer both ways");
    assert_eq!(after.url(), url, "an update keeps the endpoint");

    let newer = cloud.handlers("-newer");
    let deploy = format!("deploy --yes --handlers {}", newer.display());
    cloud.chatctl(&deploy).await.exits(0).explains("to change");
    cloud
        .chatctl(&deploy)
        .await
        .exits(0)
        .explains("nothing has changed");
}

#[tokio::test]
async fn hotswapped_handlers_serve_until_a_deployment_puts_the_drift_permission() {
    let cloud = Cloud::start().await;
    cloud.deploy("").await.exits(0);
    let newer = cloud.handlers("-newer");
    let swap = format!("deploy --yes --hotswap --handlers {}", newer.display());
    cloud
        .chatctl(&swap)
        .await
        .exits(0)
        .explains("new code in 4 of 4 functions, bypassing CloudFormation");
    let executed = cloud
        .between
        .asked()
        .iter()
        .filter(|action| *action == "ExecuteChangeSet")
        .count();
    assert_eq!(
        executed, 1,
        "only the first deployment went through the stack"
    );
    let status = cloud.chatctl("status").await.exits(0);
    assert!(
        status
            .stdout
            .contains("DirectFunction runs other code than was deployed with the stack"),
        "{}",
        status.stdout
    );
    // The first handlers again: CloudFormation sees no change, and yet something else runs.
    cloud
        .deploy("")
        .await
        .exits(0)
        .explains("nothing has changed")
        .explains("the published code replaces it");
    let status = cloud.chatctl("status").await.exits(0);
    assert!(!status.stdout.contains("differs"), "{}", status.stdout);
    // More than code has changed: a full deployment, although a swap was asked for.
    cloud.config("[logs]\nretention-days = 30\n");
    cloud
        .chatctl(&swap)
        .await
        .exits(0)
        .explains("more than the handlers has changed");
}

#[tokio::test]
async fn two_stacks_and_two_stages_live_side_by_side() {
    let cloud = Cloud::start().await;
    let (one, two) = (
        cloud.deploy("--stack one --stage v1"),
        cloud.deploy("--stack two --stage beta"),
    );
    let (one, two) = (one.await.exits(0).url(), two.await.exits(0).url());
    assert!(
        one.ends_with("/v1") && two.ends_with("/beta"),
        "{one} {two}"
    );
    two_friends_chat(&one).await;
    cloud
        .chatctl("teardown --yes --stack one")
        .await
        .exits(0)
        .explains("used by two");
    assert_eq!(
        cloud.published().await,
        1,
        "the other stack still uses them"
    );
    two_friends_chat(&two).await;
    let newer = cloud.handlers("-newer");
    let deploy = format!(
        "deploy --yes --no-probe --stack two --stage beta --handlers {}",
        newer.display()
    );
    cloud.chatctl(&deploy).await.exits(0);
    assert_eq!(cloud.published().await, 2);
    cloud.chatctl("teardown --yes --stack two").await.exits(0);
    assert_eq!(
        cloud.objects().await,
        [""; 0],
        "what its earlier deployment used goes, too"
    );
}

#[tokio::test]
async fn a_protected_stack_stays_until_the_protection_is_lifted() {
    let cloud = Cloud::start().await;
    cloud.deploy("--protect --no-probe").await.exits(0);
    cloud
        .chatctl("teardown --yes")
        .await
        .exits(2)
        .explains("--protect=false");
    assert!(cloud.stack_status("chat").await.is_some());
    cloud.deploy("--protect=false --no-probe").await.exits(0);
    cloud.chatctl("teardown --yes").await.exits(0);
}

#[tokio::test]
async fn a_table_that_is_to_be_kept_outlives_its_stack() {
    let cloud = Cloud::start().await;
    let url = cloud.deploy("--no-probe").await.exits(0).url();
    let outputs = cloud.chatctl("outputs --output json").await.exits(0);
    let outputs: serde_json::Value = serde_json::from_str(&outputs.stdout).unwrap();
    let table = outputs["TableName"].as_str().unwrap();
    let tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    for name in ["Jerry", "Ann"] {
        cloud.row_of_a_lost_connection(table, name, 60).await;
    }
    let items = cloud.items(table).await;
    cloud
        .chatctl("teardown --yes --keep-data")
        .await
        .exits(0)
        .explains("goes:  stack `chat` (CREATE_COMPLETE): 1 Api,")
        .explains(&format!("stays: table {table} (about {items} items)"))
        .explains(&format!("left: table {table}"));
    assert_ne!(cloud.items(table).await, 0);
    drop(tom);
}

#[tokio::test]
async fn a_dry_run_leaves_nothing_behind_where_there_was_nothing() {
    let cloud = Cloud::start().await;
    let handlers = crate::cloud::built_handlers().display();
    let run = cloud
        .chatctl(&format!("deploy --dry-run --handlers {handlers}"))
        .await
        .exits(0);
    assert!(run.stdout.contains("26 new"), "{}", run.stdout);
    assert_eq!(cloud.stack_status("chat").await, None);
    cloud.between.only_looked();
}
