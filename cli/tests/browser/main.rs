//! The page as people meet it: in Chromium's windows, over a stack that the built chatctl has deployed on this machine.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod backend;
mod chromium;
mod friends;
mod limits;
mod looks;
mod pictures;
#[path = "../it/project.rs"]
#[expect(
    dead_code,
    reason = "shared with the other tests of the command, which use all of it"
)]
mod project;
mod reconnecting;
mod rooms;
mod scene;
mod window;
