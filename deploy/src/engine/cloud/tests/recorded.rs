//! Answers as CloudFormation has given them, played to the verbs. What was recorded are facts: states, reasons, the order
//! of events. They are those of LocalStack's tests, which record AWS
//! (<https://github.com/localstack/localstack/tree/8b9a79f05846835cf4dff63ab7eefdde9df83783/tests/aws/services/cloudformation>);
//! each test names its file there and the recording in it.

use super::super::fake::Spoiled;
use super::trouble::torn_down;
use super::*;
use crate::engine::ErrorKind;

/// `api/test_changesets.snapshot.json`: `test_empty_changeset`, `test_create_change_set_no_changes`.
#[tokio::test]
async fn a_change_set_without_changes_has_failed_for_this_reason() {
    let cloud = FakeCloud::with("CREATE_COMPLETE").change_set(
        "FAILED UNAVAILABLE The submitted information didn't contain changes. Submit different information to create a change set.",
    );
    nothing_has_changed(cloud).await;
}

/// `api/test_stacks.snapshot.json`: `test_update_stack_with_same_template_withoutchange`, where it is said of an update.
#[tokio::test]
async fn an_update_without_changes_is_reported_in_other_words() {
    let cloud = FakeCloud::with("UPDATE_COMPLETE")
        .change_set("FAILED UNAVAILABLE No updates are to be performed.");
    nothing_has_changed(cloud).await;
}

