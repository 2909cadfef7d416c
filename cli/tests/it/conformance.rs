//! Statements `template.2` to `template.4` of the conformance checklist: what every rendered template is held to.

use chatctl_local::iam::matches_arn;
use chatctl_local::unstable::stack::{Identity, Stack};
use serde_json::Value;

use crate::project::Project;

/// Config files whose templates differ in their parts.
const CONFIGS: [&str; 6] = [
    "",
    "[[routes]]\nkey = \"send\"\n",
    "stage = \"beta\"\n[logs]\nretention-days = 365\n[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"send-message\"\n",
    "[[routes]]\nkey = \"onMessage\"\nreceivers = \"room\"\ntext = \"message\"\n",
    "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"all\"\nreceivers = \"room\"\n[[routes]]\nkey = \"send\"\nhttp = \"https://backend.example/send\"\n",
    "[[routes]]\nkey = \"$connect\"\nhttp = \"https://backend.example/connect\"\n[[routes]]\nkey = \"$disconnect\"\nhttp = \"https://backend.example/disconnect\"\n[[routes]]\nkey = \"send\"\nhttp = \"https://backend.example/send\"\n",
];

/// A rendered template, as it is and as a deployment would resolve it.
struct Rendering {
    document: Value,
    stack: Stack,
}

fn renderings() -> Vec<Rendering> {
    let rendering = |(config, region): (&str, &str)| {
        let words = ["render", "--format", "json", "--region", region];
        let rendered = Project::new(config).run(&words);
        assert_eq!(rendered.code, 0, "{}", rendered.stderr);
        let document: Value = serde_json::from_str(&rendered.stdout).unwrap();
        let identity = Identity {
            stack_name: "chat".to_owned(),
            region: "eu-central-1".to_owned(),
            account_id: "123456789012".to_owned(),
            seed: "seed".to_owned(),
        };
        // Whatever has no default gets something.
        let parameters = document["Parameters"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, parameter)| parameter.get("Default").is_none())
            .map(|(name, _)| (name.clone(), "given".to_owned()))
            .collect();
        let stack =
            chatctl_local::unstable::template::resolve(&rendered.stdout, &parameters, &identity);
        Rendering {
            document,
            stack: stack.unwrap_or_else(|error| panic!("{error}")),
        }
    };
    let regions = ["eu-central-1", "us-gov-west-1"];
    let both = CONFIGS
        .iter()
        .flat_map(|config| regions.map(|region| (*config, region)));
    both.map(rendering).collect()
}

impl Rendering {
    /// The properties of all resources of a type, by logical id.
    fn resources(&self, kind: &str) -> Vec<(&str, &Value)> {
        let resources = self.document["Resources"].as_object().unwrap();
        resources
            .iter()
            .filter(|(_, resource)| resource["Type"] == kind)
            .map(|(id, resource)| (id.as_str(), &resource["Properties"]))
            .collect()
    }

    /// `arn:aws:execute-api:…` of something of the API.
    fn api_arn(&self, rest: &str) -> String {
        let api = &self.stack.api.id;
        format!("arn:aws:execute-api:eu-central-1:123456789012:{api}/{rest}")
    }
}

/// The last name in a `Fn::Sub`.
fn substituted(value: &Value) -> Option<&str> {
    let text = value["Fn::Sub"].as_str()?;
    let (name, _) = text.rsplit_once("${")?.1.split_once('}')?;
    Some(name)
}

#[test]
fn template_2_the_stage_deploys_itself_and_there_is_no_deployment() {
    for rendering in renderings() {
        let stages = rendering.resources("AWS::ApiGatewayV2::Stage");
        assert_eq!(stages.len(), 1);
        assert_eq!(stages[0].1["AutoDeploy"], true);
        assert!(stages[0].1.get("DeploymentId").is_none());
        assert_eq!(rendering.resources("AWS::ApiGatewayV2::Deployment"), []);
    }
}

