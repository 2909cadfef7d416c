//! What the plan of a deployment says of every option.

use std::collections::BTreeSet;

use expect_test::expect_file;
use testing::choices::{CHOICES, Case, examples};

use super::*;
use crate::stack::Template;
use crate::stack::change::ChangeSummary;
use crate::stack::outline::outline;
use crate::stack::overlay::{Additions, check};
use crate::stack::render::render_for_aws;

fn rendered(case: &Case) -> (Settings, Template) {
    let folder = tempfile::tempdir().unwrap();
    case.write(folder.path(), "");
    let mut settings = Settings::load(folder.path(), Overrides::default()).unwrap();
    // The folder has another name at each run.
    if let Some(overlay) = &mut settings.overlay {
        overlay.file = "extra.yaml".into();
    }
    check(&settings).unwrap();
    let template = render_for_aws(&settings);
    (settings, template)
}

#[test]
fn the_plan_of_every_choice_is_as_recorded() {
    let all = examples();
    let example = all
        .iter()
        .find(|example| example.name == "broadcast")
        .unwrap();
    let (plain, before) = rendered(&example.with(&[]));
    let known = plain.cautions();
    let mut text = String::new();
    for choice in CHOICES {
        let (settings, after) = rendered(&example.with(&[choice]));
        let mut summary = ChangeSummary::between(Some(&before), &after, &BTreeSet::new());
        summary.permissions = gained(Some(&before), &after);
        let additions = Additions::from_settings(&settings);
        if let Some(additions) = &additions {
            additions.mark(&mut summary);
        }
        text.push_str(&format!("# {}\n", choice.name));
        let reported = additions.iter().map(Additions::reported);
        let cautions = settings
            .cautions()
            .into_iter()
            .filter(|line| !known.contains(line));
        for line in reported.chain(outline(&summary)).chain(cautions) {
            text.push_str(&format!("{line}\n"));
        }
        text.push_str(&format!("{summary}; {}\n\n", settings.throttling()));
    }
    expect_file!["../snapshots/plans.txt"].assert_eq(&text);
}
