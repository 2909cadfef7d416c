//! A handler that uses every part of the SDK, as its frame requests. A test deploys it.

use chat_sdk::{Chat, Error, Message, Posts, Reply, json, run};

fn main() -> std::process::ExitCode {
    run(everything)
}

async fn everything(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    let asked = message.json();
    let word = |field: &str| asked[field].as_str().unwrap_or_default().to_owned();
    let (text, table) = (word("text"), chat.table());
    match &word("do")[..] {
        "reply" => Ok(text.into()),
        "who" => Ok(json!([message.sender(), message.friend(), message.room()]).into()),
        "sender" => Ok(counted(chat.post_to_sender(message, &text).await?)),
        "person" => Ok(counted(chat.post_to_person(&word("to"), &text).await?)),
        "room" => Ok(counted(chat.post_to_room(message.room(), &text).await?)),
        "others" => Ok(counted(chat.post_to_others(message, &text).await?)),
        "count" => Ok(table.count("everything", 1).await?.to_string().into()),
        "write" => Ok(table.write("everything", &text).await?.into()),
        "read" => Ok(json!(table.read("everything").await?).into()),
        "variable" => Ok(chat.variable(&text).unwrap_or("not set").into()),
        // Turned round, so that a search for the secret finds it nowhere.
        "secret" => {
            let secret = chat.secret(&text).await?;
            Ok(secret.expose().chars().rev().collect::<String>().into())
        }
        "tell-secret" => {
            let secret = chat.secret(&text).await?;
            let turned: String = secret.expose().chars().rev().collect();
            Ok(counted(chat.post_to_sender(message, &turned).await?))
        }
        "remove" => Ok(table.remove("everything").await?.into()),
        other => Err(format!("unknown action {other:?}").into()),
    }
}

fn counted(posts: Posts) -> Reply {
    json!([posts.delivered, posts.gone, posts.refused]).into()
}
