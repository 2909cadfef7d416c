//! What API Gateway has on record of a stage is not the last word on whether it serves.

use crate::cloud::{Cloud, State};
use crate::command::{Finished, Folder};

/// As recorded of a stage that was made before its routes
/// (<https://github.com/aws/serverless-application-model/issues/2512> has the same words from CloudFormation).
const COMPLAINT: &str =
    "Deployment attempt failed: At least one route is required before deploying the Api.";

const RECORD: &str = "API Gateway's record of the last automatic deployment of stage v1 says: Deployment attempt failed";

/// Deploys where the stage's record complains so often; what is said, and the AWS after that.
async fn deployed(times: usize) -> (Finished, State, Folder) {
    let folder = Folder::new();
    let before = State {
        stage_says: Some((COMPLAINT, times)),
        ..State::default()
    };
    let cloud = Cloud::with(before, None).await;
    let words = "deploy --yes --no-probe --handlers handlers-1";
    let ended = folder.run(&cloud.url, words).await;
    (ended, cloud.state(), folder)
}

#[tokio::test]
async fn a_complaint_that_the_next_automatic_deployment_ends_is_waited_for() {
    let (ended, _, _) = deployed(3).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        !ended.stderr.contains("API Gateway's record"),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn a_complaint_that_stays_is_reported_and_is_no_failure() {
    let (ended, state, folder) = deployed(usize::MAX).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let said = format!(
        "{RECORD}: At least one route is required before deploying the Api.; whether it answers was not tried"
    );
    assert!(ended.stderr.contains(&said), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("; waiting for its next one"),
        "{}",
        ended.stderr
    );
    let cloud = Cloud::with(state, None).await;
    let ended = folder.run(&cloud.url, "status").await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains(RECORD), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("it may serve all the same"),
        "{}",
        ended.stdout
    );
}
