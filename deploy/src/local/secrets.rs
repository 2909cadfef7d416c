//! The values of secrets on this machine, where no Secrets Manager answers.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::Settings;
use crate::config::secret::{LocalSecret, SecretHeader};
use crate::engine::{ErrorKind, TargetError};

/// The longest value, in bytes. Many servers take no longer header.
const MAX: usize = 4_096;

/// The values of dynamic references, by what stands between `{{resolve:` and `}}`. Its debug form shows no value.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct References(pub BTreeMap<String, String>);

impl std::fmt::Debug for References {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// The value of each dynamic reference that the template of `settings` has.
///
/// # Errors
/// A route's secret has no value here, or one that is no header's value. The message never holds a value.
pub fn values(settings: &Settings) -> Result<References, TargetError> {
    let mut values = BTreeMap::new();
    for (route, backend) in settings.backends() {
        if let Some(secret) = &backend.secret {
            let value = value(route, secret)?;
            let before = values.insert(secret.reference.clone(), value.clone());
            if before.is_some_and(|before| before != value) {
                return Err(refused(
                    route,
                    "another route with the same secret takes another value for it",
                    "give both routes the same `variable` or `file`",
                ));
            }
        }
    }
    Ok(References(values))
}

fn value(route: &str, secret: &SecretHeader) -> Result<String, TargetError> {
    let text = match &secret.local {
        None => {
            return Err(refused(
                route,
                "`secret-header` does not say where this machine finds the value",
                "add `variable = \"NAME\"` or `file = \"PATH\"` beside its name; AWS does not look at them",
            ));
        }
        Some(LocalSecret::Variable(name)) => std::env::var(name).map_err(|_| {
            refused(
                route,
                &format!("the environment variable {name} is not set, or is not text"),
                &format!("`export {name}=…` before the deployment, with the value that the backend checks"),
            )
        })?,
        Some(LocalSecret::File(path)) => read(route, path)?,
    };
    let text = text.trim_end_matches(['\r', '\n']);
    let is_value = !text.is_empty()
        && text.len() <= MAX
        && text
            .bytes()
            .all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'\'');
    if is_value {
        return Ok(text.to_owned());
    }
    Err(refused(
        route,
        "the value of its secret cannot be sent in a header",
        &format!("use 1 to {MAX} visible ASCII characters without spaces and apostrophes"),
    ))
}

/// The file is the user's own and nobody else can read it.
fn read(route: &str, path: &Path) -> Result<String, TargetError> {
    let shown = path.display();
    let failed = |error: std::io::Error| TargetError {
        kind: ErrorKind::Usage,
        source: Some(Box::new(error)),
        ..refused(
            route,
            &format!("could not read its secret from {shown}"),
            "write the value that the backend checks into that file, readable by you alone (`chmod 600`)",
        )
    };
    // A pipe or a terminal would wait for a writer.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(refused(
            route,
            &format!("{shown} is no file that could hold its secret"),
            "name a plain file",
        ));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(refused(
            route,
            &format!("other users may read its secret in {shown}"),
            &format!("`chmod 600 {shown}`"),
        ));
    }
    let mut text = String::new();
    file.take(MAX as u64 + 3)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text)
}

fn refused(route: &str, reason: &str, hint: &str) -> TargetError {
    TargetError::new(ErrorKind::Usage, format!("route `{route}`: {reason}")).with_hint(hint)
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
    fn what_is_no_private_value_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let long = "x".repeat(MAX + 1);
        for (text, mode, reason) in [
            ("topsecret", 0o640, "other users may read"),
            ("topsecret", 0o604, "other users may read"),
            ("top secret", 0o600, "cannot be sent"),
            ("topsecret'", 0o600, "cannot be sent"),
            ("topsecret\r\nx: y", 0o600, "cannot be sent"),
            ("", 0o600, "cannot be sent"),
            (&long, 0o600, "cannot be sent"),
        ] {
            written(folder.path(), text, mode);
            let settings = settings(folder.path(), ", file = \"secret\"");
            let error = values(&settings).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage);
            let told = format!("{error:?}");
            assert!(told.contains(reason), "{told}");
            assert!(told.contains("route `$default`"), "{told}");
            assert!(!told.contains("topsecret"), "{told}");
        }
    }

    #[test]
    fn a_value_that_is_not_there_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        for (local, reason, hint) in [
            ("", "does not say where this machine", "add `variable"),
            (", file = \"missing\"", "could not read", "chmod 600"),
            (", file = \".\"", "is no file", "plain file"),
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
