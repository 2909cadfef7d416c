//! What is asked for.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// A request to any of the services.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The names and values behind the `?`.
    pub(crate) query: BTreeMap<String, String>,
    /// In lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The members of a request in the query protocol of CloudFormation and STS.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        pairs(&String::from_utf8_lossy(&self.body))
    }

    /// The body in JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The operation, without what differs from run to run.
    pub(crate) fn name(&self) -> String {
        if let Some((_, action)) = self.header("x-amz-target").split_once('.') {
            return action.to_owned();
        }
        if self
            .header("content-type")
            .starts_with("application/x-www-form-urlencoded")
        {
            let form = self.form();
            let all = form["Action"] == "DescribeStacks" && !form.contains_key("StackName");
            return if all {
                "DescribeStacks of all".into()
            } else {
                form["Action"].clone()
            };
        }
        let Request { method, path, .. } = self;
        if path.starts_with("/2015-03-31/functions/") {
            return format!("{method} function {}", path.rsplit('/').next().unwrap());
        }
        if path.starts_with("/2016-08-19/account-settings") {
            return format!("{method} account settings");
        }
        if path.starts_with("/v2/apis/") {
            let kind = if path.contains("/stages/") {
                "stage"
            } else {
                "API"
            };
            return format!("{method} {kind}");
        }
        let what = match self.object() {
            None => "bucket",
            Some(key) if key.starts_with("uses/") => "use",
            Some(key) if key.ends_with(".json") => "template",
            Some(_) => "object",
        };
        let members: Vec<_> = self.query.keys().map(String::as_str).collect();
        let member = members.into_iter().find(|member| *member != "x-id");
        format!("{method} {what} {}", member.unwrap_or_default())
            .trim()
            .to_owned()
    }

    /// The key, of a request to S3 that is about an object.
    pub(crate) fn object(&self) -> Option<&str> {
        let (_, key) = self.path.trim_start_matches('/').split_once('/')?;
        (!key.is_empty()).then_some(key)
    }
}

/// `name=value&name=value`, without its escapes.
pub(crate) fn pairs(text: &str) -> BTreeMap<String, String> {
    let plain = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (plain(name), plain(value))
        })
        .collect()
}
