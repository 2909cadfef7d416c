//! The settings of a function, as a table of the file has them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::{
    FunctionSettings, LogLevel, MAX_ENVIRONMENT_BYTES, Memory, ReservedConcurrency, Secret,
    Timeout, VariableName, VariableValue, Vpc,
};
use crate::config::arn::KeyArn;
use crate::config::permission::MAX_POLICIES_BYTES;
#[cfg(test)]
use crate::config::schema::{self, shape};
use crate::config::secret::{local, reference};

/// What is wrong, and where in the config's text.
type Problem = (Range<usize>, String);

/// Where a secret of a function is: on AWS, and on this machine.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline, extend("allOf" = schema::rules_of_secrets())))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::config) struct SecretTable {
    /// On AWS: the name or ARN of a secret of Secrets Manager.
    secretsmanager: Option<String>,
    /// The key of the value, where the secret is JSON.
    json_key: Option<String>,
    /// On AWS, instead: the name of a parameter of Systems Manager (`String` or `SecureString`).
    ssm: Option<String>,
    /// The ARN of the KMS key that encrypts it, unless that is AWS's own key for the service.
    #[cfg_attr(test, schemars(with = "Option<shape::KeyArn>"))]
    kms_key: Option<Spanned<KeyArn>>,
    /// On this machine: the environment variable with the value.
    variable: Option<String>,
    /// On this machine, instead: the file with the value.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    file: Option<PathBuf>,
}

/// The variables of a function by their names.
pub(in crate::config) type Environment = BTreeMap<VariableName, VariableValue>;

/// The secrets of a function by their names.
pub(in crate::config) type Secrets = BTreeMap<VariableName, Spanned<SecretTable>>;

/// The keys of the settings, in the order of [`Given`].
pub(in crate::config) const KEYS: [&str; 8] = [
    "binary",
    "environment",
    "secrets",
    "memory",
    "timeout",
    "log-level",
    "reserved-concurrency",
    "vpc",
];

/// The settings that a table has for one of its functions, whatever else it has.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct Given<'a> {
    /// What the table's keys begin with.
    pub(in crate::config) prefix: &'static str,
    pub(in crate::config) binary: Option<&'a Spanned<String>>,
    pub(in crate::config) environment: Option<&'a Spanned<Environment>>,
    pub(in crate::config) secrets: Option<&'a Spanned<Secrets>>,
    pub(in crate::config) memory: Option<&'a Spanned<Memory>>,
    pub(in crate::config) timeout: Option<&'a Spanned<Timeout>>,
    pub(in crate::config) log_level: Option<&'a Spanned<LogLevel>>,
    pub(in crate::config) reserved_concurrency: Option<&'a Spanned<ReservedConcurrency>>,
    pub(in crate::config) vpc: Option<&'a Spanned<Vpc>>,
}

