//! Files of a local stack that somebody, or a power failure, has damaged.

use crate::project::Project;

#[test]
fn a_stack_whose_request_was_damaged_can_be_torn_down_as_its_error_says() {
    let project = Project::new("");
    std::fs::create_dir_all(project.state()).unwrap();
    std::fs::write(project.state().join("request.json"), "").unwrap();
    let refused = project.deploy(&[]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    let cure = "chatctl teardown --local --yes";
    assert!(refused.stderr.contains(cure), "{}", refused.stderr);
    let words: Vec<_> = cure.split(' ').skip(1).collect();
    let gone = project.run(&words);
    assert_eq!(gone.code, 0, "{}", gone.stderr);
    assert!(!project.path().join(".chatctl").exists());
}