/// `test_change_sets.snapshot.json`: `test_describe_failed_change_set`.
#[tokio::test]
async fn a_change_set_that_fails_for_another_reason_is_refused_with_it_and_leaves_no_shell() {
    let cloud = FakeCloud::default().change_set(
        "FAILED UNAVAILABLE Transform AWS::Include failed with: S3 bucket [doesnotexist] does not exist.",
    );
    deployed(cloud, expect![[r#"
        started Prepare
        error: CloudFormation refuses the change of stack `chat`: Transform AWS::Include failed with: S3 bucket [doesnotexist] does not exist.
        --
        create change set Create Standard
        delete change set
        delete stack retaining []
    "#]]).await;
}

/// `api/test_changesets.snapshot.json`: `test_name_conflicts`: of two first change sets for one name the later is refused
/// once the earlier was executed.
#[tokio::test]
async fn a_first_change_set_for_a_stack_that_has_come_to_be_is_refused_and_the_stack_stays() {
    let words =
        "Stack [chat] already exists and cannot be created again with the changeSet [chatctl-0].";
    let cloud = FakeCloud::default().spoiled("create", Spoiled::Impossible(words));
    deployed(cloud, expect![[r#"
        started Prepare
        error: Stack [chat] already exists and cannot be created again with the changeSet [chatctl-0].
        --
        create change set Create Standard
    "#]]).await;
}

/// `api/test_changesets.snapshot.json`: `test_create_while_in_review`: a stack that is made while a first change set waits
/// in its shell has made that one obsolete.
#[tokio::test]
async fn a_stack_that_is_made_while_a_first_change_set_waits_is_not_taken_for_its_shell() {
    let cloud = FakeCloud::default()
        .change_set("CREATE_COMPLETE OBSOLETE")
        .meanwhile("CREATE_COMPLETE");
    let stacks = CloudStacks::new(cloud);
    let error = refusal(prepare(&stacks, deployment(), &mut Transcript::default()).await);
    assert_eq!(
        error.to_string(),
        "another deployment of stack `chat` got in between"
    );
    assert_eq!(
        stacks.cloud.asked(),
        "create change set Create Standard\ndelete change set\n"
    );
    assert!(stacks.cloud.stack.borrow().is_some());
}

/// The same recording, and `test_empty_changeset`, in which it is executed all the same: `InvalidChangeSetStatus`.
#[tokio::test]
async fn a_change_set_that_became_obsolete_before_it_was_executed_changes_nothing() {
    let words =
        "ChangeSet [arn:cs/1] cannot be executed in its current execution status of [OBSOLETE]";
    let cloud = FakeCloud::default()
        .change_set("CREATE_COMPLETE AVAILABLE\nCREATE_COMPLETE OBSOLETE")
        .meanwhile("CREATE_COMPLETE")
        .spoiled("execute", Spoiled::Impossible(words));
    let stacks = CloudStacks::new(cloud);
    let error = refusal(executed(&stacks).await);
    assert_eq!(error.kind, ErrorKind::Failed);
    assert_eq!(error.so_far.as_deref(), Some("nothing was changed"));
    assert_eq!(
        stacks.cloud.asked(),
        "create change set Create Standard\ndelete change set\n"
    );
    assert!(stacks.cloud.stack.borrow().is_some());
}

/// `api/test_stacks.snapshot.json`: `TestStacksApi::test_list_events_after_deployment`. The event of the shell comes before
/// the execution and carries no token of it.
#[tokio::test]
async fn the_events_of_a_first_deployment_begin_with_its_execution_and_not_with_the_shell() {
    let cloud = new_stack()
        .operation(
            "chat CREATE_IN_PROGRESS User Initiated\nF CREATE_IN_PROGRESS\nF CREATE_IN_PROGRESS Resource creation Initiated\n\
             - poll -\nF CREATE_COMPLETE\nchat CREATE_COMPLETE",
        );
    one_function_is_made(cloud).await;
}

/// `test_change_sets.snapshot.json`: `TestCaptureUpdateProcess::test_direct_update`: of a resource that is replaced the
/// old one is deleted in the end, under the same logical id.
#[tokio::test]
async fn the_old_part_of_a_replaced_resource_goes_after_the_update_and_is_no_step_back() {
    use crate::stack::progress::Progress;
    let script = "chat UPDATE_IN_PROGRESS User Initiated\nF UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource\n\
                  - poll -\nF UPDATE_COMPLETE\nchat UPDATE_COMPLETE_CLEANUP_IN_PROGRESS\n\
                  - poll -\nF DELETE_IN_PROGRESS\n- poll -\nF DELETE_COMPLETE\nchat UPDATE_COMPLETE";
    let cloud = changeable("CREATE_COMPLETE").operation(script);
    let stacks = CloudStacks::new(cloud);
    executed(&stacks).await.unwrap();
    let mut progress = Progress::new(1);
    let mut done = Vec::new();
    for event in stacks.cloud.recent_events("chat").await.unwrap() {
        progress.apply(&event.event);
        done.push(progress.done());
    }
    assert_eq!(done, [0, 0, 1, 1, 1, 1, 1]);
    assert_eq!(progress.total(), 1);
}

/// `api/test_stacks.snapshot.json`: `test_blocked_stack_deletion`: a resource can neither be made nor deleted, so neither
/// the rollback nor a deletion ends well, until the stack is deleted without it.
#[tokio::test]
async fn what_can_neither_be_made_nor_deleted_is_left_behind_in_the_end() {
    let deleting = "chat DELETE_IN_PROGRESS User Initiated\nBroken DELETE_IN_PROGRESS\n\
                    - poll -\nBroken DELETE_FAILED no permissions\n\
                    - poll -\nchat DELETE_FAILED The following resource(s) failed to delete: [Broken]. ";
    let cloud = of_a_chat(new_stack()
        .operation(
            "chat CREATE_IN_PROGRESS User Initiated\nBroken CREATE_IN_PROGRESS\nBroken CREATE_IN_PROGRESS Resource creation Initiated\n\
             - poll -\nBroken CREATE_FAILED no permissions\nchat ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Broken]. Rollback requested by user.\n\
             - poll -\nBroken DELETE_IN_PROGRESS\nBroken DELETE_FAILED no permissions\n\
             chat ROLLBACK_FAILED The following resource(s) failed to delete: [Broken]. ",
        ));
    let stacks = CloudStacks::new(cloud);
    let outcome = executed(&stacks).await;
    let reported = outcome.unwrap_err().to_string();
    assert_eq!(
        reported,
        "stack `chat` settled as ROLLBACK_FAILED\n  Broken (AWS::X::Y) could not be created: no permissions"
    );
    let cloud = FakeCloud::with("ROLLBACK_FAILED")
        .operation(deleting)
        .operation(deleting)
        .operation("chat DELETE_IN_PROGRESS User Initiated\nBroken DELETE_SKIPPED\n- poll -\nchat DELETE_COMPLETE");
    torn_down(cloud, Data::Remove, expect![[r#"
        started Teardown
        chat DELETE_IN_PROGRESS
        Broken DELETE_IN_PROGRESS
        Broken DELETE_FAILED
        chat DELETE_FAILED
        notice Broken (AWS::X::Y) could not be deleted: no permissions; the deletion is tried once more
        chat DELETE_IN_PROGRESS
        Broken DELETE_IN_PROGRESS
        Broken DELETE_FAILED
        chat DELETE_FAILED
        notice Broken (AWS::X::Y) could not be deleted: no permissions; the stack is deleted without it, so it stays in the account
        chat DELETE_IN_PROGRESS
        Broken DELETE_SKIPPED
        chat DELETE_COMPLETE
        finished Teardown: removed, except 1 that could not be
        Done { spared: ["Broken"] }
        --
        delete stack retaining []
        delete stack retaining []
        delete stack retaining ["Broken"]
    "#]]).await;
}

/// The same recording, when it is deployed again instead: the remains cannot be removed, and the stack is then one that
/// only a teardown gets rid of.
#[tokio::test]
async fn over_what_cannot_be_deleted_nothing_is_deployed() {
    let cloud = FakeCloud::with("ROLLBACK_FAILED").operation(
        "chat DELETE_IN_PROGRESS User Initiated\nBroken DELETE_FAILED no permissions\n\
         chat DELETE_FAILED The following resource(s) failed to delete: [Broken]. ",
    );
    deployed(cloud, expect![[r#"
        started Prepare
        notice removing what is left of stack `chat` (ROLLBACK_FAILED): an earlier first deployment failed, and CloudFormation updates no stack in that state
        chat DELETE_IN_PROGRESS
        Broken DELETE_FAILED
        chat DELETE_FAILED
        error: stack `chat` settled as DELETE_FAILED
          Broken (AWS::X::Y) could not be deleted: no permissions
        --
        delete stack retaining []
    "#]]).await;
}

/// `engine/test_deletion_policy.snapshot.json`: `test_deletion_policy_with_retain`.
#[tokio::test]
async fn what_is_retained_is_skipped_and_the_stack_gone() {
    let cloud = of_a_chat(
        changeable("CREATE_COMPLETE")
            .operation("chat UPDATE_COMPLETE")
            .operation(
                "chat DELETE_IN_PROGRESS\nTable DELETE_SKIPPED\n- poll -\nchat DELETE_COMPLETE",
            ),
    );
    torn_down(
        cloud,
        Data::Keep,
        expect![[r#"
        started Teardown
        chat UPDATE_COMPLETE
        chat DELETE_IN_PROGRESS
        Table DELETE_SKIPPED
        chat DELETE_COMPLETE
        finished Teardown: everything removed
        Done { spared: [] }
        --
        create change set Update Standard
        execute
        delete stack retaining []
    "#]],
    )
    .await;
}

/// `api/test_stacks.snapshot.json`: `test_update_termination_protection`.
#[tokio::test]
async fn a_protection_keeps_a_stack_until_it_is_lifted() {
    let cloud = FakeCloud::with("CREATE_COMPLETE").operation("chat DELETE_COMPLETE");
    let stacks = CloudStacks::new(cloud);
    stacks.protect(&name(), true).await.unwrap();
    let error = stacks.delete(&name(), Data::Remove, &[]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    stacks.protect(&name(), false).await.unwrap();
    stacks.delete(&name(), Data::Remove, &[]).await.unwrap();
    assert_eq!(
        stacks.cloud.asked(),
        "protect true\nprotect false\ndelete stack retaining []\n"
    );
}

/// `test_change_sets.snapshot.json`: `test_list_change_sets`: a change set that waits is listed by its name.
#[tokio::test]
async fn a_shell_in_which_another_tool_s_change_set_waits_is_not_removed() {
    let cloud = FakeCloud::with("REVIEW_IN_PROGRESS");
    cloud.waiting.borrow_mut().push("somebody-s".into());
    let (error, asked) = refused(cloud).await;
    assert_eq!(error.kind, ErrorKind::Usage);
    assert_eq!(asked, "");
}
