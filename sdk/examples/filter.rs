//! The review function that the guide's page about reviews begins with; a test plays the page, and others deploy it.

use chat_sdk::{Chat, Error, Review, Verdict, run_review};

fn main() -> std::process::ExitCode {
    run_review(review)
}

async fn review(_chat: &Chat, review: &Review) -> Result<Verdict, Error> {
    let text = review.text();
    if text.contains("spam") {
        return Ok(Verdict::refuse("no advertising, please"));
    }
    let masked = text.replace(|c: char| c.is_ascii_digit(), "*");
    match masked == text {
        true => Ok(Verdict::Allow),
        false => Ok(Verdict::with_text(masked)),
    }
}
