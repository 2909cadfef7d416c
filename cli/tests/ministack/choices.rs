//! What flags, config and environment choose, and what is found without them.

use crate::cloud::Cloud;

#[tokio::test]
async fn a_stack_without_outputs_is_found_through_api_gateway() {
    let cloud = Cloud::start().await;
    cloud.between.edit_templates(|template| {
        template.as_object_mut().unwrap().shift_remove("Outputs");
    });
    let deployed = cloud.deploy("--no-probe").await.exits(0);
    let printed = cloud.chatctl("print-connect-commands").await.exits(0);
    assert_eq!(printed.stdout, deployed.stdout);
    assert!(printed.url().ends_with("/v1"), "{}", printed.stdout);
    let status = cloud.chatctl("status --output json").await.exits(0);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["endpoint"], printed.url());
    let asked = cloud.between.asked();
    assert!(
        asked.iter().any(|name| name.starts_with("GET /v2/apis/")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn what_is_printed_is_true_of_the_deployed_stack_whatever_the_config_says_by_now() {
    let cloud = Cloud::start().await;
    let room = "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n";
    cloud.config(room);
    let deployed = cloud.deploy("--no-probe").await.exits(0);
    assert!(
        deployed.stdout.starts_with("wscat -H msgfrom:Tom -c "),
        "{}",
        deployed.stdout
    );
    cloud.config("");
    let printed = cloud.chatctl("print-connect-commands").await.exits(0);
    assert_eq!(printed.stdout, deployed.stdout);
}

#[tokio::test]
async fn two_first_deployments_at_once_into_one_account_and_region_both_succeed() {
    let cloud = Cloud::start().await;
    let deploy = async |stack: &str| cloud.deploy(&format!("--stack {stack} --no-probe")).await;
    let (one, two) = tokio::join!(deploy("one"), deploy("two"));
    for (stack, deployed) in [("one", one), ("two", two)] {
        deployed.exits(0);
        let status = cloud.stack_status(stack).await;
        assert_eq!(status.as_deref(), Some("CREATE_COMPLETE"), "{stack}");
    }
}

#[tokio::test]
async fn tags_express_mode_and_protection_are_passed_on() {
    let cloud = Cloud::start().await;
    cloud
        .deploy("--tag team=chat --tag cost-centre=7 --express --no-probe")
        .await
        .exits(0);
    let tags = cloud.tags("chat").await;
    for tag in ["team=chat", "cost-centre=7"] {
        assert!(tags.iter().any(|there| there == tag), "{tags:?}");
    }
    let asked = cloud.between.bodies("CreateChangeSet");
    assert!(
        asked[0].contains("DeploymentConfig.Mode=EXPRESS"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn tags_stay_without_a_word_about_them_and_are_replaced_by_new_ones() {
    let cloud = Cloud::start().await;
    let ours = async || {
        let mut tags = cloud.tags("chat").await;
        tags.retain(|tag| !tag.starts_with("aws:"));
        tags.sort();
        tags
    };
    cloud
        .deploy("--tag team=chat --tag stage=a --no-probe")
        .await
        .exits(0);
    assert_eq!(ours().await, ["stage=a", "team=chat"]);
    cloud
        .deploy("--no-probe")
        .await
        .exits(0)
        .explains("nothing has changed");
    assert_eq!(ours().await, ["stage=a", "team=chat"]);
    cloud.deploy("--tag team=talk --no-probe").await.exits(0);
    assert_eq!(ours().await, ["team=talk"]);
    cloud
        .deploy("--tag a=1 --tag a=2")
        .await
        .exits(2)
        .explains("`a` has two values, `1` and `2`");
    assert_eq!(ours().await, ["team=talk"]);
}

#[tokio::test]
async fn config_environment_and_flags_choose_profile_region_stack_and_stage() {
    let cloud = Cloud::start().await;
    let folder = cloud.folder().join(".aws");
    std::fs::create_dir(&folder).unwrap();
    let profile = "[profile work]\nregion = eu-west-1\naws_access_key_id = test\naws_secret_access_key = test\n";
    std::fs::write(folder.join("config"), profile).unwrap();
    cloud.config("stack = \"from-config\"\nstage = \"beta\"\n[aws]\nprofile = \"work\"\n");
    let run = async |words: &str| {
        let mut command = cloud.command(words);
        for variable in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            command.env_remove(variable);
        }
        crate::cloud::finished(command.output().await.unwrap())
    };
    let handlers = crate::cloud::built_handlers().display();
    let deploy = format!("deploy --yes --no-probe --handlers {handlers}");
    let url = run(&deploy).await.exits(0).url();
    assert!(url.ends_with("/beta"), "{url}");
    assert!(cloud.stack_status("from-config").await.is_some());
    // A flag beats the config.
    run("status --stack other")
        .await
        .exits(2)
        .explains("there is no stack `other` in eu-west-1");
    run("status --profile nobody")
        .await
        .exits(2)
        .explains("there is no AWS profile `nobody` in ")
        .explains(".aws/config or ")
        .explains("choose one of work with `--profile`");
    let mut command = cloud.command("status");
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env("AWS_PROFILE", "nobody");
    cloud.config("");
    crate::cloud::finished(command.output().await.unwrap())
        .exits(2)
        .explains("there is no AWS profile `nobody` in ");
    cloud.config("stack = \"from-config\"\n[aws]\nprofile = \"work\"\n");
    run("status --region us-east-1")
        .await
        .exits(2)
        .explains("there is no stack `from-config` in us-east-1");
}

#[tokio::test]
async fn a_profile_that_is_named_is_used_before_keys_in_the_environment() {
    let cloud = Cloud::start().await;
    let folder = cloud.folder().join(".aws");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(
        folder.join("config"),
        "[profile work]\nregion = eu-west-1\n[profile bare]\n",
    )
    .unwrap();
    // An access key of twelve digits is that account's, to the emulator.
    let keys = "[work]\naws_access_key_id = 111122223333\naws_secret_access_key = test\n";
    std::fs::write(folder.join("credentials"), keys).unwrap();
    let handlers = crate::cloud::built_handlers().display();
    let doctor = |more: &str| format!("doctor --handlers {handlers} {more}");
    let account = async |words: &str| cloud.chatctl(words).await.stdout;
    let said = account(&doctor("")).await;
    assert!(said.contains("account 123456789012 "), "{said}");
    let said = account(&doctor("--profile bare")).await;
    assert!(said.contains("profile `bare` in "), "{said}");
    assert!(said.contains("has none"), "{said}");
    let said = account(&doctor("--profile work")).await;
    assert!(said.contains("account 111122223333 "), "{said}");
    cloud.config("[aws]\nprofile = \"work\"\n");
    let said = account(&doctor("")).await;
    assert!(said.contains("account 111122223333 "), "{said}");
}
