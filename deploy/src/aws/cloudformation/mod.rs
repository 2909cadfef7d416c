//! CloudFormation, behind the engine's trait for it.

mod changes;
mod changing;
mod convert;
mod form;
mod pages;
#[cfg(test)]
mod recorded;
mod sending;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wire;

use std::time::Duration;

use aws_config::SdkConfig;

use changing::being_changed;
use form::{Form, express, new_change_set};
use pages::{Pages, of_stack};
use sending::Store;

use super::call::{CLOUDFORMATION, Client, Failure};
use super::error::{Kind, code, kind, refused};
use crate::config::account::AccountRules;
use crate::engine::cloud::{
    ChangeSetIds, ChangeSetState, CloudEvent, CloudFormation, Finding, NewChangeSet, StackRecord,
};
use crate::engine::{DeployMode, ErrorKind, Resource, TargetError, limits};
use crate::stack::Template;

/// The first pause between two polls, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(400), Duration::from_secs(5)];

/// CloudFormation in one account and Region.
#[derive(Debug)]
pub struct Cloud {
    client: Client,
    /// CloudFormation acts with it; with `None`, with the role of an earlier deployment or the user's permissions.
    role: Option<String>,
    /// With none, the stack's topics stay.
    topics: Vec<String>,
    store: Store,
}

impl Cloud {
    pub(super) fn new(config: &SdkConfig, region: &str, rules: &AccountRules) -> Self {
        let topics = rules.notification_arns.iter().map(ToString::to_string);
        Self {
            client: Client::new(&CLOUDFORMATION, config),
            role: rules.role_arn.as_ref().map(ToString::to_string),
            topics: topics.collect(),
            store: Store::new(config, region, rules),
        }
    }

    /// Performs an operation that has no result.
    async fn perform(&self, operation: &'static str, form: Form) -> Result<(), Failure> {
        self.client.perform(operation, form.parameters()).await
    }
}

impl CloudFormation for Cloud {
    async fn stack(&self, stack: &str) -> Result<Option<StackRecord>, TargetError> {
        let form = Form::default().with("StackName", stack);
        let answer = self
            .client
            .query("DescribeStacks", form.parameters(), |answer| {
                answer
                    .members("Stacks")
                    .last()
                    .map(convert::record)
                    .transpose()
            });
        match answer.await {
            Err(error) if kind(&error) == Kind::NotFound => Ok(None),
            answer => answer.map_err(|error| {
                let attempt = format!("describe stack `{stack}`");
                refused("cloudformation:DescribeStacks", attempt, error)
            }),
        }
    }

    async fn stacks(&self) -> Result<Vec<StackRecord>, TargetError> {
        let pages = Pages::new("DescribeStacks", |page| {
            Form::default().with_some("NextToken", page)
        });
        let all = pages.all(&self.client, |answer| {
            answer.members("Stacks").map(convert::record).collect()
        });
        all.await.map_err(|error| {
            let attempt = "list the stacks of this account and Region";
            refused("cloudformation:DescribeStacks", attempt, error)
        })
    }

    async fn template(&self, stack: &str) -> Result<Template, TargetError> {
        let form = Form::default().with("StackName", stack);
        let answer = self
            .client
            .query("GetTemplate", form.parameters(), |answer| {
                Ok(convert::text(answer, "TemplateBody"))
            });
        let body = answer.await.map_err(|error| {
            let attempt = format!("read the template of stack `{stack}`");
            refused("cloudformation:GetTemplate", attempt, error)
        })?;
        // Our own templates are JSON, but a user may have updated the stack with YAML.
        let document = template_yaml::parse_deployed(&body).map_err(|source| TargetError {
            source: Some(source.into()),
            ..TargetError::new(
                ErrorKind::Unexpected,
                format!("could not parse the template that stack `{stack}` was deployed with"),
            )
        })?;
        Ok(Template::new(document))
    }

    async fn resources(&self, stack: &str) -> Result<Vec<Resource>, TargetError> {
        let pages = of_stack("ListStackResources", stack);
        let all = pages.all(&self.client, |answer| {
            let summaries = answer.members("StackResourceSummaries");
            Ok(summaries.filter_map(convert::resource).collect())
        });
        all.await.map_err(|error| {
            let attempt = format!("list the resources of stack `{stack}`");
            refused("cloudformation:ListStackResources", attempt, error)
        })
    }

    async fn change_sets(&self, stack: &str) -> Result<Vec<String>, TargetError> {
        let pages = of_stack("ListChangeSets", stack);
        let all = pages.all(&self.client, |answer| {
            let summaries = answer.members("Summaries");
            Ok(summaries
                .filter_map(|set| set.owned("ChangeSetName"))
                .collect())
        });
        all.await.map_err(|error| {
            let attempt = format!("list the change sets of stack `{stack}`");
            refused("cloudformation:ListChangeSets", attempt, error)
        })
    }

