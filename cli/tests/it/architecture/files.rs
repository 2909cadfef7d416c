//! Where files are, and how long they may be.

use super::all_sources;

/// As clippy's `self_named_module_files` would have it.
#[test]
fn a_module_with_files_of_its_own_is_a_folder_with_a_mod_rs() {
    for file in all_sources() {
        let folder = file.with_extension("");
        assert!(
            !folder.is_dir(),
            "move {} to {}",
            file.display(),
            folder.join("mod.rs").display()
        );
    }
}

#[test]
fn no_rust_file_has_more_than_400_lines() {
    for file in all_sources() {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(
            lines <= 400,
            "{} has {lines} lines: split it by noun",
            file.display()
        );
    }
}
