use super::*;
use std::fs;
use std::os::unix::fs::symlink;

const TIMEOUT: Duration = Duration::from_secs(60);

/// After everything that a test does: nothing that is there already is news.
fn later() -> SystemTime {
    SystemTime::now() + PLAUSIBLE
}

/// A crate in a folder, both looked at.
struct Scene {
    folder: tempfile::TempDir,
    watch: Watch,
}

impl Scene {
    /// `project/handlers/src/main.rs`, all of it watched.
    fn new() -> Self {
        let mut scene = Self::unwatched();
        let paths = scene.paths();
        scene.watch.look_at(paths, later()).unwrap();
        scene
    }

    fn unwatched() -> Self {
        let scene = Self {
            folder: tempfile::tempdir().unwrap(),
            watch: Watch::new(),
        };
        scene.save("project/handlers/src/main.rs", "1");
        scene
    }

    fn paths(&self) -> WatchPaths {
        WatchPaths {
            files: [self.path("project/chatctl.toml")].into(),
            crates: [self.path("project/handlers")].into(),
            ..WatchPaths::default()
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn save(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn remove(&self, folder: &str) {
        fs::remove_dir_all(self.path(folder)).unwrap();
    }

    /// The names of what changes next.
    async fn reported(&mut self) -> Vec<String> {
        let batch = tokio::time::timeout(TIMEOUT, self.watch.next())
            .await
            .expect("a change is told");
        assert!(batch.since.elapsed().unwrap_or_default() < PLAUSIBLE);
        let names = batch.paths.iter().filter_map(|path| path.file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    /// Waits until a change of `name` is reported, in one answer or after others.
    async fn tells(&mut self, name: &str) {
        while !self
            .reported()
            .await
            .iter()
            .any(|reported| reported == name)
        {}
    }
}

#[tokio::test]
async fn a_burst_is_one_answer_and_new_folders_are_looked_at() {
    let mut scene = Scene::new();
    scene.save("project/handlers/src/a.rs~", "x");
    scene.save("project/handlers/src/a.rs", "1");
    scene.save("project/handlers/src/b.rs", "1");
    assert_eq!(scene.reported().await, ["a.rs", "b.rs"]);
    fs::create_dir(scene.path("project/handlers/src/deep")).unwrap();
    assert_eq!(scene.reported().await, ["deep"]);
    scene.save("project/handlers/src/deep/c.rs", "1");
    assert_eq!(scene.reported().await, ["c.rs"]);
    fs::remove_file(scene.path("project/handlers/src/a.rs")).unwrap();
    assert_eq!(scene.reported().await, ["a.rs"]);
    // A folder that comes with its files.
    scene.save("elsewhere/d.rs", "1");
    scene.rename("elsewhere", "project/handlers/src/more");
    assert_eq!(scene.reported().await, ["more", "d.rs"]);
    scene.save("project/handlers/src/more/d.rs", "2");
    assert_eq!(scene.reported().await, ["d.rs"]);
}

#[tokio::test]
async fn a_file_that_is_replaced_by_renaming_is_still_looked_at() {
    let mut scene = Scene::new();
    for text in ["2", "3"] {
        scene.save("project/new", text);
        scene.rename("project/new", "project/chatctl.toml");
        assert_eq!(scene.reported().await, ["chatctl.toml"]);
    }
}

#[tokio::test]
async fn a_save_is_reported_after_a_checkout_of_a_branch_without_the_folder_and_back() {
    for folder in ["project/handlers/src", "project/handlers", "project"] {
        let mut scene = Scene::new();
        scene.remove(folder);
        scene.tells("main.rs").await;
        scene.save("project/handlers/src/main.rs", "1");
        scene.tells("main.rs").await;
        scene.save("project/handlers/src/main.rs", "22");
        assert_eq!(scene.reported().await, ["main.rs"], "{folder}");
    }
}

#[tokio::test]
async fn a_folder_that_is_replaced_within_a_moment_is_looked_at_from_then_on() {
    for folder in ["project/handlers/src", "project/handlers", "project"] {
        let mut scene = Scene::new();
        scene.remove(folder);
        scene.save("project/handlers/src/main.rs", "22");
        scene.tells("main.rs").await;
        scene.save("project/handlers/src/main.rs", "333");
        scene.tells("main.rs").await;
        assert!(scene.watch.watched.contains_key(&scene.path(folder)) || folder == "project");
    }
}

#[tokio::test]
async fn a_copy_in_the_place_of_a_moved_folder_is_looked_at_and_not_the_moved_one() {
    let mut scene = Scene::new();
    scene.rename("project/handlers/src", "away");
    scene.save("project/handlers/src/main.rs", "1");
    scene.tells("main.rs").await;
    scene.save("away/other.rs", "1");
    scene.save("project/handlers/src/main.rs", "22");
    assert_eq!(scene.reported().await, ["main.rs"]);
}

#[tokio::test]
async fn a_parent_that_is_renamed_and_comes_back_takes_nothing_with_it() {
    let mut scene = Scene::new();
    scene.rename("project", "away");
    scene.tells("main.rs").await;
    scene.rename("away", "project");
    scene.tells("main.rs").await;
    scene.save("project/handlers/src/main.rs", "22");
    assert_eq!(scene.reported().await, ["main.rs"]);
    scene.save("project/chatctl.toml", "1");
    assert_eq!(scene.reported().await, ["chatctl.toml"]);
}

#[tokio::test]
async fn links_are_followed_to_where_they_lead_also_when_that_changes() {
    let mut scene = Scene::unwatched();
    for version in ["one", "two"] {
        scene.save(&format!("{version}/src/lib.rs"), version);
        scene.save(&format!("shared-{version}/shared.rs"), version);
    }
    let link = |scene: &Scene, to: &str, at: &str| {
        let new = scene.path("new");
        symlink(scene.path(to), &new).unwrap();
        fs::rename(new, scene.path(at)).unwrap();
    };
    link(&scene, "one", "current");
    link(&scene, "shared-one", "project/handlers/src/shared");
    // A circle, and a way into what is built.
    link(&scene, "project", "project/handlers/src/circle");
    scene.save("built/debug/chat", "1");
    link(&scene, "built/debug", "project/handlers/output");
    let paths = WatchPaths {
        crates: [scene.path("project/handlers"), scene.path("current")].into(),
        targets: [scene.path("built")].into(),
        ..WatchPaths::default()
    };
    scene.watch.look_at(paths, later()).unwrap();
    scene.save("shared-one/shared.rs", "changed");
    assert_eq!(scene.reported().await, ["shared.rs"]);
    scene.save("one/src/lib.rs", "changed");
    assert_eq!(scene.reported().await, ["lib.rs"]);
    scene.save("built/debug/chat", "changed");
    link(&scene, "shared-two", "project/handlers/src/shared");
    assert_eq!(scene.reported().await, ["shared", "shared.rs"]);
    link(&scene, "two", "current");
    scene.tells("lib.rs").await;
    scene.save("two/src/lib.rs", "changed");
    assert_eq!(scene.reported().await, ["lib.rs"]);
}

#[tokio::test]
async fn what_is_not_there_yet_is_reported_when_it_comes() {
    let mut scene = Scene::unwatched();
    let paths = WatchPaths {
        files: [scene.path("project/.cargo/config.toml")].into(),
        crates: [scene.path("project/later")].into(),
        ..WatchPaths::default()
    };
    scene.watch.look_at(paths, later()).unwrap();
    scene.save("project/.cargo/config.toml", "1");
    scene.tells("config.toml").await;
    scene.save("project/later/src/main.rs", "1");
    scene.tells("main.rs").await;
    scene.save("project/later/src/main.rs", "22");
    assert_eq!(scene.reported().await, ["main.rs"]);
}

#[tokio::test]
async fn what_changed_while_the_places_were_found_is_reported_but_not_what_cargo_wrote() {
    let mut scene = Scene::unwatched();
    // Files have their times from a clock that ticks some milliseconds late.
    let began = SystemTime::now() - Duration::from_secs(1);
    scene.save("project/handlers/Cargo.lock", "1");
    scene.save("project/handlers/src/lib.rs", "1");
    let paths = scene.paths();
    scene.watch.look_at(paths.clone(), began).unwrap();
    let reported = scene.reported().await;
    assert!(reported.contains(&"lib.rs".to_owned()), "{reported:?}");
    assert!(!reported.contains(&"Cargo.lock".to_owned()), "{reported:?}");
    // WatchPaths that stay: nothing is forgotten between two looks.
    scene.save("project/handlers/src/main.rs", "22");
    let mut more = paths;
    more.files.insert(scene.path("project/other.toml"));
    scene.watch.look_at(more, later()).unwrap();
    assert_eq!(scene.reported().await, ["main.rs"]);
}

#[tokio::test]
async fn without_notices_of_the_system_changes_are_reported_all_the_same() {
    let mut scene = Scene::unwatched();
    scene.watch.watcher = None;
    let paths = scene.paths();
    assert!(scene.watch.look_at(paths, later()).is_err());
    scene.save("project/handlers/src/main.rs", "22");
    assert_eq!(scene.reported().await, ["main.rs"]);
    scene.remove("project/handlers/src");
    assert_eq!(scene.reported().await, ["src", "main.rs"]);
}
