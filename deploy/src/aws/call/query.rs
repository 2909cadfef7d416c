//! Forms whose operation is a parameter.

use aws_smithy_runtime_api::box_error::BoxError;

use super::json::OTHER_PROTOCOL;
use super::refusal::Failure;
use super::rest::encoded;
use super::service::Protocol;
use super::xml::Element;
use super::{Ask, Client};

/// A parameter and its value.
pub(in crate::aws) type Parameter = (String, String);

impl Client {
    /// What `read` makes of the result of `operation` with `parameters`: of the element `OperationResult`. It is called with
    /// an empty one if there is none.
    ///
    /// # Errors
    /// The service refuses, or does not respond.
    pub(in crate::aws) async fn query<T>(
        &self,
        operation: &'static str,
        parameters: &[Parameter],
        read: fn(&Element) -> Result<T, BoxError>,
    ) -> Result<T, Failure>
    where
        T: std::fmt::Debug + Send + Sync + 'static,
    {
        let Protocol::Query { version } = self.service.protocol else {
            return Err(Failure::construction_failure(OTHER_PROTOCOL));
        };
        let mut form = format!("Action={operation}&Version={version}");
        for (name, value) in parameters {
            form.push_str(&format!("&{name}={}", encoded(value)));
        }
        let ask = Ask {
            content: Some(("application/x-www-form-urlencoded", form.into_bytes())),
            ..Ask::new(operation, "POST", "/")
        };
        self.send(ask, move |body| {
            let root = Element::parse(body)?;
            let name = format!("{operation}Result");
            match root.child(&name) {
                Some(result) => read(result),
                None => read(&Element::default()),
            }
        })
        .await
    }
}
