//! Policies as Terraform reads them.

use super::Policies;
use crate::config::names::StackName;

/// Resources and data for `policies`, in HCL. JSON is an expression of it.
pub fn terraform(policies: &Policies, stack: &StackName) -> String {
    let label = |part: &str| format!("{stack}_{part}").replace('-', "_");
    let json = |value: &serde_json::Value| {
        let text = format!("{value:#}");
        // In HCL, these two begin an expression within a string.
        let text = text.replace("${", "$${").replace("%{", "%%{");
        text.replace('\n', "\n  ")
    };
    let policy = |part: &str, value: &serde_json::Value| {
        format!(
            "resource \"aws_iam_policy\" \"{}\" {{\n  name   = \"chatctl-{stack}-{part}\"\n  policy = jsonencode({})\n}}\n",
            label(part),
            json(value)
        )
    };
    match policies {
        Policies::Whole(whole) => policy("deployer", whole),
        Policies::Split {
            person,
            service,
            trust,
        } => {
            let role = label("cloudformation");
            [
                policy("deployer", person),
                policy("cloudformation", service),
                format!(
                    "resource \"aws_iam_role\" \"{role}\" {{\n  name               = \"chatctl-{stack}-cloudformation\"\n  \
                     assume_role_policy = jsonencode({})\n}}\n",
                    json(trust)
                ),
                format!(
                    "resource \"aws_iam_role_policy_attachment\" \"{role}\" {{\n  role       = aws_iam_role.{role}.name\n  \
                     policy_arn = aws_iam_policy.{role}.arn\n}}\n"
                ),
            ]
            .join("\n")
        }
    }
}
