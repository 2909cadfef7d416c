//! The traits over AWS. No SDK type and no SDK error leaves this folder.

mod attendance;
mod callback;
mod client;
mod documents;
mod functions;
mod history;
mod items;
mod review;
mod rows;
mod secrets;
mod table;
mod timeouts;
mod tracing;

pub use callback::CallbackDelivery;
pub use client::Clients;
pub use documents::HttpDocuments;
pub use functions::LambdaDispatch;
pub use review::LambdaReviewers;
pub use secrets::HttpSecrets;
pub use table::DynamoStore;
pub use timeouts::Timeouts;
