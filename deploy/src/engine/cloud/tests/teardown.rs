//! A whole teardown in an account: what the command shows and asks, what goes and what stays.

use std::time::{Duration, SystemTime};

use super::account::FakeAccount;
use super::*;
use crate::engine::{CloudTeardownSteps, Reporter, Uses, teardown_cloud};
use crate::stack::retain::TABLE_TYPE;

/// The steps of a command that writes them down beside what is reported.
struct Command<'a> {
    transcript: &'a RefCell<Transcript>,
    account: RefCell<Option<FakeAccount>>,
    agrees: bool,
}

impl Command<'_> {
    fn wrote(&self, line: &str) {
        self.transcript.borrow_mut().note(line);
    }
}

impl CloudTeardownSteps for Command<'_> {
    type Account = FakeAccount;

    async fn connect(&self) -> Result<FakeAccount, TargetError> {
        self.wrote("connected");
        Ok(self.account.take().unwrap())
    }

    fn show_stack(&self, record: &StackRecord, resources: &[Resource]) {
        let (status, many) = (&record.status, resources.len());
        self.wrote(&format!("shown: {status} with {many} resources"));
    }

    fn show_table(&self, table: &str, items: Result<Option<u64>, TargetError>) {
        self.wrote(&format!("shown: table {table} with {:?}", items.unwrap()));
    }

    async fn agree(&self, _: &FakeAccount) -> Result<bool, TargetError> {
        self.wrote("asked");
        Ok(self.agrees)
    }

    fn warn(&self, text: &str) {
        self.wrote(&format!("warned: {text}"));
    }

    fn progress(&self) -> impl Reporter {
        self.transcript
    }

    fn reporter(&self) -> impl Reporter {
        self.transcript
    }
}

/// What is different from a teardown that is agreed to, of a stack that runs the object `b`.
struct Case {
    cloud: FakeCloud,
    data: Data,
    agrees: bool,
    bucket: Result<bool, &'static str>,
    /// Each `OBJECT STACK` with one letter for the object; `None` where they may not be read.
    uses: Option<&'static [&'static str]>,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            cloud: running().operation("chat DELETE_COMPLETE"),
            data: Data::Remove,
            agrees: true,
            bucket: Ok(true),
            uses: Some(&["a chat", "b chat"]),
        }
    }
}

/// A stack that is about to be deleted, with a function and a table.
fn running() -> FakeCloud {
    let cloud = FakeCloud::with("CREATE_COMPLETE");
    let mut stack = cloud.stack.borrow_mut();
    let parameters = &mut stack.as_mut().unwrap().parameters;
    parameters.insert("CodeBucket".into(), "b".into());
    parameters.insert("CodeKey".into(), "b".repeat(64));
    drop(stack);
    cloud
}

/// Uses that were recorded yesterday.
fn recorded(lines: &[&str]) -> Uses {
    let mut uses = Uses::default();
    let yesterday = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
    for line in lines {
        let (object, stack) = line.split_once(' ').unwrap();
        uses.note(&object.repeat(64), stack, yesterday);
    }
    uses
}

/// Tears a stack down; returns what was shown, asked and reported in its order, how it ended, and what was asked for.
async fn torn_down(case: Case) -> String {
    let mut account = FakeAccount::new(case.cloud, "k1", &["F"]);
    let stacks = std::rc::Rc::clone(&account.stacks);
    stacks.cloud.resources.borrow_mut().push(Resource {
        logical_id: "T".into(),
        physical_id: "chat-T".into(),
        resource_type: TABLE_TYPE.into(),
    });
    account.parts.bucket = case.bucket;
    account.parts.uses = case.uses.map(recorded);
    let transcript = RefCell::default();
    let command = Command {
        transcript: &transcript,
        account: RefCell::new(Some(account)),
        agrees: case.agrees,
    };
    let outcome = match teardown_cloud(&command, &name(), case.data).await {
        Ok(done) => {
            let left = serde_json::to_string(&done.left).unwrap();
            format!("{:?}, left: {left}", done.outcome)
        }
        Err(DeployError::Target(error)) => {
            let hint = error.hint.clone().unwrap_or_default();
            format!("error: {error}; {hint}")
        }
        Err(error) => format!("error: {error}"),
    };
    let asked = stacks.cloud.asked();
    format!("{}{outcome}\n--\n{asked}", transcript.take().lines)
}

