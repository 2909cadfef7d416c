//! Records which stacks have been deployed with which published object: an empty object `uses/<key>/<stack>` for
//! each, because stacks share objects, and CloudFormation only records each stack's current ones.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_types::date_time::{DateTime, Format};

use super::Bucket;
use super::objects::is_published;
use crate::aws::call::{Element, encoded};
use crate::config::names::StackName;
use crate::engine::{ErrorKind, TargetError};
use crate::packaging::is_digest;

const PREFIX: &str = "uses/";

/// How long a use by a missing stack counts: its first deployment may have just begun.
const BEGINNING: Duration = Duration::from_secs(60 * 60);

/// The most objects in one request to delete
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>).
const AT_ONCE: usize = 1000;

/// The recorded uses: for each object its stacks, each with the time of its last deployment.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Uses(BTreeMap<String, BTreeMap<String, SystemTime>>);

/// The objects that a deleted stack leaves behind.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Leftovers {
    /// Objects that no other stack uses.
    pub unused: BTreeSet<String>,
    /// The names of other stacks that use some of the remaining objects.
    pub users: BTreeSet<String>,
    /// Every object that the stack has used.
    used: BTreeSet<String>,
}

impl Uses {
    fn note(&mut self, key: &str, at: SystemTime) {
        let object_and_stack = key.strip_prefix(PREFIX).and_then(|key| key.split_once('/'));
        if let Some((object, stack)) = object_and_stack
            && is_published(object)
        {
            let stacks = self.0.entry(object.to_owned()).or_default();
            stacks.insert(stack.to_owned(), at);
        }
    }

    /// The objects that `stack` leaves behind at `now`, if it last ran `current` and `others` are all other stacks,
    /// each with its current objects.
    ///
    /// Objects that another stack was deployed with earlier are kept, because an update of that stack may be rolled
    /// back to them. So are objects whose names are not digests: a stack can be changed by hand to run anything.
    pub fn leftovers(
        &self,
        stack: &StackName,
        current: BTreeSet<String>,
        others: &BTreeMap<String, BTreeSet<String>>,
        now: SystemTime,
    ) -> Leftovers {
        let mut leftovers = Leftovers {
            used: current.into_iter().filter(|it| is_digest(it)).collect(),
            ..Leftovers::default()
        };
        let noted = self
            .0
            .iter()
            .filter(|(_, stacks)| stacks.contains_key(stack.as_ref()));
        leftovers
            .used
            .extend(noted.map(|(digest, _)| digest.clone()));
        for digest in &leftovers.used {
            let running = others.iter().filter(|(_, runs)| runs.contains(digest));
            let mut users: BTreeSet<String> = running.map(|(name, _)| name.clone()).collect();
            let noted = self
                .0
                .get(digest)
                .into_iter()
                .flatten()
                .filter(|(name, _)| *name != stack.as_ref());
            users.extend(
                noted
                    .filter(|(name, at)| {
                        let is_young = now.duration_since(**at).is_ok_and(|age| age < BEGINNING);
                        others.contains_key(*name) || is_young
                    })
                    .map(|(name, _)| name.clone()),
            );
            if users.is_empty() {
                leftovers.unused.insert(digest.clone());
            }
            leftovers.users.extend(users);
        }
        leftovers
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
                uses.note(&key, at);
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
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// The time of all judgements in these tests.
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + 1000 * DAY
    }

    /// Uses that were recorded yesterday, each `DIGEST STACK` with one letter for the digest.
    fn noted(uses: &[&str]) -> Uses {
        let mut noted = Uses::default();
        for line in uses {
            let (digest, stack) = line.split_once(' ').unwrap();
            noted.note(&key(digest, stack), now() - DAY);
        }
        noted
    }

    fn key(letter: &str, stack: &str) -> String {
        format!("{PREFIX}{}/{stack}", letter.repeat(64))
    }

    fn set(words: &str) -> BTreeSet<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    /// Digests, one letter each.
    fn digests(letters: &str) -> BTreeSet<String> {
        letters.split_whitespace().map(|it| it.repeat(64)).collect()
    }

    /// What `chat` leaves behind if the stack `other` runs `theirs`.
    fn left(uses: &Uses, current: &str, theirs: &str) -> (BTreeSet<String>, BTreeSet<String>) {
        let others = BTreeMap::from([("other".to_owned(), digests(theirs))]);
        let chat = "chat".parse().unwrap();
        let leftovers = uses.leftovers(&chat, digests(current), &others, now());
        (leftovers.unused, leftovers.users)
    }

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
    fn objects_of_earlier_deployments_of_the_stack_are_removed_with_it() {
        let uses = noted(&["a chat", "b chat", "c other"]);
        assert_eq!(left(&uses, "b", "c"), (digests("a b"), set("")));
    }

    #[test]
    fn a_stack_s_current_object_is_removed_even_if_its_use_was_not_recorded() {
        assert_eq!(left(&Uses::default(), "a", "b"), (digests("a"), set("")));
    }

    #[test]
    fn objects_that_another_stack_runs_or_may_be_rolled_back_to_are_kept() {
        let uses = noted(&["a chat", "b chat", "c chat", "b other"]);
        assert_eq!(left(&uses, "c", "a"), (digests("c"), set("other")));
    }

    #[test]
    fn a_deleted_stack_keeps_nothing_but_one_that_is_being_created_does() {
        let mut uses = noted(&["a chat", "a gone", "b chat"]);
        uses.note(&key("b", "coming"), now() - Duration::from_secs(60));
        assert_eq!(left(&uses, "", ""), (digests("a"), set("coming")));
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
            uses.note(&key, now() - DAY);
        }
        assert_eq!(uses, Uses::default());
    }

    #[test]
    fn templates_go_with_their_stack_unless_another_one_was_deployed_with_them() {
        let mut uses = noted(&["a chat"]);
        let template = |letter: &str| format!("{}.json", letter.repeat(64));
        for (letter, stack) in [("a", "chat"), ("b", "chat"), ("b", "other")] {
            uses.note(
                &format!("{PREFIX}{}/{stack}", template(letter)),
                now() - DAY,
            );
        }
        let (unused, users) = left(&uses, "", "");
        assert_eq!(unused, BTreeSet::from(["a".repeat(64), template("a")]));
        assert_eq!(users, set("other"));
    }

    #[test]
    fn an_object_without_a_handler_s_name_is_kept_even_if_the_stack_runs_it() {
        let current = set("backup.zip ../x uses");
        let chat = "chat".parse().unwrap();
        let leftovers = Uses::default().leftovers(&chat, current, &BTreeMap::new(), now());
        assert_eq!(leftovers, Leftovers::default());
    }
}
