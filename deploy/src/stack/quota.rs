//! CloudFormation's quotas of a template
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>), and how a template gets
//! there: in the request, or, if it is too large for one, through S3.

use super::Template;
use super::retain::with_tables_retained;

/// The most bytes of a template in a request.
pub const MAX_INLINE: usize = 51_200;

/// The most bytes of a template in S3. The page says 1 MB; this is the smaller reading of it.
pub const MAX_TEMPLATE: usize = 1_000_000;

/// The most entries of each section.
const SECTIONS: [(&str, usize); 4] = [
    ("Resources", 500),
    ("Outputs", 200),
    ("Parameters", 200),
    ("Mappings", 200),
];

/// The most references to secrets and parameters that CloudFormation resolves
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>).
const MAX_REFERENCES: usize = 60;

/// What CloudFormation would refuse a template for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// A section has too many entries.
    #[error("there are {count} {}, and a stack has {most} at most", .section.to_lowercase())]
    #[expect(missing_docs, reason = "the sentence names the fields")]
    Entries {
        section: &'static str,
        count: usize,
        most: usize,
    },
    /// There are so many references to secrets.
    #[error(
        "there are {0} references to secrets and parameters (`{{{{resolve:…}}}}`), and a template has {MAX_REFERENCES} at most"
    )]
    References(usize),
    /// It has so many bytes without white space.
    #[error("the template has {0} bytes, and CloudFormation takes {MAX_TEMPLATE} at most")]
    Size(usize),
}

/// Everything about `template` that is beyond a quota.
pub fn excesses(template: &Template) -> Vec<Excess> {
    let text = template.to_one_line();
    let counts = SECTIONS.map(|(section, most)| {
        let entries = template.document()[section].as_object();
        let count = entries.map_or(0, serde_json::Map::len);
        (count > most).then_some(Excess::Entries {
            section,
            count,
            most,
        })
    });
    let references = text.matches("{{resolve:").count();
    let references = (references > MAX_REFERENCES).then_some(Excess::References(references));
    let size = (text.len() > MAX_TEMPLATE).then_some(Excess::Size(text.len()));
    counts
        .into_iter()
        .chain([references, size])
        .flatten()
        .collect()
}

/// How a template gets to CloudFormation, with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateTransfer {
    /// In the request.
    Inline(String),
    /// As an object in S3, whose address is in the request.
    Stored(String),
}

/// How `template` gets to CloudFormation: in the request where it fits, and in its readable form where that fits.
///
/// # Errors
/// [`Excess::Size`] if it is too large even for S3.
pub fn template_transfer(template: &Template) -> Result<TemplateTransfer, Excess> {
    let readable = template.to_json();
    if readable.len() <= MAX_INLINE {
        return Ok(TemplateTransfer::Inline(readable));
    }
    let short = template.to_one_line();
    match short.len() {
        size if size <= MAX_INLINE => Ok(TemplateTransfer::Inline(short)),
        _ if readable.len() <= MAX_TEMPLATE => Ok(TemplateTransfer::Stored(readable)),
        size if size <= MAX_TEMPLATE => Ok(TemplateTransfer::Stored(short)),
        size => Err(Excess::Size(size)),
    }
}

/// Whether `template`, or what a teardown that keeps data makes of it, goes through S3.
pub fn needs_bucket(template: &Template) -> bool {
    let retained = with_tables_retained(template);
    let longest = retained.as_ref().unwrap_or(template);
    longest.to_one_line().len() > MAX_INLINE
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value, json};

    /// A template of `size` bytes without white space, which white space makes hardly longer.
    fn sized(size: usize) -> Template {
        let frame = Template::new(json!({"Description": ""}))
            .to_one_line()
            .len();
        Template::new(json!({"Description": "x".repeat(size - frame)}))
    }

    #[test]
    fn a_template_goes_in_the_request_as_long_as_it_fits_without_white_space() {
        assert!(
            matches!(template_transfer(&sized(MAX_INLINE)), Ok(TemplateTransfer::Inline(text)) if !text.contains('\n'))
        );
        assert!(
            matches!(template_transfer(&sized(1_000)), Ok(TemplateTransfer::Inline(text)) if text.contains('\n'))
        );
        assert!(
            matches!(template_transfer(&sized(MAX_INLINE + 1)), Ok(TemplateTransfer::Stored(text)) if text.contains('\n'))
        );
        assert!(
            matches!(template_transfer(&sized(MAX_TEMPLATE)), Ok(TemplateTransfer::Stored(text)) if !text.contains('\n'))
        );
        let size = MAX_TEMPLATE + 1;
        assert_eq!(template_transfer(&sized(size)), Err(Excess::Size(size)));
        assert_eq!(excesses(&sized(size)), [Excess::Size(size)]);
    }

    #[test]
    fn a_template_that_grows_beyond_a_request_when_its_tables_are_kept_needs_the_bucket() {
        let with = |rest: usize| {
            Template::new(json!({
                "Description": "x".repeat(rest),
                "Resources": {"T": {"Type": "AWS::DynamoDB::Table"}},
            }))
        };
        let frame = with(0).to_one_line().len();
        assert!(!needs_bucket(&with(MAX_INLINE - frame - 200)));
        let near = with(MAX_INLINE - frame);
        assert!(matches!(
            template_transfer(&near),
            Ok(TemplateTransfer::Inline(_))
        ));
        assert!(needs_bucket(&near));
    }

    #[test]
    fn sections_and_references_have_a_most() {
        let entries = |count: usize| -> Value {
            let entries = (0..count).map(|at| (format!("E{at}"), json!({})));
            Value::Object(entries.collect::<Map<_, _>>())
        };
        for (section, most) in SECTIONS {
            let template = |count| Template::new(json!({ section: entries(count) }));
            assert_eq!(excesses(&template(most)), []);
            let [excess] = excesses(&template(most + 1))[..] else {
                panic!("there is one");
            };
            assert!(
                excess.to_string().contains(&format!("{most} at most")),
                "{excess}"
            );
        }
        let template = |count: usize| {
            let all = vec!["{{resolve:ssm:/a}}"; count];
            Template::new(json!({ "Metadata": all }))
        };
        assert_eq!(excesses(&template(60)), []);
        assert_eq!(
            excesses(&template(61))[0].to_string(),
            "there are 61 references to secrets and parameters (`{{resolve:…}}`), and a template has 60 at most"
        );
    }
}