#[test]
fn template_3_every_function_has_a_permission_that_covers_all_its_routes() {
    let mut checked = 0;
    for rendering in renderings() {
        let stage = rendering.stack.api.stages.keys().next().unwrap();
        let check = |function: &str, source: &str| {
            let function = &rendering.stack.functions[function];
            let permits = rendering.stack.permissions.iter().any(|permission| {
                permission.function_arn == function.arn
                    && permission.principal == "apigateway.amazonaws.com"
                    && permission
                        .source_arn
                        .as_ref()
                        .is_some_and(|pattern| matches_arn(pattern, source))
            });
            assert!(permits, "{} may not be invoked for {source}", function.name);
        };
        let integrations = rendering.resources("AWS::ApiGatewayV2::Integration");
        for (id, route) in rendering.resources("AWS::ApiGatewayV2::Route") {
            let target =
                substituted(&route["Target"]).unwrap_or_else(|| panic!("{id} has no target"));
            let (_, integration) = integrations.iter().find(|(id, _)| *id == target).unwrap();
            if integration["IntegrationType"] != "AWS_PROXY" {
                continue;
            }
            let uri = &integration["IntegrationUri"];
            let function = uri["Fn::Sub"].as_str().unwrap();
            let (_, function) = function.split_once("functions/${").unwrap();
            let (function, _) = function.split_once(".Arn}").unwrap();
            let key = route["RouteKey"].as_str().unwrap();
            check(function, &rendering.api_arn(&format!("{stage}/{key}")));
            checked += 1;
        }
        for (id, authorizer) in &rendering.stack.api.authorizers {
            let functions = &rendering.stack.functions;
            let (function, _) = functions
                .iter()
                .find(|(_, function)| function.arn == authorizer.function_arn)
                .unwrap();
            check(function, &rendering.api_arn(&format!("authorizers/{id}")));
        }
    }
    assert!(checked > 0, "nothing was checked");
}

#[test]
fn template_4_a_rendering_logs_little_limits_much_and_grants_one_thing_at_a_time() {
    for rendering in renderings() {
        for (id, stage) in rendering.resources("AWS::ApiGatewayV2::Stage") {
            assert!(stage.get("AccessLogSettings").is_none(), "{id}");
        }
        for stage in rendering.stack.api.stages.values() {
            for key in rendering.stack.api.routes.keys() {
                let throttle = stage.throttles[key];
                assert_eq!((throttle.rate, throttle.burst), (500.0, 1_000));
            }
        }
        for table in rendering.stack.tables.values() {
            assert!(table.ttl_attribute.is_some(), "{}", table.logical_id);
        }
        for (id, policy) in rendering.resources("AWS::IAM::Policy") {
            for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
                check_statement(id, statement);
            }
        }
        for (id, role) in rendering.resources("AWS::IAM::Role") {
            assert!(role.get("ManagedPolicyArns").is_none(), "{id}");
            for policy in role["Policies"].as_array().into_iter().flatten() {
                for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
                    check_statement(id, statement);
                }
            }
        }
    }
}

/// Every action is a plain one, on exactly one thing of this stack.
fn check_statement(role: &str, statement: &Value) {
    assert_eq!(statement["Effect"], "Allow", "{role}");
    let actions = match &statement["Action"] {
        Value::Array(actions) => actions.clone(),
        one => vec![one.clone()],
    };
    let resource = &statement["Resource"];
    for action in actions {
        let action = action.as_str().unwrap();
        let (service, _) = action.split_once(':').unwrap();
        assert!(!action.contains('*'), "{role}: {action}");
        let own_arn = resource["Fn::GetAtt"][1] == "Arn";
        let is_narrow = match service {
            "dynamodb" | "logs" | "lambda" => own_arn,
            "execute-api" => {
                action == "execute-api:ManageConnections"
                    && resource["Fn::Sub"].as_str().is_some_and(|arn| {
                        arn.ends_with(":${Api}/${StageName}/POST/@connections/*")
                    })
            }
            _ => false,
        };
        assert!(is_narrow, "{role}: {action} on {resource}");
    }
}
