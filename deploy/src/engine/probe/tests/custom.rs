//! Authorizers that ask for what the probe does not have: a token from elsewhere, or something of their owner's.

use super::*;

#[tokio::test]
async fn a_custom_authorizer_that_needs_more_than_names_is_reported_and_a_failing_one_fails() {
    let (said, short) = (Handshake::default(), Duration::from_millis(200));
    let credential = ProbeCredential::Custom { is_settled: false };
    let routes = routes();
    // A stage that is not there yet comes first.
    let url = answering(&[403, 401]).await;
    let reported = probe(&url, &said, credential, &routes, None, TIMEOUT).await;
    let reported = reported.unwrap();
    assert!(
        reported.starts_with("your authorizer refuses"),
        "{reported}"
    );
    assert!(reported.contains("(401)"), "{reported}");
    let url = answering(&[403]).await;
    let started = Instant::now();
    let reported = probe(&url, &said, credential.at_once(), &routes, None, TIMEOUT).await;
    assert!(reported.unwrap().contains("(403)"));
    assert!(started.elapsed() < TIMEOUT, "it need not be waited for");
    for statuses in [&[500], &[502]] {
        let url = answering(statuses).await;
        let error = probe(&url, &said, credential, &routes, None, short).await;
        assert!(
            matches!(error, Err(ProbeError::Connect { .. })),
            "{statuses:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_locked_chat_has_to_refuse_a_client_without_a_token() {
    let said = Handshake::default();
    // A stage that is not there yet comes first.
    let url = answering(&[403, 401]).await;
    let reported = probe(&url, &said, ProbeCredential::Nothing, &[], None, TIMEOUT)
        .await
        .unwrap();
    assert!(reported.starts_with("a client without a token is refused (401)"));
    let short = Duration::from_millis(100);
    let reported = probe(
        &answering(&[403]).await,
        &said,
        ProbeCredential::Nothing,
        &[],
        None,
        short,
    )
    .await;
    assert!(reported.unwrap().contains("a stage that is not there"));
    let error = probe(
        &answering(&[101]).await,
        &said,
        ProbeCredential::Nothing,
        &[],
        None,
        TIMEOUT,
    )
    .await
    .unwrap_err();
    assert!(matches!(error, ProbeError::Open { .. }), "{error}");
    let error = probe(
        &answering(&[500]).await,
        &said,
        ProbeCredential::Nothing,
        &[],
        None,
        short,
    )
    .await;
    assert!(matches!(error, Err(ProbeError::Connect { .. })));
}
