//! Replies to `{"action":"roll","sides":6}` with `{"rolled":4,"rolls":17}`: the result, and the number of rolls so far.

use chat_sdk::{Chat, Error, Message, Value, json, run};

fn main() -> std::process::ExitCode {
    run(roll)
}

/// The route has `reply = true`, so the return value goes to the sender.
async fn roll(chat: &Chat, message: &Message) -> Result<Value, Error> {
    let Some(sides @ 1..) = message.json()["sides"].as_u64() else {
        return Ok(json!({ "error": r#"send the number of sides: {"action":"roll","sides":6}"# }));
    };
    let rolls = chat.table().count("rolls", 1).await?;
    Ok(json!({ "rolled": fastrand::u64(1..=sides), "rolls": rolls }))
}

#[cfg(test)]
mod tests {
    use chat_sdk::fake::FakeChat;

    #[test]
    fn rolls_are_counted_and_a_die_without_sides_is_refused() {
        let chat = FakeChat::new();
        let tom = chat.connect("Tom", "casino");
        let said = |frame| chat.send(&tom, frame, super::roll).unwrap();
        let roll = r#"{"action":"roll","sides":1}"#;
        assert_eq!(said(roll).text(), Some(r#"{"rolled":1,"rolls":1}"#));
        let refused = said(r#"{"action":"roll","sides":0}"#);
        assert!(refused.text().unwrap().contains("number of sides"));
        assert_eq!(said(roll).text(), Some(r#"{"rolled":1,"rolls":2}"#));
    }
}