/// Defines a table of the file with the settings of functions of the user's: their keys, what the reference says of them, and a
/// method that has them all. This is the one list of them; serde's own way to share fields (`flatten`) loses their places.
///
/// Each `settings` names the method, the key that names the function's crate, what the settings' keys begin with, the seconds of
/// a function without `timeout` if it has that key, and a field for each setting.
macro_rules! with_settings {
    (
        $(#[$of_table:meta])*
        $vis:vis struct $table:ident { $($own:tt)* }
        $(
            settings $method:ident($owner:literal, $prefix:literal $(, $timeout:ident = $seconds:literal)?):
            $binary:ident $environment:ident $secrets:ident $memory:ident $log_level:ident $reserved:ident $vpc:ident;
        )+
    ) => {
        $(#[$of_table])*
        $vis struct $table {
            $($own)*
            $(
                #[doc = concat!("For `", $owner, "`: the crate's binary, where it has several.")]
                #[cfg_attr(test, schemars(with = "Option<crate::config::schema::shape::Binary>"))]
                $binary: Option<Spanned<String>>,
                #[doc = concat!("For `", $owner, "`: variables of the function, beside those of the stack.")]
                #[cfg_attr(test, schemars(with = "Option<crate::config::schema::shape::Environment>"))]
                $environment: Option<Spanned<$crate::config::function::Environment>>,
                #[doc = concat!("For `", $owner, "`: the function's secrets, by the names that it asks for. Their values are never in the template.")]
                #[cfg_attr(test, schemars(with = "Option<std::collections::BTreeMap<String, crate::config::function::SecretTable>>"))]
                $secrets: Option<Spanned<$crate::config::function::Secrets>>,
                #[doc = concat!("For `", $owner, "`: the function's memory in MB. Without it, 128.")]
                #[cfg_attr(test, schemars(with = "Option<crate::config::schema::shape::Memory>"))]
                $memory: Option<Spanned<$crate::config::function::Memory>>,
                $(
                    #[doc = concat!("For `", $owner, "`: the seconds that the function has. Without it, ", $seconds, ".")]
                    #[cfg_attr(test, schemars(with = "Option<crate::config::schema::shape::Timeout>"))]
                    $timeout: Option<Spanned<$crate::config::function::Timeout>>,
                )?
                #[doc = concat!("For `", $owner, "`: the least level that the function's log keeps. Without it, `info`.")]
                #[cfg_attr(test, schemars(with = "Option<crate::config::schema::shape::LogLevel>"))]
                $log_level: Option<Spanned<$crate::config::function::LogLevel>>,
                #[doc = concat!("For `", $owner, "`: how many of the function may run at a time; with 0, none does. Without it, the account's limit applies.")]
                #[cfg_attr(test, schemars(with = "Option<crate::config::schema::shape::ReservedConcurrency>"))]
                $reserved: Option<Spanned<$crate::config::function::ReservedConcurrency>>,
                #[doc = concat!("For `", $owner, "`: the subnets and security groups of a VPC that the function can reach.")]
                #[cfg_attr(test, schemars(with = "Option<crate::config::function::Vpc>"))]
                $vpc: Option<Spanned<$crate::config::function::Vpc>>,
            )+
        }

        impl $table {
            $(
                #[doc = concat!("The settings of the function that `", $owner, "` names.")]
                pub(in crate::config) fn $method(&self) -> $crate::config::function::Given<'_> {
                    $crate::config::function::Given {
                        prefix: $prefix,
                        binary: self.$binary.as_ref(),
                        environment: self.$environment.as_ref(),
                        secrets: self.$secrets.as_ref(),
                        memory: self.$memory.as_ref(),
                        timeout: None $( .or(self.$timeout.as_ref()) )?,
                        log_level: self.$log_level.as_ref(),
                        reserved_concurrency: self.$reserved.as_ref(),
                        vpc: self.$vpc.as_ref(),
                    }
                }
            )+
        }
    };
}
pub(in crate::config) use with_settings;

impl Given<'_> {
    /// The first setting that is there as the table has it, and its place.
    pub(in crate::config) fn first(&self) -> Option<(String, Range<usize>)> {
        let places = self.places().into_iter().zip(KEYS);
        places
            .filter_map(|(place, key)| Some((format!("{}{key}", self.prefix), place?)))
            .next()
    }

    /// The place of the setting with the name `key`, one of [`KEYS`].
    pub(in crate::config) fn place(&self, key: &str) -> Option<Range<usize>> {
        let mut places = self.places().into_iter().zip(KEYS);
        places.find(|(_, name)| *name == key)?.0
    }

    fn places(&self) -> [Option<Range<usize>>; KEYS.len()] {
        [
            self.binary.map(Spanned::span),
            self.environment.map(Spanned::span),
            self.secrets.map(Spanned::span),
            self.memory.map(Spanned::span),
            self.timeout.map(Spanned::span),
            self.log_level.map(Spanned::span),
            self.reserved_concurrency.map(Spanned::span),
            self.vpc.map(Spanned::span),
        ]
    }

    /// The binary of the crate that is the function.
    ///
    /// # Errors
    /// It is no name that cargo takes.
    pub(in crate::config) fn binary(&self) -> Result<Option<String>, Problem> {
        let Some(name) = self.binary else {
            return Ok(None);
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let text = name.get_ref();
        let is_name = !text.is_empty() && !text.starts_with('-') && text.bytes().all(allowed);
        match is_name {
            true => Ok(Some(text.clone())),
            false => Err((
                name.span(),
                format!(
                    "{text:?} is not the name of a binary: letters, digits, `_` and `-`, as in the crate's Cargo.toml or src/bin"
                ),
            )),
        }
    }

    /// The settings, where files with secrets are looked for in `folder`.
    ///
    /// # Errors
    /// What is wrong with them, with its place.
    pub(in crate::config) fn settings(&self, folder: &Path) -> Result<FunctionSettings, Problem> {
        let environment = self.environment.map(Spanned::get_ref);
        let mut secrets = BTreeMap::new();
        for (name, table) in self.secrets.map(Spanned::get_ref).into_iter().flatten() {
            if environment.is_some_and(|variables| variables.contains_key(name)) {
                let message = format!(
                    "`{}` is both a variable and a secret: choose another name for one of them",
                    name.0
                );
                return Err((table.span(), message));
            }
            let secret =
                table.get_ref().clone().secret(folder).map_err(|reason| {
                    (table.span(), format!("the secret `{}`: {reason}", name.0))
                })?;
            secrets.insert(name.0.clone(), secret);
        }
        let environment = environment.into_iter().flatten();
        Ok(FunctionSettings {
            environment: environment
                .map(|(name, value)| (name.0.clone(), value.0.clone()))
                .collect(),
            secrets,
            memory: self.memory.map(|it| *it.get_ref()),
            timeout: self.timeout.map(|it| *it.get_ref()),
            log_level: self.log_level.map(|it| *it.get_ref()),
            reserved_concurrency: self.reserved_concurrency.map(|it| *it.get_ref()),
            vpc: self.vpc.map(|it| it.get_ref().clone()),
        })
    }

    /// Checks that the function's variables fit beside `own` bytes of the stack's.
    ///
    /// # Errors
    /// They are too large.
    pub(in crate::config) fn check_environment(&self, own: usize) -> Result<(), Problem> {
        self.check_environment_of(&self.settings(Path::new(""))?, own)
    }

    /// The same for a function with `settings`, of which these are a part.
    pub(in crate::config) fn check_environment_of(
        &self,
        settings: &FunctionSettings,
        own: usize,
    ) -> Result<(), Problem> {
        let bytes = settings.environment_bytes() + own;
        let place = self
            .environment
            .map(Spanned::span)
            .or(self.secrets.map(Spanned::span));
        match place {
            Some(place) if bytes > MAX_ENVIRONMENT_BYTES => Err((
                place,
                format!(
                    "the function's variables come to {bytes} bytes with the {own} of the stack's own, and AWS Lambda takes \
                     {MAX_ENVIRONMENT_BYTES}: shorten them, or put long values into the table or a parameter"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Checks that the role's policies, of which `granted` characters are there already, stay within IAM's limit.
    ///
    /// # Errors
    /// They are too large.
    pub(in crate::config) fn check_policies(&self, granted: usize) -> Result<(), Problem> {
        self.check_policies_of(&self.settings(Path::new(""))?, granted)
    }

    /// The same for a function with `settings`, of which these are a part.
    pub(in crate::config) fn check_policies_of(
        &self,
        settings: &FunctionSettings,
        granted: usize,
    ) -> Result<(), Problem> {
        let size = settings.policies_bytes() + granted;
        let place = self
            .secrets
            .map(Spanned::span)
            .or(self.vpc.map(Spanned::span));
        match place {
            Some(place) if size > MAX_POLICIES_BYTES => Err((
                place,
                format!(
                    "the permissions that follow from this take the role's policies to {size} characters, which IAM limits to \
                     {MAX_POLICIES_BYTES} in total: name fewer secrets, for example one that is JSON with several keys, or grant \
                     less"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The ARNs of the secrets and their keys, each with the key of the config that has it, and its place.
    pub(in crate::config) fn arns(&self) -> Vec<(&'static str, String, Range<usize>)> {
        let tables = self.secrets.map(Spanned::get_ref).into_iter().flatten();
        let mut arns = Vec::new();
        for (_, table) in tables {
            let SecretTable {
                secretsmanager,
                kms_key,
                ..
            } = table.get_ref();
            if let Some(id) = secretsmanager.as_ref().filter(|id| id.starts_with("arn:")) {
                arns.push(("secretsmanager", id.clone(), table.span()));
            }
            if let Some(key) = kms_key {
                arns.push(("kms-key", key.get_ref().to_string(), key.span()));
            }
        }
        arns
    }
}

impl SecretTable {
    fn secret(self, folder: &Path) -> Result<Secret, String> {
        let reference = reference(self.secretsmanager, self.ssm, self.json_key)?;
        let local = local(self.variable, self.file)?;
        Ok(Secret {
            reference,
            kms_key: self.kms_key.map(Spanned::into_inner),
            local: local.map(|place| place.beside(folder)),
        })
    }
}
