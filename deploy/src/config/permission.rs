//! The permissions of a custom handler, as the config declares them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::names::{RouteKey, StackName, StageName};
#[cfg(test)]
use super::schema::shape;

/// Allowed actions on some resources.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grant {
    /// IAM actions, each spelled out, such as `dynamodb:Query`.
    #[serde(deserialize_with = "at_least_one")]
    #[cfg_attr(test, schemars(with = "Vec<shape::Action>", length(min = 1)))]
    pub actions: Vec<Action>,
    /// What they are allowed on: `table`, `connections`, or an ARN.
    #[serde(deserialize_with = "at_least_one")]
    #[cfg_attr(test, schemars(with = "Vec<shape::Granted>", length(min = 1)))]
    pub resources: Vec<Granted>,
}

/// An IAM action, such as `dynamodb:Query`: one, spelled out
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Action(String);

/// A resource that a permission covers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Granted {
    /// This stack's table.
    Table,
    /// The connections of this stack's API and stage.
    Connections,
    /// The same, for posts and for closing.
    Ending,
    /// The same, for a notice to the sender.
    Noticing,
    /// Something else, by its ARN.
    Arn(String),
}

impl Grant {
    /// What a handler needs beside its own permissions to tell a client that its token has expired, and to end the connection.
    pub(super) fn ending() -> Self {
        let action = Action("execute-api:ManageConnections".into());
        Self {
            actions: vec![action],
            resources: vec![Granted::Ending],
        }
    }
}

impl Grant {
    /// What a handler needs to count the messages of a connection.
    pub(super) fn counting() -> Self {
        Self {
            actions: vec![Action("dynamodb:UpdateItem".into())],
            resources: vec![Granted::Table],
        }
    }

    /// What a handler needs to tell a client that a message was refused.
    pub(super) fn noticing() -> Self {
        Self {
            actions: vec![Action("execute-api:ManageConnections".into())],
            resources: vec![Granted::Noticing],
        }
    }
}

impl Granted {
    /// The methods of the @connections API that it is about.
    pub(crate) const fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Connections => &["POST", "GET", "DELETE"],
            Self::Ending => &["POST", "DELETE"],
            Self::Noticing => &["POST"],
            Self::Table | Self::Arn(_) => &[],
        }
    }
}

/// The most characters that the policies in a role may have together; white space is not counted
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
pub(crate) const MAX_POLICIES_BYTES: usize = 10_240;

/// The size in characters of the policies in a handler's role, given `grants` by the route with `key`.
///
/// Values that only the deployment has, such as account and Region, count with the longest possible value.
pub(crate) fn size_of_policies(
    grants: &[Grant],
    key: &RouteKey,
    stack: &StackName,
    stage: &StageName,
) -> usize {
    // Names that CloudFormation makes end in a hyphen and up to 13 characters.
    let named = |service: &str, name: String| {
        format!("arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}:{name}-{SUFFIX}")
    };
    // The resource's name in the template has 8 more characters where the key alone does not make one.
    let logs = named(
        "logs",
        format!("log-group:{stack}-DefaultHandlerLogs{key}{SUFFIX}"),
    ) + ":*";
    let resources = |grant: &Grant| {
        let of = grant.resources.iter().flat_map(|resource| match resource {
            Granted::Table => vec![named("dynamodb", format!("table/{stack}-Connections"))],
            Granted::Arn(arn) => vec![arn.clone()],
            Granted::Connections | Granted::Ending | Granted::Noticing => resource
                .methods()
                .iter()
                .map(|method| {
                    format!(
                        "arn:{PARTITION}:execute-api:{REGION}:{ACCOUNT}:{API}/{stage}/{method}/@connections/*"
                    )
                })
                .collect(),
        });
        of.collect::<Vec<_>>()
    };
    let statement = |actions: Value, resources: Vec<String>| json!({ "Effect": "Allow", "Action": actions, "Resource": resources });
    let granted = grants
        .iter()
        .map(|grant| statement(json!(grant.actions), resources(grant)));
    let log = json!(["logs:CreateLogStream", "logs:PutLogEvents"]);
    let documents = [vec![statement(log, vec![logs])], granted.collect()]
        .into_iter()
        .filter(|statements| !statements.is_empty());
    documents
        .map(|statements| {
            json!({ "Version": "2012-10-17", "Statement": statements })
                .to_string()
                .len()
        })
        .sum()
}

