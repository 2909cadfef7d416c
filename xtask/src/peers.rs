//! Installs the third-party programs of the tests, pinned in `xtask/peers`, below `target/peers`.

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::debian;
use crate::run::{StepError, finish, root, target};

/// Installed programs.
#[derive(Debug)]
pub(crate) struct Peers {
    folder: PathBuf,
}

impl Peers {
    /// The variables by which tests find them.
    pub(crate) fn variables(&self) -> [(&'static str, PathBuf); 12] {
        [
            (
                "CHATCTL_WSCAT",
                self.folder.join("npm/node_modules/.bin/wscat"),
            ),
            ("CHATCTL_CHROMIUM", self.chromium()),
            ("CHATCTL_FIREFOX", self.firefox()),
            ("CHATCTL_CFN_LINT", self.folder.join("python/bin/cfn-lint")),
            ("CHATCTL_CHECKOV", self.folder.join("checkov/bin/checkov")),
            (
                "CHATCTL_MINISTACK",
                self.folder.join("python/bin/ministack"),
            ),
            ("CHATCTL_MKDOCS", self.folder.join(MKDOCS)),
            (
                "CHATCTL_SHELLCHECK",
                self.folder.join("shellcheck/bin/shellcheck"),
            ),
            ("CHATCTL_JOSE", self.folder.join("npm/node_modules/jose")),
            (
                "CHATCTL_OIDC_PROVIDER",
                self.folder.join("npm/node_modules/oidc-provider"),
            ),
            ("CHATCTL_PYJWT", self.folder.join("jwt/bin/python")),
            ("CHATCTL_AWSCLI", self.folder.join("awscli/bin/aws")),
        ]
    }

    fn firefox(&self) -> PathBuf {
        match std::env::var_os("CHATCTL_FIREFOX") {
            Some(own) => own.into(),
            None if firefox_is_packaged() => self.folder.join("firefox").join(FIREFOX),
            None => first_of(&[
                "/usr/bin/firefox",
                "/usr/bin/firefox-esr",
                "/Applications/Firefox.app/Contents/MacOS/firefox",
            ]),
        }
    }

    /// The package has Chromium for one processor only; elsewhere the system's is used.
    fn chromium(&self) -> PathBuf {
        match std::env::var_os("CHATCTL_CHROMIUM") {
            Some(own) => own.into(),
            None if CHROMIUM_IS_PACKAGED => self.folder.join("npm/chromium/chromium"),
            None => first_of(&[
                "/usr/bin/chromium",
                "/usr/bin/chromium-browser",
                "/Applications/Chromium.app/Contents/MacOS/Chromium",
                "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
            ]),
        }
    }
}

/// The first of `places` that exists; if none does, the first, which an error then names.
fn first_of(places: &[&str]) -> PathBuf {
    let found = places.iter().find(|place| Path::new(place).exists());
    found.unwrap_or(&places[0]).into()
}

/// Firefox below the root of its packages.
const FIREFOX: &str = "usr/lib/firefox-esr/firefox-esr";

/// Whether Firefox comes from the packages that are pinned: on the Debian that has them. Elsewhere the system's is used.
fn firefox_is_packaged() -> bool {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    CHROMIUM_IS_PACKAGED
        && release.lines().any(|line| line == "ID=debian")
        && release.lines().any(|line| line == "VERSION_ID=\"12\"")
}

/// The book's generator, in an environment of its own: its pins are its own.
const MKDOCS: &str = "book/bin/mkdocs";

const CHROMIUM_IS_PACKAGED: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// The programs for a benchmark of deployments.
#[derive(Debug)]
pub(crate) struct DeploymentPeers {
    pub(crate) ministack: PathBuf,
    pub(crate) aws: PathBuf,
}

/// Installs the emulator and AWS's command line, if they are missing or their pins have changed.
pub(crate) fn set_up_for_deployments() -> Result<DeploymentPeers, StepError> {
    let (folder, pins) = (folder(), root().join("xtask/peers"));
    for (name, pin) in [
        ("python", "requirements.txt"),
        ("awscli", "requirements-awscli.txt"),
    ] {
        install(&folder.join(name), &[pins.join(pin)], python)?;
    }
    Ok(DeploymentPeers {
        ministack: folder.join("python/bin/ministack"),
        aws: folder.join("awscli/bin/aws"),
    })
}

/// Installs the spell checker, and returns its path.
pub(crate) fn set_up_for_spelling() -> Result<PathBuf, StepError> {
    let (folder, pins) = (folder().join("typos"), root().join("xtask/peers"));
    install(&folder, &[pins.join("requirements-typos.txt")], python)?;
    Ok(folder.join("bin/typos"))
}

/// Installs the book's generator, and answers where it is.
pub(crate) fn set_up_for_the_book() -> Result<PathBuf, StepError> {
    let (folder, pins) = (folder(), root().join("xtask/peers"));
    let pins = [pins.join("requirements-book.txt")];
    install(&folder.join("book"), &pins, python)?;
    Ok(folder.join(MKDOCS))
}

/// Installs what links programs for Linux on any system, and answers the folder of its commands.
pub(crate) fn set_up_for_linking() -> Result<PathBuf, StepError> {
    let (folder, pins) = (folder().join("zig"), root().join("xtask/peers"));
    install(&folder, &[pins.join("requirements-zig.txt")], python)?;
    Ok(folder.join("bin"))
}

/// Unpacks the packages of Debian that `pins` names, and answers their root.
pub(crate) fn set_up_from_debian(name: &str, pins: &str) -> Result<PathBuf, StepError> {
    let folder = folder().join(name);
    install(
        &folder,
        &[root().join("xtask/peers").join(pins)],
        debian::unpack,
    )?;
    Ok(folder)
}

/// The folder of the installed programs.
fn folder() -> PathBuf {
    target().join("peers")
}

/// Installs the programs that are missing or whose pins have changed.
pub(crate) fn set_up() -> Result<Peers, StepError> {
    let peers = Peers { folder: folder() };
    let pins = root().join("xtask/peers");
    install(
        &peers.folder.join("npm"),
        &[
            pins.join("package.json"),
            pins.join("package-lock.json"),
            pins.join("unpack.mjs"),
        ],
        npm,
    )?;
    install(
        &peers.folder.join("python"),
        &[pins.join("requirements.txt")],
        python,
    )?;
    install(
        &peers.folder.join("jwt"),
        &[pins.join("requirements-jwt.txt")],
        python,
    )?;
    install(
        &peers.folder.join("awscli"),
        &[pins.join("requirements-awscli.txt")],
        python,
    )?;
    install(
        &peers.folder.join("shellcheck"),
        &[pins.join("requirements-shellcheck.txt")],
        python,
    )?;
    install(
        &peers.folder.join("checkov"),
        &[pins.join("requirements-checkov.txt")],
        python,
    )?;
    if firefox_is_packaged() && std::env::var_os("CHATCTL_FIREFOX").is_none() {
        set_up_from_debian("firefox", "debian-firefox.txt")?;
    }
    set_up_for_the_book()?;
    for (name, program) in peers.variables() {
        if !program.exists() {
            return Err(StepError::Other(format!(
                "{name} should be at {}, but is not; install it, or set {name} to its path",
                program.display()
            )));
        }
    }
    Ok(peers)
}

/// Calls `with` on an empty `folder`, unless it already contains the results of these `pins`.
fn install(
    folder: &Path,
    pins: &[PathBuf],
    with: fn(&Path, &[PathBuf]) -> Result<(), StepError>,
) -> Result<(), StepError> {
    let other = |error: std::io::Error| StepError::Other(format!("{}: {error}", folder.display()));
    let mut hash = Sha256::new();
    for pin in pins {
        hash.update(std::fs::read(pin).map_err(other)?);
    }
    let digest = hex::encode(hash.finalize());
    let stamp = folder.join("pins.sha256");
    if std::fs::read_to_string(&stamp).is_ok_and(|last| last == digest) {
        return Ok(());
    }
    empty(folder, &stamp)?;
    with(folder, pins)?;
    std::fs::write(stamp, digest).map_err(other)
}

/// Creates `folder` anew, with an empty `stamp` that marks it as created here.
fn empty(folder: &Path, stamp: &Path) -> Result<(), StepError> {
    let other = |error: std::io::Error| StepError::Other(format!("{}: {error}", folder.display()));
    let is_real = |path: &Path| {
        let found = path.symlink_metadata();
        found.map(|found| !found.is_symlink())
    };
    let parent = folder.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(other)?;
    // The target folder may be a link to a larger disk, but nothing below it is.
    let is_ours = is_real(parent).map_err(other)? && is_real(folder).unwrap_or(true);
    if !is_ours || (folder.exists() && !stamp.is_file()) {
        let message = format!(
            "{} was not created by xtask, which would replace its contents: remove it yourself",
            folder.display()
        );
        return Err(StepError::Other(message));
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(other)?;
    }
    std::fs::create_dir(folder).map_err(other)?;
    std::fs::write(stamp, "").map_err(other)
}

fn npm(folder: &Path, pins: &[PathBuf]) -> Result<(), StepError> {
    for pin in pins {
        let name = pin.file_name().expect("a pin is a file");
        std::fs::copy(pin, folder.join(name))
            .map_err(|error| StepError::Other(error.to_string()))?;
    }
    let mut command = Command::new("npm");
    command
        .args([
            "ci",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--loglevel",
            "error",
        ])
        .current_dir(folder);
    finish(
        command,
        "install Node.js with npm; the tests drive wscat with it",
        "npm ci",
    )?;
    if !CHROMIUM_IS_PACKAGED {
        return Ok(());
    }
    let mut unpack = Command::new("node");
    unpack
        .args(["unpack.mjs", "node_modules/@sparticuz/chromium", "chromium"])
        .current_dir(folder);
    finish(
        unpack,
        "install Node.js; the tests unpack Chromium with it",
        "unpacking Chromium",
    )
}

fn python(folder: &Path, pins: &[PathBuf]) -> Result<(), StepError> {
    const CURE: &str = "install Python 3.10 or newer with venv: cfn-lint, shellcheck and the spell checker come with it";
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(folder);
    finish(venv, CURE, "python3 -m venv")?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args([
        "install",
        "--quiet",
        // What is never imported, which is most of it, need not be compiled.
        "--no-compile",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ])
    .arg(&pins[0]);
    finish(pip, CURE, "pip install")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_s_browser_is_the_first_place_that_exists_else_the_first_place() {
        let root = tempfile::tempdir().unwrap();
        let there = root.path().join("Google Chrome");
        std::fs::write(&there, "").unwrap();
        let there = there.to_str().unwrap();
        assert_eq!(first_of(&["/missing/chromium", there]), Path::new(there));
        let missing = first_of(&["/missing/chromium", "/missing/chrome"]);
        assert_eq!(missing, Path::new("/missing/chromium"));
    }

    #[test]
    fn only_folders_created_by_xtask_are_replaced() {
        let root = tempfile::tempdir().unwrap();
        let (folder, canary) = (root.path().join("peers/npm"), root.path().join("canary"));
        let stamp = folder.join("pins.sha256");
        std::fs::create_dir_all(&canary).unwrap();
        std::fs::write(canary.join("pins.sha256"), "canary").unwrap();
        empty(&folder, &stamp).unwrap();
        std::fs::write(folder.join("package.json"), "old").unwrap();
        empty(&folder, &stamp).unwrap();
        assert!(!folder.join("package.json").exists());
        std::fs::remove_file(&stamp).unwrap();
        empty(&folder, &stamp).unwrap_err();
        std::fs::remove_dir(&folder).unwrap();
        std::os::unix::fs::symlink(&canary, &folder).unwrap();
        empty(&folder, &stamp).unwrap_err();
        let kept = std::fs::read(canary.join("pins.sha256")).unwrap();
        assert_eq!(kept, b"canary");
    }
}
