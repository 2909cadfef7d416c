//! The handler that the guide's page about settings and secrets begins with; a test plays the page.

use chat_sdk::{Chat, Error, Message, Reply, run};

fn main() -> std::process::ExitCode {
    run(greet)
}

async fn greet(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    let greeting = chat.variable("GREETING").unwrap_or("hello");
    let name = message.sender().unwrap_or("guest");
    let key = chat.secret("KEY").await?;
    let length = key.expose().len();
    Ok(format!("{greeting}, {name}; the key has {length} bytes").into())
}
