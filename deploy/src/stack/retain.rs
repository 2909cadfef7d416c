//! Tables that outlive their stack. CloudFormation keeps a resource only if the template that it was last deployed
//! with says so, hence an update comes before the deletion.

use serde_json::{Value, json};

use super::Template;

/// What is to be kept.
pub const TABLE_TYPE: &str = "AWS::DynamoDB::Table";

/// The template with every table retained; `None` when every table is already.
///
/// A deletion policy cannot be changed alone, only together with something else of the resource
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>). That
/// metadata is enough is a user's report (<https://kevinslin.com/notes/057b1ab7-8c72-4117-aee4-fb8234d960e3>).
pub fn with_tables_retained(template: &Template) -> Option<Template> {
    let mut document = template.document().clone();
    let mut changed = false;
    for resource in document["Resources"].as_object_mut()?.values_mut() {
        if resource["Type"] != TABLE_TYPE || resource["DeletionPolicy"] == "Retain" {
            continue;
        }
        resource["DeletionPolicy"] = json!("Retain");
        resource["UpdateReplacePolicy"] = json!("Retain");
        if !resource["Metadata"].is_object() {
            resource["Metadata"] = Value::Object(serde_json::Map::new());
        }
        resource["Metadata"]["chatctl"] = json!("kept on teardown");
        changed = true;
    }
    changed.then(|| Template::new(document))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_retained_with_a_change_that_can_be_deployed_and_nothing_else_is_touched() {
        let template = Template::new(json!({"Resources": {
            "T": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Delete"},
            "R": {"Type": "AWS::IAM::Role"}
        }}));
        let retained = with_tables_retained(&template).unwrap();
        assert_eq!(
            retained.document()["Resources"],
            json!({
                "T": {
                    "Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain",
                    "UpdateReplacePolicy": "Retain", "Metadata": {"chatctl": "kept on teardown"}
                },
                "R": {"Type": "AWS::IAM::Role"}
            })
        );
        assert_eq!(with_tables_retained(&retained), None);
    }
}
