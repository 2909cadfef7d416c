//! The settings of a function of the user's: its variables, its secrets, and how Lambda runs it.

pub(super) mod environment;
mod policy;
mod table;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;

use chat_protocol::secret::Reference;
use chat_protocol::variable;
use serde_json::{Value, json};

use super::arn::KeyArn;
use super::secret::LocalSecret;
pub(super) use table::{Environment, Given, Secrets, with_settings};
#[cfg(test)]
pub(super) use table::{KEYS, SecretTable};
pub use values::{LogLevel, Memory, ReservedConcurrency, SecurityGroupId, SubnetId, Timeout, Vpc};
pub(super) use values::{VariableName, VariableValue};

/// The most bytes of a function's variables
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub(super) const MAX_ENVIRONMENT_BYTES: usize = 4_096;

/// The settings of a function of the user's. With `None`, the template's value applies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FunctionSettings {
    /// Its variables, beside those that the stack sets.
    pub environment: BTreeMap<String, String>,
    /// Its secrets, by the names that it asks for.
    pub secrets: BTreeMap<String, Secret>,
    /// In MB.
    pub memory: Option<Memory>,
    /// In seconds.
    pub timeout: Option<Timeout>,
    /// The least level that its log keeps.
    pub log_level: Option<LogLevel>,
    /// How many of it may run at a time; none with zero.
    pub reserved_concurrency: Option<ReservedConcurrency>,
    /// The network that it can reach.
    pub vpc: Option<Vpc>,
}

/// A secret of a function. The config has its place, and never its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The place on AWS.
    pub reference: Reference,
    /// The key that encrypts it, if it is not AWS's own key for the service.
    pub kms_key: Option<KeyArn>,
    /// The place on this machine.
    pub local: Option<LocalSecret>,
}

impl FunctionSettings {
    /// The variables that the function gets beside those of the stack.
    pub fn variables(&self) -> BTreeMap<&str, String> {
        let given = self.environment.iter();
        let mut variables: BTreeMap<&str, String> = given
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        if !self.secrets.is_empty() {
            let places = self.secrets.iter();
            let places = places.map(|(name, secret)| (name.clone(), secret.reference.to_string()));
            let places = Value::Object(places.map(|(name, place)| (name, json!(place))).collect());
            variables.insert(variable::SECRETS, places.to_string());
        }
        variables
    }

    /// Takes over what `other` says of the same function.
    ///
    /// # Errors
    /// The key of a setting of which `other` has another value, or of which a name has one.
    pub(super) fn join(&mut self, other: &Self) -> Result<(), &'static str> {
        // A name is a variable or a secret, and the key at fault is the one that `other` has.
        let is_secret = |name: &String| other.secrets.contains_key(name);
        if self.environment.keys().any(is_secret) {
            return Err("secrets");
        }
        let is_variable = |name: &String| other.environment.contains_key(name);
        if self.secrets.keys().any(is_variable) {
            return Err("environment");
        }
        all(&mut self.environment, &other.environment).ok_or("environment")?;
        all(&mut self.secrets, &other.secrets).ok_or("secrets")?;
        one(&mut self.memory, &other.memory).ok_or("memory")?;
        one(&mut self.timeout, &other.timeout).ok_or("timeout")?;
        one(&mut self.log_level, &other.log_level).ok_or("log-level")?;
        let (most, same) = (&mut self.reserved_concurrency, &other.reserved_concurrency);
        one(most, same).ok_or("reserved-concurrency")?;
        one(&mut self.vpc, &other.vpc).ok_or("vpc")
    }

    /// The bytes that they take in the function's environment.
    pub(super) fn environment_bytes(&self) -> usize {
        let variables = self.variables();
        let sizes = variables
            .iter()
            .map(|(name, value)| environment::bytes(name, value));
        sizes.sum()
    }
}

/// Puts `other` in the place of nothing; `None` if there is another value.
fn one<T: Clone + PartialEq>(mine: &mut Option<T>, other: &Option<T>) -> Option<()> {
    match (&mine, other) {
        (Some(mine), Some(other)) if mine != other => None,
        (Some(_), _) => Some(()),
        (None, _) => {
            mine.clone_from(other);
            Some(())
        }
    }
}

/// Adds `others`; `None` if a name has another value.
fn all<T: Clone + PartialEq>(
    mine: &mut BTreeMap<String, T>,
    others: &BTreeMap<String, T>,
) -> Option<()> {
    for (name, value) in others {
        match mine.get(name) {
            Some(there) if there != value => return None,
            Some(_) => {}
            None => drop(mine.insert(name.clone(), value.clone())),
        }
    }
    Some(())
}
