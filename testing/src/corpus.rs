//! The inputs of the fuzz targets, in `fuzz/corpus`.

use std::path::Path;

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// Runs each target over every input that the repository has for it, by the target's name.
///
/// # Panics
/// A target panics, or has no inputs.
pub fn replay(targets: &[(&str, Target)]) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, target) in targets {
        let inputs = std::fs::read_dir(corpus.join(name)).expect(name);
        let ran = inputs.map(|input| target(&std::fs::read(input.unwrap().path()).unwrap()));
        assert!(ran.count() > 0, "{name} has no inputs");
    }
}
