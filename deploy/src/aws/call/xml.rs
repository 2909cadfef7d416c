//! XML, as a tree.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_types::error::metadata::{Builder, ErrorMetadata};
use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};
use aws_smithy_xml::encode::{ScopeWriter, XmlWriter};

use super::service::Errors;

/// The most elements within each other. Responses have a handful.
const MAX_DEPTH: usize = 64;

/// An element: its name without a prefix, and either text or other elements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::aws) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// One with these elements.
    pub(in crate::aws) fn new(name: &str, children: impl IntoIterator<Item = Self>) -> Self {
        Self {
            name: name.to_owned(),
            children: children.into_iter().collect(),
            ..Self::default()
        }
    }

    /// One with this text.
    pub(in crate::aws) fn leaf(name: &str, text: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            text: text.into(),
            ..Self::default()
        }
    }

    /// The document whose root it is, in a `namespace`.
    pub(super) fn document(&self, namespace: &str) -> String {
        let mut text = String::new();
        let mut writer = XmlWriter::new(&mut text);
        let mut root = writer
            .start_el(&self.name)
            .write_ns(namespace, None)
            .finish();
        self.write_content(&mut root);
        root.finish();
        text
    }

    fn write_content<'a>(&'a self, scope: &mut ScopeWriter<'_, 'a>) {
        scope.data(&self.text);
        for child in &self.children {
            let mut inner = scope.start_el(&child.name).finish();
            child.write_content(&mut inner);
            inner.finish();
        }
    }

    /// The root of a document. What is missing at its end is not noticed, as by the SDK's clients.
    ///
    /// # Errors
    /// It has no root, or a reference that means nothing.
    pub(in crate::aws) fn parse(body: &[u8]) -> Result<Self, BoxError> {
        let text = std::str::from_utf8(body)?;
        // The decoder gives either the elements of an element or its text, so it has to be known first which it has.
        let mut has_elements = Vec::new();
        let mut open: Vec<(usize, usize)> = Vec::new();
        let mut document = Document::new(text);
        while let Some(start) = document.next_start_element() {
            let depth = start.depth();
            if depth > MAX_DEPTH {
                return Err("there are too many elements within each other".into());
            }
            while open.last().is_some_and(|(_, other)| *other >= depth) {
                open.pop();
            }
            if let Some((parent, _)) = open.last() {
                has_elements[*parent] = true;
            }
            open.push((has_elements.len(), depth));
            has_elements.push(false);
        }
        let mut document = Document::new(text);
        let mut has_elements = has_elements.into_iter();
        Self::read(&mut document.root_element()?, &mut has_elements)
    }

    /// The root of a whole document, with this name.
    ///
    /// # Errors
    /// As for [`Element::parse`]; it has another name, or its end is missing.
    pub(in crate::aws) fn whole(body: &[u8], name: &str) -> Result<Self, BoxError> {
        let root = Self::parse(body)?;
        let body = body.trim_ascii_end();
        let has_end = body.ends_with(format!("</{name}>").as_bytes())
            || (root.children.is_empty() && body.ends_with(b"/>"));
        match root.name == name && has_end {
            true => Ok(root),
            false => Err(format!("the response is no whole {name}").into()),
        }
    }

    fn read(
        decoder: &mut ScopedDecoder<'_, '_>,
        has_elements: &mut impl Iterator<Item = bool>,
    ) -> Result<Self, BoxError> {
        let mut element = Self {
            name: decoder.start_el().local().to_owned(),
            ..Self::default()
        };
        if has_elements.next().unwrap_or_default() {
            while let Some(mut tag) = decoder.next_tag() {
                element.children.push(Self::read(&mut tag, has_elements)?);
            }
        } else {
            element.text = try_data(decoder)?.into_owned();
        }
        Ok(element)
    }

    /// Its name.
    pub(in crate::aws) fn name(&self) -> &str {
        &self.name
    }

    /// Its first element with this name.
    pub(in crate::aws) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All its elements with this name.
    pub(in crate::aws) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The elements of its list with this name, as the query protocol has lists.
    pub(in crate::aws) fn members<'a>(&'a self, list: &str) -> impl Iterator<Item = &'a Self> {
        let list = self.child(list);
        list.into_iter().flat_map(|list| list.children("member"))
    }

    /// Its own text.
    pub(in crate::aws) fn content(&self) -> &str {
        &self.text
    }

    /// The text of its element with this name.
    pub(in crate::aws) fn text(&self, name: &str) -> Option<&str> {
        self.child(name).map(Self::content)
    }

    /// The same, of its own.
    pub(in crate::aws) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }
}

