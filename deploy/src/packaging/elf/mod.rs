//! Checks whether Lambda can run an executable, from its ELF headers.
//!
//! It reads only what the kernel and the dynamic linker read themselves (program headers and the dynamic section), so
//! stripped executables work like any other. Layouts are those of elf(5).

mod reader;
#[cfg(test)]
mod tests;

use std::fmt;

use self::reader::Elf;
use crate::config::Architecture;

/// The C library of the runtime `provided.al2023`, which is Amazon Linux 2023
/// (<https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html>).
pub(super) const LAMBDA_GLIBC: Glibc = Glibc(2, 34, 0);

/// A version of the GNU C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Glibc(u32, u32, u32);

/// The requirements of an executable that Lambda can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fit {
    pub(super) architecture: Architecture,
    /// The newest C library that a symbol requires; `None` for a static executable.
    pub(super) glibc: Option<Glibc>,
}

/// Why Lambda cannot run an executable.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("it is {found}; handlers for AWS are a 64-bit Linux executable (ELF)")]
    NotElf { found: &'static str },
    #[error("it is {found}, not an executable for Linux")]
    NotExecutable { found: &'static str },
    #[error("it is built for {found}; Lambda has x86_64 and arm64")]
    Machine { found: String },
    #[error("it is built for {}, but {} is required", .found.word(), .wanted.word())]
    Architecture {
        found: Architecture,
        wanted: Architecture,
    },
    #[error("it needs the dynamic linker `{found}`, but Lambda's runtime only has `{has}`")]
    Interpreter { found: String, has: &'static str },
    #[error("it needs {found}, but Lambda's runtime provided.al2023 has glibc {LAMBDA_GLIBC}")]
    Glibc { found: String },
    #[error("its {part} cannot be read: the file is damaged or cut off")]
    Damaged { part: &'static str },
}

impl Unfit {
    /// The remedy.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::NotElf { .. } | Self::NotExecutable { .. } | Self::Machine { .. } => {
                "build the binary for x86_64-unknown-linux-gnu or aarch64-unknown-linux-gnu, or let chatctl build it"
            }
            Self::Architecture { .. } => {
                "build it for that processor, or change `architecture` under `[aws]` in chatctl.toml"
            }
            Self::Interpreter { .. } => {
                "build it for a `-unknown-linux-gnu` target with an ordinary linker, or link it statically"
            }
            Self::Glibc { .. } => {
                "build with cargo-lambda and zig, which link against an older glibc \
                 (`pip install cargo-lambda` installs both), or on Amazon Linux 2023"
            }
            Self::Damaged { .. } => "build it again",
        }
    }
}

/// Checks `file`, an executable's bytes; `wanted` is the required processor, if there is one.
///
/// # Errors
/// [`Unfit`]: it would not start on Lambda.
pub(super) fn inspect(file: &[u8], wanted: Option<Architecture>) -> Result<Fit, Unfit> {
    let elf = Elf::open(file)?;
    let architecture = elf.architecture()?;
    if let Some(wanted) = wanted
        && wanted != architecture
    {
        return Err(Unfit::Architecture {
            found: architecture,
            wanted,
        });
    }
    let dynamic = elf.dynamic()?;
    let interpreter = elf.interpreter()?;
    elf.must_be_executable(&dynamic, interpreter)?;
    if let Some(found) = interpreter {
        let has = linker_of(architecture);
        if found != has.as_bytes() {
            return Err(Unfit::Interpreter {
                found: String::from_utf8_lossy(found).into_owned(),
                has,
            });
        }
    }
    let glibc = elf.newest_glibc(&dynamic)?;
    match glibc {
        Some(found) if found > LAMBDA_GLIBC => Err(Unfit::Glibc {
            found: format!("glibc {found}"),
        }),
        _ => Ok(Fit {
            architecture,
            glibc,
        }),
    }
}

/// The path of glibc's dynamic linker, from each processor's ABI.
fn linker_of(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "/lib64/ld-linux-x86-64.so.2",
        Architecture::Arm64 => "/lib/ld-linux-aarch64.so.1",
    }
}

impl Glibc {
    /// Parses `2.34` or `2.3.4`; `None` for names that are not versions, such as `PRIVATE`.
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(str::parse);
        let version = Self(
            numbers.next()?.ok()?,
            numbers.next()?.ok()?,
            numbers.next().unwrap_or(Ok(0)).ok()?,
        );
        numbers.next().is_none().then_some(version)
    }
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(major, minor, 0) => write!(f, "{major}.{minor}"),
            Self(major, minor, patch) => write!(f, "{major}.{minor}.{patch}"),
        }
    }
}
