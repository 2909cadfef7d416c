//! Unpacks pinned packages of Debian into a folder, and changes nothing else of the system.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::run::{StepError, at, finish};

/// A package, its version and its digest.
#[derive(Debug, PartialEq, Eq)]
struct Pin {
    /// As `apt-get download` takes it: `package:architecture=version`.
    package: String,
    sha256: String,
}

/// Downloads the packages of `pins` with the machine's own sources of packages, checks them, and unpacks them into
/// `folder`.
pub(crate) fn unpack(folder: &Path, pins: &[PathBuf]) -> Result<(), StepError> {
    const CURE: &str = "this needs Debian's apt-get and dpkg-deb; elsewhere, install Firefox, and for arm64 `rustup target \
                        add aarch64-unknown-linux-gnu` and a package of qemu-user";
    let text = std::fs::read_to_string(&pins[0]).map_err(|error| at(&pins[0], error))?;
    let pins = parse(&text)?;
    let state = folder.join("apt");
    let configuration = configure(&state)?;
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(["--quiet", "--quiet"])
            .args(words)
            .current_dir(&state)
            .env("APT_CONFIG", &configuration);
        command
    };
    finish(apt(&["update"]), CURE, "apt-get update")?;
    let mut download = vec!["download"];
    download.extend(pins.iter().map(|pin| pin.package.as_str()));
    let gone = "downloading the packages that xtask/peers pins (where Debian has replaced one, `apt-cache policy` tells \
                its version: pin that)";
    finish(apt(&download), CURE, gone)?;
    for package in checked(&state, &pins)? {
        let mut unpack = Command::new("dpkg-deb");
        unpack.arg("--extract").arg(package).arg(folder);
        finish(unpack, CURE, "dpkg-deb --extract")?;
    }
    std::fs::remove_dir_all(&state).map_err(|error| at(&state, error))
}

fn parse(text: &str) -> Result<Vec<Pin>, StepError> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| match line.split_once(' ') {
            Some((package, sha256)) if package.contains('=') => Ok(Pin {
                package: package.to_owned(),
                sha256: sha256.trim().to_owned(),
            }),
            _ => Err(StepError::Other(format!(
                "`{line}` pins no package: PACKAGE=VERSION SHA256"
            ))),
        })
        .collect()
}

/// The configuration of an apt with a state of its own: it installs nothing, and the machine's is neither read nor
/// changed, except for its sources of packages.
fn configure(state: &Path) -> Result<PathBuf, StepError> {
    for folder in ["lists/partial", "cache/archives/partial"] {
        let folder = state.join(folder);
        std::fs::create_dir_all(&folder).map_err(|error| at(&folder, error))?;
    }
    let written = |name: &str, text: &str| {
        let path = state.join(name);
        std::fs::write(&path, text).map_err(|error| at(&path, error))?;
        Ok(path)
    };
    let status = written("status", "")?;
    let quoted = |path: &Path| format!("\"{}\"", path.display());
    let text = format!(
        "APT::Architectures {{ \"amd64\"; \"arm64\"; }};\nAPT::Sandbox::User \"root\";\nDir::State {};\nDir::Cache {};\n\
         Dir::State::lists {};\nDir::State::status {};\n",
        quoted(state),
        quoted(&state.join("cache")),
        quoted(&state.join("lists")),
        quoted(&status),
    );
    written("apt.conf", &text)
}

/// The downloaded packages in `folder`, which must be those of `pins`, byte for byte.
fn checked(folder: &Path, pins: &[Pin]) -> Result<Vec<PathBuf>, StepError> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(|error| at(folder, error))? {
        let path = entry.map_err(|error| at(folder, error))?.path();
        if path.extension().is_some_and(|end| end == "deb") {
            let bytes = std::fs::read(&path).map_err(|error| at(&path, error))?;
            found.insert(hex::encode(Sha256::digest(&bytes)), path);
        }
    }
    let packages = pins.iter().map(|pin| {
        found.remove(&pin.sha256).ok_or_else(|| {
            StepError::Other(format!(
                "the package {} that was downloaded is not the pinned one",
                pin.package
            ))
        })
    });
    packages.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_with_another_content_than_the_pinned_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("libc6_2.36_arm64.deb");
        std::fs::write(&package, "right").unwrap();
        let digest = hex::encode(Sha256::digest("right"));
        let pins = parse(&format!("# why\nlibc6:arm64=2.36 {digest}\n")).unwrap();
        assert_eq!(pins[0].package, "libc6:arm64=2.36");
        assert_eq!(
            checked(folder.path(), &pins).unwrap(),
            std::slice::from_ref(&package)
        );
        std::fs::write(&package, "wrong").unwrap();
        let error = checked(folder.path(), &pins).unwrap_err().to_string();
        assert!(error.contains("libc6:arm64=2.36"), "{error}");
        parse("libc6:arm64 2.36\n").unwrap_err();
    }

    #[test]
    fn every_package_in_the_lists_is_pinned() {
        for list in [
            "debian-firefox.txt",
            "debian-rust-arm64.txt",
            "debian-qemu-arm64.txt",
        ] {
            let path = crate::run::root().join("xtask/peers").join(list);
            let pins = parse(&std::fs::read_to_string(path).unwrap()).unwrap();
            assert!(pins.len() > 2, "{list}");
            assert!(pins.iter().all(|pin| pin.sha256.len() == 64), "{pins:?}");
        }
    }
}
