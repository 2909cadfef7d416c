//! Makes the parts of services: ports, code, functions with everything that they need.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::errors::{FunctionCodeError, StartError};
use super::lifecycle::Stateful;
use crate::connections_api::ANY_STAGE;
use crate::iam::credentials::{AssumedRole, Credentials, decide};
use crate::iam::{Decision, Policy};
use crate::lambda::{Code, FunctionEnvironment, Runnable, Scratch};
use crate::options::{Options, StackRequest};
use crate::stack::{Function, Identity, LogicalId, Stack};
use crate::template::{TemplateError, resolve_request};
use crate::worker_threads::blocking;

pub(super) async fn listen(port: u16) -> Result<TcpListener, StartError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|source| match source.kind() {
            std::io::ErrorKind::AddrInUse => StartError::PortTaken { port },
            _ => StartError::Listen { port, source },
        })
}

pub(super) async fn load(
    stack: &Arc<Stack>,
    paths: BTreeMap<LogicalId, PathBuf>,
    scratch: &Arc<Scratch>,
) -> Result<BTreeMap<LogicalId, Code>, FunctionCodeError> {
    let (stack, scratch) = (Arc::clone(stack), Arc::clone(scratch));
    blocking(move || {
        let is_missing = |function: &&LogicalId| !paths.contains_key(*function);
        let missing: Vec<_> = stack.functions.keys().filter(is_missing).cloned().collect();
        if !missing.is_empty() {
            return Err(FunctionCodeError::Missing { functions: missing });
        }
        let load = |function: &LogicalId| {
            let code = Code::load(&paths[function], &scratch).map_err(|source| {
                FunctionCodeError::Unusable {
                    function: function.clone(),
                    source,
                }
            })?;
            Ok((function.clone(), code))
        };
        stack.functions.keys().map(load).collect()
    })
    .await
}

/// Resolves the template of `request` on another thread, because a hostile one takes long.
pub(super) async fn resolve_beside(
    request: &StackRequest,
    identity: Identity,
) -> Result<Stack, TemplateError> {
    let request = StackRequest {
        code: BTreeMap::new(),
        ..request.clone()
    };
    blocking(move || resolve_request(&request, &identity)).await
}

pub(super) fn runnables(
    stack: &Stack,
    codes: &BTreeMap<LogicalId, Code>,
    options: &Options,
    credentials: &Credentials,
    stateful: &Stateful,
    (port, secrets): (u16, &str),
) -> Vec<Runnable> {
    let mut endpoints = stateful.endpoints();
    let here = format!("http://127.0.0.1:{port}");
    endpoints.extend([
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", here.clone()),
        ("AWS_ENDPOINT_URL_SSM", here.clone()),
        (
            "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI",
            posts_address(stack, port),
        ),
        ("AWS_ENDPOINT_URL_LAMBDA", here),
    ]);
    let runnable = |function: &Function| {
        Some(Runnable {
            function: function.clone(),
            code: codes.get(&function.logical_id)?.clone(),
            environment: FunctionEnvironment {
                region: stack.identity.region.clone(),
                access_key: credentials.key_of(&function.arn),
                endpoints: endpoints.clone(),
                secrets: secrets.to_owned(),
            },
            max_processes: options.max_processes_per_function,
            missing_log_action: missing_log_action(stack, function),
        })
    };
    stack.functions.values().filter_map(runnable).collect()
}

/// The roles of a stack's functions.
pub(super) fn roles(stack: &Stack) -> impl Iterator<Item = AssumedRole<'_>> {
    stack.functions.values().map(|function| AssumedRole {
        account_id: &stack.identity.account_id,
        region: &stack.identity.region,
        function_arn: &function.arn,
        function_name: &function.name,
        role_arn: &function.role_arn,
        policies: policies(stack, function),
    })
}

fn policies<'s>(stack: &'s Stack, function: &Function) -> &'s [Policy] {
    let role = stack.roles.get(&function.role_arn);
    role.map_or(&[][..], |role| &role.policies)
}

/// Lambda's actions under the function's own role when it stores log lines
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>).
fn missing_log_action(stack: &Stack, function: &Function) -> Option<&'static str> {
    let (region, account) = (&stack.identity.region, &stack.identity.account_id);
    let group = &function.log_group;
    let stream = format!("arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:stream");
    let policies = policies(stack, function);
    ["logs:CreateLogStream", "logs:PutLogEvents"]
        .into_iter()
        .find(|action| decide(policies, action, &stream) != Decision::Allowed)
}

/// The functions' address for posts: with the only stage, or with a placeholder for the connection's.
fn posts_address(stack: &Stack, port: u16) -> String {
    match stack.api.stages.len() {
        0 | 1 => format!("http://{}", stage_address(stack, port)),
        _ => format!("http://127.0.0.1:{port}/{ANY_STAGE}"),
    }
}

pub(super) fn stage_address(stack: &Stack, port: u16) -> String {
    let stage = stack
        .api
        .stages
        .keys()
        .next()
        .map(String::as_str)
        .unwrap_or_default();
    format!("127.0.0.1:{port}/{stage}")
}
