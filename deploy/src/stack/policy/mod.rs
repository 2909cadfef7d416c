//! The least policy with which a stack can be deployed, updated, looked at and torn down.

mod actions;
mod bucket;
mod company;
mod questions;
mod statement;
mod terraform;
#[cfg(test)]
mod tests;
mod uncovered;

use std::collections::BTreeSet;

use chat_protocol::secret::Reference;
use serde_json::{Value, json};

use self::statement::{Statements, arn};
use super::Template;
use super::quota::needs_bucket;
use super::render::{for_region, render_for_aws};
use crate::config::Settings;
use crate::config::arn::partition_of;
use crate::config::secret::arn_in_policies;
pub use questions::Question;
pub(crate) use questions::questions;
pub use terraform::terraform;
pub use uncovered::uncovered;

/// The most characters of a managed policy, without white space
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
pub const MAX_MANAGED: usize = 6_144;

/// The longest part of a stack's name in names of functions and roles, which have 64 characters at most: a logical id and a
/// random end follow.
const MAX_PREFIX: usize = 24;

/// The stack that a policy is about, and where it is.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The config.
    pub settings: &'a Settings,
    /// The Region, by its name.
    pub region: &'a str,
    /// Twelve digits.
    pub account: &'a str,
    /// The bucket for the handlers.
    pub bucket: &'a str,
}

/// The policies of one stack.
#[derive(Debug, Clone, PartialEq)]
pub enum Policies {
    /// CloudFormation acts with the user's permissions.
    Whole(Value),
    /// It acts with a role.
    Split {
        /// The policy of the person who deploys.
        person: Value,
        /// That of the role.
        service: Value,
        /// The role's trust policy.
        trust: Value,
    },
}

impl Policies {
    /// The policies with their names, in the order in which they are printed.
    pub fn named(&self) -> Vec<(&'static str, &Value)> {
        match self {
            Self::Whole(policy) => vec![("deployer", policy)],
            Self::Split {
                person,
                service,
                trust,
            } => vec![
                ("deployer", person),
                ("cloudformation", service),
                ("cloudformationTrust", trust),
            ],
        }
    }

    /// The document that is printed as JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Whole(policy) => policy.clone(),
            Self::Split { .. } => {
                let named = self.named().into_iter();
                Value::Object(
                    named
                        .map(|(name, policy)| (name.to_owned(), policy.clone()))
                        .collect(),
                )
            }
        }
    }

    /// The names and sizes of those that are too long for a managed policy.
    pub fn too_long(&self) -> Vec<(&'static str, usize)> {
        let named = self.named().into_iter();
        let sized = named.map(|(name, policy)| (name, policy.to_string().len()));
        sized.filter(|(_, size)| *size > MAX_MANAGED).collect()
    }
}

/// The policies for `subject`; with `is_split`, those of the person and of the role that CloudFormation acts with.
pub fn policies(subject: &Subject<'_>, is_split: bool) -> Policies {
    let template = for_region(&render_for_aws(subject.settings), subject.region);
    let mut person = Statements::default();
    subject.work_of_chatctl(&template, &mut person);
    let mut service = Statements::default();
    subject.work_of_cloudformation(&template, &mut service);
    if !is_split {
        person.extend(service);
        return Policies::Whole(person.document());
    }
    let role = match &subject.settings.aws.rules.role_arn {
        Some(role) => role.to_string(),
        None => {
            let name = format!("role/chatctl-{}-cloudformation", subject.settings.stack);
            subject.in_account("iam", "", &name)
        }
    };
    person.pass("ServiceRole", role, "cloudformation.amazonaws.com");
    Policies::Split {
        person: person.document(),
        service: service.document(),
        trust: json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "cloudformation.amazonaws.com" },
                "Action": "sts:AssumeRole",
            }],
        }),
    }
}

