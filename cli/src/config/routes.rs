//! The `[[routes]]` tables as the file has them, and what they come to.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::names::{MemberName, RouteKey};
use super::permission::Grant;
use super::route::{CustomHandler, Lifecycle, MOST_TEXT, Purpose, Route, TextRule};
use super::url::BackendUrl;

/// The most bytes that the rules of all routes of one function may have as JSON: they travel in its environment,
/// which holds 4 KB (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MOST_RULES: usize = 3_072;

/// One `[[routes]]` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RouteTable {
    key: Spanned<RouteKey>,
    receivers: Option<Spanned<Receivers>>,
    http: Option<Spanned<BackendUrl>>,
    handler: Option<Spanned<HandlerFolder>>,
    text: Option<Spanned<MemberName>>,
    include_sender: Option<Spanned<bool>>,
    max_text_bytes: Option<Spanned<TextBytes>>,
    reply: Option<Spanned<bool>>,
    permissions: Option<Spanned<Vec<Grant>>>,
}

/// Who gets what a route is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Receivers {
    Friend,
    Room,
}

/// A number of bytes that a message can have.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "i64")]
struct TextBytes(u32);

impl TryFrom<i64> for TextBytes {
    type Error = String;
    fn try_from(number: i64) -> Result<Self, String> {
        match u32::try_from(number) {
            Ok(bytes) if (1..=MOST_TEXT).contains(&bytes) => Ok(Self(bytes)),
            _ => Err(format!(
                "{number} is not a length of texts: 1 to {MOST_TEXT} bytes, which is the most that API Gateway takes"
            )),
        }
    }
}

/// The folder of a handler's crate.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct HandlerFolder(String);

impl TryFrom<String> for HandlerFolder {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the folder of the handler's crate has a name, `.` for this one".into());
        }
        Ok(Self(text))
    }
}

/// What the tables come to together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Routes {
    pub(super) messages: Vec<Route>,
    pub(super) lifecycle: Option<Lifecycle>,
}

/// What is wrong, and where in the file's text.
pub(super) type Problem = (Range<usize>, String);

/// Checks `tables` alone and against one another; without any, there is one route to the friend, `$default`.
///
/// Folders start at `folder`. `line` tells the line of a place in the file.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn resolve(
    tables: &[Spanned<RouteTable>],
    folder: &Path,
    line: impl Fn(usize) -> usize,
) -> Result<Routes, Problem> {
    if tables.is_empty() {
        let key = "$default".parse().expect("a default obeys its own rule");
        let purpose = Purpose::Friend(TextRule::of_friend());
        return Ok(Routes {
            messages: vec![Route { key, purpose }],
            lifecycle: None,
        });
    }
    let mut seen: BTreeMap<&RouteKey, usize> = BTreeMap::new();
    let mut messages = Vec::new();
    let mut lifecycle: BTreeMap<&str, (&Spanned<RouteKey>, BackendUrl)> = BTreeMap::new();
    for table in tables {
        let at = table.span().start;
        let table = table.get_ref();
        let key = table.key.get_ref();
        if let Some(first) = seen.insert(key, line(at)) {
            let message = format!("route key `{key}` is already taken on line {first}");
            return Err((table.key.span(), message));
        }
        if key.is_lifecycle() {
            lifecycle.insert(key.as_ref(), (&table.key, lifecycle_url(table)?));
        } else {
            let purpose = purpose(table, folder)?;
            let key = key.clone();
            messages.push(Route { key, purpose });
        }
    }
    let lifecycle = pair(lifecycle)?;
    if messages.is_empty() {
        let place = tables[0].get_ref().key.span();
        let message = "no route takes messages: add one, for example with the key `$default`";
        return Err((place, message.into()));
    }
    if lifecycle.is_some() {
        refuse_receivers(tables)?;
    }
    check_size(tables, &messages)?;
    Ok(Routes {
        messages,
        lifecycle,
    })
}

