//! CloudFormation, behind the engine's trait for it.

mod changing;
mod convert;
#[cfg(test)]
mod recorded;
mod sending;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wire;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{DeploymentConfig, DeploymentConfigMode, Tag};

use changing::being_changed;
use sending::Store;

use super::error::{Kind, code, kind, refused};
use super::requests::Named;
use crate::config::account::AccountRules;
use crate::engine::cloud::{
    ChangeSetIds, ChangeSetState, CloudEvent, CloudFormation, Finding, NewChangeSet, StackRecord,
};
use crate::engine::{DeployMode, ErrorKind, Resource, TargetError, limits};
use crate::stack::Template;

/// The first pause between two polls, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(400), Duration::from_secs(5)];

/// The attempted action in errors about a change set that is being computed.
const LOOK_AT_CHANGE_SET: &str = "read the changes of the change set";

/// CloudFormation in one account and Region.
#[derive(Debug)]
pub struct Cloud {
    client: Client,
    /// CloudFormation acts with it; with `None`, with the role of an earlier deployment or the user's permissions.
    role: Option<String>,
    /// With none, the stack's topics stay.
    topics: Option<Vec<String>>,
    store: Store,
}

impl Cloud {
    pub(super) fn new(config: &SdkConfig, region: &str, rules: &AccountRules) -> Self {
        let store = Store::new(config, region, rules);
        let config = aws_sdk_cloudformation::config::Builder::from(config).interceptor(Named);
        let topics = rules.notification_arns.iter().map(ToString::to_string);
        Self {
            client: Client::from_conf(config.build()),
            role: rules.role_arn.as_ref().map(ToString::to_string),
            topics: (!rules.notification_arns.is_empty()).then(|| topics.collect()),
            store,
        }
    }
}

impl CloudFormation for Cloud {
    async fn stack(&self, stack: &str) -> Result<Option<StackRecord>, TargetError> {
        let answer = self.client.describe_stacks().stack_name(stack).send().await;
        match answer {
            Ok(answer) => Ok(answer.stacks.unwrap_or_default().pop().map(convert::record)),
            Err(error) if kind(&error) == Kind::NotFound => Ok(None),
            Err(error) => {
                let attempt = format!("describe stack `{stack}`");
                Err(refused("cloudformation:DescribeStacks", attempt, error))
            }
        }
    }

