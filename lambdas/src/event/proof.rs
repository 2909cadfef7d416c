//! What a handshake offers as proof, and what the events after it say of it.

use chat_protocol::Field;
use chat_protocol::auth::{
    self, HEADER, QUERY, SCHEME, SUBPROTOCOL, SUBPROTOCOL_HEADER, SUBPROTOCOL_TOKEN,
};
use serde_json::{Map, Value};

use super::{AuthorizerContext, SocketEvent};

/// The token of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered<'a> {
    /// There is none, in any of the three places.
    Nothing,
    /// There is one. It may be in several places.
    One(&'a str),
    /// There are several, and which of them counts is nothing that should have to be guessed.
    Several,
}

/// What the authorizer has found in a token. API Gateway repeats it in every later event of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// When the token expires, in seconds since the Unix epoch.
    pub expires_at: u64,
    /// The rights that it lists; `None` where it lists none.
    pub can: Option<Vec<String>>,
    /// Every claim; none where they were too long for the context.
    pub claims: Map<String, Value>,
}

impl Proof {
    /// Whether the holder has `right`. A token that lists no rights has that to send.
    #[must_use]
    pub fn can(&self, right: &str) -> bool {
        auth::allows(self.can.as_deref(), right)
    }
}

impl SocketEvent {
    /// The token that the client offers: as a bearer token, among its subprotocols, or in the query string.
    #[must_use]
    pub fn offered_token(&self) -> Offered<'_> {
        let bearer = self.headers_named(HEADER).filter_map(bearer);
        let subprotocols = self
            .subprotocols()
            .filter_map(|offer| offer.strip_prefix(SUBPROTOCOL_TOKEN));
        let mut tokens = bearer
            .chain(subprotocols)
            .chain(self.parameters_named(QUERY))
            .filter(|token| !token.is_empty());
        match tokens.next() {
            None => Offered::Nothing,
            Some(first) if tokens.all(|other| other == first) => Offered::One(first),
            Some(_) => Offered::Several,
        }
    }

    /// Whether the client offers the subprotocol that the server may select.
    #[must_use]
    pub fn offers_subprotocol(&self) -> bool {
        self.subprotocols().any(|offer| offer == SUBPROTOCOL)
    }

    /// The origins that the client names: one if it is a browser, and none else.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        self.headers_named("origin")
    }

    /// Everything that the client says in `field` of its handshake, in headers and in the query string.
    pub fn claims_in(&self, field: Field) -> impl Iterator<Item = &str> {
        let headers = self.headers_named(field.name());
        headers.chain(self.parameters_named(field.name()))
    }

    /// What the authorizer has found in the client's token. `None` where there was none, or it cannot be read.
    #[must_use]
    pub fn proof(&self) -> Option<Proof> {
        let context = self.request_context.as_ref()?.authorizer.as_ref()?;
        context.proof()
    }

    /// The subprotocols that the client offers. Browsers separate them by a comma and a space.
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        let offers = self.headers_named(SUBPROTOCOL_HEADER);
        offers.flat_map(|offers| offers.split(',')).map(str::trim)
    }

    /// Each value of a header, whose name may be of any case. One that is there once may come twice.
    pub fn headers_named(&self, name: &str) -> impl Iterator<Item = &str> {
        let single = self
            .headers
            .iter()
            .flatten()
            .filter(move |(header, _)| header.eq_ignore_ascii_case(name))
            .filter_map(|(_, value)| value.as_deref());
        let multiple = self
            .multi_value_headers
            .iter()
            .flatten()
            .filter(move |(header, _)| header.eq_ignore_ascii_case(name))
            .flat_map(|(_, values)| values.iter().flatten().flatten());
        single.chain(multiple.map(String::as_str))
    }

    /// Each value of a query parameter. One that is there once may come twice.
    pub fn parameters_named(&self, name: &str) -> impl Iterator<Item = &str> {
        let single = self
            .query_string_parameters
            .as_ref()
            .and_then(|them| them.get(name)?.as_deref());
        let multiple = self
            .multi_value_query_string_parameters
            .as_ref()
            .and_then(|them| them.get(name)?.as_ref())
            .into_iter()
            .flatten()
            .flatten();
        single.into_iter().chain(multiple.map(String::as_str))
    }
}

/// The token in an `Authorization` header of the scheme for tokens.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| token.trim())
}

