//! Selects the route of a message. Pure.
//!
//! See <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html>.

/// The route key of a message, out of those for which `is_live` holds.
///
/// A message can never select `$connect` or `$disconnect`, whatever it contains.
pub(crate) fn choose(selected: Option<String>, is_live: impl Fn(&str) -> bool) -> Option<String> {
    selected
        .filter(|key| key != "$connect" && key != "$disconnect" && is_live(key))
        .or_else(|| is_live("$default").then(|| "$default".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_never_selects_connect_or_disconnect() {
        let all = |_: &str| true;
        assert_eq!(
            choose(Some("$connect".to_owned()), all).as_deref(),
            Some("$default")
        );
        assert_eq!(
            choose(Some("$disconnect".to_owned()), all).as_deref(),
            Some("$default")
        );
        assert_eq!(
            choose(Some("$connect".to_owned()), |key| key != "$default"),
            None
        );
    }

    #[test]
    fn an_unknown_key_falls_back_to_the_default_route() {
        let live = |key: &str| key == "join" || key == "$default";
        assert_eq!(
            choose(Some("join".to_owned()), live).as_deref(),
            Some("join")
        );
        assert_eq!(
            choose(Some("Join".to_owned()), live).as_deref(),
            Some("$default")
        );
        assert_eq!(choose(None, live).as_deref(), Some("$default"));
    }
}
