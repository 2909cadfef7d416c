//! Every operation that the layer makes, by its name.

use aws_config::SdkConfig;
use aws_smithy_types::retry::RetryConfig;

use crate::aws::stub::{Fields, Stub, StubResponse};
use crate::aws::{
    AccountNames, ApiGateways, ChatLocation, CloudWatchMetrics, LambdaFunctions, Tables, operator,
};
use crate::aws::{CloudWatchLogs, IamSimulator};
use crate::engine::log_role::GatewayAccount as _;
use crate::engine::logs::LogGroups as _;
use crate::engine::naming::Names as _;
use crate::engine::operator::{ConnectionTable as _, Connections as _, Key, Only};
use crate::engine::permissions::Simulator as _;
use crate::engine::vitals::Watched;
use crate::engine::{Asset, Functions as _, Gateways as _, TargetError};
use crate::stack::policy::Question;

/// The operations, with the protocol of each.
pub(super) const OPERATIONS: [(&str, Protocol); 20] = [
    ("ListCertificates", Protocol::Json),
    ("FilterLogEvents", Protocol::Json),
    ("GetMetricData", Protocol::Json),
    ("DescribeTable", Protocol::Json),
    ("Query", Protocol::Json),
    ("Scan", Protocol::Json),
    ("Scan for a connection", Protocol::Json),
    ("Scan for a name", Protocol::Json),
    ("DeleteItem", Protocol::Json),
    ("PutItem", Protocol::Json),
    ("GetAccountSettings", Protocol::Rest),
    ("GetFunctionConfiguration", Protocol::Rest),
    ("UpdateFunctionCode", Protocol::Rest),
    ("GetStage", Protocol::Rest),
    ("GetApi", Protocol::Rest),
    ("GetAccount", Protocol::Rest),
    ("GetConnection", Protocol::Rest),
    ("PostToConnection", Protocol::Rest),
    ("DeleteConnection", Protocol::Rest),
    ("ListHostedZonesByName", Protocol::Xml),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Json,
    Rest,
    Xml,
}

/// A configuration, which takes a while to make.
pub(super) async fn config() -> SdkConfig {
    let stub = Stub::answering(vec![(200, String::new())]).await;
    stub.config().await
}

/// What is made of `answers` to `operation` with at most so many `attempts`, and the stub that gave them.
pub(super) async fn outcome(
    config: &SdkConfig,
    operation: &str,
    attempts: u32,
    fields: Fields,
    answers: Vec<StubResponse>,
) -> (Result<String, TargetError>, Stub) {
    let stub = Stub::answering_with(fields, answers).await;
    let retries = RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(std::time::Duration::from_millis(1));
    let config = config.clone().into_builder().retry_config(retries);
    let config = config.endpoint_url(stub.url()).build();
    (run(operation, &config, &stub).await, stub)
}

fn shown<T: std::fmt::Debug>(outcome: Result<T, TargetError>) -> Result<String, TargetError> {
    outcome.map(|it| format!("{it:?}"))
}

/// What is made of the response to `operation`.
pub(super) async fn run(
    operation: &str,
    config: &SdkConfig,
    stub: &Stub,
) -> Result<String, TargetError> {
    let place = ChatLocation {
        table: "chat-Table-1".into(),
        connections_url: format!("{}/v1", stub.url()),
    };
    let (table, sockets) = operator::chat(config, &place);
    let key = || Key {
        partition: "R#hall#2".into(),
        sort: "C#a=".into(),
    };
    let connection = "BFaT_f/ALI AMCKug=";
    // An ARN is a name as well, with characters that a path encodes.
    let function = "arn:aws:lambda:eu-west-1:1:function:chat-Direct_1";
    let stage = "v1".parse().unwrap();
    match operation {
        "ListCertificates" => shown(AccountNames::new(config).certificates().await),
        "ListHostedZonesByName" => shown(AccountNames::new(config).zones("ü.example.com").await),
        "FilterLogEvents" => shown(CloudWatchLogs::new(config).events("/aws/λ", 5).await),
        "GetMetricData" => {
            let watched = Watched {
                api: "abc".into(),
                stage: "v1".into(),
                ..Watched::default()
            };
            let metrics = CloudWatchMetrics::new(config);
            shown(metrics.latest(&watched, 1_800_000_059).await)
        }
        "DescribeTable" => shown(Tables::new(config).items("chat-Table-1").await),
        "Query" => shown(table.query("R#hall#2", Some(key())).await),
        "Scan" => shown(table.scan(Only::Connections, None).await),
        "Scan for a connection" => shown(table.scan(Only::Connection("a="), Some(key())).await),
        "Scan for a name" => shown(table.scan(Only::Name("Änn"), None).await),
        "DeleteItem" => shown(table.remove(&key()).await),
        "PutItem" => shown(table.put(&key(), 1_800_000_000).await),
        "GetAccountSettings" => shown(LambdaFunctions::new(config).concurrency().await),
        "GetFunctionConfiguration" => shown(LambdaFunctions::new(config).code(function).await),
        "UpdateFunctionCode" => {
            let asset = Asset {
                bucket: "bucket".into(),
                key: "a/b.zip".into(),
                architecture: "arm64",
                size: 1,
                already_there: false,
            };
            let functions = LambdaFunctions::new(config);
            shown(functions.replace_code(function, &asset).await)
        }
        "GetStage" => shown(
            ApiGateways::new(config)
                .stage_trouble("a b/c", &stage)
                .await,
        ),
        "GetApi" => shown(ApiGateways::new(config).endpoint("a b/c", &stage).await),
        "GetAccount" => shown(ApiGateways::new(config).log_role().await),
        "GetConnection" => shown(sockets.activity(connection).await),
        "PostToConnection" => shown(sockets.post(connection, "{\"ä\": 1}").await),
        "DeleteConnection" => shown(sockets.close(connection).await),
        "SimulatePrincipalPolicy" => {
            let question = Question {
                actions: vec!["s3:PutObject".into(), "s3:GetObject".into()],
                pattern: "arn:aws:iam::1:role/chat-*".into(),
                resource: Some("arn:aws:iam::1:role/chat-example".into()),
                context: vec![("kms:ViaService".into(), "s3.eu-west-1.amazonaws.com".into())],
            };
            let iam = IamSimulator::new(config);
            shown(iam.denied("arn:aws:iam::1:user/ann", &question).await)
        }
        other => panic!("no operation {other}"),
    }
}