/// What the table says is to be done with messages.
fn purpose(table: &RouteTable, folder: &Path) -> Result<Purpose, Problem> {
    let kinds = [
        table.receivers.as_ref().map(|it| ("receivers", it.span())),
        table.http.as_ref().map(|it| ("http", it.span())),
        table.handler.as_ref().map(|it| ("handler", it.span())),
    ];
    let mut kinds = kinds.into_iter().flatten();
    if let (Some((first, _)), Some((second, place))) = (kinds.next(), kinds.next()) {
        let message = format!("a route has `{first}` or `{second}`, not both");
        return Err((place, message));
    }
    let text = table.text.as_ref().map(|text| text.get_ref().clone());
    if let Some(url) = &table.http {
        refuse(
            table,
            "http",
            &["include-sender", "max-text-bytes", "reply", "permissions"],
        )?;
        let url = url.get_ref().clone();
        return Ok(Purpose::Http { url, text });
    }
    if let Some(crate_folder) = &table.handler {
        refuse(
            table,
            "handler",
            &["text", "include-sender", "max-text-bytes"],
        )?;
        return Ok(Purpose::Handler(CustomHandler {
            folder: folder.join(&crate_folder.get_ref().0),
            reply: table.reply.as_ref().is_some_and(|reply| *reply.get_ref()),
            grants: table
                .permissions
                .as_ref()
                .map(|grants| grants.get_ref().clone())
                .unwrap_or_default(),
        }));
    }
    let most = table.max_text_bytes.as_ref().map(|most| most.get_ref().0);
    let rule = |default: TextRule| TextRule {
        member: text.clone(),
        most: most.unwrap_or(default.most),
    };
    match table.receivers.as_ref().map(Spanned::get_ref) {
        Some(Receivers::Room) => {
            refuse(table, "receivers", &["reply", "permissions"])?;
            Ok(Purpose::Room {
                include_sender: table
                    .include_sender
                    .as_ref()
                    .is_some_and(|it| *it.get_ref()),
                rule: rule(TextRule::of_room()),
            })
        }
        Some(Receivers::Friend) | None => {
            refuse(table, "receivers", &["reply", "permissions"])?;
            if let Some(place) = table.include_sender.as_ref().map(Spanned::span) {
                let message = "`include-sender` belongs to rooms (`receivers = \"room\"`): a friend is one other person";
                return Err((place, message.into()));
            }
            Ok(Purpose::Friend(rule(TextRule::of_friend())))
        }
    }
}

/// Refuses options that mean nothing on a route with `kind`.
fn refuse(table: &RouteTable, kind: &str, options: &[&str]) -> Result<(), Problem> {
    const BELONG: [(&str, &str); 5] = [
        ("text", "`receivers` or `http`"),
        ("include-sender", "`receivers = \"room\"`"),
        ("max-text-bytes", "`receivers`"),
        ("reply", "`handler`"),
        ("permissions", "`handler`"),
    ];
    let places = [
        table.text.as_ref().map(Spanned::span),
        table.include_sender.as_ref().map(Spanned::span),
        table.max_text_bytes.as_ref().map(Spanned::span),
        table.reply.as_ref().map(Spanned::span),
        table.permissions.as_ref().map(Spanned::span),
    ];
    for ((option, owner), place) in BELONG.into_iter().zip(places) {
        if let (true, Some(place)) = (options.contains(&option), place) {
            let message = match kind {
                "receivers" => format!("`{option}` belongs to a route with {owner}"),
                kind => {
                    format!("`{option}` belongs to a route with {owner}, and this one has `{kind}`")
                }
            };
            return Err((place, message));
        }
    }
    Ok(())
}

/// `$connect` and `$disconnect` have `http` and nothing else.
fn lifecycle_url(table: &RouteTable) -> Result<BackendUrl, Problem> {
    let key = table.key.get_ref();
    let Some(url) = &table.http else {
        let message = format!(
            "chatctl makes the `{key}` route itself; it can only be given to a backend, by `http`"
        );
        return Err((table.key.span(), message));
    };
    purpose(table, Path::new(""))?;
    if let Some(text) = &table.text {
        return Err((
            text.span(),
            format!("`{key}` carries no message, so it has no `text`"),
        ));
    }
    Ok(url.get_ref().clone())
}

