//! What CloudFormation finds out about a change set before anything is begun.

use super::*;
use crate::engine::ErrorKind;
use crate::stack::outline::outline;

const REASON: &str = "FAILED UNAVAILABLE The following hook(s)/validation failed: \
                      [AWS::EarlyValidation::ResourceExistenceCheck].";

fn finding(id: &str, reason: &str) -> Finding {
    Finding {
        logical_id: id.into(),
        resource_type: "AWS::DynamoDB::Table".into(),
        path: None,
        reason: reason.into(),
        is_warning: false,
    }
}

#[tokio::test]
async fn a_failed_validation_names_resource_place_reason_and_meaning_and_leaves_nothing() {
    let cloud = FakeCloud::default().change_set(REASON);
    *cloud.findings.borrow_mut() = Some(vec![
        Finding {
            path: Some("/Resources/Connections/Properties/TableName".into()),
            ..finding(
                "Connections",
                "Resource of type 'AWS::DynamoDB::Table' with identifier 'chat' already exists.",
            )
        },
        Finding {
            is_warning: true,
            ..finding("Api", "a quota is nearly used up")
        },
    ]);
    deployed(
        cloud,
        expect![[r#"
        started Prepare
        error: CloudFormation refuses the change of stack `chat` before anything was begun
          Connections (AWS::DynamoDB::Table) could not be accepted: Resource of type 'AWS::DynamoDB::Table' with identifier 'chat' already exists. (at /Resources/Connections/Properties/TableName)
          meaning: a resource of this name exists already and does not belong to this stack
        --
        create change set Create Standard
        delete change set
        delete stack retaining []
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_caller_without_permission_to_see_details_gets_the_reason_and_the_missing_action() {
    let (error, _) = refused(FakeCloud::with("CREATE_COMPLETE").change_set(REASON)).await;
    assert_eq!(error.kind, ErrorKind::Failed);
    expect![[r#"
        CloudFormation refuses the change of stack `chat`: The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck].
        with the permission cloudformation:DescribeEvents this error would name the resource and the reason"#]]
    .assert_eq(&format!("{error}\n{}", error.hint.as_ref().unwrap()));
}

#[tokio::test]
async fn a_refusal_without_findings_is_reported_by_its_reason_alone() {
    let cloud =
        FakeCloud::with("CREATE_COMPLETE").change_set("FAILED UNAVAILABLE Template error: x");
    *cloud.findings.borrow_mut() = Some(Vec::new());
    deployed(
        cloud,
        expect![[r#"
        started Prepare
        error: CloudFormation refuses the change of stack `chat`: Template error: x
        --
        create change set Update Standard
        delete change set
    "#]],
    )
    .await;
}

#[tokio::test]
async fn many_findings_are_cut_and_counted() {
    let cloud = FakeCloud::with("CREATE_COMPLETE").change_set(REASON);
    let many = (1..=7).map(|n| finding(&format!("T{n}"), "no")).collect();
    *cloud.findings.borrow_mut() = Some(many);
    deployed(
        cloud,
        expect![[r#"
        started Prepare
        error: CloudFormation refuses the change of stack `chat` before anything was begun
          T1 (AWS::DynamoDB::Table) could not be accepted: no
          T2 (AWS::DynamoDB::Table) could not be accepted: no
          T3 (AWS::DynamoDB::Table) could not be accepted: no
          T4 (AWS::DynamoDB::Table) could not be accepted: no
          T5 (AWS::DynamoDB::Table) could not be accepted: no
          and 2 more
        --
        create change set Update Standard
        delete change set
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_warning_is_shown_before_the_question_and_stops_nothing() {
    let cloud = changeable("CREATE_COMPLETE");
    let warning = Finding {
        is_warning: true,
        ..finding("Connections", "The quota for tables would be exceeded.")
    };
    *cloud.findings.borrow_mut() = Some(vec![warning]);
    let stacks = CloudStacks::new(cloud);
    let change_set = change_set(&stacks).await;
    expect![[r#"
        ~ F AWS::Lambda::Function: Code
        CloudFormation warns: Connections (AWS::DynamoDB::Table): The quota for tables would be exceeded."#]]
    .assert_eq(&outline(&change_set.summary).join("\n"));
}