#[tokio::test]
async fn a_teardown_shows_asks_deletes_and_then_removes_what_only_this_stack_has_used() {
    expect![[r#"
        connected
        shown: CREATE_COMPLETE with 3 resources
        shown: table chat-T with Some(7)
        asked
        started Teardown
        chat DELETE_COMPLETE
        finished Teardown: everything removed
        Done { spared: [] }, left: {"tables":[],"spared":[],"bucket":"b"}
        --
        delete stack retaining []
        look for the bucket
        remove [a b], and the records of [a b]
    "#]]
    .assert_eq(&torn_down(Case::default()).await);
}

#[tokio::test]
async fn a_protected_stack_is_neither_shown_nor_asked_about() {
    let cloud = running();
    cloud.stack.borrow_mut().as_mut().unwrap().protected = true;
    expect![[r#"
        connected
        error: stack `chat` is protected against deletion; `chatctl deploy --protect=false` lifts the protection
        --
    "#]].assert_eq(
        &torn_down(Case {
            cloud,
            ..Case::default()
        })
        .await,
    );
}

#[tokio::test]
async fn a_stack_of_something_else_is_neither_shown_nor_asked_about() {
    expect![[r#"
        connected
        error: stack `chat` is not a chat: chatctl has not deployed it; `--stack NAME`, or `stack` in chatctl.toml, names another stack
        --
    "#]].assert_eq(
        &torn_down(Case {
            cloud: foreign("CREATE_COMPLETE"),
            ..Case::default()
        })
        .await,
    );
}

#[tokio::test]
async fn a_teardown_that_is_declined_touches_nothing() {
    expect![[r#"
        connected
        shown: CREATE_COMPLETE with 3 resources
        shown: table chat-T with Some(7)
        asked
        error: declined, nothing was changed; `--keep-data` keeps the table
        --
    "#]]
    .assert_eq(
        &torn_down(Case {
            agrees: false,
            ..Case::default()
        })
        .await,
    );
}

#[tokio::test]
async fn the_empty_shell_of_a_first_change_set_goes_without_a_question() {
    expect![[r#"
        connected
        started Teardown
        finished Teardown: everything removed
        Done { spared: [] }, left: {"tables":[],"spared":[],"bucket":"b"}
        --
        delete stack retaining []
        look for the bucket
        remove [a], and the records of [a]
    "#]]
    .assert_eq(
        &torn_down(Case {
            cloud: FakeCloud::with("REVIEW_IN_PROGRESS"),
            uses: Some(&["a chat"]),
            ..Case::default()
        })
        .await,
    );
}

#[tokio::test]
async fn where_there_is_no_stack_only_what_one_of_its_name_has_published_goes() {
    expect![[r#"
        connected
        NothingThere, left: {"tables":[],"spared":[],"bucket":"b"}
        --
        look for the bucket
        remove [a], and the records of [a]
    "#]]
    .assert_eq(
        &torn_down(Case {
            cloud: FakeCloud::default(),
            uses: Some(&["a chat", "b other"]),
            ..Case::default()
        })
        .await,
    );
}

#[tokio::test]
async fn handlers_that_another_stack_runs_or_may_be_rolled_back_to_stay() {
    expect![[r#"
        connected
        shown: CREATE_COMPLETE with 3 resources
        shown: table chat-T with Some(7)
        asked
        started Teardown
        chat DELETE_COMPLETE
        finished Teardown: everything removed
        Done { spared: [] }, left: {"tables":[],"spared":[],"bucket":"b","handlers":"used by other"}
        --
        delete stack retaining []
        look for the bucket
        remove [a], and the records of [a b]
    "#]]
    .assert_eq(
        &torn_down(Case {
            uses: Some(&["a chat", "b chat", "b other", "c other"]),
            ..Case::default()
        })
        .await,
    );
}

#[tokio::test]
async fn tables_that_are_kept_are_reported_by_name() {
    let cloud = of_a_chat(running())
        .change_set("CREATE_COMPLETE AVAILABLE")
        .operation("chat UPDATE_COMPLETE")
        .operation("T DELETE_SKIPPED\nchat DELETE_COMPLETE");
    expect![[r#"
        connected
        shown: CREATE_COMPLETE with 3 resources
        shown: table chat-T with Some(7)
        asked
        started Teardown
        chat UPDATE_COMPLETE
        T DELETE_SKIPPED
        chat DELETE_COMPLETE
        finished Teardown: everything removed
        Done { spared: [] }, left: {"tables":["chat-T"],"spared":[]}
        --
        create change set Update Standard
        execute
        delete stack retaining []
        look for the bucket
    "#]]
    .assert_eq(
        &torn_down(Case {
            cloud,
            data: Data::Keep,
            bucket: Ok(false),
            ..Case::default()
        })
        .await,
    );
}

#[tokio::test]
async fn a_store_that_does_not_answer_or_may_not_be_read_is_a_word_and_no_error() {
    let silent = torn_down(Case {
        bucket: Err("S3 has not responded"),
        ..Case::default()
    });
    expect![[r#"
        connected
        shown: CREATE_COMPLETE with 3 resources
        shown: table chat-T with Some(7)
        asked
        started Teardown
        chat DELETE_COMPLETE
        finished Teardown: everything removed
        warned: the published handlers were not removed: if there are any, they expire: S3 has not responded
        Done { spared: [] }, left: {"tables":[],"spared":[],"handlers":"if there are any, they expire: S3 has not responded"}
        --
        delete stack retaining []
        look for the bucket
    "#]].assert_eq(&silent.await);
    let unread = torn_down(Case {
        uses: None,
        ..Case::default()
    });
    expect![[r#"
        connected
        shown: CREATE_COMPLETE with 3 resources
        shown: table chat-T with Some(7)
        asked
        started Teardown
        chat DELETE_COMPLETE
        finished Teardown: everything removed
        warned: the published handlers were not removed: it is not known who else uses them, they expire: may not list it
        Done { spared: [] }, left: {"tables":[],"spared":[],"bucket":"b","handlers":"it is not known who else uses them, they expire: may not list it"}
        --
        delete stack retaining []
        look for the bucket
    "#]].assert_eq(&unread.await);
}

#[tokio::test]
async fn a_protected_stack_is_not_deleted_and_the_hint_says_how_to_lift_it() {
    let cloud = FakeCloud::with("CREATE_COMPLETE");
    cloud.stack.borrow_mut().as_mut().unwrap().protected = true;
    let stacks = CloudStacks::new(cloud);
    let error = stacks.delete(&name(), Data::Remove, &[]).await.unwrap_err();
    assert_eq!(
        error.hint.unwrap(),
        "`chatctl deploy --protect=false` lifts the protection"
    );
    assert_eq!(stacks.cloud.asked(), "");
}

#[tokio::test]
async fn keeping_data_updates_the_stack_before_it_is_deleted() {
    let cloud = of_a_chat(
        changeable("CREATE_COMPLETE")
            .operation("chat UPDATE_COMPLETE")
            .operation("T DELETE_SKIPPED\nchat DELETE_COMPLETE"),
    );
    let stacks = CloudStacks::new(cloud);
    delete_stack(&stacks, &name(), Data::Keep, &mut Transcript::default())
        .await
        .unwrap();
    expect![[r#"
        create change set Update Standard
        execute
        delete stack retaining []
    "#]]
    .assert_eq(&stacks.cloud.asked());
}
