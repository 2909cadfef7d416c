//! The condition keys of a DynamoDB request. Pure.
//!
//! Two keys of <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html> are
//! supported: `dynamodb:LeadingKeys`, the partition key values of a request, and `dynamodb:Attributes`, the attributes
//! that it names. A request without a partition key, such as a Scan, has no such value; one whose partition key cannot
//! be read has a value that no policy allows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// The value for a partition key that cannot be read.
const UNREADABLE: &str = "";

/// The condition keys and values of the part of `body` about one table.
///
/// `action` is the action to decide, without its service; `partition_key` is that of the table or the index.
pub(super) fn context(
    action: &str,
    body: &Value,
    table: &str,
    partition_key: &str,
) -> BTreeMap<String, Vec<String>> {
    let requests = requests(action, body, table);
    let mut leading = BTreeSet::new();
    let mut attributes = BTreeSet::new();
    for request in &requests {
        leading.extend(leading_key(action, request, partition_key));
        attributes.extend(named_attributes(request));
    }
    if action.starts_with("PartiQL") {
        leading.insert(UNREADABLE.to_owned());
        attributes.insert(UNREADABLE.to_owned());
    }
    let list = |values: BTreeSet<String>| values.into_iter().collect();
    BTreeMap::from([
        ("dynamodb:LeadingKeys".to_owned(), list(leading)),
        ("dynamodb:Attributes".to_owned(), list(attributes)),
    ])
}

/// The single requests on `table` in a request: itself, or the parts of a batch or a transaction.
fn requests<'b>(action: &str, body: &'b Value, table: &str) -> Vec<Request<'b>> {
    let is_it = |name: &Value| {
        let name = name.as_str().unwrap_or_default();
        name == table || name.ends_with(&format!(":table/{table}"))
    };
    let of = |value: &'b Value| value.as_object().map(Request);
    if let Some(tables) = body["RequestItems"].as_object() {
        let mine = tables
            .iter()
            .filter(|(name, _)| is_it(&Value::from(name.as_str())));
        return mine
            .flat_map(|(_, requests)| match requests {
                // BatchWriteItem: a list of puts and deletes.
                Value::Array(list) => list
                    .iter()
                    .filter_map(Value::as_object)
                    .flat_map(Map::values)
                    .filter_map(of)
                    .collect(),
                // BatchGetItem: keys and projection.
                one => of(one).into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    if let Some(items) = body["TransactItems"].as_array() {
        let kind = action.strip_suffix("Item").unwrap_or(action);
        return items
            .iter()
            .filter_map(|item| item.get(kind))
            .filter(|item| is_it(&item["TableName"]))
            .filter_map(of)
            .collect();
    }
    of(body).into_iter().collect()
}

struct Request<'b>(&'b Map<String, Value>);

impl<'b> Request<'b> {
    fn member(&self, name: &str) -> Option<&'b Value> {
        self.0.get(name)
    }

    fn text(&self, name: &str) -> Option<&'b str> {
        self.member(name)?.as_str()
    }

    /// The attribute behind a name in an expression.
    fn attribute<'n>(&self, name: &'n str) -> &'n str
    where
        'b: 'n,
    {
        if !name.starts_with('#') {
            return name;
        }
        self.member("ExpressionAttributeNames")
            .and_then(|names| names.get(name)?.as_str())
            .unwrap_or(UNREADABLE)
    }
}

fn leading_key(action: &str, request: &Request<'_>, partition_key: &str) -> Vec<String> {
    let of = |item: &Value| scalar(&item[partition_key]);
    if let Some(keys) = request.member("Keys").and_then(Value::as_array) {
        return keys.iter().map(of).collect();
    }
    if let Some(item) = request.member("Key").or_else(|| request.member("Item")) {
        return vec![of(item)];
    }
    if action != "Query" {
        return Vec::new();
    }
    if let Some(conditions) = request.member("KeyConditions") {
        return vec![scalar(&conditions[partition_key]["AttributeValueList"][0])];
    }
    let expression = request.text("KeyConditionExpression").unwrap_or_default();
    let words = words(expression);
    let value = words.windows(3).find_map(|three| match three {
        [name, "=", value] if request.attribute(name) == partition_key => {
            Some(&request.member("ExpressionAttributeValues")?[*value])
        }
        _ => None,
    });
    vec![value.map_or_else(|| UNREADABLE.to_owned(), scalar)]
}

/// A key's value, whatever its type: `{"S": "Tom"}` is `Tom`.
fn scalar(value: &Value) -> String {
    let inner = value.as_object().and_then(|typed| typed.values().next());
    inner
        .and_then(Value::as_str)
        .unwrap_or(UNREADABLE)
        .to_owned()
}

