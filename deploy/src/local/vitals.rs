//! What a local stack has done between two looks at it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{FunctionStatus, LocalStatus, LocalTraffic};
use crate::engine::vitals::{FunctionVitals, Vitals};

/// What a stack has done in the `period` between two looks, of which the later one was at `until` (seconds since the Unix
/// epoch).
///
/// A process that was started in between, and a function that was changed, count from zero.
pub fn vitals(before: &LocalStatus, after: &LocalStatus, period: Duration, until: u64) -> Vitals {
    let is_same = (before.pid, before.started_at) == (after.pid, after.started_at);
    let first = LocalTraffic::default();
    let was = match is_same {
        true => before.traffic,
        false => first,
    };
    let is = after.traffic;
    let received = is.received.saturating_sub(was.received);
    let sent = is.sent.saturating_sub(was.sent);
    let functions = after.functions.iter().map(|(id, is)| {
        let was = before
            .functions
            .get(id)
            .filter(|_| is_same)
            .filter(|was| was.invocations <= is.invocations);
        (id.clone(), function(was, is))
    });
    Vitals {
        period,
        until,
        connections: Some(after.connections),
        handshakes: is.handshakes.saturating_sub(was.handshakes),
        messages: received + sent,
        received: Some(received),
        sent: Some(sent),
        client_errors: is.client_errors.saturating_sub(was.client_errors),
        throttled: Some(is.throttled.saturating_sub(was.throttled)),
        integration_errors: is.integration_errors.saturating_sub(was.integration_errors),
        execution_errors: is.execution_errors.saturating_sub(was.execution_errors),
        // The local table has no limits.
        table_throttles: None,
        functions: functions.collect(),
    }
}

fn function(was: Option<&FunctionStatus>, is: &FunctionStatus) -> FunctionVitals {
    let first = FunctionStatus::default();
    let was = was.unwrap_or(&first);
    let earlier: BTreeMap<_, _> = was.durations.iter().copied().collect();
    let durations = is.durations.iter().map(|(longest, count)| {
        let earlier = earlier.get(longest).copied().unwrap_or(0);
        (*longest, count.saturating_sub(earlier))
    });
    let durations: Vec<_> = durations.collect();
    FunctionVitals {
        invocations: is.invocations - was.invocations,
        errors: is.errors.saturating_sub(was.errors),
        throttles: is.throttles.saturating_sub(was.throttles),
        p50: percentile(&durations, 50),
        p99: percentile(&durations, 99),
    }
}

/// The longest duration of the first range up to which so many percent of all are counted.
fn percentile(durations: &[(u64, u64)], percent: u64) -> Option<Duration> {
    let all: u64 = durations.iter().map(|(_, count)| count).sum();
    let wanted = (all * percent).div_ceil(100);
    let mut counted = 0;
    let mut upwards = durations.iter().filter(|(_, count)| *count > 0);
    let found = upwards.find(|(_, count)| {
        counted += count;
        counted >= wanted
    });
    found.map(|(longest, _)| Duration::from_micros(*longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(pid: u32, traffic: [u64; 2], function: FunctionStatus) -> LocalStatus {
        LocalStatus {
            endpoint: "ws://127.0.0.1:1/v1".into(),
            pid,
            started_at: 7,
            connections: 3,
            functions: [("DirectFunction".to_owned(), function)].into(),
            memory_bytes: None,
            tables_endpoint: "http://127.0.0.1:2".into(),
            traffic: LocalTraffic {
                received: traffic[0],
                sent: traffic[1],
                ..LocalTraffic::default()
            },
            warnings: Default::default(),
        }
    }

    fn function(invocations: u64, errors: u64, durations: &[(u64, u64)]) -> FunctionStatus {
        FunctionStatus {
            invocations,
            errors,
            durations: durations.to_vec(),
            ..FunctionStatus::default()
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_what_happened_between_the_looks_counts() {
        let before = status(1, [10, 20], function(4, 1, &[(100, 1), (900, 3)]));
        let durations = [(100, 1), (500, 98), (900, 4), (7_000, 1)];
        let after = status(1, [12, 25], function(104, 1, &durations));
        let seen = vitals(&before, &after, SECOND, 9);
        assert_eq!(
            (seen.received, seen.sent, seen.messages, seen.connections),
            (Some(2), Some(5), 7, Some(3))
        );
        let direct = &seen.functions["DirectFunction"];
        assert_eq!((direct.invocations, direct.errors), (100, 0));
        let micros = |of: Option<Duration>| of.map(|it| it.as_micros());
        assert_eq!(
            (micros(direct.p50), micros(direct.p99)),
            (Some(500), Some(900))
        );
        let idle = vitals(&after, &after, SECOND, 9);
        assert_eq!((idle.messages, idle.slowest()), (0, None));
    }

    #[test]
    fn a_new_process_and_a_changed_function_count_from_zero() {
        let before = status(1, [10, 20], function(4, 1, &[(100, 4)]));
        let other = status(2, [1, 2], function(5, 0, &[(100, 5)]));
        let seen = vitals(&before, &other, SECOND, 9);
        assert_eq!((seen.received, seen.sent), (Some(1), Some(2)));
        assert_eq!(seen.functions["DirectFunction"].invocations, 5);
        let changed = status(1, [11, 20], function(2, 1, &[(100, 2)]));
        let seen = vitals(&before, &changed, SECOND, 9);
        let direct = &seen.functions["DirectFunction"];
        assert_eq!((seen.received, direct.invocations), (Some(1), 2));
        assert_eq!(direct.errors, 1);
    }

    #[test]
    fn a_status_without_its_counts_is_not_taken_for_that_of_an_idle_process() {
        let idle = status(1, [0, 0], FunctionStatus::default());
        let whole = serde_json::to_value(&idle).unwrap();
        assert_eq!(
            serde_json::from_value::<LocalStatus>(whole.clone()).unwrap(),
            idle
        );
        let counts = ["traffic", "warnings", "tablesEndpoint"].map(|key| ("", key));
        let of_function = ["throttles", "durations"].map(|key| ("/functions/DirectFunction", key));
        for (pointer, key) in counts.into_iter().chain(of_function) {
            let mut without = whole.clone();
            let object = without
                .pointer_mut(pointer)
                .unwrap()
                .as_object_mut()
                .unwrap();
            object.remove(key).unwrap();
            let error = serde_json::from_value::<LocalStatus>(without).unwrap_err();
            assert_eq!(error.to_string(), format!("missing field `{key}`"));
        }
    }
}
