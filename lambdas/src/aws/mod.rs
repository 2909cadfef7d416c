//! The traits over AWS. No SDK type and no SDK error leaves this folder.

mod callback;
mod client;
mod documents;
mod functions;
mod items;
mod patience;
mod table;
mod tracing;

pub use callback::CallbackDelivery;
pub use client::Clients;
pub use documents::HttpDocuments;
pub use functions::LambdaDispatch;
pub use patience::Patience;
pub use table::DynamoStore;
