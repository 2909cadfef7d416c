//! What S3 answers when nothing goes wrong.

use std::collections::BTreeSet;

use crate::answers::{refusal, xml};
use crate::cloud::State;
use crate::request::Request;
use crate::wire::Answer;

/// Does what is asked for.
pub(crate) fn answer(state: &mut State, request: &Request) -> Answer {
    let done = || xml(200, String::new());
    let name = request.name();
    if name == "PUT bucket" {
        state.bucket.get_or_insert_default();
        return done();
    }
    let Some(objects) = &mut state.bucket else {
        return refusal(request, 404, "NoSuchBucket", "there is no such bucket");
    };
    let key = request.object().unwrap_or_default();
    let setting = name.rsplit(' ').next().unwrap();
    match name.as_str() {
        "PUT bucket policy" => state.policy = String::from_utf8_lossy(&request.body).into_owned(),
        "GET bucket policy" if state.policy.is_empty() => {
            return refusal(request, 404, "NoSuchBucketPolicy", "there is no policy");
        }
        "GET bucket policy" => return xml(200, state.policy.clone()),
        _ if none_of(setting).is_some() => {
            if request.method == "PUT" {
                let document = String::from_utf8_lossy(&request.body).into_owned();
                state.settings.insert(setting.to_owned(), document);
            } else if let Some(document) = state.settings.get(setting) {
                return xml(200, document.clone());
            } else {
                let code = none_of(setting).unwrap();
                return refusal(request, 404, code, "the bucket has no such setting");
            }
        }
        "HEAD object" | "HEAD template" if !objects.contains(key) => {
            return refusal(request, 404, "NoSuchKey", "there is no such object");
        }
        "PUT object" | "PUT use" | "PUT template" => {
            objects.insert(key.to_owned());
            if name == "PUT template" {
                state.templates.insert(key.to_owned(), request.json());
            }
            return Answer {
                etag: true,
                ..done()
            };
        }
        "POST bucket delete" => {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            objects.retain(|key| !body.contains(&format!("<Key>{key}</Key>")));
            return xml(200, "<DeleteResult/>".into());
        }
        "GET bucket list-type" | "GET bucket encoding-type" => return xml(200, listed(objects)),
        _ => {}
    }
    done()
}

/// What S3 answers if there is no such setting; `None` if `setting` is none.
fn none_of(setting: &str) -> Option<&'static str> {
    Some(match setting {
        "publicAccessBlock" => "NoSuchPublicAccessBlockConfiguration",
        "ownershipControls" => "OwnershipControlsNotFoundError",
        "encryption" => "ServerSideEncryptionConfigurationNotFoundError",
        "lifecycle" => "NoSuchLifecycleConfiguration",
        "tagging" => "NoSuchTagSet",
        _ => return None,
    })
}

fn listed(objects: &BTreeSet<String>) -> String {
    let uses = objects.iter().filter(|key| key.starts_with("uses/"));
    let uses: String = uses
        .map(|key| format!("<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"))
        .collect();
    format!("<ListBucketResult><IsTruncated>false</IsTruncated>{uses}</ListBucketResult>")
}
