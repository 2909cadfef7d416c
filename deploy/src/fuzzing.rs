//! What the fuzz targets of this crate run. A test runs the same over the inputs in `fuzz/corpus`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::{FILE_NAME, Overrides, Settings};
pub use crate::packaging::fuzzing::elf;
use crate::stack::render;

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// Each target's name, and the target.
pub const TARGETS: [(&str, Target); 2] = [("config", config), ("elf", elf)];

/// A config file. The stack of one that is accepted can be read by the local target.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let folder = Path::new("/nowhere").to_owned();
    let read = Settings::read(Path::new(FILE_NAME), text, folder, Overrides::default());
    let settings = match read {
        Ok(settings) => settings,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let template = render::render(&settings);
    let parameters = template.document()["Parameters"]
        .as_object()
        .into_iter()
        .flatten();
    let missing = parameters.filter(|(_, declared)| declared["Default"].is_null());
    let values = missing.map(|(name, declared)| {
        let allowed = declared["AllowedValues"][0].as_str().unwrap_or("x");
        (name.clone(), allowed.to_owned())
    });
    let values: BTreeMap<String, String> = values.collect();
    let identity = chatctl_local::unstable::stack::Identity {
        stack_name: settings.stack.to_string(),
        region: "us-east-1".to_owned(),
        account_id: "000000000000".to_owned(),
        seed: "local".to_owned(),
    };
    if let Err(error) =
        chatctl_local::unstable::template::resolve(&template.to_json(), &values, &identity)
    {
        panic!("an accepted config makes a template that is refused: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_input_of_the_corpus_makes_a_target_panic() {
        testing::corpus::replay(&TARGETS);
    }
}