/// Both, or neither.
fn pair(
    mut urls: BTreeMap<&str, (&Spanned<RouteKey>, BackendUrl)>,
) -> Result<Option<Lifecycle>, Problem> {
    match (urls.remove("$connect"), urls.remove("$disconnect")) {
        (None, None) => Ok(None),
        (Some((_, connect)), Some((_, disconnect))) => Ok(Some(Lifecycle {
            connect,
            disconnect,
        })),
        (Some((key, _)), None) => Err((
            key.span(),
            "a backend that learns who comes must learn who goes: add a route with the key `$disconnect`".into(),
        )),
        (None, Some((key, _))) => Err((
            key.span(),
            "a backend that learns who goes must learn who comes: add a route with the key `$connect`".into(),
        )),
    }
}

/// Where a backend keeps the connections, our functions know nobody.
fn refuse_receivers(tables: &[Spanned<RouteTable>]) -> Result<(), Problem> {
    let ours = tables
        .iter()
        .map(Spanned::get_ref)
        .find(|table| table.http.is_none() && table.handler.is_none());
    match ours {
        None => Ok(()),
        Some(table) => Err((
            table.receivers.as_ref().map_or(table.key.span(), Spanned::span),
            "with `$connect` at a backend nobody else knows who is connected, so a message finds no receivers: give \
             this route `http` or `handler`, or take the `$connect` and `$disconnect` routes away"
                .into(),
        )),
    }
}

