//! The page as people meet it: in the windows of Chromium and Firefox, over a stack that the built chatctl has deployed on this machine.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod backend;
mod bidi;
mod browser;
mod chromium;
mod devtools;
mod firefox;
mod friends;
mod history;
mod limits;
mod looks;
mod pictures;
mod reconnecting;
mod rooms;
mod scene;
mod tokens;
mod window;

use testing::project;
