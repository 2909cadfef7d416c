//! The permissions that a DynamoDB request needs. Pure.
//!
//! See <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>. Batches are
//! separate actions on each of their tables; a transaction needs the action of each of its items.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The Region and account of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) region: String,
    pub(crate) account_id: String,
}

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    pub(crate) action: String,
    pub(crate) resource: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    table_name: Option<String>,
    index_name: Option<String>,
    request_items: Option<BTreeMap<String, IgnoredAny>>,
    transact_items: Option<Vec<BTreeMap<String, Item>>>,
    statement: Option<String>,
    statements: Option<Vec<Statement>>,
    transact_statements: Option<Vec<Statement>>,
    resource_arn: Option<String>,
    stream_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    table_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    statement: Option<String>,
}

/// The permissions that `operation` with this body needs.
///
/// # Errors
/// DynamoDB would refuse to read the body.
pub(crate) fn needs(
    operation: &str,
    body: &[u8],
    scope: &Scope,
) -> Result<Vec<Need>, serde_json::Error> {
    let body: Body = serde_json::from_slice(body)?;
    let need = |action: &str, resource: String| Need {
        action: format!("dynamodb:{action}"),
        resource,
    };
    let table =
        |name: Option<&str>| name.map_or_else(|| "*".to_owned(), |name| table_arn(name, scope));
    let needs = match operation {
        "ListTables" | "ListStreams" => vec![need(operation, "*".to_owned())],
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body.request_items.unwrap_or_default();
            tables
                .keys()
                .map(|name| need(operation, table_arn(name, scope)))
                .collect()
        }
        "TransactGetItems" | "TransactWriteItems" => {
            let items = body.transact_items.unwrap_or_default();
            let mut needs: Vec<Need> = items
                .iter()
                .flatten()
                .map(|(kind, item)| need(&item_action(kind), table(item.table_name.as_deref())))
                .collect();
            needs.sort();
            needs.dedup();
            needs
        }
        "ExecuteStatement" | "BatchExecuteStatement" | "ExecuteTransaction" => {
            let lists = [body.statements, body.transact_statements]
                .into_iter()
                .flatten()
                .flatten();
            let statements = lists
                .filter_map(|statement| statement.statement)
                .chain(body.statement);
            statements
                .map(|text| {
                    let (action, name) = partiql(&text);
                    need(action, table(name))
                })
                .collect()
        }
        "Query" | "Scan" => {
            let table = table(body.table_name.as_deref());
            let resource = match body.index_name {
                Some(index) => format!("{table}/index/{index}"),
                None => table,
            };
            vec![need(operation, resource)]
        }
        _ => {
            // Each one that is named, because the database only looks at one of them and ignores the others.
            let arns = [body.resource_arn, body.stream_arn].into_iter().flatten();
            let named = body.table_name.as_deref();
            let resources: Vec<_> = arns.chain(named.map(|name| table(Some(name)))).collect();
            match resources.is_empty() {
                true => vec![need(operation, "*".to_owned())],
                false => resources
                    .into_iter()
                    .map(|resource| need(operation, resource))
                    .collect(),
            }
        }
    };
    Ok(needs)
}

/// A table may also be named by its ARN.
fn table_arn(name: &str, scope: &Scope) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    format!(
        "arn:aws:dynamodb:{}:{}:table/{name}",
        scope.region, scope.account_id
    )
}

fn item_action(kind: &str) -> String {
    match kind {
        "ConditionCheck" => "ConditionCheckItem".to_owned(),
        "Get" | "Put" | "Update" | "Delete" => format!("{kind}Item"),
        other => other.to_owned(),
    }
}

/// The action of a PartiQL statement and its table; without a table only `*` permits it.
fn partiql(statement: &str) -> (&'static str, Option<&str>) {
    let words: Vec<&str> = statement.split_whitespace().collect();
    let after = |word: &str| {
        let at = words
            .iter()
            .position(|known| known.eq_ignore_ascii_case(word))?;
        words.get(at + 1).and_then(|name| table_of(name))
    };
    match words
        .first()
        .map(|word| word.to_ascii_uppercase())
        .as_deref()
    {
        Some("INSERT") => ("PartiQLInsert", after("INTO")),
        Some("UPDATE") => ("PartiQLUpdate", after("UPDATE")),
        Some("DELETE") => ("PartiQLDelete", after("FROM")),
        _ => ("PartiQLSelect", after("FROM")),
    }
}

