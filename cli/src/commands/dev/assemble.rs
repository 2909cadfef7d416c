//! Puts together what is to run: the template, its parameters, the functions' code; and the files that it was made of.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::DevArgs;
use crate::error::CommandError;
use crate::watch::WatchPaths;
use chatctl_deploy::config::{FILE_NAME, Settings};
use chatctl_deploy::directory::Directory;
use chatctl_deploy::engine::{self, ErrorKind, Reporter, TargetError};
use chatctl_deploy::local::foreground::{self, Request};
use chatctl_deploy::local::{keep_code, secrets, template_here};
use chatctl_deploy::packaging::{self, Built, Executable};
use chatctl_deploy::reading::text_now;
use chatctl_deploy::scratch::Scratch;

/// What shall run.
#[derive(Debug, Clone)]
pub(super) struct Assembled {
    pub(super) request: Request,
    /// What decides about it.
    pub(super) paths: WatchPaths,
    /// `None` for a template of the user's.
    pub(super) settings: Option<Settings>,
    /// What of the config's overlay has no effect here.
    pub(super) idle: Option<String>,
    /// Tells versions of the code apart whose paths are the same.
    stamps: Vec<Option<std::time::SystemTime>>,
}

impl Assembled {
    /// Whether nothing that runs is different in `other`.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.request, &self.stamps) == (&other.request, &other.stamps)
    }
}

/// The most bytes of a template that is given by name.
const MAX_TEMPLATE: u64 = 16 << 20;

/// Reads, renders and builds, whatever is needed.
///
/// # Errors
/// The config says something impossible, the template cannot be read, the handlers do not build.
pub(super) async fn assemble(
    args: &DevArgs,
    kept: &CodeCache,
    reporter: &mut impl Reporter,
) -> Result<Assembled, CommandError> {
    let mut assembled = match &args.template {
        Some(path) => foreign(args, path)?,
        None => own(args, kept, reporter).await?,
    };
    let code = args.code.iter();
    for (id, path) in code.map(|(id, path)| (id.clone(), PathBuf::from(path))) {
        assembled.paths.files.extend(files_of(&path));
        assembled.request.code.insert(id, path);
    }
    let parameters = args.parameter.iter().cloned();
    assembled.request.parameters.extend(parameters);
    let code = assembled.request.code.values();
    assembled.stamps = code
        .map(|path| {
            let metadata = std::fs::metadata(file_in(path));
            metadata.and_then(|metadata| metadata.modified()).ok()
        })
        .collect();
    Ok(assembled)
}

fn foreign(args: &DevArgs, path: &Path) -> Result<Assembled, CommandError> {
    let template = text_now(path, MAX_TEMPLATE).map_err(|error| TargetError {
        kind: ErrorKind::Usage,
        ..TargetError::file("read", path, error)
    })?;
    let stack_name = match &args.stack.stack {
        Some(name) => name.to_string(),
        None => "dev".to_owned(),
    };
    let request = Request::new(stack_name, template);
    Ok(Assembled {
        request,
        paths: WatchPaths {
            files: [path.to_owned()].into(),
            ..WatchPaths::default()
        },
        settings: None,
        idle: None,
        stamps: Vec::new(),
    })
}

async fn own(
    args: &DevArgs,
    kept: &CodeCache,
    reporter: &mut impl Reporter,
) -> Result<Assembled, CommandError> {
    let mut settings = args.stack.settings(None, None)?;
    settings.check_keys()?;
    if args.handlers.is_none() {
        let profile = args.cargo_profile.clone();
        settings.handlers.profile = profile.unwrap_or(settings.handlers.dev_profile.clone());
    }
    let config = args
        .stack
        .config
        .clone()
        .unwrap_or_else(|| PathBuf::from(FILE_NAME));
    let mut paths = WatchPaths {
        files: [config].into(),
        ..WatchPaths::default()
    };
    let references = secrets::values(&settings)?;
    paths.files.extend(settings.secret_files());
    paths.files.extend(settings.keys_file());
    paths.files.extend(settings.overlay_file());
    let executables = build(args, &settings, &mut paths, reporter).await?;
    for executable in executables.values() {
        kept.keep(executable).await?;
    }
    let here = template_here(&settings);
    Ok(Assembled {
        idle: here.reported(),
        request: foreground::request(
            &settings.stack,
            here.template,
            &executables,
            references,
            |digest| kept.copy(digest),
        ),
        paths,
        settings: Some(settings),
        stamps: Vec::new(),
    })
}

