//! The rules of a function's routes, with their reviews.

use crate::aws::{Clients, LambdaReviewers, Timeouts};
use crate::environment::{Environment, EnvironmentError};
use crate::review::Reviewed;
use crate::routes::Routes;
use crate::runtime::Trace;

/// `routes`, and a client of Lambda only if one of them is reviewed.
pub(super) fn rules(
    environment: Environment<'_>,
    trace: &Trace,
    routes: &Routes,
) -> Result<Reviewed<LambdaReviewers>, EnvironmentError> {
    let by_key = environment.reviews()?;
    let routes = routes.clone();
    if by_key.is_empty() {
        return Ok(Reviewed::without_reviews(routes));
    }
    let endpoint = environment.functions_endpoint()?;
    let clients = Clients::new(
        environment.identity()?,
        trace.clone(),
        &[endpoint.as_deref()],
    );
    let reviewers = clients.reviewers(endpoint, Timeouts::REVIEW);
    Ok(Reviewed::new(routes, by_key, reviewers))
}