    async fn stacks(&self) -> Result<Vec<StackRecord>, TargetError> {
        let mut pages = self.client.describe_stacks().into_paginator().send();
        let mut stacks = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                let attempt = "list the stacks of this account and Region";
                refused("cloudformation:DescribeStacks", attempt, error)
            })?;
            stacks.extend(
                page.stacks
                    .unwrap_or_default()
                    .into_iter()
                    .map(convert::record),
            );
        }
        Ok(stacks)
    }

    async fn template(&self, stack: &str) -> Result<Template, TargetError> {
        let answer = self.client.get_template().stack_name(stack).send().await;
        let answer = answer.map_err(|error| {
            let attempt = format!("read the template of stack `{stack}`");
            refused("cloudformation:GetTemplate", attempt, error)
        })?;
        let body = answer.template_body.unwrap_or_default();
        // Our own templates are JSON, but a user may have updated the stack with YAML.
        let document = serde_saphyr::from_str(&body).map_err(|source| TargetError {
            source: Some(Box::new(source)),
            ..TargetError::new(
                ErrorKind::Unexpected,
                format!("could not parse the template that stack `{stack}` was deployed with"),
            )
        })?;
        Ok(Template::new(document))
    }

    async fn resources(&self, stack: &str) -> Result<Vec<Resource>, TargetError> {
        let request = self.client.list_stack_resources().stack_name(stack);
        let mut pages = request.into_paginator().send();
        let mut resources = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                let attempt = format!("list the resources of stack `{stack}`");
                refused("cloudformation:ListStackResources", attempt, error)
            })?;
            let page = page.stack_resource_summaries.unwrap_or_default();
            resources.extend(page.into_iter().filter_map(convert::resource));
        }
        Ok(resources)
    }

    async fn change_sets(&self, stack: &str) -> Result<Vec<String>, TargetError> {
        let request = self.client.list_change_sets().stack_name(stack);
        let mut pages = request.into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                let attempt = format!("list the change sets of stack `{stack}`");
                refused("cloudformation:ListChangeSets", attempt, error)
            })?;
            let page = page.summaries.unwrap_or_default();
            names.extend(page.into_iter().filter_map(|set| set.change_set_name));
        }
        Ok(names)
    }

    async fn create_change_set(&self, request: &NewChangeSet) -> Result<ChangeSetIds, TargetError> {
        let stack = &request.stack;
        let place = self.store.place(request).await?;
        let parameters = request.parameters.iter().map(convert::parameter);
        let tags = request
            .tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build());
        let answer = self
            .client
            .create_change_set()
            .stack_name(stack)
            .change_set_name(&request.name)
            // With this token, a retry after a lost response does not create a second change set.
            .client_token(&request.name)
            .change_set_type(convert::change_set_type(request.change))
            .description("Made by chatctl")
            .set_template_body(place.body())
            .set_template_url(place.address())
            .set_parameters(Some(parameters.collect()))
            .set_tags((!request.tags.is_empty()).then(|| tags.collect()))
            .capabilities(convert::capability(&request.template))
            .set_deployment_config(express(request.pace))
            .set_role_arn(self.role.clone())
            .set_notification_arns(self.topics.clone())
            .send()
            .await;
        let (change_set, stack) = match answer {
            Ok(answer) => (answer.id, answer.stack_id),
            // The name is random, so it exists because the response to an earlier attempt was lost.
            Err(error) if code(&error) == Some("AlreadyExistsException") => {
                let look = self.client.describe_change_set().stack_name(stack);
                let found = look
                    .change_set_name(&request.name)
                    .send()
                    .await
                    .map_err(|error| {
                        let action = "cloudformation:DescribeChangeSet";
                        refused(action, LOOK_AT_CHANGE_SET, error)
                    })?;
                (found.change_set_id, found.stack_id)
            }
            Err(error) => {
                let attempt = format!("compute the change of stack `{stack}`");
                let error = refused("cloudformation:CreateChangeSet", attempt, error);
                return Err(place.explained(being_changed(error)));
            }
        };
        let missing = || {
            let message = "CloudFormation's response has no id of the new change set";
            TargetError::new(ErrorKind::Unexpected, message)
        };
        Ok(ChangeSetIds {
            change_set: change_set.ok_or_else(missing)?,
            stack: stack.ok_or_else(missing)?,
        })
    }

    async fn change_set(&self, ids: &ChangeSetIds) -> Result<ChangeSetState, TargetError> {
        let mut state = ChangeSetState::default();
        let mut next = None;
        loop {
            let page = self
                .client
                .describe_change_set()
                // With it, a policy for this stack is enough.
                .stack_name(&ids.stack)
                .change_set_name(&ids.change_set)
                .include_property_values(true)
                .set_next_token(next)
                .send()
                .await
                .map_err(|error| {
                    refused(
                        "cloudformation:DescribeChangeSet",
                        LOOK_AT_CHANGE_SET,
                        error,
                    )
                })?;
            state.status = convert::word(page.status.as_ref());
            state.execution = convert::word(page.execution_status.as_ref());
            state.reason = page.status_reason.filter(|reason| !reason.is_empty());
            let changes = page.changes.unwrap_or_default();
            state
                .changes
                .extend(changes.into_iter().filter_map(convert::change));
            next = page.next_token;
            if next.is_none() {
                return Ok(state);
            }
        }
    }

    async fn findings(&self, ids: &ChangeSetIds) -> Result<Vec<Finding>, TargetError> {
        let mut findings = Vec::new();
        let mut next = None;
        loop {
            // By the change set's id, because it is not found by its name.
            let request = self
                .client
                .describe_events()
                .change_set_name(&ids.change_set);
            let page = request.set_next_token(next).send().await.map_err(|error| {
                let attempt = "read the findings of the change set's validation";
                refused("cloudformation:DescribeEvents", attempt, error)
            })?;
            let events = page.operation_events.unwrap_or_default();
            findings.extend(events.into_iter().filter_map(convert::finding));
            next = page.next_token;
            if next.is_none() {
                return Ok(findings);
            }
        }
    }

    async fn delete_change_set(&self, ids: &ChangeSetIds) -> Result<(), TargetError> {
        let request = self
            .client
            .delete_change_set()
            // A name, unlike an id, is only unique within its stack.
            .stack_name(&ids.stack)
            .change_set_name(&ids.change_set);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if kind(&error) == Kind::NotFound => Ok(()),
            Err(error) => {
                let action = "cloudformation:DeleteChangeSet";
                Err(refused(action, "withdraw the change set", error))
            }
        }
    }

    async fn execute_change_set(&self, ids: &ChangeSetIds, token: &str) -> Result<(), TargetError> {
        let request = self
            .client
            .execute_change_set()
            .stack_name(&ids.stack)
            .change_set_name(&ids.change_set)
            .client_request_token(token);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let is_overtaken = matches!(
                    code(&error),
                    Some("InvalidChangeSetStatus" | "ChangeSetNotFound")
                );
                let refusal = refused(
                    "cloudformation:ExecuteChangeSet",
                    "execute the change set",
                    error,
                );
                Err(if is_overtaken {
                    TargetError {
                        kind: ErrorKind::Failed,
                        ..refusal.with_hint(
                            "another deployment came first; deploy again to include its changes",
                        )
                    }
                } else {
                    being_changed(refusal)
                })
            }
        }
    }

    async fn delete_stack(
        &self,
        stack_id: &str,
        token: &str,
        spare: &[String],
        pace: DeployMode,
    ) -> Result<(), TargetError> {
        let mode = DeploymentConfigMode::Express;
        self.client
            .delete_stack()
            .stack_name(stack_id)
            .set_deployment_config(
                (pace == DeployMode::Express)
                    .then(|| DeploymentConfig::builder().mode(mode).build()),
            )
            .set_role_arn(self.role.clone())
            .client_request_token(token)
            .set_retain_resources((!spare.is_empty()).then(|| spare.to_vec()))
            .send()
            .await
            .map_err(|error| refused("cloudformation:DeleteStack", "delete the stack", error))?;
        Ok(())
    }

    async fn recent_events(&self, stack_id: &str) -> Result<Vec<CloudEvent>, TargetError> {
        let request = self.client.describe_stack_events().stack_name(stack_id);
        let mut pages = request.into_paginator().send();
        let mut newest_first = Vec::new();
        'pages: while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                // By name, a stack that has just been deleted is not found.
                Err(error) if kind(&error) == Kind::NotFound => break,
                Err(error) => {
                    let attempt = "read the stack's events";
                    return Err(refused(
                        "cloudformation:DescribeStackEvents",
                        attempt,
                        error,
                    ));
                }
            };
            for event in page.stack_events.unwrap_or_default() {
                let event = convert::event(event);
                let is_first = event.begins_operation();
                newest_first.push(event);
                if is_first {
                    break 'pages;
                }
            }
        }
        newest_first.reverse();
        Ok(newest_first)
    }

    async fn protect(&self, stack: &str, protected: bool) -> Result<(), TargetError> {
        self.client
            .update_termination_protection()
            .stack_name(stack)
            .enable_termination_protection(protected)
            .send()
            .await
            .map_err(|error| {
                let attempt = format!("change the termination protection of stack `{stack}`");
                refused("cloudformation:UpdateTerminationProtection", attempt, error)
            })?;
        Ok(())
    }

    async fn pause(&self, quiet: u32) {
        tokio::time::sleep(limits::scaled(pause_after(quiet))).await;
    }
}

/// The pause after `quiet` polls in a row without news: each is twice as long, up to the longest.
fn pause_after(quiet: u32) -> Duration {
    let [first, longest] = PAUSES;
    let pause = first.saturating_mul(2u32.saturating_pow(quiet.saturating_sub(1).min(8)));
    pause.min(longest)
}

/// Express operations leave a failed stack as it is by default, whatever the API reference says of it
/// (<https://aws.amazon.com/blogs/aws/accelerate-your-infrastructure-deployments-by-up-to-4x-with-aws-cloudformation-express-mode/>);
/// ours roll back like others.
fn express(pace: DeployMode) -> Option<DeploymentConfig> {
    (pace == DeployMode::Express).then(|| {
        DeploymentConfig::builder()
            .mode(DeploymentConfigMode::Express)
            .disable_rollback(false)
            .build()
    })
}
