//! What `[alarms]` makes of a template.

use super::*;
use expect_test::expect;

/// One line for each alarm: its id, the metric, on what, when.
fn alarms(toml: &str) -> String {
    let document = for_aws(toml);
    let resources = document["Resources"].as_object().unwrap().iter();
    let of_type = resources.filter(|(_, it)| it["Type"] == "AWS::CloudWatch::Alarm");
    of_type
        .map(|(id, alarm)| {
            let it = &alarm["Properties"];
            let metric = format!("{} {}", it["Namespace"], it["MetricName"]).replace('"', "");
            let on = it["Dimensions"].as_array().into_iter().flatten();
            let on: Vec<_> = on.filter_map(|it| it["Value"]["Ref"].as_str()).collect();
            let period = &it["Period"];
            format!(
                "{id}: {metric} of {} >= {} in {period} s\n",
                on.join(" "),
                it["Threshold"]
            )
        })
        .collect()
}

#[test]
fn every_function_the_api_and_the_table_are_watched_with_the_default_thresholds() {
    expect![[r#"
        AuthorizeErrorsAlarm: AWS/Lambda Errors of AuthorizeFunction >= 1 in 300 s
        AuthorizeThrottlesAlarm: AWS/Lambda Throttles of AuthorizeFunction >= 1 in 300 s
        ConnectErrorsAlarm: AWS/Lambda Errors of ConnectFunction >= 1 in 300 s
        ConnectThrottlesAlarm: AWS/Lambda Throttles of ConnectFunction >= 1 in 300 s
        DisconnectErrorsAlarm: AWS/Lambda Errors of DisconnectFunction >= 1 in 300 s
        DisconnectThrottlesAlarm: AWS/Lambda Throttles of DisconnectFunction >= 1 in 300 s
        BroadcastErrorsAlarm: AWS/Lambda Errors of BroadcastFunction >= 1 in 300 s
        BroadcastThrottlesAlarm: AWS/Lambda Throttles of BroadcastFunction >= 1 in 300 s
        DeliverErrorsAlarm: AWS/Lambda Errors of DeliverFunction >= 1 in 300 s
        DeliverThrottlesAlarm: AWS/Lambda Throttles of DeliverFunction >= 1 in 300 s
        DeliverDroppedEventsAlarm: AWS/Lambda AsyncEventsDropped of DeliverFunction >= 1 in 300 s
        ClientErrorsAlarm: AWS/ApiGateway ClientError of Api StageName >= 500 in 300 s
        ExecutionErrorsAlarm: AWS/ApiGateway ExecutionError of Api StageName >= 5 in 300 s
        IntegrationErrorsAlarm: AWS/ApiGateway IntegrationError of Api StageName >= 5 in 300 s
        ConnectionsAlarm: AWS/ApiGateway ConnectCount of Api StageName >= 24000 in 60 s
        ConnectionsReadThrottlesAlarm: AWS/DynamoDB ReadThrottleEvents of Connections >= 10 in 300 s
        ConnectionsWriteThrottlesAlarm: AWS/DynamoDB WriteThrottleEvents of Connections >= 10 in 300 s
    "#]]
    .assert_eq(&alarms(&format!("{ROOM}{ALARMS}")));
}

/// A chat with functions of the user's in every place that takes one.
const OF_THE_USER: &str = "[auth]\nhandler = \"door\"\n[[routes]]\nkey = \"$default\"\nenvelope = true\nreceivers = \"room\"\n\
                           text = \"text\"\nreview = \"crates/filter\"\n[[routes]]\nkey = \"say\"\nenvelope = true\n\
                           text = \"text\"\nreview = \"other\"\n[[routes]]\nkey = \"roll\"\nhandler = \"roll\"\n";

#[test]
fn every_function_of_a_stack_is_watched_by_alarms_and_on_the_dashboard_the_user_s_too() {
    for toml in [
        "",
        FULL,
        ROOM,
        ALONE,
        REQUESTS,
        REVIEWED,
        ANNOUNCE,
        OF_THE_USER,
    ] {
        let document = for_aws(&format!("{toml}{ALARMS}"));
        let lines = alarms(&format!("{toml}{ALARMS}"));
        let resources = document["Resources"].as_object().unwrap();
        let body = &document["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"];
        let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
        let shown = |metric: &str, on: &str| {
            let widgets = body["widgets"].as_array().unwrap().iter();
            let metrics = widgets.flat_map(|it| it["properties"]["metrics"].as_array());
            let found = metrics
                .flatten()
                .filter(|it| it[1] == metric && it[3] == on);
            found.count()
        };
        let of = |kind: &'static str| resources.iter().filter(move |(_, it)| it["Type"] == kind);
        for (id, _) in of("AWS::Lambda::Function") {
            for metric in ["Errors", "Throttles"] {
                let line = format!("AWS/Lambda {metric} of {id} >= 1 in 300 s");
                assert_eq!(lines.matches(&line).count(), 1, "{id}: {lines}");
            }
            for metric in ["Invocations", "Errors", "Throttles", "Duration"] {
                assert_eq!(shown(metric, &format!("${{{id}}}")), 1, "{metric} of {id}");
            }
        }
        for (_, it) in of("AWS::Lambda::EventInvokeConfig") {
            let id = it["Properties"]["FunctionName"]["Ref"].as_str().unwrap();
            assert!(
                lines.contains(&format!("AsyncEventsDropped of {id} ")),
                "{id}: {lines}"
            );
        }
        for (_, alarm) in of("AWS::CloudWatch::Alarm") {
            let properties = &alarm["Properties"];
            assert_eq!(properties["Statistic"], "Sum");
            let names = properties["Dimensions"].as_array().unwrap().iter();
            let names: Vec<_> = names.filter_map(|it| it["Name"].as_str()).collect();
            let expected: &[&str] = match properties["Namespace"].as_str().unwrap() {
                "AWS/Lambda" => &["FunctionName"],
                "AWS/ApiGateway" => &["ApiId", "Stage"],
                "AWS/DynamoDB" => &["TableName"],
                other => panic!("{other}"),
            };
            assert_eq!(names, expected);
        }
    }
    let functions = for_aws(OF_THE_USER);
    let of_the_user = ["AuthorizeFunction", "HandlerRollFunction"];
    for id in of_the_user {
        assert!(functions["Resources"][id].is_object(), "{id}");
    }
    let all = functions["Resources"].as_object().unwrap().keys();
    assert_eq!(
        all.filter(|id| id.starts_with("Review") && id.ends_with("Function"))
            .count(),
        2
    );
}

#[test]
fn a_list_of_a_dashboard_has_a_hundred_alarms_at_most_and_none_is_left_out() {
    let routes: String = (0..60)
        .map(|at| format!("[[routes]]\nkey = \"r{at}\"\nhandler = \"r{at}\"\n"))
        .collect();
    let document = for_aws(&format!("{routes}{ALARMS}"));
    let body = &document["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"];
    let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    let lists: Vec<_> = widgets
        .iter()
        .filter_map(|it| it["properties"]["alarms"].as_array())
        .collect();
    assert!(lists.len() > 1 && lists.iter().all(|list| (1..=100).contains(&list.len())));
    let listed = lists.into_iter().flatten().filter_map(Value::as_str);
    let listed: std::collections::BTreeSet<_> = listed.collect();
    let resources = document["Resources"].as_object().unwrap().values();
    let alarms = resources.filter(|it| it["Type"] == "AWS::CloudWatch::Alarm");
    assert_eq!(listed.len(), alarms.count());
    let mut places: Vec<_> = widgets
        .iter()
        .map(|it| (it["x"].clone(), it["y"].clone()))
        .collect();
    places.dedup();
    assert_eq!(places.len(), widgets.len(), "two stand at one place");
}

#[test]
fn a_threshold_is_set_and_false_removes_its_alarm() {
    let all = "function-errors = false\nfunction-throttles = false\nclient-errors = 7\nexecution-errors = false\n\
               integration-errors = false\ndropped-events = false\ntable-throttles = false\nconnections-per-minute = 60\n";
    expect![[r#"
        ClientErrorsAlarm: AWS/ApiGateway ClientError of Api StageName >= 7 in 300 s
        ConnectionsAlarm: AWS/ApiGateway ConnectCount of Api StageName >= 60 in 60 s
    "#]]
    .assert_eq(&alarms(&format!("{ROOM}{ALARMS}{all}")));
}

#[test]
fn a_backend_s_chat_is_watched_at_the_api_alone() {
    let watched = alarms(&format!("{BACKEND}{ALARMS}"));
    assert_eq!(watched.lines().count(), 4, "{watched}");
}

#[test]
fn alarms_go_to_a_topic_for_the_address_or_to_the_user_s_own() {
    let by_mail = for_aws(ALARMS);
    let topic = &by_mail["Resources"]["AlarmTopic"]["Properties"];
    assert_eq!(
        topic["Subscription"],
        json!([{ "Protocol": "email", "Endpoint": "ops@example.com" }])
    );
    assert!(topic.get("KmsMasterKeyId").is_none());
    let encrypted = for_aws(&format!("{ALARMS}{KEY}"));
    let key = &encrypted["Resources"]["AlarmTopic"]["Properties"]["KmsMasterKeyId"];
    assert_eq!(key, "arn:aws:kms:eu-west-1:123456789012:key/1234");
    let arn = "arn:aws:sns:eu-west-1:123456789012:ops";
    let own = for_aws(&format!("[alarms]\ntopic = \"{arn}\"\n"));
    assert!(own["Resources"].get("AlarmTopic").is_none());
    let alarm = &own["Resources"]["ConnectErrorsAlarm"]["Properties"];
    assert_eq!(
        (&alarm["AlarmActions"], &alarm["OKActions"]),
        (&json!([arn]), &json!([arn]))
    );
}

#[test]
fn failed_events_are_kept_only_where_asked_for_and_their_function_gains_one_permission() {
    let keep = format!("{ALARMS}keep-failed-events = true\n");
    let without = Template::new(for_aws(&format!("{ROOM}{ALARMS}")));
    assert!(
        without.document()["Resources"]
            .get("FailedEvents")
            .is_none()
    );
    let with = Template::new(for_aws(&format!("{ROOM}{keep}")));
    let permissions: Vec<_> = gained(Some(&without), &with)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        permissions,
        ["DeliverRole may sqs:SendMessage on FailedEvents.Arn"]
    );
    let config = &with.document()["Resources"]["DeliverInvokeConfig"];
    assert_eq!(config["DependsOn"], json!(["DeliverFailedEventsPolicy"]));
    let queue = json!({ "Fn::GetAtt": ["FailedEvents", "Arn"] });
    assert_eq!(
        config["Properties"]["DestinationConfig"]["OnFailure"]["Destination"],
        queue
    );
    assert_eq!(config["Properties"]["MaximumRetryAttempts"], 0);
    let key = Template::new(for_aws(&format!("{ROOM}{keep}{KEY}")));
    let permissions = gained(
        Some(&Template::new(for_aws(&format!("{ROOM}{ALARMS}{KEY}")))),
        &key,
    );
    assert_eq!(permissions.len(), 3, "{permissions:?}");
    let queue = &key.document()["Resources"]["FailedEvents"]["Properties"];
    assert_eq!(queue["SqsManagedSseEnabled"], false);
    // A chat without asynchronous events has nothing to keep.
    assert!(for_aws(&keep)["Resources"].get("FailedEvents").is_none());
}

#[test]
fn a_dashboard_shows_what_is_there_and_can_be_left_out() {
    let body = |toml: &str| {
        let document = for_aws(&format!("{toml}{ALARMS}"));
        let body =
            document["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].clone();
        let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
        let widgets = body["widgets"].as_array().unwrap().clone();
        widgets
            .iter()
            .map(|it| it["properties"]["title"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(body("").len(), 9);
    let backend = body(BACKEND);
    assert_eq!(
        backend,
        [
            "Alarms",
            "Handshakes and messages",
            "Errors of the API",
            "Latency of integrations, p99"
        ]
    );
    let without = for_aws(&format!("{ALARMS}dashboard = false\n"));
    assert!(without["Resources"].get("Dashboard").is_none());
    assert!(without["Outputs"].get("DashboardName").is_none());
}
