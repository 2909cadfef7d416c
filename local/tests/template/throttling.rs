//! A stage's limits.

use expect_test::{Expect, expect};

use crate::{check_resource_error, stack, with_api};

/// A stage with `settings`, and two routes.
fn stage(settings: &str) -> String {
    let route = |id: &str, key: &str| {
        format!(
            "  {id}:\n    Type: AWS::ApiGatewayV2::Route\n    Properties: {{ ApiId: !Ref Api, RouteKey: {key} }}\n"
        )
    };
    format!(
        "{}{}  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {{ ApiId: !Ref Api, StageName: v1, AutoDeploy: true, {settings} }}
",
        route("Default", "$default"),
        route("Join", "join")
    )
}

/// One line for each route with its own limit.
fn check(settings: &str, expected: Expect) {
    let stack = stack(&with_api(&stage(settings)));
    let throttles = stack.api.stages["v1"].throttles.iter();
    let line = |(key, throttle): (&String, &chatctl_local::unstable::stack::Throttle)| {
        format!(
            "{key}: {} a second, {} at once\n",
            throttle.rate, throttle.burst
        )
    };
    expected.assert_eq(&throttles.map(line).collect::<String>());
}

#[test]
fn without_settings_a_route_has_no_own_limit() {
    check("", expect![""]);
    check(
        "DefaultRouteSettings: { DetailedMetricsEnabled: true }",
        expect![""],
    );
}

#[test]
fn the_default_settings_hold_for_every_route_and_a_route_s_own_override_them() {
    check(
        "DefaultRouteSettings: { ThrottlingBurstLimit: 50, ThrottlingRateLimit: 100.5 }",
        expect![[r#"
            $default: 100.5 a second, 50 at once
            join: 100.5 a second, 50 at once
        "#]],
    );
    check(
        "DefaultRouteSettings: { ThrottlingBurstLimit: 50, ThrottlingRateLimit: 100 }, RouteSettings: { join: { ThrottlingRateLimit: 0 } }",
        expect![[r#"
            $default: 100 a second, 50 at once
            join: 0 a second, 50 at once
        "#]],
    );
}

#[test]
fn a_limit_that_is_not_set_is_the_account_s() {
    check(
        "RouteSettings: { join: { ThrottlingBurstLimit: '7' } }",
        expect![[r#"
            join: 10000 a second, 7 at once
        "#]],
    );
}

#[test]
fn settings_of_an_unknown_route_and_invalid_limits_are_refused() {
    for (settings, expected) in [
        (
            "RouteSettings: { leave: {} }",
            expect![
                "the template cannot be used: line 13: Resources.Stage.Properties.RouteSettings: there is no route with the key `leave`"
            ],
        ),
        (
            "RouteSettings: { join: { ThrottlingRateLimit: fast } }",
            expect![[
                r#"the template cannot be used: line 13: Resources.Stage.Properties.RouteSettings: ThrottlingRateLimit must be a number, zero or more, but is "fast""#
            ]],
        ),
        (
            "RouteSettings: { join: { ThrottlingBurstLimit: -1 } }",
            expect![
                "the template cannot be used: line 13: Resources.Stage.Properties.RouteSettings: ThrottlingBurstLimit must be a number, zero or more, but is -1"
            ],
        ),
    ] {
        check_resource_error(&stage(settings), expected);
    }
}
