//! Builds programs for Linux, the same on every machine: zig links them, against the glibc that Lambda has.

use std::path::PathBuf;
use std::process::Command;

use crate::run::{StepError, cargo, target};
use crate::{peers, say};

/// A processor that Lambda has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Processor {
    Arm64,
    X86_64,
}

impl Processor {
    pub(crate) const ALL: [Self; 2] = [Self::Arm64, Self::X86_64];

    /// Its name as AWS spells it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    /// The target of its programs for Linux.
    pub(crate) fn triple(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::X86_64 => "x86_64-unknown-linux-gnu",
        }
    }
}

/// The glibc of Lambda's provided.al2023 (<https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html>). What is linked
/// against it also runs on later systems.
pub(crate) const GLIBC: &str = "2.34";

/// A build for `processor`, without what is built.
///
/// # Errors
/// A tool is missing, or the processor's standard library.
pub(crate) fn build(processor: Processor) -> Result<Command, StepError> {
    let tools = peers::set_up_for_linking()?;
    let rustc = rustc(processor)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [tools.clone()]
        .into_iter()
        .chain(std::env::split_paths(&path));
    let path = std::env::join_paths(folders)
        .map_err(|error| StepError::Other(format!("PATH cannot be extended: {error}")))?;
    let caches = target().join("zig");
    let mut command = Command::new(tools.join("cargo-zigbuild"));
    command
        .args(["zigbuild", "--target"])
        .arg(format!("{}.{GLIBC}", processor.triple()))
        .env("PATH", path)
        .env("CARGO", cargo())
        .env("CARGO_ZIGBUILD_CACHE_DIR", caches.join("wrappers"))
        .env("ZIG_GLOBAL_CACHE_DIR", caches.join("global"))
        .env("ZIG_LOCAL_CACHE_DIR", caches.join("local"));
    if let Some(rustc) = rustc {
        command.env("RUSTC", rustc);
    }
    Ok(command)
}

/// The compiler for `processor`, unless the machine's own has the standard library for it.
fn rustc(processor: Processor) -> Result<Option<PathBuf>, StepError> {
    let own = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let words = ["--print", "target-libdir", "--target", processor.triple()];
    let printed = Command::new(&own).args(words).output();
    let printed = printed.map_err(|_| StepError::Missing {
        program: own,
        cure: "install a Rust toolchain",
    })?;
    let folder = PathBuf::from(String::from_utf8_lossy(&printed.stdout).trim());
    let libraries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_installed = libraries
        .into_iter()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"));
    if is_installed {
        return Ok(None);
    }
    let is_debian = cfg!(all(target_os = "linux", target_arch = "x86_64"))
        && std::path::Path::new("/usr/bin/apt-get").exists();
    if processor != Processor::Arm64 || !is_debian {
        let triple = processor.triple();
        let message = format!("the Rust target {triple} is missing: `rustup target add {triple}`");
        return Err(StepError::Other(message));
    }
    debian_s_rustc().map(Some)
}

/// Debian's compiler, which finds its libraries below the folder that it was unpacked into.
fn debian_s_rustc() -> Result<PathBuf, StepError> {
    say("arm64: this toolchain has no standard library for it; Debian's is taken");
    let root = peers::set_up_from_debian("rust-arm64", "debian-rust-arm64.txt")?;
    let libraries = root.join("usr/lib/x86_64-linux-gnu");
    let program = root.join("usr/bin/rustc");
    let script = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH='{}' exec '{}' \"$@\"\n",
        libraries.display(),
        program.display()
    );
    let wrapper = root.join("rustc");
    crate::run::write_program(&wrapper, script.as_bytes())?;
    let runs = Command::new(&wrapper).arg("--version").output();
    match runs {
        Ok(output) if output.status.success() => Ok(wrapper),
        Ok(output) => Err(StepError::Other(format!(
            "Debian's rustc does not start: {}Its LLVM needs `apt-get install libedit2 libffi8 libxml2 libz3-4`",
            String::from_utf8_lossy(&output.stderr)
        ))),
        Err(error) => Err(crate::run::at(&wrapper, error)),
    }
}

/// The newest glibc that `bytes` require, as the numbers behind `2.`.
pub(crate) fn newest_glibc(bytes: &[u8]) -> Option<u32> {
    const MARK: &[u8] = b"GLIBC_2.";
    let marks = bytes.windows(MARK.len()).enumerate();
    let versions = marks
        .filter(|(_, window)| *window == MARK)
        .filter_map(|(at, _)| {
            let rest = &bytes[at + MARK.len()..];
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
            let digits: Vec<u8> = digits.copied().collect();
            String::from_utf8(digits).ok()?.parse().ok()
        });
    versions.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_glibc_is_compared_by_number_and_not_by_text() {
        let symbols = b"\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.2.5\0GLIBC_PRIVATE\0";
        assert_eq!(newest_glibc(symbols), Some(34));
        assert_eq!(newest_glibc(b"static"), None);
        assert_eq!(GLIBC, "2.34");
    }
}
