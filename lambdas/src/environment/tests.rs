use super::{Environment, EnvironmentError, Handler, TableAddress};
use crate::log::Level;
use crate::routes::Routes;
use crate::session::Names;
use crate::store::Index;

type Variables<'a> = &'a [(&'a str, &'a str)];

#[test]
fn the_handler_property_chooses_the_handler() {
    let handler = |name| within(&[("_HANDLER", name)], |it| it.handler());
    assert_eq!(handler("authorize"), Ok(Handler::Authorize));
    assert_eq!(handler("direct"), Ok(Handler::Direct));
    assert_eq!(handler("broadcast"), Ok(Handler::Broadcast));
    assert_eq!(handler("deliver"), Ok(Handler::Deliver));
    assert_eq!(
        handler("Direct").unwrap_err().to_string(),
        "there is no handler `Direct` in this binary; set the function's Handler property to authorize, connect, disconnect, direct, broadcast, deliver, who, kick, announce, history or delete"
    );
    assert!(matches!(handler(""), Err(EnvironmentError::Missing { .. })));
}

#[test]
fn an_endpoint_for_one_service_wins_over_the_general_ones() {
    let general = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let ours = ("CONNECTIONS_ENDPOINT", "https://a.example/v1");
    let name = ("TABLE_NAME", "t");
    let table = |variables: Variables<'_>| within(variables, |it| it.table());
    let at = |endpoint: Option<&str>| {
        Ok(TableAddress {
            name: "t".to_owned(),
            endpoint: endpoint.map(str::to_owned),
        })
    };
    assert_eq!(table(&[name]), at(None));
    assert_eq!(table(&[name, general]), at(Some("http://127.0.0.1:1")));
    let own = ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:2");
    assert_eq!(table(&[name, general, own]), at(Some("http://127.0.0.1:2")));

    let posts = |variables: Variables<'_>| within(variables, |it| it.connections_endpoint());
    assert_eq!(posts(&[ours, general]).unwrap(), ours.1);
    let own = (
        "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI",
        "http://127.0.0.1:3/v1",
    );
    assert_eq!(posts(&[ours, own]).unwrap(), own.1);
}

#[test]
fn the_defaults_are_a_chat_of_friends() {
    assert_eq!(within(&[], |it| it.names()), Ok(Names::Required));
    assert_eq!(within(&[], |it| it.index()), Ok(Index::Friend));
    assert_eq!(within(&[], |it| it.routes()), Ok(Routes::default()));
    let rooms = [("NAMES", "optional"), ("INDEX", "room")];
    assert_eq!(within(&rooms, |it| it.names()), Ok(Names::Optional));
    assert_eq!(within(&rooms, |it| it.index()), Ok(Index::Room));
    let both = within(&[("INDEX", "friend,room")], |it| it.index());
    assert_eq!(both, Ok(Index::FriendAndRoom));
}

#[test]
fn an_invalid_value_is_refused_with_the_valid_ones() {
    assert_eq!(
        within(&[("NAMES", "Optional")], |it| it.names())
            .unwrap_err()
            .to_string(),
        "`NAMES` is `Optional`, which is not valid; it may be: required | optional"
    );
    assert!(within(&[("INDEX", "rooms")], |it| it.index()).is_err());
    let routes = within(&[("ROUTES", "[]")], |it| it.routes()).unwrap_err();
    assert!(
        routes.to_string().contains("it must be JSON by route key"),
        "{routes}"
    );
}

#[test]
fn the_function_for_large_rooms_has_its_own_endpoint() {
    let name = ("DELIVER_FUNCTION", "chat-Deliver");
    let address = |variables: Variables<'_>| within(variables, |it| it.deliver_function());
    assert_eq!(address(&[name]).unwrap().endpoint, None);
    let general = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let own = ("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:2");
    assert_eq!(
        address(&[name, general, own]).unwrap().endpoint.unwrap(),
        own.1
    );
    assert!(matches!(
        address(&[]),
        Err(EnvironmentError::Missing { .. })
    ));
}

#[test]
fn an_endpoint_without_scheme_is_refused_with_its_variable() {
    let posts = within(&[("CONNECTIONS_ENDPOINT", "wss://a.example/v1")], |it| {
        it.connections_endpoint()
    });
    assert_eq!(
        posts.unwrap_err().to_string(),
        "`CONNECTIONS_ENDPOINT` is `wss://a.example/v1`, which does not begin with http:// or https://"
    );
}

#[test]
fn the_log_level_is_ours_then_lambda_s_then_info() {
    let level = |variables: Variables<'_>| within(variables, |it| it.log_level());
    let lambda = ("AWS_LAMBDA_LOG_LEVEL", "WARN");
    assert_eq!(level(&[]), Level::Info);
    assert_eq!(level(&[lambda]), Level::Warn);
    assert_eq!(level(&[lambda, ("LOG_LEVEL", "debug")]), Level::Debug);
    assert_eq!(level(&[lambda, ("LOG_LEVEL", "?")]), Level::Warn);
}

#[test]
fn credentials_never_appear_in_debug_output() {
    let identity = within(
        &[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "key-id"),
            ("AWS_SECRET_ACCESS_KEY", "hush"),
            ("AWS_SESSION_TOKEN", "hush"),
        ],
        |it| it.identity(),
    );
    let shown = format!("{:?}", identity.unwrap());
    assert!(
        shown.contains("eu-west-1") && !shown.contains("hush"),
        "{shown}"
    );
}

fn within<T>(variables: Variables<'_>, question: impl FnOnce(Environment<'_>) -> T) -> T {
    question(Environment::new(&|name| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    }))
}
