//! Who may use the page: how its user proves a name, and whether the chat accepts the page at all.

use chat_protocol::{Handler, Mode, variable};

use crate::config::Settings;
use crate::config::auth::Proof;
use crate::stack::Template;

/// How the page's user proves a name.
#[derive(Debug, Clone, Default)]
pub struct PageProof<'a> {
    /// Whether a token is needed, and of which kind.
    pub mode: Mode,
    /// The claim of a token that the name is in; `None` stands for `sub`.
    pub name_claim: Option<&'a str>,
    /// Where the page gets new tokens, on its own origin; `None` lets it ask its user.
    pub renewal: Option<&'a str>,
    /// The pages that may connect; none stands for all.
    pub origins: Vec<String>,
}

impl<'a> PageProof<'a> {
    /// As the config of the page's stack has it.
    pub fn from_settings(settings: &'a Settings) -> Self {
        Self {
            mode: settings.auth.mode(),
            name_claim: match &settings.auth.proof {
                Proof::Jwt(issuer) => Some(&issuer.name_claim),
                Proof::Claimed | Proof::Token(_) | Proof::Handler(_) => None,
            },
            renewal: None,
            origins: settings
                .auth
                .origins
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }
}

/// The pages that may connect to a chat with this `template`, whatever the config says by now; none stands for all.
pub fn deployed_origins(template: &Template) -> Vec<String> {
    let authorizer = format!("{}Function", Handler::Authorize.family());
    let function = template.resources().find(|(id, _)| *id == authorizer);
    let said = function.and_then(|(_, function)| {
        let variables = &function["Properties"]["Environment"]["Variables"];
        serde_json::from_str(variables[variable::AUTH_ORIGINS].as_str()?).ok()
    });
    said.unwrap_or_default()
}

/// Whether `origins` let the page at `base` connect; the origin that is missing is the error.
///
/// # Errors
/// The page's origin, as a browser sends it.
pub fn lists(origins: &[impl AsRef<str>], base: &str) -> Result<(), String> {
    let origin = base.trim_end_matches('/');
    match origins.is_empty() || origins.iter().any(|it| it.as_ref() == origin) {
        true => Ok(()),
        false => Err(origin.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;
    use crate::stack::render::render;

    #[test]
    fn the_origins_of_a_deployed_chat_are_those_of_its_authorizer() {
        for (config, origins) in [
            ("", &[][..]),
            (
                "[auth]\norigins = [\"https://chat.example\", \"http://127.0.0.1:8080\"]\n",
                &["https://chat.example", "http://127.0.0.1:8080"],
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("chatctl.toml"), config).unwrap();
            let settings = Settings::load(folder.path(), Overrides::default()).unwrap();
            assert_eq!(deployed_origins(&render(&settings)), origins);
            assert_eq!(PageProof::from_settings(&settings).origins, origins);
        }
        let foreign = serde_json::json!({"Resources": {"AuthorizeFunction": {"Properties": {}}}});
        assert_eq!(deployed_origins(&Template::new(foreign)), [""; 0]);
    }

    #[test]
    fn a_page_may_connect_if_its_own_origin_is_listed_or_none_is() {
        let base = "http://127.0.0.1:8080/";
        assert_eq!(lists(&[""; 0], base), Ok(()));
        assert_eq!(
            lists(&["https://chat.example", "http://127.0.0.1:8080"], base),
            Ok(())
        );
        for origins in [["http://127.0.0.1:8081"], ["http://localhost:8080"]] {
            assert_eq!(
                lists(&origins, base),
                Err("http://127.0.0.1:8080".to_owned())
            );
        }
    }
}
