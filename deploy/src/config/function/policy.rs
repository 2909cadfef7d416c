//! What a function's role may do because of its settings. Everything follows from them, and nothing more is granted.

use std::collections::BTreeSet;

use chat_protocol::secret::Reference;
use serde_json::{Value, json};

use super::{FunctionSettings, Secret, Vpc};
use crate::config::secret::arn_in_policies;

const HERE: &str = "${AWS::Region}:${AWS::AccountId}";

impl FunctionSettings {
    /// The policies of the role beside those of the stack and of `permissions`, by name.
    pub fn policies(&self) -> Vec<(&'static str, Value)> {
        let mut policies = Vec::new();
        if !self.secrets.is_empty() {
            policies.push(("secrets", document(self.reading())));
        }
        if let Some(vpc) = &self.vpc {
            policies.push(("network", network(vpc)));
        }
        policies
    }

    /// The most characters that they take in the role's policies.
    pub(in crate::config) fn policies_bytes(&self) -> usize {
        let policies = self.policies();
        let sizes = policies.iter().map(|(_, document)| {
            // Every name that only the deployment has, at its longest.
            document
                .to_string()
                .replace("{\"Fn::Sub\":", "")
                .replace("${AWS::Partition}", "aws-us-gov")
                .replace("${AWS::Region}", "us-isof-south-1")
                .replace("${AWS::AccountId}", "123456789012")
                .len()
        });
        sizes.sum()
    }

    /// Statements that let the function read its secrets.
    fn reading(&self) -> Vec<Value> {
        let (mut parameters, mut secrets) = (BTreeSet::new(), BTreeSet::new());
        let mut keys = BTreeSet::new();
        for secret in self.secrets.values() {
            match &secret.reference {
                Reference::Parameter(name) => parameters.insert(parameter(name)),
                Reference::Secret { id, .. } => secrets.insert(secret_of(id)),
            };
            keys.extend(secret.decrypting());
        }
        let read = |action: &str, on: BTreeSet<Name>| {
            let on: Vec<_> = on.into_iter().map(Name::value).collect();
            (!on.is_empty())
                .then(|| json!({ "Effect": "Allow", "Action": [action], "Resource": on }))
        };
        let mut statements: Vec<Value> = [
            read("ssm:GetParameter", parameters),
            read("secretsmanager:GetSecretValue", secrets),
        ]
        .into_iter()
        .flatten()
        .collect();
        for (key, service) in keys {
            // The suffix is another one in China.
            let via =
                json!({ "Fn::Sub": format!("{service}.${{AWS::Region}}.${{AWS::URLSuffix}}") });
            statements.push(json!({
                "Effect": "Allow",
                "Action": ["kms:Decrypt"],
                "Resource": [key],
                "Condition": { "StringEquals": { "kms:ViaService": via } },
            }));
        }
        statements
    }
}

impl Secret {
    /// The key that the function has to use to read it, and the service through which. AWS's own keys for parameters and
    /// secrets need no permission
    /// (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html>,
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html>).
    fn decrypting(&self) -> Option<(String, &'static str)> {
        let service = match self.reference {
            Reference::Parameter(_) => "ssm",
            Reference::Secret { .. } => "secretsmanager",
        };
        self.kms_key.as_ref().map(|key| (key.to_string(), service))
    }
}

/// A resource's ARN, as it stands or with pseudo parameters.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Plain(String),
    Sub(String),
}

impl Name {
    fn value(self) -> Value {
        match self {
            Self::Plain(arn) => json!(arn),
            Self::Sub(arn) => json!({ "Fn::Sub": arn }),
        }
    }
}

/// The version is no part of a parameter's ARN.
fn parameter(name: &str) -> Name {
    let name = name
        .split(':')
        .next()
        .unwrap_or_default()
        .trim_start_matches('/');
    Name::Sub(format!(
        "arn:${{AWS::Partition}}:ssm:{HERE}:parameter/{name}"
    ))
}

/// A name leaves out the hyphen and the six random characters at the end of a secret's ARN.
fn secret_of(id: &str) -> Name {
    match id.starts_with("arn:") {
        true => Name::Plain(arn_in_policies(id)),
        false => Name::Sub(format!(
            "arn:${{AWS::Partition}}:secretsmanager:{HERE}:secret:{id}-??????"
        )),
    }
}

/// Lambda makes and removes the function's network interfaces with the function's role. The function's own code gets none of
/// these permissions (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html>).
fn network(vpc: &Vpc) -> Value {
    let ec2 = |resource: &str| json!({ "Fn::Sub": format!("arn:${{AWS::Partition}}:ec2:{HERE}:{resource}") });
    let mut of_interfaces = vec![ec2("network-interface/*")];
    of_interfaces.extend(
        vpc.subnets
            .iter()
            .map(|id| ec2(&format!("subnet/{}", id.as_ref()))),
    );
    of_interfaces.extend(
        vpc.security_groups
            .iter()
            .map(|id| ec2(&format!("security-group/{}", id.as_ref()))),
    );
    let functions = format!("arn:${{AWS::Partition}}:lambda:{HERE}:function:*");
    document(vec![
        json!({
            "Effect": "Allow",
            "Action": ["ec2:CreateNetworkInterface"],
            "Resource": of_interfaces,
        }),
        json!({
            "Effect": "Allow",
            "Action": ["ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"],
            "Resource": [ec2("network-interface/*")],
        }),
        // Lambda does not find its interfaces again if this is allowed on single ones.
        json!({
            "Effect": "Allow",
            "Action": ["ec2:DeleteNetworkInterface"],
            "Resource": [ec2("*/*")],
        }),
        // EC2 allows these on everything or on nothing.
        json!({
            "Effect": "Allow",
            "Action": ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
            "Resource": ["*"],
        }),
        json!({
            "Effect": "Deny",
            "Action": NETWORK,
            "Resource": ["*"],
            "Condition": { "ArnLike": { "lambda:SourceFunctionArn": { "Fn::Sub": functions } } },
        }),
    ])
}

const NETWORK: [&str; 6] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];

fn document(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}
