//! Adds the event's trace id to every request that the event causes.

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

use crate::runtime::Trace;

const TRACE_ID: &str = "x-amzn-trace-id";

/// Sets the header that the SDK itself would take from the variable `_X_AMZN_TRACE_ID`, which is never set here.
#[derive(Debug)]
pub(super) struct SendTrace(pub(super) Trace);

impl Intercept for SendTrace {
    fn name(&self) -> &'static str {
        "send the trace id along"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(id) = self.0.id() {
            // An id that is not a valid header value is dropped instead of failing the request.
            let headers = context.request_mut().headers_mut();
            let _previous = headers.try_insert(TRACE_ID, id);
        }
        Ok(())
    }
}
