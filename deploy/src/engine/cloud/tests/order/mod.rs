//! A whole deployment to AWS: the order of what the command shows, asks and builds, and of what the engine does in between.

mod record;
mod role;

use std::collections::BTreeMap;
use std::rc::Rc;

use super::account::FakeAccount;
use super::*;
use crate::config::{Overrides, Settings};
use crate::engine::naming::Naming;
use crate::engine::preflight::Check;
use crate::engine::probe::ProbeCredential;
use crate::engine::{
    CloudOptions, CloudSteps, DeployRequest, ErrorKind, Found, Reporter, Steps, deploy_to_cloud,
};
use crate::stack::change::ChangeSummary;
use crate::stack::code::parameters_of_functions;
use crate::stack::render::render_for_account;

const CHANGE: &str = "CREATE_COMPLETE AVAILABLE";

/// The steps of a command that writes them down beside what is reported.
struct Command<'a> {
    transcript: &'a RefCell<Transcript>,
    found: RefCell<Option<Found<FakeAccount>>>,
    /// What becomes of the deployment, in a word or two.
    state: &'static str,
    /// What is built.
    code: &'static str,
}

impl Command<'_> {
    fn wrote(&self, line: &str) {
        self.transcript.borrow_mut().note(line);
    }
}

impl Steps for Command<'_> {
    type Found = Found<FakeAccount>;
    type Handlers = &'static str;

    fn announce(&self, _: &Self::Found) -> Result<(), TargetError> {
        self.wrote("announced");
        Ok(())
    }

    async fn build(
        &self,
        _: &Self::Found,
        _: &mut impl Reporter,
    ) -> Result<BTreeMap<String, &'static str>, TargetError> {
        match self.state {
            "interrupted in the build" => return Err(TargetError::interrupted()),
            _ => self.wrote("built"),
        }
        Ok([("CodeKey".to_owned(), self.code)].into())
    }

    fn built(&self, handlers: &BTreeMap<String, &'static str>) -> String {
        format!("{handlers:?}")
    }

    async fn agree(
        &self,
        _: &Self::Found,
        _: &BTreeMap<String, &'static str>,
        _: &ChangeSet,
    ) -> Result<bool, TargetError> {
        self.wrote("asked about the change");
        match self.state {
            "without a terminal" => Err(TargetError::new(ErrorKind::Usage, "no terminal")),
            state => Ok(state != "declined"),
        }
    }
}

impl CloudSteps for Command<'_> {
    type Account = FakeAccount;

    async fn look(&self) -> (Vec<Check>, Option<Self::Found>) {
        self.wrote("looked");
        let outcome = match self.state {
            "in the way" => Err(TargetError::new(ErrorKind::Usage, "no credentials")),
            _ => Ok("all is well".to_owned()),
        };
        (vec![Check::new("stack", outcome)], self.found.take())
    }

    fn show(
        &self,
        _: &Self::Found,
        _: &BTreeMap<String, &'static str>,
        summary: Option<ChangeSummary>,
    ) {
        let summary = summary.map(|summary| summary.to_string());
        self.wrote(&format!("shown: {summary:?}"));
    }

    async fn agree_to_log_role(&self, _: &Self::Found) -> Result<(), TargetError> {
        self.wrote("asked about the role for logs");
        match self.state {
            "without the role" => Err(TargetError::new(ErrorKind::Usage, "declined")),
            "interrupted at the role" => Err(TargetError::interrupted()),
            _ => Ok(()),
        }
    }
}

/// What is different from a first deployment in which nothing is in the way.
#[derive(Default)]
struct Case {
    cloud: FakeCloud,
    options: CloudOptions,
    is_deployed: bool,
    lacks_log_role: bool,
    state: &'static str,
    /// Whether the bucket takes nothing.
    is_denied: bool,
    config: &'static str,
    /// Whether the stack makes the record of its name.
    has_record: bool,
}