/// The rules of all routes of a function must fit into its environment.
fn check_size(tables: &[Spanned<RouteTable>], messages: &[Route]) -> Result<(), Problem> {
    let mut sizes = [0, 0];
    for route in messages {
        let (function, rule) = match &route.purpose {
            Purpose::Friend(rule) => (0, rule),
            Purpose::Room { rule, .. } => (1, rule),
            Purpose::Http { .. } | Purpose::Handler(_) => continue,
        };
        let member = rule
            .member
            .as_ref()
            .map_or(0, |member| member.as_ref().len());
        // The names of the three options, with their punctuation and values.
        sizes[function] += route.key.as_ref().len() + member + 64;
        if sizes[function] > MOST_RULES {
            let table = tables
                .iter()
                .find(|table| table.get_ref().key.get_ref() == &route.key);
            let place = table.map_or(0..0, |table| table.get_ref().key.span());
            let message = "one route too many: what all of them say no longer fits into a function's environment, \
                           which AWS Lambda limits to 4 KB";
            return Err((place, message.into()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::file::parse;
    use super::*;
    use expect_test::{Expect, expect};

    fn routes(text: &str) -> Routes {
        parse(Path::new("chatctl.toml"), text, Path::new("/chat"))
            .unwrap()
            .1
    }

    /// Where each of these route tables is wrong, and why.
    fn check(tables: &[&str], expected: Expect) {
        let refusals = tables.iter().map(|table| {
            let text = format!("[[routes]]\n{}\n", table.replace("; ", "\n"));
            let refusal = parse(Path::new("x"), &text, Path::new(""))
                .expect_err(table)
                .to_string();
            refusal.lines().next().unwrap_or_default().to_owned() + "\n"
        });
        expected.assert_eq(&refusals.collect::<String>());
    }

    #[test]
    fn what_a_route_does_not_say_is_filled_in() {
        let text = "[[routes]]\nkey = \"a\"\n[[routes]]\nkey = \"b\"\nreceivers = \"room\"\n";
        let [a, b] = &routes(text).messages[..] else {
            panic!("two routes");
        };
        assert_eq!(
            a.purpose,
            Purpose::Friend(TextRule {
                member: None,
                most: 131_072
            })
        );
        let rule = TextRule {
            member: None,
            most: 32_768,
        };
        assert_eq!(
            b.purpose,
            Purpose::Room {
                include_sender: false,
                rule
            }
        );
    }

    #[test]
    fn every_option_of_a_room_is_kept() {
        let text = "[[routes]]\nkey = \"onMessage\"\nreceivers = \"room\"\ntext = \"message\"\n\
                    include-sender = true\nmax-text-bytes = 10\n";
        let rule = TextRule {
            member: Some("message".parse().unwrap()),
            most: 10,
        };
        let purpose = Purpose::Room {
            include_sender: true,
            rule,
        };
        assert_eq!(routes(text).messages[0].purpose, purpose);
    }

    #[test]
    fn a_handler_s_folder_starts_at_the_config_and_its_permissions_are_kept() {
        let text = "[[routes]]\nkey = \"roll\"\nhandler = \"dice\"\nreply = true\n[[routes.permissions]]\n\
                    actions = [\"dynamodb:Query\"]\nresources = [\"table\"]\n";
        let Purpose::Handler(handler) = &routes(text).messages[0].purpose else {
            panic!("a handler");
        };
        assert_eq!(handler.folder, Path::new("/chat/dice"));
        assert!(handler.reply);
        assert_eq!(handler.grants.len(), 1);
    }

    #[test]
    fn a_backend_takes_connect_and_disconnect_together() {
        let url = |path: &str| format!("http = \"https://b.example/{path}\"\n");
        let text = format!(
            "[[routes]]\nkey = \"$connect\"\n{}[[routes]]\nkey = \"$disconnect\"\n{}[[routes]]\nkey = \"send\"\n{}text = \"message\"\n",
            url("in"),
            url("out"),
            url("send")
        );
        let routes = routes(&text);
        assert_eq!(
            routes.lifecycle.unwrap().disconnect.to_string(),
            "https://b.example/out"
        );
        assert_eq!(routes.messages.len(), 1);
    }

    #[test]
    fn options_that_do_not_belong_together_are_refused_at_their_place() {
        check(
            &[
                "key = 'a'; include-sender = true",
                "key = 'a'; receivers = 'room'; http = 'https://b.example'",
                "key = 'a'; handler = 'h'; http = 'https://b.example'",
                "key = 'a'; handler = 'h'; receivers = 'friend'",
                "key = 'a'; reply = true",
                "key = 'a'; http = 'https://b.example'; reply = true",
                "key = 'a'; http = 'https://b.example'; max-text-bytes = 3",
                "key = 'a'; handler = 'h'; text = 'x'",
                "key = 'a'; [[routes.permissions]]; actions = ['s3:GetObject']; resources = ['table']",
            ],
            expect![[r#"
                x:3:18: `include-sender` belongs to rooms (`receivers = "room"`): a friend is one other person
                x:4:8: a route has `receivers` or `http`, not both
                x:3:11: a route has `http` or `handler`, not both
                x:3:11: a route has `receivers` or `handler`, not both
                x:3:9: `reply` belongs to a route with `handler`
                x:4:9: `reply` belongs to a route with `handler`, and this one has `http`
                x:4:18: `max-text-bytes` belongs to a route with `receivers`, and this one has `http`
                x:4:8: `text` belongs to a route with `receivers` or `http`, and this one has `handler`
                x:3:1: `permissions` belongs to a route with `handler`
            "#]],
        );
    }

    #[test]
    fn values_that_mean_nothing_are_refused_at_their_place() {
        check(
            &[
                "key = 'a'; receivers = 'everybody'",
                "key = 'a'; text = ''",
                "key = 'a'; text = 'a.b'",
                "key = 'a'; max-text-bytes = 0",
                "key = 'a'; max-text-bytes = 131073",
                "key = 'a'; http = 'https://b.example:22/'",
                "key = 'a'; handler = ''",
                "key = 'a'; handler = 'h'; [[routes.permissions]]; actions = ['query']; resources = ['table']",
                "key = 'a'; handler = 'h'; [[routes.permissions]]; actions = ['s3:GetObject']; resources = ['*']",
                "key = 'a'; handler = 'h'; [[routes.permissions]]; actions = []; resources = ['table']",
                "key = 'a'; handler = 'h'; [[routes.permissions]]; actions = ['s3:GetObject']",
                "key = 'a'; sender = true",
            ],
            expect![[r#"
                x:3:13: unknown variant `everybody`, expected `friend` or `room`
                x:3:8: "" is not a name of a JSON member: it is empty
                x:3:8: "a.b" is not a name of a JSON member: '.' is not allowed, only letters, digits, `_` and `-`
                x:3:18: 0 is not a length of texts: 1 to 131072 bytes, which is the most that API Gateway takes
                x:3:18: 131073 is not a length of texts: 1 to 131072 bytes, which is the most that API Gateway takes
                x:3:8: "https://b.example:22/" is not the URL of a backend: API Gateway reaches the ports 80, 443 and 1024 to 65535 only, not 22
                x:3:11: the folder of the handler's crate has a name, `.` for this one
                x:5:11: "query" is not an action: a service and one of its actions, for example "dynamodb:Query"
                x:6:13: "*" is everything in the account: name what it is, "table", "connections" or an ARN
                x:5:11: the list is empty
                x:4:1: missing field `resources`
                x:3:1: unknown field `sender`, expected one of `key`, `receivers`, `http`, `handler`, `text`, `include-sender`, `max-text-bytes`, `reply`, `permissions`
            "#]],
        );
    }

    #[test]
    fn routes_that_do_not_fit_together_are_refused_at_their_place() {
        let connect = "key = '$connect'; http = 'https://b.example/in'";
        let disconnect = "[[routes]]; key = '$disconnect'; http = 'https://b.example/out'";
        check(
            &[
                "key = 'send'; ; [[routes]]; key = 'send'",
                "key = '$connect'",
                "key = '$disconnect'; handler = 'h'",
                &format!("{connect}; text = 'x'"),
                &format!("{connect}; reply = true"),
                &format!("{connect}; [[routes]]; key = 'a'; http = 'https://b.example/'"),
                "key = '$disconnect'; http = 'https://b.example/out'; [[routes]]; key = 'a'",
                &format!("{connect}; {disconnect}"),
                &format!("{connect}; {disconnect}; [[routes]]; key = 'a'"),
                &format!("{connect}; {disconnect}; [[routes]]; key = 'a'; receivers = 'room'"),
            ],
            expect![[r#"
                x:5:7: route key `send` is already taken on line 1
                x:2:7: chatctl makes the `$connect` route itself; it can only be given to a backend, by `http`
                x:2:7: chatctl makes the `$disconnect` route itself; it can only be given to a backend, by `http`
                x:4:8: `$connect` carries no message, so it has no `text`
                x:4:9: `reply` belongs to a route with `handler`, and this one has `http`
                x:2:7: a backend that learns who comes must learn who goes: add a route with the key `$disconnect`
                x:2:7: a backend that learns who goes must learn who comes: add a route with the key `$connect`
                x:2:7: no route takes messages: add one, for example with the key `$default`
                x:8:7: with `$connect` at a backend nobody else knows who is connected, so a message finds no receivers: give this route `http` or `handler`, or take the `$connect` and `$disconnect` routes away
                x:9:13: with `$connect` at a backend nobody else knows who is connected, so a message finds no receivers: give this route `http` or `handler`, or take the `$connect` and `$disconnect` routes away
            "#]],
        );
    }

    #[test]
    fn more_than_a_function_s_environment_holds_is_refused() {
        let tables: String = (0..60)
            .map(|n| {
                format!("[[routes]]\nkey = \"route-{n}\"\nreceivers = \"room\"\ntext = \"text\"\n")
            })
            .collect();
        let refusal = parse(Path::new("x"), &tables, Path::new("")).expect_err("must be refused");
        assert!(refusal.to_string().contains("4 KB"), "{refusal}");
    }
}
