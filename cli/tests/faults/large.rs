//! Templates that are too large for a request to CloudFormation, or for CloudFormation.

use std::collections::BTreeSet;

use crate::cloud::{Cloud, State};
use crate::command::Folder;
use crate::faults::Fault;

const DEPLOY: &str = "deploy --yes --no-probe --handlers handlers-1";

/// The keys of templates in the bucket.
fn templates(state: &State) -> Vec<&str> {
    let keys = state.bucket.iter().flatten();
    let keys = keys.filter(|key| key.ends_with(".json"));
    keys.map(String::as_str).collect()
}

#[tokio::test]
async fn a_large_template_goes_through_the_bucket_and_a_teardown_leaves_nothing_of_it() {
    let folder = Folder::with_a_large_template();
    let cloud = Cloud::with(State::default(), None).await;
    let ended = folder.run(&cloud.url, DEPLOY).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let state = cloud.state();
    assert_eq!(state.status(), "CREATE_COMPLETE");
    let [key] = templates(&state)[..] else {
        panic!("{:?}", state.bucket);
    };
    assert_eq!(key.len(), 64 + ".json".len());
    assert!(
        state
            .bucket
            .iter()
            .flatten()
            .any(|it| *it == format!("uses/{key}/chat"))
    );

    // The template that keeps the table is another one.
    let ended = folder.run(&cloud.url, "teardown --yes --keep-data").await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let state = cloud.state();
    assert_eq!(state.templates.len(), 2);
    assert_eq!(state.bucket, Some(BTreeSet::new()));
}

#[tokio::test]
async fn a_dry_run_of_a_new_stack_sends_no_template_and_one_of_a_deployed_stack_does() {
    let folder = Folder::with_a_large_template();
    let words = "deploy --dry-run --handlers handlers-1";
    let cloud = Cloud::with(State::default(), None).await;
    let ended = folder.run(&cloud.url, words).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let changes = |call: &String| call.starts_with("PUT") || call.starts_with("Create");
    assert!(!cloud.state().served.iter().any(changes));

    let deployed = folder.run(&cloud.url, DEPLOY).await;
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let cloud = Cloud::with(cloud.state(), None).await;
    let ended = folder.run(&cloud.url, words).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("nothing would change"),
        "{}",
        ended.stdout
    );
    assert!(cloud.state().served.contains(&"PUT template".to_owned()));
}

#[tokio::test]
async fn a_template_that_may_not_be_published_leaves_no_stack_and_says_what_is_missing() {
    let folder = Folder::with_a_large_template();
    let spoiled = ("PUT template".to_owned(), Fault::Denied);
    let cloud = Cloud::with(State::default(), Some(spoiled)).await;
    let ended = folder.run(&cloud.url, DEPLOY).await;
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    for words in [
        "could not publish the template to bucket chatctl-",
        "s3:PutObject",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    assert!(cloud.state().stack.is_none());
}

#[tokio::test]
async fn a_stack_that_cloudformation_would_not_take_is_refused_before_anything_is_sent() {
    let folder = Folder::new();
    let routes: String = (0..260)
        .map(|at| format!("[[routes]]\nkey = \"r{at}\"\nhttp = \"https://b.example/m\"\n"))
        .collect();
    std::fs::write(folder.path().join("chatctl.toml"), routes).unwrap();
    for words in [DEPLOY, "diff --handlers handlers-1"] {
        let cloud = Cloud::with(State::default(), None).await;
        let ended = folder.run(&cloud.url, words).await;
        assert_eq!(ended.code, 2, "{}", ended.stderr);
        let reported = "resources, and a stack has 500 at most";
        assert!(ended.stderr.contains(reported), "{}", ended.stderr);
        let served = cloud.state().served;
        assert!(
            !served
                .iter()
                .any(|call| call.starts_with("PUT") || call == "CreateChangeSet")
        );
    }
}
