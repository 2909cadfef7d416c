//! Refuses messages with a word, and masks long numbers, such as those of telephones.

use chat_sdk::{Chat, Error, Review, Verdict, run_review};

fn main() -> std::process::ExitCode {
    run_review(review)
}

async fn review(_: &Chat, review: &Review) -> Result<Verdict, Error> {
    let text = review.text();
    if text.to_lowercase().contains("casino") {
        return Ok(Verdict::refuse("no advertising, please"));
    }
    let words: Vec<_> = text.split(' ').map(masked).collect();
    Ok(Verdict::with_text(words.join(" ")))
}

/// A number of more than four digits keeps its last two.
fn masked(word: &str) -> String {
    let is_number = word.len() > 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    match is_number {
        true => "*".repeat(word.len() - 2) + &word[word.len() - 2..],
        false => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use chat_sdk::Verdict;
    use chat_sdk::fake::FakeChat;

    #[test]
    fn a_word_is_refused_and_a_long_number_is_masked() {
        let chat = FakeChat::new();
        let tom = chat.connect("Tom", "kitchen");
        let verdict = |text| chat.review(&tom, text, super::review).unwrap();
        let refused = Verdict::refuse("no advertising, please");
        assert_eq!(verdict("The best Casino"), refused);
        assert_eq!(verdict("Call 5550173"), Verdict::with_text("Call *****73"));
        assert_eq!(verdict("At 1930"), Verdict::with_text("At 1930"));
    }
}
