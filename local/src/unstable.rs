//! For the tests of this project: what a template means once it is resolved. No part of the public interface, so any
//! version may change it.

/// A resolved stack.
pub mod stack {
    pub use crate::stack::*;
}

/// The template reader.
pub mod template {
    pub use crate::template::*;
}
