//! The dashboard of a stack.

use serde_json::{Value, json};

use super::inventory::Watched;

/// A row of a dashboard has 24 columns; two graphs stand beside one another.
const WIDTH: usize = 12;
const HEIGHT: usize = 6;

/// The height of a list of alarms.
const LOW: usize = 3;

/// The most alarms of one list
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>).
const MAX_ALARMS: usize = 100;

/// The dashboard of what is watched, with the state of `alarms` first.
pub(super) fn dashboard(stack: &Watched, alarms: &[&str]) -> Value {
    let mut graphs = Vec::new();
    let mut graph = |title: &str, stat: &str, metrics: Vec<Value>| {
        if !metrics.is_empty() {
            graphs.push(json!({
                "type": "metric",
                "properties": {
                    "title": title, "region": "${AWS::Region}", "stat": stat, "period": 300, "metrics": metrics,
                },
            }));
        }
    };
    let of_api = |name: &str| {
        json!([
            "AWS/ApiGateway",
            name,
            "ApiId",
            "${Api}",
            "Stage",
            "${StageName}"
        ])
    };
    let of_functions = |name: &str| {
        let functions = stack.functions.iter();
        let metric = |id: &String| json!(["AWS/Lambda", name, "FunctionName", format!("${{{id}}}"), { "label": id }]);
        functions.map(metric).collect::<Vec<_>>()
    };
    // Both are lines of one graph.
    let failures_of_functions = |name: &str| {
        let functions = stack.functions.iter();
        let metric = |id: &String| {
            let label = format!("{id} {name}");
            json!(["AWS/Lambda", name, "FunctionName", format!("${{{id}}}"), { "label": label }])
        };
        functions.map(metric).collect::<Vec<_>>()
    };
    let of_tables = |names: &[&str]| {
        let tables = stack.tables.iter();
        let metrics = |id: &String| {
            let metric =
                |name: &&str| json!(["AWS/DynamoDB", name, "TableName", format!("${{{id}}}")]);
            names.iter().map(metric).collect::<Vec<_>>()
        };
        tables.flat_map(metrics).collect::<Vec<_>>()
    };
    graph(
        "Handshakes and messages",
        "Sum",
        ["ConnectCount", "MessageCount"].map(of_api).into(),
    );
    graph(
        "Errors of the API",
        "Sum",
        ["ClientError", "ExecutionError", "IntegrationError"]
            .map(of_api)
            .into(),
    );
    graph("Invocations", "Sum", of_functions("Invocations"));
    let mut failed = failures_of_functions("Errors");
    failed.extend(failures_of_functions("Throttles"));
    graph("Errors and throttles of functions", "Sum", failed);
    graph(
        "Duration of functions, p99",
        "p99",
        of_functions("Duration"),
    );
    graph(
        "Latency of integrations, p99",
        "p99",
        vec![of_api("IntegrationLatency")],
    );
    graph(
        "Use of the table",
        "Sum",
        of_tables(&["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"]),
    );
    graph(
        "Throttles of the table",
        "Sum",
        of_tables(&["ReadThrottleEvents", "WriteThrottleEvents"]),
    );
    let mut widgets = Vec::new();
    let mut top = 0;
    for alarms in alarms.chunks(MAX_ALARMS) {
        let arns: Vec<_> = alarms.iter().map(|id| format!("${{{id}.Arn}}")).collect();
        widgets.push(json!({
            "type": "alarm", "x": 0, "y": top, "width": 2 * WIDTH, "height": LOW,
            "properties": { "title": "Alarms", "alarms": arns },
        }));
        top += LOW;
    }
    for (at, mut graph) in graphs.into_iter().enumerate() {
        graph["x"] = json!(at % 2 * WIDTH);
        graph["y"] = json!(top + at / 2 * HEIGHT);
        graph["width"] = json!(WIDTH);
        graph["height"] = json!(HEIGHT);
        widgets.push(graph);
    }
    let body = json!({ "widgets": widgets }).to_string();
    json!({
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            // An account's dashboards share their names in all Regions.
            "DashboardName": { "Fn::Sub": "${AWS::StackName}-${AWS::Region}" },
            "DashboardBody": { "Fn::Sub": body },
        },
    })
}
