//! Tests of a pool without processes: events as lines in, actions as lines out.

mod abandoned;
mod ends;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;
use crate::lambda::lanes::Load;

const TIMEOUT: Duration = Duration::from_secs(3);
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
const PROCESS_IDLE: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct TestJob {
    name: String,
    load: Load,
}

impl HasLoad for TestJob {
    fn load(&self) -> Load {
        self.load
    }
}

/// A pool with imaginary processes, and an adapter as its own.
struct Scene {
    pool: Pool<TestJob>,
    now: Instant,
    sources: BTreeMap<&'static str, u64>,
    /// The jobs whose callers have gone.
    abandoned: BTreeSet<&'static str>,
    /// Jobs on their way.
    delivered: BTreeMap<u64, TestJob>,
    /// The jobs that processes work on.
    working: BTreeMap<u64, String>,
}

impl Scene {
    fn new(capacity: usize) -> Self {
        Self::with(capacity, false)
    }

    fn with(capacity: usize, is_reserved: bool) -> Self {
        Self {
            pool: Pool::new(Rules {
                capacity,
                is_reserved,
                timeout: TIMEOUT,
                init_timeout: INIT_TIMEOUT,
                process_idle: PROCESS_IDLE,
                memory_size: 128,
            }),
            now: Instant::now(),
            sources: BTreeMap::new(),
            abandoned: BTreeSet::new(),
            delivered: BTreeMap::new(),
            working: BTreeMap::new(),
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    fn job(&mut self, source: &'static str, name: &str, size: u64) -> TestJob {
        let number = self.sources.len() as u64;
        let source = *self.sources.entry(source).or_insert(number);
        TestJob {
            name: name.to_owned(),
            load: Load { source, size },
        }
    }

    fn submit(&mut self, source: &'static str, name: &str) -> String {
        self.submit_sized(source, name, 0)
    }

    fn submit_sized(&mut self, source: &'static str, name: &str, size: u64) -> String {
        let job = self.job(source, name, size);
        self.tidy();
        match self.pool.submitted(job, self.now) {
            Ok(actions) => self.words(actions),
            Err(_) => "refused".to_owned(),
        }
    }

    fn tidy(&mut self) {
        let abandoned = &self.abandoned;
        let is_abandoned = |job: &TestJob| abandoned.contains(job.name.as_str());
        self.pool.drop_abandoned(self.now, is_abandoned);
    }

    fn ask(&mut self, process: u64) -> String {
        match self.pool.asked(process, self.now) {
            Ok(actions) => self.words(actions),
            Err(Busy) => "busy".to_owned(),
        }
    }

    /// The most recently delivered job reaches its process.
    fn begin(&mut self, process: u64) {
        let TestJob { name, load } = self.delivered.remove(&process).unwrap();
        assert!(self.pool.begun(process, load.source, &name, self.now));
        self.working.insert(process, name);
    }

    fn respond(&mut self, process: u64, name: &str) -> String {
        let outcome = Outcome::Response(Vec::new().into());
        match self.pool.responded(process, name, outcome, self.now) {
            Some(actions) => self.words(actions),
            None => "not its event".to_owned(),
        }
    }

    /// A process requests an event, and serves the job that it gets at once.
    fn serve(&mut self, process: u64, name: &str, took: Duration) {
        let got = self.ask(process);
        if !got.is_empty() {
            assert_eq!(got, format!("{process} gets {name}"));
        }
        self.begin(process);
        self.wait(took);
        assert_eq!(self.respond(process, name), format!("{name} is answered"));
    }

    fn tick(&mut self, process: u64) -> String {
        let (_, actions) = self.pool.ticked(process, self.now);
        self.words(actions)
    }

    fn exit(&mut self, process: u64, why: &str) -> String {
        let why = Failure::new("Runtime.ExitError", why);
        let actions = self.pool.exited(process, why, self.now);
        self.words(actions)
    }

    fn retire(&mut self, ending: Ending) -> String {
        let (jobs, actions) = self.pool.retire(ending);
        let back = jobs.iter().map(|job| format!("{} is given back", job.name));
        let mut lines: Vec<String> = back.collect();
        lines.push(self.words(actions));
        lines.retain(|line| !line.is_empty());
        lines.join(", ")
    }

    /// Actions as words, without log lines.
    fn words(&mut self, actions: Vec<Action<TestJob>>) -> String {
        let mut lines = Vec::new();
        let mut actions = VecDeque::from(actions);
        while let Some(action) = actions.pop_front() {
            lines.push(match action {
                Action::Start(process) => format!("start {process}"),
                Action::Deliver { process, job } => {
                    if self.abandoned.contains(job.name.as_str()) {
                        actions.extend(self.pool.unwanted(process));
                        continue;
                    }
                    let line = format!("{process} gets {}", job.name);
                    self.delivered.insert(process, job);
                    line
                }
                Action::End { process, order } if order.at_once => format!("kill {process}"),
                Action::End { process, .. } => format!("stop {process}"),
                Action::Finish { process, outcome } => {
                    let name = self.working.remove(&process).unwrap();
                    match outcome {
                        Outcome::Response(_) => format!("{name} is answered"),
                        Outcome::Failed(failure) => format!("{name} fails: {failure}"),
                    }
                }
                Action::Fail { job, failure } => format!("{} fails: {failure}", job.name),
                Action::Log { .. } => continue,
                Action::Rest(time) => format!("rest {time:?}"),
            });
        }
        lines.join(", ")
    }
}

#[test]
fn a_job_starts_a_process_and_is_answered_by_it() {
    let mut scene = Scene::new(2);
    assert_eq!(scene.submit("Tom", "a"), "start 0");
    assert_eq!(scene.ask(0), "0 gets a");
    scene.begin(0);
    assert_eq!(scene.ask(0), "busy");
    assert_eq!(scene.respond(0, "b"), "not its event");
    assert_eq!(scene.respond(0, "a"), "a is answered");
    assert_eq!(scene.respond(0, "a"), "not its event");
    assert_eq!(scene.ask(0), "");
    let counts = scene.pool.counts();
    assert_eq!(
        (scene.pool.alive(), counts.invocations, counts.in_flight),
        (1, 1, 0)
    );
}

#[test]
fn the_idle_process_that_worked_last_gets_the_next_job() {
    let mut scene = Scene::new(2);
    assert_eq!(scene.submit("Tom", "a"), "start 0");
    assert_eq!(scene.submit("Ann", "b"), "start 1");
    scene.serve(0, "a", Duration::ZERO);
    scene.serve(1, "b", Duration::ZERO);
    assert_eq!((scene.ask(1), scene.ask(0)), (String::new(), String::new()));
    assert_eq!(scene.submit("Tom", "c"), "0 gets c");
    assert_eq!(scene.submit("Tom", "d"), "1 gets d");
}

#[test]
fn sources_take_turns_for_the_available_processes() {
    let mut scene = Scene::new(1);
    assert_eq!(scene.submit("Tom", "a"), "start 0");
    for name in ["b", "c"] {
        assert_eq!(scene.submit("Tom", name), "");
    }
    assert_eq!(scene.submit("Ann", "x"), "");
    for name in ["a", "x", "b", "c"] {
        scene.serve(0, name, TIMEOUT / 2);
    }
}

#[test]
fn a_source_with_quick_events_gets_one_more_process_unless_the_number_is_reserved() {
    for (is_reserved, expected) in [(false, "start 1, start 2"), (true, "")] {
        let mut scene = Scene::with(1, is_reserved);
        assert_eq!(scene.submit("Quick", "q"), "start 0");
        scene.serve(0, "q", Duration::from_millis(1));
        assert_eq!(scene.ask(0), "");
        assert_eq!(scene.submit("Slow", "s"), "0 gets s");
        scene.begin(0);
        assert_eq!(scene.submit("Slow", "t"), "");
        assert_eq!(scene.submit("Quick", "r"), expected, "{is_reserved}");
        if !is_reserved {
            assert_eq!(scene.ask(1), "1 gets r");
            assert_eq!(scene.ask(2), "", "slow events wait for the first");
        }
    }
}

#[test]
fn a_small_event_does_not_wait_for_large_ones_although_their_source_is_quick() {
    const LARGE: u64 = 128 * 1024;
    let mut scene = Scene::new(1);
    assert_eq!(scene.submit("Flood", "f"), "start 0");
    scene.serve(0, "f", Duration::from_millis(1));
    assert_eq!(scene.ask(0), "");
    assert_eq!(scene.submit("Quick", "q"), "0 gets q");
    scene.begin(0);
    assert_eq!(scene.respond(0, "q"), "q is answered");
    assert_eq!(scene.ask(0), "");
    assert_eq!(scene.submit_sized("Flood", "g", LARGE), "0 gets g");
    scene.begin(0);
    for name in ["h", "i", "j"] {
        assert_eq!(scene.submit_sized("Flood", name, LARGE), "");
    }
    let started = scene.submit("Quick", "r");
    assert!(started.starts_with("start 1"), "{started}");
    assert_eq!(scene.ask(1), "1 gets r");
    assert_eq!(scene.ask(2), "", "the large ones wait for process 0");
}

#[test]
fn a_function_that_may_have_no_process_is_throttled() {
    let mut scene = Scene::new(0);
    let throttled = "a fails: TooManyRequestsException: Rate Exceeded.";
    assert_eq!(scene.submit("Tom", "a"), throttled);
    assert_eq!(scene.pool.counts().throttles, 1);
}

#[test]
fn a_job_whose_process_has_closed_its_connection_goes_to_another_or_waits() {
    let mut scene = Scene::new(2);
    scene.submit("Tom", "a");
    scene.submit("Ann", "b");
    scene.serve(0, "a", Duration::ZERO);
    scene.serve(1, "b", Duration::ZERO);
    assert_eq!((scene.ask(0), scene.ask(1)), (String::new(), String::new()));
    assert_eq!(scene.submit("Tom", "c"), "1 gets c");
    for expected in ["0 gets c", ""] {
        let (process, job) = scene.delivered.pop_first().unwrap();
        let actions = scene.pool.undelivered(process, job, scene.now);
        assert_eq!(scene.words(actions), expected);
    }
    assert_eq!(scene.ask(1), "1 gets c");
}

#[test]
fn waiting_jobs_fail_after_three_failed_starts() {
    let mut scene = Scene::new(1);
    assert_eq!(scene.submit("Tom", "a"), "start 0");
    assert_eq!(scene.exit(0, "no such file"), "rest 100ms");
    assert_eq!(scene.submit("Tom", "b"), "", "while it rests");
    let actions = scene.pool.rested(scene.now);
    assert_eq!(scene.words(actions), "start 1");
    assert_eq!(scene.exit(1, "no such file"), "rest 200ms");
    let actions = scene.pool.rested(scene.now);
    assert_eq!(scene.words(actions), "start 2");
    assert!(
        scene
            .pool
            .failed_to_start(2, Failure::new("Init", "no table"))
    );
    assert!(
        !scene
            .pool
            .failed_to_start(2, Failure::new("Init", "once more"))
    );
    assert_eq!(
        scene.exit(2, "exit status 1"),
        "a fails: Init: no table, b fails: Init: no table"
    );
    assert_eq!(scene.submit("Tom", "c"), "start 3");
}
