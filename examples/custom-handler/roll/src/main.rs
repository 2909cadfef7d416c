//! Answers `{"action":"roll","sides":6}` with `{"rolled":4}`, or what else a die with that many sides shows.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(answer)).await
}

/// The route says `reply = true`, so what is in `body` goes to the sender, whatever the status.
async fn answer(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let frame = event.payload["body"].as_str().unwrap_or_default();
    Ok(json!({ "statusCode": 200, "body": roll(frame).to_string() }))
}

fn roll(frame: &str) -> Value {
    let asked: Value = serde_json::from_str(frame).unwrap_or_default();
    match asked["sides"].as_u64() {
        Some(sides @ 1..) => json!({ "rolled": fastrand::u64(1..=sides) }),
        _ => {
            json!({ "error": "send the number of sides, as in {\"action\":\"roll\",\"sides\":6}" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_die_shows_one_of_its_sides() {
        for _ in 0..100 {
            let shown = roll(r#"{"sides":6}"#)["rolled"].as_u64();
            assert!(shown.is_some_and(|shown| (1..=6).contains(&shown)));
        }
        assert_eq!(roll(r#"{"sides":1}"#), json!({ "rolled": 1 }));
    }

    #[test]
    fn whoever_asks_for_no_die_is_told_how_to() {
        for frame in ["", "roll", r#"{"sides":0}"#, r#"{"sides":"six"}"#] {
            assert!(roll(frame)["error"].is_string());
        }
    }
}
