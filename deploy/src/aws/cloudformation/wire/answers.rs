//! Descriptions of stacks, resources, events and templates.

use expect_test::expect;

use super::*;

/// What `call` makes of each answer to `action`, a line each, after the row's name.
async fn table<T: std::fmt::Debug>(
    action: &str,
    rows: &[(&str, &str)],
    call: impl AsyncFn(&Cloud) -> Result<T, TargetError>,
) -> String {
    let answers = rows.iter().map(|(_, members)| page(action, members));
    let (cloud, _) = cloud(answers.collect()).await;
    let mut text = String::new();
    for (name, _) in rows {
        writeln!(text, "{name}: {}", shown(call(&cloud).await)).unwrap();
    }
    text
}

/// A stack with `members` beside those that each has.
macro_rules! stack {
    ($members:expr) => {
        concat!(
            "<Stacks><member><StackName>chat</StackName><StackId>arn:1</StackId>\
             <CreationTime>2026-01-01T00:00:00Z</CreationTime>",
            $members,
            "</member></Stacks>"
        )
    };
}

#[tokio::test]
async fn a_stack_s_fields_are_read() {
    let full = "
    <Stacks>
      <member>
        <Outputs>
          <member><OutputKey>Url</OutputKey><OutputValue>wss://x/v1?a=1&amp;b=2</OutputValue><Description>d</Description></member>
          <member><OutputKey>Empty</OutputKey><OutputValue/></member>
          <member><OutputKey>Missing</OutputKey></member>
          <member><OutputValue>without a key</OutputValue></member>
        </Outputs>
        <Capabilities><member>CAPABILITY_IAM</member></Capabilities>
        <CreationTime>2026-01-01T00:00:00.250Z</CreationTime>
        <NotificationARNs><member>arn:sns:a</member><member/><member>arn:sns:b</member></NotificationARNs>
        <StackId>arn:aws:cloudformation:eu-west-1:1:stack/chat/1</StackId>
        <StackName>chat</StackName>
        <Description>a &lt;chat&gt;</Description>
        <StackStatus>UPDATE_ROLLBACK_COMPLETE</StackStatus>
        <StackStatusReason> &#65;&#x42; &quot;c&quot; &apos;d&apos; 🦀\n e </StackStatusReason>
        <DisableRollback>false</DisableRollback>
        <Tags><member><Key>team &amp; more</Key><Value/></member><member><Value>v</Value></member><member><Key>k</Key></member></Tags>
        <LastUpdatedTime>2026-02-03T04:05:06.789Z</LastUpdatedTime>
        <RollbackConfiguration/>
        <DriftInformation><StackDriftStatus>NOT_CHECKED</StackDriftStatus></DriftInformation>
        <EnableTerminationProtection>true</EnableTerminationProtection>
        <Parameters>
          <member><ParameterKey>A</ParameterKey><ParameterValue>1</ParameterValue></member>
          <member><ParameterKey>B</ParameterKey><UsePreviousValue>true</UsePreviousValue></member>
        </Parameters>
        <RoleARN>arn:aws:iam::1:role/r</RoleARN>
        <DeploymentConfig><Mode>EXPRESS</Mode><DisableRollback>false</DisableRollback></DeploymentConfig>
        <FieldOfTheFuture><Deep><Deeper>1</Deeper></Deep></FieldOfTheFuture>
      </member>
    </Stacks>";
    let rows = [("full", full)];
    let text = table("DescribeStacks", &rows, async |cloud| {
        cloud.stack("chat").await
    })
    .await;
    expect![[r#"
        full: Some(StackRecord { id: "arn:aws:cloudformation:eu-west-1:1:stack/chat/1", name: "chat", status: UpdateRollbackComplete, reason: Some(" AB \"c\" 'd' 🦀\n e "), outputs: {"Empty": "", "Missing": "", "Url": "wss://x/v1?a=1&b=2"}, parameters: {"A": "1", "B": ""}, role: Some("arn:aws:iam::1:role/r"), topics: ["arn:sns:a", "", "arn:sns:b"], tags: {"": "v", "k": "", "team & more": ""}, protected: true, changed_at: Some(1770091506.789), mode: Express })
    "#]].assert_eq(&text);
}

#[tokio::test]
async fn odd_descriptions_of_a_stack_are_read_like_this() {
    let rows = [
        ("no list", ""),
        ("empty list", "<Stacks/>"),
        ("empty member", "<Stacks><member/></Stacks>"),
        (
            "strange member",
            "<Stacks><entry><StackName>no</StackName></entry></Stacks>",
        ),
        ("nothing but the rest", stack!("")),
        (
            "future status",
            stack!("<StackStatus>FROM_THE_FUTURE</StackStatus>"),
        ),
        ("empty status", stack!("<StackStatus/>")),
        (
            "status with space",
            stack!("<StackStatus> CREATE_COMPLETE </StackStatus>"),
        ),
        (
            "status in CDATA",
            stack!("<StackStatus><![CDATA[CREATE_COMPLETE]]></StackStatus>"),
        ),
        (
            "status and comment",
            stack!("<StackStatus><!-- x -->CREATE_COMPLETE</StackStatus>"),
        ),
        (
            "status with attribute",
            stack!("<StackStatus xsi:type=\"x\">CREATE_COMPLETE</StackStatus>"),
        ),
        (
            "status with prefix",
            stack!("<c:StackStatus>CREATE_COMPLETE</c:StackStatus>"),
        ),
        (
            "status twice",
            stack!(
                "<StackStatus>CREATE_COMPLETE</StackStatus><StackStatus>DELETE_FAILED</StackStatus>"
            ),
        ),
        (
            "element in status",
            stack!("<StackStatus><a>CREATE_COMPLETE</a></StackStatus>"),
        ),
        (
            "unknown entity",
            stack!("<StackStatusReason>a &nbsp; b</StackStatusReason>"),
        ),
        (
            "empty reason",
            stack!("<StackStatusReason></StackStatusReason>"),
        ),
        ("empty role", stack!("<RoleARN/>")),
        (
            "empty lists",
            stack!("<Outputs/><Parameters/><Tags/><NotificationARNs/>"),
        ),
        (
            "protection in capitals",
            stack!("<EnableTerminationProtection>TRUE</EnableTerminationProtection>"),
        ),
        ("empty protection", stack!("<EnableTerminationProtection/>")),
        (
            "future mode",
            stack!("<DeploymentConfig><Mode>WARP</Mode></DeploymentConfig>"),
        ),
        ("empty mode", stack!("<DeploymentConfig/>")),
        (
            "whole seconds",
            stack!("<LastUpdatedTime>2026-02-03T04:05:06Z</LastUpdatedTime>"),
        ),
        (
            "microseconds",
            stack!("<LastUpdatedTime>2026-02-03T04:05:06.000001Z</LastUpdatedTime>"),
        ),
        (
            "offset",
            stack!("<LastUpdatedTime>2026-02-03T04:05:06+02:00</LastUpdatedTime>"),
        ),
        (
            "before the epoch",
            stack!("<LastUpdatedTime>1969-12-31T23:59:59.5Z</LastUpdatedTime>"),
        ),
        (
            "no time",
            stack!("<LastUpdatedTime>yesterday</LastUpdatedTime>"),
        ),
        ("empty time", stack!("<LastUpdatedTime/>")),
    ];
    let text = table("DescribeStacks", &rows, async |cloud| {
        cloud.stack("chat").await
    })
    .await;
    // What is the same in each.
    let text = text
        .replace(", outputs: {}, parameters: {}", "")
        .replace(", role: None, topics: [], tags: {}", "");
    expect![[r#"
        no list: None
        empty list: None
        empty member: Some(StackRecord { id: "", name: "", status: Other("no value was set"), reason: None, protected: false, changed_at: Some(0.0), mode: Standard })
        strange member: None
        nothing but the rest: Some(StackRecord { id: "arn:1", name: "chat", status: Other("no value was set"), reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        future status: Some(StackRecord { id: "arn:1", name: "chat", status: Other("FROM_THE_FUTURE"), reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        empty status: Some(StackRecord { id: "arn:1", name: "chat", status: Other(""), reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        status with space: Some(StackRecord { id: "arn:1", name: "chat", status: Other(" CREATE_COMPLETE "), reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        status in CDATA: Some(StackRecord { id: "arn:1", name: "chat", status: Other(""), reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        status and comment: Some(StackRecord { id: "arn:1", name: "chat", status: CreateComplete, reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        status with attribute: Some(StackRecord { id: "arn:1", name: "chat", status: CreateComplete, reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        status with prefix: Some(StackRecord { id: "arn:1", name: "chat", status: CreateComplete, reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        status twice: Some(StackRecord { id: "arn:1", name: "chat", status: CreateComplete, reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        element in status: Some(StackRecord { id: "arn:1", name: "chat", status: Other(""), reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        unknown entity: Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        empty reason: Some(StackRecord { id: "arn:1", name: "chat", status: Other("no value was set"), reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        empty role: Some(StackRecord { id: "arn:1", name: "chat", status: Other("no value was set"), reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        empty lists: Some(StackRecord { id: "arn:1", name: "chat", status: Other("no value was set"), reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        protection in capitals: Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        empty protection: Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        future mode: Some(StackRecord { id: "arn:1", name: "chat", status: Other("no value was set"), reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        empty mode: Some(StackRecord { id: "arn:1", name: "chat", status: Other("no value was set"), reason: None, protected: false, changed_at: Some(1767225600.0), mode: Standard })
        whole seconds: Some(StackRecord { id: "arn:1", name: "chat", status: Other("no value was set"), reason: None, protected: false, changed_at: Some(1770091506.0), mode: Standard })
        microseconds: Some(StackRecord { id: "arn:1", name: "chat", status: Other("no value was set"), reason: None, protected: false, changed_at: Some(1770091506.000001), mode: Standard })
        offset: Some(StackRecord { id: "arn:1", name: "chat", status: Other("no value was set"), reason: None, protected: false, changed_at: Some(1770084306.0), mode: Standard })
        before the epoch: Some(StackRecord { id: "arn:1", name: "chat", status: Other("no value was set"), reason: None, protected: false, changed_at: Some(-0.5), mode: Standard })
        no time: Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
        empty time: Unreachable: could not describe stack `chat` | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
    "#]].assert_eq(&text);
}

#[tokio::test]
async fn the_last_of_several_stacks_counts_and_all_are_listed() {
    let both = "<Stacks><member><StackName>a</StackName></member><member><StackName>b</StackName></member></Stacks>";
    let (cloud, _) = cloud(vec![page("DescribeStacks", both)]).await;
    assert_eq!(cloud.stack("chat").await.unwrap().unwrap().name, "b");
    let names: Vec<_> = cloud
        .stacks()
        .await
        .unwrap()
        .into_iter()
        .map(|stack| stack.name)
        .collect();
    assert_eq!(names, ["a", "b"]);
}

#[tokio::test]
async fn resources_that_exist_are_read() {
    let rows = [("some", "<StackResourceSummaries>
        <member><LogicalResourceId>A</LogicalResourceId><PhysicalResourceId>a &amp; b</PhysicalResourceId><ResourceType>T::A</ResourceType>
          <LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp><ResourceStatus>CREATE_COMPLETE</ResourceStatus>
          <DriftInformation><StackResourceDriftStatus>NOT_CHECKED</StackResourceDriftStatus></DriftInformation></member>
        <member><LogicalResourceId>Gone</LogicalResourceId><PhysicalResourceId>g</PhysicalResourceId><ResourceType>T</ResourceType><ResourceStatus>DELETE_COMPLETE</ResourceStatus></member>
        <member><LogicalResourceId>Left</LogicalResourceId><PhysicalResourceId>l</PhysicalResourceId><ResourceType>T</ResourceType><ResourceStatus>DELETE_SKIPPED</ResourceStatus></member>
        <member><LogicalResourceId>Begun</LogicalResourceId><PhysicalResourceId/><ResourceType>T</ResourceType><ResourceStatus>CREATE_IN_PROGRESS</ResourceStatus></member>
        <member><LogicalResourceId>Nameless</LogicalResourceId><ResourceType>T</ResourceType><ResourceStatus>CREATE_IN_PROGRESS</ResourceStatus></member>
        <member><LogicalResourceId>Future</LogicalResourceId><PhysicalResourceId>f</PhysicalResourceId><ResourceType>T</ResourceType><ResourceStatus>FROM_THE_FUTURE</ResourceStatus></member>
        <member><PhysicalResourceId>bare</PhysicalResourceId></member>
        <member/></StackResourceSummaries>"), ("none", "<StackResourceSummaries/>"), ("no list", "")];
    let text = table("ListStackResources", &rows, async |cloud| {
        cloud.resources("chat").await
    })
    .await;
    expect![[r#"
        some: [Resource { logical_id: "A", physical_id: "a & b", resource_type: "T::A" }, Resource { logical_id: "Future", physical_id: "f", resource_type: "T" }, Resource { logical_id: "", physical_id: "bare", resource_type: "" }]
        none: []
        no list: []
    "#]].assert_eq(&text);
}

#[tokio::test]
async fn names_of_change_sets_are_read() {
    let rows = [
        (
            "some",
            "<Summaries><member><ChangeSetName>a</ChangeSetName><Status>CREATE_COMPLETE</Status></member><member/>\
        <member><ChangeSetName/></member></Summaries>",
        ),
        ("none", "<Summaries/>"),
        ("no list", ""),
    ];
    let text = table("ListChangeSets", &rows, async |cloud| {
        cloud.change_sets("chat").await
    })
    .await;
    expect![[r#"
        some: ["a", ""]
        none: []
        no list: []
    "#]]
    .assert_eq(&text);
}

#[tokio::test]
async fn events_are_read() {
    let rows = [("some", "<StackEvents>
        <member><EventId>3</EventId><StackId>arn:1</StackId><StackName>chat</StackName><LogicalResourceId>A</LogicalResourceId>
          <PhysicalResourceId>a</PhysicalResourceId><ResourceType>T::A</ResourceType><Timestamp>2026-01-01T00:00:00.125Z</Timestamp>
          <ResourceStatus>FROM_THE_FUTURE</ResourceStatus><ResourceStatusReason>a &lt; b</ResourceStatusReason>
          <ResourceProperties>{&quot;a&quot;:1}</ResourceProperties><ClientRequestToken>t-1</ClientRequestToken></member>
        <member><EventId>2</EventId><Timestamp>2026-01-01T00:00:00Z</Timestamp><ResourceStatusReason/><ClientRequestToken/></member>
        <member/></StackEvents>"), ("none", "<StackEvents/>"), ("no list", ""),
        ("no time", "<StackEvents><member><Timestamp>now</Timestamp></member></StackEvents>")];
    let text = table("DescribeStackEvents", &rows, async |cloud| {
        cloud.recent_events("chat").await
    })
    .await;
    expect![[r#"
        some: [CloudEvent { event: StackEvent { id: "", at: 0.0, logical_id: "", resource_type: "", status: "", reason: None }, token: None }, CloudEvent { event: StackEvent { id: "2", at: 1767225600.0, logical_id: "", resource_type: "", status: "", reason: None }, token: None }, CloudEvent { event: StackEvent { id: "3", at: 1767225600.125, logical_id: "A", resource_type: "T::A", status: "FROM_THE_FUTURE", reason: Some("a < b") }, token: Some("t-1") }]
        none: []
        no list: []
        no time: Unreachable: could not read the stack's events | HTTP status 200 | hint: the response is incomplete or not AWS's; somethi
    "#]].assert_eq(&text);
}

#[tokio::test]
async fn templates_are_read() {
    let rows = [
        (
            "json",
            "<TemplateBody>{&quot;a&quot;: &quot;&lt;&amp;\\n🦀&quot;}</TemplateBody><StagesAvailable><member>Original</member></StagesAvailable>",
        ),
        (
            "yaml",
            "<TemplateBody>Description: |\n  a\n  b &amp;&#10;  c&#xD;\nResources: {}\n</TemplateBody>",
        ),
        (
            "cdata",
            "<TemplateBody><![CDATA[{\"a\": 1}]]></TemplateBody>",
        ),
        (
            "text and cdata",
            "<TemplateBody>{\"a\": 1}<![CDATA[x]]></TemplateBody>",
        ),
        ("short form", "<TemplateBody>Value: !Sub x</TemplateBody>"),
        ("empty", "<TemplateBody/>"),
        ("none", ""),
        ("broken", "<TemplateBody>{a: [</TemplateBody>"),
    ];
    let text = table("GetTemplate", &rows, async |cloud| {
        cloud.template("chat").await
    })
    .await;
    expect![[r#"
        json: Template(Object {"a": String("<&\n🦀")})
        yaml: Template(Object {"Description": String("a\nb &\nc\n"), "Resources": Object {}})
        cdata: Template(Object {})
        text and cdata: Template(Object {"a": Number(1)})
        short form: Template(Object {"Value": Object {"Fn::Sub": String("x")}})
        empty: Template(Object {})
        none: Template(Object {})
        broken: Unexpected: could not parse the template that stack `chat` was deployed with | line 1: it is neither YAML nor JSON: while parsing a node, did not find expected node content
    "#]].assert_eq(&text);
}
