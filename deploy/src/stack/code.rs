//! The code of a stack's functions: ours share one executable, each of the user's has its own.
//!
//! A template has a parameter for each executable: the key of its zip. All code uses these parameter names.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Template;
use super::render::parameter::{AUTHORIZER_CODE_KEY, CODE_KEY, code_key, review_code_key};
use crate::config::Settings;
pub use crate::config::auth::AUTHORIZER;
use crate::config::route::CustomHandler;

/// Whether `name` is a hexadecimal SHA-256. Files and objects with other names were not published by chatctl.
pub(crate) fn is_digest(name: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    name.len() == 64 && name.bytes().all(is_digit)
}

/// One executable that a stack needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The template's parameter for the zip's key.
    pub parameter: String,
    /// Where the code comes from.
    pub origin: Origin,
}

/// The source of an executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Our own handlers.
    Own,
    /// The user's crate in `folder`, for the route with `key`, the authorizer or a review function.
    #[expect(missing_docs, reason = "the sentence names the fields")]
    Custom {
        key: String,
        folder: PathBuf,
        /// With `None`, the crate's only one.
        binary: Option<String>,
    },
}

impl Origin {
    fn custom(key: &str, handler: &CustomHandler) -> Self {
        Self::Custom {
            key: key.to_owned(),
            folder: handler.folder.clone(),
            binary: handler.binary.clone(),
        }
    }
}

impl Code {
    /// Every executable that the stack of `settings` needs, ours first. Empty for a stack without functions.
    pub(crate) fn for_settings(settings: &Settings) -> Vec<Self> {
        let own = settings.has_own_functions().then(|| Self {
            parameter: CODE_KEY.into(),
            origin: Origin::Own,
        });
        let custom = settings.custom_handlers().map(|(key, handler)| Self {
            parameter: code_key(key),
            origin: Origin::custom(key.as_ref(), handler),
        });
        let authorizer = settings.auth.handler().map(|handler| Self {
            parameter: AUTHORIZER_CODE_KEY.into(),
            origin: Origin::custom(AUTHORIZER, handler),
        });
        let reviews = settings.review_functions();
        let reviews = reviews.into_iter().map(|function| Self {
            parameter: review_code_key(function.name),
            origin: Origin::Custom {
                key: format!("{REVIEW} {}", function.name),
                folder: function.folder.to_owned(),
                binary: function.binary.map(str::to_owned),
            },
        });
        let own = own.into_iter().chain(authorizer);
        own.chain(custom).chain(reviews).collect()
    }

    /// The binary that the config names.
    pub fn binary(&self) -> Option<&str> {
        match &self.origin {
            Origin::Own => None,
            Origin::Custom { binary, .. } => binary.as_deref(),
        }
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        match &self.origin {
            Origin::Own => "handlers",
            Origin::Custom { key, .. } => key,
        }
    }

    /// What its code is, in errors about it; `None` for ours.
    pub fn role(&self) -> Option<String> {
        let Origin::Custom { key, .. } = &self.origin else {
            return None;
        };
        Some(match key.split_once(' ') {
            Some((REVIEW, name)) => format!("the review function `{name}`"),
            _ if key == AUTHORIZER => "your authorizer".to_owned(),
            _ => format!("the handler of route `{key}`"),
        })
    }
}

/// What a review function's name begins with where handlers are called by the keys of their routes, which have no space.
const REVIEW: &str = "review";

/// The parameter that names the code of each of `template`'s functions, by the function's logical id.
pub fn parameters_of_functions(template: &Template) -> BTreeMap<String, String> {
    template
        .resources()
        .filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Function")
        .filter_map(|(id, resource)| {
            let parameter = resource.pointer("/Properties/Code/S3Key/Ref")?.as_str()?;
            Some((id.to_owned(), parameter.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;
    use crate::stack::render::parameter::is_code_key;
    use crate::stack::render::render;

    fn settings(toml: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), toml).unwrap();
        Settings::load(folder.path(), Overrides::default()).unwrap()
    }

    #[test]
    fn every_function_runs_code_that_is_built_and_nothing_else_is_built() {
        let http = "http = \"https://b.example\"\n";
        let backend = format!(
            "[[routes]]\nkey = \"$connect\"\n{http}[[routes]]\nkey = \"$disconnect\"\n{http}"
        );
        let custom = "[[routes]]\nkey = \"$default\"\nhandler = \"a\"\n[[routes]]\nkey = \"b\"\nhandler = \"b\"\n";
        for (toml, built) in [
            (String::new(), vec!["CodeKey"]),
            (
                custom.to_owned(),
                vec!["CodeKey", "CodeKeyB", "DefaultCodeKey"],
            ),
            (
                format!("{backend}{custom}"),
                vec!["CodeKeyB", "DefaultCodeKey"],
            ),
            (format!("{backend}[[routes]]\nkey = \"c\"\n{http}"), vec![]),
            // A route of that name has a parameter of its own.
            (
                "[auth]\nhandler = \"door\"\n[[routes]]\nkey = \"authorize\"\nhandler = \"a\"\n"
                    .to_owned(),
                vec!["AuthorizeCodeKey", "CodeKey", "CodeKeyAuthorize"],
            ),
            // A route of that name has a parameter of its own here, too; routes with one folder share a function.
            (
                "[[routes]]\nkey = \"a\"\nenvelope = true\nreview = \"filter\"\n\
                 [[routes]]\nkey = \"b\"\nreceivers = \"room\"\nenvelope = true\nreview = \"./filter\"\n\
                 [[routes]]\nkey = \"c\"\nenvelope = true\nreview = \"../Filter\"\n\
                 [[routes]]\nkey = \"reviewFilter\"\nhandler = \"a\"\n"
                    .to_owned(),
                vec!["CodeKey", "CodeKeyReviewFilter", "ReviewFilter45167acdCodeKey", "ReviewFilterCodeKey"],
            ),
        ] {
            let settings = settings(&toml);
            let mut parts: Vec<_> = Code::for_settings(&settings)
                .into_iter()
                .map(|code| code.parameter)
                .collect();
            parts.sort();
            assert_eq!(parts, built);
            let mut used: Vec<_> = parameters_of_functions(&render(&settings))
                .into_values()
                .collect();
            used.sort();
            used.dedup();
            assert_eq!(used, built);
            assert!(used.iter().all(|parameter| is_code_key(parameter)));
        }
        assert!(!is_code_key("CodeBucket"));
    }
}
