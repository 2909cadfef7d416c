//! Settings that AWS accepts although they have no effect: accepted here as well, with one warning.

use crate::{resolve_with, stack, with_api};

const FUNCTION: &str = "
  Mine: { Type: 'AWS::ApiGatewayV2::Integration', Properties: { ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: 'arn:aws:lambda:x:y:function:chat' } }
";

/// The only warning of a template with an API and `resources`.
fn warning(resources: &str) -> String {
    let warnings = stack(&with_api(resources)).warnings;
    let [warning] = warnings.as_slice() else {
        panic!("{warnings:?}");
    };
    warning.clone()
}

#[track_caller]
fn check(resources: &str, expected: &[&str]) {
    let warning = warning(resources);
    for part in expected {
        assert!(warning.contains(part), "{part}: {warning}");
    }
}

#[test]
fn responses_of_a_proxy_integration_have_no_effect() {
    check(
        &format!(
            "{FUNCTION}  Other: {{ Type: 'AWS::ApiGatewayV2::IntegrationResponse', Properties: {{ ApiId: !Ref Api, IntegrationId: !Ref Mine, IntegrationResponseKey: $default }} }}"
        ),
        &[
            "Resources.Other.Properties.IntegrationId",
            "no effect",
            "AWS_PROXY",
        ],
    );
}

#[test]
fn a_stage_may_deploy_by_itself_and_name_a_deployment() {
    let stage = "
  Stage: { Type: 'AWS::ApiGatewayV2::Stage', Properties: { ApiId: !Ref Api, StageName: v1, AutoDeploy: true, DeploymentId: !Ref Deployment } }
  Deployment: { Type: 'AWS::ApiGatewayV2::Deployment', DependsOn: Route, Properties: { ApiId: !Ref Api } }
  Route: { Type: 'AWS::ApiGatewayV2::Route', Properties: { ApiId: !Ref Api, RouteKey: $default, Target: !Sub 'integrations/${Mine}' } }
  Later: { Type: 'AWS::ApiGatewayV2::Route', Properties: { ApiId: !Ref Api, RouteKey: later, Target: !Sub 'integrations/${Mine}' } }
";
    let resources = format!("{FUNCTION}{stage}");
    check(&resources, &["DeploymentId", "AutoDeploy"]);
    let api = stack(&with_api(&resources)).api;
    let live = api.stages["v1"].deployed.as_ref().unwrap();
    assert_eq!(live, &["$default", "later"]);
}

#[test]
fn a_model_for_connect_has_no_effect() {
    check(
        "
  Route: { Type: 'AWS::ApiGatewayV2::Route', Properties: { ApiId: !Ref Api, RouteKey: $connect, ModelSelectionExpression: $request.body.x } }
",
        &["ModelSelectionExpression", "no effect", "`$connect`"],
    );
}

#[test]
fn expressions_and_keys_that_select_nothing_are_reported_with_their_place() {
    let mock = |rest: &str| {
        format!(
            "
  Mock: {{ Type: 'AWS::ApiGatewayV2::Integration', Properties: {{ ApiId: !Ref Api, IntegrationType: MOCK, RequestTemplates: {{ '200': '{{}}' }}{rest} }} }}
"
        )
    };
    let place = "Resources.Mock.Properties.RequestTemplates";
    check(&mock(""), &[place, "200", "only the key $default"]);
    check(
        &mock(", TemplateSelectionExpression: '404'"),
        &[place, "`404` yields none"],
    );
    for selects in ["'200'", "$request.body.kind"] {
        let rest = format!(", TemplateSelectionExpression: {selects}");
        let warnings = stack(&with_api(&mock(&rest))).warnings;
        assert_eq!(warnings, Vec::<String>::new(), "{selects}");
    }
    let api = with_api("").replace("$request.body.action", "'${request.body.action'");
    let warnings = stack(&api).warnings.concat();
    assert!(
        warnings.contains("Resources.Api.Properties.RouteSelectionExpression"),
        "{warnings}"
    );
}

#[test]
fn an_unsupported_java_pattern_is_not_checked() {
    let template = |pattern: &str| {
        with_api("").replace(
            "Resources:",
            &format!("Parameters:\n  P: {{ Type: String, Default: a--b, AllowedPattern: '{pattern}' }}\nResources:"),
        )
    };
    let warnings = stack(&template("^(?!.*--)[a-z-]+$")).warnings.concat();
    assert!(
        warnings.contains("`a--b` is not checked here"),
        "{warnings}"
    );
    assert!(
        warnings.contains("Parameters.P.AllowedPattern"),
        "{warnings}"
    );
    // Supported patterns are checked.
    assert!(stack(&template("[\\w-\\.]+")).warnings.is_empty());
    assert!(resolve_with(&template("[\\w\\.]+"), &[]).is_err());
    let heavy = stack(&template("((([a-z]?){100}){10}|.*){10}"))
        .warnings
        .concat();
    assert!(
        heavy.contains("takes too long") || heavy.is_empty(),
        "{heavy}"
    );
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_template() {
    let template = format!(
        "\u{feff}AWSTemplateFormatVersion: 2010-09-09\n{}",
        with_api("")
    );
    assert_eq!(stack(&template).api.logical_id, "Api");
}

#[test]
fn a_template_that_begins_like_json_is_read_as_json() {
    let api = r#""Api": { "Type": "AWS::ApiGatewayV2::Api", "Properties": { "Name": "chat", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action" } }"#;
    assert!(resolve_with(&format!(r#"{{ "Resources": {{ {api} }} }}"#), &[]).is_ok());
    for wrong in [
        format!(r#"{{ "Resources": {{ {api}, }} }}"#),
        format!(r#"{{ Resources: {{ {api} }} }}"#),
        format!("{{ \"Resources\": {{ {api} }} # end\n }}"),
    ] {
        let reported = resolve_with(&wrong, &[]).unwrap_err().to_string();
        assert!(
            reported.contains("is not valid JSON"),
            "{wrong}: {reported}"
        );
    }
}

#[test]
fn a_thousand_problems_are_kept() {
    let keys: String = (0..3000).map(|index| format!("K{index}: 1\n")).collect();
    let error = resolve_with(&format!("{keys}{}", with_api("")), &[]).unwrap_err();
    assert_eq!((error.problems.len(), error.more), (1000, 2000));
    assert!(
        error.to_string().ends_with("\n  … and 2980 more"),
        "{error}"
    );
}

#[test]
fn exceeding_an_account_s_quota_is_reported() {
    let stages = |count: usize| -> String {
        let stage = |index| {
            format!(
                "\n  Stage{index}: {{ Type: 'AWS::ApiGatewayV2::Stage', Properties: {{ ApiId: !Ref Api, StageName: v{index} }} }}"
            )
        };
        (0..count).map(stage).collect::<String>() + "\n"
    };
    assert!(stack(&with_api(&stages(10))).warnings.is_empty());
    check(
        &stages(11),
        &["Resources.Api", "11 resources", "10 for each API"],
    );
}
