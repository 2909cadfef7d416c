//! Reads the two files of all AWS tools once, whatever kind of file they are, and passes their contents to the SDK.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use aws_config::profile::{self, ProfileSet};
use aws_runtime::env_config::file::{EnvConfigFileKind as Kind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

use super::environment::url;
use crate::engine::reading::read;
use crate::engine::{ErrorKind, TargetError};

/// More than thousands of profiles take.
const MAX_BYTES: u64 = 16 << 20;

/// One of the two files.
#[derive(Debug, Default, Clone)]
pub(super) struct File {
    pub(super) path: PathBuf,
    /// Empty if the file does not exist.
    pub(super) text: String,
}

/// Both.
#[derive(Debug, Default, Clone)]
pub(super) struct Files {
    pub(super) config: File,
    pub(super) credentials: File,
}

impl Files {
    /// Both files, whose paths the environment may set
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html>).
    ///
    /// # Errors
    /// One of them cannot be read or parsed. The error names the file and the line.
    pub(super) async fn load() -> Result<Self, TargetError> {
        let config = place("AWS_CONFIG_FILE", ".aws/config");
        let credentials = place("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
        Ok(Self {
            config: load(config, Kind::Config).await?,
            credentials: load(credentials, Kind::Credentials).await?,
        })
    }

    /// Both files in the SDK's form.
    pub(super) fn for_sdk(&self) -> EnvConfigFiles {
        EnvConfigFiles::builder()
            .with_contents(Kind::Config, &self.config.text)
            .with_contents(Kind::Credentials, &self.credentials.text)
            .build()
    }

    /// The parsed files, with `profile` selected.
    pub(super) async fn sections(&self, profile: &str) -> ProfileSet {
        let selected = Some(Cow::Owned(profile.to_owned()));
        let loaded = profile::load(&Fs::real(), &Env::real(), &self.for_sdk(), selected).await;
        loaded.unwrap_or_else(|_checked_before| ProfileSet::default())
    }
}

impl fmt::Display for Files {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (config, credentials) = (self.config.path.display(), self.credentials.path.display());
        write!(out, "{config} or {credentials}")
    }
}

fn place(variable: &str, name: &str) -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let moved = std::env::var_os(variable).filter(|path| !path.is_empty());
    match moved.map(PathBuf::from) {
        None => home().join(name),
        Some(path) => match path.strip_prefix("~") {
            Ok(below) => home().join(below),
            Err(_) => path,
        },
    }
}

async fn load(path: PathBuf, kind: Kind) -> Result<File, TargetError> {
    let bytes = match read(&path, MAX_BYTES).await {
        Ok(bytes) => bytes,
        // A path through a file that is not a folder counts as missing too.
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            Vec::new()
        }
        Err(error) => {
            let error = TargetError::file("read", &path, error);
            return Err(TargetError {
                kind: ErrorKind::Usage,
                ..error
            }
            .with_hint(hint(kind)));
        }
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = line_at(error.as_bytes(), error.utf8_error().valid_up_to());
        wrong(&path, line, "it is not UTF-8".to_owned(), kind)
    })?;
    let odd = text.find(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    if let Some(at) = odd {
        let line = line_at(text.as_bytes(), at);
        return Err(wrong(
            &path,
            line,
            "it contains a control character".to_owned(),
            kind,
        ));
    }
    let alone = EnvConfigFiles::builder().with_contents(kind, &text).build();
    if let Err(error) = profile::load(&Fs::real(), &Env::real(), &alone, None).await {
        let (line, why) = understood(&error);
        return Err(wrong(&path, line, why, kind));
    }
    if let Some((line, why)) = odd_address(&text) {
        return Err(wrong(&path, line, format!("`endpoint_url` {why}"), kind));
    }
    Ok(File { path, text })
}

/// The first `endpoint_url` that is not a URL, with which the SDK would panic: its line, and the reason.
fn odd_address(text: &str) -> Option<(usize, String)> {
    let lines = text.lines().enumerate();
    let addresses = lines.filter_map(|(number, line)| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == "endpoint_url").then_some((number + 1, value))
    });
    let mut wrong = addresses.filter_map(|(line, value)| {
        // A space and a # begin a comment.
        let value = value.split(" #").next().unwrap_or_default().trim();
        Some((line, url(value).err()?))
    });
    wrong.next()
}

/// The line and the reason in the SDK's error, which is `error parsing FILE on line N:` with the reason below.
fn understood(error: &(dyn std::error::Error + 'static)) -> (usize, String) {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    let words = innermost.to_string();
    let (place, why) = words.split_once('\n').unwrap_or(("", &words));
    let line = place
        .rsplit(' ')
        .next()
        .unwrap_or_default()
        .trim_end_matches(':');
    (line.parse().unwrap_or_default(), why.trim().to_owned())
}

fn line_at(bytes: &[u8], at: usize) -> usize {
    let before = &bytes[..at.min(bytes.len())];
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

fn wrong(path: &Path, line: usize, why: String, kind: Kind) -> TargetError {
    let message = format!("could not parse {}, line {line}", path.display());
    let error = TargetError::new(ErrorKind::Usage, message);
    TargetError {
        source: Some(why.into()),
        ..error.with_hint(hint(kind))
    }
}

fn hint(kind: Kind) -> &'static str {
    match kind {
        Kind::Config => {
            "correct it, or set AWS_CONFIG_FILE to another file; every AWS tool reads it: \
             https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html"
        }
        Kind::Credentials => {
            "correct it, or set AWS_SHARED_CREDENTIALS_FILE to another file; every AWS tool reads it: \
             https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refusal(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(&path, bytes).unwrap();
        let error = load(path, Kind::Config).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        let why = std::error::Error::source(&error).unwrap().to_string();
        let place = error.to_string();
        let (_, line) = place.rsplit_once(", ").unwrap_or_default();
        format!("{line}: {why}")
    }

    #[tokio::test]
    async fn a_problem_in_a_file_is_reported_with_its_line() {
        for (bytes, reported) in [
            (
                &b"[default]\nendpoint_url = x\n"[..],
                "line 2: `endpoint_url` is not a URL: it must begin with http:// or https://",
            ),
            (
                b"[default]\nregion\n",
                "line 2: Expected an '=' sign defining a property",
            ),
            (
                b"[default\n",
                "line 1: Profile definition must end with ']'",
            ),
            (b"region = x\n", "line 1: Expected a profile definition"),
            (b"[default]\n\nregion = \xff\n", "line 3: it is not UTF-8"),
            (
                b"[default]\nregion = \x00\n",
                "line 2: it contains a control character",
            ),
        ] {
            assert_eq!(refusal(bytes).await, reported);
        }
    }

    #[tokio::test]
    async fn a_missing_file_is_an_empty_one_and_a_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let missing = load(folder.path().join("no/config"), Kind::Config)
            .await
            .unwrap();
        assert_eq!(missing.text, "");
        assert!(load(folder.path().to_owned(), Kind::Config).await.is_err());
    }
}