/// The longest that exists.
const PARTITION: &str = "aws-us-gov";
const REGION: &str = "us-isof-south-1";
const ACCOUNT: &str = "123456789012";
const API: &str = "abcdefghij";
const SUFFIX: &str = "ABCDEFGHIJKLM";

impl TryFrom<String> for Action {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.contains(['*', '?']) {
            return Err(format!(
                "{text:?} also allows actions that are not visible here, and those that AWS adds later: name each \
                 action, for example \"dynamodb:Query\""
            ));
        }
        let is_action = text.split_once(':').is_some_and(|(service, action)| {
            !service.is_empty()
                && service
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && action.starts_with(|c: char| c.is_ascii_uppercase())
                && action.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        if is_action {
            return Ok(Self(text));
        }
        Err(format!(
            "{text:?} is not an action: a service and one of its actions, for example \"dynamodb:Query\""
        ))
    }
}

impl From<Action> for String {
    fn from(action: Action) -> String {
        action.0
    }
}

impl TryFrom<String> for Granted {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "table" => return Ok(Self::Table),
            "connections" => return Ok(Self::Connections),
            "*" => {
                return Err(
                    "\"*\" is everything in the account: name the resource: \"table\", \"connections\" or an ARN".into(),
                );
            }
            _ => {}
        }
        // arn:partition:service:region:account:resource
        let parts: Vec<_> = text.splitn(6, ':').collect();
        let plain = |c: char| c.is_ascii_graphic() && !"\"'${}\\".contains(c);
        match parts[..] {
            ["arn", partition, service, _, _, resource]
                if !partition.is_empty() && !service.is_empty() && text.chars().all(plain) =>
            {
                if [partition, service].concat().contains(['*', '?'])
                    || !resource.is_empty() && resource.chars().all(|c| "*?:/".contains(c))
                {
                    return Err(format!(
                        "{text:?} is everything of a service: name the resource; wildcards may only replace parts of its name"
                    ));
                }
                if resource.is_empty() {
                    return Err(format!("{text:?} names no resource"));
                }
                Ok(Self::Arn(text))
            }
            _ => Err(format!(
                "{text:?} is not a resource: \"table\", \"connections\" or an ARN (arn:aws:SERVICE:REGION:ACCOUNT:NAME)"
            )),
        }
    }
}

/// IAM refuses a statement with an empty list.
fn at_least_one<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let list = Vec::deserialize(deserializer)?;
    if list.is_empty() {
        return Err(serde::de::Error::custom("the list is empty"));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of<T: TryFrom<String, Error = String> + std::fmt::Debug>(text: &str) -> String {
        T::try_from(text.to_owned()).expect_err("must be refused")
    }

    #[test]
    fn an_action_is_a_service_and_one_of_its_actions() {
        for action in [
            "dynamodb:Query",
            "execute-api:ManageConnections",
            "s3:GetObject",
        ] {
            assert_eq!(
                String::from(Action::try_from(action.to_owned()).unwrap()),
                action
            );
        }
        for text in [
            "Query",
            "dynamodb:",
            ":Query",
            "dynamodb:query",
            "dynamodb:Query Item",
            "",
        ] {
            assert!(error_of::<Action>(text).contains("is not an action"));
        }
    }

    #[test]
    fn wildcards_are_refused_with_the_reason() {
        assert!(error_of::<Action>("dynamodb:*").contains("name each action"));
        assert!(error_of::<Action>("*").contains("name each action"));
        assert!(error_of::<Granted>("*").contains("everything in the account"));
        for arn in [
            "arn:aws:s3:::*",
            "arn:aws:s3:::**",
            "arn:aws:s3:::*/*",
            "arn:aws:sns:r:1:?*",
        ] {
            assert!(error_of::<Granted>(arn).contains("everything of a service"));
        }
        assert!(error_of::<Granted>("arn:aws:*:::x").contains("everything of a service"));
    }

    #[test]
    fn a_resource_is_one_of_two_words_or_an_arn() {
        let of = |text: &str| Granted::try_from(text.to_owned()).unwrap();
        assert_eq!(
            [of("table"), of("connections")],
            [Granted::Table, Granted::Connections]
        );
        let arn = "arn:aws:s3:::bucket/pictures/*";
        assert_eq!(of(arn), Granted::Arn(arn.into()));
        for text in ["tables", "arn:aws:s3", "arn:aws:s3:::${x}", "arn::s3:::x"] {
            assert!(error_of::<Granted>(text).contains("is not a resource"));
        }
        assert!(error_of::<Granted>("arn:aws:s3:::").contains("names no resource"));
    }
}
