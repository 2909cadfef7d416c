//! The services that are called, with the names that they have in each place.

use aws_runtime::auth::SigningOptions;
use aws_runtime::retries::classifiers::TRANSIENT_ERRORS;

use super::partition::{Home, Partition};

/// A service.
#[derive(Debug)]
pub(in crate::aws) struct Service {
    /// Its name in the SDKs, in the names of variables and profile keys, and where requests are shown.
    pub(super) id: &'static str,
    /// The same as one word, for the user agent.
    pub(super) word: &'static str,
    /// Its name in signatures.
    pub(super) signing: &'static str,
    pub(super) manner: Manner,
    /// The first label of its hosts.
    pub(super) host: &'static str,
    pub(super) protocol: Protocol,
    pub(super) scope: Scope,
}

/// How a service's requests and responses are written (<https://smithy.io/2.0/aws/protocols/index.html>).
#[derive(Debug)]
pub(super) enum Protocol {
    /// An operation is a header; parameters and results are JSON.
    Json {
        content: &'static str,
        target: &'static str,
    },
    /// An operation is a method and a path; results are JSON.
    RestJson,
    /// The same with results in XML.
    RestXml { errors: Errors },
    /// An operation is a parameter of a form; results are XML.
    Query { version: &'static str },
}

/// Where the code of a refusal is in XML (<https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errors {
    /// In an element `Error` of the root.
    Wrapped,
    /// The root is `Error`. It is a refusal whatever the status: S3 begins some responses before it is decided how they end
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>).
    Bare,
}

/// In what S3 differs from all other services.
#[derive(Debug)]
pub(super) struct Manner {
    /// Whether signatures are of the path as it is sent, and of a header with the content's digest. Others are of a path in
    /// which all is encoded a second time, without `.` and `..`
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
    signs_as_sent: bool,
    /// Codes that are worth another attempt, whatever the status.
    pub(super) transient: &'static [&'static str],
}

const USUAL: Manner = Manner {
    signs_as_sent: false,
    transient: TRANSIENT_ERRORS,
};

impl Manner {
    /// What signatures cover, and how.
    pub(super) fn signing(&self) -> SigningOptions {
        let mut options = SigningOptions::default();
        options.double_uri_encode = !self.signs_as_sent;
        options.normalize_uri_path = !self.signs_as_sent;
        options.content_sha256_header = self.signs_as_sent;
        options
    }
}

/// Where a service's hosts are.
#[derive(Debug)]
pub(super) enum Scope {
    Region(Gov),
    /// One host for a partition.
    Partition(fn(&'static Partition, bool, bool) -> Home),
    /// One host for an account and a Region, if the account is known.
    Account(Gov),
}

/// Which hosts of GovCloud do not say that they conform to FIPS, although they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gov {
    None,
    /// Those that are reached over IPv4 only.
    SingleStack,
    All,
}

const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON_1_1: &str = "application/x-amz-json-1.1";

pub(in crate::aws) static ACM: Service = Service {
    id: "ACM",
    word: "acm",
    signing: "acm",
    manner: USUAL,
    host: "acm",
    protocol: Protocol::Json {
        content: JSON_1_1,
        target: "CertificateManager",
    },
    scope: Scope::Region(Gov::SingleStack),
};

pub(in crate::aws) static ROUTE53: Service = Service {
    id: "Route 53",
    word: "route53",
    signing: "route53",
    manner: USUAL,
    host: "route53",
    protocol: Protocol::RestXml {
        errors: Errors::Wrapped,
    },
    scope: Scope::Partition(Home::route53),
};

/// Of its three protocols, which its model lists
/// (<https://github.com/boto/botocore/blob/develop/botocore/data/cloudwatch/2010-08-01/service-2.json>), the one in JSON, which
/// its documentation describes, too
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/making-api-requests.html>). The generated client
/// spoke CBOR.
pub(in crate::aws) static CLOUDWATCH: Service = Service {
    id: "CloudWatch",
    word: "cloudwatch",
    signing: "monitoring",
    manner: USUAL,
    host: "monitoring",
    protocol: Protocol::Json {
        content: JSON_1_0,
        target: "GraniteServiceVersion20100801",
    },
    scope: Scope::Region(Gov::All),
};

pub(in crate::aws) static LOGS: Service = Service {
    id: "CloudWatch Logs",
    word: "cloudwatchlogs",
    signing: "logs",
    manner: USUAL,
    host: "logs",
    protocol: Protocol::Json {
        content: JSON_1_1,
        target: "Logs_20140328",
    },
    scope: Scope::Region(Gov::SingleStack),
};

pub(in crate::aws) static LAMBDA: Service = Service {
    id: "Lambda",
    word: "lambda",
    signing: "lambda",
    manner: USUAL,
    host: "lambda",
    protocol: Protocol::RestJson,
    scope: Scope::Region(Gov::None),
};

/// The second generation of API Gateway's API. The first answers at the same hosts, with the same signature.
pub(in crate::aws) static GATEWAY: Service = Service {
    id: "ApiGatewayV2",
    word: "apigatewayv2",
    signing: "apigateway",
    manner: USUAL,
    host: "apigateway",
    protocol: Protocol::RestJson,
    scope: Scope::Region(Gov::None),
};

pub(in crate::aws) static CONNECTIONS: Service = Service {
    id: "ApiGatewayManagementApi",
    word: "apigatewaymanagementapi",
    signing: "execute-api",
    manner: USUAL,
    host: "execute-api",
    protocol: Protocol::RestJson,
    scope: Scope::Region(Gov::None),
};

pub(in crate::aws) static DYNAMODB: Service = Service {
    id: "DynamoDB",
    word: "dynamodb",
    signing: "dynamodb",
    manner: USUAL,
    host: "dynamodb",
    protocol: Protocol::Json {
        content: JSON_1_0,
        target: "DynamoDB_20120810",
    },
    scope: Scope::Account(Gov::SingleStack),
};

pub(in crate::aws) static IAM: Service = Service {
    id: "IAM",
    word: "iam",
    signing: "iam",
    manner: USUAL,
    host: "iam",
    protocol: Protocol::Query {
        version: "2010-05-08",
    },
    scope: Scope::Partition(Home::iam),
};

pub(in crate::aws) static CLOUDFORMATION: Service = Service {
    id: "CloudFormation",
    word: "cloudformation",
    signing: "cloudformation",
    manner: USUAL,
    host: "cloudformation",
    protocol: Protocol::Query {
        version: "2010-05-15",
    },
    scope: Scope::Region(Gov::SingleStack),
};

/// Its clients are those of one bucket (`bucket.rs`).
pub(in crate::aws) static S3: Service = Service {
    id: "S3",
    word: "s3",
    signing: "s3",
    manner: Manner {
        signs_as_sent: true,
        transient: &["RequestTimeout", "RequestTimeoutException", "InternalError"],
    },
    host: "s3",
    protocol: Protocol::RestXml {
        errors: Errors::Bare,
    },
    scope: Scope::Region(Gov::None),
};
