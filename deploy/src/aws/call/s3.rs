//! S3: how what is sent to a bucket is written.

use aws_config::SdkConfig;
use base64::Engine as _;

use super::bucket::Bucket;
use super::endpoint::ServiceEndpoint;
use super::error_response::Failure;
use super::service::S3;
use super::xml::Element;
use super::{Client, Request};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

impl Client {
    /// A client of the bucket `name`.
    pub(in crate::aws) fn for_bucket(config: &SdkConfig, name: &str) -> Self {
        let bucket = Bucket {
            name: name.to_owned(),
            // An emulator has no host name for every bucket.
            in_path: config.endpoint_url().is_some(),
        };
        let mut place = ServiceEndpoint::new(&S3, config, None);
        place.bucket = Some(bucket);
        Self::at_endpoint(&S3, config, place)
    }

    /// The root of the result of `ask`, which has this name.
    ///
    /// # Errors
    /// S3 refuses, or does not respond. A response with another root, or without its end, is a refusal without a code.
    pub(in crate::aws) async fn document(
        &self,
        request: Request,
        root: &'static str,
    ) -> Result<Element, Failure> {
        self.send(request, move |body| Element::whole(body, root))
            .await
    }
}

impl Request {
    /// The same with content of this type.
    pub(in crate::aws) fn with_content(self, kind: &'static str, content: Vec<u8>) -> Self {
        Self {
            content: Some((kind, content)),
            ..self
        }
    }

    /// The same with a document.
    pub(in crate::aws) fn with_document(self, root: &Element) -> Self {
        let text = root.document(NAMESPACE);
        self.with_content("application/xml", text.into_bytes())
    }

    /// The same with the checksum of its content, which S3 requires of most requests that have some
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>).
    pub(in crate::aws) fn with_checksum(mut self) -> Self {
        let content = self.content.as_ref().map(|(_, content)| content.as_slice());
        let sum = crc32fast::hash(content.unwrap_or_default()).to_be_bytes();
        let sum = base64::engine::general_purpose::STANDARD.encode(sum);
        self.headers.extend([
            ("x-amz-sdk-checksum-algorithm", "CRC32".to_owned()),
            ("x-amz-checksum-crc32", sum),
        ]);
        self
    }
}
