//! Lists what would be built, before anything is built.

use std::path::{Path, PathBuf};

use super::find::{absolute, folder_of};
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

/// The executables of `settings`' functions; ours is `prebuilt` if that is set.
///
/// # Errors
/// [`PackagingError`]: a crate is missing, or belongs to another user.
pub fn plan(settings: &Settings, prebuilt: Option<&Path>) -> Result<Vec<Planned>, PackagingError> {
    let planned = Code::for_settings(settings).into_iter().map(|code| {
        let name = code.name().to_owned();
        match (&code.origin, prebuilt) {
            (Origin::Own, Some(given)) => Ok(Planned::Given {
                name,
                path: absolute(&file_in(given)),
            }),
            _ => {
                let folder = folder_of(&code, settings).map_err(|error| error.with_route(&code))?;
                Ok(Planned::Crate { name, folder })
            }
        }
    });
    planned.collect()
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
            plan(&settings, Some(&root)).unwrap(),
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
