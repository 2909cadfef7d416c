//! `chatctl.toml` + environment + flags → [`Settings`].
//!
//! Flags win over the environment, the environment over the file, and the file over the defaults. The defaults are a
//! complete chat. Every problem with the file is an error that shows the line.

pub mod account;
pub mod alarms;
pub mod arn;
pub mod auth;
mod aws;
mod cautions;
pub mod domain;
mod error;
mod expected;
mod file;
pub mod function;
mod functions;
pub mod issuer;
pub mod keys;
mod keys_needed;
pub mod limits;
pub mod names;
pub mod overlay;
mod overrides;
mod parse;
pub mod permission;
mod reviewers;
pub mod route;
mod routes;
#[cfg(test)]
mod schema;
pub mod secret;
mod snippet;
pub mod stage;
pub mod tags;
pub mod url;

use std::path::{Path, PathBuf};

pub use account::{Architecture, Aws};
use auth::{Auth, Proof};
use chat_protocol::{Answers, Handshake, Index, Receivers};
pub use error::ConfigError;
pub use file::Handlers;
use limits::Limits;
use names::{PersonName, RouteKey, StackName, StageName};
use overlay::Overlay;
pub use overrides::Overrides;
pub use reviewers::ReviewFunction;
use route::{Backend, CustomHandler, Lifecycle, Purpose, Route};
use routes::Routes;
pub use snippet::Snippet;
use stage::Throttle;

use crate::reading::text_now;

/// The most bytes of a config.
const MAX_BYTES: u64 = 4 << 20;

/// The file's name. It is looked for in the working folder.
pub const FILE_NAME: &str = "chatctl.toml";

/// Everything that a command needs about the chat, complete and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder of the config file. Relative paths start here, and local state is kept in `.chatctl/` below it.
    pub folder: PathBuf,
    /// The config file, where there is one.
    pub config_file: Option<PathBuf>,
    /// Whether a flag or a variable names the stack, not the config.
    pub is_stack_overridden: bool,
    /// The stack's name, on both targets.
    pub stack: StackName,
    /// The stage's name.
    pub stage: StageName,
    /// The request limits of each route. With `None`, the account's limits apply.
    pub throttle: Option<Throttle>,
    /// The two users in the printed connect commands.
    pub from: PersonName,
    /// The second of the two.
    pub to: PersonName,
    /// Message routes, in the order of the file. There is at least one, and keys are unique.
    pub routes: Vec<Route>,
    /// The backend that handles `$connect` and `$disconnect` instead of our own functions.
    pub lifecycle: Option<Lifecycle>,
    /// Whether the members of a room get a frame when a person comes or leaves.
    pub announces: bool,
    /// What proves a name, and which web pages may connect.
    pub auth: Auth,
    /// How much one connection, one name and one room may take.
    pub limits: Limits,
    /// Days that CloudWatch keeps the functions' logs.
    pub log_retention_days: u32,
    /// The handlers' crate and its profiles.
    pub handlers: Handlers,
    /// Account, Region and processor.
    pub aws: Aws,
    /// The local port that the file sets.
    pub local_port: Option<u16>,
    /// What is merged into the template.
    pub overlay: Option<Overlay>,
}

impl Settings {
    /// The part of the handshake that all clients of this chat share, beside names and room.
    pub fn handshake(&self) -> Handshake {
        Handshake::default()
    }

    /// The receivers of each route that one of our own functions serves. They repeat if routes share them.
    pub fn receivers(&self) -> impl Iterator<Item = Receivers> {
        self.routes.iter().filter_map(|route| match route.purpose {
            Purpose::People { receivers, .. } => Some(receivers),
            _ => None,
        })
    }

    /// The key that connections are found by. A limit on the connections of a name needs names.
    pub fn index(&self) -> Index {
        if !self.has_own_functions() {
            return Index::Nothing;
        }
        match Index::for_receivers(self.receivers()) {
            Index::Room if self.limits.connections_per_name.is_some() => Index::FriendAndRoom,
            index => index,
        }
    }

    /// What routes answer. It repeats if routes share it.
    pub fn answers(&self) -> impl Iterator<Item = Answers> {
        self.routes.iter().filter_map(|route| match route.purpose {
            Purpose::Answers(answers) => Some(answers),
            _ => None,
        })
    }

