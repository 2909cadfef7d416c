//! The adapters over AWS, and the binary behind a Runtime API, against servers on this machine.

mod connections;
mod contract;
mod costs;
mod dispatch;
mod figures;
mod function;
mod meter;
mod mirror;
mod outcomes;
mod parity;
mod posts;
mod presence_costs;
mod reads;
mod repetitions;
mod review;
mod runtime;
mod signatures;
mod starts;
mod stub;
mod table;
mod trace;
mod wire;