/// Parses `"Table"."Index"` and `Table`. Names with other characters are not supported.
fn table_of(word: &str) -> Option<&str> {
    let name = match word.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => word.split(['.', ';']).next()?,
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (!name.is_empty() && name.bytes().all(is_plain)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(operation: &str, body: &str, expected: &[&str]) {
        let scope = Scope {
            region: "r".to_owned(),
            account_id: "1".to_owned(),
        };
        let needs = needs(operation, body.as_bytes(), &scope).unwrap();
        let needs: Vec<String> = needs
            .into_iter()
            .map(|need| {
                format!(
                    "{} {}",
                    need.action,
                    need.resource.replace("arn:aws:dynamodb:r:1:table/", "")
                )
            })
            .collect();
        assert_eq!(needs, expected, "{operation} {body}");
    }

    #[test]
    fn every_operation_needs_its_own_action_on_its_table() {
        check("GetItem", r#"{"TableName":"T"}"#, &["dynamodb:GetItem T"]);
        check(
            "GetItem",
            r#"{"TableName":"arn:aws:dynamodb:r:1:table/T"}"#,
            &["dynamodb:GetItem T"],
        );
        check("Query", r#"{"TableName":"T"}"#, &["dynamodb:Query T"]);
        check(
            "Scan",
            r#"{"TableName":"T","IndexName":"I"}"#,
            &["dynamodb:Scan T/index/I"],
        );
        check(
            "PutItem",
            r#"{"TableName":"T","ResourceArn":"arn:aws:dynamodb:r:1:table/U"}"#,
            &["dynamodb:PutItem U", "dynamodb:PutItem T"],
        );
        check("ListTables", "{}", &["dynamodb:ListTables *"]);
        check("GetItem", "{}", &["dynamodb:GetItem *"]);
    }

    #[test]
    fn batches_are_separate_actions_on_each_table() {
        check(
            "BatchWriteItem",
            r#"{"RequestItems":{"A":[],"B":[{}]}}"#,
            &["dynamodb:BatchWriteItem A", "dynamodb:BatchWriteItem B"],
        );
    }

    #[test]
    fn a_transaction_needs_the_action_of_each_item() {
        check(
            "TransactWriteItems",
            r#"{"TransactItems":[{"Put":{"TableName":"A"}},{"ConditionCheck":{"TableName":"B"}},{"Put":{"TableName":"A"}}]}"#,
            &["dynamodb:ConditionCheckItem B", "dynamodb:PutItem A"],
        );
        check(
            "TransactGetItems",
            r#"{"TransactItems":[{"Get":{"TableName":"A"}}]}"#,
            &["dynamodb:GetItem A"],
        );
    }

    #[test]
    fn partiql_does_not_bypass_permissions() {
        check(
            "ExecuteStatement",
            r#"{"Statement":"select * from \"T\".\"I\" where a=1"}"#,
            &["dynamodb:PartiQLSelect T"],
        );
        check(
            "ExecuteStatement",
            r#"{"Statement":"INSERT INTO T VALUE {}"}"#,
            &["dynamodb:PartiQLInsert T"],
        );
        check(
            "BatchExecuteStatement",
            r#"{"Statements":[{"Statement":"DELETE FROM T"},{"Statement":"UPDATE U SET a=1"}]}"#,
            &["dynamodb:PartiQLDelete T", "dynamodb:PartiQLUpdate U"],
        );
        check(
            "ExecuteStatement",
            r#"{"Statement":"nonsense"}"#,
            &["dynamodb:PartiQLSelect *"],
        );
    }

    #[test]
    fn a_body_that_names_its_table_twice_is_refused() {
        let scope = Scope {
            region: "r".to_owned(),
            account_id: "1".to_owned(),
        };
        assert!(needs("GetItem", br#"{"TableName":"A","TableName":"B"}"#, &scope).is_err());
    }
}
