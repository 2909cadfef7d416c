//! The product: each request of each command, with each fault.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::cloud::{Cloud, State};
use crate::command::{Finished, Folder};
use crate::faults::Fault;

/// How many commands run side by side: most of the time they wait.
const AT_ONCE: usize = 6;

/// What is tried.
#[derive(Debug, Clone, Copy)]
struct Operation {
    words: &'static str,
    /// The version of the handlers that is deployed before, if any is.
    before: Option<&'static str>,
    aim: Aim,
    folder: fn() -> Folder,
    /// Which requests are spoiled.
    spoils: fn(&str) -> bool,
}

const ORDINARY: Operation = Operation {
    words: "",
    before: None,
    aim: Aim::Look,
    folder: Folder::new,
    spoils: |_| true,
};

/// What a command should come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// A stack that runs this version.
    Runs(&'static str),
    Gone,
    /// Whatever is there stays as it is.
    Look,
}

const DEPLOY: &str = "deploy --yes --no-probe --handlers handlers-";

/// What was deployed with `version`, and what its functions run then.
async fn deployed(folder: &Folder, version: &str) -> State {
    let cloud = Cloud::with(State::default(), None).await;
    let ended = folder.run(&cloud.url, &format!("{DEPLOY}{version}")).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    cloud.state()
}

struct Scene {
    folder: Folder,
    operation: Operation,
    before: State,
    /// What the functions run when the aim is reached.
    after: State,
}

async fn check(operation: Operation) {
    let folder = (operation.folder)();
    let before = match operation.before {
        Some(version) => deployed(&folder, version).await,
        None => State::default(),
    };
    let after = match operation.aim {
        Aim::Runs(version) => deployed(&folder, version).await,
        Aim::Gone => State::default(),
        Aim::Look => before.clone(),
    };
    let scene = Arc::new(Scene {
        folder,
        operation,
        before,
        after,
    });
    let mut calls = scene.calls().await;
    calls.retain(|call| (operation.spoils)(call));
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut cases = JoinSet::new();
    for call in calls {
        for fault in Fault::ALL {
            let (scene, places, call) = (scene.clone(), places.clone(), call.clone());
            cases.spawn(async move {
                let _place = places.acquire().await.unwrap();
                let wrong = scene.wrong_with(&call, fault).await;
                wrong.map(|wrong| format!("{call} × {fault:?}: {wrong}"))
            });
        }
    }
    let count = cases.len();
    let mut wrong: Vec<String> = cases.join_all().await.into_iter().flatten().collect();
    wrong.sort();
    let text = wrong.join("\n\n");
    assert!(
        wrong.is_empty(),
        "{} of {count} cases:\n\n{text}",
        wrong.len()
    );
    assert!(count >= 9, "there was nothing to spoil");
}

impl Scene {
    /// Everything that is asked for when nothing goes wrong.
    async fn calls(&self) -> BTreeSet<String> {
        let cloud = Cloud::with(self.before.clone(), None).await;
        let ended = self.folder.run(&cloud.url, self.operation.words).await;
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        assert_eq!(self.misses(&cloud.state()), None);
        cloud.state().served.into_iter().collect()
    }

    /// What differs from the aim.
    fn misses(&self, state: &State) -> Option<String> {
        let (status, code) = (state.status(), state.code());
        let is_reached = match self.operation.aim {
            Aim::Gone => status.is_empty(),
            Aim::Runs(_) | Aim::Look => {
                matches!(status, "CREATE_COMPLETE" | "UPDATE_COMPLETE") && code == self.after.code()
            }
        };
        (!is_reached).then(|| format!("the stack is {status:?}, and its functions run {code:?}"))
    }

    /// What is not as it should be when every `call` goes wrong as `fault`; `None` when all is well.
    async fn wrong_with(&self, call: &str, fault: Fault) -> Option<String> {
        let spoiled = Some((call.to_owned(), fault));
        let cloud = Cloud::with(self.before.clone(), spoiled).await;
        let ended = self.folder.run(&cloud.url, self.operation.words).await;
        let state = cloud.state();
        let reported = self.untrue(&ended, &state, fault);
        if let Some(wrong) = reported {
            return Some(format!(
                "{wrong}\nexit {}, stack {:?}\n{}{}",
                ended.code,
                state.status(),
                ended.stdout,
                ended.stderr
            ));
        }
        let healthy = Cloud::with(state, None).await;
        let healed = self.folder.run(&healthy.url, self.operation.words).await;
        let misses = self.misses(&healthy.state());
        if healed.code == 0 && misses.is_none() {
            return None;
        }
        Some(format!(
            "the next run ends with {} and {misses:?}\n{}after\n{}",
            healed.code, healed.stderr, ended.stderr
        ))
    }

