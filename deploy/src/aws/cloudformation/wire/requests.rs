//! The requests: method, path, headers and the pairs of the form, in their order.

use expect_test::expect;

use super::*;

#[tokio::test]
async fn a_stack_is_requested_by_its_name_whatever_is_in_it() {
    let call = async |cloud: &Cloud| {
        for name in [
            "chat",
            "arn:aws:cloudformation:eu-west-1:1:stack/chat/u-1",
            ODD,
            "",
        ] {
            cloud.stack(name).await.unwrap();
        }
    };
    check(
        vec![page("DescribeStacks", "<Stacks/>")],
        call,
        expect![[r#"
        POST /
        Action = "DescribeStacks"
        Version = "2010-05-15"
        StackName = "chat"
        POST /
        Action = "DescribeStacks"
        Version = "2010-05-15"
        StackName = "arn:aws:cloudformation:eu-west-1:1:stack/chat/u-1"
        POST /
        Action = "DescribeStacks"
        Version = "2010-05-15"
        StackName = "a+b & c=d/é%41 ~-_.*'\"<>;,?#[]\n\t\\ 🦀"
        POST /
        Action = "DescribeStacks"
        Version = "2010-05-15"
        StackName = ""
    "#]],
    )
    .await;
}

#[tokio::test]
async fn pages_are_requested_until_one_names_no_other() {
    let next = |action: &str, token: &str| page(action, &format!("<NextToken>{token}</NextToken>"));
    let pages = |action: &str| vec![next(action, "a/b+c=="), next(action, ""), page(action, "")];
    let call = async |cloud: &Cloud| drop(cloud.stacks().await.unwrap());
    check(
        pages("DescribeStacks"),
        call,
        expect![[r#"
        POST /
        Action = "DescribeStacks"
        Version = "2010-05-15"
        POST /
        Action = "DescribeStacks"
        Version = "2010-05-15"
        NextToken = "a/b+c=="
    "#]],
    )
    .await;
    let call = async |cloud: &Cloud| drop(cloud.resources("chat").await.unwrap());
    check(
        pages("ListStackResources"),
        call,
        expect![[r#"
        POST /
        Action = "ListStackResources"
        Version = "2010-05-15"
        StackName = "chat"
        POST /
        Action = "ListStackResources"
        Version = "2010-05-15"
        StackName = "chat"
        NextToken = "a/b+c=="
    "#]],
    )
    .await;
    let call = async |cloud: &Cloud| drop(cloud.change_sets("chat").await.unwrap());
    check(
        pages("ListChangeSets"),
        call,
        expect![[r#"
        POST /
        Action = "ListChangeSets"
        Version = "2010-05-15"
        StackName = "chat"
        POST /
        Action = "ListChangeSets"
        Version = "2010-05-15"
        StackName = "chat"
        NextToken = "a/b+c=="
    "#]],
    )
    .await;
    let call = async |cloud: &Cloud| drop(cloud.recent_events("arn:s").await.unwrap());
    check(
        pages("DescribeStackEvents"),
        call,
        expect![[r#"
        POST /
        Action = "DescribeStackEvents"
        Version = "2010-05-15"
        StackName = "arn:s"
        POST /
        Action = "DescribeStackEvents"
        Version = "2010-05-15"
        StackName = "arn:s"
        NextToken = "a/b+c=="
    "#]],
    )
    .await;
}

#[tokio::test]
async fn pages_of_a_change_set_are_requested_until_one_names_no_other() {
    let pages = |action: &str| {
        vec![
            page(action, "<NextToken>a/b+c==</NextToken>"),
            page(action, "<NextToken/>"),
        ]
    };
    let call = async |cloud: &Cloud| drop(cloud.change_set(&ids()).await.unwrap());
    check(
        pages("DescribeChangeSet"),
        call,
        expect![[r#"
        POST /
        Action = "DescribeChangeSet"
        Version = "2010-05-15"
        ChangeSetName = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/c/1"
        StackName = "arn:aws:cloudformation:eu-west-1:123456789012:stack/chat/1"
        IncludePropertyValues = "true"
        POST /
        Action = "DescribeChangeSet"
        Version = "2010-05-15"
        ChangeSetName = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/c/1"
        StackName = "arn:aws:cloudformation:eu-west-1:123456789012:stack/chat/1"
        NextToken = "a/b+c=="
        IncludePropertyValues = "true"
    "#]],
    )
    .await;
    let call = async |cloud: &Cloud| drop(cloud.findings(&ids()).await.unwrap());
    check(
        pages("DescribeEvents"),
        call,
        expect![[r#"
        POST /
        Action = "DescribeEvents"
        Version = "2010-05-15"
        ChangeSetName = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/c/1"
        POST /
        Action = "DescribeEvents"
        Version = "2010-05-15"
        ChangeSetName = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/c/1"
        NextToken = "a/b+c=="
    "#]],
    )
    .await;
}

/// A service that names the same page again would keep a command for ever.
#[tokio::test]
async fn a_page_that_names_itself_is_the_last() {
    for action in [
        "DescribeStacks",
        "ListStackResources",
        "ListChangeSets",
        "DescribeStackEvents",
        "DescribeChangeSet",
        "DescribeEvents",
    ] {
        let (cloud, stub) = cloud(vec![page(action, "<NextToken>2</NextToken>")]).await;
        match action {
            "DescribeStacks" => drop(cloud.stacks().await.unwrap()),
            "ListStackResources" => drop(cloud.resources("chat").await.unwrap()),
            "ListChangeSets" => drop(cloud.change_sets("chat").await.unwrap()),
            "DescribeStackEvents" => drop(cloud.recent_events("chat").await.unwrap()),
            "DescribeChangeSet" => drop(cloud.change_set(&ids()).await.unwrap()),
            _ => drop(cloud.findings(&ids()).await.unwrap()),
        }
        assert_eq!(stub.asked().len(), 2, "{action}");
    }
}

#[tokio::test]
async fn short_requests_have_these_fields() {
    let call = async |cloud: &Cloud| drop(cloud.template("chat").await.unwrap());
    let body = "<TemplateBody>{}</TemplateBody>";
    check(
        vec![page("GetTemplate", body)],
        call,
        expect![[r#"
        POST /
        Action = "GetTemplate"
        Version = "2010-05-15"
        StackName = "chat"
    "#]],
    )
    .await;
    let call = async |cloud: &Cloud| cloud.delete_change_set(&ids()).await.unwrap();
    check(
        vec![page("DeleteChangeSet", "")],
        call,
        expect![[r#"
        POST /
        Action = "DeleteChangeSet"
        Version = "2010-05-15"
        ChangeSetName = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/c/1"
        StackName = "arn:aws:cloudformation:eu-west-1:123456789012:stack/chat/1"
    "#]],
    )
    .await;
    let call = async |cloud: &Cloud| cloud.execute_change_set(&ids(), "t+1").await.unwrap();
    check(
        vec![page("ExecuteChangeSet", "")],
        call,
        expect![[r#"
        POST /
        Action = "ExecuteChangeSet"
        Version = "2010-05-15"
        ChangeSetName = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/c/1"
        StackName = "arn:aws:cloudformation:eu-west-1:123456789012:stack/chat/1"
        ClientRequestToken = "t+1"
    "#]],
    )
    .await;
    let call = async |cloud: &Cloud| {
        cloud.protect("chat", true).await.unwrap();
        cloud.protect("chat", false).await.unwrap();
    };
    check(
        vec![page("UpdateTerminationProtection", "")],
        call,
        expect![[r#"
            POST /
            Action = "UpdateTerminationProtection"
            Version = "2010-05-15"
            EnableTerminationProtection = "true"
            StackName = "chat"
            POST /
            Action = "UpdateTerminationProtection"
            Version = "2010-05-15"
            EnableTerminationProtection = "false"
            StackName = "chat"
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_deletion_has_these_fields() {
    let call = async |cloud: &Cloud| {
        let spared = ["Connections".to_owned(), ODD.to_owned()];
        let deleted = cloud.delete_stack("arn:s", "t", &spared, DeployMode::Express);
        deleted.await.unwrap();
        let deleted = cloud.delete_stack("arn:s", "t", &[], DeployMode::Standard);
        deleted.await.unwrap();
    };
    check(
        vec![page("DeleteStack", "")],
        call,
        expect![[r#"
        POST /
        Action = "DeleteStack"
        Version = "2010-05-15"
        StackName = "arn:s"
        RetainResources.member.1 = "Connections"
        RetainResources.member.2 = "a+b & c=d/é%41 ~-_.*'\"<>;,?#[]\n\t\\ 🦀"
        ClientRequestToken = "t"
        DeploymentConfig.Mode = "EXPRESS"
        POST /
        Action = "DeleteStack"
        Version = "2010-05-15"
        StackName = "arn:s"
        ClientRequestToken = "t"
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_request_is_a_signed_form_for_the_service_and_its_region() {
    let (cloud, stub) = cloud(vec![page("DescribeStacks", "<Stacks/>")]).await;
    cloud.stack("chat").await.unwrap();
    let header = |name: &str| stub.header(name)[0].clone().unwrap_or_default();
    assert!(stub.asked()[0].starts_with("POST / Action="));
    assert_eq!(header("content-type"), "application/x-www-form-urlencoded");
    let length = stub.asked()[0].len() - "POST / ".len();
    assert_eq!(header("content-length"), length.to_string());
    let signature = header("authorization");
    let (key, rest) = signature.split_once('/').unwrap();
    assert_eq!(key, "AWS4-HMAC-SHA256 Credential=AKIDTEST");
    let day = header("x-amz-date")[..8].to_owned();
    let scope = format!("{day}/eu-west-1/cloudformation/aws4_request, SignedHeaders=");
    assert!(rest.starts_with(&scope), "{signature}");
    let signed = rest[scope.len()..].split(',').next().unwrap();
    for name in ["content-type", "host", "x-amz-date"] {
        assert!(signed.split(';').any(|it| it == name), "{signature}");
    }
}