/// Code and message of a refusal; `None` if it is not XML.
pub(super) fn refusal(body: &[u8], errors: Errors) -> Option<Builder> {
    let root = Element::parse(body).ok()?;
    let mut read = ErrorMetadata::builder();
    let error = match errors {
        Errors::Wrapped => root.child("Error"),
        Errors::Bare => Some(&root),
    };
    if let Some(code) = error.and_then(|error| error.text("Code")) {
        read = read.code(code);
    }
    if let Some(message) = error.and_then(|error| error.text("Message")) {
        read = read.message(message);
    }
    Some(read)
}

/// Whether the root of `body` is `Error`.
pub(super) fn is_error(body: &[u8]) -> bool {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let mut document = Document::new(text);
    let root = document.root_element();
    root.is_ok_and(|root| root.start_el().local() == "Error")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_text_or_other_elements_and_prefixes_do_not_count() {
        let root = Element::parse(
            b"<?xml version=\"1.0\"?>\n<r xmlns=\"x\">\n <a>1 &lt; &#x32;</a>\n <l><member><b/></member><member>t</member></l><n:c>3</n:c>\n</r>",
        )
        .unwrap();
        assert_eq!((root.name(), root.text("a")), ("r", Some("1 < 2")));
        let members: Vec<_> = root.members("l").map(|it| it.text("b")).collect();
        assert_eq!(members, [Some(""), None]);
        assert_eq!(root.members("l").last().map(Element::content), Some("t"));
        assert_eq!(root.owned("c").as_deref(), Some("3"));
        assert_eq!(root.members("none").count(), 0);
    }

    #[test]
    fn a_document_without_its_end_or_with_another_root_is_not_whole() {
        let text = "<r xmlns=\"x\"><a>1</a><b/></r>\n";
        assert!(Element::whole(text.as_bytes(), "r").is_ok());
        assert!(Element::whole(b"<r xmlns=\"x\"/>", "r").is_ok());
        for end in 0..text.len() - 1 {
            assert!(Element::whole(&text.as_bytes()[..end], "r").is_err());
        }
        assert!(Element::whole(text.as_bytes(), "a").is_err());
    }

    #[test]
    fn what_is_read_is_written_as_it_was() {
        let text = "<r><a>1 &lt; &quot;2&quot;</a><l><b>&#xD;ü</b><b></b></l></r>";
        let root = Element::parse(text.as_bytes()).unwrap();
        let written = root.document("urn:x");
        assert_eq!(written, text.replace("<r>", "<r xmlns=\"urn:x\">"));
        assert_eq!(Element::parse(written.as_bytes()).unwrap(), root);
    }

    #[test]
    fn a_document_without_a_root_is_none_and_depth_has_a_bound() {
        for text in ["", "{}", "text"] {
            assert!(Element::parse(text.as_bytes()).is_err(), "{text:?}");
        }
        let deep = "<a>".repeat(100_000);
        assert!(Element::parse(deep.as_bytes()).is_err());
        let cut = Element::parse(b"<r><a>1</a><b>2").unwrap();
        assert_eq!((cut.text("a"), cut.text("b")), (Some("1"), Some("2")));
    }
}
