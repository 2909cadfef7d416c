use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError, future};
use aws_sdk_sts::config::SharedCredentialsProvider;
use expect_test::expect;

use super::operations::{OPERATIONS, config, outcome, run};
use crate::aws::no_credentials::NoCredentials;
use crate::aws::stub::{OwnAddress, Stub, refusal};
use crate::engine::ErrorKind;

/// The name in the SDKs of what makes `operation`.
fn service_of(operation: &str) -> &'static str {
    match operation {
        "ListCertificates" => "ACM",
        "FilterLogEvents" => "CloudWatch Logs",
        "GetMetricData" => "CloudWatch",
        "ListHostedZonesByName" => "Route 53",
        "SimulatePrincipalPolicy" => "IAM",
        "GetAccountSettings" | "GetFunctionConfiguration" | "UpdateFunctionCode" => "Lambda",
        "GetStage" | "GetApi" | "GetAccount" => "ApiGatewayV2",
        _ => "DynamoDB",
    }
}

#[tokio::test]
async fn an_address_that_is_set_for_one_service_leads_there_and_is_not_used_for_others() {
    let config = config().await;
    let all = OPERATIONS.into_iter().map(|(operation, _)| operation);
    // The Connections API has the address of its stage.
    let own = all.filter(|it| !it.ends_with("Connection"));
    for operation in own.chain(["SimulatePrincipalPolicy"]) {
        for (service, is_asked) in [(service_of(operation), true), ("Something Else", false)] {
            let gone = || vec![(404, String::new())];
            let (own, common) = (Stub::answering(gone()).await, Stub::answering(gone()).await);
            let mut builder = config.clone().into_builder();
            builder.set_service_config(Some(OwnAddress(service, own.url().to_owned())));
            let config = builder.endpoint_url(common.url()).build();
            drop(run(operation, &config, &common).await);
            assert_eq!(own.asked().len(), usize::from(is_asked), "{operation}");
            assert_eq!(common.asked().len(), usize::from(!is_asked), "{operation}");
        }
    }
}

#[tokio::test]
async fn an_address_of_the_configuration_itself_is_used_for_all_services() {
    let (own, common) = (
        Stub::answering(vec![(404, String::new())]).await,
        Stub::answering(vec![(404, String::new())]).await,
    );
    let mut builder = config().await.into_builder();
    builder.set_service_config(Some(OwnAddress("Lambda", own.url().to_owned())));
    builder.insert_origin("endpoint_url", aws_types::origin::Origin::shared_config());
    let config = builder.endpoint_url(common.url()).build();
    drop(run("GetAccountSettings", &config, &common).await);
    assert_eq!((own.asked().len(), common.asked().len()), (0, 1));
}

/// Has no credentials, for a reason.
#[derive(Debug)]
struct Without;

impl ProvideCredentials for Without {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let why = NoCredentials {
            kind: ErrorKind::Denied,
            why: "the profile x has none".into(),
            hint: "log in".into(),
        };
        future::ProvideCredentials::ready(Err(CredentialsError::provider_error(why)))
    }
}

#[tokio::test]
async fn a_request_without_credentials_is_not_sent_and_says_why() {
    let base = config().await;
    let stub = Stub::answering(vec![(200, String::new())]).await;
    let builder = base.into_builder().endpoint_url(stub.url());
    let config: SdkConfig = builder
        .credentials_provider(SharedCredentialsProvider::new(Without))
        .build();
    let all = OPERATIONS.into_iter().map(|(operation, _)| operation);
    for operation in all.chain(["SimulatePrincipalPolicy"]) {
        let error = run(operation, &config, &stub).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied, "{operation}");
        assert_eq!(error.hint.as_deref(), Some("log in"), "{operation}");
        let words = format!("{error:?}");
        assert!(words.contains("the profile x has none"), "{words}");
    }
    assert_eq!(stub.asked(), Vec::<String>::new());
}

const SIMULATED: &str = "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>\
    <member><EvalActionName>s3:GetObject</EvalActionName><EvalDecision>implicitDeny</EvalDecision></member>\
    </EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>";

#[tokio::test]
async fn iam_is_asked_again_when_it_throttles_or_fails() {
    let answers = vec![
        refusal(400, "Throttling", "Rate exceeded"),
        (503, String::new()),
        (200, SIMULATED.to_owned()),
    ];
    let config = config().await;
    let (outcome, stub) = outcome(&config, "SimulatePrincipalPolicy", 3, &[], answers).await;
    assert!(outcome.unwrap().contains("s3:GetObject"));
    let asked = stub.asked();
    assert_eq!(asked.len(), 3);
    expect![
        "POST / Action=SimulatePrincipalPolicy&Version=2010-05-08&PolicySourceArn=arn%3Aaws%3Aiam%3A%3A1%3Auser%2Fann&MaxItems=1000&ActionNames.member.1=s3%3APutObject&ActionNames.member.2=s3%3AGetObject&ResourceArns.member.1=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fchat-example&ContextEntries.member.1.ContextKeyName=kms%3AViaService&ContextEntries.member.1.ContextKeyType=string&ContextEntries.member.1.ContextKeyValues.member.1=s3.eu-west-1.amazonaws.com"
    ]
    .assert_eq(&asked[2]);
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
#[tokio::test]
async fn metrics_are_asked_for_in_json_page_by_page() {
    let page = |minute: u64, next: Option<&str>| {
        let found = serde_json::json!({
            "Id": "m1", "Timestamps": [minute as f64], "Values": [7.0], "StatusCode": "PartialData",
        });
        let page = serde_json::json!({ "MetricDataResults": [found], "NextToken": next });
        (200, page.to_string())
    };
    let answers = vec![page(1_799_999_880, Some("more")), page(1_799_999_940, None)];
    let config = config().await;
    let (outcome, stub) = outcome(&config, "GetMetricData", 1, &[], answers).await;
    let shown = outcome.unwrap();
    assert!(
        shown.contains("messages: 7") && shown.contains("until: 1800000000"),
        "{shown}"
    );
    assert_eq!(
        stub.header("x-amz-target")[0].as_deref(),
        Some("GraniteServiceVersion20100801.GetMetricData")
    );
    assert_eq!(
        stub.header("content-type")[0].as_deref(),
        Some("application/x-amz-json-1.0")
    );
    let asked = stub.asked();
    let body = |asked: &str| -> serde_json::Value {
        serde_json::from_str(asked.strip_prefix("POST / ").unwrap()).unwrap()
    };
    let mut first = body(&asked[0]);
    assert_eq!(
        first["MetricDataQueries"][1],
        serde_json::json!({
            "Id": "m1",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/ApiGateway",
                    "MetricName": "MessageCount",
                    "Dimensions": [
                        { "Name": "ApiId", "Value": "abc" },
                        { "Name": "Stage", "Value": "v1" },
                    ],
                },
                "Period": 60,
                "Stat": "Sum",
            },
        })
    );
    assert_eq!(first["EndTime"], 1_800_000_000_u64);
    assert_eq!(first["StartTime"], 1_799_999_400_u64);
    first["NextToken"] = "more".into();
    assert_eq!(body(&asked[1]), first);
}
