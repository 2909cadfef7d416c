//! Answers that are incomplete, or not CloudFormation's.

use expect_test::expect;

use super::*;

#[tokio::test]
async fn broken_answers_are_reported() {
    let whole = page("DescribeStacks", "<Stacks><member><StackName>a</StackName><StackStatus>CREATE_COMPLETE</StackStatus></member></Stacks>").1;
    let until = |end: &str| whole[..whole.find(end).unwrap()].to_owned();
    let config = patient().await;
    let mut text = String::new();
    for body in [
        String::new(),
        " ".to_owned(),
        "not XML".to_owned(),
        "{}".to_owned(),
        "<?xml version=\"1.0\"?>".to_owned(),
        "<DescribeStacksResponse/>".to_owned(),
        "<DescribeStacksResponse></DescribeStacksResponse>".to_owned(),
        "<DescribeStacksResponse><ResponseMetadata/></DescribeStacksResponse>".to_owned(),
        "<DescribeStacksResponse><DescribeStacksResult/></DescribeStacksResponse>".to_owned(),
        "<DescribeStacksResult><Stacks/></DescribeStacksResult>".to_owned(),
        "<ListStacksResponse><ListStacksResult/></ListStacksResponse>".to_owned(),
        "<ErrorResponse><Error><Code>Throttling</Code><Message>m</Message></Error></ErrorResponse>"
            .to_owned(),
        until("_COMPLETE"),
        until("</StackStatus>"),
        until("</member>"),
        until("</Stacks>"),
        until("</DescribeStacksResult>"),
        until("</DescribeStacksResponse>"),
        until("StackStatus>CREATE"),
        whole.replace("</StackName>", "</StackNome>"),
        format!("\u{feff}{whole}"),
        format!("{whole}<more/>"),
    ] {
        text += &format!(
            "{body:?}\n  {}",
            outcome(&config, (200, body.clone())).await
        );
    }
    let text = text.replace(
        " xmlns=\\\"http://cloudformation.amazonaws.com/doc/2010-05-15/\\\"",
        " …",
    );
    expect![[r#"
        ""
          3 Unreachable: could not describe stack `chat` | the response is empty, with HTTP status 200 | hint: check the network and the Region's name, then tr
        " "
          1 Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        "not XML"
          1 Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        "{}"
          1 Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        "<?xml version=\"1.0\"?>"
          1 Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        "<DescribeStacksResponse/>"
          1 Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        "<DescribeStacksResponse></DescribeStacksResponse>"
          1 Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        "<DescribeStacksResponse><ResponseMetadata/></DescribeStacksResponse>"
          1 Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        "<DescribeStacksResponse><DescribeStacksResult/></DescribeStacksResponse>"
          1 None
        "<DescribeStacksResult><Stacks/></DescribeStacksResult>"
          1 Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        "<ListStacksResponse><ListStacksResult/></ListStacksResponse>"
          1 Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        "<ErrorResponse><Error><Code>Throttling</Code><Message>m</Message></Error></ErrorResponse>"
          1 Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        "<?xml version=\"1.0\"?>\n<DescribeStacksResponse …>\n  <DescribeStacksResult><Stacks><member><StackName>a</StackName><StackStatus>CREATE"
          1 Some(StackRecord { id: "", name: "a", status: Other("CREATE"), reason: None, outputs: {}, parameters: {}, role: None, topics: [], tags: {}, protected: false, changed_at: Some(0.0), mode: Standard })
        "<?xml version=\"1.0\"?>\n<DescribeStacksResponse …>\n  <DescribeStacksResult><Stacks><member><StackName>a</StackName><StackStatus>CREATE_COMPLETE"
          1 Some(StackRecord { id: "", name: "a", status: CreateComplete, reason: None, outputs: {}, parameters: {}, role: None, topics: [], tags: {}, protected: false, changed_at: Some(0.0), mode: Standard })
        "<?xml version=\"1.0\"?>\n<DescribeStacksResponse …>\n  <DescribeStacksResult><Stacks><member><StackName>a</StackName><StackStatus>CREATE_COMPLETE</StackStatus>"
          1 Some(StackRecord { id: "", name: "a", status: CreateComplete, reason: None, outputs: {}, parameters: {}, role: None, topics: [], tags: {}, protected: false, changed_at: Some(0.0), mode: Standard })
        "<?xml version=\"1.0\"?>\n<DescribeStacksResponse …>\n  <DescribeStacksResult><Stacks><member><StackName>a</StackName><StackStatus>CREATE_COMPLETE</StackStatus></member>"
          1 Some(StackRecord { id: "", name: "a", status: CreateComplete, reason: None, outputs: {}, parameters: {}, role: None, topics: [], tags: {}, protected: false, changed_at: Some(0.0), mode: Standard })
        "<?xml version=\"1.0\"?>\n<DescribeStacksResponse …>\n  <DescribeStacksResult><Stacks><member><StackName>a</StackName><StackStatus>CREATE_COMPLETE</StackStatus></member></Stacks>"
          1 Some(StackRecord { id: "", name: "a", status: CreateComplete, reason: None, outputs: {}, parameters: {}, role: None, topics: [], tags: {}, protected: false, changed_at: Some(0.0), mode: Standard })
        "<?xml version=\"1.0\"?>\n<DescribeStacksResponse …>\n  <DescribeStacksResult><Stacks><member><StackName>a</StackName><StackStatus>CREATE_COMPLETE</StackStatus></member></Stacks></DescribeStacksResult>\n  <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>\n"
          1 Some(StackRecord { id: "", name: "a", status: CreateComplete, reason: None, outputs: {}, parameters: {}, role: None, topics: [], tags: {}, protected: false, changed_at: Some(0.0), mode: Standard })
        "<?xml version=\"1.0\"?>\n<DescribeStacksResponse …>\n  <DescribeStacksResult><Stacks><member><StackName>a</StackName><"
          1 Some(StackRecord { id: "", name: "a", status: Other("no value was set"), reason: None, outputs: {}, parameters: {}, role: None, topics: [], tags: {}, protected: false, changed_at: Some(0.0), mode: Standard })
        "<?xml version=\"1.0\"?>\n<DescribeStacksResponse …>\n  <DescribeStacksResult><Stacks><member><StackName>a</StackNome><StackStatus>CREATE_COMPLETE</StackStatus></member></Stacks></DescribeStacksResult>\n  <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>\n</DescribeStacksResponse>\n"
          1 Some(StackRecord { id: "", name: "a", status: Other("no value was set"), reason: None, outputs: {}, parameters: {}, role: None, topics: [], tags: {}, protected: false, changed_at: Some(0.0), mode: Standard })
        "\u{feff}<?xml version=\"1.0\"?>\n<DescribeStacksResponse …>\n  <DescribeStacksResult><Stacks><member><StackName>a</StackName><StackStatus>CREATE_COMPLETE</StackStatus></member></Stacks></DescribeStacksResult>\n  <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>\n</DescribeStacksResponse>\n"
          1 Some(StackRecord { id: "", name: "a", status: CreateComplete, reason: None, outputs: {}, parameters: {}, role: None, topics: [], tags: {}, protected: false, changed_at: Some(0.0), mode: Standard })
        "<?xml version=\"1.0\"?>\n<DescribeStacksResponse …>\n  <DescribeStacksResult><Stacks><member><StackName>a</StackName><StackStatus>CREATE_COMPLETE</StackStatus></member></Stacks></DescribeStacksResult>\n  <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>\n</DescribeStacksResponse>\n<more/>"
          1 Some(StackRecord { id: "", name: "a", status: CreateComplete, reason: None, outputs: {}, parameters: {}, role: None, topics: [], tags: {}, protected: false, changed_at: Some(0.0), mode: Standard })
    "#]].assert_eq(&text);
}

#[tokio::test]
async fn answers_that_say_only_that_it_was_done_may_be_of_any_length() {
    let mut text = String::new();
    for action in [
        "DeleteStack",
        "ExecuteChangeSet",
        "DeleteChangeSet",
        "UpdateTerminationProtection",
    ] {
        let bodies = [
            page(action, "").1,
            format!("<{action}Response><ResponseMetadata/></{action}Response>"),
            format!("<{action}Response/>"),
            "<Other/>".to_owned(),
            "not XML".to_owned(),
            String::new(),
        ];
        let answers = bodies.iter().map(|body| (200, body.clone()));
        let (cloud, _) = cloud(answers.collect()).await;
        for body in bodies {
            let done = match action {
                "DeleteStack" => {
                    cloud
                        .delete_stack("s", "t", &[], DeployMode::Standard)
                        .await
                }
                "ExecuteChangeSet" => cloud.execute_change_set(&ids(), "t").await,
                "DeleteChangeSet" => cloud.delete_change_set(&ids()).await,
                _ => cloud.protect("chat", true).await,
            };
            let begins: String = body.chars().take(40).collect();
            writeln!(text, "{action} {begins:?}: {}", shown(done)).unwrap();
        }
    }
    expect![[r#"
        DeleteStack "<?xml version=\"1.0\"?>\n<DeleteStackRespon": ()
        DeleteStack "<DeleteStackResponse><ResponseMetadata/>": ()
        DeleteStack "<DeleteStackResponse/>": ()
        DeleteStack "<Other/>": ()
        DeleteStack "not XML": ()
        DeleteStack "": Unreachable: could not delete the stack | the response is empty, with HTTP status 200 | hint: check the network and the Region's name, then tr
        ExecuteChangeSet "<?xml version=\"1.0\"?>\n<ExecuteChangeSetR": ()
        ExecuteChangeSet "<ExecuteChangeSetResponse><ResponseMetad": ()
        ExecuteChangeSet "<ExecuteChangeSetResponse/>": ()
        ExecuteChangeSet "<Other/>": ()
        ExecuteChangeSet "not XML": ()
        ExecuteChangeSet "": Unreachable: could not execute the change set | the response is empty, with HTTP status 200 | hint: check the network and the Region's name, then tr
        DeleteChangeSet "<?xml version=\"1.0\"?>\n<DeleteChangeSetRe": ()
        DeleteChangeSet "<DeleteChangeSetResponse><ResponseMetada": ()
        DeleteChangeSet "<DeleteChangeSetResponse/>": ()
        DeleteChangeSet "<Other/>": ()
        DeleteChangeSet "not XML": ()
        DeleteChangeSet "": Unreachable: could not withdraw the change set | the response is empty, with HTTP status 200 | hint: check the network and the Region's name, then tr
        UpdateTerminationProtection "<?xml version=\"1.0\"?>\n<UpdateTermination": ()
        UpdateTerminationProtection "<UpdateTerminationProtectionResponse><Re": Unreachable: could not change the termination protection of stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        UpdateTerminationProtection "<UpdateTerminationProtectionResponse/>": Unreachable: could not change the termination protection of stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        UpdateTerminationProtection "<Other/>": Unreachable: could not change the termination protection of stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        UpdateTerminationProtection "not XML": Unreachable: could not change the termination protection of stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        UpdateTerminationProtection "": Unreachable: could not change the termination protection of stack `chat` | the response is empty, with HTTP status 200 | hint: check the network and the Region's name, then tr
    "#]].assert_eq(&text);
}
