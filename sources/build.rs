//! Writes down what lies in `tree`: links to the workspace's manifests and to the handlers' sources.
//!
//! They are links in this package's own folder, and no paths out of it, so that `cargo package` packs what they lead to.
//! Manifests have other names there, because cargo leaves out folders that look like packages.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The names of files in `tree` and in the workspace.
const NAMES: [(&str, &str); 3] = [
    ("workspace.toml", "Cargo.toml"),
    ("workspace.lock", "Cargo.lock"),
    ("package.toml", "Cargo.toml"),
];

/// Packages that the handlers do not need. They are members of the workspace, so cargo requires that they have a
/// target: without them `Cargo.lock` would be another one.
const EMPTY: [&str; 2] = ["src/lib.rs", "src/main.rs"];

fn main() -> Result<(), Box<dyn Error>> {
    let package = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let tree = package.join("tree");
    println!(
        "cargo::rerun-if-changed={}",
        package.join("build.rs").display()
    );
    let mut files = Vec::new();
    walk(&tree, "", &mut files)?;
    files.sort();
    let mut code = String::from("&[\n");
    let mut digest = Digest::default();
    for (name, path) in files {
        let text = match &path {
            Some(path) => fs::read_to_string(path)?,
            None => String::new(),
        };
        for part in [&name, &text] {
            digest.add(part.as_bytes());
        }
        match path {
            Some(path) => writeln!(code, "({name:?}, include_str!({path:?})),")?,
            None => writeln!(code, "({name:?}, \"\"),")?,
        }
    }
    code.push_str("]\n");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    fs::write(out.join("files.rs"), code)?;
    println!("cargo::rustc-env=CHAT_SOURCES_ID={:032x}", digest.0);
    Ok(())
}

/// Adds the files below `folder`, whose name in the workspace is `name`; those without a path are empty.
fn walk(
    folder: &Path,
    name: &str,
    files: &mut Vec<(String, Option<PathBuf>)>,
) -> Result<(), Box<dyn Error>> {
    // A folder changes with the names in it, a link's target with what is written to it.
    println!("cargo::rerun-if-changed={}", folder.display());
    let below = |child: &str| match name {
        "" => child.to_owned(),
        _ => format!("{name}/{child}"),
    };
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let own = entry
            .file_name()
            .into_string()
            .map_err(|_| "a name that is no text")?;
        let path = entry.path();
        if path.is_dir() {
            walk(&path, &below(&own), files)?;
            continue;
        }
        println!("cargo::rerun-if-changed={}", path.display());
        let renamed = NAMES.iter().find(|(here, _)| *here == own);
        let child = renamed.map_or(own.as_str(), |(_, there)| there);
        files.push((below(child), Some(fs::canonicalize(&path)?)));
        if own == "package.toml" && !folder.join("src").exists() {
            files.extend(EMPTY.map(|empty| (below(empty), None)));
        }
    }
    Ok(())
}

/// FNV-1a with 128 bits (<https://datatracker.ietf.org/doc/html/rfc9923>). It tells versions of the sources apart and
/// protects nothing: what is built is compared with the sources, byte by byte.
struct Digest(u128);

impl Default for Digest {
    fn default() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Digest {
    fn add(&mut self, bytes: &[u8]) {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 ^= u128::from(*byte);
            self.0 = self
                .0
                .wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}
