//! One machine's AWS for WebSocket stacks: takes a CloudFormation template and runs it.
//!
//! The gateway, the Lambda Runtime API, the DynamoDB endpoint and the @connections API answer as AWS documents
//! them, so whatever works against a [`stack::Stack`] here meets the same contracts there.

pub mod iam;
pub mod stack;
pub mod template;
