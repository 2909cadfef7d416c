//! Looks for other programs, in absolute folders only.
//!
//! An empty or relative entry of PATH means the folder that a program is started in. Builds are started inside a crate,
//! so a file named `cargo` there would be run instead of the real one.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::process::Command;

const PATH: &str = "PATH";

/// A command that searches only the absolute folders of PATH for `program`, and passes only them on.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    without_secrets(&mut command);
    if let Some(path) = std::env::var_os(PATH) {
        command.env(PATH, absolute_only(&path));
    }
    command
}

/// Removes chatctl's own secrets from the environment of `command`.
fn without_secrets(command: &mut Command) {
    for variable in SECRETS {
        command.env_remove(variable);
    }
}

/// Variables with secrets for chatctl alone. Builds run third-party code, which must not receive them.
pub const SECRETS: [&str; 2] = ["CHATCTL_PRIVATE_KEY", "CHATCTL_TOKEN"];

/// The program in the environment's `variable`, else `default`; an absolute path if it is found.
pub fn named(variable: &str, default: &str) -> OsString {
    let program = std::env::var_os(variable).unwrap_or_else(|| default.into());
    found(&program, &std::env::var_os(PATH).unwrap_or_default())
}

fn found(program: &OsStr, path: &OsStr) -> OsString {
    let given = Path::new(program);
    if given.components().count() > 1 {
        let absolute = std::path::absolute(given);
        return absolute.map_or_else(|_| program.to_owned(), PathBuf::into_os_string);
    }
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    let mut places = folders.map(|folder| folder.join(given));
    let found = places.find(|place| is_executable(place));
    found.map_or_else(|| program.to_owned(), PathBuf::into_os_string)
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn absolute_only(path: &OsStr) -> OsString {
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    std::env::join_paths(folders).expect("entries of PATH hold no separator")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_mean_the_working_folder_are_left_out() {
        for path in [":/usr/bin", ".:/usr/bin", "/usr/bin:", "bin:/usr/bin:../x"] {
            assert_eq!(absolute_only(path.as_ref()), "/usr/bin", "{path}");
        }
        assert_eq!(absolute_only("/b:/a".as_ref()), "/b:/a");
    }

    #[test]
    fn a_program_is_the_first_executable_of_its_name_in_an_absolute_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, real) = (folder.path().join("plain"), folder.path().join("real"));
        for place in [&plain, &real] {
            std::fs::create_dir(place).unwrap();
            std::fs::write(place.join("tool"), "").unwrap();
        }
        std::fs::set_permissions(real.join("tool"), PermissionsExt::from_mode(0o755)).unwrap();
        let path = std::env::join_paths([Path::new("."), &plain, &real]).unwrap();
        assert_eq!(found("tool".as_ref(), &path), real.join("tool"));
        assert_eq!(found("other".as_ref(), &path), "other");
        let here = std::env::current_dir().unwrap();
        assert_eq!(found("./tool".as_ref(), &path), here.join("tool"));
    }
}
