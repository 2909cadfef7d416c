//! Finds built handlers that were installed with the command, so that nothing has to be built.
//!
//! An archive of a release has `share/chatctl/handlers` beside `bin`, with an executable for each processor of Lambda.
//! `cargo install` puts `chatctl-handlers` beside the command, which runs on this machine only.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::PackagingError;
use super::limits::BINARY;
use super::owner::{Owners, canonical};
use super::read;
use crate::config::Architecture;

/// Where the handlers' folder is, from the command's.
const FOLDERS: [&str; 2] = ["../share/chatctl/handlers", "handlers"];

/// The executable that cargo installs with the command.
pub(super) const BESIDE: &str = "chatctl-handlers";

/// The version of this command.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Built handlers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Installed {
    /// For AWS, in the order in which they are preferred.
    lambda: Vec<(Architecture, PathBuf)>,
    /// For this machine.
    here: Option<PathBuf>,
}

impl Installed {
    /// Those of the command that runs.
    ///
    /// # Errors
    /// [`PackagingError::NotInstalled`]: there are some, but they are another user's, or of another version.
    pub(super) fn with_this_command(owners: &Owners) -> Result<Self, PackagingError> {
        // Without a path there is no folder to look in.
        match std::env::current_exe() {
            Ok(command) => Self::with(&command, owners),
            Err(_) => Ok(Self::default()),
        }
    }

    fn with(command: &Path, owners: &Owners) -> Result<Self, PackagingError> {
        let command = canonical(command);
        let Some(bin) = command.parent() else {
            return Ok(Self::default());
        };
        let mut folders = FOLDERS.iter().map(|folder| canonical(&bin.join(folder)));
        let Some(folder) = folders.find(|folder| folder.is_dir()) else {
            let beside = bin.join(BESIDE);
            return Ok(Self {
                here: is_of_these_sources(&beside, owners).then_some(beside),
                ..Self::default()
            });
        };
        let refused = |why: String| PackagingError::NotInstalled {
            path: folder.clone(),
            why,
        };
        let version = std::fs::read_to_string(folder.join("version")).unwrap_or_default();
        if version.trim() != VERSION {
            let version = match version.trim() {
                "" => "an unknown version".to_owned(),
                other => format!("version {}", other.escape_debug()),
            };
            return Err(refused(format!(
                "they are of {version}, but this is chatctl {VERSION}"
            )));
        }
        let chat = |name: &str| {
            let path = folder.join(name).join(BINARY);
            if !path.is_file() {
                return Ok(None);
            }
            match stranger(&path, owners) {
                None => Ok(Some(path)),
                Some(why) => Err(refused(why)),
            }
        };
        let mut lambda = Vec::new();
        for architecture in [Architecture::Arm64, Architecture::X86_64] {
            if let Some(path) = chat(architecture.word())? {
                lambda.push((architecture, path));
            }
        }
        let here = match std::env::consts::OS {
            "linux" => {
                let own = std::env::consts::ARCH.replace("aarch64", "arm64");
                let mut built = lambda.iter();
                let built = built.find(|(architecture, _)| architecture.word() == own);
                built.map(|(_, path)| path.clone())
            }
            _ => chat("local")?,
        };
        Ok(Self { lambda, here })
    }

    /// The executable for this machine.
    pub(super) fn here(&self) -> Option<&Path> {
        self.here.as_deref()
    }

    /// The executable for AWS: for `fixed`, if the processor is; else for `deployed`, the one of the deployed functions,
    /// if that is there; else for the one that costs less.
    pub(super) fn lambda(
        &self,
        fixed: Option<Architecture>,
        deployed: Option<Architecture>,
    ) -> Option<(Architecture, &Path)> {
        let of = |wanted: Architecture| self.lambda.iter().find(|(it, _)| *it == wanted);
        let found = match fixed {
            Some(fixed) => of(fixed),
            None => deployed.and_then(of).or(self.lambda.first()),
        };
        found.map(|(architecture, path)| (*architecture, path.as_path()))
    }
}

/// Whether `path` was built of the command's own sources. A command that was built anew alone has other ones.
fn is_of_these_sources(path: &Path, owners: &Owners) -> bool {
    path.is_file()
        && stranger(path, owners).is_none()
        && read(path).is_ok_and(|bytes| {
            memchr::memmem::find(&bytes, chat_sources::MARK.as_bytes()).is_some()
        })
}

