use super::*;

/// Indexes that git 2.47 wrote. Each tracks `.chatctl/chat/code`, a link, except `none`.
const MADE_BY_GIT: [(&str, &[u8]); 5] = [
    ("version 2", include_bytes!("made_by_git/v2.index")),
    ("version 3", include_bytes!("made_by_git/v3.index")),
    ("version 4", include_bytes!("made_by_git/v4.index")),
    ("SHA-256", include_bytes!("made_by_git/sha256.index")),
    ("shared", include_bytes!("made_by_git/shared.index")),
];
const NONE: &[u8] = include_bytes!("made_by_git/none.index");
const SPLIT: &[u8] = include_bytes!("made_by_git/split.index");
const SHARED: &str = "1f9adec03be9e93e71e1e967c8a8a6bc09334d62";

fn searched(index: &[u8], wanted: &str) -> Option<Searched> {
    IDS.iter()
        .find_map(|id| search(index, *id, wanted.as_bytes()))
}

#[test]
fn tracked_files_are_found_in_each_format_of_the_index() {
    for (form, index) in MADE_BY_GIT {
        let found = |wanted| searched(index, wanted).unwrap().found.is_some();
        assert!(found(".chatctl"), "{form}");
        assert!(found(".ChatCtl/chat"), "{form}");
        assert!(!found(".chat/chatctl"), "{form}");
        assert!(!found(".chatct"), "{form}");
    }
    assert!(
        searched(MADE_BY_GIT[0].1, "sub/.chatctl")
            .unwrap()
            .found
            .is_some()
    );
    assert_eq!(searched(NONE, ".chatctl").unwrap(), Searched::default());
}

#[test]
fn an_index_that_is_cut_anywhere_is_not_taken_for_one_that_tracks_nothing() {
    for (form, index) in MADE_BY_GIT {
        for length in 0..index.len() {
            let cut = searched(&index[..length], "elsewhere");
            assert_eq!(cut, None, "{form}, {length} bytes");
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_index_makes_it_panic(
        form in 0usize..5,
        changes in proptest::collection::vec((0usize..700, proptest::num::u8::ANY), 0..8),
    ) {
        let mut index = MADE_BY_GIT[form].1.to_vec();
        for (at, byte) in changes {
            let at = at % index.len();
            index[at] = byte;
        }
        let _any = searched(&index, ".chatctl");
    }
}

/// A repository's folder with `index` in it.
fn clone(index: &[u8]) -> tempfile::TempDir {
    let top = tempfile::tempdir().unwrap();
    std::fs::create_dir(top.path().join(".git")).unwrap();
    std::fs::write(top.path().join(".git/index"), index).unwrap();
    top
}

#[test]
fn every_repository_around_the_project_counts() {
    let top = clone(MADE_BY_GIT[0].1);
    let found = |project: &str| {
        let project = top.path().join(project);
        std::fs::create_dir_all(&project).unwrap();
        tracked(&project, ".chatctl").unwrap().is_some()
    };
    assert!(found("") && found("sub") && !found("sub/deeper"));
    std::fs::create_dir(top.path().join("sub/.git")).unwrap();
    assert!(found("sub"), "one within it does not hide it");
    let nowhere = tracked(Path::new("/nowhere"), ".chatctl");
    assert_eq!(nowhere.unwrap(), None);
}

#[test]
fn a_project_that_is_reached_through_a_link_is_looked_up_where_it_is() {
    let (top, elsewhere) = (clone(MADE_BY_GIT[0].1), tempfile::tempdir().unwrap());
    let link = elsewhere.path().join("project");
    std::os::unix::fs::symlink(top.path(), &link).unwrap();
    let found = tracked(&link, ".chatctl").unwrap().unwrap();
    assert!(found.ends_with(".chatctl/chat/code"), "{found:?}");
}

#[test]
fn the_shared_half_of_a_split_index_counts() {
    let top = clone(SPLIT);
    assert_eq!(tracked(top.path(), ".chatctl").unwrap(), None);
    let shared = format!(".git/sharedindex.{SHARED}");
    std::fs::write(top.path().join(shared), MADE_BY_GIT[4].1).unwrap();
    assert!(tracked(top.path(), ".chatctl").unwrap().is_some());
}

#[test]
fn the_index_of_a_worktree_is_found() {
    let (main, tree) = (clone(MADE_BY_GIT[0].1), tempfile::tempdir().unwrap());
    let place = format!("gitdir: {}\n", main.path().join(".git").display());
    std::fs::write(tree.path().join(".git"), place).unwrap();
    assert!(tracked(tree.path(), ".chatctl").unwrap().is_some());
}

#[test]
fn an_index_of_an_unknown_format_is_an_error() {
    let top = clone(b"DIRC\0\0\0\x05\0\0\0\0");
    let error = tracked(top.path(), ".chatctl").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
}
