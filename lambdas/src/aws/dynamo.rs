//! Requests to DynamoDB, in its JSON protocol.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html>.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use hyper::Method;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::failure::{CallError, Failure};
use super::retries::Repetition;
use super::service::{Call, Service};

/// One item of the table.
pub(super) type Item = HashMap<String, Attribute>;

/// The value of an attribute, of the kinds that the chat has. A number is text, because it may have more digits than
/// any type of ours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) enum Attribute {
    S(String),
    N(String),
    /// A set, which is never empty.
    #[serde(rename = "SS")]
    Texts(Vec<String>),
    /// A kind that only users' own programs write. An item with one is still read.
    #[serde(skip)]
    Other,
}

impl Attribute {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::S(text.into())
    }

    pub(super) fn number(number: impl fmt::Display) -> Self {
        Self::N(number.to_string())
    }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Kind;
        impl<'de> Visitor<'de> for Kind {
            type Value = Attribute;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an attribute's value under its kind")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attribute, A::Error> {
                let mut attribute = Attribute::Other;
                while let Some(kind) = map.next_key::<String>()? {
                    match kind.as_str() {
                        "S" => attribute = Attribute::S(map.next_value()?),
                        "N" => attribute = Attribute::N(map.next_value()?),
                        "SS" => attribute = Attribute::Texts(map.next_value()?),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(attribute)
            }
        }
        deserializer.deserialize_map(Kind)
    }
}

/// An operation that handlers use.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    DeleteItem,
    GetItem,
    PutItem,
    Query,
    UpdateItem,
}

impl Operation {
    const fn target(self) -> &'static str {
        match self {
            Self::DeleteItem => "DynamoDB_20120810.DeleteItem",
            Self::GetItem => "DynamoDB_20120810.GetItem",
            Self::PutItem => "DynamoDB_20120810.PutItem",
            Self::Query => "DynamoDB_20120810.Query",
            Self::UpdateItem => "DynamoDB_20120810.UpdateItem",
        }
    }

    /// The permission for it.
    pub(super) const fn action(self) -> &'static str {
        match self {
            Self::DeleteItem => "dynamodb:DeleteItem",
            Self::GetItem => "dynamodb:GetItem",
            Self::PutItem => "dynamodb:PutItem",
            Self::Query => "dynamodb:Query",
            Self::UpdateItem => "dynamodb:UpdateItem",
        }
    }
}

/// The parameters of an operation, all but the table's name. What is not set is not sent.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Parameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_condition_expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    projection_expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition_expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_expression: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    expression_attribute_names: BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    expression_attribute_values: BTreeMap<&'static str, Attribute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consistent_read: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scan_index_forward: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclusive_start_key: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_values: Option<&'static str>,
    #[serde(skip)]
    repetition: Repetition,
}

/// Sets one parameter each, by its name in DynamoDB's API.
impl Parameters {
    pub(super) fn key(key: Item) -> Self {
        let key = Some(key);
        Self {
            key,
            ..Self::default()
        }
    }

    pub(super) fn item(item: Item) -> Self {
        let item = Some(item);
        Self {
            item,
            ..Self::default()
        }
    }

    pub(super) fn key_condition(expression: impl Into<String>) -> Self {
        Self {
            key_condition_expression: Some(expression.into()),
            ..Self::default()
        }
    }

    pub(super) fn filter(mut self, expression: impl Into<String>) -> Self {
        self.filter_expression = Some(expression.into());
        self
    }

    pub(super) fn projection(mut self, expression: impl Into<String>) -> Self {
        self.projection_expression = Some(expression.into());
        self
    }

    pub(super) fn condition(mut self, expression: impl Into<String>) -> Self {
        self.condition_expression = Some(expression.into());
        self
    }

    pub(super) fn update(mut self, expression: impl Into<String>) -> Self {
        self.update_expression = Some(expression.into());
        self
    }

    pub(super) fn name(mut self, placeholder: &'static str, name: &'static str) -> Self {
        self.expression_attribute_names.insert(placeholder, name);
        self
    }

    pub(super) fn value(mut self, placeholder: &'static str, value: Attribute) -> Self {
        self.expression_attribute_values.insert(placeholder, value);
        self
    }

