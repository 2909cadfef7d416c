//! An account with a scripted CloudFormation.

use std::rc::Rc;

use super::*;
use crate::engine::Account;
use crate::engine::fake::asset;
use crate::engine::target::{Asset, AssetStore, FunctionCode, Functions, Gateways, Unready};
use crate::engine::{Holdings, Leftovers, Published, Tables, Uses};

/// A scripted CloudFormation, and the rest of an account beside it.
pub(super) struct FakeAccount {
    pub(super) stacks: Rc<CloudStacks<FakeCloud>>,
    pub(super) parts: Parts,
}

impl FakeAccount {
    /// The stack of `cloud` has `functions`, by logical id, and an API. They run `digest` unless their code is replaced.
    pub(super) fn new(cloud: FakeCloud, digest: &'static str, functions: &[&str]) -> Self {
        let resource = |id: &str, kind: &str| Resource {
            logical_id: id.to_owned(),
            physical_id: format!("chat-{id}"),
            resource_type: format!("AWS::{kind}"),
        };
        let api = resource("Api", "ApiGatewayV2::Api");
        let resources = functions.iter().map(|id| resource(id, "Lambda::Function"));
        *cloud.resources.borrow_mut() = resources.chain([api]).collect();
        let stacks = Rc::new(CloudStacks::new(cloud));
        Self {
            stacks: Rc::clone(&stacks),
            parts: Parts {
                stacks,
                digest,
                swapped: RefCell::default(),
                bucket: Ok(true),
                uses: Some(Uses::default()),
            },
        }
    }

    /// Writes down what happens beside CloudFormation's part.
    pub(super) fn note(&self, line: impl Into<String>) {
        self.stacks.cloud.note(line);
    }
}

impl Account for FakeAccount {
    type Handlers = &'static str;
    type CloudFormation = FakeCloud;
    type Store = Parts;
    type Functions = Parts;
    type Gateways = Parts;

    fn region(&self) -> &str {
        "eu-west-1"
    }

    fn stacks(&self) -> &CloudStacks<FakeCloud> {
        &self.stacks
    }

    fn store(&self) -> &Parts {
        &self.parts
    }

    fn functions(&self) -> &Parts {
        &self.parts
    }

    fn gateways(&self) -> &Parts {
        &self.parts
    }

    fn obstacle(&self) -> Option<&'static str> {
        None
    }
}

/// A store, functions, a gateway and tables.
pub(super) struct Parts {
    stacks: Rc<CloudStacks<FakeCloud>>,
    /// Whether there is a bucket, or why that is not known.
    pub(super) bucket: Result<bool, &'static str>,
    /// What is recorded in the bucket; `None` where it may not be read.
    pub(super) uses: Option<Uses>,
    digest: &'static str,
    swapped: RefCell<Vec<String>>,
}

impl AssetStore for Parts {
    type Handlers = &'static str;

    async fn locate(&self, _: &StackName, handlers: &&'static str) -> Result<Asset, TargetError> {
        Ok(asset(handlers))
    }

    async fn publish(&self, _: &StackName, handlers: &&'static str) -> Result<Asset, TargetError> {
        match *handlers {
            "denied" => Err(TargetError::new(ErrorKind::Denied, "no such bucket")),
            handlers => Ok(asset(handlers)),
        }
    }
}

impl Functions for Parts {
    async fn code(&self, function: &str) -> Result<FunctionCode, TargetError> {
        let is_swapped = self.swapped.borrow().iter().any(|name| name == function);
        Ok(FunctionCode {
            digest: if is_swapped { "k1" } else { self.digest }.into(),
            trouble: None,
        })
    }

    async fn replace_code(&self, function: &str, _: &Asset) -> Result<(), TargetError> {
        self.swapped.borrow_mut().push(function.to_owned());
        Ok(())
    }
}

impl Gateways for Parts {
    async fn stage_trouble(
        &self,
        _: &str,
        _: &crate::config::names::StageName,
    ) -> Result<Option<Unready>, TargetError> {
        Ok(None)
    }

    async fn endpoint(
        &self,
        _: &str,
        _: &crate::config::names::StageName,
    ) -> Result<Option<String>, TargetError> {
        Ok(Some("wss://fake/v1".to_owned()))
    }
}

impl Holdings for FakeAccount {
    type Tables = Parts;

    fn tables(&self) -> &Parts {
        &self.parts
    }
}

impl Tables for Parts {
    async fn items(&self, _: &str) -> Result<Option<u64>, TargetError> {
        Ok(Some(7))
    }
}

impl Published for Parts {
    fn bucket(&self) -> &str {
        "b"
    }

    async fn exists(&self) -> Result<bool, TargetError> {
        self.stacks.cloud.note("look for the bucket");
        self.bucket
            .map_err(|words| TargetError::new(ErrorKind::Unreachable, words))
    }

    async fn uses(&self) -> Result<Uses, TargetError> {
        let denied = || TargetError::new(ErrorKind::Denied, "may not list it");
        self.uses.clone().ok_or_else(denied)
    }

    async fn forget(&self, _: &StackName, leftovers: &Leftovers) -> Result<(), TargetError> {
        let short = |keys: &std::collections::BTreeSet<String>| {
            let keys: Vec<_> = keys.iter().map(|key| &key[..1]).collect();
            keys.join(" ")
        };
        self.stacks.cloud.note(format!(
            "remove [{}], and the records of [{}]",
            short(&leftovers.unused),
            short(&leftovers.used)
        ));
        Ok(())
    }
}
