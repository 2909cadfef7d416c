//! A review function with settings, for the tests: it shows a variable, and turns a secret round.

use chat_sdk::{Chat, Error, Review, Verdict, run_review};

fn main() -> std::process::ExitCode {
    run_review(review)
}

async fn review(chat: &Chat, review: &Review) -> Result<Verdict, Error> {
    Ok(match review.text().split_once(' ') {
        Some(("variable", name)) => Verdict::with_text(chat.variable(name).unwrap_or_default()),
        Some(("secret", name)) => {
            let secret = chat.secret(name).await?;
            Verdict::with_text(secret.expose().chars().rev().collect::<String>())
        }
        _ => Verdict::Allow,
    })
}
