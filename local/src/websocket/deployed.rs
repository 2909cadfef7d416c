//! A stack in the gateway's form: every route of every stage resolved, with the permission to invoke it. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::routing;
use super::throttle::RouteLimit;
use crate::iam::matches_arn;
use crate::integrations::selection::Selection;
use crate::integrations::{LiveIntegration, Target, Validator, validation, variables};
use crate::stack::{Api, Authorization, Identity, Permission, Route, Stack, Stage};

/// The gateway's routes and stages. An update replaces it as a whole.
#[derive(Debug)]
pub(crate) struct Deployed {
    pub(crate) api_id: String,
    pub(crate) identity: Identity,
    selection: Selection,
    stages: BTreeMap<String, Arc<LiveStage>>,
}

/// A stage with its live routes.
#[derive(Debug)]
pub(crate) struct LiveStage {
    pub(crate) name: String,
    pub(crate) variables: Map<String, Value>,
    /// Without a deployment, every handshake is refused.
    pub(crate) is_deployed: bool,
    pub(crate) authorizer: Option<LiveAuthorizer>,
    routes: HashMap<String, Arc<LiveRoute>>,
}

/// A route that is live on a stage.
#[derive(Debug)]
pub(crate) struct LiveRoute {
    pub(crate) key: String,
    pub(crate) two_way: bool,
    pub(crate) target: Target,
    /// The validator of messages.
    pub(crate) validator: Option<Validator>,
    /// The required parameters of handshakes, such as `route.request.header.token`.
    pub(crate) required: Vec<String>,
    /// The integration's timeout.
    pub(crate) timeout: Duration,
    /// The limit in the stage's settings.
    pub(crate) throttle: Option<RouteLimit>,
}

/// The authorizer of `$connect`.
#[derive(Debug)]
pub(crate) struct LiveAuthorizer {
    pub(crate) identity_sources: Vec<String>,
    pub(crate) target: Target,
}

impl Deployed {
    /// Without an API: every handshake is refused.
    pub(crate) fn nothing(identity: &Identity) -> Self {
        Self {
            api_id: String::new(),
            identity: identity.clone(),
            selection: Selection::parse(""),
            stages: BTreeMap::new(),
        }
    }

    pub(crate) fn new(stack: &Stack) -> Self {
        let api = &stack.api;
        let stages = api
            .stages
            .values()
            .map(|stage| (stage.name.clone(), Arc::new(live_stage(stack, stage))));
        Self {
            api_id: api.id.clone(),
            identity: stack.identity.clone(),
            selection: Selection::parse(&api.route_selection_expression),
            stages: stages.collect(),
        }
    }

    /// `arn:aws:execute-api:{region}:{account}:{api}/{rest}`.
    pub(crate) fn arn(&self, rest: &str) -> String {
        execute_api_arn(&self.identity, &self.api_id, rest)
    }

    pub(crate) fn domain_name(&self) -> String {
        format!(
            "{}.execute-api.{}.amazonaws.com",
            self.api_id, self.identity.region
        )
    }

    pub(crate) fn stage(&self, name: &str) -> Option<&Arc<LiveStage>> {
        self.stages.get(name)
    }

    pub(crate) fn first_stage(&self) -> Option<String> {
        self.stages.keys().next().cloned()
    }

    /// Warnings about the template, reported when it starts.
    pub(crate) fn warnings(stack: &Stack) -> Vec<String> {
        let stages = stack.api.stages.values();
        let blocked = |stage: &Stage| {
            let routes = stage.throttles.iter();
            let routes: Vec<String> = routes
                .filter(|(_, throttle)| throttle.blocks_everything())
                .map(|(key, _)| format!("`{key}`"))
                .collect();
            (!routes.is_empty()).then(|| {
                format!(
                    "stage `{}` refuses every request on {}, because a throttling limit is zero; set both limits, or omit them",
                    stage.name,
                    routes.join(", ")
                )
            })
        };
        let own = stack.warnings.iter().cloned();
        stages.filter_map(blocked).chain(own).collect()
    }

