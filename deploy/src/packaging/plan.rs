//! Lists what would be built, before anything is built.

use std::path::{Path, PathBuf};

use super::find::{CrateLocation, absolute, installed};
use super::{PackagingError, file_in};
use crate::config::Settings;
use crate::stack::code::{Code, Origin};

/// The source of an executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// The crate in `folder`, an absolute path without links, is built.
    #[expect(missing_docs, reason = "the sentence names the fields")]
    Crate { name: String, folder: PathBuf },
    /// The file `path` is used as it is.
    #[expect(missing_docs, reason = "the sentence names the fields")]
    Given { name: String, path: PathBuf },
}

/// Where an executable will run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// The machine that this runs on.
    This,
    /// What Lambda runs.
    Lambda,
}

/// The executables of `settings`' functions for `machine`; ours is `prebuilt` if that is set.
///
/// # Errors
/// [`PackagingError`]: a crate is missing, or belongs to another user.
pub fn plan(
    settings: &Settings,
    prebuilt: Option<&Path>,
    machine: Machine,
) -> Result<Vec<Planned>, PackagingError> {
    let planned = Code::for_settings(settings).into_iter().map(|code| {
        one(&code, settings, prebuilt, machine).map_err(|error| error.with_route(&code))
    });
    planned.collect()
}

fn one(
    code: &Code,
    settings: &Settings,
    prebuilt: Option<&Path>,
    machine: Machine,
) -> Result<Planned, PackagingError> {
    let name = code.name().to_owned();
    if let (Origin::Own, Some(given)) = (&code.origin, prebuilt) {
        let path = absolute(&file_in(given));
        return Ok(Planned::Given { name, path });
    }
    let installed = installed(code, settings)?;
    let built = match machine {
        Machine::This => installed.here(),
        Machine::Lambda => installed
            .lambda(settings.aws.architecture, None)
            .map(|(_, path)| path),
    };
    if let Some(path) = built {
        let path = path.to_owned();
        return Ok(Planned::Given { name, path });
    }
    let folder = CrateLocation::find(code, settings)?.folder()?;
    Ok(Planned::Crate { name, folder })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packaging::owner::canonical;
    use crate::packaging::sample::{settings, write_crate};

    #[test]
    fn crates_are_listed_by_their_real_folder_and_given_handlers_by_their_file() {
        let (folder, settings) = settings(
            "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"roll\"\nhandler = \"link/../roll\"\n",
        );
        let root = canonical(folder.path());
        write_crate(&root.join("elsewhere/roll"), "fn main() {}");
        std::fs::create_dir(root.join("elsewhere/deep")).unwrap();
        std::os::unix::fs::symlink("elsewhere/deep", root.join("link")).unwrap();
        std::fs::write(root.join("bootstrap"), "").unwrap();
        assert_eq!(
            plan(&settings, Some(&root), Machine::This).unwrap(),
            [
                Planned::Given {
                    name: "handlers".into(),
                    path: root.join("bootstrap"),
                },
                Planned::Crate {
                    name: "roll".into(),
                    folder: root.join("elsewhere/roll"),
                },
            ]
        );
    }
}
