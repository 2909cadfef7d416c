//! Resolved stacks for tests, built by hand.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chatctl_local::iam::Policy;
use chatctl_local::unstable::stack::{
    Api, Authorization, Authorizer, EventPolicy, Function, Identity, Integration, IntegrationKind,
    Permission, Resource, Role, Route, Stack, Stage, Table,
};
use serde_json::{Value, json};

pub(crate) const API: &str = "a1b2c3d4e5";
pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-central-1";

/// A stack under construction. Every route has its own function, which every route may invoke.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) stack: Stack,
    pub(crate) code: BTreeMap<String, PathBuf>,
    bootstrap: (PathBuf, BTreeMap<String, String>),
}

impl Setup {
    /// A stack with only the API and its stage `v1`.
    pub(crate) fn empty(bootstrap: (PathBuf, BTreeMap<String, String>)) -> Self {
        let identity = Identity {
            stack_name: "test".to_owned(),
            region: REGION.to_owned(),
            account_id: ACCOUNT.to_owned(),
            seed: "test".to_owned(),
        };
        let stage = Stage {
            logical_id: "Stage".to_owned(),
            name: "v1".to_owned(),
            variables: BTreeMap::new(),
            deployed: Some(Vec::new()),
            throttles: BTreeMap::new(),
        };
        let api = Api {
            logical_id: "Api".to_owned(),
            id: API.to_owned(),
            route_selection_expression: "$request.body.action".to_owned(),
            routes: BTreeMap::new(),
            integrations: BTreeMap::new(),
            authorizers: BTreeMap::new(),
            stages: BTreeMap::from([("v1".to_owned(), stage)]),
        };
        let stack = Stack {
            identity,
            resources: vec![resource("Api", "AWS::ApiGatewayV2::Api", API)],
            api,
            functions: BTreeMap::new(),
            permissions: Vec::new(),
            tables: BTreeMap::new(),
            roles: BTreeMap::new(),
            outputs: BTreeMap::from([("Url".to_owned(), "wss://x".to_owned())]),
            warnings: Vec::new(),
        };
        Self {
            stack,
            code: BTreeMap::new(),
            bootstrap,
        }
    }

    /// `$connect`, `$disconnect` and `$default`, with functions `connect`, `disconnect` and `default`.
    pub(crate) fn chat(self) -> Self {
        self.route("$connect", "connect")
            .route("$disconnect", "disconnect")
            .route("$default", "default")
    }

    /// A one-way route and its function.
    pub(crate) fn route(mut self, key: &str, function: &str) -> Self {
        self.add_function(function);
        let integration = Integration {
            logical_id: format!("{function}Integration"),
            kind: IntegrationKind::Function {
                arn: function_arn(function),
            },
            timeout: Duration::from_secs(29),
        };
        self.stack
            .api
            .integrations
            .insert(function.to_owned(), integration);
        let route = Route {
            logical_id: format!("{function}Route"),
            key: key.to_owned(),
            integration: Some(function.to_owned()),
            authorization: Authorization::None,
            two_way: false,
            request_parameters: BTreeMap::new(),
            validation: None,
        };
        self.stack.api.routes.insert(key.to_owned(), route);
        for stage in self.stack.api.stages.values_mut() {
            stage.deployed.get_or_insert_default().push(key.to_owned());
        }
        self
    }

    /// A route whose responses go back to the sender.
    pub(crate) fn two_way(self, key: &str, function: &str) -> Self {
        let mut setup = self.route(key, function);
        setup.stack.api.routes.get_mut(key).unwrap().two_way = true;
        setup
    }

    /// Adds a function `authorize` as the authorizer of `$connect`.
    pub(crate) fn authorizer(mut self, identity_sources: &[&str]) -> Self {
        self.add_function("authorize");
        let authorizer = Authorizer {
            logical_id: "Authorizer".to_owned(),
            function_arn: function_arn("authorize"),
            identity_sources: identity_sources
                .iter()
                .map(|source| (*source).to_owned())
                .collect(),
        };
        self.stack
            .api
            .authorizers
            .insert("auth01".to_owned(), authorizer);
        let connect = self.stack.api.routes.get_mut("$connect").unwrap();
        connect.authorization = Authorization::Custom("auth01".to_owned());
        self
    }

    /// Sets the timeout of the integration of `key`.
    pub(crate) fn integration_timeout(mut self, key: &str, timeout: Duration) -> Self {
        let integration = self.stack.api.routes[key].integration.clone().unwrap();
        self.stack
            .api
            .integrations
            .get_mut(&integration)
            .unwrap()
            .timeout = timeout;
        self
    }

    /// Replaces the permissions of every function's role by these statements.
    pub(crate) fn policy(mut self, statements: &Value) -> Self {
        let policy =
            Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statements })).unwrap();
        self.stack.roles.get_mut(&role_arn()).unwrap().policies = vec![policy];
        self
    }

    /// A table with the keys `pk` and `sk`.
    pub(crate) fn table(mut self, name: &str) -> Self {
        let table = Table {
            logical_id: format!("{name}Table"),
            name: name.to_owned(),
            arn: table_arn(name),
            create: json!({
                "TableName": name,
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    { "AttributeName": "pk", "AttributeType": "S" },
                    { "AttributeName": "sk", "AttributeType": "S" },
                ],
                "KeySchema": [
                    { "AttributeName": "pk", "KeyType": "HASH" },
                    { "AttributeName": "sk", "KeyType": "RANGE" },
                ],
            }),
            ttl_attribute: Some("ttl".to_owned()),
        };
        self.stack
            .resources
            .push(resource(&table.logical_id, "AWS::DynamoDB::Table", name));
        self.stack.tables.insert(table.logical_id.clone(), table);
        self
    }

    pub(crate) fn edit(mut self, edit: impl FnOnce(&mut Stack)) -> Self {
        edit(&mut self.stack);
        self
    }

    /// A function without a route.
    pub(crate) fn function(mut self, name: &str) -> Self {
        self.add_function(name);
        self
    }

    fn add_function(&mut self, name: &str) {
        let (executable, environment) = self.bootstrap.clone();
        let function = Function {
            logical_id: name.to_owned(),
            name: name.to_owned(),
            arn: function_arn(name),
            role_arn: role_arn(),
            handler: format!("{name}-handler"),
            memory_size: 256,
            timeout: Duration::from_secs(30),
            environment,
            reserved_concurrency: None,
            log_group: format!("/aws/lambda/{name}"),
            events: EventPolicy::default(),
        };
        self.stack
            .resources
            .push(resource(name, "AWS::Lambda::Function", name));
        self.stack.functions.insert(name.to_owned(), function);
        self.code.insert(name.to_owned(), executable);
        self.stack.permissions.push(Permission {
            logical_id: format!("{name}Permission"),
            function_arn: function_arn(name),
            principal: "apigateway.amazonaws.com".to_owned(),
            source_arn: Some(format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{API}/*")),
        });
        let all = json!({ "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
        let role = Role {
            logical_id: "Role".to_owned(),
            arn: role_arn(),
            policies: vec![Policy::parse(&all).unwrap()],
        };
        self.stack.roles.entry(role_arn()).or_insert(role);
    }
}

pub(crate) fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

pub(crate) fn table_arn(name: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}")
}

fn role_arn() -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/chat-role")
}

fn resource(logical_id: &str, resource_type: &str, physical_id: &str) -> Resource {
    Resource::new(logical_id, resource_type, physical_id, "")
}
