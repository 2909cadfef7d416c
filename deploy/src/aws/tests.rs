use super::stub::{Stub, refusal};
use crate::engine::ErrorKind;

/// The hint of a command whose first request AWS refuses with `code` and `message`.
async fn hint(status: u16, code: &str, message: &str) -> String {
    let stub = Stub::answering(vec![refusal(status, code, message)]).await;
    let error = stub.target().await.identity().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied, "{code}");
    error.hint.unwrap()
}

/// The messages are those of <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>; all of
/// them are in `stack::denial`.
#[tokio::test]
async fn an_explicit_denial_names_the_policy_and_gives_no_advice_to_allow_the_action() {
    let asked = "User: arn:aws:iam::1:user/ann is not authorized to perform: sts:GetCallerIdentity on resource: *";
    for (context, named) in [
        (
            "with an explicit deny in a service control policy",
            "a service control policy",
        ),
        (
            "with an explicit deny in a permissions boundary",
            "the permissions boundary",
        ),
        (
            "with an explicit deny in a session policy",
            "the session policy",
        ),
        (
            "with an explicit deny in a VPC endpoint policy",
            "the policy of the request's VPC endpoint",
        ),
        (
            "because no VPC endpoint policy allows the sts:GetCallerIdentity action",
            "the policy of the request's VPC endpoint",
        ),
        (
            "with an explicit deny in a resource-based policy",
            "the policy of the resource",
        ),
    ] {
        let hint = hint(403, "AccessDenied", &format!("{asked} {context}")).await;
        assert!(hint.starts_with(named), "{context}: {hint}");
        assert!(!hint.contains("lacks the permission"), "{hint}");
    }
    let lack = hint(403, "AccessDenied", asked).await;
    assert_eq!(
        lack,
        "the identity lacks the permission sts:GetCallerIdentity"
    );
}

#[tokio::test]
async fn keys_clock_registration_and_region_have_their_own_hints() {
    for (code, message, words) in [
        (
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            &["another partition", "has to enable first"][..],
        ),
        (
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            &["another partition"],
        ),
        (
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match",
            &["AWS_SECRET_ACCESS_KEY"],
        ),
        (
            "SignatureDoesNotMatch",
            "Signature expired: 20151130T204723Z is now earlier than 20160119T133514Z",
            &["clock"],
        ),
        ("RequestExpired", "Request has expired", &["clock"]),
        (
            "ExpiredToken",
            "The security token included in the request is expired",
            &["have expired"],
        ),
        (
            "SubscriptionRequiredException",
            "The AWS Access Key Id needs a subscription for the service",
            &["registration"],
        ),
        (
            "RegionDisabledException",
            "STS is not activated in this region for account:1.",
            &["not enabled"],
        ),
        (
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
            &["AWS_SESSION_TOKEN"],
        ),
    ] {
        let hint = hint(403, code, message).await;
        for wanted in words {
            assert!(hint.contains(wanted), "{code}: {hint}");
        }
    }
}
