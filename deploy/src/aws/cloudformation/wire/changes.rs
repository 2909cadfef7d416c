//! Change sets, what was found about them, and the ids of new ones.

use expect_test::expect;

use super::*;

/// A change set of one change, of a resource with these members.
fn changed(members: &str) -> StubResponse {
    let resource = format!("<ResourceChange>{members}</ResourceChange>");
    page(
        "DescribeChangeSet",
        &format!("<Changes><member><Type>Resource</Type>{resource}</member></Changes>"),
    )
}

#[tokio::test]
async fn the_state_of_a_change_set_is_read() {
    let states = [
        "<Status>FAILED</Status><ExecutionStatus>UNAVAILABLE</ExecutionStatus>\
         <StatusReason>The submitted information didn&apos;t contain changes. Submit different information to create a change set.</StatusReason>",
        "<Status>FAILED</Status><StatusReason>No updates are to be performed.</StatusReason>",
        "<Status>FROM_THE_FUTURE</Status><ExecutionStatus>LATER</ExecutionStatus><StatusReason/>",
        "<Status/><Changes/>",
        "<Changes><member/><member><Type>Hook</Type></member><member><ResourceChange/></member></Changes>",
        "<CreationTime>2026-01-01T00:00:00Z</CreationTime><Status>CREATE_COMPLETE</Status>",
        "",
    ];
    let answers = states.map(|members| page("DescribeChangeSet", members));
    let (cloud, _) = cloud(answers.into()).await;
    let mut text = String::new();
    for _ in states {
        writeln!(text, "{}", shown(cloud.change_set(&ids()).await)).unwrap();
    }
    expect![[r#"
        ChangeSetState { status: "FAILED", execution: "UNAVAILABLE", reason: Some("The submitted information didn't contain changes. Submit different information to create a change set."), changes: [] }
        ChangeSetState { status: "FAILED", execution: "", reason: Some("No updates are to be performed."), changes: [] }
        ChangeSetState { status: "FROM_THE_FUTURE", execution: "LATER", reason: None, changes: [] }
        ChangeSetState { status: "", execution: "", reason: None, changes: [] }
        ChangeSetState { status: "", execution: "", reason: None, changes: [ResourceChange { action: MayReplace, logical_id: "", resource_type: "", properties: [], values: [], overlay: None, retained: false }] }
        ChangeSetState { status: "CREATE_COMPLETE", execution: "", reason: None, changes: [] }
        ChangeSetState { status: "", execution: "", reason: None, changes: [] }
    "#]].assert_eq(&text);
}

#[tokio::test]
async fn each_action_is_read_and_unknown_ones_with_care() {
    let actions = [
        "Add",
        "Modify",
        "Remove",
        "Import",
        "Dynamic",
        "SyncWithActual",
        "FROM_THE_FUTURE",
        "",
    ];
    let replacements = ["True", "False", "Conditional", "FROM_THE_FUTURE", ""];
    let policies = [
        "Delete",
        "Retain",
        "Snapshot",
        "ReplaceAndDelete",
        "ReplaceAndRetain",
        "ReplaceAndSnapshot",
        "FROM_THE_FUTURE",
    ];
    let element = |name: &str, text: &str| match text {
        "" => String::new(),
        text => format!("<{name}>{text}</{name}>"),
    };
    let mut answers = Vec::new();
    for action in actions {
        for replacement in replacements {
            let members = element("Action", action) + &element("Replacement", replacement);
            answers.push(changed(&members));
        }
    }
    answers.extend(policies.map(|policy| changed(&element("PolicyAction", policy))));
    let (cloud, _) = cloud(answers).await;
    let only = async || cloud.change_set(&ids()).await.unwrap().changes.remove(0);
    let mut text = String::new();
    for action in actions {
        for _ in replacements {
            write!(text, "{:?} ", only().await.action).unwrap();
        }
        writeln!(text, "{action}").unwrap();
    }
    for policy in policies {
        writeln!(text, "{} {policy}", only().await.retained).unwrap();
    }
    expect![[r#"
        Add Add Add Add Add Add
        Replace Modify MayReplace MayReplace Modify Modify
        Remove Remove Remove Remove Remove Remove
        Add Add Add Add Add Import
        MayReplace MayReplace MayReplace MayReplace MayReplace Dynamic
        Modify Modify Modify Modify Modify SyncWithActual
        MayReplace MayReplace MayReplace MayReplace MayReplace FROM_THE_FUTURE
        MayReplace MayReplace MayReplace MayReplace MayReplace 
        false Delete
        true Retain
        true Snapshot
        false ReplaceAndDelete
        true ReplaceAndRetain
        true ReplaceAndSnapshot
        false FROM_THE_FUTURE
    "#]]
    .assert_eq(&text);
}

#[tokio::test]
async fn the_details_of_a_change_are_read() {
    let detail = |target: &str| {
        format!("<member><Target>{target}</Target><Evaluation>Static</Evaluation></member>")
    };
    let details = [
        "<Attribute>Properties</Attribute><Name>B</Name><Path>/Properties/B</Path><BeforeValue>{&quot;a&quot;:1}</BeforeValue><AfterValue/>",
        "<Attribute>Properties</Attribute><Name>A</Name><Path>/Properties/A/0</Path><AfterValue> x </AfterValue><AttributeChangeType>Add</AttributeChangeType>",
        "<Attribute>Properties</Attribute><Name>A</Name><RequiresRecreation>Never</RequiresRecreation>",
        "<Attribute>Tags</Attribute><Path>/Tags</Path>",
        "<Attribute>FROM_THE_FUTURE</Attribute>",
        "<Name/><BeforeValue>no path</BeforeValue>",
        "<Drift><PreviousValue>a</PreviousValue><DriftDetectionTimestamp>2026-01-01T00:00:00Z</DriftDetectionTimestamp></Drift>",
        "",
    ];
    let details: String = details.map(detail).concat();
    let members = format!(
        "<PolicyAction>Retain</PolicyAction><Action>Modify</Action><LogicalResourceId>T</LogicalResourceId><PhysicalResourceId>t</PhysicalResourceId>\
         <ResourceType>AWS::DynamoDB::Table</ResourceType><Replacement>False</Replacement><Scope><member>Properties</member></Scope>\
         <Details>{details}<member/></Details><BeforeContext>{{}}</BeforeContext>"
    );
    let (cloud, _) = cloud(vec![changed(&members)]).await;
    expect![[r#"
        [
            ResourceChange {
                action: Modify,
                logical_id: "T",
                resource_type: "AWS::DynamoDB::Table",
                properties: [
                    "",
                    "A",
                    "B",
                    "FROM_THE_FUTURE",
                    "Tags",
                ],
                values: [
                    ValueChange {
                        path: "/Properties/B",
                        before: Some(
                            "{\"a\":1}",
                        ),
                        after: Some(
                            "",
                        ),
                    },
                    ValueChange {
                        path: "/Properties/A/0",
                        before: None,
                        after: Some(
                            " x ",
                        ),
                    },
                ],
                overlay: None,
                retained: true,
            },
        ]"#]]
    .assert_eq(&format!(
        "{:#?}",
        cloud.change_set(&ids()).await.unwrap().changes
    ));
}

#[tokio::test]
async fn findings_are_read() {
    let events = [
        "<EventType>VALIDATION_ERROR</EventType><ValidationStatus>FAILED</ValidationStatus><ValidationFailureMode>FAIL</ValidationFailureMode>\
         <ValidationName>N</ValidationName><ValidationStatusReason>a &amp; b</ValidationStatusReason><ValidationPath>/Resources/T</ValidationPath>\
         <LogicalResourceId>T</LogicalResourceId><ResourceType>T::T</ResourceType><Timestamp>2026-01-01T00:00:00Z</Timestamp>",
        "<EventType>VALIDATION_ERROR</EventType><ValidationStatus>SKIPPED</ValidationStatus><ValidationName>N</ValidationName>",
        "<EventType>VALIDATION_ERROR</EventType><ValidationStatus>FROM_THE_FUTURE</ValidationStatus><ValidationStatusReason/>\
         <ValidationName>N</ValidationName><ValidationFailureMode>WARN</ValidationFailureMode><ValidationPath/>",
        "<EventType>VALIDATION_ERROR</EventType><ValidationFailureMode>FROM_THE_FUTURE</ValidationFailureMode>",
        "<EventType>HOOK_INVOCATION_ERROR</EventType><HookStatusReason>no</HookStatusReason><HookFailureMode>WARN</HookFailureMode>",
        "<EventType>HOOK_INVOCATION_ERROR</EventType><HookType>H</HookType><HookFailureMode>FAIL</HookFailureMode>",
        "<EventType>PROVISIONING_ERROR</EventType><ResourceStatusReason>broken</ResourceStatusReason><ResourceStatus>CREATE_FAILED</ResourceStatus>",
        "<EventType>STACK_EVENT</EventType>",
        "<EventType>PROGRESS_EVENT</EventType>",
        "<EventType>FROM_THE_FUTURE</EventType>",
        "<EventType/>",
        "",
    ];
    let listed =
        |event: &str| format!("<OperationEvents><member>{event}</member></OperationEvents>");
    let mut answers: Vec<_> = events.map(listed).into();
    answers.extend(["<OperationEvents/>".to_owned(), String::new()]);
    let answers: Vec<_> = answers
        .iter()
        .map(|members| page("DescribeEvents", members))
        .collect();
    let (number, mut text) = (answers.len(), String::new());
    let (cloud, _) = cloud(answers).await;
    for _ in 0..number {
        writeln!(text, "{}", shown(cloud.findings(&ids()).await)).unwrap();
    }
    expect![[r#"
        [Finding { logical_id: "T", resource_type: "T::T", path: Some("/Resources/T"), reason: "a & b", is_warning: false }]
        []
        [Finding { logical_id: "", resource_type: "", path: None, reason: "", is_warning: true }]
        [Finding { logical_id: "", resource_type: "", path: None, reason: "no reason given", is_warning: false }]
        [Finding { logical_id: "", resource_type: "", path: None, reason: "no", is_warning: true }]
        [Finding { logical_id: "", resource_type: "", path: None, reason: "H", is_warning: false }]
        [Finding { logical_id: "", resource_type: "", path: None, reason: "broken", is_warning: false }]
        []
        []
        []
        []
        []
        []
        []
    "#]].assert_eq(&text);
}

#[tokio::test]
async fn the_ids_of_a_new_change_set_are_read_even_if_the_first_answer_was_lost() {
    let request = request();
    let exists =
        || crate::aws::stub::refusal(400, "AlreadyExistsException", "ChangeSet c already exists");
    let found =
        "<ChangeSetId>arn:c</ChangeSetId><StackId>arn:s</StackId><ChangeSetName>c</ChangeSetName>";
    let mut text = String::new();
    for answers in [
        vec![page(
            "CreateChangeSet",
            "<Id>arn:c</Id><StackId>arn:s</StackId>",
        )],
        vec![page("CreateChangeSet", "<Id>arn:c</Id>")],
        vec![page("CreateChangeSet", "<Id/><StackId/>")],
        vec![page("CreateChangeSet", "")],
        vec![exists(), page("DescribeChangeSet", found)],
        vec![exists(), page("DescribeChangeSet", "")],
        vec![exists(), exists()],
    ] {
        let (cloud, stub) = cloud(answers).await;
        writeln!(text, "{}", shown(cloud.create_change_set(&request).await)).unwrap();
        if let Some(look) = stub.asked().get(1) {
            writeln!(text, "  {look}").unwrap();
        }
    }
    expect![[r#"
        ChangeSetIds { change_set: "arn:c", stack: "arn:s" }
        Unexpected: CloudFormation's response has no id of the new change set
        ChangeSetIds { change_set: "", stack: "" }
        Unexpected: CloudFormation's response has no id of the new change set
        ChangeSetIds { change_set: "arn:c", stack: "arn:s" }
          POST / Action=DescribeChangeSet&Version=2010-05-15&ChangeSetName=chatctl-1&StackName=chat
        Unexpected: CloudFormation's response has no id of the new change set
          POST / Action=DescribeChangeSet&Version=2010-05-15&ChangeSetName=chatctl-1&StackName=chat
        Unexpected: could not read the changes of the change set | AlreadyExistsException: ChangeSet c already exists
          POST / Action=DescribeChangeSet&Version=2010-05-15&ChangeSetName=chatctl-1&StackName=chat
    "#]].assert_eq(&text);
}