    /// What of `ended` does not fit what has happened.
    fn untrue(&self, ended: &Finished, state: &State, fault: Fault) -> Option<String> {
        let said = &ended.stderr;
        let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
        if ended.stderr.contains("panicked") {
            return Some("it panics".into());
        }
        if fault == Fault::Silence && !said.contains("AWS has not answered for 20 s") {
            return Some("the silence is not told".into());
        }
        if ended.code == 0 {
            return self
                .misses(state)
                .map(|misses| format!("it is not done: {misses}"));
        }
        let denied = fault == Fault::Denied;
        if (ended.code == 4) != denied || !matches!(ended.code, 3 | 4) {
            return Some("the exit code is wrong".into());
        }
        if !says(&["error: "]) || !says(fault.words()) {
            return Some(format!("none of {:?} is said", fault.words()));
        }
        let nothing = [
            "nothing was changed",
            "nothing that serves was changed",
            "nothing of this deployment was begun",
            "nothing was deleted",
            "no stack was touched",
        ];
        let something = [
            "was started",
            "is deployed",
            "have the new code",
            "may have the new code",
        ];
        match state.is_begun && self.operation.aim != Aim::Look {
            true if says(&nothing) => Some("it says that nothing was begun".into()),
            true if !says(&something) && !says(&["not known", "settled as"]) => {
                Some("it does not say what was begun".into())
            }
            false if says(&something) && !says(&["not known"]) => {
                Some("it says that something was begun".into())
            }
            _ => None,
        }
    }
}

/// What is said when every `call` of `words` goes wrong as `fault`, with a stack deployed before.
async fn said(words: &str, call: &str, fault: Fault) -> Finished {
    let folder = Folder::new();
    let before = deployed(&folder, "1").await;
    let cloud = Cloud::with(before, Some((call.to_owned(), fault))).await;
    folder.run(&cloud.url, words).await
}

#[tokio::test]
async fn a_teardown_that_may_not_look_at_the_bucket_is_done_and_warns() {
    let Finished { code, stderr, .. } = said("teardown --yes", "HEAD bucket", Fault::Denied).await;
    assert_eq!(code, 0, "{stderr}");
    let warning = "the published handlers were not removed: if there are any, they expire";
    assert!(stderr.contains(warning), "{stderr}");
}

#[tokio::test]
async fn status_without_the_right_to_look_at_functions_shows_everything_else() {
    let call = "GET function configuration";
    let Finished {
        code,
        stdout,
        stderr,
    } = said("status", call, Fault::Denied).await;
    assert_eq!(code, 0, "{stderr}");
    for shown in [
        "status       CREATE_COMPLETE",
        "endpoint     wss://chat/v1",
        "DirectFunction: unknown",
        "unknown      could not read the code's digest of function",
        "lambda:GetFunctionConfiguration",
    ] {
        assert!(stdout.contains(shown), "{shown}: {stdout}");
    }
}

macro_rules! operations {
    ($($name:ident: $operation:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            check($operation).await;
        }
    )*};
}

operations! {
    a_first_deployment_ends_in_time_says_what_is_true_and_is_healed_by_the_next: Operation {
        words: "deploy --yes --no-probe --handlers handlers-1",
        before: None,
        aim: Aim::Runs("1"),
        ..ORDINARY
    };
    an_update_ends_in_time_says_what_is_true_and_is_healed_by_the_next: Operation {
        words: "deploy --yes --no-probe --handlers handlers-2",
        before: Some("1"),
        aim: Aim::Runs("2"),
        ..ORDINARY
    };
    a_hotswap_ends_in_time_says_what_is_true_and_is_healed_by_the_next: Operation {
        words: "deploy --yes --no-probe --hotswap --handlers handlers-2",
        before: Some("1"),
        aim: Aim::Runs("2"),
        ..ORDINARY
    };
    a_teardown_ends_in_time_says_what_is_true_and_is_healed_by_the_next: Operation {
        words: "teardown --yes",
        before: Some("1"),
        aim: Aim::Gone,
        ..ORDINARY
    };
    status_ends_in_time_and_says_what_is_true: Operation {
        words: "status",
        before: Some("1"),
        aim: Aim::Look,
        ..ORDINARY
    };
    logs_end_in_time_and_say_what_is_true: Operation {
        words: "logs --since 1000d",
        before: Some("1"),
        aim: Aim::Look,
        ..ORDINARY
    };
    the_outputs_end_in_time_and_say_what_is_true: Operation {
        words: "outputs",
        before: Some("1"),
        aim: Aim::Look,
        ..ORDINARY
    };
    the_connect_commands_end_in_time_and_say_what_is_true: Operation {
        words: "print-connect-commands",
        before: Some("1"),
        aim: Aim::Look,
        ..ORDINARY
    };
    a_deployment_with_a_large_template_ends_in_time_says_what_is_true_and_is_healed_by_the_next: Operation {
        words: "deploy --yes --no-probe --handlers handlers-1",
        before: None,
        aim: Aim::Runs("1"),
        folder: Folder::with_a_large_template,
        spoils: is_about_the_template,
    };
    a_teardown_with_a_large_template_ends_in_time_says_what_is_true_and_is_healed_by_the_next: Operation {
        words: "teardown --yes --keep-data",
        before: Some("1"),
        aim: Aim::Gone,
        folder: Folder::with_a_large_template,
        spoils: is_about_the_template,
    };
}

/// What a template that goes through the bucket needs beside what is tried already.
fn is_about_the_template(call: &str) -> bool {
    ["HEAD template", "PUT template", "CreateChangeSet"].contains(&call)
}
