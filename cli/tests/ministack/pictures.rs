//! The terminals in `docs/images`: `cargo xtask pictures` draws them from what is run here.

use serde_json::json;

use crate::chat::Person;
use crate::cloud::{Cloud, built_handlers};
use crate::picture::{Caption, drawing, handlers_to_show, keep};
use crate::terminal::recorded;

/// The size of the terminals: everything that a command says fits.
const SIZE: (u16, u16) = (90, 96);

/// The folder that readers see in place of a temporary one; as long as that, so that lines break where they did.
const HOME: &str = "/home/anna/chat";

/// `bytes` with the same ids, ports and folder on every machine.
fn neutral(cloud: &Cloud, bytes: &[u8]) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    for folder in [
        cloud.folder().canonicalize().unwrap(),
        cloud.folder().to_owned(),
    ] {
        text = text.replace(folder.to_str().unwrap(), HOME);
    }
    for (what, instead) in [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:45678"),
        (r"execute-api/[0-9a-f]{8}", "execute-api/a1b2c3d4"),
        (r"process \d+", "process 12345"),
        (r"\barm64\b", "x86_64"),
    ] {
        let what = regex_lite::Regex::new(what).unwrap();
        text = what.replace_all(&text, instead).into_owned();
    }
    text.into_bytes()
}

/// Puts the handlers into the folder where chatctl runs: those for Lambda where pictures are written, as readers see their
/// size, else those of the tests.
fn put_handlers(cloud: &Cloud) {
    let built = handlers_to_show().unwrap_or_else(|| built_handlers().to_owned());
    std::fs::copy(built, cloud.folder().join("handlers")).unwrap();
}

/// Runs chatctl with `words`, which must end with `code`, and draws what its terminal shows as the picture `name`.
async fn draws(
    cloud: &Cloud,
    name: &str,
    words: &str,
    answers: &[(&str, &str)],
    code: i32,
    caption: &Caption<'_>,
) {
    let (ended, bytes) = recorded(cloud.command(words), answers, SIZE).await;
    let mut parser = vt100::Parser::new(SIZE.0, SIZE.1, 0);
    parser.process(&neutral(cloud, &bytes));
    assert_eq!(ended, Some(code), "{}", parser.screen().contents());
    keep(name, &drawing(parser.screen(), caption));
}

#[tokio::test]
async fn a_first_deployment_to_this_machine_and_how_it_is() {
    let cloud = Cloud::start().await;
    put_handlers(&cloud);
    let caption = Caption {
        title: "on this machine",
        command: "chatctl deploy --local --handlers handlers",
        without: None,
    };
    let words = "deploy --local --handlers handlers";
    draws(&cloud, "deploy-local.svg", words, &[], 0, &caption).await;
    let printed = cloud
        .chatctl("print-connect-commands --local")
        .await
        .exits(0);
    let url = printed.url();
    let mut tom = Person::connects(&url, "Tom", "Jerry").await.unwrap();
    let mut jerry = Person::connects(&url, "Jerry", "Tom").await.unwrap();
    tom.says("hi").await;
    assert_eq!(jerry.receives().await, "hi");
    let caption = Caption {
        title: "on this machine",
        command: "chatctl status --local",
        without: None,
    };
    draws(
        &cloud,
        "status-local.svg",
        "status --local",
        &[],
        0,
        &caption,
    )
    .await;
    tom.leaves().await;
    jerry.leaves().await;
    cloud.chatctl("teardown --local --yes").await.exits(0);
}

#[tokio::test]
async fn a_first_deployment_to_aws_with_its_question_and_one_that_fails() {
    let cloud = Cloud::start().await;
    put_handlers(&cloud);
    let answer = [("Deploy this?", "y\r")];
    let caption = Caption {
        title: "against MiniStack, an emulator of AWS",
        command: "chatctl deploy --handlers handlers",
        without: None,
    };
    draws(
        &cloud,
        "deploy-aws.svg",
        "deploy --handlers handlers",
        &answer,
        0,
        &caption,
    )
    .await;
    cloud.between.edit_templates(|template| {
        let resources = &mut template["Resources"];
        resources["BackendSignal"] = json!({ "Type": "AWS::CloudFormation::WaitConditionHandle" });
        resources["BackendReady"] = json!({
            "Type": "AWS::CloudFormation::WaitCondition",
            "DependsOn": ["Stage"],
            "Properties": { "Handle": { "Ref": "BackendSignal" }, "Timeout": "1", "Count": 1 },
        });
    });
    let caption = Caption {
        title: "against MiniStack, an emulator of AWS, with a resource that cannot be made",
        command: "chatctl deploy --stack second --handlers handlers",
        without: Some((9, 24)),
    };
    let words = "deploy --stack second --handlers handlers";
    draws(&cloud, "deploy-fails.svg", words, &answer, 3, &caption).await;
}
