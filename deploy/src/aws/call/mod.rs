//! Requests.

#[cfg(test)]
mod tests;
#[cfg(test)]
mod record_endpoints;