impl AuthorizerContext {
    fn proof(&self) -> Option<Proof> {
        let can = match &self.can {
            Some(rights) => Some(serde_json::from_str(rights).ok()?),
            None => None,
        };
        let claims = self.claims.as_deref().unwrap_or("{}");
        Some(Proof {
            expires_at: self.exp.as_ref()?.parse().ok()?,
            can,
            claims: serde_json::from_str(claims).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(value: &Value) -> SocketEvent {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn with_headers(headers: &Value) -> SocketEvent {
        event(&json!({ "headers": headers }))
    }

    #[test]
    fn a_token_is_found_in_each_of_its_three_places() {
        for headers in [
            json!({"Authorization": "Bearer a.b.c"}),
            json!({"authorization": "bearer  a.b.c "}),
            json!({"Sec-WebSocket-Protocol": "chatctl, chatctl.token.a.b.c"}),
            json!({"sec-websocket-protocol": "chatctl.token.a.b.c,chatctl"}),
            json!({"Authorization": "Bearer a.b.c", "Sec-WebSocket-Protocol": "chatctl.token.a.b.c"}),
        ] {
            let found = with_headers(&headers);
            assert_eq!(found.offered_token(), Offered::One("a.b.c"), "{headers}");
        }
        let query = event(&json!({"queryStringParameters": {"token": "a.b.c"},
            "multiValueQueryStringParameters": {"token": ["a.b.c"]}}));
        assert_eq!(query.offered_token(), Offered::One("a.b.c"));
    }

    #[test]
    fn what_is_no_token_counts_as_none_and_two_tokens_are_not_chosen_from() {
        for headers in [
            json!({}),
            json!({"Authorization": "Basic YTpi"}),
            json!({"Authorization": "Bearer"}),
            json!({"Authorization": "Bearer "}),
            json!({"Authorization": "a.b.c"}),
            json!({"Authorization": null}),
            json!({"Sec-WebSocket-Protocol": "chatctl"}),
            json!({"Sec-WebSocket-Protocol": "chatctl, chatctl.token."}),
            json!({"X-Authorization": "Bearer a.b.c"}),
        ] {
            let found = with_headers(&headers);
            assert_eq!(found.offered_token(), Offered::Nothing, "{headers}");
        }
        for (headers, multiple) in [
            (
                json!({"Authorization": "Bearer a.b.c", "Sec-WebSocket-Protocol": "chatctl.token.d.e.f"}),
                json!({}),
            ),
            (
                json!({"Authorization": "Bearer a.b.c"}),
                json!({"Authorization": ["Bearer d.e.f", "Bearer a.b.c"]}),
            ),
            (
                json!({"Sec-WebSocket-Protocol": "chatctl.token.a, chatctl.token.b"}),
                json!({}),
            ),
        ] {
            let found = event(&json!({"headers": headers, "multiValueHeaders": multiple}));
            assert_eq!(found.offered_token(), Offered::Several, "{headers}");
        }
    }

    #[test]
    fn the_subprotocol_is_offered_by_its_own_name_only() {
        let offers = |value: &str| {
            with_headers(&json!({"Sec-WebSocket-Protocol": value})).offers_subprotocol()
        };
        assert!(offers("chatctl"));
        assert!(offers("other, chatctl , chatctl.token.x"));
        assert!(!offers("chatctl.token.x"));
        assert!(!offers("Chatctl"));
    }

    #[test]
    fn a_context_that_says_when_a_token_expires_is_a_proof_and_half_a_one_is_none() {
        let proof =
            |context: Value| event(&json!({"requestContext": {"authorizer": context}})).proof();
        let found = proof(
            json!({"name": "Tom", "exp": "1800000000", "can": "[\"moderate\"]",
            "claims": "{\"sub\":\"Tom\",\"level\":3}"}),
        )
        .unwrap();
        assert_eq!(found.expires_at, 1_800_000_000);
        assert!(found.can("moderate") && !found.can("send"));
        assert_eq!(found.claims["level"], 3);
        let plain = proof(json!({"exp": "7"})).unwrap();
        assert!(plain.can("send") && !plain.can("moderate") && plain.claims.is_empty());
        for context in [
            json!({"name": "Tom"}),
            json!({"exp": "soon"}),
            json!({"exp": "7", "can": "send"}),
            json!({"exp": "7", "claims": "[]"}),
        ] {
            assert_eq!(proof(context.clone()), None, "{context}");
        }
    }
}
