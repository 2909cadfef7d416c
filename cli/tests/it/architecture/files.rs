//! Where files are, how long they may be, and what is compiled where.

use super::{all_sources, is_test, root, sources, tokens};

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

/// The body of an `async fn` is compiled in the crate that awaits it, here in the unoptimised `chatctl-deploy`.
#[test]
fn no_public_function_of_the_local_stack_is_async() {
    let found: Vec<_> = sources(&root().join("local/src"))
        .into_iter()
        .filter(|file| !is_test(file))
        .filter(|file| {
            let tokens = tokens::tokens(&std::fs::read_to_string(file).unwrap());
            tokens.windows(2).any(|pair| pair == ["pub", "async"])
        })
        .collect();
    assert!(
        found.is_empty(),
        "return a `BoxFuture` from a plain function: {found:?}"
    );
}
