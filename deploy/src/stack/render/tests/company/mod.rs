//! What a template for AWS has beside that for one machine.

mod alarms;

use super::*;
use crate::stack::render::{for_emulator, for_region, render_for_aws, render_log_role};
use chat_protocol::variable;

const ALARMS: &str = "[alarms]\nemail = \"ops@example.com\"\n";
const KEY: &str = "[aws]\nkms-key = \"arn:aws:kms:eu-west-1:123456789012:key/1234\"\n";

fn domain(more: &str) -> String {
    format!("[domain]\nname = \"chat.example.com\"\n{more}\n")
}

fn for_aws(toml: &str) -> Value {
    render_for_aws(&settings(toml)).document().clone()
}

/// The parts of `after` that `before` has not, or otherwise.
fn added(before: &Value, after: &Value) -> Value {
    let mut all = serde_json::Map::new();
    for section in ["Parameters", "Conditions", "Resources", "Outputs"] {
        let members = after[section].as_object().into_iter().flatten();
        let new = members.filter(|(id, member)| before[section][id.as_str()] != **member);
        let new: Section = new
            .map(|(id, member)| (id.clone(), member.clone()))
            .collect();
        if !new.is_empty() {
            all.insert(section.to_owned(), new.into());
        }
    }
    all.into()
}

#[test]
fn without_the_sections_a_template_for_aws_is_that_for_one_machine() {
    for toml in ["", FULL, ROOM, BACKEND, ALONE, REQUESTS] {
        assert_eq!(
            render_for_aws(&settings(toml)),
            render(&settings(toml)),
            "{toml}"
        );
    }
}

#[test]
fn one_machine_has_none_of_it() {
    let more = format!(
        "{}[logs]\naccess = true\n{ALARMS}",
        domain("disable-default-endpoint = true")
    );
    assert_eq!(document(&more), document(""));
}

#[test]
fn a_name_adds_a_domain_a_mapping_and_a_record_where_there_is_a_zone() {
    let named = for_aws(&domain("path = \"team\""));
    expect_file!["../../snapshots/domain.json"]
        .assert_eq(&format!("{:#}\n", added(&for_aws(""), &named)));
}

#[test]
fn what_the_config_names_is_no_parameter() {
    let arn = "arn:aws:acm:eu-west-1:123456789012:certificate/x";
    let named = for_aws(&domain(&format!("certificate = \"{arn}\"\nzone = \"Z1\"")));
    let resources = &named["Resources"];
    let domain_of = &resources["Domain"]["Properties"]["DomainNameConfigurations"][0];
    assert_eq!(domain_of["CertificateArn"], arn);
    assert_eq!(
        resources["DomainRecord"]["Properties"]["HostedZoneId"],
        "Z1"
    );
    assert!(resources["DomainRecord"].get("Condition").is_none());
    assert_eq!(named["Parameters"], for_aws("")["Parameters"]);
    assert!(named.get("Conditions").is_none());
    let elsewhere = for_aws(&domain("zone = false"));
    assert!(elsewhere["Resources"].get("DomainRecord").is_none());
    assert!(elsewhere["Parameters"].get("HostedZoneId").is_none());
    assert!(elsewhere["Parameters"].get("CertificateArn").is_some());
}

#[test]
fn functions_post_by_the_api_s_id_unless_its_own_address_is_closed() {
    for toml in ["", FULL, ROOM, ALONE, REQUESTS] {
        let plain = for_aws(toml);
        let addresses = |document: &Value| {
            let resources = document["Resources"].as_object().unwrap().values();
            let said = resources.filter_map(|resource| {
                resource
                    .pointer("/Properties/Environment/Variables/CONNECTIONS_ENDPOINT")
                    .cloned()
            });
            said.chain([document["Outputs"]["ConnectionsUrl"]["Value"].clone()])
                .collect::<Vec<_>>()
        };
        let named = for_aws(&format!("{toml}{}", domain("path = \"a\"")));
        assert_eq!(addresses(&named), addresses(&plain), "{toml}");
        assert_eq!(named["Outputs"]["Url"]["Value"], "wss://chat.example.com/a");
        let closed = for_aws(&format!(
            "{toml}{}",
            domain("path = \"a\"\ndisable-default-endpoint = true")
        ));
        assert_eq!(
            closed["Resources"]["Api"]["Properties"]["DisableExecuteApiEndpoint"],
            true
        );
        let by_name = addresses(&closed);
        assert_eq!(by_name.len(), addresses(&plain).len());
        assert!(
            by_name.iter().all(|it| it == "https://chat.example.com/a"),
            "{by_name:?}"
        );
        // The permission stays on the API and its stage: the name only leads there.
        assert_eq!(
            gained(Some(&Template::new(plain)), &Template::new(closed)),
            [],
            "{toml}"
        );
    }
}

