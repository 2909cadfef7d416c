//! A whole chat stack, of the shape that is usually deployed.

use expect_test::expect;

use crate::{identity, resolve_with};

const TEMPLATE: &str = include_str!("../templates/chat.yaml");

#[test]
fn a_whole_chat_stack_resolves() {
    let stack = resolve_with(TEMPLATE, &[("Bucket", "code"), ("Key", "chat.zip")]).unwrap();
    let mut text = String::new();
    for resource in &stack.resources {
        text.push_str(&format!(
            "{} {} {}\n",
            resource.logical_id, resource.resource_type, resource.physical_id
        ));
    }
    for (name, value) in &stack.outputs {
        text.push_str(&format!("{name} = {value}\n"));
    }
    for (name, stage) in &stack.api.stages {
        text.push_str(&format!(
            "{name}: {}\n",
            stage.deployed.clone().unwrap_or_default().join(" ")
        ));
    }
    for function in stack.functions.values() {
        text.push_str(&format!(
            "{} {} {} {:?}\n",
            function.name, function.memory_size, function.log_group, function.environment
        ));
    }
    for permission in &stack.permissions {
        text.push_str(&format!(
            "{} {:?}\n",
            permission.function_arn, permission.source_arn
        ));
    }
    expect![[""]].assert_eq(&text);
    assert_eq!(stack.identity, identity());
    assert_eq!(
        stack.tables["Rows"].ttl_attribute.as_deref(),
        Some("expires")
    );
    assert_eq!(stack.roles.len(), 3);
}

#[test]
fn a_parameter_switches_what_depends_on_it() {
    let given = [
        ("Bucket", "code"),
        ("Key", "chat.zip"),
        ("Trace", "/tmp/trace"),
        ("StageName", "dev"),
        ("Memory", "512"),
    ];
    let stack = resolve_with(TEMPLATE, &given).unwrap();
    assert_eq!(stack.functions["Talk"].environment["TRACE"], "/tmp/trace");
    assert_eq!(stack.functions["Talk"].memory_size, 512);
    assert!(stack.outputs["Url"].ends_with("/dev"));
}

#[test]
fn a_value_that_breaks_a_constraint_is_named() {
    let error = resolve_with(
        TEMPLATE,
        &[("Bucket", "code"), ("Memory", "64"), ("Colour", "red")],
    )
    .unwrap_err();
    expect![[""]].assert_eq(&error.to_string());
}

#[test]
fn another_stack_of_the_same_template_shares_no_ids() {
    let given = [
        ("Bucket".to_owned(), "code".to_owned()),
        ("Key".to_owned(), "chat.zip".to_owned()),
    ]
    .into();
    let mut other = identity();
    other.seed = "another".to_owned();
    let one = chatctl_local::template::resolve(TEMPLATE, &given, &identity()).unwrap();
    let two = chatctl_local::template::resolve(TEMPLATE, &given, &other).unwrap();
    assert_ne!(one.api.id, two.api.id);
    assert!(
        one.api
            .integrations
            .keys()
            .all(|id| !two.api.integrations.contains_key(id))
    );
}
