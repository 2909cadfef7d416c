//! Tests of how processes and pools end.

use super::*;

#[test]
fn a_process_that_ends_at_work_fails_its_job_and_makes_room_for_another() {
    let mut scene = Scene::new(1);
    scene.submit("Tom", "a");
    scene.submit("Tom", "b");
    scene.ask(0);
    scene.begin(0);
    assert_eq!(
        scene.exit(0, "exit status 7"),
        "a fails: Runtime.ExitError: exit status 7, start 1"
    );
    assert_eq!(scene.ask(1), "1 gets b");
}

#[test]
fn a_job_beyond_its_timeout_ends_its_process_and_no_response_counts_afterwards() {
    let mut scene = Scene::new(1);
    scene.submit("Tom", "a");
    scene.ask(0);
    scene.begin(0);
    scene.wait(TIMEOUT - Duration::from_millis(1));
    assert_eq!(scene.tick(0), "");
    scene.wait(Duration::from_millis(1));
    assert_eq!(scene.tick(0), "kill 0");
    assert_eq!(scene.respond(0, "a"), "not its event");
    assert_eq!(
        (scene.ask(0), scene.tick(0)),
        (String::new(), String::new())
    );
    assert_eq!(
        scene.exit(0, "stopped"),
        "a fails: Sandbox.Timedout: a Task timed out after 3.00 seconds"
    );
}

#[test]
fn a_process_without_a_request_in_time_has_failed_to_start() {
    let mut scene = Scene::new(1);
    scene.submit("Tom", "a");
    scene.wait(INIT_TIMEOUT);
    assert_eq!(scene.tick(0), "kill 0");
    assert_eq!(scene.exit(0, "init timed out"), "rest 100ms");
}

#[test]
fn a_long_idle_process_is_ended_unless_a_job_is_on_its_way() {
    let mut scene = Scene::new(2);
    scene.submit("Tom", "a");
    scene.submit("Ann", "b");
    scene.serve(0, "a", Duration::ZERO);
    scene.serve(1, "b", Duration::ZERO);
    assert_eq!((scene.ask(0), scene.ask(1)), (String::new(), String::new()));
    scene.wait(PROCESS_IDLE);
    assert_eq!(scene.submit("Tom", "c"), "1 gets c");
    assert_eq!(
        (scene.tick(0), scene.tick(1)),
        ("stop 0".to_owned(), String::new())
    );
    assert_eq!(scene.submit("Ann", "d"), "", "0 gets nothing more");
}

#[test]
fn a_retired_pool_finishes_running_jobs_and_returns_the_others() {
    let mut scene = Scene::new(2);
    scene.submit("Tom", "a");
    scene.submit("Ann", "b");
    scene.submit("Tom", "c");
    scene.serve(1, "a", Duration::ZERO);
    assert_eq!(scene.ask(1), "1 gets b");
    scene.begin(1);
    assert_eq!(scene.retire(Ending::Finished), "c is given back, stop 0");
    assert_eq!(scene.submit("Tom", "d"), "refused");
    assert_eq!(scene.respond(1, "b"), "b is answered, stop 1");
    assert_eq!(
        (scene.exit(0, "stopped"), scene.exit(1, "stopped")),
        (String::new(), String::new())
    );
    assert_eq!(scene.pool.alive(), 0);
}

#[test]
fn a_pool_that_ends_now_waits_for_no_response() {
    let mut scene = Scene::new(1);
    scene.submit("Tom", "a");
    scene.ask(0);
    scene.begin(0);
    assert_eq!(scene.retire(Ending::Finished), "");
    assert_eq!(scene.retire(Ending::Now), "stop 0");
    assert_eq!(scene.retire(Ending::Now), "", "once");
    assert_eq!(
        scene.exit(0, "the process was stopped"),
        "a fails: Runtime.ExitError: the process was stopped"
    );
}

#[test]
fn a_process_that_requests_an_event_of_a_retired_pool_is_ended() {
    let mut scene = Scene::new(1);
    scene.submit("Tom", "a");
    scene.ask(0);
    // On its way when the pool retires.
    assert_eq!(scene.retire(Ending::Finished), "");
    scene.begin(0);
    assert_eq!(scene.respond(0, "a"), "a is answered, stop 0");
    let mut scene = Scene::new(1);
    scene.submit("Tom", "a");
    scene.ask(0);
    assert_eq!(scene.retire(Ending::Finished), "");
    // Its connection broke, and the job with it.
    assert_eq!(scene.ask(0), "stop 0");
}
