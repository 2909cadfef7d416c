//! The values of secrets on this machine, which has no Secrets Manager.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::Settings;
use crate::config::auth::AUTHORIZER;
use crate::config::secret::{LocalSecret, SecretHeader};
use crate::engine::{ErrorKind, TargetError};
use crate::reading::beginning;

/// The longest value of a header, in bytes. Many servers refuse longer ones.
const MAX_HEADER: usize = 4_096;

/// The longest value of a secret, in bytes
/// (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>).
const MAX_SECRET: usize = 65_536;

/// The values of dynamic references, by the text between `{{resolve:` and `}}`. The debug output hides the values.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct References(pub BTreeMap<String, String>);

impl std::fmt::Debug for References {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads the value of each dynamic reference in the template of `settings`, and of each secret of a function.
///
/// # Errors
/// A secret has no value here, or not one that its user can have. The message never contains a value.
pub fn values(settings: &Settings) -> Result<References, TargetError> {
    let mut values = BTreeMap::new();
    let mut keep = |of: &Owner<'_>, reference: String, value: String| match values
        .insert(reference, value.clone())
    {
        Some(before) if before != value => Err(of.refused(
            "another place in the config has another value for the same secret",
            "give both the same `variable` or `file`",
        )),
        _ => Ok(()),
    };
    for (route, backend) in settings.backends() {
        if let Some(secret) = &backend.secret {
            let of = Owner::Header(route);
            keep(&of, secret.reference.to_string(), of.header(secret)?)?;
        }
    }
    for (function, settings) in settings.functions_of_the_user() {
        for (name, secret) in &settings.secrets {
            let of = Owner::Function(function, name);
            let value = of.read(secret.local.as_ref(), MAX_SECRET)?;
            if value.is_empty() {
                return Err(of.refused("its value is empty", "write a value there"));
            }
            keep(&of, secret.reference.to_string(), value)?;
        }
    }
    Ok(References(values))
}

/// Whose secret it is.
enum Owner<'a> {
    /// The header of the route with this key.
    Header(&'a str),
    /// The function with this key, and the secret's name.
    Function(&'a str, &'a str),
}

impl Owner<'_> {
    fn header(&self, secret: &SecretHeader) -> Result<String, TargetError> {
        let text = self.read(secret.local.as_ref(), MAX_HEADER)?;
        let is_value = !text.is_empty()
            && text.len() <= MAX_HEADER
            && text
                .bytes()
                .all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'\'');
        if is_value {
            return Ok(text);
        }
        Err(self.refused(
            "the value of its secret is not a valid header value",
            &format!(
                "use 1 to {MAX_HEADER} visible ASCII characters without spaces and apostrophes"
            ),
        ))
    }

    /// The text at `place`, without an end of line, and with one byte more than `most` at most.
    fn read(&self, place: Option<&LocalSecret>, most: usize) -> Result<String, TargetError> {
        let text = match place {
            None => {
                let option = match self {
                    Self::Header(_) => "`secret-header`".to_owned(),
                    Self::Function(_, name) => format!("the secret `{name}`"),
                };
                return Err(self.refused(
                    &format!("{option} does not name the value's place on this machine"),
                    "add `variable = \"NAME\"` or `file = \"PATH\"` beside its name; they are only used on this machine",
                ));
            }
            Some(LocalSecret::Variable(name)) => std::env::var(name).map_err(|_| {
                self.refused(
                    &format!("the environment variable {name} is not set, or is not UTF-8"),
                    &format!("`export {name}=…` before the deployment, with the secret's value"),
                )
            })?,
            Some(LocalSecret::File(path)) => self.content(path, most)?,
        };
        let text = text.trim_end_matches(['\r', '\n']).to_owned();
        match self {
            Self::Function(..) if text.len() > most => Err(self.refused(
                &format!("its value is longer than {most} bytes, the most of a secret on AWS"),
                "shorten it",
            )),
            _ => Ok(text),
        }
    }

    /// Reads a file that belongs to the user and that no other user can read.
    fn content(&self, path: &Path, most: usize) -> Result<String, TargetError> {
        let shown = path.display();
        let failed = |error: std::io::Error| TargetError {
            kind: ErrorKind::Usage,
            source: Some(Box::new(error)),
            ..self.refused(
                &format!("could not read its secret from {shown}"),
                "write the secret's value into that file, readable by you alone (`chmod 600`)",
            )
        };
        // Opening a pipe or a terminal would wait for a writer.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
            .open(path)
            .map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(self.refused(
                &format!("its secret cannot be read from {shown}, which is not a regular file"),
                "name a regular file",
            ));
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(self.refused(
                &format!("other users may read its secret in {shown}"),
                &format!("`chmod 600 {shown}`"),
            ));
        }
        beginning(file, most as u64 + 3).map_err(failed)
    }

    fn refused(&self, reason: &str, hint: &str) -> TargetError {
        let whose = match self {
            Self::Function(AUTHORIZER, name) => format!("secret `{name}` of `{AUTHORIZER}`"),
            Self::Function(route, name) => format!("secret `{name}` of route `{route}`"),
            Self::Header(route) => format!("route `{route}`"),
        };
        TargetError::new(ErrorKind::Usage, format!("{whose}: {reason}")).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::Overrides;

    fn settings(folder: &Path, local: &str) -> Settings {
        let config = format!(
            "[[routes]]\nkey = \"$default\"\nhttp = \"http://127.0.0.1:3000/\"\n\
             secret-header = {{ name = \"x-chat\", ssm = \"/chat\"{local} }}\n"
        );
        std::fs::write(folder.join("chatctl.toml"), config).unwrap();
        Settings::load(folder, Overrides::default()).unwrap()
    }

    fn written(folder: &Path, text: &str, mode: u32) {
        let path = folder.join("secret");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_private_file_beside_the_config_holds_the_value() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), "s3cret/+=\n", 0o600);
        let settings = settings(folder.path(), ", file = \"secret\"");
        let found = values(&settings).unwrap();
        assert_eq!(
            found.0,
            [("ssm:/chat".to_owned(), "s3cret/+=".to_owned())].into()
        );
        assert_eq!(format!("{found:?}"), "{\"ssm:/chat\"}");
    }

    #[test]
    fn values_that_are_not_private_are_refused_without_showing_them() {
        let folder = tempfile::tempdir().unwrap();
        let long = "x".repeat(MAX_HEADER + 1);
        for (text, mode, reason) in [
            ("topsecret", 0o640, "other users may read"),
            ("topsecret", 0o604, "other users may read"),
            ("top secret", 0o600, "not a valid header value"),
            ("topsecret'", 0o600, "not a valid header value"),
            ("topsecret\r\nx: y", 0o600, "not a valid header value"),
            ("", 0o600, "not a valid header value"),
            (&long, 0o600, "not a valid header value"),
        ] {
            written(folder.path(), text, mode);
            let settings = settings(folder.path(), ", file = \"secret\"");
            let error = values(&settings).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage);
            let reported = format!("{error:?}");
            assert!(reported.contains(reason), "{reported}");
            assert!(reported.contains("route `$default`"), "{reported}");
            assert!(!reported.contains("topsecret"), "{reported}");
        }
    }

    #[test]
    fn a_missing_value_is_an_error_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        for (local, reason, hint) in [
            (
                "",
                "does not name the value's place on this machine",
                "add `variable",
            ),
            (", file = \"missing\"", "could not read", "chmod 600"),
            (", file = \".\"", "is not a regular file", "regular file"),
            (
                ", variable = \"CHATCTL_NO_SUCH_SECRET\"",
                "is not set",
                "export CHATCTL_NO_SUCH_SECRET=",
            ),
        ] {
            let error = values(&settings(folder.path(), local)).unwrap_err();
            assert!(error.message.contains(reason), "{}", error.message);
            assert!(error.hint.unwrap().contains(hint));
        }
    }
}