    /// The route of a message on `stage`.
    pub(crate) fn route_of(&self, stage: &LiveStage, body: &str) -> Option<Arc<LiveRoute>> {
        let key = routing::choose(self.selection.of_message(body), |key| {
            stage.routes.contains_key(key)
        })?;
        stage.routes.get(&key).cloned()
    }
}

impl LiveStage {
    /// `$connect` or `$disconnect`.
    pub(crate) fn route(&self, key: &str) -> Option<&Arc<LiveRoute>> {
        self.routes.get(key)
    }
}

fn live_stage(stack: &Stack, stage: &Stage) -> LiveStage {
    let api = &stack.api;
    let live = |route: &&Route| {
        stage
            .deployed
            .as_ref()
            .is_some_and(|keys| keys.contains(&route.key))
    };
    let routes: Vec<&Route> = api.routes.values().filter(live).collect();
    let connect = routes.iter().find(|route| route.key == "$connect");
    LiveStage {
        name: stage.name.clone(),
        variables: stage
            .variables
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect(),
        is_deployed: stage.deployed.is_some(),
        authorizer: connect.and_then(|route| match &route.authorization {
            Authorization::None => None,
            Authorization::Custom(id) => Some(live_authorizer(stack, stage, id)),
        }),
        routes: routes
            .into_iter()
            .map(|route| (route.key.clone(), Arc::new(live_route(stack, stage, route))))
            .collect(),
    }
}

fn live_route(stack: &Stack, stage: &Stage, route: &Route) -> LiveRoute {
    let integration = route
        .integration
        .as_ref()
        .and_then(|id| stack.api.integrations.get(id));
    let source = execute_api_arn(
        &stack.identity,
        &stack.api.id,
        &format!("{}/{}", stage.name, route.key),
    );
    LiveRoute {
        key: route.key.clone(),
        two_way: route.two_way,
        target: match integration {
            Some(integration) => match variables::filled(integration, &stage.variables) {
                Ok(filled) => match LiveIntegration::from_integration(filled) {
                    Ok(live) => Target::Integration(live),
                    Err(function) => target(stack, &function, &source),
                },
                Err(why) => Target::Nothing(why),
            },
            None => Target::Nothing(format!("route `{}` has no integration", route.key)),
        },
        validator: route.validation.as_ref().map(Validator::new),
        required: validation::required(route),
        timeout: integration.map_or(Duration::from_secs(29), |integration| integration.timeout),
        throttle: stage
            .throttles
            .get(&route.key)
            .map(|throttle| RouteLimit::new(*throttle, &stage.name, &route.key)),
    }
}

fn live_authorizer(stack: &Stack, stage: &Stage, id: &str) -> LiveAuthorizer {
    let Api {
        authorizers,
        id: api_id,
        ..
    } = &stack.api;
    let Some(authorizer) = authorizers.get(id) else {
        let target = Target::Nothing(format!("there is no authorizer `{id}`"));
        return LiveAuthorizer {
            identity_sources: Vec::new(),
            target,
        };
    };
    let source = execute_api_arn(&stack.identity, api_id, &format!("authorizers/{id}"));
    LiveAuthorizer {
        identity_sources: authorizer.identity_sources.clone(),
        target: match variables::fill(&authorizer.function_arn, &stage.variables) {
            Ok(function) => target(stack, &function, &source),
            Err(why) => Target::Nothing(why),
        },
    }
}

fn target(stack: &Stack, function_arn: &str, source: &str) -> Target {
    let permits = |permission: &Permission| {
        permission.function_arn == function_arn
            // `*` means every principal, services included.
            && ["apigateway.amazonaws.com", "*"].contains(&permission.principal.as_str())
            && permission
                .source_arn
                .as_deref()
                .is_none_or(|pattern| matches_arn(pattern, source))
    };
    if stack.permissions.iter().any(permits) {
        Target::Function(function_arn.to_owned())
    } else {
        Target::Nothing(format!(
            "no AWS::Lambda::Permission lets apigateway.amazonaws.com invoke `{function_arn}` for `{source}`; add one with that SourceArn"
        ))
    }
}

fn execute_api_arn(identity: &Identity, api_id: &str, rest: &str) -> String {
    format!(
        "arn:aws:execute-api:{}:{}:{api_id}/{rest}",
        identity.region, identity.account_id
    )
}
