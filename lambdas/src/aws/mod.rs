//! The traits over AWS. No SDK type and no SDK error leaves this folder.

mod callback;
mod client;
mod table;

pub use callback::CallbackDelivery;
pub use client::{Clients, Patience};
pub use table::DynamoStore;