/// The top-level attributes that a request names in its fields and expressions.
fn named_attributes(request: &Request<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let keys = |value: &Value| -> Vec<String> {
        let keys = value.as_object().into_iter().flat_map(Map::keys);
        keys.cloned().collect()
    };
    for member in [
        "Key",
        "Item",
        "AttributeUpdates",
        "Expected",
        "KeyConditions",
        "QueryFilter",
        "ScanFilter",
    ] {
        names.extend(request.member(member).map(keys).unwrap_or_default());
    }
    let list = |name: &str| {
        let list = request.member(name).and_then(Value::as_array);
        list.into_iter().flatten()
    };
    names.extend(list("Keys").flat_map(keys));
    names.extend(list("AttributesToGet").filter_map(|name| Some(name.as_str()?.to_owned())));
    for member in [
        "ConditionExpression",
        "FilterExpression",
        "KeyConditionExpression",
        "ProjectionExpression",
        "UpdateExpression",
    ] {
        let words = words(request.text(member).unwrap_or_default());
        for (index, word) in words.iter().enumerate() {
            let is_name =
                word.starts_with(|first: char| first.is_alphabetic() || "#_".contains(first));
            let is_function = words.get(index + 1) == Some(&"(");
            if is_name && !is_function && !is_keyword(word) {
                names.push(request.attribute(word).to_owned());
            }
        }
    }
    names
}

fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 9] = [
        "ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET",
    ];
    KEYWORDS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word))
}

/// The names, values and operators of an expression; of a path only the first name.
fn words(expression: &str) -> Vec<&str> {
    let is_part = |character: char| character.is_alphanumeric() || "#:_".contains(character);
    let mut words = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let length = if first == '.' {
            // The rest of a path.
            rest[1..]
                .find(|c| !is_part(c))
                .map_or(rest.len(), |at| at + 1)
        } else if is_part(first) {
            rest.find(|c| !is_part(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(length);
        if first != '.' && !first.is_whitespace() {
            words.push(word);
        }
        rest = after;
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(action: &str, body: Value, leading: &[&str], attributes: &[&str]) {
        let context = context(action, &body, "T", "pk");
        assert_eq!(context["dynamodb:LeadingKeys"], leading, "{body}");
        assert_eq!(context["dynamodb:Attributes"], attributes, "{body}");
    }

    #[test]
    fn single_items_have_their_partition_key_and_their_attributes() {
        let key = json!({ "pk": { "S": "Tom" }, "sk": { "N": "1" } });
        check("GetItem", json!({ "Key": key }), &["Tom"], &["pk", "sk"]);
        check(
            "PutItem",
            json!({ "Item": { "pk": { "N": "7" }, "text": { "S": "x" } }, "ConditionExpression": "attribute_not_exists(pk) AND NOT #s.a = :v", "ExpressionAttributeNames": { "#s": "secret" } }),
            &["7"],
            &["pk", "secret", "text"],
        );
        check(
            "UpdateItem",
            json!({ "Key": key, "UpdateExpression": "SET a.b = if_not_exists(c[0].d, :one) + :one REMOVE e" }),
            &["Tom"],
            &["a", "c", "e", "pk", "sk"],
        );
        check(
            "GetItem",
            json!({ "Key": { "other": { "S": "x" } } }),
            &[""],
            &["other"],
        );
    }

    #[test]
    fn queries_have_the_partition_key_of_their_condition() {
        let values = json!({ ":u": { "S": "U#Tom" }, ":a": { "S": "C#" } });
        for condition in [
            "pk = :u",
            "pk=:u and begins_with(sk,:a)",
            "(sk BETWEEN :a AND :a) AND (#p = :u)",
        ] {
            let body = json!({
                "KeyConditionExpression": condition,
                "ExpressionAttributeNames": { "#p": "pk" },
                "ExpressionAttributeValues": values,
            });
            assert_eq!(
                context("Query", &body, "T", "pk")["dynamodb:LeadingKeys"],
                ["U#Tom"],
                "{condition}"
            );
        }
        let legacy = json!({ "KeyConditions": { "pk": { "ComparisonOperator": "EQ", "AttributeValueList": [{ "S": "a" }] } } });
        check("Query", legacy, &["a"], &["pk"]);
        let other =
            json!({ "KeyConditionExpression": "sk = :u", "ExpressionAttributeValues": values });
        check("Query", other, &[""], &["sk"]);
        check(
            "Scan",
            json!({ "ProjectionExpression": "a, b.c" }),
            &[],
            &["a", "b"],
        );
    }

    #[test]
    fn batches_and_transactions_have_only_the_keys_of_the_table() {
        let key = |pk: &str| json!({ "pk": { "S": pk } });
        check(
            "BatchGetItem",
            json!({ "RequestItems": { "T": { "Keys": [key("a"), key("b")] }, "U": { "Keys": [key("c")] } } }),
            &["a", "b"],
            &["pk"],
        );
        check(
            "BatchWriteItem",
            json!({ "RequestItems": { "arn:aws:dynamodb:r:1:table/T": [{ "PutRequest": { "Item": key("a") } }, { "DeleteRequest": { "Key": key("b") } }] } }),
            &["a", "b"],
            &["pk"],
        );
        check(
            "PutItem",
            json!({ "TransactItems": [{ "Put": { "TableName": "T", "Item": key("a") } }, { "Delete": { "TableName": "T", "Key": key("b") } }, { "Put": { "TableName": "U", "Item": key("c") } }] }),
            &["a"],
            &["pk"],
        );
    }

    #[test]
    fn partiql_has_a_key_that_no_policy_allows() {
        let statement = json!({ "Statement": "SELECT * FROM T WHERE pk = 'Tom'" });
        check("PartiQLSelect", statement, &[""], &[""]);
    }
}
