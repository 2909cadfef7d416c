//! Formats a change summary: all new resources in one line, every other change in its own.

use std::collections::BTreeMap;

use super::change::{Action, ChangeSummary, ResourceChange, ValueChange};
use super::permissions::Permission;

/// The most rows of new resources. More are counted by type.
const MAX_NEW_ROWS: usize = 6;

/// Values longer than this, in characters, are cut.
const MAX_VALUE: usize = 60;

/// The lines that are shown before the question.
pub fn outline(summary: &ChangeSummary) -> Vec<String> {
    let (new, rest): (Vec<_>, Vec<_>) = summary
        .changes
        .iter()
        .partition(|change| change.action == Action::Add);
    let (added, new): (Vec<_>, Vec<_>) =
        new.into_iter().partition(|change| change.overlay.is_some());
    let mut lines = Vec::new();
    for (new, whose) in [(new, "new"), (added, "new of the overlay")] {
        if new.len() > MAX_NEW_ROWS {
            lines.push(format!("+ {} {whose}: {}", new.len(), counted(&new)));
        } else {
            lines.extend(new.into_iter().flat_map(rows));
        }
    }
    lines.extend(rest.into_iter().flat_map(rows));
    lines.extend(granted(&summary.permissions));
    let warnings = summary.warnings.iter();
    lines.extend(warnings.map(|text| format!("CloudFormation warns: {text}")));
    lines
}

/// One line for each role and each resource on which it gains permissions, so that every grant is visible.
fn granted(permissions: &[Permission]) -> Vec<String> {
    let mut grants: Vec<Permission> = Vec::new();
    for permission in permissions {
        let same = |grant: &&mut Permission| {
            (&grant.role, &grant.on, &grant.condition)
                == (&permission.role, &permission.on, &permission.condition)
        };
        match (
            permission.what.strip_prefix("may "),
            grants.iter_mut().find(same),
        ) {
            (Some(action), Some(grant))
                if grant.what.starts_with("may ") && !permission.on.is_empty() =>
            {
                grant.what = format!("{}, {action}", grant.what);
            }
            _ => grants.push(permission.clone()),
        }
    }
    let lines = grants.iter();
    lines.map(|grant| format!("IAM: + {grant}")).collect()
}

fn counted(changes: &[&ResourceChange]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for change in changes {
        let short = change.resource_type.rsplit("::").next().unwrap_or_default();
        *counts.entry(short).or_default() += 1;
    }
    let words: Vec<_> = counts
        .iter()
        .map(|(short, count)| format!("{count} {short}"))
        .collect();
    words.join(", ")
}

fn rows(change: &ResourceChange) -> Vec<String> {
    let mark = match change.action {
        Action::Add => "+",
        Action::Modify => "~",
        Action::Replace | Action::MayReplace => "!",
        Action::Remove => "-",
    };
    let mut head = format!("{mark} {} {}", change.logical_id, change.resource_type);
    if !change.properties.is_empty() {
        head.push_str(&format!(": {}", change.properties.join(", ")));
    }
    match change.overlay.as_deref() {
        None => {}
        Some([]) => head.push_str(" (overlay)"),
        Some(keys) => head.push_str(&format!(" (overlay: {})", keys.join(", "))),
    }
    let is_table = change.resource_type == "AWS::DynamoDB::Table";
    let consequence = match (change.action, change.retained) {
        (Action::Remove, false) if is_table => " (its contents are lost)",
        (Action::MayReplace, false) if is_table => " (may be replaced: its contents would be lost)",
        (Action::Replace, false) => " (replaced: its contents are lost)",
        (Action::Replace, true) => " (replaced: the old one stays in the account)",
        (Action::MayReplace, _) => " (may be replaced)",
        (Action::Remove, true) => " (stays in the account, outside the stack)",
        _ => "",
    };
    head.push_str(consequence);
    std::iter::once(head)
        .chain(change.values.iter().map(value))
        .collect()
}

