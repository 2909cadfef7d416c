//! The traits over AWS. No HTTP type and no error of a request leaves this folder.

mod announcement_store;
mod callback;
mod client;
mod documents;
mod dynamo;
mod failure;
mod functions;
mod history;
mod http;
mod items;
mod partition;
mod retries;
mod review;
mod rows;
mod secrets;
mod service;
mod table;
mod timeouts;

pub use callback::CallbackDelivery;
pub use client::Clients;
pub use documents::HttpDocuments;
pub use functions::LambdaDispatch;
pub use review::LambdaReviewers;
pub use secrets::HttpSecrets;
pub use table::DynamoStore;
pub use timeouts::Timeouts;