/// Deploys a chat; returns what was shown, asked and reported in its order, how it ended, and what was asked for.
async fn deploy(case: Case) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chatctl.toml"), case.config).unwrap();
    let settings = Settings::load(folder.path(), Overrides::default()).unwrap();
    let template = render_for_account(&settings, "eu-west-1");
    let functions = parameters_of_functions(&template);
    let functions: Vec<_> = functions.keys().map(String::as_str).collect();
    let transcript = RefCell::default();
    let account = FakeAccount::new(case.cloud, "k1", &functions);
    let stacks = Rc::clone(&account.stacks);
    let command = Command {
        transcript: &transcript,
        found: RefCell::new(Some(Found {
            account,
            is_new: !case.is_deployed,
            deployed: None,
            naming: Naming {
                has_record: case.has_record,
                ..Naming::default()
            },
            lacks_log_role: case.lacks_log_role,
            cautions: Vec::new(),
        })),
        state: case.state,
        code: if case.is_denied { "denied" } else { "k1" },
    };
    let request = DeployRequest {
        settings: &settings,
        is_probed: false,
        credential: ProbeCredential::Claims,
    };
    let mut reporter = &transcript;
    let deploying = deploy_to_cloud(&command, &request, &case.options, &mut reporter);
    let outcome = deploying.await.map(|deployed| match deployed {
        Some(deployed) => format!("{deployed:?}"),
        None => "nothing was deployed".to_owned(),
    });
    let ended = transcript.take().ended(outcome);
    format!("{ended}--\n{}", stacks.cloud.asked())
}

/// The end of what [`deploy`] returns: the outcome, and what was asked for.
fn end(text: &str) -> &str {
    let outcome = text.find("error: ").unwrap();
    &text[outcome..]
}

#[tokio::test]
async fn a_first_deployment_checks_announces_builds_publishes_asks_deploys_and_verifies() {
    let cloud = FakeCloud::default()
        .change_set(CHANGE)
        .operation("chat CREATE_COMPLETE");
    let case = Case {
        cloud,
        ..Case::default()
    };
    expect![[r#"
        started Check
        looked
        finished Check: all is well
        announced
        started Build
        built
        finished Build: {"CodeKey": "k1"}
        started Publish
        finished Publish: 0.0 MB for x86_64, sent
        started Prepare
        finished Prepare: 1 to change
        asked about the change
        started Deploy
        chat CREATE_COMPLETE
        finished Deploy: 26 resources
        started Verify
        finished Verify: 4 functions run what was published
        Deployed { url: "wss://fake/v1", missing_record: None }
        --
        create change set Create Standard
        execute
    "#]]
    .assert_eq(&deploy(case).await);
}

#[tokio::test]
async fn what_stands_in_the_way_is_found_before_anything_is_built() {
    let case = Case {
        state: "in the way",
        ..Case::default()
    };
    expect![[r#"
        started Check
        looked
        error: no credentials
        --
    "#]]
    .assert_eq(&deploy(case).await);
}

#[tokio::test]
async fn an_interruption_before_anything_is_published_says_that_nothing_was_touched() {
    for state in ["interrupted in the build", "interrupted at the role"] {
        let case = Case {
            lacks_log_role: true,
            state,
            ..Case::default()
        };
        assert_eq!(
            end(&deploy(case).await),
            "error: interrupted; nothing was touched in AWS\n--\n",
            "{state}"
        );
    }
}

#[tokio::test]
async fn a_dry_run_of_a_stack_that_is_there_announces_and_publishes_nothing() {
    let case = Case {
        cloud: changeable("CREATE_COMPLETE"),
        is_deployed: true,
        options: CloudOptions {
            is_dry_run: true,
            ..CloudOptions::default()
        },
        lacks_log_role: true,
        ..Case::default()
    };
    expect![[r#"
        started Check
        looked
        finished Check: all is well
        started Build
        built
        finished Build: {"CodeKey": "k1"}
        shown: Some("1 to change")
        nothing was deployed
        --
        create change set Update Standard
        delete change set
    "#]]
    .assert_eq(&deploy(case).await);
}
