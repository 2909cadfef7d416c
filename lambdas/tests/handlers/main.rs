//! Tests of the handlers with the fakes, driven by events as API Gateway makes them.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod authorize;
mod broadcast;
mod catch_up;
mod connect;
mod conversations;
mod decide;
mod deleted;
mod deliver;
mod direct;
mod disconnect;
mod fan_out;
mod gate;
mod gateway;
mod issuer;
mod kept;
mod large_room;
mod limits;
mod odd;
mod pages;
mod presence;
mod prove;
mod requests;
mod review;
mod scene;
mod simulated;
mod wiring;
