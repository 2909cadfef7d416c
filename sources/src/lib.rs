//! The sources of the chat's handlers, as a workspace that cargo can build: written to files, the folder `lambdas` in it
//! has the binary `chat`.
//!
//! The command carries them along, so it builds the handlers wherever it is, without the folder that it was built in.

/// Every file by its path, with `/` between folders, in order.
pub static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Tells these sources from others: 32 hexadecimal digits.
pub const ID: &str = env!("CHAT_SOURCES_ID");

/// Stands in executables that were built of these sources together with the command.
pub const MARK: &str = concat!("chatctl handlers of sources ", env!("CHAT_SOURCES_ID"));

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> &'static str {
        let found = FILES.iter().find(|(path, _)| *path == name);
        found.unwrap_or_else(|| panic!("no {name}")).1
    }

    #[test]
    fn every_member_of_the_workspace_is_there_so_that_its_lock_file_fits() {
        let manifest = text("Cargo.toml");
        let members = manifest.split("members = [").nth(1).unwrap();
        let members = members.split(']').next().unwrap();
        let members: Vec<_> = members.split('"').skip(1).step_by(2).collect();
        assert!(members.contains(&"lambdas"), "{members:?}");
        for member in members {
            let manifest = text(&format!("{member}/Cargo.toml"));
            assert!(manifest.contains("[package]"), "{member}");
            assert!(!manifest.contains("[workspace]"), "{member}");
        }
        assert!(text("Cargo.lock").contains("name = \"chat-lambdas\""));
        text("lambdas/src/main.rs");
        assert_eq!(text("cli/src/main.rs"), "");
    }

    #[test]
    fn the_paths_are_plain_and_in_order() {
        assert!(FILES.is_sorted_by(|one, next| one.0 < next.0));
        for (path, _) in FILES {
            assert!(
                !path.split('/').any(|part| matches!(part, "" | "." | "..")),
                "{path}"
            );
        }
        assert_eq!(ID.len(), 32);
    }
}
