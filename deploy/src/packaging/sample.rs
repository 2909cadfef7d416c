//! Samples for the tests of packaging.

use std::ffi::OsString;
use std::path::Path;

use tempfile::TempDir;

use super::manifest::Crate;
use crate::config::{Architecture, Overrides, Settings};
use crate::engine::{DeployEvent, Reporter};

/// Settings of a `chatctl.toml` with `toml`, in a temporary folder.
pub(super) fn settings(toml: &str) -> (TempDir, Settings) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chatctl.toml"), toml).unwrap();
    let settings = Settings::load(folder.path(), Overrides::default()).unwrap();
    (folder, settings)
}

/// A crate with our name, a workspace of its own, and a lock file; `main` is its only source.
pub(super) fn write_crate(folder: &Path, main: &str) {
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = "[package]\nname = \"chat-lambdas\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
                    [[bin]]\nname = \"chat\"\npath = \"src/main.rs\"\n[workspace]\n";
    let lock = "version = 4\n\n[[package]]\nname = \"chat-lambdas\"\nversion = \"0.0.0\"\n";
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(folder.join("Cargo.lock"), lock).unwrap();
    std::fs::write(folder.join("src/main.rs"), main).unwrap();
}

/// Our crate, in `folder`.
pub(super) fn ours(folder: &Path) -> Crate {
    Crate {
        folder: folder.to_owned(),
        binary: "chat".into(),
        profile: Vec::new(),
        flags: None,
        more: Vec::new(),
        shared: None,
    }
}

/// Records the compiled crates.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    pub(super) compiled: Vec<String>,
    /// The count in each event.
    pub(super) counts: Vec<usize>,
    /// The reported notices.
    pub(super) notices: Vec<String>,
    /// The crates that were built, by name and folder.
    pub(super) crates: Vec<(String, std::path::PathBuf)>,
}

impl Reporter for Recorder {
    fn report(&mut self, event: &DeployEvent) {
        match event {
            DeployEvent::Compiling { unit, count } => {
                self.compiled.push(unit.clone());
                self.counts.push(*count);
            }
            DeployEvent::Notice(text) => self.notices.push(text.clone()),
            DeployEvent::Building { name, folder } => {
                self.crates.push((name.clone(), folder.clone()));
            }
            _ => {}
        }
    }
}

/// Shell scripts in place of programs.
pub(super) struct Scripts(TempDir);

impl Scripts {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Makes a program `name` that runs `script`; returns its path.
    pub(super) fn write(&self, name: &str, script: &str) -> OsString {
        let path = self.folder().join(name);
        testing::scripts::write(&path, script);
        path.into()
    }
}

/// The cargo that runs these tests, without cargo-lambda, and with a target folder in every crate: in a shared one,
/// parallel tests would take each other's `chat` for their own.
pub(super) fn plain_cargo(scripts: &Scripts) -> OsString {
    let cargo = std::env::var("CARGO").unwrap();
    let script =
        format!("[ \"$1\" = lambda ] && exit 101; exec env -u CARGO_TARGET_DIR '{cargo}' \"$@\"");
    scripts.write("cargo", &script)
}

/// The path of a program that does not exist.
pub(super) fn nothing() -> OsString {
    "/nowhere/program".into()
}

/// A small executable that Lambda could run. Tests damage it.
pub(super) fn elf(architecture: Architecture) -> Elf {
    let (machine, interpreter) = match architecture {
        Architecture::X86_64 => (62, "/lib64/ld-linux-x86-64.so.2"),
        Architecture::Arm64 => (183, "/lib/ld-linux-aarch64.so.1"),
    };
    Elf {
        machine,
        kind: 3,
        interpreter: Some(interpreter),
        versions: vec![("GLIBC_2.17", 0), ("GLIBC_2.34", 0), ("GCC_3.0", 0)],
        flags: 0,
    }
}

/// The parts of an executable that are checked.
pub(super) struct Elf {
    pub(super) machine: u16,
    /// 2 for an executable at a fixed address, 3 for a position-independent one or a library.
    pub(super) kind: u16,
    pub(super) interpreter: Option<&'static str>,
    /// The symbol versions that it requires, each with its flags.
    pub(super) versions: Vec<(&'static str, u16)>,
    /// `DT_FLAGS_1`.
    pub(super) flags: u64,
}

impl Elf {
    /// The file's bytes: header, program headers, then interpreter, names, versions and dynamic section, one after
    /// another. Addresses are offsets plus 0x1000, so that code that confuses the two fails.
    pub(super) fn bytes(&self) -> Vec<u8> {
        const BASE: u64 = 0x1000;
        let headers = 2 + u16::from(self.interpreter.is_some());
        let body = 64 + 56 * u64::from(headers);
        let mut content = Vec::new();
        if let Some(interpreter) = self.interpreter {
            content.extend(interpreter.as_bytes());
            content.push(0);
        }
        let (interpreter, mut offsets) = ((body, content.len() as u64), Vec::new());
        let strings = body + content.len() as u64;
        for (name, _) in &self.versions {
            offsets.push(body + content.len() as u64 - strings);
            content.extend(name.as_bytes());
            content.push(0);
        }
        let needs = body + content.len() as u64;
        // One Verneed, then its Vernaux records.
        let count = self.versions.len() as u16;
        content.extend([1_u16, count].map(u16::to_le_bytes).concat());
        content.extend([0_u32, 16, 0].map(u32::to_le_bytes).concat());
        for (index, offset) in offsets.iter().enumerate() {
            let next = if index + 1 < offsets.len() { 16 } else { 0 };
            let flags = u32::from(self.versions[index].1);
            content.extend(
                [0, flags, *offset as u32, next]
                    .map(u32::to_le_bytes)
                    .concat(),
            );
        }
        let dynamic = body + content.len() as u64;
        for (tag, value) in [
            (5, strings + BASE),
            (0x6fff_fffe, needs + BASE),
            (0x6fff_ffff, 1),
            (0x6fff_fffb, self.flags),
            (0, 0),
        ] {
            content.extend([tag, value].map(u64::to_le_bytes).concat());
        }
        let end = body + content.len() as u64;
        let mut file = b"\x7fELF\x02\x01\x01\x00".to_vec();
        file.resize(16, 0);
        file.extend([self.kind, self.machine].map(u16::to_le_bytes).concat());
        file.extend(1_u32.to_le_bytes());
        file.extend([0_u64, 64, 0].map(u64::to_le_bytes).concat());
        file.extend(0_u32.to_le_bytes());
        file.extend([64, 56, headers, 64, 0, 0].map(u16::to_le_bytes).concat());
        let mut segments = vec![(1_u32, 0, end), (2, dynamic, end - dynamic)];
        if self.interpreter.is_some() {
            segments.push((3, interpreter.0, interpreter.1));
        }
        for (kind, offset, size) in segments {
            file.extend([kind, 4].map(u32::to_le_bytes).concat());
            let address = offset + BASE;
            file.extend(
                [offset, address, address, size, size, 8]
                    .map(u64::to_le_bytes)
                    .concat(),
            );
        }
        file.extend(content);
        file
    }
}
