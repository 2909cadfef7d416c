//! The record of a name of the user's own.

use super::*;

#[tokio::test]
async fn the_record_of_a_name_is_reported_after_every_way_to_deploy_unless_the_stack_makes_it() {
    let name = "[domain]\nname = \"chat.example.com\"\n";
    let changed = || changeable("CREATE_COMPLETE").operation("chat UPDATE_COMPLETE");
    let unchanged = || {
        let no_changes = "The submitted information didn't contain changes.";
        FakeCloud::with("CREATE_COMPLETE").change_set(&format!("FAILED UNAVAILABLE {no_changes}"))
    };
    let missing = Some(r#"missing_record: Some("d-1.execute-api")"#);
    for (cloud, config, has_record, expected) in [
        (changed(), name, false, missing),
        (changed(), name, true, None),
        (changed(), "", false, None),
        (unchanged(), name, false, missing),
    ] {
        if let Some(stack) = cloud.stack.borrow_mut().as_mut() {
            let (output, target) = ("DomainTarget", "d-1.execute-api");
            stack.outputs.insert(output.to_owned(), target.to_owned());
        }
        let ended = deploy(Case {
            cloud,
            config,
            has_record,
            ..Case::default()
        })
        .await;
        let expected = expected.unwrap_or("missing_record: None");
        assert!(ended.contains(expected), "{config} {has_record}: {ended}");
    }
}
