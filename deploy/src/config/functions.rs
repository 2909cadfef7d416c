//! All functions of the user's, and what they have in common.

use std::path::PathBuf;

use chat_protocol::{Index, Mode, variable};

use super::Settings;
use super::auth::AUTHORIZER;
use super::function::FunctionSettings;
use super::function::environment::plain_bytes;
use super::limits::Limits;
use super::names::{StackName, StageName};
use super::secret::LocalSecret;

impl Settings {
    /// The files that hold secrets for the local stack.
    pub fn secret_files(&self) -> impl Iterator<Item = PathBuf> {
        self.local_secrets().filter_map(|place| match place {
            LocalSecret::File(path) => Some(path.clone()),
            LocalSecret::Variable(_) => None,
        })
    }

    /// The environment variables that hold secrets for the local stack.
    pub fn secret_variables(&self) -> impl Iterator<Item = String> {
        self.local_secrets().filter_map(|place| match place {
            LocalSecret::Variable(name) => Some(name.clone()),
            LocalSecret::File(_) => None,
        })
    }

    fn local_secrets(&self) -> impl Iterator<Item = &LocalSecret> {
        let headers = self
            .backends()
            .filter_map(|(_, backend)| backend.secret.as_ref()?.local.as_ref());
        let functions = self.functions_of_the_user();
        let secrets = functions.flat_map(|(_, settings)| settings.secrets.values());
        headers.chain(secrets.filter_map(|secret| secret.local.as_ref()))
    }

    /// The settings of every function of the user's, by the key of its route or the key that has it. Routes that share a
    /// function that reviews their messages have the same.
    pub fn functions_of_the_user(&self) -> impl Iterator<Item = (&str, &FunctionSettings)> {
        let authorizer = self.auth.handler().map(|it| (AUTHORIZER, &it.settings));
        let routes = self
            .custom_handlers()
            .map(|(key, handler)| (key.as_ref(), &handler.settings));
        let reviews = self
            .reviews()
            .map(|(key, review)| (key.as_ref(), &review.settings));
        authorizer.into_iter().chain(routes).chain(reviews)
    }
}

/// The most bytes of the variables that the stack sets for a function of the user's, in `stack` at `stage`.
///
/// Values that only the deployment has, such as the API's id, count with the longest possible value.
pub(super) fn own_bytes(stack: &StackName, stage: &StageName, limits: &Limits) -> usize {
    const ADDRESS: &str = "https://abcdefghij.execute-api.us-isof-south-1.amazonaws.com.cn/";
    let longest = |words: &[&str]| {
        words
            .iter()
            .map(|word| word.len())
            .max()
            .unwrap_or_default()
    };
    let table = stack.as_ref().len() + "-Connections-ABCDEFGHIJKLM".len();
    let mut own = vec![
        (variable::TABLE_NAME, table),
        (
            variable::CONNECTIONS_ENDPOINT,
            ADDRESS.len() + stage.as_ref().len(),
        ),
        (variable::INDEX, longest(&Index::ALL.map(Index::word))),
        (variable::AUTH_MODE, longest(&Mode::ALL.map(Mode::word))),
        (variable::REPLY, "true".len()),
        // In GovCloud.
        ("LOG_LEVEL", "DEBUG".len()),
    ];
    own.extend(
        limits
            .of_messages()
            .map(|(name, value)| (name, value.len())),
    );
    // With the braces around all.
    let sizes = own.iter();
    2 + sizes
        .map(|(name, value)| plain_bytes(name, *value))
        .sum::<usize>()
}
