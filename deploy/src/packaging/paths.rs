//! Makes builds whose bytes do not depend on the folder, the user or the machine.
//!
//! Compilers embed the paths of sources, for panics and debuggers. Here rustc is given replacements
//! (<https://doc.rust-lang.org/rustc/remap-source-paths.html>), because cargo's own setting, `trim-paths`, is not
//! stable. Remaining paths are reported: a crate may read its folder by `env!`, and rustc does not compile C sources.

use std::path::{Path, PathBuf};

use cargo_config2::{Config, Flags, PathAndArgs, ResolveOptions};

use super::manifest::Crate;
use super::metadata::{Metadata, WITHOUT_DEPENDENCIES};
use super::owner::canonical;
use super::toolchain::{Programs, ask};
use crate::engine::{DeployEvent, Reporter};

/// The folders of sources on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SourceFolders {
    /// Folders, each with its replacement.
    instead: Vec<(PathBuf, String)>,
    host: String,
}

impl SourceFolders {
    /// The folders of a build of `source`. Tools that fail are skipped, because the build itself will report the
    /// problem.
    pub(super) async fn for_crate(programs: &Programs, source: &Crate) -> Self {
        let folder = &source.folder;
        let (version, sysroot, metadata) = tokio::join!(
            ask(&programs.rustc, &["-vV"], folder),
            ask(&programs.rustc, &["--print", "sysroot"], folder),
            ask(&programs.cargo, &WITHOUT_DEPENDENCIES, folder),
        );
        let version = version.unwrap_or_default();
        let said = |key: &str| version.lines().find_map(|line| line.strip_prefix(key));
        let mut places = Self {
            host: said("host: ").unwrap_or_default().to_owned(),
            ..Self::default()
        };
        let home = std::env::home_dir();
        let cargo_home = std::env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(home.as_ref()?.join(".cargo")));
        places.add(home, "/home");
        places.add(cargo_home, "/cargo");
        if let Ok(sysroot) = sysroot {
            let sysroot = PathBuf::from(sysroot.trim());
            let library = sysroot.join("lib/rustlib/src/rust");
            places.add(Some(sysroot), "/sysroot");
            // The replacement that the library itself was built with.
            let commit = said("commit-hash: ").unwrap_or("unknown");
            places.add(Some(library), &format!("/rustc/{commit}"));
        }
        match metadata.map(|text| serde_json::from_str::<Metadata>(&text)) {
            Ok(Ok(metadata)) => {
                places.add(Some(metadata.workspace_root), "/source");
                places.add(Some(metadata.target_directory), "/target");
            }
            _ => places.add(Some(folder.clone()), "/source"),
        }
        places
    }

    fn add(&mut self, folder: Option<PathBuf>, instead: &str) {
        // The root itself is part of every path and reveals nothing.
        let Some(folder) = folder.filter(|it| it.is_absolute() && it.parent().is_some()) else {
            return;
        };
        let real = canonical(&folder);
        for folder in [folder, real] {
            if !self.instead.iter().any(|(known, _)| *known == folder) {
                self.instead.push((folder, instead.to_owned()));
            }
        }
        // The last match counts, so the most specific ones come last.
        self.instead
            .sort_by_key(|(folder, _)| folder.components().count());
    }

    /// Returns `source` with the variable that makes rustc replace paths, in a build for `target`, or for this machine
    /// if it is `None`.
    ///
    /// Cargo takes flags from only one source, of which this variable comes first
    /// (<https://doc.rust-lang.org/cargo/reference/config.html#buildrustflags>). So the user's flags are read from
    /// their source and added after ours.
    pub(super) fn hidden(&self, programs: &Programs, source: Crate, target: Option<&str>) -> Crate {
        let options = ResolveOptions::default()
            .rustc(PathAndArgs::new(&programs.rustc))
            .cargo(&programs.cargo)
            .host_triple(&self.host);
        let given = Config::load_with_options(&source.folder, options)
            .and_then(|config| config.rustflags(target.unwrap_or(&self.host)));
        // A configuration that cannot be parsed may have flags, which must not get lost.
        let Ok(given) = given else { return source };
        let mut flags = Flags::default();
        for (folder, instead) in &self.instead {
            if let Some(folder) = folder.to_str() {
                flags.push(format!("--remap-path-prefix={folder}={instead}"));
            }
        }
        for flag in given.into_iter().flat_map(|given| given.flags) {
            flags.push(flag);
        }
        let encoded = flags.encode().ok();
        Crate {
            flags: encoded.map(|flags| ("CARGO_ENCODED_RUSTFLAGS", flags)),
            ..source
        }
    }

    /// Reports the folders of this machine that `executable` still names.
    pub(super) fn report_rest(&self, executable: &[u8], reporter: &mut impl Reporter) {
        let mut named: Vec<&Path> = Vec::new();
        for (folder, _) in &self.instead {
            let inner = format!("{}/", folder.display());
            let is_new = !named.iter().any(|known| folder.starts_with(known));
            if is_new && holds(executable, inner.as_bytes()) {
                named.push(folder);
            }
        }
        if named.is_empty() {
            return;
        }
        let named = named.iter().map(|folder| folder.display().to_string());
        reporter.report(&DeployEvent::Notice(format!(
            "the executable contains the path {}, so a build on another machine will differ",
            named.collect::<Vec<_>>().join(" and ")
        )));
    }
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    let Some(first) = text.first() else {
        return false;
    };
    let starts = bytes.iter().enumerate().filter(|(_, byte)| *byte == first);
    starts
        .into_iter()
        .any(|(at, _)| bytes[at..].starts_with(text))
}

