//! Tests of complete builds, for this machine and for AWS.

use super::sample::{Recorder, Scripts, elf, nothing, plain_cargo, settings, write_crate};
use super::*;
use crate::engine::ErrorKind;

/// The real cargo and rustc, and no other tools.
fn programs(scripts: &Scripts) -> Programs {
    Programs {
        cargo: plain_cargo(scripts),
        python: nothing(),
        zig: nothing(),
        ..Programs::from_environment()
    }
}

/// The only build result.
fn one<T>(built: Built<T>) -> T {
    assert_eq!(built.keys().collect::<Vec<_>>(), ["CodeKey"]);
    built.into_values().next().unwrap()
}

/// A chat with the user's handlers in the crates `a` and `b`, each with one binary of the crate's name.
fn settings_with_handlers() -> (tempfile::TempDir, Settings) {
    let (folder, settings) = settings(
        "[handlers]\npath = \"mine\"\nprofile = \"dev\"\n[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"a\"\n\
         handler = \"a\"\n[[routes]]\nkey = \"b\"\nhandler = \"b\"\n[[routes]]\nkey = \"c\"\nhandler = \"b\"\n",
    );
    write_crate(&folder.path().join("mine"), "fn main() {}");
    for name in ["a", "b"] {
        let main = format!("fn main() {{ println!(\"{name}\") }}");
        write_crate(&folder.path().join(name), &main);
    }
    (folder, settings)
}

#[tokio::test]
async fn every_handler_of_the_user_s_is_built_and_only_changed_ones_are_rebuilt() {
    let (folder, settings) = settings_with_handlers();
    let scripts = Scripts::new();
    let programs = programs(&scripts);
    let mut recorder = Recorder::default();
    let first = executables_by(&programs, &settings, None, &mut recorder)
        .await
        .unwrap();
    // One count across the builds of ours and of two crates.
    assert_eq!(recorder.counts, [1, 2, 3]);
    let root = owner::canonical(folder.path());
    let crates: Vec<_> = recorder
        .crates
        .iter()
        .map(|(name, folder)| (&**name, &**folder))
        .collect();
    assert_eq!(
        crates,
        [
            ("handlers", &*root.join("mine")),
            ("a", &*root.join("a")),
            ("b", &*root.join("b")),
            ("c", &*root.join("b"))
        ]
    );
    let named: Vec<_> = first
        .iter()
        .map(|(key, built)| (key.as_str(), built.name.as_str()))
        .collect();
    assert_eq!(
        named,
        [
            ("CodeKey", "handlers"),
            ("CodeKeyA", "a"),
            ("CodeKeyB", "b"),
            ("CodeKeyC", "c")
        ]
    );
    assert_eq!(first["CodeKeyB"].digest, first["CodeKeyC"].digest);
    assert_ne!(first["CodeKeyA"].digest, first["CodeKeyB"].digest);
    write_crate(&folder.path().join("a"), "fn main() { println!(\"new\") }");
    recorder.compiled.clear();
    let second = executables_by(&programs, &settings, None, &mut recorder)
        .await
        .unwrap();
    assert_eq!(recorder.compiled.len(), 1);
    let changed: Vec<_> = first
        .keys()
        .filter(|key| first[*key].digest != second[*key].digest)
        .collect();
    assert_eq!(changed, ["CodeKeyA"]);
}

#[tokio::test]
async fn the_error_of_a_handler_names_its_route() {
    let (folder, settings) = settings_with_handlers();
    write_crate(&folder.path().join("b"), "fn main() { missing() }");
    let scripts = Scripts::new();
    let error = executables_by(
        &programs(&scripts),
        &settings,
        None,
        &mut Recorder::default(),
    )
    .await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("the handler of route `b`: the handlers do not compile"),
        "{error}"
    );
    std::fs::remove_dir_all(folder.path().join("b")).unwrap();
    let found = checks(&settings, Source::Crate(TargetCheck::Installed), None).await;
    let bad = found.into_iter().filter_map(|check| check.outcome.err());
    let bad: Vec<_> = bad
        .map(|error| (error.to_string(), error.kind, error.hint.is_some()))
        .collect();
    assert_eq!(
        bad.iter()
            .filter(|(text, ..)| text.contains("has no Cargo.toml"))
            .count(),
        2,
        "{bad:?}"
    );
    assert!(
        bad.iter()
            .filter(|(text, ..)| text.contains("Cargo.toml"))
            .all(|(_, refusal, hint)| *refusal == ErrorKind::Usage && *hint)
    );
}

#[tokio::test]
async fn a_missing_crate_is_reported_before_anything_is_built() {
    let (folder, settings) = settings_with_handlers();
    std::fs::remove_dir_all(folder.path().join("b")).unwrap();
    let scripts = Scripts::new();
    let mut recorder = Recorder::default();
    let error = executables_by(&programs(&scripts), &settings, None, &mut recorder)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("route `b`"), "{error}");
    assert_eq!(recorder.compiled, [""; 0]);
}

