//! What the fuzz targets of this crate run. A test runs the same over the inputs in `fuzz/corpus`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::config::overlay::Overlay;
use crate::config::{FILE_NAME, Overrides, Settings};
use crate::local::template_here;
pub use crate::packaging::fuzzing::elf;
use crate::stack::{Template, overlay as stack_overlay, render};

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// Each target's name, and the target.
pub const TARGETS: [(&str, Target); 3] = [("config", config), ("elf", elf), ("overlay", overlay)];

/// A config file. The stack of one that is accepted can be read by the local target.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Some(settings) = settings(text) else {
        return;
    };
    if let Err(error) = resolve(&render::render(&settings)) {
        panic!("an accepted config makes a template that is refused: {error}");
    }
}

/// A config file, and the overlay that it is given. One that is accepted leaves chatctl's resources what they are.
pub fn overlay(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (config, text) = text.split_once("\n---\n").unwrap_or(("", text));
    let Some(plain) = settings(config) else {
        return;
    };
    let overlay = match Overlay::from_text(text) {
        Ok(overlay) => Some(overlay),
        Err(refused) => return assert!(!refused.to_string().is_empty()),
    };
    let with = Settings {
        overlay,
        ..plain.clone()
    };
    if let Err(refused) = stack_overlay::check(&with) {
        return assert!(!refused.to_string().is_empty());
    }
    let here = template_here(&with).template;
    let all = render::render(&with);
    let kind = |template: &Template, id: &str| template.document()["Resources"][id]["Type"].clone();
    for (id, resource) in render::render(&plain).resources() {
        assert_eq!(kind(&all, id), resource["Type"], "{id} is another resource");
        assert_eq!(
            kind(&here, id),
            resource["Type"],
            "{id} is not on this machine"
        );
    }
    // What the local target does not take, it says.
    if let Err(refused) = resolve(&here) {
        assert!(!refused.is_empty());
    }
}

/// The settings of a config file that is accepted.
fn settings(text: &str) -> Option<Settings> {
    let folder = Path::new("/nowhere").to_owned();
    match Settings::read(Path::new(FILE_NAME), text, folder, Overrides::default()) {
        Ok(settings) => Some(settings),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

/// Has the local target read `template`.
fn resolve(template: &Template) -> Result<(), String> {
    let parameters = template.document()["Parameters"]
        .as_object()
        .into_iter()
        .flatten();
    let missing = parameters.filter(|(_, declared)| declared["Default"].is_null());
    let values = missing.map(|(name, declared): (&String, &Value)| {
        let allowed = declared["AllowedValues"][0].as_str().unwrap_or("x");
        (name.clone(), allowed.to_owned())
    });
    let values: BTreeMap<String, String> = values.collect();
    let identity = chatctl_local::unstable::stack::Identity {
        stack_name: "chat".to_owned(),
        region: "us-east-1".to_owned(),
        account_id: "000000000000".to_owned(),
        seed: "local".to_owned(),
    };
    let stack = chatctl_local::unstable::template::resolve(&template.to_json(), &values, &identity);
    stack.map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_input_of_the_corpus_makes_a_target_panic() {
        testing::corpus::replay(&TARGETS);
    }
}
