//! What the files of a local stack say.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::secrets::References;
use crate::engine::{Deployment, random_hex};
use crate::stack::{Outputs, Template};

/// What a stack should be. The token belongs to the operation, not to the stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) token: String,
    pub(super) template: String,
    pub(super) parameters: BTreeMap<String, String>,
    /// The folder of each function's code, by the function's logical id.
    #[serde(deserialize_with = "each_or_one")]
    pub(super) code: CodeFolders,
    /// The port that was asked for; `None` keeps the stack's own.
    pub(super) port: Option<u16>,
    /// What the page is filled in with, if one is shown.
    #[serde(default)]
    pub(super) page: Option<serde_json::Value>,
    /// The values of dynamic references. The file is private to the user, so they may stand in it.
    #[serde(default)]
    pub(super) references: References,
}

impl Request {
    /// What `deployment` asks for, as a new operation; `folder_of` tells where the code with a digest lies.
    pub(super) fn new(deployment: &Deployment, folder_of: impl Fn(&str) -> PathBuf) -> Self {
        Self {
            token: random_hex::<16>(),
            template: deployment.template.to_json(),
            parameters: deployment.parameters.clone(),
            code: deployment
                .code_of_functions()
                .into_iter()
                .map(|(function, asset)| (function, folder_of(&asset.key)))
                .collect(),
            port: None,
            page: None,
            references: References::default(),
        }
    }

    /// The template, unless the file was damaged.
    pub(super) fn template(&self) -> Option<Template> {
        read(&self.template)
    }

    /// Equal for requests that ask for the same stack.
    pub(super) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let parameters = serde_json::to_vec(&self.parameters).expect("strings have a JSON form");
        let page = self.page.as_ref().map(ToString::to_string);
        let page = page.unwrap_or_default();
        let references = serde_json::to_vec(&self.references).expect("strings have a JSON form");
        let code = self.code.iter().flat_map(|(function, folder)| {
            [function.as_bytes(), folder.as_os_str().as_encoded_bytes()]
        });
        for part in [
            self.template.as_bytes(),
            &parameters,
            page.as_bytes(),
            &references,
        ]
        .into_iter()
        .chain(code)
        {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
}

/// Folders of code by the functions' logical ids.
pub(super) type CodeFolders = BTreeMap<String, PathBuf>;

/// Files of earlier versions have one folder for every function; they do not say which, and need not: whatever is
/// deployed next says so, and until then what runs has its code.
fn each_or_one<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<CodeFolders, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Code {
        Each(CodeFolders),
        One(serde::de::IgnoredAny),
    }
    Ok(match Code::deserialize(deserializer)? {
        Code::Each(folders) => folders,
        Code::One(_) => CodeFolders::new(),
    })
}

/// What must stay the same as long as there is data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) seed: String,
    /// 0 until a first start has chosen one.
    pub(super) port: u16,
}

/// What the process that holds the lock says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Running {
    pub(super) pid: u32,
    pub(super) port: u16,
    pub(super) control_port: u16,
    pub(super) secret: String,
    /// [`Request::digest`] of what runs.
    pub(super) applied: String,
    /// What runs: after a refused update another template than the request's. Earlier versions do not say.
    #[serde(default)]
    pub(super) template: Option<String>,
    pub(super) outputs: Outputs,
}

impl Running {
    /// The template of what runs, if the process says so.
    pub(super) fn template(&self) -> Option<Template> {
        read(self.template.as_deref()?)
    }
}

fn read(template: &str) -> Option<Template> {
    serde_json::from_str(template).ok().map(Template::new)
}
