//! Tests of a function without processes: its code is gone, and each test acts as a process in its place. As no test
//! awaits anything, the tasks that would start processes never run.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll, Wake};

use tokio::sync::oneshot::error::TryRecvError;

use super::*;
use crate::budget::{Budget, Share};
use crate::iam::credentials::AccessKey;
use crate::lambda::job::{Event, Failure, Invocation};
use crate::lambda::process::Supervisor as _;
use crate::lambda::runtime_api::Runtime as _;
use crate::lambda::{Code, FunctionEnvironment, Scratch};
use crate::stack;

/// The part of the budget that each event of these tests has.
const HELD: usize = 100;

struct Scene {
    function: Arc<Function>,
    budget: Arc<Budget>,
    share: Arc<Share>,
}

impl Scene {
    fn new(edit: impl FnOnce(&mut stack::Function)) -> Self {
        let budget = Budget::new(1_000_000);
        Self {
            function: Function::new(runnable(edit), Limits::default(), Observer::silent()),
            share: budget.share(),
            budget,
        }
    }

    fn job(&self, name: &str) -> (Job, oneshot::Receiver<Outcome>) {
        let event = Event {
            request_id: name.to_owned(),
            payload: "{}".into(),
            trace: String::new(),
            client_context: None,
        };
        let held = self.share.take_anyway(HELD);
        let invocation = Box::new(Invocation { event, held });
        let (reply, outcome) = oneshot::channel();
        (Job { invocation, reply }, outcome)
    }

    fn submit(&self, name: &str) -> oneshot::Receiver<Outcome> {
        let (job, outcome) = self.job(name);
        self.function.submit(job).unwrap();
        outcome
    }

    fn submit_abandoned(&self, name: &str) {
        let (job, caller) = self.job(name);
        drop(caller);
        self.function.submit(job).unwrap();
    }

    fn process(&self, id: u64) -> ProcessOf {
        ProcessOf {
            function: Arc::clone(&self.function),
            id,
            log_stream: "stream".into(),
        }
    }
}

