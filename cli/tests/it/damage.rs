//! Files of a local stack that a user, or a power failure, has damaged.

use crate::project::Project;

#[test]
fn a_damaged_request_is_cured_by_what_its_error_says_and_costs_no_data() {
    let project = Project::new("");
    let words = ["--stack", "other"];
    let endpoint = project.deployed(&words);
    let state = project.path().join(".chatctl/other");
    std::fs::write(state.join("request.json"), "").unwrap();
    let refused = project.deploy(&words);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    let cure = "chatctl teardown --local --keep-data --stack other";
    refused.explains(&format!("`{cure}`"));
    let cured = [&cure.split(' ').skip(1).collect::<Vec<_>>()[..], &["--yes"]].concat();
    let gone = project.run(&cured);
    assert_eq!(gone.code, 0, "{}", gone.stderr);
    assert!(state.join("tables.db").exists() && !state.join("request.json").exists());
    assert_eq!(project.deployed(&words), endpoint, "its port is kept, too");
}
