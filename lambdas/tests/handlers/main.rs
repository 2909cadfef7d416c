//! Tests of the handlers with the fakes, driven by events as API Gateway makes them.

mod authorize;
mod broadcast;
mod connect;
mod conversations;
mod deliver;
mod direct;
mod disconnect;
mod fan_out;
mod gateway;
mod large_room;
mod scene;
mod simulated;
mod wiring;
