use super::*;
use expect_test::expect;

const AT: u64 = 1_795_986_000;

fn function(calls: u64, errors: u64, micros: Option<(u64, u64)>) -> FunctionVitals {
    FunctionVitals {
        invocations: calls,
        errors,
        throttles: 0,
        p50: micros.map(|(p50, _)| Duration::from_micros(p50)),
        p99: micros.map(|(_, p99)| Duration::from_micros(p99)),
    }
}

fn here() -> Vitals {
    let functions = [
        ("ConnectFunction", function(1, 0, Some((1_200, 4_300)))),
        ("BroadcastFunction", function(29, 2, Some((900, 231_000)))),
        (
            "HandlerRollTheDiceForEverybodyInTheRoomFunction",
            function(0, 0, None),
        ),
    ];
    Vitals {
        period: Duration::from_secs(2),
        until: AT,
        connections: Some(12),
        handshakes: 1,
        messages: 1_000,
        received: Some(29),
        sent: Some(971),
        client_errors: 3,
        throttled: Some(2),
        integration_errors: 0,
        execution_errors: 1,
        table_throttles: None,
        functions: functions.map(|(id, it)| (id.to_owned(), it)).into(),
    }
}

fn there() -> Vitals {
    Vitals {
        period: Duration::from_secs(60),
        connections: None,
        received: None,
        sent: None,
        throttled: None,
        table_throttles: Some(4),
        ..here()
    }
}

#[test]
fn a_screen_of_this_machine_has_rates_of_the_interval_and_counts_since_the_beginning() {
    let head = Head::Local {
        stack: "chat",
        pid: 12,
        running: 3_720,
        pause: Duration::from_secs(2),
    };
    let mut since = Since::new(AT - 4);
    since.add(&here());
    since.add(&here());
    let screen = lines(&head, Some(&here()), &since);
    expect![[r#"
        stack        chat (local, process 12, running for 1 h 2 min); every 2 s
        connections  12 open, 0.5 handshakes/s
        messages     14.5/s received, 486/s sent
        errors       6 of clients (4 throttled), 0 of integrations, 2 executing

        FUNCTION                          CALLS/S   ERRORS  THROTTLES   P50 MS   P99 MS
        BroadcastFunction                    14.5        4          0      0.9      231
        ConnectFunction                       0.5        0          0      1.2      4.3
        HandlerRollTheDiceForEverybodyI…      0.0        0          0        –        –

        Errors and throttles since 20:59:56Z; Ctrl-C ends it"#]]
    .assert_eq(&screen.join("\n"));
    assert!(screen.iter().all(|line| line.chars().count() < 80));
}

#[test]
fn a_screen_of_aws_says_which_minute_it_shows_and_what_it_costs() {
    let head = Head::Aws {
        stack: "chat",
        region: "eu-west-1",
        pause: Duration::from_secs(60),
        asked: 22,
        price: 0.000_22,
    };
    let screen = lines(&head, Some(&there()), &Since::new(AT - 60));
    expect![[r#"
        stack        chat (eu-west-1); every 60 s
        cost         22 metrics a look, $0.00022 at most, $0.32 a day
        metrics      of 20:59:00Z to 21:00:00Z, the latest that CloudWatch has
        connections  0.0 handshakes/s; `chatctl connections` counts the open ones
        messages     16.7/s, received and sent together
        errors       3 of clients, 0 of integrations, 1 executing
        table        4 throttled reads and writes

        FUNCTION                          CALLS/S   ERRORS  THROTTLES   P50 MS   P99 MS
        BroadcastFunction                     0.5        2          0      0.9      231
        ConnectFunction                       0.0        0          0      1.2      4.3
        HandlerRollTheDiceForEverybodyI…      0.0        0          0        –        –

        Errors and throttles in that minute; Ctrl-C ends it"#]]
    .assert_eq(&screen.join("\n"));
    let none = lines(&head, None, &Since::new(0));
    expect![[r#"
        stack        chat (eu-west-1); every 60 s
        cost         22 metrics a look, $0.00022 at most, $0.32 a day
        metrics      CloudWatch has none of the last 10 minutes: nothing was sent, or
                     they have not arrived, which takes some minutes
        Ctrl-C ends it"#]]
    .assert_eq(&none.join("\n"));
    assert!(
        screen
            .iter()
            .chain(&none)
            .all(|line| line.chars().count() < 80)
    );
}

#[test]
fn without_a_terminal_a_look_is_a_line() {
    let all = [line(Some(&here())), line(Some(&there())), line(None)];
    expect![[r#"
        2026-11-29T21:00:00Z connections 12, handshakes 0.5/s, received 14.5/s, sent 486/s, gateway errors 4, function errors 2, throttles 2, slowest BroadcastFunction p50 0.9 ms p99 231 ms
        2026-11-29T21:00:00Z handshakes 0.0/s, messages 16.7/s, gateway errors 4, function errors 2, throttles 4, slowest BroadcastFunction p50 0.9 ms p99 231 ms
        CloudWatch has no metrics of the last 10 minutes"#]].assert_eq(&all.join("\n"));
}

#[test]
fn for_scripts_a_look_is_an_object_in_which_unknown_numbers_are_null() {
    let all = [json(Some(&here())), json(Some(&there())), json(None)];
    let all = all.map(|value| value.to_string());
    expect![[r#"
        {"at":"2026-11-29T21:00:00Z","seconds":2.0,"connections":12,"handshakes":1,"messages":1000,"received":29,"sent":971,"clientErrors":3,"throttled":2,"integrationErrors":0,"executionErrors":1,"tableThrottles":null,"functions":{"BroadcastFunction":{"invocations":29,"errors":2,"throttles":0,"p50Milliseconds":0.9,"p99Milliseconds":231.0},"ConnectFunction":{"invocations":1,"errors":0,"throttles":0,"p50Milliseconds":1.2,"p99Milliseconds":4.3},"HandlerRollTheDiceForEverybodyInTheRoomFunction":{"invocations":0,"errors":0,"throttles":0,"p50Milliseconds":null,"p99Milliseconds":null}}}
        {"at":"2026-11-29T21:00:00Z","seconds":60.0,"connections":null,"handshakes":1,"messages":1000,"received":null,"sent":null,"clientErrors":3,"throttled":null,"integrationErrors":0,"executionErrors":1,"tableThrottles":4,"functions":{"BroadcastFunction":{"invocations":29,"errors":2,"throttles":0,"p50Milliseconds":0.9,"p99Milliseconds":231.0},"ConnectFunction":{"invocations":1,"errors":0,"throttles":0,"p50Milliseconds":1.2,"p99Milliseconds":4.3},"HandlerRollTheDiceForEverybodyInTheRoomFunction":{"invocations":0,"errors":0,"throttles":0,"p50Milliseconds":null,"p99Milliseconds":null}}}
        {"at":null}"#]].assert_eq(&all.join("\n"));
}
