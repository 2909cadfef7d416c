//! The handler that the guide's page about handlers begins with; a test plays the page.

use chat_sdk::{Chat, Error, Message, Reply, run};

fn main() -> std::process::ExitCode {
    run(shout)
}

async fn shout(_chat: &Chat, message: &Message) -> Result<Reply, Error> {
    let name = message.sender().unwrap_or("a guest");
    let said = message.json()["message"]
        .as_str()
        .unwrap_or_default()
        .to_uppercase();
    Ok(format!("{name}: {said}!").into())
}
