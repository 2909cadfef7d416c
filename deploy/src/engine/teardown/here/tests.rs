use std::rc::Rc;

use expect_test::expect;

use super::*;
use crate::engine::fake::FakeStacks;
use crate::engine::target_error::ErrorKind;

impl Remains for FakeStacks {
    async fn activity(&self, _: &StackName) -> Result<Option<Activity>, TargetError> {
        if self.here.is("silent") {
            return Err(TargetError::new(ErrorKind::Unreachable, "silent"));
        }
        let ended = "process 7 ended";
        let is_back =
            self.here.is("deployed again") && self.here.transcript.borrow().lines.contains(ended);
        let runs = self.here.is("running") || self.here.is("declined") || is_back;
        Ok(runs.then_some(Activity {
            functions: 2,
            connections: 1,
        }))
    }

    fn is_stopped(&self, _: &StackName) -> Result<bool, TargetError> {
        Ok(self.here.is_stopped)
    }

    fn has_data(&self, _: &StackName) -> bool {
        self.here.has_data
    }

    fn foreign(&self) -> Vec<PathBuf> {
        vec!["notes.txt".into()]
    }
}

/// The steps of a command that writes them down beside what is reported.
struct Command<'a>(&'a FakeStacks);

impl Command<'_> {
    fn wrote(&self, line: &str) {
        self.0.here.transcript.borrow_mut().note(line);
    }
}

impl TeardownSteps for Command<'_> {
    fn show(&self, contents: &LocalContents) {
        let LocalContents {
            left_behind,
            stack,
            data,
        } = contents;
        let pid = left_behind.as_ref().map(|left| left.pid);
        self.wrote(&format!(
            "left behind: {pid:?}, stack: {stack:?}, data: {data:?}"
        ));
    }

    async fn agree(&self) -> Result<bool, TargetError> {
        self.wrote("asked");
        Ok(!self.0.here.is("declined"))
    }
}

/// What a machine has of a stack.
#[derive(Default)]
struct Case {
    state: &'static str,
    is_stopped: bool,
    has_data: bool,
    keep: bool,
}

/// Tears down what `case` says; returns what was shown, asked and reported in its order, how it ended, and what was asked for.
async fn teardown(case: Case) -> String {
    let exists = case.is_stopped || case.has_data || matches!(case.state, "running" | "declined");
    let mut stacks = match exists {
        true => FakeStacks::scripted("chat DELETE_COMPLETE"),
        false => FakeStacks::absent(),
    };
    stacks.here.state = case.state;
    stacks.here.is_stopped = case.is_stopped;
    stacks.here.has_data = case.has_data;
    let transcript = Rc::clone(&stacks.here.transcript);
    let (command, mut reporter) = (Command(&stacks), &*transcript);
    let data = match case.keep {
        true => Data::Keep,
        false => Data::Remove,
    };
    let stack = "chat".parse().unwrap();
    let tearing = teardown_here(&stacks, &command, &stack, data, &mut reporter);
    let outcome = match tearing.await {
        Ok(done) => format!("{done:?}"),
        Err(DeployError::Target(error)) => {
            let hint = error.hint.clone().unwrap_or_default();
            format!("error: {error}; {hint}")
        }
        Err(error) => format!("error: {error}"),
    };
    let deletions = stacks.deletions();
    format!("{}{outcome}\n--\n{deletions}", transcript.take().lines)
}

#[tokio::test]
async fn a_stack_that_runs_is_shown_asked_about_reserved_and_deleted() {
    expect![[r#"
        left behind: None, stack: Running(Activity { functions: 2, connections: 1 }), data: Some(Remove)
        asked
        reserved
        started Teardown
        chat DELETE_COMPLETE
        finished Teardown: everything removed
        given back
        HereTeardown { outcome: Done { spared: [] }, keeps_data: false, foreign: ["notes.txt"] }
        --
        delete retaining []"#]].assert_eq(
        &teardown(Case {
            state: "running",
            has_data: true,
            ..Case::default()
        })
        .await,
    );
}

#[tokio::test]
async fn a_teardown_that_is_declined_reserves_ends_and_deletes_nothing() {
    expect![[r#"
        left behind: None, stack: Running(Activity { functions: 2, connections: 1 }), data: Some(Remove)
        asked
        error: declined, nothing was changed; `--keep-data` keeps table data
        --
    "#]].assert_eq(
        &teardown(Case {
            state: "declined",
            has_data: true,
            ..Case::default()
        })
        .await,
    );
}

#[tokio::test]
async fn a_stack_whose_folder_is_gone_is_ended_without_a_reservation_that_would_make_it_anew() {
    expect![[r#"
        left behind: Some(7), stack: Gone, data: None
        asked
        process 7 ended
        HereTeardown { outcome: Done { spared: [] }, keeps_data: false, foreign: [] }
        --
    "#]]
    .assert_eq(
        &teardown(Case {
            state: "left behind",
            ..Case::default()
        })
        .await,
    );
}

#[tokio::test]
async fn a_process_that_was_left_behind_beside_files_is_ended_after_the_reservation() {
    expect![[r#"
        left behind: Some(7), stack: Stopped, data: Some(Keep)
        asked
        reserved
        process 7 ended
        started Teardown
        chat DELETE_COMPLETE
        finished Teardown: everything removed
        given back
        HereTeardown { outcome: Done { spared: [] }, keeps_data: true, foreign: ["notes.txt"] }
        --
        delete retaining []"#]]
    .assert_eq(
        &teardown(Case {
            state: "left behind",
            is_stopped: true,
            has_data: true,
            keep: true,
        })
        .await,
    );
}

#[tokio::test]
async fn what_another_command_works_on_is_not_touched() {
    expect![[r#"
        left behind: None, stack: Stopped, data: None
        asked
        error: reserved by another; 
        --
    "#]]
    .assert_eq(
        &teardown(Case {
            state: "reserved by another",
            is_stopped: true,
            ..Case::default()
        })
        .await,
    );
}

#[tokio::test]
async fn where_there_is_nothing_or_only_data_to_be_kept_no_question_is_asked() {
    for has_data in [false, true] {
        let transcript = teardown(Case {
            has_data,
            keep: true,
            ..Case::default()
        });
        let expected = format!(
            "HereTeardown {{ outcome: NothingThere, keeps_data: {has_data}, foreign: [] }}\n--\n"
        );
        assert_eq!(transcript.await, expected);
    }
}

#[tokio::test]
async fn behind_a_process_that_does_not_respond_nothing_is_asked() {
    let transcript = teardown(Case {
        state: "silent",
        ..Case::default()
    });
    assert_eq!(transcript.await, "error: silent; \n--\n");
}

#[tokio::test]
async fn without_a_folder_neither_another_command_nor_a_new_stack_is_passed_over() {
    for state in [
        "left behind, reserved by another",
        "left behind, deployed again",
    ] {
        let lines = teardown(Case {
            state,
            ..Case::default()
        })
        .await;
        let (_, after) = lines.split_once("asked\n").unwrap();
        match state.ends_with("again") {
            true => expect![[r#"
                process 7 ended
                error: local stack `chat` was deployed again since the question; the same command again tears that down
                --
            "#]].assert_eq(after),
            false => expect![[r#"
                error: reserved by another; 
                --
            "#]].assert_eq(after),
        }
    }
}
