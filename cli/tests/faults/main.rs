//! Every request that a command sends to AWS, with everything that can go wrong with its answer.
//!
//! [`cloud::Cloud`] stands in for AWS: it speaks the services' protocols as far as chatctl does, and keeps what a
//! deployment leaves there. Which requests there are is not written down anywhere: a run in which nothing goes wrong
//! is watched, and each request that it sends is then spoiled in each way, so that a new one is covered by itself.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod again;
mod answers;
mod cloud;
mod command;
mod faults;
mod large;
mod matrix;
mod proof;
mod request;
mod s3;
mod stack;
mod stage;
mod wire;
