//! The adapters over the AWS SDK, against servers on this machine.

mod contract;
mod costs;
mod dispatch;
mod function;
mod meter;
mod posts;
mod reads;
mod runtime;
mod stub;
mod table;
