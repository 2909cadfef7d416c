//! A fake of the review functions, in memory.

use std::sync::Mutex;

use super::lock;
use crate::review::{ReviewError, Reviewers};

/// What a fake review function does with a question.
pub type Review = fn(&[u8]) -> Result<Vec<u8>, ReviewError>;

/// Answers with what a test sets, and keeps each question with the function that it was for.
#[derive(Debug, Default)]
pub struct MemoryReviewers {
    review: Mutex<Option<Review>>,
    kept: Mutex<Vec<(String, Vec<u8>)>>,
}

impl MemoryReviewers {
    /// Lets every function answer with `review` from now on. Without it, none ever answers.
    pub fn answer_with(&self, review: Review) {
        *lock(&self.review) = Some(review);
    }

    /// Takes the questions that were asked and not taken yet.
    pub fn take(&self) -> Vec<(String, Vec<u8>)> {
        std::mem::take(&mut *lock(&self.kept))
    }
}

impl Reviewers for &MemoryReviewers {
    async fn ask(&self, function: &str, question: Vec<u8>) -> Result<Vec<u8>, ReviewError> {
        lock(&self.kept).push((function.to_owned(), question.clone()));
        let review = *lock(&self.review);
        match review {
            Some(review) => review(&question),
            None => std::future::pending().await,
        }
    }
}
