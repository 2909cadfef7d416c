//! The handlers over the fakes, driven by events as API Gateway makes them.

mod authorize;
mod connect;
mod conversations;
mod direct;
mod disconnect;
mod fan_out;
mod gateway;
mod scene;
mod wiring;
