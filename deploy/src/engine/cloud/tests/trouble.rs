//! Deletions that fail, requests that are refused meanwhile, express operations that failed.

use super::*;
use crate::engine::ErrorKind;

/// Tears down, and returns what was reported, asked and answered.
pub(super) async fn torn_down(cloud: FakeCloud, data: Data, expected: Expect) {
    let stacks = CloudStacks::new(cloud);
    let mut transcript = Transcript::default();
    let outcome = match delete_stack(&stacks, &name(), data, &mut transcript).await {
        Ok(outcome) => format!("{outcome:?}"),
        Err(error) => format!("error: {error}"),
    };
    let asked = stacks.cloud.asked();
    expected.assert_eq(&format!("{}{outcome}\n--\n{asked}", transcript.lines));
}

#[tokio::test]
async fn a_deletion_that_fails_is_explained_tried_again_and_then_goes_without_what_failed() {
    let failing = "chat DELETE_IN_PROGRESS\nRole DELETE_FAILED Cannot delete entity, must detach all policies first\n\
                   - poll -\nchat DELETE_FAILED The following resource(s) failed to delete: [Role].";
    let cloud = FakeCloud::with("CREATE_COMPLETE")
        .operation(failing)
        .operation(failing)
        .operation("chat DELETE_IN_PROGRESS\nRole DELETE_SKIPPED\n- poll -\nchat DELETE_COMPLETE");
    torn_down(cloud, Data::Remove, expect![[r#"
        started Teardown
        chat DELETE_IN_PROGRESS
        Role DELETE_FAILED
        chat DELETE_FAILED
        notice Role (AWS::X::Y) could not be deleted: Cannot delete entity, must detach all policies first; the deletion is tried once more
        chat DELETE_IN_PROGRESS
        Role DELETE_FAILED
        chat DELETE_FAILED
        notice Role (AWS::X::Y) could not be deleted: Cannot delete entity, must detach all policies first; the stack is deleted without it, so it stays in the account
        chat DELETE_IN_PROGRESS
        Role DELETE_SKIPPED
        chat DELETE_COMPLETE
        finished Teardown: removed, except 1 that could not be
        Done { spared: ["Role"] }
        --
        delete stack retaining []
        delete stack retaining []
        delete stack retaining ["Role"]
    "#]])
    .await;
}

/// A chat's stack that cannot be updated, and of which a table is left or not.
fn left_over(status: &str, has_table: bool) -> FakeCloud {
    let cloud = of_a_chat(FakeCloud::with(status));
    let table = Resource {
        logical_id: "T".into(),
        physical_id: "chat-T".into(),
        resource_type: "AWS::DynamoDB::Table".into(),
    };
    cloud
        .resources
        .borrow_mut()
        .extend(has_table.then_some(table));
    cloud
}

#[tokio::test]
async fn the_table_of_a_half_deleted_stack_is_kept_by_deleting_the_rest_without_it() {
    let cloud =
        left_over("DELETE_FAILED", true).operation("T DELETE_SKIPPED\nchat DELETE_COMPLETE");
    torn_down(
        cloud,
        Data::Keep,
        expect![[r#"
        started Teardown
        T DELETE_SKIPPED
        chat DELETE_COMPLETE
        finished Teardown: everything removed
        Done { spared: [] }
        --
        delete stack retaining ["T"]
    "#]],
    )
    .await;
}

#[tokio::test]
async fn unless_there_is_a_table_a_failed_creation_s_remains_go_although_data_is_to_be_kept() {
    let cloud = left_over("ROLLBACK_COMPLETE", false).operation("chat DELETE_COMPLETE");
    torn_down(
        cloud,
        Data::Keep,
        expect![[r#"
        started Teardown
        chat DELETE_COMPLETE
        finished Teardown: everything removed
        Done { spared: [] }
        --
        delete stack retaining []
    "#]],
    )
    .await;
    let cloud = left_over("CREATE_FAILED", true);
    torn_down(
        cloud,
        Data::Keep,
        expect![[r#"
            started Teardown
            error: stack `chat` is CREATE_FAILED: in that state its table cannot be kept
            --
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_half_deleted_stack_is_not_deployed_over_and_the_hint_says_what_to_do() {
    let (error, asked) = refused(FakeCloud::with("DELETE_FAILED")).await;
    assert_eq!(error.to_string(), "stack `chat` is stuck: DELETE_FAILED");
    assert!(error.hint.unwrap().starts_with("`chatctl teardown`"));
    assert_eq!(asked, "");
}

#[tokio::test]
async fn a_rollback_that_fails_is_reported_with_its_first_cause() {
    let cloud = new_stack()
        .operation(
            "chat CREATE_IN_PROGRESS User Initiated\nF CREATE_FAILED name taken\nG CREATE_FAILED Resource creation cancelled\n\
             - poll -\nchat ROLLBACK_IN_PROGRESS\nRole DELETE_FAILED in use\n- poll -\nchat ROLLBACK_FAILED",
        );
    deployed(
        cloud,
        expect![[r#"
        started Prepare
        finished Prepare: 1 to change
        started Deploy
        chat CREATE_IN_PROGRESS
        F CREATE_FAILED
        G CREATE_FAILED
        chat ROLLBACK_IN_PROGRESS
        Role DELETE_FAILED
        chat ROLLBACK_FAILED
        error: stack `chat` settled as ROLLBACK_FAILED
          F (AWS::X::Y) could not be created: name taken
          (one resource that was only cancelled is not shown)
        --
        create change set Create Standard
        execute
    "#]],
    )
    .await;
}

#[tokio::test]
async fn throttled_questions_are_asked_again_until_the_stack_settles() {
    let cloud = changeable("CREATE_COMPLETE")
        .operation("chat UPDATE_IN_PROGRESS\n- poll -\nthrottled\n- poll -\nthrottled\n- poll -\nchat UPDATE_COMPLETE");
    deployed(
        cloud,
        expect![[r#"
        started Prepare
        finished Prepare: 1 to change
        started Deploy
        chat UPDATE_IN_PROGRESS
        chat UPDATE_COMPLETE
        finished Deploy: 1 resources
        done
        --
        create change set Update Standard
        execute
    "#]],
    )
    .await;
}

#[tokio::test]
async fn credentials_that_expire_while_a_stack_is_followed_end_it_as_a_denial() {
    let cloud =
        changeable("CREATE_COMPLETE").operation("chat UPDATE_IN_PROGRESS\n- poll -\nexpired");
    let stacks = CloudStacks::new(cloud);
    let error = refusal(executed(&stacks).await);
    assert_eq!(error.kind, ErrorKind::Denied);
}

#[tokio::test]
async fn after_a_failed_express_operation_a_teardown_is_express_too() {
    let cloud = FakeCloud::with("UPDATE_FAILED")
        .express()
        .operation("chat DELETE_COMPLETE");
    let stacks = CloudStacks::new(cloud);
    stacks.delete(&name(), Data::Remove, &[]).await.unwrap();
    assert_eq!(
        stacks.cloud.asked(),
        "delete stack retaining [] in express mode\n"
    );
}

#[tokio::test]
async fn keeping_data_after_a_failed_express_operation_updates_in_express_mode() {
    let cloud = of_a_chat(
        FakeCloud::with("UPDATE_FAILED")
            .express()
            .change_set("CREATE_COMPLETE AVAILABLE")
            .operation("chat UPDATE_COMPLETE")
            .operation("T DELETE_SKIPPED\nchat DELETE_COMPLETE"),
    );
    torn_down(
        cloud,
        Data::Keep,
        expect![[r#"
        started Teardown
        chat UPDATE_COMPLETE
        T DELETE_SKIPPED
        chat DELETE_COMPLETE
        finished Teardown: everything removed
        Done { spared: [] }
        --
        create change set Update Express
        execute
        delete stack retaining []
    "#]],
    )
    .await;
}
