//! A whole chat stack, of the shape that is usually deployed.

use expect_test::expect;

use crate::{identity, resolve_with};

const TEMPLATE: &str = include_str!("../templates/chat.yaml");

#[test]
fn a_whole_chat_stack_resolves() {
    let stack = resolve_with(TEMPLATE, &[("Bucket", "code"), ("Key", "chat.zip")]).unwrap();
    let mut text = String::new();
    for resource in &stack.resources {
        text.push_str(&format!(
            "{} {} {}\n",
            resource.logical_id, resource.resource_type, resource.physical_id
        ));
    }
    for (name, value) in &stack.outputs {
        text.push_str(&format!("{name} = {value}\n"));
    }
    for (name, stage) in &stack.api.stages {
        text.push_str(&format!(
            "{name}: {}\n",
            stage.deployed.clone().unwrap_or_default().join(" ")
        ));
    }
    for function in stack.functions.values() {
        text.push_str(&format!(
            "{} {} {} {:?}\n",
            function.name, function.memory_size, function.log_group, function.environment
        ));
    }
    for permission in &stack.permissions {
        text.push_str(&format!(
            "{} {:?}\n",
            permission.function_arn, permission.source_arn
        ));
    }
    expect![[r#"
        Rows AWS::DynamoDB::Table chat-rows
        JoinLogs AWS::Logs::LogGroup /aws/lambda/chat-join
        LeaveLogs AWS::Logs::LogGroup /aws/lambda/chat-leave
        TalkLogs AWS::Logs::LogGroup /aws/lambda/chat-talk
        JoinRole AWS::IAM::Role chat-JoinRole-938TFPUPNXPG
        LeaveRole AWS::IAM::Role chat-LeaveRole-31FG9XEKMK6X
        Join AWS::Lambda::Function chat-join
        Leave AWS::Lambda::Function chat-leave
        Chat AWS::ApiGatewayV2::Api b0szrwzp9n
        TalkRole AWS::IAM::Role chat-TalkRole-GY6N3UCKC0JS
        JoinIntegration AWS::ApiGatewayV2::Integration mwzw04u
        JoinPermission AWS::Lambda::Permission chat-JoinPermission-G6W000L0SWSA
        LeaveIntegration AWS::ApiGatewayV2::Integration 7yg6lsp
        LeavePermission AWS::Lambda::Permission chat-LeavePermission-DWYNTDL12XJY
        Talk AWS::Lambda::Function chat-talk
        TalkIntegration AWS::ApiGatewayV2::Integration paqnsvp
        TalkPermission AWS::Lambda::Permission chat-TalkPermission-5LKYC6BBGT5V
        JoinRoute AWS::ApiGatewayV2::Route fucpndm
        LeaveRoute AWS::ApiGatewayV2::Route kderowb
        TalkRoute AWS::ApiGatewayV2::Route qex33ek
        SendRoute AWS::ApiGatewayV2::Route knzvadq
        Live AWS::ApiGatewayV2::Stage live
        Endpoint = wss://b0szrwzp9n.execute-api.eu-central-1.amazonaws.com
        Table = arn:aws:dynamodb:eu-central-1:000000000000:table/chat-rows
        TalkArn = arn:aws:lambda:eu-central-1:000000000000:function:chat-talk
        Url = wss://b0szrwzp9n.execute-api.eu-central-1.amazonaws.com/live
        live: $connect $default $disconnect send
        chat-join 128 /aws/lambda/chat-join {"ROWS": "chat-rows"}
        chat-leave 128 /aws/lambda/chat-leave {"ROWS": "chat-rows"}
        chat-talk 256 /aws/lambda/chat-talk {"ROWS": "chat-rows"}
        arn:aws:lambda:eu-central-1:000000000000:function:chat-join Some("arn:aws:execute-api:eu-central-1:000000000000:b0szrwzp9n/*/$connect")
        arn:aws:lambda:eu-central-1:000000000000:function:chat-leave Some("arn:aws:execute-api:eu-central-1:000000000000:b0szrwzp9n/*/$disconnect")
        arn:aws:lambda:eu-central-1:000000000000:function:chat-talk Some("arn:aws:execute-api:eu-central-1:000000000000:b0szrwzp9n/*/*")
    "#]].assert_eq(&text);
    assert_eq!(stack.identity, identity());
    assert_eq!(
        stack.tables["Rows"].ttl_attribute.as_deref(),
        Some("expires")
    );
    assert_eq!(stack.roles.len(), 3);
}

#[test]
fn a_parameter_switches_its_dependent_resources() {
    let given = [
        ("Bucket", "code"),
        ("Key", "chat.zip"),
        ("Trace", "/tmp/trace"),
        ("StageName", "dev"),
        ("Memory", "512"),
    ];
    let stack = resolve_with(TEMPLATE, &given).unwrap();
    assert_eq!(stack.functions["Talk"].environment["TRACE"], "/tmp/trace");
    assert_eq!(stack.functions["Talk"].memory_size, 512);
    assert!(stack.outputs["Url"].ends_with("/dev"));
}

#[test]
fn a_value_that_violates_a_constraint_is_named() {
    let error = resolve_with(
        TEMPLATE,
        &[("Bucket", "code"), ("Memory", "64"), ("Colour", "red")],
    )
    .unwrap_err();
    expect![[r#"
        the template cannot be used, for 3 reasons:
          Parameters.Colour: a value was set for it, but the template does not declare it
          line 11: Parameters.Key: it has no default, so a value must be set
          line 14: Parameters.Memory: `64` is below the minimum, 128"#]]
    .assert_eq(&error.to_string());
}

#[test]
fn another_stack_of_the_same_template_shares_no_ids() {
    let given = [
        ("Bucket".to_owned(), "code".to_owned()),
        ("Key".to_owned(), "chat.zip".to_owned()),
    ]
    .into();
    let mut other = identity();
    other.seed = "another".to_owned();
    let one = chatctl_local::unstable::template::resolve(TEMPLATE, &given, &identity()).unwrap();
    let two = chatctl_local::unstable::template::resolve(TEMPLATE, &given, &other).unwrap();
    assert_ne!(one.api.id, two.api.id);
    assert!(
        one.api
            .integrations
            .keys()
            .all(|id| !two.api.integrations.contains_key(id))
    );
}
