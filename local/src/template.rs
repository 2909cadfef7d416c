//! Reads a CloudFormation template and resolves it into a [`crate::stack::Stack`].
