//! What a user must acknowledge so that CloudFormation makes a template's IAM resources.

use super::Template;

/// The types of IAM whose resources can have names of their own, and the property that gives one
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html#using-iam-capabilities>).
const NAMES: [(&str, &str); 5] = [
    ("AWS::IAM::Group", "GroupName"),
    ("AWS::IAM::InstanceProfile", "InstanceProfileName"),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"),
    ("AWS::IAM::Role", "RoleName"),
    ("AWS::IAM::User", "UserName"),
];

/// The IAM resources of `template` that have names of their own, by logical id. chatctl's never have; an overlay's may.
/// With one of them, CloudFormation requires `CAPABILITY_NAMED_IAM`.
pub fn named_by_hand(template: &Template) -> Vec<&str> {
    let named = template.resources().filter(|(_, resource)| {
        let mut names = NAMES.iter();
        names.any(|(kind, name)| {
            resource["Type"] == *kind && !resource["Properties"][*name].is_null()
        })
    });
    named.map(|(id, _)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_names_of_iam_s_resources_count() {
        let template = Template::new(json!({"Resources": {
            "A": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "x"}},
            "B": {"Type": "AWS::IAM::Role", "Properties": {"Path": "/"}},
            "C": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "x"}},
            "D": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "x"}},
            "E": {"Type": "AWS::IAM::User"},
        }}));
        assert_eq!(named_by_hand(&template), ["A"]);
    }
}
