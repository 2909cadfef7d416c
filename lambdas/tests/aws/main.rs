//! The adapters over the AWS SDK, against servers on this machine.

mod contract;
mod function;
mod posts;
mod reads;
mod runtime;
mod stub;
mod table;
