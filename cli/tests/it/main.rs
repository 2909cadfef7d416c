//! chatctl as its users meet it: the built binary, in a folder of its own, with real sockets and real handlers.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod architecture;
mod auth_matrix;
mod backend;
mod beyond_scripts;
mod chat;
mod company;
mod conformance;
mod conversations;
mod damage;
mod dev;
mod dev_loop;
mod dist;
mod docs;
mod examples;
mod guide;
mod handlers;
mod hostile_clone;
mod hostile_cost;
mod hostile_environment;
mod installed;
mod issuer;
mod least_privilege;
mod leftovers;
mod limits;
mod local_lifecycle;
mod logs;
mod matrix;
mod open_files;
mod operator;
mod origins;
mod outside;
mod overlay;
mod page;
mod policy;
mod ports;
mod presence;
mod proxies;
mod renderings;
mod reviews;
mod sdk;
mod settings;
mod stopped;
mod strangers;
mod surface;
mod throttle;
mod tokens;
mod toolchain;
mod vanished;
mod vitals;
mod volume;
mod web_client;
mod whose_code;
mod wscat;

use testing::{project, pty, rights};
