//! The text of a config → its sections, each checked, and against one another.

use std::path::Path;

use super::account::Aws;
use super::auth::Auth;
use super::aws;
use super::expected::in_plain_words;
use super::file::File;
use super::limits::Limits;
use super::routes::{self, Routes};
use super::snippet::Snippet;

/// Parses `text`. Errors name `path`; relative paths in the file start at `folder`.
///
/// # Errors
/// The first problem, with its line.
pub(super) fn parse(
    path: &Path,
    text: &str,
    folder: &Path,
) -> Result<(File, Routes, (Auth, Limits), Aws), Snippet> {
    let file: File = toml::from_str(text).map_err(|error| {
        let message = in_plain_words(error.message());
        Snippet::new(path, text, error.span().unwrap_or(0..0), message)
    })?;
    let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    let snippet = |place, message: String| Snippet::new(path, text, place, message);
    let routes = routes::resolve(&file.routes, folder, line)
        .map_err(|(place, message)| snippet(place, message))?;
    let auth = file
        .auth
        .resolve(folder, routes.lifecycle.is_some(), snippet)
        .map_err(|(place, message)| snippet(place, message))?;
    let limits = file
        .limits
        .resolve(&routes)
        .map_err(|(place, message)| snippet(place, message))?;
    let aws = aws::resolve(&file, snippet)?;
    Ok((file, routes, (auth, limits), aws))
}