fn value(change: &ValueChange) -> String {
    let path = change.path.trim_start_matches("/Properties/");
    let shown = |value: &Option<String>| {
        value.as_deref().map_or("nothing".to_owned(), |value| {
            let cut: String = value.chars().take(MAX_VALUE).collect();
            if cut.len() < value.len() {
                format!("{cut}…")
            } else {
                cut
            }
        })
    };
    format!(
        "    {path}: {} → {}",
        shown(&change.before),
        shown(&change.after)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn change(action: Action, id: &str, kind: &str) -> ResourceChange {
        ResourceChange {
            action,
            logical_id: id.into(),
            resource_type: format!("AWS::{kind}"),
            properties: Vec::new(),
            values: Vec::new(),
            overlay: None,
            retained: false,
        }
    }

    fn check(changes: Vec<ResourceChange>, permissions: usize, expected: Expect) {
        let permissions = (0..permissions)
            .map(|n| Permission {
                role: "Role".into(),
                what: format!("may d:Action{n}"),
                on: "Table.Arn".into(),
                condition: String::new(),
            })
            .collect();
        let lines = outline(&ChangeSummary {
            changes,
            permissions,
            warnings: Vec::new(),
        });
        expected.assert_eq(
            &lines
                .iter()
                .map(|line| format!("{line}\n"))
                .collect::<String>(),
        );
    }

    #[test]
    fn a_first_deployment_is_counted_by_type() {
        let many = (0..7).map(|n| change(Action::Add, &format!("R{n}"), "IAM::Role"));
        let table = change(Action::Add, "T", "DynamoDB::Table");
        check(
            many.chain([table]).collect(),
            9,
            expect![[r#"
                + 8 new: 7 Role, 1 Table
                IAM: + Role may d:Action0, d:Action1, d:Action2, d:Action3, d:Action4, d:Action5, d:Action6, d:Action7, d:Action8 on Table.Arn
            "#]],
        );
    }

    #[test]
    fn what_is_the_overlay_s_is_marked_and_never_lost_in_a_count() {
        let mut changes: Vec<_> = (0..7)
            .map(|n| change(Action::Add, &format!("R{n}"), "IAM::Role"))
            .collect();
        let queue = ResourceChange {
            overlay: Some(Vec::new()),
            ..change(Action::Add, "Queue", "SQS::Queue")
        };
        let function = ResourceChange {
            properties: vec!["Code".into(), "MemorySize".into()],
            overlay: Some(vec!["MemorySize".into()]),
            ..change(Action::Modify, "F", "Lambda::Function")
        };
        changes.extend([queue, function]);
        check(
            changes,
            0,
            expect![[r#"
                + 7 new: 7 Role
                + Queue AWS::SQS::Queue (overlay)
                ~ F AWS::Lambda::Function: Code, MemorySize (overlay: MemorySize)
            "#]],
        );
    }

    #[test]
    fn an_update_shows_values_consequences_and_new_permissions() {
        let code = ResourceChange {
            properties: vec!["Code".into()],
            values: vec![ValueChange {
                path: "/Properties/Code/S3Key".into(),
                before: Some("a".repeat(64)),
                after: Some("bb".into()),
            }],
            ..change(Action::Modify, "F", "Lambda::Function")
        };
        let kept = ResourceChange {
            retained: true,
            ..change(Action::Remove, "Old", "DynamoDB::Table")
        };
        check(
            vec![
                change(Action::Add, "Route", "ApiGatewayV2::Route"),
                code,
                change(Action::Replace, "T", "DynamoDB::Table"),
                change(Action::MayReplace, "P", "Lambda::Permission"),
                change(Action::MayReplace, "U", "DynamoDB::Table"),
                change(Action::Remove, "V", "DynamoDB::Table"),
                kept,
            ],
            1,
            expect![[r#"
                + Route AWS::ApiGatewayV2::Route
                ~ F AWS::Lambda::Function: Code
                    Code/S3Key: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa… → bb
                ! T AWS::DynamoDB::Table (replaced: its contents are lost)
                ! P AWS::Lambda::Permission (may be replaced)
                ! U AWS::DynamoDB::Table (may be replaced: its contents would be lost)
                - V AWS::DynamoDB::Table (its contents are lost)
                - Old AWS::DynamoDB::Table (stays in the account, outside the stack)
                IAM: + Role may d:Action0 on Table.Arn
            "#]],
        );
    }
}
