//! Tables and the CreateTable call they become.

use expect_test::expect;

use crate::{check_resource_error, stack, with_api};

fn table(properties: &str) -> String {
    format!("  Table:\n    Type: AWS::DynamoDB::Table\n    Properties:\n{properties}\n")
}

const KEYS: &str = "
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
";

#[test]
fn a_table_becomes_a_create_table_call() {
    let template = with_api(&table(
        "
      TableName: !Sub '${AWS::StackName}-rows'
      AttributeDefinitions:
        - { AttributeName: pk, AttributeType: S }
        - { AttributeName: sk, AttributeType: N }
        - { AttributeName: user, AttributeType: S }
      KeySchema: [{ AttributeName: pk, KeyType: HASH }, { AttributeName: sk, KeyType: RANGE }]
      ProvisionedThroughput: { ReadCapacityUnits: '5', WriteCapacityUnits: 5 }
      GlobalSecondaryIndexes:
        - IndexName: by-user
          KeySchema: [{ AttributeName: user, KeyType: HASH }]
          Projection: { ProjectionType: INCLUDE, NonKeyAttributes: [room] }
          ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: '1' }
          ContributorInsightsSpecification: { Enabled: 'false' }
      LocalSecondaryIndexes:
        - IndexName: local
          KeySchema: [{ AttributeName: pk, KeyType: HASH }, { AttributeName: user, KeyType: RANGE }]
          Projection: { ProjectionType: ALL }
      StreamSpecification: { StreamViewType: NEW_IMAGE }
      SSESpecification: { SSEEnabled: true }
      TimeToLiveSpecification: { AttributeName: expires_at, Enabled: true }
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }
      DeletionProtectionEnabled: 'true'
      Tags: [{ Key: owner, Value: 7 }]
Outputs:
  Name: { Value: !Ref Table }
  Stream: { Value: !GetAtt Table.StreamArn }
",
    ));
    let stack = stack(&template);
    let table = &stack.tables["Table"];
    assert_eq!(
        (table.name.as_str(), table.ttl_attribute.as_deref()),
        ("chat-rows", Some("expires_at"))
    );
    assert_eq!(
        table.arn,
        "arn:aws:dynamodb:eu-central-1:000000000000:table/chat-rows"
    );
    assert_eq!(stack.outputs["Name"], "chat-rows");
    assert!(stack.outputs["Stream"].starts_with(&format!("{}/stream/", table.arn)));
    expect![[""]].assert_eq(&serde_json::to_string_pretty(&table.create).unwrap());
}

#[test]
fn a_table_without_a_name_gets_one_and_ttl_can_be_off() {
    let off =
        format!("{KEYS}      TimeToLiveSpecification: {{ AttributeName: t, Enabled: false }}");
    let stack = stack(&with_api(&table(&off)));
    let table = &stack.tables["Table"];
    assert!(
        table.name.starts_with("chat-Table-") && table.name.len() == "chat-Table-".len() + 12,
        "{}",
        table.name
    );
    assert_eq!(table.ttl_attribute, None);
}

#[test]
fn every_wrong_table_is_refused() {
    for (properties, expected) in [
        ("      BillingMode: PAY_PER_REQUEST", expect![[""]]),
        (&KEYS.replace("PAY_PER_REQUEST", "FREE"), expect![[""]]),
        (
            &KEYS.replace("BillingMode: PAY_PER_REQUEST", ""),
            expect![[""]],
        ),
        (
            &format!(
                "{KEYS}      ProvisionedThroughput: {{ ReadCapacityUnits: 1, WriteCapacityUnits: 1 }}"
            ),
            expect![[""]],
        ),
        (
            &KEYS.replace(
                "[{ AttributeName: pk, KeyType",
                "[{ AttributeName: id, KeyType",
            ),
            expect![[""]],
        ),
        (
            &KEYS.replace("KeyType: HASH", "KeyType: RANGE"),
            expect![[""]],
        ),
        (
            &KEYS.replace(
                "AttributeType: S }",
                "AttributeType: S }, { AttributeName: room, AttributeType: S }",
            ),
            expect![[""]],
        ),
        (
            &KEYS.replace("AttributeType: S", "AttributeType: TEXT"),
            expect![[""]],
        ),
        (
            &format!("{KEYS}      TimeToLiveSpecification: {{ Enabled: true }}"),
            expect![[""]],
        ),
        (&format!("{KEYS}      TableName: x"), expect![[""]]),
        (
            &format!("{KEYS}      ImportSourceSpecification: {{}}"),
            expect![[""]],
        ),
        (
            &format!(
                "{KEYS}      GlobalSecondaryIndexes: [{{ IndexName: idx, KeySchema: [{{ AttributeName: u, KeyType: HASH }}], Projection: {{}} }}]"
            ),
            expect![[""]],
        ),
        (
            &format!("{KEYS}      GlobalSecondaryIndexes: [{{ IndexName: idx, Keys: [] }}]"),
            expect![[""]],
        ),
    ] {
        check_resource_error(&table(properties), expected);
    }
}

#[test]
fn a_stream_arn_needs_a_stream() {
    check_resource_error(
        &format!(
            "{}Outputs:\n  O: {{ Value: !GetAtt Table.StreamArn }}",
            table(KEYS)
        ),
        expect![[""]],
    );
}
