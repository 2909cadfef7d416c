//! Records which stacks have been deployed with which published object: an empty object `uses/<key>/<stack>` for
//! each, because stacks share objects, and CloudFormation only records each stack's current ones.

use std::time::SystemTime;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_types::date_time::{DateTime, Format};

use super::Bucket;
use super::objects::is_published;
use crate::aws::call::{Element, encoded};
use crate::config::names::StackName;
use crate::engine::{ErrorKind, Leftovers, TargetError, Uses};

const PREFIX: &str = "uses/";

/// The most objects in one request to delete
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>).
const AT_ONCE: usize = 1000;

/// Adds the use that the object `key` records. Other objects record none.
fn note(uses: &mut Uses, key: &str, at: SystemTime) {
    let object_and_stack = key.strip_prefix(PREFIX).and_then(|key| key.split_once('/'));
    if let Some((object, stack)) = object_and_stack
        && is_published(object)
    {
        uses.note(object, stack, at);
    }
}

impl Bucket {
    /// Records that `stack` is being deployed with the object, so that no teardown of another stack removes it.
    pub(super) async fn note_use(
        &self,
        stack: &StackName,
        key: &str,
        what: &str,
    ) -> Result<(), TargetError> {
        let key = format!("{PREFIX}{key}/{stack}");
        let request = self.put(&key, "application/octet-stream", Vec::new());
        let noted = self.client.send(request.with_checksum(), |_| Ok(())).await;
        noted.map_err(|error| {
            let attempt = format!("publish {what} to");
            self.refused("s3:PutObject", &attempt, error)
        })
    }

    /// Every use that is recorded in the bucket.
    ///
    /// # Errors
    /// [`TargetError`] when S3 refuses.
    pub async fn uses(&self) -> Result<Uses, TargetError> {
        let mut uses = Uses::default();
        let mut next: Option<String> = None;
        loop {
            let mut path = format!("/?list-type=2&prefix={}", encoded(PREFIX));
            if let Some(token) = &next {
                path.push_str(&format!("&continuation-token={}", encoded(token)));
            }
            let request = self.request("ListObjectsV2", "GET", path);
            let after = next.take();
            let page = self
                .client
                .send(request, move |body| Page::read(body, after.as_deref()))
                .await
                .map_err(|error| self.refused("s3:ListBucket", "list the uses of", error))?;
            for (key, at) in page.objects {
                note(&mut uses, &key, at);
            }
            next = page.next;
            if next.is_none() {
                return Ok(uses);
            }
        }
    }

    /// Removes the objects that no other stack uses, then all records of the stack. Missing ones are no error.
    ///
    /// The order lets the next teardown find what an interruption left behind.
    ///
    /// # Errors
    /// [`TargetError`] if S3 refuses, even if it refuses only some of the objects.
    pub async fn forget(
        &self,
        stack: &StackName,
        leftovers: &Leftovers,
    ) -> Result<(), TargetError> {
        let objects = leftovers.unused.iter().cloned();
        self.remove(objects.collect()).await?;
        let notes = leftovers
            .used
            .iter()
            .map(|digest| format!("{PREFIX}{digest}/{stack}"));
        self.remove(notes.collect()).await
    }

    async fn remove(&self, keys: Vec<String>) -> Result<(), TargetError> {
        for keys in keys.chunks(AT_ONCE) {
            let objects = keys.iter();
            let objects = objects.map(|key| Element::new("Object", [Element::leaf("Key", key)]));
            let quiet = Element::leaf("Quiet", "true");
            let request = self
                .request("DeleteObjects", "POST", "/?delete")
                .with_document(&Element::new("Delete", objects.chain([quiet])))
                .with_checksum();
            let answer = self.client.document(request, "DeleteResult").await;
            let answer = answer.map_err(|error| {
                self.refused("s3:DeleteObject", "remove what was published from", error)
            })?;
            if let Some(first) = answer.child("Error") {
                let key = first.text("Key").unwrap_or_default();
                let message = format!("could not remove {key} from bucket {}", self.name);
                let reason = first.text("Message").or(first.text("Code"));
                let reason = reason.unwrap_or("no reason given");
                return Err(TargetError {
                    source: Some(reason.into()),
                    ..TargetError::new(ErrorKind::Denied, message)
                });
            }
        }
        Ok(())
    }
}

/// One page of a list of objects, each with the time when it was written.
#[derive(Debug)]
struct Page {
    objects: Vec<(String, SystemTime)>,
    /// Where the next page begins.
    next: Option<String>,
}

impl Page {
    /// The page in `body`, which was asked for from `after` on. One that breaks off would hide what other stacks use.
    fn read(body: &[u8], after: Option<&str>) -> Result<Self, BoxError> {
        let root = Element::whole(body, "ListBucketResult")?;
        let next = root.owned("NextContinuationToken");
        let next = next.filter(|token| !token.is_empty());
        if next.is_some() && next.as_deref() == after {
            return Err("the list begins anew".into());
        }
        let objects = root.children("Contents").map(|object| {
            let at = match object.text("LastModified") {
                Some(at) => DateTime::from_str(at, Format::DateTimeWithOffset)?.try_into()?,
                None => SystemTime::UNIX_EPOCH,
            };
            Ok((object.owned("Key").unwrap_or_default(), at))
        });
        let objects = objects.collect::<Result<_, BoxError>>()?;
        Ok(Self { objects, next })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_list_that_breaks_off_or_goes_in_circles_is_none() {
        let whole = "<ListBucketResult><NextContinuationToken>b</NextContinuationToken><Contents><Key>k</Key>\
                     <LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents></ListBucketResult>\n";
        let page = Page::read(whole.as_bytes(), Some("a")).unwrap();
        assert_eq!(page.next.as_deref(), Some("b"));
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
        assert_eq!(page.objects, [("k".to_owned(), at)]);
        assert!(Page::read(whole.as_bytes(), Some("b")).is_err());
        let cuts = (0..whole.len() - 2).map(|end| &whole[..end]);
        let others = ["", "{}", "<Other></Other>"];
        for text in cuts.chain(others) {
            assert!(Page::read(text.as_bytes(), None).is_err(), "{text}");
        }
        let odd = whole.replace("2026-01-02T", "yesterday");
        assert!(Page::read(odd.as_bytes(), None).is_err());
    }

    #[test]
    fn records_name_handlers_and_templates_with_their_stacks() {
        let (mut uses, mut expected) = (Uses::default(), Uses::default());
        let at = SystemTime::UNIX_EPOCH;
        let digest = "a".repeat(64);
        for object in [digest.clone(), format!("{digest}.json")] {
            note(&mut uses, &format!("uses/{object}/chat"), at);
            expected.note(&object, "chat", at);
        }
        assert_eq!(uses, expected);
    }

    #[test]
    fn objects_that_are_not_records_are_ignored() {
        let mut uses = Uses::default();
        let digest = "a".repeat(64);
        let no_digests = [
            "uses//chat",
            "uses/documents/chat",
            "uses/A/chat",
            "uses/.json/chat",
        ]
        .map(str::to_owned);
        let others = [
            digest.clone(),
            format!("uses/{digest}"),
            format!("users/{digest}/chat"),
        ];
        for key in no_digests.into_iter().chain(others) {
            note(&mut uses, &key, SystemTime::UNIX_EPOCH);
        }
        assert_eq!(uses, Uses::default());
    }
}