    /// Whether the stack has functions of our own. They record the connections.
    pub(crate) fn has_own_functions(&self) -> bool {
        self.lifecycle.is_none()
    }

    /// Whether the stack has any function, and so needs a build, published code and a table.
    pub fn has_functions(&self) -> bool {
        self.has_own_functions() || self.custom_handlers().next().is_some()
    }

    /// The user's backends, each with the route that leads to it.
    pub fn backends(&self) -> impl Iterator<Item = (&str, &Backend)> {
        let lifecycle = self.lifecycle.iter().flat_map(|lifecycle| {
            [
                ("$connect", &lifecycle.connect),
                ("$disconnect", &lifecycle.disconnect),
            ]
        });
        lifecycle.chain(self.routes.iter().filter_map(|route| match &route.purpose {
            Purpose::Http { backend, .. } => Some((route.key.as_ref(), backend)),
            _ => None,
        }))
    }

    /// The overlay's file, for what looks at files.
    pub fn overlay_file(&self) -> Option<PathBuf> {
        self.overlay.as_ref().map(|overlay| overlay.file.clone())
    }

    /// The request limits of the stage, for the question before a deployment.
    pub fn throttling(&self) -> String {
        match self.throttle {
            Some(limits) => format!("each route takes {limits} (`throttle` under `[stage]`)"),
            None => "no route has a limit but the account's (`throttle = false`)".to_owned(),
        }
    }

    /// The user's own functions behind routes, by the key of their route.
    pub(crate) fn custom_handlers(&self) -> impl Iterator<Item = (&RouteKey, &CustomHandler)> {
        self.routes.iter().filter_map(|route| match &route.purpose {
            Purpose::Handler(handler) => Some((&route.key, handler)),
            _ => None,
        })
    }

