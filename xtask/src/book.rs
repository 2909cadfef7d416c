//! `cargo xtask book` and `cargo xtask pictures`: the documentation, and what it shows.

use std::process::Command;

use crate::peers::{self, Peers};
use crate::run::{StepError, cargo, finish, root, target};

/// Builds the book into `target/book`.
///
/// # Errors
/// A page that is missing in the navigation, a link that leads nowhere.
pub(crate) fn build() -> Result<(), StepError> {
    let mut mkdocs = Command::new(peers::set_up_for_the_book()?);
    mkdocs
        .args(["build", "--strict", "--clean", "--quiet"])
        // The theme's news about MkDocs 2; its version is pinned here.
        .env("NO_MKDOCS_2_WARNING", "true")
        .current_dir(root());
    let cure = "remove target/peers/book, then try again";
    finish(mkdocs, cure, "building the book")
}

/// Runs what the pictures show, and writes them: the handlers are built as they are for Lambda.
///
/// # Errors
/// A run does not show what it should.
pub(crate) fn draw(peers: &Peers) -> Result<(), StepError> {
    let mut build = Command::new(cargo());
    build
        .args([
            "build",
            "--package",
            "chat-lambdas",
            "--bin",
            "chat",
            "--profile",
            "lambda",
        ])
        .current_dir(root());
    finish(build, RUST, "building the handlers")?;
    let mut draw = Command::new(cargo());
    draw.args([
        "test",
        "--workspace",
        "--test",
        "ministack",
        "--test",
        "browser",
        "pictures",
    ])
    .env("CHATCTL_PICTURES", target().join("lambda/chat"))
    .envs(peers.variables())
    .current_dir(root());
    finish(draw, RUST, "making the pictures")
}

const RUST: &str = "install a Rust toolchain";
