//! Translates tables' ARNs: requests may name a table by its ARN, and responses contain ARNs. Pure.
//!
//! "You can also provide the Amazon Resource Name (ARN) of the table in this parameter":
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html>. The database only accepts names,
//! and has its own Region and account.

use hyper::body::Bytes;
use serde_json::{Map, Value};

use super::needs::Scope;

/// The prefix of the database's own ARNs.
const INNER: &str = "arn:aws:dynamodb:dynoxide:000000000000:";

/// The operations whose responses contain ARNs.
const DESCRIBING: [&str; 9] = [
    "CreateTable",
    "DeleteTable",
    "DescribeTable",
    "DescribeStream",
    "ListStreams",
    "ListTagsOfResource",
    "TagResource",
    "UntagResource",
    "UpdateTable",
];

fn outer(scope: &Scope) -> String {
    let Scope { region, account_id } = scope;
    format!("arn:aws:dynamodb:{region}:{account_id}:")
}

/// `body` with the scope's own tables named instead of their ARNs; `None` if it contains none.
pub(super) fn inward(body: &[u8], scope: &Scope) -> Option<Bytes> {
    let outer = outer(scope);
    if !contains(body, outer.as_bytes()) {
        return None;
    }
    let mut value: Value = serde_json::from_slice(body).ok()?;
    let request = value.as_object_mut()?;
    named(request, &outer);
    for member in ["ResourceArn", "StreamArn"] {
        if let Some(Value::String(arn)) = request.get_mut(member)
            && let Some(rest) = arn.strip_prefix(&outer)
        {
            *arn = format!("{INNER}{rest}");
        }
    }
    if let Some(Value::Object(tables)) = request.get_mut("RequestItems") {
        let renamed = std::mem::take(tables).into_iter();
        *tables = renamed
            .map(|(name, requests)| (table(&name, &outer).unwrap_or(name), requests))
            .collect();
    }
    if let Some(Value::Array(items)) = request.get_mut("TransactItems") {
        let items = items.iter_mut().filter_map(Value::as_object_mut);
        for one in items
            .flat_map(Map::values_mut)
            .filter_map(Value::as_object_mut)
        {
            named(one, &outer);
        }
    }
    serde_json::to_vec(&value).ok().map(Bytes::from)
}

/// The database's response to `operation` with the scope's ARNs instead of its own; `None` if it contains none.
pub(super) fn outward(operation: &str, answer: &[u8], scope: &Scope) -> Option<Bytes> {
    if !DESCRIBING.contains(&operation) || !contains(answer, INNER.as_bytes()) {
        return None;
    }
    let text = std::str::from_utf8(answer).ok()?;
    Some(text.replace(INNER, &outer(scope)).into())
}

fn named(request: &mut Map<String, Value>, outer: &str) {
    if let Some(Value::String(name)) = request.get_mut("TableName")
        && let Some(found) = table(name, outer)
    {
        *name = found;
    }
}

/// The table of an ARN; `None` for anything but an ARN of this account and Region.
fn table(arn: &str, outer: &str) -> Option<String> {
    let name = arn.strip_prefix(outer)?.strip_prefix("table/")?;
    (!name.contains('/')).then(|| name.to_owned())
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OURS: &str = "arn:aws:dynamodb:eu-central-1:123456789012:table/chat";

    fn scope() -> Scope {
        Scope {
            region: "eu-central-1".to_owned(),
            account_id: "123456789012".to_owned(),
        }
    }

    #[test]
    fn arns_become_names_in_every_place_for_a_table() {
        for (request, expected) in [
            (
                json!({ "TableName": OURS, "Key": {} }),
                json!({ "TableName": "chat", "Key": {} }),
            ),
            (
                json!({ "RequestItems": { OURS: { "Keys": [] }, "b": {} } }),
                json!({ "RequestItems": { "chat": { "Keys": [] }, "b": {} } }),
            ),
            (
                json!({ "TransactItems": [{ "Put": { "TableName": OURS, "Item": { "x": { "S": OURS } } } }] }),
                json!({ "TransactItems": [{ "Put": { "TableName": "chat", "Item": { "x": { "S": OURS } } } }] }),
            ),
            (
                json!({ "ResourceArn": OURS }),
                json!({ "ResourceArn": format!("{INNER}table/chat") }),
            ),
        ] {
            let changed = inward(request.to_string().as_bytes(), &scope()).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&changed).unwrap(), expected);
        }
        for other in [
            json!({ "TableName": "chat" }),
            json!({ "TableName": OURS.replace("eu-central-1", "us-east-1") }),
        ] {
            assert_eq!(inward(other.to_string().as_bytes(), &scope()), None);
        }
    }

    #[test]
    fn responses_have_the_arns_of_the_scope() {
        let answer = format!(r#"{{"Table":{{"TableArn":"{INNER}table/chat"}}}}"#);
        let changed = outward("DescribeTable", answer.as_bytes(), &scope()).unwrap();
        assert!(String::from_utf8_lossy(&changed).contains(OURS));
        assert_eq!(outward("GetItem", answer.as_bytes(), &scope()), None);
    }
}
