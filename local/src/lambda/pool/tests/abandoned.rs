//! Tests of jobs whose callers have gone.

use super::*;

#[test]
fn an_abandoned_job_is_not_run() {
    let mut scene = Scene::new(1);
    scene.submit("Tom", "a");
    scene.submit("Tom", "b");
    scene.submit("Tom", "c");
    scene.abandoned.insert("a");
    assert_eq!(scene.ask(0), "0 gets b");
    scene.begin(0);
    scene.abandoned.insert("c");
    assert_eq!(scene.pool.counts().in_flight, 2);
    scene.wait(TIDY_AFTER);
    scene.submit("Tom", "d");
    assert_eq!(scene.pool.counts().in_flight, 2, "c gives its room to d");
}

#[test]
fn a_process_that_requests_an_event_is_idle_if_only_abandoned_jobs_wait() {
    let mut scene = Scene::new(1);
    scene.submit("Tom", "a");
    scene.submit("Ann", "b");
    scene.abandoned.extend(["a", "b"]);
    assert_eq!(scene.ask(0), "");
    let counts = scene.pool.counts();
    assert_eq!((counts.invocations, counts.in_flight), (0, 0));
    assert_eq!(scene.submit("Tom", "c"), "0 gets c");
}

#[test]
fn the_idle_process_of_an_abandoned_job_stays_the_most_recently_used() {
    let mut scene = Scene::new(2);
    scene.submit("Tom", "a");
    scene.submit("Ann", "b");
    scene.serve(0, "a", Duration::ZERO);
    scene.serve(1, "b", Duration::ZERO);
    assert_eq!((scene.ask(1), scene.ask(0)), (String::new(), String::new()));
    scene.abandoned.insert("c");
    assert_eq!(scene.submit("Tom", "c"), "");
    assert_eq!(scene.submit("Tom", "d"), "0 gets d");
    assert_eq!(scene.submit("Tom", "e"), "1 gets e");
}

#[test]
fn an_abandoned_job_does_not_prolong_the_life_of_an_idle_process() {
    let mut scene = Scene::new(1);
    scene.submit("Tom", "a");
    scene.serve(0, "a", Duration::ZERO);
    assert_eq!(scene.ask(0), "");
    scene.wait(PROCESS_IDLE / 2);
    scene.abandoned.insert("b");
    assert_eq!(scene.submit("Tom", "b"), "");
    scene.wait(PROCESS_IDLE / 2);
    assert_eq!(scene.tick(0), "stop 0");
}

#[test]
fn an_abandoned_job_takes_no_process_from_jobs_whose_duration_is_unknown() {
    let mut scene = Scene::new(1);
    scene.submit("Quick", "q");
    scene.serve(0, "q", Duration::from_millis(1));
    assert_eq!(scene.ask(0), "");
    scene.abandoned.insert("s");
    assert_eq!(scene.submit("Slow", "s"), "");
    assert_eq!(scene.submit("Slow", "t"), "0 gets t");
}

#[test]
fn an_abandoned_job_causes_no_start_while_all_processes_work() {
    for is_abandoned in [false, true] {
        let mut scene = Scene::new(3);
        assert_eq!(scene.submit("Tom", "a"), "start 0");
        assert_eq!(scene.ask(0), "0 gets a");
        scene.begin(0);
        assert_eq!(scene.submit("Tom", "b"), "start 1");
        if is_abandoned {
            scene.abandoned.insert("b");
        }
        scene.wait(TIDY_AFTER);
        let expected = if is_abandoned { "" } else { "start 2" };
        assert_eq!(scene.submit("Tom", "c"), expected);
        let next = if is_abandoned { "1 gets c" } else { "1 gets b" };
        assert_eq!(scene.ask(1), next);
    }
}

#[test]
fn waiting_jobs_are_looked_through_once_a_second() {
    let mut scene = Scene::new(1);
    scene.submit("Tom", "a");
    scene.submit("Tom", "b");
    scene.abandoned.insert("b");
    scene.wait(TIDY_AFTER - Duration::from_millis(1));
    scene.submit("Tom", "c");
    assert_eq!(scene.pool.counts().in_flight, 3);
    scene.wait(Duration::from_millis(1));
    scene.submit("Tom", "d");
    assert_eq!(scene.pool.counts().in_flight, 3);
}

#[test]
fn a_process_that_ends_or_that_the_pool_ends_gets_no_job_in_place_of_an_abandoned_one() {
    let mut scene = Scene::new(2);
    scene.submit("Tom", "a");
    scene.submit("Tom", "b");
    assert_eq!(
        (scene.ask(0), scene.ask(1)),
        ("0 gets a".to_owned(), "1 gets b".to_owned())
    );
    scene.submit("Tom", "c");
    assert_eq!(scene.exit(0, "exit status 1"), "start 2");
    let actions = scene.pool.unwanted(0);
    assert_eq!(scene.words(actions), "");
    assert_eq!(scene.retire(Ending::Finished), "c is given back, stop 2");
    let actions = scene.pool.unwanted(1);
    assert_eq!(scene.words(actions), "stop 1");
    let actions = scene.pool.unwanted(1);
    assert_eq!(scene.words(actions), "", "once");
}