#[tokio::test]
async fn two_crates_with_the_same_binary_path_are_refused() {
    let (folder, settings) = settings_with_handlers();
    let scripts = Scripts::new();
    let cargo = std::env::var("CARGO").unwrap();
    let shared = folder.path().join("shared");
    let script = format!(
        "CARGO_TARGET_DIR='{}' exec '{cargo}' \"$@\"",
        shared.display()
    );
    let programs = Programs {
        cargo: scripts.write("sharing-cargo", &script),
        ..programs(&scripts)
    };
    let error = executables_by(&programs, &settings, None, &mut Recorder::default()).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("would be the same file"), "{error}");
}

#[tokio::test]
async fn unchanged_sources_give_the_same_executable_for_this_machine() {
    let (folder, settings) = settings("[handlers]\npath = \"mine\"\nprofile = \"dev\"\n");
    write_crate(&folder.path().join("mine"), "fn main() {}");
    let scripts = Scripts::new();
    let programs = programs(&scripts);
    let mut executables = Vec::new();
    for _ in 0..2 {
        let built = executables_by(&programs, &settings, None, &mut Recorder::default()).await;
        executables.push(one(built.unwrap()));
    }
    let first = &executables[0];
    assert_eq!(first, &executables[1]);
    assert_eq!(first.digest.len(), 64);
}

#[tokio::test]
async fn a_prebuilt_folder_must_contain_bootstrap() {
    let (folder, settings) = settings("");
    let given = Some(folder.path());
    let error = executables(&settings, given, &mut Recorder::default()).await;
    let error = error.unwrap_err();
    assert!(error.to_string().ends_with("bootstrap"), "{error}");
    std::fs::write(folder.path().join("bootstrap"), "x").unwrap();
    let found = executables(&settings, given, &mut Recorder::default()).await;
    assert_eq!(one(found.unwrap()).size, 1);
}

#[tokio::test]
async fn the_artifact_depends_only_on_the_executable() {
    let (folder, settings) = settings("");
    let mut artifacts = Vec::new();
    for (name, seconds) in [("one", 1_000_000_000), ("two", 1_600_000_000)] {
        let path = folder.path().join(name);
        std::fs::write(&path, elf(Architecture::X86_64).bytes()).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
        let source = Source::Prebuilt(&path);
        let built = super::artifacts(&settings, source, None, &mut Recorder::default()).await;
        artifacts.push(one(built.unwrap()));
    }
    assert_eq!(artifacts[0], artifacts[1]);
    assert_eq!(artifacts[0].digest, digest(&artifacts[0].zip));
}

#[tokio::test]
async fn given_handlers_are_checked_like_built_ones_before_anything_is_changed() {
    let (folder, settings) = settings("[aws]\narchitecture = \"arm64\"\n");
    let path = folder.path().join("bootstrap");
    std::fs::write(&path, elf(Architecture::X86_64).bytes()).unwrap();
    let source = Source::Prebuilt(folder.path());
    let packaged = artifacts(&settings, source, None, &mut Recorder::default()).await;
    let checked = checks(&settings, source, None).await.remove(0).outcome;
    let (packaged, checked) = (packaged.unwrap_err(), checked.unwrap_err());
    assert_eq!(packaged.to_string(), checked.to_string());
    let why = "it is built for x86_64, but arm64 is required";
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
    assert_eq!(checked.kind, ErrorKind::Usage);
}

#[tokio::test]
async fn an_unreadable_file_is_reported_with_its_cause() {
    let (folder, settings) = settings("");
    let source = Source::Prebuilt(folder.path());
    let error = checks(&settings, source, None)
        .await
        .remove(0)
        .outcome
        .unwrap_err();
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn an_executable_too_big_for_lambda_is_not_read() {
    let (folder, settings) = settings("");
    let path = folder.path().join("bootstrap");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(super::limits::MAX_CODE + 1).unwrap();
    let source = Source::Prebuilt(folder.path());
    let error = artifacts(&settings, source, None, &mut Recorder::default()).await;
    assert!(matches!(error, Err(PackagingError::TooBig { .. })));
}

#[tokio::test]
async fn without_cargo_lambda_plain_cargo_builds_for_this_machine_s_processor() {
    let (folder, settings) = settings(&format!(
        "[handlers]\npath = \"mine\"\nprofile = \"dev\"\n[aws]\narchitecture = \"{}\"\n",
        std::env::consts::ARCH.replace("aarch64", "arm64")
    ));
    write_crate(&folder.path().join("mine"), "fn main() {}");
    let scripts = Scripts::new();
    let programs = programs(&scripts);
    let source = Source::Crate(TargetCheck::Installed);
    let mut recorder = Recorder::default();
    let first = artifacts_by(&programs, &settings, source, None, &mut recorder)
        .await
        .unwrap();
    assert_eq!(recorder.compiled, ["chat"]);
    let mut recorder = Recorder::default();
    let second = artifacts_by(&programs, &settings, source, None, &mut recorder)
        .await
        .unwrap();
    assert!(recorder.compiled.is_empty(), "{recorder:?}");
    assert_eq!(first, second);
    let first = one(first);
    assert_eq!(Some(first.architecture), settings.aws.architecture);
    assert!(
        first.note.contains("set in the config; glibc 2."),
        "{}",
        first.note
    );
}
