//! Every request of the layer, and what becomes of every response, as the generated clients had them: they wrote `recorded/`
//! before the layer replaced them (aws-sdk-acm 1.126.0, apigatewaymanagement 1.120.0, apigatewayv2 1.123.0, cloudwatchlogs
//! 1.162.0, dynamodb 1.136.0, lambda 1.156.0, route53 1.132.0).
//!
//! What differs, and is recorded as it is now:
//! - Route 53: requests to an address that the user has set are signed for the service's one Region, which its own hosts need
//!   too. A list of zones that breaks off is not taken for a whole one.
//! - ACM: a response without a code, or that cannot be read, counts by its HTTP status, as with all other services.

mod clients;
mod operations;
mod refusals;
mod requests;