    async fn create_change_set(&self, request: &NewChangeSet) -> Result<ChangeSetIds, TargetError> {
        let stack = &request.stack;
        let place = self.store.place(request).await?;
        let form = new_change_set(request, &place, self.role.as_deref(), &self.topics);
        let answer = self
            .client
            .query("CreateChangeSet", form.parameters(), |answer| {
                Ok((answer.owned("Id"), answer.owned("StackId")))
            });
        let (change_set, stack) = match answer.await {
            Ok(ids) => ids,
            // The name is random, so it exists because the response to an earlier attempt was lost.
            Err(error) if code(&error) == Some("AlreadyExistsException") => {
                let form = Form::default()
                    .with("ChangeSetName", &request.name)
                    .with("StackName", stack);
                let look = self
                    .client
                    .query("DescribeChangeSet", form.parameters(), |answer| {
                        Ok((answer.owned("ChangeSetId"), answer.owned("StackId")))
                    });
                look.await.map_err(unlooked)?
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
        let pages = Pages::new("DescribeChangeSet", |page| {
            // With the stack, a policy for it is enough.
            by_ids(ids)
                .with_some("NextToken", page)
                .with("IncludePropertyValues", "true")
        });
        let states = pages.all(&self.client, |answer| Ok(vec![changes::state(answer)]));
        let mut whole = ChangeSetState::default();
        for mut page in states.await.map_err(unlooked)? {
            whole.changes.append(&mut page.changes);
            page.changes = whole.changes;
            whole = page;
        }
        Ok(whole)
    }

    async fn findings(&self, ids: &ChangeSetIds) -> Result<Vec<Finding>, TargetError> {
        let pages = Pages::new("DescribeEvents", |page| {
            // By the change set's id, because it is not found by its name.
            let form = Form::default().with("ChangeSetName", &ids.change_set);
            form.with_some("NextToken", page)
        });
        let all = pages.all(&self.client, |answer| {
            let events = answer.members("OperationEvents");
            Ok(events.filter_map(convert::finding).collect())
        });
        all.await.map_err(|error| {
            let attempt = "read the findings of the change set's validation";
            refused("cloudformation:DescribeEvents", attempt, error)
        })
    }

    async fn delete_change_set(&self, ids: &ChangeSetIds) -> Result<(), TargetError> {
        // A name, unlike an id, is only unique within its stack.
        match self.perform("DeleteChangeSet", by_ids(ids)).await {
            Err(error) if kind(&error) == Kind::NotFound => Ok(()),
            answer => answer.map_err(|error| {
                let action = "cloudformation:DeleteChangeSet";
                refused(action, "withdraw the change set", error)
            }),
        }
    }

    async fn execute_change_set(&self, ids: &ChangeSetIds, token: &str) -> Result<(), TargetError> {
        let form = by_ids(ids).with("ClientRequestToken", token);
        let answer = self.perform("ExecuteChangeSet", form).await;
        answer.map_err(|error| {
            let is_overtaken = matches!(
                code(&error),
                Some("InvalidChangeSetStatus" | "ChangeSetNotFound")
            );
            let action = "cloudformation:ExecuteChangeSet";
            let refusal = refused(action, "execute the change set", error);
            if is_overtaken {
                let hint = "another deployment came first; deploy again to include its changes";
                TargetError {
                    kind: ErrorKind::Failed,
                    ..refusal.with_hint(hint)
                }
            } else {
                being_changed(refusal)
            }
        })
    }

    async fn delete_stack(
        &self,
        stack_id: &str,
        token: &str,
        retained: &[String],
        mode: DeployMode,
    ) -> Result<(), TargetError> {
        let mut form = Form::default()
            .with("StackName", stack_id)
            .with_list("RetainResources", retained)
            .with_some("RoleARN", self.role.as_deref())
            .with("ClientRequestToken", token);
        if mode == DeployMode::Express {
            form = express(form);
        }
        let answer = self.perform("DeleteStack", form).await;
        answer.map_err(|error| refused("cloudformation:DeleteStack", "delete the stack", error))
    }

    async fn recent_events(&self, stack_id: &str) -> Result<Vec<CloudEvent>, TargetError> {
        let mut pages = of_stack("DescribeStackEvents", stack_id);
        let mut newest_first = Vec::new();
        'pages: loop {
            let page = pages.next(&self.client, |answer| {
                answer.members("StackEvents").map(convert::event).collect()
            });
            let page: Vec<CloudEvent> = match page.await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                // By name, a stack that has just been deleted is not found.
                Err(error) if kind(&error) == Kind::NotFound => break,
                Err(error) => {
                    let action = "cloudformation:DescribeStackEvents";
                    return Err(refused(action, "read the stack's events", error));
                }
            };
            for event in page {
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
        let operation = "UpdateTerminationProtection";
        let form = Form::default()
            .with("EnableTerminationProtection", protected.to_string())
            .with("StackName", stack);
        let answer = self.client.query(operation, form.parameters(), |_| Ok(()));
        answer.await.map_err(|error| {
            let attempt = format!("change the termination protection of stack `{stack}`");
            refused("cloudformation:UpdateTerminationProtection", attempt, error)
        })
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

/// The form of a request about a change set.
fn by_ids(ids: &ChangeSetIds) -> Form {
    Form::default()
        .with("ChangeSetName", &ids.change_set)
        .with("StackName", &ids.stack)
}

/// The error about a change set that is being computed.
fn unlooked(error: Failure) -> TargetError {
    let attempt = "read the changes of the change set";
    refused("cloudformation:DescribeChangeSet", attempt, error)
}