    /// Loads the file that `overrides` names, else `chatctl.toml` in `folder`, else the defaults.
    ///
    /// # Errors
    /// [`ConfigError`]: the named file is missing, cannot be read, or has an invalid value.
    pub fn load(folder: &Path, overrides: Overrides) -> Result<Self, ConfigError> {
        let path = overrides
            .config
            .clone()
            .map_or_else(|| folder.join(FILE_NAME), |named| folder.join(named));
        let mut config_file = Some(path.clone());
        let text = match text_now(&path, MAX_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => match overrides.config {
                Some(_) => return Err(ConfigError::Missing { path }),
                None => {
                    config_file = None;
                    String::new()
                }
            },
            Err(source) => return Err(ConfigError::Unreadable { path, source }),
        };
        let shown = path.strip_prefix(folder).unwrap_or(&path);
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => folder.to_owned(),
        };
        let mut settings = Self::read(shown, &text, folder, overrides)?;
        if let Proof::Token(keys) = &mut settings.auth.proof {
            keys.load()?;
        }
        settings.overlay.as_mut().map_or(Ok(()), Overlay::load)?;
        Ok(Self {
            config_file,
            ..settings
        })
    }

    /// The settings of `text`, the content of the file `shown`, for a chat in `folder`; without the keys that it names.
    pub(crate) fn read(
        shown: &Path,
        text: &str,
        folder: PathBuf,
        overrides: Overrides,
    ) -> Result<Self, ConfigError> {
        let (file, mut routes, (auth, limits), aws) =
            parse::parse(shown, text, &folder).map_err(ConfigError::Invalid)?;
        let stack = overrides.stack.as_ref().unwrap_or(&file.stack);
        let stage = overrides.stage.as_ref().unwrap_or(&file.stage.name);
        let invalid =
            |(place, message)| ConfigError::Invalid(Snippet::new(shown, text, place, message));
        let mut grants = auth.grants_of_handlers();
        grants.extend(limits.grants_of_handlers(&auth));
        routes::check_rights(&file.routes, auth.mode()).map_err(invalid)?;
        routes::check_policies(&file.routes, (stack, stage), &grants).map_err(invalid)?;
        file.auth.check_policies((stack, stage)).map_err(invalid)?;
        let own = functions::own_bytes(stack, stage, &limits);
        routes::check_environments(&file.routes, own).map_err(invalid)?;
        let of_auth = auth.environment_bytes() + own;
        file.auth
            .given()
            .check_environment(of_auth)
            .map_err(invalid)?;
        routes::check_reviewers(&file.routes, (stack, stage), own).map_err(invalid)?;
        routes.grant(&grants);
        let overlay = file.template.overlay(&folder, shown, text);
        let settings = Self::resolve(folder, file, routes, overrides, aws);
        if let Some(region) = &settings.aws.region {
            let rules = &settings.aws.rules;
            let checked = rules.check_region(region.as_ref());
            checked.map_err(ConfigError::Invalid)?;
        }
        Ok(Self {
            auth,
            limits,
            overlay,
            ..settings
        })
    }

    fn resolve(
        folder: PathBuf,
        file: file::File,
        routes: Routes,
        overrides: Overrides,
        aws: Aws,
    ) -> Self {
        let is_stack_overridden = overrides.stack.is_some();
        Self {
            stack: overrides.stack.unwrap_or(file.stack),
            stage: overrides.stage.unwrap_or(file.stage.name),
            throttle: file.stage.throttle.0,
            from: overrides.from.unwrap_or(file.from),
            to: overrides.to.unwrap_or(file.to),
            routes: routes.messages,
            lifecycle: routes.lifecycle,
            announces: routes.announces,
            auth: Auth::default(),
            limits: Limits::default(),
            log_retention_days: file.logs.retention_days.0,
            handlers: Handlers {
                path: file.handlers.path.map(|path| folder.join(path)),
                ..file.handlers
            },
            aws: Aws {
                region: overrides.region.or(file.aws.region),
                profile: overrides.profile.or(file.aws.profile),
                endpoint: overrides.endpoint,
                architecture: file.aws.architecture,
                ..aws
            },
            local_port: file.local.port.map(|port| port.0),
            overlay: None,
            config_file: None,
            is_stack_overridden,
            folder,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, overrides: Overrides) -> Result<Settings, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        Settings::load(folder.path(), overrides)
    }

    #[test]
    fn without_a_file_the_settings_are_a_complete_direct_chat() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::load(folder.path(), Overrides::default()).unwrap();
        assert_eq!(
            (
                settings.stack.as_ref(),
                settings.stage.as_ref(),
                settings.from.as_ref(),
                settings.to.as_ref()
            ),
            ("chat", "v1", "Tom", "Jerry")
        );
        let only = Route {
            key: "$default".parse().unwrap(),
            purpose: Purpose::for_people(Receivers::Friend),
            review: None,
        };
        assert_eq!(
            settings.throttling(),
            "each route takes 500 requests a second, 1000 at once (`throttle` under `[stage]`)"
        );
        assert_eq!((settings.routes, settings.lifecycle), (vec![only], None));
        assert_eq!(settings.handlers.profile, "lambda");
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let flag = Overrides {
            stage: Some("beta".parse().unwrap()),
            ..Overrides::default()
        };
        let settings = load("stage = \"alpha\"\nstack = \"mine\"\n", flag).unwrap();
        assert_eq!(
            (settings.stack.as_ref(), settings.stage.as_ref()),
            ("mine", "beta")
        );
    }

    #[test]
    fn a_file_that_a_flag_names_must_exist() {
        let folder = tempfile::tempdir().unwrap();
        let asked = Overrides {
            config: Some("other.toml".into()),
            ..Overrides::default()
        };
        assert!(matches!(
            Settings::load(folder.path(), asked),
            Err(ConfigError::Missing { .. })
        ));
    }

    #[test]
    fn state_and_paths_start_at_the_folder_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(
            folder.path().join("sub/mine.toml"),
            "[handlers]\npath = \"crate\"\n",
        )
        .unwrap();
        let asked = Overrides {
            config: Some("sub/mine.toml".into()),
            ..Overrides::default()
        };
        let settings = Settings::load(folder.path(), asked).unwrap();
        assert_eq!(settings.folder, folder.path().join("sub"));
        assert_eq!(
            settings.handlers.path.unwrap(),
            folder.path().join("sub/crate")
        );
    }
}
