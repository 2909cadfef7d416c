//! The contents of a local stack's files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chatctl_local::StackRequest;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::secrets::References;
use crate::engine::{Deployment, random_hex};
use crate::stack::{Outputs, Template};

/// The requested state of a stack. The token belongs to the operation, not to the stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) token: String,
    pub(super) template: String,
    pub(super) parameters: BTreeMap<String, String>,
    /// The folder of each function's code, by the function's logical id.
    pub(super) code: CodeFolders,
    /// The requested port; `None` keeps the stack's own.
    pub(super) port: Option<u16>,
    /// The settings of the web client, if it is served.
    pub(super) page: Option<serde_json::Value>,
    /// The values of dynamic references, and of the secrets that functions read. No file has them: the command gives them to
    /// the process.
    #[serde(skip)]
    pub(super) references: References,
}

impl Request {
    /// Makes a request of `deployment`, as a new operation; `folder_of` returns the folder of the code with a digest.
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

    /// What the stack of that name is started with, or changed to.
    pub(super) fn of_stack(&self, name: &str) -> StackRequest {
        StackRequest::new(name, self.template.clone())
            .with_parameters(self.parameters.clone())
            .with_references(self.references.0.clone())
            .with_code(self.code.clone())
    }

    /// The template, unless the file was damaged.
    pub(super) fn template(&self) -> Option<Template> {
        read(&self.template)
    }

    /// The request as its file has it.
    pub(super) fn without_secrets(&self) -> Self {
        Self {
            references: References::default(),
            ..self.clone()
        }
    }

    /// Equal for requests of the same stack.
    pub(super) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let parameters = serde_json::to_vec(&self.parameters).expect("strings have a JSON form");
        let page = self
            .page
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
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

/// Values that must not change while there is data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) seed: String,
    /// 0 until the first start has chosen one.
    pub(super) port: u16,
}

/// The record that the process with the lock writes about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Running {
    pub(super) pid: u32,
    pub(super) port: u16,
    pub(super) control_port: u16,
    pub(super) secret: String,
    /// [`Request::digest`] of what runs.
    pub(super) applied: String,
    /// The running template, which after a refused update differs from the request's; `None` in the register.
    pub(super) template: Option<String>,
    pub(super) outputs: Outputs,
}

impl Running {
    /// The running template, if the process has written it.
    pub(super) fn template(&self) -> Option<Template> {
        read(self.template.as_deref()?)
    }
}

fn read(template: &str) -> Option<Template> {
    serde_json::from_str(template).ok().map(Template::new)
}
