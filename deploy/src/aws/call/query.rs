//! Forms whose operation is a parameter.

use aws_smithy_runtime_api::box_error::BoxError;

use super::error_response::Failure;
use super::json::OTHER_PROTOCOL;
use super::rest::encoded;
use super::service::Protocol;
use super::xml::Element;
use super::{Client, Request};

/// A parameter and its value.
pub(in crate::aws) type Parameter = (String, String);

impl Client {
    /// What `read` makes of the result of `operation` with `parameters`: of the element `OperationResult`.
    ///
    /// # Errors
    /// The service refuses, or does not respond. A response without a result is a refusal without a code.
    pub(in crate::aws) async fn query<T>(
        &self,
        operation: &'static str,
        parameters: &[Parameter],
        read: impl Fn(&Element) -> Result<T, BoxError> + Send + Sync + 'static,
    ) -> Result<T, Failure>
    where
        T: std::fmt::Debug + Send + Sync + 'static,
    {
        let form = self.form(operation, parameters);
        let form = form.map_err(Failure::construction_failure)?;
        self.send(form, move |body| {
            let root = Element::parse(body)?;
            if root.name().strip_suffix("Response") != Some(operation) {
                return Err("the response is not this operation's".into());
            }
            let result = root.child(&format!("{operation}Result"));
            read(result.ok_or("the response has no result")?)
        })
        .await
    }

    /// Performs `operation` with `parameters`, which has no result: that the service does not refuse is all that it says.
    ///
    /// # Errors
    /// The service refuses, or does not respond.
    pub(in crate::aws) async fn perform(
        &self,
        operation: &'static str,
        parameters: &[Parameter],
    ) -> Result<(), Failure> {
        let form = self.form(operation, parameters);
        let form = form.map_err(Failure::construction_failure)?;
        self.send(form, |_| Ok(())).await
    }

    fn form(
        &self,
        operation: &'static str,
        parameters: &[Parameter],
    ) -> Result<Request, &'static str> {
        let Protocol::Query { version } = self.service.protocol else {
            return Err(OTHER_PROTOCOL);
        };
        let mut form = format!("Action={operation}&Version={version}");
        for (name, value) in parameters {
            form.push_str(&format!("&{name}={}", encoded(value)));
        }
        Ok(Request {
            content: Some(("application/x-www-form-urlencoded", form.into_bytes())),
            ..Request::new(operation, "POST", "/")
        })
    }
}
