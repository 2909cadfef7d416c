//! `[template]`: the file whose CloudFormation is merged into the template.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use template_yaml::Node;
use toml::Spanned;

use super::error::ConfigError;
#[cfg(test)]
use super::schema::shape;
use super::snippet::Snippet;
use crate::reading::read_now;

/// The longest template, in bytes
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>).
pub const MAX_BYTES: u64 = 1_048_576;

/// `[template]`, as the file has it.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TemplateTable {
    /// A YAML or JSON file with resources, outputs, conditions and mappings of your own, and with properties of chatctl's
    /// resources by logical id. It is merged into the template.
    #[cfg_attr(test, schemars(with = "Option<shape::OverlayFile>"))]
    overlay: Option<Spanned<OverlayFile>>,
}

/// A path that is not empty.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "PathBuf")]
struct OverlayFile(PathBuf);

impl TryFrom<PathBuf> for OverlayFile {
    type Error = &'static str;
    fn try_from(path: PathBuf) -> Result<Self, Self::Error> {
        match path.as_os_str().is_empty() {
            true => Err("an overlay is a file: name it, such as `extra.yaml`"),
            false => Ok(Self(path)),
        }
    }
}

impl TemplateTable {
    /// The overlay that the table names, not read yet. The table is in `text`, the content of the file `shown`.
    pub(super) fn overlay(&self, folder: &Path, shown: &Path, text: &str) -> Option<Overlay> {
        let named = self.overlay.as_ref()?;
        Some(Overlay {
            file: folder.join(&named.get_ref().0),
            named: Snippet::new(shown, text, named.span(), ""),
            content: None,
        })
    }
}

/// A file of CloudFormation that is merged into the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// The file, from the working folder.
    pub file: PathBuf,
    /// Where the config names it.
    named: Snippet,
    /// `None` before it is read.
    content: Option<Content>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Content {
    text: String,
    root: Node,
}

impl Overlay {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, or is neither YAML nor JSON that CloudFormation would read.
    pub(super) fn load(&mut self) -> Result<(), ConfigError> {
        let file = self.file.display();
        let unread = |reason: String| {
            let message = format!("the overlay {file} cannot be read: {reason}");
            ConfigError::Invalid(self.named.saying(message))
        };
        let remedy = "make the file, or remove the key";
        let metadata =
            std::fs::metadata(&self.file).map_err(|error| unread(format!("{error}; {remedy}")))?;
        if !metadata.is_file() {
            return Err(unread(format!("it is not a file; {remedy}")));
        }
        if metadata.len() > MAX_BYTES {
            return Err(unread(format!(
                "it has {} bytes, and CloudFormation takes {MAX_BYTES} at most: put a part of it into a stack of its own",
                metadata.len()
            )));
        }
        let bytes = read_now(&self.file, MAX_BYTES).map_err(|error| unread(error.to_string()))?;
        let text = String::from_utf8(bytes)
            .map_err(|_invalid| unread("it is not text in UTF-8".to_owned()))?;
        let root = template_yaml::parse(&text).map_err(|(place, message)| {
            ConfigError::Invalid(Snippet::new(&self.file, &text, place, message))
        })?;
        self.content = Some(Content { text, root });
        Ok(())
    }

    /// An overlay of `text`, for tests and fuzzing.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn from_text(text: &str) -> Result<Self, Snippet> {
        let file = PathBuf::from("extra.yaml");
        let root = template_yaml::parse(text)
            .map_err(|(place, message)| Snippet::new(&file, text, place, message))?;
        Ok(Self {
            named: Snippet::new(&file, "", 0..0, ""),
            file,
            content: Some(Content {
                text: text.to_owned(),
                root,
            }),
        })
    }

    /// The document; `None` if it has not been read.
    pub fn root(&self) -> Option<&Node> {
        self.content.as_ref().map(|content| &content.root)
    }

    /// An error about the `place` in the file.
    pub(crate) fn snippet(&self, place: Range<usize>, message: impl Into<String>) -> Snippet {
        let text = self.content.as_ref().map_or("", |content| &content.text);
        Snippet::new(&self.file, text, place, message)
    }
}