/// Why another user could have written `path`, or put it into its folders that are chatctl's own.
fn stranger(path: &Path, owners: &Owners) -> Option<String> {
    for part in path.ancestors().take(3) {
        let is_open = part
            .metadata()
            .is_ok_and(|found| found.mode() & 0o022 != 0 && part == path);
        if !owners.accept(part) {
            return Some(format!("{} belongs to another user", part.display()));
        }
        if is_open {
            return Some(format!("other users may write to {}", part.display()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A folder with a command in `bin`, and `files`.
    fn unpacked(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("bin/chatctl", "")].iter().chain(files) {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let root = canonical(folder.path());
        (folder, root)
    }

    fn found(root: &Path) -> Result<Installed, PackagingError> {
        Installed::with(&root.join("bin/chatctl"), &Owners::from_environment())
    }

    const WHOLE: [(&str, &str); 4] = [
        (
            "share/chatctl/handlers/version",
            concat!(env!("CARGO_PKG_VERSION"), "\n"),
        ),
        ("share/chatctl/handlers/x86_64/chat", "x"),
        ("share/chatctl/handlers/arm64/chat", "a"),
        ("share/chatctl/handlers/local/chat", "l"),
    ];

    #[test]
    fn those_of_an_archive_are_found_for_this_machine_and_for_each_processor_of_lambda() {
        use Architecture::{Arm64, X86_64};
        let (_folder, root) = unpacked(&WHOLE);
        let found = found(&root).unwrap();
        let file = |name: &str| root.join("share/chatctl/handlers").join(name).join("chat");
        let own = match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "aarch64") => "arm64",
            ("linux", arch) => arch,
            _ => "local",
        };
        assert_eq!(found.here(), Some(file(own).as_path()));
        let chosen = |fixed, deployed| found.lambda(fixed, deployed).unwrap().0;
        assert_eq!(chosen(None, None), Arm64);
        assert_eq!(chosen(None, Some(X86_64)), X86_64);
        assert_eq!(chosen(Some(Arm64), Some(X86_64)), Arm64);
        let path = found.lambda(Some(X86_64), None).unwrap().1;
        assert_eq!(path, file("x86_64"));
    }

    #[test]
    fn a_processor_without_an_executable_is_built_if_it_is_fixed_and_else_not_chosen() {
        use Architecture::{Arm64, X86_64};
        let (_folder, root) = unpacked(&WHOLE[..2]);
        let found = found(&root).unwrap();
        assert_eq!(found.lambda(Some(Arm64), None), None);
        assert_eq!(found.lambda(None, Some(Arm64)).unwrap().0, X86_64);
    }

    #[test]
    fn a_command_that_was_replaced_alone_does_not_use_handlers_of_another_version() {
        for version in ["0.0.0-other", ""] {
            let mut files = WHOLE;
            files[0].1 = version;
            let (_folder, root) = unpacked(&files);
            let error = found(&root).unwrap_err();
            assert!(
                matches!(error, PackagingError::NotInstalled { .. }),
                "{error}"
            );
            assert!(error.hint().unwrap().contains("whole archive"), "{error}");
        }
    }

    #[test]
    fn what_another_user_could_have_written_is_not_run() {
        let (_folder, root) = unpacked(&WHOLE);
        let command = root.join("bin/chatctl");
        let error = Installed::with(&command, &Owners::from_users([0xfff0])).unwrap_err();
        assert!(
            error.to_string().contains("belongs to another user"),
            "{error}"
        );
        let chat = root.join("share/chatctl/handlers/arm64/chat");
        std::fs::set_permissions(&chat, std::fs::Permissions::from_mode(0o757)).unwrap();
        let error = found(&root).unwrap_err();
        assert!(error.to_string().contains("may write to"), "{error}");
    }

    #[test]
    fn an_executable_beside_the_command_counts_if_it_was_built_of_the_same_sources() {
        let same = format!("\x7fELF ...{}...", chat_sources::MARK);
        let (_folder, root) = unpacked(&[("bin/chatctl-handlers", &same)]);
        let beside = root.join("bin").join(BESIDE);
        let installed = found(&root).unwrap();
        assert_eq!(installed.here(), Some(beside.as_path()));
        assert_eq!(installed.lambda(None, None), None);
        std::fs::write(&beside, same.replace(chat_sources::ID, &"0".repeat(32))).unwrap();
        assert_eq!(found(&root).unwrap(), Installed::default());
        let (_folder, root) = unpacked(&[]);
        assert_eq!(found(&root).unwrap(), Installed::default());
    }
}
