//! Every request of the layer, and what becomes of every response, as the generated clients had them: `recorded/` was
//! written by them, before the layer replaced them.

mod operations;
mod refusals;
mod requests;
