//! The condition of a permission in words
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>).

use serde_json::Value;

use super::{each, shown};

/// An operator, what it says of one value, and of several.
const OPERATORS: [(&str, &str, &str); 26] = [
    ("StringEquals", "is", "is"),
    ("StringNotEquals", "is not", "is none of"),
    (
        "StringEqualsIgnoreCase",
        "is (in capitals or not)",
        "is (in capitals or not)",
    ),
    (
        "StringNotEqualsIgnoreCase",
        "is not (in capitals or not)",
        "is none of (in capitals or not)",
    ),
    ("StringLike", "is like", "is like"),
    ("StringNotLike", "is not like", "is like none of"),
    ("NumericEquals", "is", "is"),
    ("NumericNotEquals", "is not", "is none of"),
    ("NumericLessThan", "is less than", "is less than"),
    ("NumericLessThanEquals", "is at most", "is at most"),
    ("NumericGreaterThan", "is more than", "is more than"),
    ("NumericGreaterThanEquals", "is at least", "is at least"),
    ("DateEquals", "is", "is"),
    ("DateNotEquals", "is not", "is none of"),
    ("DateLessThan", "is before", "is before"),
    ("DateLessThanEquals", "is not after", "is not after"),
    ("DateGreaterThan", "is after", "is after"),
    ("DateGreaterThanEquals", "is not before", "is not before"),
    ("Bool", "is", "is"),
    ("BinaryEquals", "is", "is"),
    ("IpAddress", "is in", "is in"),
    ("NotIpAddress", "is not in", "is in none of"),
    // Both forms take wildcards.
    ("ArnEquals", "is like", "is like"),
    ("ArnLike", "is like", "is like"),
    ("ArnNotEquals", "is not like", "is like none of"),
    ("ArnNotLike", "is not like", "is like none of"),
];

/// `condition` in words; empty where there is none. What it is not known to mean is shown as it is.
pub(super) fn words(condition: &Value) -> String {
    let Some(operators) = condition.as_object() else {
        return match condition {
            Value::Null => String::new(),
            other => other.to_string(),
        };
    };
    let clauses = operators.iter().flat_map(|(operator, keys)| {
        let clauses: Vec<String> = match keys.as_object() {
            Some(keys) => keys
                .iter()
                .map(|(key, values)| clause(operator, key, values))
                .collect(),
            None => vec![format!("{operator} {keys}")],
        };
        clauses
    });
    clauses.collect::<Vec<_>>().join(" and ")
}

fn clause(operator: &str, key: &str, values: &Value) -> String {
    let (of_all, single) = match operator.split_once(':') {
        Some(("ForAllValues", single)) => ("each ", single),
        Some(("ForAnyValue", single)) => ("any ", single),
        _ => ("", operator),
    };
    let (base, or_missing) = match single.strip_suffix("IfExists") {
        Some(base) => (base, " (or it is missing)"),
        None => (single, ""),
    };
    let values: Vec<String> = each(values).map(|value| plain(&shown(value))).collect();
    if base == "Null"
        && let [is_missing] = values.as_slice()
        && let "true" | "false" = is_missing.as_str()
    {
        let state = if is_missing == "true" {
            "missing"
        } else {
            "present"
        };
        return format!("{of_all}{key} is {state}");
    }
    let known = OPERATORS.iter().find(|(name, ..)| *name == base);
    match known {
        Some((_, one, several)) => {
            let verb = if values.len() == 1 { one } else { several };
            format!("{of_all}{key} {verb} {}{or_missing}", either(&values))
        }
        None => format!("{key} {operator} {}", either(&values)),
    }
}

/// `a, b or c`
fn either(values: &[String]) -> String {
    match values {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// A value with words for what every stack has, in quotes if its end could not be seen otherwise.
fn plain(text: &str) -> String {
    let text = [
        ("${AWS::Region}", "REGION"),
        ("${AWS::AccountId}", "ACCOUNT"),
        ("${AWS::Partition}", "PARTITION"),
        ("${AWS::URLSuffix}", "SUFFIX"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (name, word)| {
        text.replace(name, word)
    });
    let is_clear = !text.is_empty() && !text.contains([' ', ',']);
    if is_clear || text.starts_with('{') {
        text
    } else {
        format!("\"{text}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn a_condition_reads_as_a_sentence() {
        let reported = [
            json!({"StringLike": {"kms:ViaService": {"Fn::Sub": "dynamodb.${AWS::Region}.${AWS::URLSuffix}"}}}),
            json!({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["B#*", "P#*"]}}),
            json!({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b", "c"]}}),
            json!({"Bool": {"aws:SecureTransport": true}, "StringNotEquals": {"aws:PrincipalTag/team": ["a b", ""]}}),
            json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}),
            json!({"Null": {"aws:TokenIssueTime": "true", "aws:SourceVpc": false}}),
            json!({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.0/24"]}, "NotIpAddress": {"aws:SourceIp": "10.1.0.0/16"}}),
            json!({"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}, "NumericLessThanEquals": {"s3:max-keys": 10}}),
            json!({"ArnLike": {"aws:SourceArn": {"Fn::GetAtt": ["Topic", "TopicArn"]}}}),
            json!({"ArnNotEqualsIfExists": {"aws:SourceArn": {"Fn::Sub": ["arn:${p}", {"p": "x"}]}}}),
            json!({"StringEquals": {"aws:ResourceAccount": {"Fn::If": ["C", "1", "2"]}}}),
            json!({"StringEquals": {"aws:x": []}}),
            // What is not known.
            json!({"StringSoundsLike": {"aws:x": ["y", "z"]}}),
            json!({"ForSomeValues:StringLike": {"aws:x": "y"}}),
            json!({"Fn::If": ["C", {}, {"Ref": "AWS::NoValue"}]}),
            json!(["odd"]),
            json!(null),
        ];
        let lines = reported.map(|condition| words(&condition)).join("\n");
        expect![[r#"
            kms:ViaService is like dynamodb.REGION.SUFFIX
            each dynamodb:LeadingKeys is like B#* or P#*
            any aws:TagKeys is a, b or c
            aws:SecureTransport is true and aws:PrincipalTag/team is none of "a b" or ""
            aws:PrincipalOrgID is o-1 (or it is missing)
            aws:TokenIssueTime is missing and aws:SourceVpc is present
            aws:SourceIp is in 10.0.0.0/8 or 192.0.2.0/24 and aws:SourceIp is not in 10.1.0.0/16
            aws:CurrentTime is before 2027-01-01T00:00:00Z and s3:max-keys is at most 10
            aws:SourceArn is like Topic.TopicArn
            aws:SourceArn is not like arn:${p} (or it is missing)
            aws:ResourceAccount is {"Fn::If":["C","1","2"]}
            aws:x is nothing
            aws:x StringSoundsLike y or z
            aws:x ForSomeValues:StringLike y
            Fn::If ["C",{},{"Ref":"AWS::NoValue"}]
            ["odd"]
        "#]]
        .assert_eq(&lines);
    }
}
