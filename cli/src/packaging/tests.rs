//! What comes out of packaging, for this machine and for AWS.

use super::sample::{Recorder, Scripts, elf, nothing, plain_cargo, settings, write_crate};
use super::*;
use crate::engine::Refusal;

/// The real cargo and rustc, and nothing else.
fn programs(scripts: &Scripts) -> Programs {
    Programs {
        cargo: plain_cargo(scripts),
        python: nothing(),
        zig: nothing(),
        ..Programs::of_environment()
    }
}

#[tokio::test]
async fn unchanged_sources_give_the_same_executable_for_this_machine() {
    let (folder, settings) = settings("[handlers]\npath = \"mine\"\nprofile = \"dev\"\n");
    write_crate(&folder.path().join("mine"), "fn main() {}");
    let scripts = Scripts::new();
    let programs = programs(&scripts);
    let mut executables = Vec::new();
    for _ in 0..2 {
        let built = executable_by(&programs, &settings, None, &mut Recorder::default()).await;
        executables.push(built.unwrap());
    }
    let first = &executables[0];
    assert_eq!(first, &executables[1]);
    assert_eq!(first.digest.len(), 64);
}

#[tokio::test]
async fn a_prebuilt_folder_must_hold_bootstrap() {
    let (folder, settings) = settings("");
    let given = Some(folder.path());
    let error = executable(&settings, given, &mut Recorder::default()).await;
    let error = error.unwrap_err();
    assert!(error.to_string().ends_with("bootstrap"), "{error}");
    std::fs::write(folder.path().join("bootstrap"), "x").unwrap();
    let found = executable(&settings, given, &mut Recorder::default()).await;
    assert_eq!(found.unwrap().size, 1);
}

#[tokio::test]
async fn the_artifact_depends_on_nothing_but_the_executable() {
    let (folder, settings) = settings("");
    let mut artifacts = Vec::new();
    for (name, seconds) in [("one", 1_000_000_000), ("two", 1_600_000_000)] {
        let path = folder.path().join(name);
        std::fs::write(&path, elf(Architecture::X86_64).bytes()).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
        let source = Source::Prebuilt(&path);
        artifacts.push(
            artifact(&settings, source, &mut Recorder::default())
                .await
                .unwrap(),
        );
    }
    assert_eq!(artifacts[0], artifacts[1]);
    assert_eq!(artifacts[0].digest, digest(&artifacts[0].zip));
}

#[tokio::test]
async fn given_handlers_are_judged_like_built_ones_before_anything_is_touched() {
    let (folder, settings) = settings("[aws]\narchitecture = \"arm64\"\n");
    let path = folder.path().join("bootstrap");
    std::fs::write(&path, elf(Architecture::X86_64).bytes()).unwrap();
    let source = Source::Prebuilt(folder.path());
    let packaged = artifact(&settings, source, &mut Recorder::default()).await;
    let checked = checks(&settings, source).await.remove(0).outcome;
    let (packaged, checked) = (packaged.unwrap_err(), checked.unwrap_err());
    assert_eq!(packaged.to_string(), checked.to_string());
    let why = "it is made for x86_64, and arm64 is wanted";
    assert_eq!(
        checked.to_string(),
        format!("Lambda cannot run {}: {why}", path.display())
    );
    assert!(
        checked
            .hint
            .unwrap()
            .contains("`architecture` under `[aws]`")
    );
    assert_eq!(checked.refusal, Refusal::Usage);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_told_with_its_cause() {
    let (folder, settings) = settings("");
    let source = Source::Prebuilt(folder.path());
    let error = checks(&settings, source)
        .await
        .remove(0)
        .outcome
        .unwrap_err();
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn what_is_too_big_for_lambda_is_not_even_read() {
    let (folder, settings) = settings("");
    let path = folder.path().join("bootstrap");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(MOST_CODE + 1).unwrap();
    let source = Source::Prebuilt(folder.path());
    let error = artifact(&settings, source, &mut Recorder::default()).await;
    assert!(matches!(error, Err(PackagingError::TooBig { .. })));
}

#[tokio::test]
async fn where_cargo_lambda_is_missing_plain_cargo_builds_for_this_machines_own_processor() {
    let (folder, settings) = settings(&format!(
        "[handlers]\npath = \"mine\"\nprofile = \"dev\"\n[aws]\narchitecture = \"{}\"\n",
        std::env::consts::ARCH.replace("aarch64", "arm64")
    ));
    write_crate(&folder.path().join("mine"), "fn main() {}");
    let scripts = Scripts::new();
    let programs = programs(&scripts);
    let source = Source::Crate(TargetCheck::Installed);
    let mut recorder = Recorder::default();
    let first = artifact_by(&programs, &settings, source, &mut recorder)
        .await
        .unwrap();
    assert_eq!(recorder.compiled, ["chat"]);
    let mut recorder = Recorder::default();
    let second = artifact_by(&programs, &settings, source, &mut recorder)
        .await
        .unwrap();
    assert!(recorder.compiled.is_empty(), "{recorder:?}");
    assert_eq!(first, second);
    assert_eq!(Some(first.architecture), settings.aws.architecture);
    assert!(
        first.note.contains("the config says so; glibc 2."),
        "{}",
        first.note
    );
}
