//! Settings that exceed AWS's limits, or do not fit together.

use crate::{ROLE, resolve_with, stack, with_api};

fn function(more: &str) -> String {
    with_api(&format!(
        "{ROLE}  Work: {{ Type: 'AWS::Lambda::Function', Properties: {{ Runtime: provided.al2023, Handler: x, Role: !GetAtt Role.Arn, Code: {{ S3Bucket: b, S3Key: k }}, {more} }} }}\n"
    ))
}

fn stage(more: &str) -> String {
    with_api(&format!(
        "  Stage: {{ Type: 'AWS::ApiGatewayV2::Stage', Properties: {{ ApiId: !Ref Api, StageName: v1, AutoDeploy: true, {more} }} }}\n"
    ))
}

#[track_caller]
fn check(template: &str, expected: Option<&str>) {
    let resolved = resolve_with(template, &[]);
    match (resolved, expected) {
        (Ok(_), None) => {}
        (Err(error), Some(expected)) => {
            assert!(error.to_string().contains(expected), "{error}");
        }
        (resolved, expected) => panic!("{expected:?}: {resolved:?}"),
    }
}

#[test]
fn a_function_has_five_layers_at_most() {
    check(&function("Layers: [a, b, c, d, e]"), None);
    let reason = "Resources.Work.Properties.Layers: it has 6 layers, 5 at most";
    check(&function("Layers: [a, b, c, d, e, f]"), Some(reason));
}

#[test]
fn log_levels_belong_to_logs_in_json() {
    let level = |format: &str| {
        function(&format!(
            "LoggingConfig: {{ {format} SystemLogLevel: WARN }}"
        ))
    };
    check(&level("LogFormat: JSON,"), None);
    for format in ["LogFormat: Text,", ""] {
        check(&level(format), Some("`SystemLogLevel` is for logs in JSON"));
    }
    check(
        &function("LoggingConfig: { LogFormat: Text, LogGroup: mine }"),
        None,
    );
}

#[test]
fn the_format_of_access_logs_has_3_kb_at_most() {
    let logs = |length: usize| {
        stage(&format!(
            "AccessLogSettings: {{ DestinationArn: x, Format: {} }}",
            "f".repeat(length)
        ))
    };
    check(&logs(3_072), None);
    check(
        &logs(3_073),
        Some("its Format has 3073 bytes, 3072 at most"),
    );
}

#[test]
fn request_parameters_of_other_routes_than_connect_are_warned_of() {
    let route = |key: &str| {
        let properties = format!(
            "ApiId: !Ref Api, RouteKey: {key}, RequestParameters: {{ route.request.querystring.a: {{ Required: true }} }}"
        );
        stack(&with_api(&format!(
            "  Route: {{ Type: 'AWS::ApiGatewayV2::Route', Properties: {{ {properties} }} }}\n"
        )))
        .warnings
    };
    assert_eq!(route("$connect"), Vec::<String>::new());
    let warnings = route("join");
    assert!(
        matches!(warnings.as_slice(), [one] if one.contains("only `$connect` has request parameters")),
        "{warnings:?}"
    );
}

#[test]
fn a_key_that_yaml_reads_as_null_must_be_quoted() {
    let bare = with_api("  Logs: { Type: 'AWS::Logs::LogGroup', Properties: { Null: x } }\n");
    check(&bare, Some("a key must be a string, but is null"));
    let quoted = with_api("  Logs: { Type: 'AWS::Logs::LogGroup', Metadata: { 'Null': x } }\n");
    check(&quoted, None);
}