impl Subject<'_> {
    fn partition(&self) -> &'static str {
        partition_of(self.region)
    }

    fn in_account(&self, service: &str, region: &str, resource: &str) -> String {
        arn(self.partition(), service, region, self.account, resource)
    }

    fn here(&self, service: &str, resource: &str) -> String {
        self.in_account(service, self.region, resource)
    }

    /// What CloudFormation names after the stack: functions and roles, whose names are short.
    fn named(&self) -> String {
        let stack = self.settings.stack.as_ref();
        match stack.len() > MAX_PREFIX {
            true => format!("{}*", &stack[..MAX_PREFIX]),
            false => format!("{stack}-*"),
        }
    }

    fn role(&self) -> String {
        let path = self.settings.aws.rules.role_path.as_ref();
        let path = path.map_or("/", AsRef::as_ref);
        self.in_account("iam", "", &format!("role{path}{}", self.named()))
    }

    fn log_groups(&self) -> Vec<String> {
        let stack = &self.settings.stack;
        let mut groups = vec![self.here("logs", &format!("log-group:{stack}-*"))];
        // There, they are named after the functions.
        if self.partition() == "aws-us-gov" {
            groups.push(self.here("logs", &format!("log-group:/aws/lambda/{}", self.named())));
        }
        groups
    }

    /// What chatctl asks AWS itself, with or without a role for CloudFormation.
    fn work_of_chatctl(&self, template: &Template, all: &mut Statements) {
        let stack = &self.settings.stack;
        let stacks = vec![
            self.here("cloudformation", &format!("stack/{stack}/*")),
            self.here("cloudformation", "changeSet/chatctl-*/*"),
        ];
        all.allow("Stack", actions::STACK, stacks);
        // Teardown looks at the other stacks, because stacks share published handlers.
        all.allow(
            "EveryStack",
            &["cloudformation:DescribeStacks"],
            vec!["*".into()],
        );
        let apis = arn(self.partition(), "apigateway", self.region, "", "/apis/*");
        all.allow("Api", &["apigateway:GET"], vec![apis]);
        // Metrics have no ARNs.
        all.allow("Metrics", &["cloudwatch:GetMetricData"], vec!["*".into()]);
        self.look_ups(all);
        self.notify(all);
        let has_functions = self.settings.has_functions();
        if has_functions || needs_bucket(template) {
            self.work_with_bucket(all);
        }
        if !has_functions {
            return;
        }
        let functions = vec![self.here("lambda", &format!("function:{}", self.named()))];
        all.allow(
            "Functions",
            &[
                "lambda:GetFunctionConfiguration",
                "lambda:UpdateFunctionCode",
            ],
            functions,
        );
        all.allow("Account", &["lambda:GetAccountSettings"], vec!["*".into()]);
        all.allow("Logs", &["logs:FilterLogEvents"], self.log_groups());
        if kinds(template).contains("AWS::DynamoDB::Table") {
            all.allow(
                "Table",
                &["dynamodb:DescribeTable"],
                vec![self.here("dynamodb", &format!("table/{stack}-*"))],
            );
        }
    }

    /// What CloudFormation does with the resources of `template`.
    fn work_of_cloudformation(&self, template: &Template, all: &mut Statements) {
        let (stack, rules) = (&self.settings.stack, &self.settings.aws.rules);
        for kind in kinds(template) {
            let wanted = actions::of_type(kind);
            let (nowhere, wanted): (Vec<&str>, Vec<&str>) = wanted
                .iter()
                .partition(|action| actions::ON_NOTHING.contains(action));
            all.allow("EveryLogGroup", &nowhere, vec!["*".into()]);
            if self.work_with(kind, &wanted, all) {
                continue;
            }
            match kind.split("::").nth(1).unwrap_or_default() {
                "DynamoDB" => {
                    all.allow(
                        "Table",
                        &wanted,
                        vec![self.here("dynamodb", &format!("table/{stack}-*"))],
                    );
                }
                "Lambda" => {
                    let mut wanted = wanted;
                    if has_property(template, "ReservedConcurrentExecutions") {
                        wanted.extend(actions::RESERVATION);
                    }
                    if has_property(template, "VpcConfig") {
                        all.allow("Network", actions::NETWORK, vec!["*".into()]);
                    }
                    all.allow(
                        "Functions",
                        &wanted,
                        vec![self.here("lambda", &format!("function:{}", self.named()))],
                    );
                }
                "Logs" => {
                    let mut wanted = wanted;
                    if rules.kms_key.is_some() {
                        wanted.extend(["logs:AssociateKmsKey", "logs:DisassociateKmsKey"]);
                    }
                    all.allow("Logs", &wanted, self.log_groups());
                }
                "IAM" => self.work_with_roles(wanted, all),
                _ => {
                    let on =
                        |resource| arn(self.partition(), "apigateway", self.region, "", resource);
                    all.allow(
                        "Api",
                        &wanted,
                        vec![on("/apis"), on("/apis/*"), on("/tags/*")],
                    );
                }
            }
        }
        if self.settings.has_functions() {
            all.pass("RolesOfFunctions", self.role(), "lambda.amazonaws.com");
            let objects = format!("{}/*", arn(self.partition(), "s3", "", "", self.bucket));
            all.allow("Handlers", &["s3:GetObject"], vec![objects]);
            if let Some(key) = &rules.kms_key {
                let through = format!("s3.{}.*", self.region);
                all.allow_through("KeyOfHandlers", &["kms:Decrypt"], key.as_ref(), &through);
                let through = format!("dynamodb.{}.*", self.region);
                all.allow_through("KeyOfTable", actions::KEY_OF_TABLE, key.as_ref(), &through);
            }
        }
        self.secrets(all);
        self.notify(all);
    }

    /// With a boundary, only roles that have it can be made and given policies. Without one, a policy that lets the user
    /// make roles for functions lets them have every permission through a function.
    fn work_with_roles(&self, mut wanted: Vec<&'static str>, all: &mut Statements) {
        let Some(boundary) = &self.settings.aws.rules.permissions_boundary else {
            return all.allow("Roles", &wanted, vec![self.role()]);
        };
        wanted.push("iam:PutRolePermissionsBoundary");
        let (bound, free): (Vec<&str>, Vec<&str>) = wanted
            .into_iter()
            .partition(|action| actions::BOUND.contains(action));
        all.allow("Roles", &free, vec![self.role()]);
        let condition = json!({ "StringEquals": { "iam:PermissionsBoundary": boundary.as_ref() } });
        all.allow_if("BoundRoles", &bound, vec![self.role()], condition);
    }

    /// CloudFormation reads the values of secret headers.
    fn secrets(&self, all: &mut Statements) {
        let (mut secrets, mut parameters) = (BTreeSet::new(), BTreeSet::new());
        let backends = self.settings.backends();
        for secret in backends.filter_map(|(_, backend)| backend.secret.as_ref()) {
            match &secret.reference {
                Reference::Parameter(name) => {
                    // The version is no part of a parameter's ARN.
                    let name = name.split(':').next().unwrap_or_default();
                    let name = name.trim_start_matches('/');
                    parameters.insert(self.here("ssm", &format!("parameter/{name}")))
                }
                Reference::Secret { id, .. } if id.starts_with("arn:") => {
                    secrets.insert(arn_in_policies(id))
                }
                // A secret's ARN ends in a hyphen and six random characters.
                Reference::Secret { id, .. } => {
                    secrets.insert(self.here("secretsmanager", &format!("secret:{id}-??????")))
                }
            };
        }
        for (id, action, on) in [
            ("Secrets", "secretsmanager:GetSecretValue", secrets),
            ("Parameters", "ssm:GetParameters", parameters),
        ] {
            if !on.is_empty() {
                all.allow(id, &[action], on.into_iter().collect::<Vec<String>>());
            }
        }
    }
}

/// Whether a function of `template` has this property.
fn has_property(template: &Template, property: &str) -> bool {
    let is_set = |resource: &Value| {
        resource["Type"] == "AWS::Lambda::Function" && !resource["Properties"][property].is_null()
    };
    template.resources().any(|(_, resource)| is_set(resource))
}

/// The types of a template's resources.
fn kinds(template: &Template) -> BTreeSet<&str> {
    let resources = template.resources();
    resources
        .filter_map(|(_, resource)| resource["Type"].as_str())
        .collect()
}
