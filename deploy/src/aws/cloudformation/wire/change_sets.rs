//! The requests for new change sets.

use expect_test::expect;

use super::*;
use crate::engine::cloud::ParameterValue;

fn made() -> StubResponse {
    page("CreateChangeSet", "<Id>arn:c</Id><StackId>arn:s</StackId>")
}

#[tokio::test]
async fn a_change_set_has_these_fields() {
    let call = async |cloud: &Cloud| {
        let mut request = request();
        cloud.create_change_set(&request).await.unwrap();
        for (change, mode) in [
            (Change::Update, DeployMode::Express),
            (Change::Restart, DeployMode::Standard),
            (Change::Move, DeployMode::Express),
        ] {
            (request.change, request.mode) = (change, mode);
            cloud.create_change_set(&request).await.unwrap();
        }
        let this = |text: &str| ParameterValue::This(text.to_owned());
        request.parameters = [
            ("CodeKey".to_owned(), ParameterValue::Previous),
            ("Empty".to_owned(), this("")),
            ("Odd".to_owned(), this(ODD)),
        ]
        .into();
        request.tags = [(ODD, ""), ("team", "chat"), ("zeta", ODD)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        request.template = Template::new(serde_json::json!({
            "Description": ODD,
            "Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}}},
        }));
        cloud.create_change_set(&request).await.unwrap();
    };
    check(vec![made()], call, expect![[r#"
        POST /
        Action = "CreateChangeSet"
        Version = "2010-05-15"
        StackName = "chat"
        TemplateBody = "{\n  \"Resources\": {}\n}\n"
        Parameters = ""
        Capabilities.member.1 = "CAPABILITY_IAM"
        ChangeSetName = "chatctl-1"
        ClientToken = "chatctl-1"
        Description = "Made by chatctl"
        ChangeSetType = "CREATE"
        POST /
        Action = "CreateChangeSet"
        Version = "2010-05-15"
        StackName = "chat"
        TemplateBody = "{\n  \"Resources\": {}\n}\n"
        Parameters = ""
        Capabilities.member.1 = "CAPABILITY_IAM"
        ChangeSetName = "chatctl-1"
        ClientToken = "chatctl-1"
        Description = "Made by chatctl"
        ChangeSetType = "UPDATE"
        DeploymentConfig.Mode = "EXPRESS"
        DeploymentConfig.DisableRollback = "false"
        POST /
        Action = "CreateChangeSet"
        Version = "2010-05-15"
        StackName = "chat"
        TemplateBody = "{\n  \"Resources\": {}\n}\n"
        Parameters = ""
        Capabilities.member.1 = "CAPABILITY_IAM"
        ChangeSetName = "chatctl-1"
        ClientToken = "chatctl-1"
        Description = "Made by chatctl"
        ChangeSetType = "UPDATE"
        POST /
        Action = "CreateChangeSet"
        Version = "2010-05-15"
        StackName = "chat"
        TemplateBody = "{\n  \"Resources\": {}\n}\n"
        Parameters = ""
        Capabilities.member.1 = "CAPABILITY_IAM"
        ChangeSetName = "chatctl-1"
        ClientToken = "chatctl-1"
        Description = "Made by chatctl"
        ChangeSetType = "UPDATE"
        DeploymentConfig.Mode = "EXPRESS"
        DeploymentConfig.DisableRollback = "false"
        POST /
        Action = "CreateChangeSet"
        Version = "2010-05-15"
        StackName = "chat"
        TemplateBody = "{\n  \"Description\": \"a+b & c=d/é%41 ~-_.*'\\\"<>;,?#[]\\n\\t\\\\ 🦀\",\n  \"Resources\": {\n    \"R\": {\n      \"Type\": \"AWS::IAM::Role\",\n      \"Properties\": {\n        \"RoleName\": \"r\"\n      }\n    }\n  }\n}\n"
        Parameters.member.1.ParameterKey = "CodeKey"
        Parameters.member.1.UsePreviousValue = "true"
        Parameters.member.2.ParameterKey = "Empty"
        Parameters.member.2.ParameterValue = ""
        Parameters.member.3.ParameterKey = "Odd"
        Parameters.member.3.ParameterValue = "a+b & c=d/é%41 ~-_.*'\"<>;,?#[]\n\t\\ 🦀"
        Capabilities.member.1 = "CAPABILITY_NAMED_IAM"
        Tags.member.1.Key = "a+b & c=d/é%41 ~-_.*'\"<>;,?#[]\n\t\\ 🦀"
        Tags.member.1.Value = ""
        Tags.member.2.Key = "team"
        Tags.member.2.Value = "chat"
        Tags.member.3.Key = "zeta"
        Tags.member.3.Value = "a+b & c=d/é%41 ~-_.*'\"<>;,?#[]\n\t\\ 🦀"
        ChangeSetName = "chatctl-1"
        ClientToken = "chatctl-1"
        Description = "Made by chatctl"
        ChangeSetType = "UPDATE"
        DeploymentConfig.Mode = "EXPRESS"
        DeploymentConfig.DisableRollback = "false"
    "#]]).await;
}

#[tokio::test]
async fn a_change_set_of_a_large_template_names_its_address_and_the_account_s_rules() {
    let who = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>\
        <Arn>arn:aws:iam::123456789012:user/ann</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let answers = [
        (200, who),
        (200, ""),
        (200, "{}"),
        (200, ""),
        (404, ""),
        (200, ""),
    ];
    let mut answers: Vec<_> = answers
        .map(|(status, body)| (status, body.to_owned()))
        .into();
    answers.extend([made(), page("DeleteStack", "")]);
    let stub = Stub::answering(answers).await;
    let text = "[aws]\nrole-arn = \"arn:aws:iam::123456789012:role/r\"\n\
        notification-arns = [\"arn:aws:sns:eu-west-1:123456789012:a\", \"arn:aws:sns:eu-west-1:123456789012:b\"]\n";
    let path = std::path::Path::new("chatctl.toml");
    let settings =
        crate::config::Settings::read(path, text, "".into(), Default::default()).unwrap();
    let cloud = Cloud::new(&stub.config().await, "eu-west-1", &settings.aws.rules);
    let mut request = request();
    let large = "x".repeat(crate::stack::quota::MAX_INLINE);
    request.template = Template::new(serde_json::json!({"Description": large}));
    cloud.create_change_set(&request).await.unwrap();
    let deleted = cloud.delete_stack("arn:s", "t", &[], DeployMode::Standard);
    deleted.await.unwrap();
    let host = stub.url().trim_start_matches("http://").to_owned();
    let asked = &stub.asked()[6..];
    let forms: Vec<_> = asked.iter().map(|asked| form(asked)).collect();
    expect![[r#"
        POST /
        Action = "CreateChangeSet"
        Version = "2010-05-15"
        StackName = "chat"
        TemplateURL = "http://HOST/chatctl-123456789012-eu-west-1-an/abbc6e3e9348dd944011fa80bf1cfa46638e86f758c2679204d3627aa8d384fc.json"
        Parameters = ""
        Capabilities.member.1 = "CAPABILITY_IAM"
        RoleARN = "arn:aws:iam::123456789012:role/r"
        NotificationARNs.member.1 = "arn:aws:sns:eu-west-1:123456789012:a"
        NotificationARNs.member.2 = "arn:aws:sns:eu-west-1:123456789012:b"
        ChangeSetName = "chatctl-1"
        ClientToken = "chatctl-1"
        Description = "Made by chatctl"
        ChangeSetType = "CREATE"
        POST /
        Action = "DeleteStack"
        Version = "2010-05-15"
        StackName = "arn:s"
        RoleARN = "arn:aws:iam::123456789012:role/r"
        ClientRequestToken = "t"
    "#]].assert_eq(&forms.concat().replace(&host, "HOST"));
}

#[tokio::test]
async fn a_template_arrives_as_it_was_with_every_character() {
    let (cloud, stub) = cloud(vec![made()]).await;
    let every: String = ('\0'..='\u{800}').chain('\u{fff0}'..='\u{1000f}').collect();
    let mut request = request();
    request.template = Template::new(serde_json::json!({ "Description": every }));
    cloud.create_change_set(&request).await.unwrap();
    let asked = stub.asked().remove(0);
    let body = asked.strip_prefix("POST / ").unwrap();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~%&=".contains(&byte);
    assert!(body.bytes().all(is_plain), "{body}");
    let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    let (_, sent) = pairs.find(|(name, _)| *name == "TemplateBody").unwrap();
    let sent = percent_decode_str(sent).decode_utf8().unwrap();
    assert_eq!(sent, request.template.to_json());
}
