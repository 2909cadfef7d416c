//! A release's archive, on a machine without Rust.

use crate::chat::two_friends_chat;
use crate::cloud::{Cloud, finished};

#[tokio::test]
async fn an_unpacked_archive_deploys_its_own_handlers_and_builds_nothing() {
    let cloud = Cloud::start().await;
    let folder = tempfile::tempdir().unwrap();
    let program = testing::command::unpacked(folder.path());
    let nowhere = folder.path().join("nowhere");
    let run = async |words: &str| {
        let mut command = cloud.command_of(&program, words);
        command.env("PATH", &nowhere);
        for tool in ["CARGO", "RUSTC"] {
            command.env(tool, nowhere.join(tool));
        }
        finished(command.output().await.unwrap())
    };
    std::fs::remove_file(cloud.folder().join("chatctl.toml")).unwrap();
    run("init").await.exits(0);
    run("doctor").await.exits(0);
    let deployed = run("deploy --yes").await.exits(0);
    deployed.explains("1 route answers both ways");
    two_friends_chat(&deployed.url()).await;
    run("deploy --yes")
        .await
        .exits(0)
        .explains("nothing has changed");
    run("teardown --yes").await.exits(0);
}