/// The handlers of `settings`, and (in `watched`) what they were built from.
async fn build<R: Reporter>(
    args: &DevArgs,
    settings: &Settings,
    watched: &mut WatchPaths,
    reporter: &mut R,
) -> Result<Built<Executable>, CommandError> {
    let handlers = args.handlers.as_deref();
    let work = async |reporter: &mut R| packaging::executables(settings, handlers, reporter).await;
    let built = engine::build(settings, reporter, work, packaging::sizes).await?;
    watched
        .files
        .extend(handlers.into_iter().flat_map(files_of));
    let sources = packaging::sources(settings, handlers.is_some()).await?;
    watched.files.extend(sources.files);
    watched.crates.extend(sources.crates);
    watched.targets = sources.targets;
    Ok(built)
}

/// What decides about the code at `path`, whether that is a file or a folder, now or later.
fn files_of(path: &Path) -> [PathBuf; 2] {
    [path.to_owned(), path.join("bootstrap")]
}

fn file_in(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join("bootstrap")
    } else {
        path.to_owned()
    }
}

/// Copies of the executables that run: cargo writes the next one where the last one was, and a function may need a
/// further process of the old version meanwhile. Zip files are unpacked beside them.
#[derive(Debug)]
pub(super) struct CodeCache(Scratch);

impl CodeCache {
    pub(super) fn new() -> Result<Self, TargetError> {
        let made = Scratch::new("dev").and_then(|scratch| {
            let kept = Self(scratch);
            std::fs::DirBuilder::new()
                .mode(0o700)
                .create(kept.copies())?;
            Ok(kept)
        });
        made.map_err(|error| {
            TargetError::file("make a folder in", &std::env::temp_dir(), error)
                .with_hint("TMPDIR names another place for temporary files")
        })
    }

    /// Where zip files are unpacked.
    pub(super) fn unpacked(&self) -> PathBuf {
        self.0.path().join("unpacked")
    }

    fn copies(&self) -> PathBuf {
        self.0.path().join("copies")
    }

    /// Where the executable with this digest lies once it is kept.
    fn copy(&self, digest: &str) -> PathBuf {
        self.copies().join(digest).join("bootstrap")
    }

    async fn keep(&self, executable: &Executable) -> Result<(), TargetError> {
        let folder = self.copies();
        let (from, digest) = (executable.path.clone(), executable.digest.clone());
        let copying = tokio::task::spawn_blocking(move || {
            let gone = || TargetError::file("open", &folder, io::ErrorKind::NotFound.into());
            let folder = Directory::whole(&folder)?.ok_or_else(gone)?;
            keep_code(&folder, &from, &digest)
        });
        match copying.await {
            Ok(copied) => copied.map(drop),
            Err(panic) => Err(TargetError::file(
                "copy the handlers to",
                &self.copy(&executable.digest),
                panic.into(),
            )),
        }
    }

    /// Removes every copy that `request` does not run.
    pub(super) fn drop_others(&self, request: &Request) {
        let used: BTreeSet<_> = request
            .code
            .values()
            .filter_map(|path| path.parent())
            .collect();
        let entries = std::fs::read_dir(self.copies()).into_iter().flatten();
        for folder in entries.flatten().map(|entry| entry.path()) {
            if !used.contains(folder.as_path()) {
                // The whole folder goes at the end.
                drop(std::fs::remove_dir_all(folder));
            }
        }
    }
}
