//! What of a template the overlay says, for those who look at changes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use template_yaml::Entry;

use crate::config::Settings;
use crate::stack::change::ChangeSummary;
use crate::stack::few::few;
use crate::stack::render::base_for_aws;

/// What an overlay adds and changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Additions {
    file: PathBuf,
    /// The types of its own resources, by logical id.
    pub(super) resources: BTreeMap<String, String>,
    /// The names of its own outputs.
    outputs: Vec<String>,
    /// The properties and attributes that it changes, by the logical id of the resource.
    changes: BTreeMap<String, Vec<String>>,
}

impl Additions {
    /// Those of `settings`; `None` without an overlay.
    pub fn from_settings(settings: &Settings) -> Option<Self> {
        let overlay = settings.overlay.as_ref()?;
        let root = overlay.root()?;
        let base = base_for_aws(settings);
        let is_ours = |entry: &&Entry| !base.document()["Resources"][&entry.key].is_null();
        let (patches, own): (Vec<&Entry>, Vec<&Entry>) =
            root.entries("Resources").iter().partition(is_ours);
        let text = |entry: &Entry| {
            let kind = entry.node.child("Type").and_then(|node| node.as_text());
            (entry.key.clone(), kind.unwrap_or_default().to_owned())
        };
        Some(Self {
            file: overlay.file.clone(),
            resources: own.into_iter().map(text).collect(),
            outputs: root
                .entries("Outputs")
                .iter()
                .map(|entry| entry.key.clone())
                .collect(),
            changes: patches.into_iter().map(changed).collect(),
        })
    }

    /// The overlay's own resources: logical ids and types.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.resources.iter();
        all.map(|(id, kind)| (id.as_str(), kind.as_str()))
    }

    /// What it changes: logical ids of chatctl's resources, with properties and attributes.
    pub fn changes(&self) -> impl Iterator<Item = (&str, &[String])> {
        let all = self.changes.iter();
        all.map(|(id, keys)| (id.as_str(), keys.as_slice()))
    }

    /// One line for the plan of a deployment.
    pub fn reported(&self) -> String {
        let mut parts = Vec::new();
        let count = |count: usize, one: &str| match count {
            1 => format!("1 {one}"),
            more => format!("{more} {one}s"),
        };
        if !self.resources.is_empty() {
            parts.push(format!("adds {}", count(self.resources.len(), "resource")));
        }
        if !self.outputs.is_empty() {
            parts.push(format!("adds {}", count(self.outputs.len(), "output")));
        }
        if !self.changes.is_empty() {
            let changes = self
                .changes
                .iter()
                .map(|(id, keys)| format!("{id} ({})", keys.join(", ")));
            parts.push(format!("changes {}", few(&changes.collect::<Vec<_>>())));
        }
        if parts.is_empty() {
            parts.push("adds nothing".to_owned());
        }
        format!("overlay {}: {}", self.file.display(), parts.join("; "))
    }

    /// `summary`, with what is the overlay's marked.
    pub fn mark(&self, summary: &mut ChangeSummary) {
        for change in &mut summary.changes {
            if self.resources.contains_key(&change.logical_id) {
                change.overlay = Some(Vec::new());
            } else if let Some(keys) = self.changes.get(&change.logical_id) {
                let both = keys.iter().filter(|key| change.properties.contains(key));
                let both: Vec<String> = both.cloned().collect();
                change.overlay = (!both.is_empty()).then_some(both);
            }
        }
    }
}

/// The properties and attributes that a patch names.
fn changed(entry: &Entry) -> (String, Vec<String>) {
    let keys = entry.node.as_map().unwrap_or_default().iter();
    let keys = keys.filter(|key| key.key != "Type");
    let keys = keys.flat_map(|key| match key.key.as_str() {
        "Properties" => key
            .node
            .as_map()
            .unwrap_or_default()
            .iter()
            .map(|it| it.key.clone())
            .collect(),
        other => vec![other.to_owned()],
    });
    (entry.key.clone(), keys.collect())
}