fn runnable(edit: impl FnOnce(&mut stack::Function)) -> Runnable {
    let folder = tempfile::tempdir().unwrap();
    let bootstrap = folder.path().join("bootstrap");
    std::fs::write(&bootstrap, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&bootstrap, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut function = stack::Function {
        logical_id: "Echo".into(),
        name: "echo".to_owned(),
        arn: "arn:aws:lambda:eu-central-1:123456789012:function:echo".to_owned(),
        role_arn: "arn:aws:iam::123456789012:role/echo".to_owned(),
        handler: "bootstrap".to_owned(),
        memory_size: 128,
        timeout: Duration::from_secs(3),
        environment: BTreeMap::new(),
        reserved_concurrency: None,
        log_group: "/aws/lambda/echo".to_owned(),
        events: stack::EventPolicy::default(),
    };
    edit(&mut function);
    Runnable {
        function,
        code: Code::load(folder.path(), &Scratch::new(None)).unwrap(),
        environment: FunctionEnvironment {
            region: "eu-central-1".to_owned(),
            access_key: AccessKey {
                id: "id".to_owned(),
                secret: "secret".to_owned(),
                session_token: "token".to_owned(),
            },
            endpoints: BTreeMap::new(),
            secrets: String::new(),
        },
        max_processes: 1,
        missing_log_action: None,
    }
}

fn response() -> Outcome {
    Outcome::Response("ok".into())
}

/// The process requests an event, and its Runtime API receives the one that waits.
fn receive(process: &ProcessOf) -> Job {
    process.next().unwrap().try_recv().unwrap()
}

/// The process requests an event and begins to work on it.
fn begin(process: &ProcessOf, name: &str) {
    let event = process.begin(receive(process)).unwrap();
    assert_eq!(event.request_id, name);
}

/// What a caller finds when its task is woken.
struct Wakeup {
    function: Arc<Function>,
    budget: Arc<Budget>,
    used: AtomicUsize,
}

impl Wake for Wakeup {
    fn wake(self: Arc<Self>) {
        assert!(self.function.state.try_lock().is_ok(), "the lock is held");
        self.used.store(self.budget.used(), Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_caller_gets_the_response_once_its_part_of_the_budget_is_free() {
    let scene = Scene::new(|_| {});
    let mut caller = scene.submit("a");
    let process = scene.process(0);
    begin(&process, "a");
    assert_eq!(scene.budget.used(), HELD, "as long as the process works");
    let wakeup = Arc::new(Wakeup {
        function: Arc::clone(&scene.function),
        budget: Arc::clone(&scene.budget),
        used: AtomicUsize::new(usize::MAX),
    });
    let waker = Arc::clone(&wakeup).into();
    let mut context = Context::from_waker(&waker);
    let mut poll = || std::pin::Pin::new(&mut caller).poll(&mut context);
    assert!(poll().is_pending());
    assert!(process.responded("a", response()));
    assert_eq!(wakeup.used.load(Ordering::Relaxed), 0);
    assert_eq!(poll(), Poll::Ready(Ok(response())));
    assert!(!process.responded("a", response()), "only once");
}

#[tokio::test]
async fn an_abandoned_job_is_not_delivered_and_keeps_no_part_of_the_budget() {
    let scene = Scene::new(|_| {});
    let gone = scene.submit("a");
    let _caller = scene.submit("b");
    drop(gone);
    let process = scene.process(0);
    begin(&process, "b");
    assert_eq!(scene.budget.used(), HELD);
}

#[tokio::test]
async fn a_job_that_is_abandoned_while_it_waits_leaves_its_room_to_the_next_one() {
    let scene = Scene::new(|_| {});
    drop(scene.submit("a"));
    assert_eq!(scene.function.status().in_flight, 1);
    let _caller = scene.submit("b");
    assert_eq!(scene.function.status().in_flight, 1);
    assert_eq!(scene.budget.used(), HELD);
}

#[tokio::test]
async fn a_waiting_process_keeps_its_channel_when_a_job_for_it_is_abandoned() {
    let scene = Scene::new(|_| {});
    scene.submit_abandoned("a");
    let process = scene.process(0);
    let mut event = process.next().unwrap();
    for name in ["b", "c"] {
        scene.submit_abandoned(name);
        assert_eq!(event.try_recv().unwrap_err(), TryRecvError::Empty, "{name}");
        assert_eq!(scene.budget.used(), 0);
    }
    let _caller = scene.submit("d");
    let job = event.try_recv().unwrap();
    assert_eq!(job.invocation.event.request_id, "d");
}

#[tokio::test]
async fn a_caller_gets_the_failure_of_the_process_that_ends_at_work() {
    let scene = Scene::new(|_| {});
    let mut caller = scene.submit("a");
    let process = scene.process(0);
    begin(&process, "a");
    let why = Failure::new("Runtime.ExitError", "exit status 1");
    process.exited(why.clone());
    assert_eq!(caller.try_recv(), Ok(Outcome::Failed(why)));
    assert_eq!(scene.budget.used(), 0);
    assert!(scene.function.state().handles.is_empty());
}

#[tokio::test]
async fn a_caller_gets_the_timeout_when_the_overdue_process_has_ended() {
    let scene = Scene::new(|function| function.timeout = Duration::ZERO);
    let mut caller = scene.submit("a");
    let process = scene.process(0);
    begin(&process, "a");
    let _later = process.look();
    assert!(!process.responded("a", response()));
    // The pool has no more events for it.
    let _event = process.next().unwrap();
    assert_eq!(caller.try_recv(), Err(TryRecvError::Empty));
    process.exited(Failure::new("Runtime.ExitError", "the process was stopped"));
    let Ok(Outcome::Failed(failure)) = caller.try_recv() else {
        panic!("the caller has no failure");
    };
    assert_eq!(failure.error_type, "Sandbox.Timedout");
    assert_eq!(scene.budget.used(), 0);
}

#[tokio::test]
async fn the_caller_of_a_retired_function_still_gets_the_response() {
    let scene = Scene::new(|_| {});
    let mut caller = scene.submit("a");
    let process = scene.process(0);
    begin(&process, "a");
    let mut waiting = scene.submit("b");
    let back = scene.function.retire(Ending::Finished);
    assert_eq!(back.len(), 1);
    drop(back);
    assert_eq!(waiting.try_recv(), Err(TryRecvError::Closed));
    assert!(process.responded("a", response()));
    assert_eq!(caller.try_recv(), Ok(response()));
}

#[tokio::test]
async fn a_job_that_does_not_reach_its_process_fails_at_once() {
    let scene = Scene::new(|_| {});
    let process = scene.process(0);
    let mut caller = scene.submit("a");
    let event = process.next().unwrap();
    assert_eq!(caller.try_recv(), Err(TryRecvError::Empty));
    // Its connection breaks with the job on its way.
    drop(event);
    assert_eq!(caller.try_recv(), Err(TryRecvError::Closed));
    let mut caller = scene.submit("b");
    let job = receive(&process);
    process.exited(Failure::new("Runtime.ExitError", "exit status 1"));
    assert!(process.begin(job).is_none());
    assert_eq!(caller.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(scene.budget.used(), 0);
}

#[tokio::test]
async fn an_event_fails_at_once_when_its_process_gets_another_without_a_response() {
    let scene = Scene::new(|_| {});
    let process = scene.process(0);
    let mut first = scene.submit("a");
    let job = receive(&process);
    // A second request, before the response to the first has left.
    let mut event = process.next().unwrap();
    assert!(process.begin(job).is_some());
    let mut second = scene.submit("b");
    assert_eq!(first.try_recv(), Err(TryRecvError::Closed));
    let event = process.begin(event.try_recv().unwrap()).unwrap();
    assert_eq!(event.request_id, "b");
    assert!(!process.responded("a", response()));
    assert!(process.responded("b", response()));
    assert_eq!(second.try_recv(), Ok(response()));
    assert_eq!(scene.budget.used(), 0);
}

#[tokio::test]
async fn a_process_that_begins_two_events_loses_the_first_at_once() {
    let scene = Scene::new(|_| {});
    let process = scene.process(0);
    let mut first = scene.submit("a");
    let mut second = scene.submit("b");
    let jobs = [receive(&process), receive(&process)];
    for job in jobs {
        assert!(process.begin(job).is_some());
    }
    assert_eq!(first.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(second.try_recv(), Err(TryRecvError::Empty));
    assert!(process.responded("b", response()));
    assert_eq!(second.try_recv(), Ok(response()));
    assert_eq!(scene.budget.used(), 0);
}

#[tokio::test]
async fn a_throttled_job_fails_for_its_caller_and_keeps_no_part_of_the_budget() {
    let scene = Scene::new(|function| function.reserved_concurrency = Some(0));
    let mut caller = scene.submit("a");
    assert_eq!(caller.try_recv(), Ok(Outcome::Failed(Failure::throttle())));
    assert_eq!(scene.budget.used(), 0);
}