/// Whether a build for this machine with `profile` hides its paths. A debug build never leaves the machine, and
/// debuggers need the real paths.
pub(super) fn hides(profile: &str) -> bool {
    profile != "dev"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packaging::sample::{Recorder, Scripts, ours, plain_cargo, write_crate};
    use crate::packaging::{cargo, digest};

    /// Panics in its own code and in the library's, with a message that contains the file's name.
    const MAIN: &str = "fn main() { let text = std::env::args().nth(1).unwrap(); let short = &text[3..];\n\
                        assert!(short.is_empty(), \"{} {}\", file!(), core::panic::Location::caller()) }";

    /// The executable built from the same source in a new folder, with cargo's `config`; paths are kept if `in_sight`.
    async fn built(config: &str, in_sight: bool) -> (Vec<u8>, PathBuf) {
        let scripts = Scripts::new();
        let programs = Programs {
            cargo: plain_cargo(&scripts),
            ..Programs::from_environment()
        };
        let folder = tempfile::tempdir().unwrap();
        let root = canonical(folder.path());
        let source = ours(&root.join("mine"));
        write_crate(&source.folder, MAIN);
        std::fs::create_dir(root.join(".cargo")).unwrap();
        std::fs::write(root.join(".cargo/config.toml"), config).unwrap();
        // A build script writes a path of its own into the source.
        let script = "fn main() { let out = std::env::var(\"OUT_DIR\").unwrap();\n\
                      std::fs::write(format!(\"{out}/made.rs\"), \"pub fn made(n: usize) -> u8 { [1, 2][n] }\").unwrap() }";
        std::fs::write(source.folder.join("build.rs"), script).unwrap();
        let main = format!(
            "{MAIN}\nmod made {{ include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\")); }}\n\
             #[used] static MADE: fn(usize) -> u8 = made::made;\n#[cfg(marked)] #[used] static MARK: &str = \"marked by a flag\";\n"
        );
        std::fs::write(source.folder.join("src/main.rs"), main).unwrap();
        let places = SourceFolders::for_crate(&programs, &source).await;
        let hidden = places.hidden(&programs, source.clone(), None);
        let source = if in_sight { source } else { hidden };
        let mut recorder = Recorder::default();
        let path = cargo::build(&programs.cargo, &source, "release", &[], &mut recorder).await;
        let bytes = std::fs::read(path.unwrap()).unwrap();
        places.report_rest(&bytes, &mut recorder);
        let is_reported = recorder
            .notices
            .iter()
            .any(|reported| reported.contains(root.to_str().unwrap()));
        assert_eq!(is_reported, in_sight, "{:?}", recorder.notices);
        (bytes, root)
    }

    #[tokio::test]
    async fn one_source_in_two_folders_gives_the_same_bytes_without_paths_of_this_machine() {
        let (one, first) = built("", false).await;
        let (other, second) = built("", false).await;
        assert_eq!(digest(&one), digest(&other));
        for folder in [first, second, std::env::home_dir().unwrap().join(".cargo")] {
            assert!(
                !holds(&one, folder.to_str().unwrap().as_bytes()),
                "{folder:?}"
            );
        }
        // Without the replacement they would; otherwise this test proves nothing.
        let (plain, folder) = built("", true).await;
        assert!(holds(&plain, folder.to_str().unwrap().as_bytes()));
    }

    #[tokio::test]
    async fn the_user_s_flags_are_kept_whatever_their_source() {
        for config in [
            "[build]\nrustflags = [\"--cfg\", \"marked\"]\n",
            "[build]\nrustflags = \"--cfg marked\"\n",
            "[target.'cfg(unix)']\nrustflags = [\"--cfg\", \"marked\"]\n",
        ] {
            let (bytes, _) = built(config, false).await;
            assert!(holds(&bytes, b"marked by a flag"), "{config}");
        }
        let (bytes, _) = built("", false).await;
        assert!(!holds(&bytes, b"marked by a flag"));
    }

    #[test]
    fn the_most_specific_folder_comes_last_because_the_last_match_counts() {
        let mut places = SourceFolders::default();
        for (folder, instead) in [
            ("/a/b/c", "/1"),
            ("/a", "/2"),
            ("/a/b", "/3"),
            ("/", "/4"),
            ("b", "/5"),
        ] {
            places.add(Some(folder.into()), instead);
        }
        let order: Vec<_> = places
            .instead
            .iter()
            .map(|(_, instead)| &**instead)
            .collect();
        assert_eq!(order, ["/2", "/3", "/1"]);
    }
}