#[test]
fn an_emulator_has_the_name_and_answers_at_its_own_address() {
    let named = render_for_aws(&settings(&domain("disable-default-endpoint = true")));
    let endpoint = "ws://127.0.0.1:4566/_aws/execute-api/{api}/{stage}"
        .parse()
        .unwrap();
    let there = for_emulator(&named, &endpoint);
    let url = &there.document()["Outputs"]["Url"]["Value"]["Fn::Sub"];
    assert_eq!(
        url,
        "ws://127.0.0.1:4566/_aws/execute-api/${Api}/${StageName}"
    );
    let variables =
        &there.document()["Resources"]["DirectFunction"]["Properties"]["Environment"]["Variables"];
    assert!(
        variables[variable::CONNECTIONS_ENDPOINT]["Fn::Sub"]
            .as_str()
            .unwrap()
            .contains("127.0.0.1")
    );
}

#[test]
fn access_logs_are_kept_as_long_as_the_others_and_have_no_text() {
    let logged = for_aws("[logs]\naccess = true\nretention-days = 30\n");
    let stage = &logged["Resources"]["Stage"]["Properties"]["AccessLogSettings"];
    let format = stage["Format"].as_str().unwrap();
    let format: Value = serde_json::from_str(format).unwrap();
    assert_eq!(format["ip"], "$context.identity.sourceIp");
    assert!(
        !stage["Format"]
            .as_str()
            .unwrap()
            .contains("integration.error")
    );
    assert_eq!(
        logged["Resources"]["AccessLogs"]["Properties"]["RetentionInDays"],
        30
    );
    let encrypted = for_aws(&format!("[logs]\naccess = true\n{KEY}"));
    assert!(
        encrypted["Resources"]["AccessLogs"]["Properties"]
            .get("KmsKeyId")
            .is_some()
    );
}

#[test]
fn every_reference_of_a_full_template_has_its_definition_in_every_partition() {
    let more = format!(
        "{}[logs]\naccess = true\n{ALARMS}keep-failed-events = true\n",
        domain("")
    );
    for toml in ["", FULL, ROOM, BACKEND, ALONE, REQUESTS] {
        let template = render_for_aws(&settings(&format!("{toml}{more}")));
        for region in ["eu-west-1", "us-gov-west-1"] {
            let rendered = for_region(&template, region).document().clone();
            let text = rendered.to_string();
            let named = |id: &str| {
                let sections = ["Resources", "Parameters", "Conditions"];
                id.starts_with("AWS::")
                    || sections
                        .iter()
                        .any(|section| !rendered[section][id].is_null())
            };
            for (before, after) in [
                (r#"{"Ref":""#, "\""),
                (r#"{"Fn::GetAtt":[""#, "\""),
                ("${", "}"),
                (r#""Condition":""#, "\""),
            ] {
                for reference in text.split(before).skip(1) {
                    let id = reference
                        .split(after)
                        .next()
                        .unwrap()
                        .split('.')
                        .next()
                        .unwrap();
                    assert!(named(id), "{toml} {region}: {id} is not there");
                }
            }
            // Ordinary configs go in the request, without S3.
            assert!(text.len() < 51_200, "{toml}: {}", text.len());
        }
    }
}

#[test]
fn the_role_for_logs_stays_when_its_stack_goes_and_follows_the_account_s_rules() {
    let rules = settings("[aws]\nrole-path = \"/chats/\"\n").aws.rules;
    let template = render_log_role(&rules);
    assert!(template.is_ours());
    for (id, resource) in template.resources() {
        assert_eq!(resource["DeletionPolicy"], "Retain", "{id}");
    }
    let role = &template.document()["Resources"]["LogRole"]["Properties"];
    assert_eq!(role["Path"], "/chats/");
}