    pub(super) fn consistent_read(mut self, is_consistent: bool) -> Self {
        self.consistent_read = Some(is_consistent);
        self
    }

    pub(super) fn limit(mut self, rows: u16) -> Self {
        self.limit = Some(rows);
        self
    }

    pub(super) fn scan_index_forward(mut self, is_ascending: bool) -> Self {
        self.scan_index_forward = Some(is_ascending);
        self
    }

    pub(super) fn start_key(mut self, key: Option<Item>) -> Self {
        self.exclusive_start_key = key;
        self
    }

    pub(super) fn return_values(mut self, which: &'static str) -> Self {
        self.return_values = Some(which);
        self
    }

    /// For what must not be done twice: it is not sent again once it may have been done.
    pub(super) fn unrepeated(mut self) -> Self {
        self.repetition = Repetition::Never;
        self
    }
}

/// What responses have, as far as handlers read it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Found {
    pub(super) item: Option<Item>,
    pub(super) attributes: Option<Item>,
    items: Option<Vec<Item>>,
    pub(super) last_evaluated_key: Option<Item>,
}

impl Found {
    pub(super) fn items(&self) -> &[Item] {
        self.items.as_deref().unwrap_or_default()
    }
}

/// Sends `operation` on `table` to `service`.
pub(super) async fn send(
    service: &Service,
    table: &str,
    operation: Operation,
    parameters: &Parameters,
) -> Result<Found, CallError> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body<'a> {
        table_name: &'a str,
        #[serde(flatten)]
        parameters: &'a Parameters,
    }
    let body = serde_json::to_vec(&Body {
        table_name: table,
        parameters,
    });
    let call = Call {
        method: Method::POST,
        path: "/".to_owned(),
        headers: vec![("x-amz-target", operation.target())],
        body: Some((
            "application/x-amz-json-1.0",
            body.expect("texts and numbers always become JSON").into(),
        )),
        repetition: parameters.repetition,
    };
    let answer = service.send(&call).await?;
    if answer.body.is_empty() {
        return Ok(Found::default());
    }
    serde_json::from_slice(&answer.body).map_err(|source| CallError {
        failure: Failure::Unreadable { source },
        is_unanswered: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_with_kinds_that_the_chat_does_not_have_is_still_read() {
        let page = r#"{"Count":1,"ScannedCount":1,"Items":[{"pk":{"S":"a\u0000\"\ud83d\ude00"},"n":{"N":"1E+999"},
            "names":{"SS":["a",""]},"b":{"B":"AA=="},"bs":{"BS":[""]},"ns":{"NS":["1"]},"t":{"BOOL":true},
            "z":{"NULL":true},"l":{"L":[{"M":{"x":{"S":"y"}}}]},"m":{"M":{"S":{"N":"1"}}},"new":{"NEW":{"a":[1.5]}},
            "none":{}}],"LastEvaluatedKey":null,"Item":null}"#;
        let found: Found = serde_json::from_str(page).expect("it is a page");
        let [item] = found.items() else {
            panic!("{found:?}")
        };
        assert_eq!(item["pk"], Attribute::text("a\u{0}\"\u{1F600}"));
        assert_eq!(item["n"], Attribute::N("1E+999".to_owned()));
        let names = vec!["a".to_owned(), String::new()];
        assert_eq!(item["names"], Attribute::Texts(names));
        for other in ["b", "bs", "ns", "t", "z", "l", "m", "new", "none"] {
            assert_eq!(item[other], Attribute::Other, "{other}");
        }
        assert!(found.last_evaluated_key.is_none() && found.item.is_none());
        for wrong in [r#"{"Items":{}}"#, r#"{"Items":[{"a":{"S":1}}]}"#, "[1]"] {
            serde_json::from_str::<Found>(wrong).expect_err(wrong);
        }
    }

    #[test]
    fn only_what_is_set_is_sent() {
        let none = serde_json::to_string(&Parameters::default());
        assert_eq!(none.expect("JSON"), "{}");
        let item = Item::from([("a".to_owned(), Attribute::number(-1))]);
        let put = serde_json::to_string(&Parameters::item(item));
        assert_eq!(put.expect("JSON"), r#"{"Item":{"a":{"N":"-1"}}}"#);
    }
}
