//! Tables and their CreateTable calls.

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
    expect![[r#"
        {
          "TableName": "chat-rows",
          "AttributeDefinitions": [
            {
              "AttributeName": "pk",
              "AttributeType": "S"
            },
            {
              "AttributeName": "sk",
              "AttributeType": "N"
            },
            {
              "AttributeName": "user",
              "AttributeType": "S"
            }
          ],
          "KeySchema": [
            {
              "AttributeName": "pk",
              "KeyType": "HASH"
            },
            {
              "AttributeName": "sk",
              "KeyType": "RANGE"
            }
          ],
          "ProvisionedThroughput": {
            "ReadCapacityUnits": 5,
            "WriteCapacityUnits": 5
          },
          "GlobalSecondaryIndexes": [
            {
              "ProvisionedThroughput": {
                "ReadCapacityUnits": 1,
                "WriteCapacityUnits": 1
              },
              "IndexName": "by-user",
              "KeySchema": [
                {
                  "AttributeName": "user",
                  "KeyType": "HASH"
                }
              ],
              "Projection": {
                "NonKeyAttributes": [
                  "room"
                ],
                "ProjectionType": "INCLUDE"
              }
            }
          ],
          "LocalSecondaryIndexes": [
            {
              "IndexName": "local",
              "KeySchema": [
                {
                  "AttributeName": "pk",
                  "KeyType": "HASH"
                },
                {
                  "AttributeName": "user",
                  "KeyType": "RANGE"
                }
              ],
              "Projection": {
                "ProjectionType": "ALL"
              }
            }
          ],
          "DeletionProtectionEnabled": true,
          "Tags": [
            {
              "Key": "owner",
              "Value": "7"
            }
          ],
          "StreamSpecification": {
            "StreamEnabled": true,
            "StreamViewType": "NEW_IMAGE"
          },
          "SSESpecification": {
            "Enabled": true
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&table.create).unwrap());
}

#[test]
fn the_embedded_database_accepts_the_call() {
    let properties = format!(
        "{KEYS}      SSESpecification: {{ SSEEnabled: 'true' }}
      StreamSpecification: {{ StreamViewType: NEW_IMAGE }}
      DeletionProtectionEnabled: 'false'
      TableClass: STANDARD
      OnDemandThroughput: {{ MaxReadRequestUnits: '10' }}
      Tags: [{{ Key: owner, Value: 7 }}]"
    );
    let create = stack(&with_api(&table(&properties))).tables["Table"]
        .create
        .clone();
    let request: dynoxide::actions::create_table::CreateTableRequest =
        serde_json::from_value(create).unwrap();
    assert!(request.table_name.starts_with("chat-Table-"));
    assert_eq!(request.key_schema[0].attribute_name, "pk");
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
        (
            "      BillingMode: PAY_PER_REQUEST",
            expect![
                "the template cannot be used: line 5: Resources.Table.Properties: the property `KeySchema` is required"
            ],
        ),
        (
            &KEYS.replace("PAY_PER_REQUEST", "FREE"),
            expect![
                "the template cannot be used: line 9: Resources.Table.Properties.BillingMode: must be one of PROVISIONED, PAY_PER_REQUEST, but is `FREE`"
            ],
        ),
        (
            &KEYS.replace("BillingMode: PAY_PER_REQUEST", ""),
            expect![
                "the template cannot be used: line 5: Resources.Table: a table needs `ProvisionedThroughput`, or `BillingMode: PAY_PER_REQUEST`"
            ],
        ),
        (
            &format!(
                "{KEYS}      ProvisionedThroughput: {{ ReadCapacityUnits: 1, WriteCapacityUnits: 1 }}"
            ),
            expect![
                "the template cannot be used: line 12: Resources.Table.Properties.ProvisionedThroughput: `ProvisionedThroughput` cannot be set with `BillingMode: PAY_PER_REQUEST`"
            ],
        ),
        (
            &KEYS.replace(
                "[{ AttributeName: pk, KeyType",
                "[{ AttributeName: id, KeyType",
            ),
            expect![
                "the template cannot be used: line 11: Resources.Table.Properties.KeySchema: the key attribute `id` is not in AttributeDefinitions"
            ],
        ),
        (
            &KEYS.replace("KeyType: HASH", "KeyType: RANGE"),
            expect![
                "the template cannot be used: line 11: Resources.Table.Properties.KeySchema: a key schema must be a HASH key, then at most one RANGE key"
            ],
        ),
        (
            &KEYS.replace(
                "AttributeType: S }",
                "AttributeType: S }, { AttributeName: room, AttributeType: S }",
            ),
            expect![
                "the template cannot be used: line 10: Resources.Table.Properties.AttributeDefinitions: `room` is not a key of the table or of an index; only declare key attributes"
            ],
        ),
        (
            &KEYS.replace("AttributeType: S", "AttributeType: TEXT"),
            expect![
                "the template cannot be used: line 10: Resources.Table.Properties.AttributeDefinitions[0].AttributeType: must be one of S, N, B, but is `TEXT`"
            ],
        ),
        (
            &format!("{KEYS}      TimeToLiveSpecification: {{ Enabled: true }}"),
            expect![
                "the template cannot be used: line 12: Resources.Table.Properties.TimeToLiveSpecification: an enabled time to live needs an `AttributeName`"
            ],
        ),
        (
            &format!("{KEYS}      TableName: x"),
            expect![
                "the template cannot be used: line 12: Resources.Table.Properties.TableName: must be 3 to 255 letters, digits and `_` `.` `-`, but is `x`"
            ],
        ),
        (
            &format!("{KEYS}      ImportSourceSpecification: {{}}"),
            expect![
                "the template cannot be used: line 12: Resources.Table.Properties.ImportSourceSpecification: the local target cannot import a table from S3"
            ],
        ),
        (
            &format!("{KEYS}      ResourcePolicy: {{ PolicyDocument: {{}} }}"),
            expect![
                "the template cannot be used: line 12: Resources.Table.Properties.ResourcePolicy: the local target only evaluates the policies of callers' roles; it does not support a table's own policy"
            ],
        ),
        (
            &format!(
                "{KEYS}      GlobalSecondaryIndexes: [{{ IndexName: idx, KeySchema: [{{ AttributeName: u, KeyType: HASH }}], Projection: {{}} }}]"
            ),
            expect![
                "the template cannot be used: line 12: Resources.Table.Properties.GlobalSecondaryIndexes: the key attribute `u` is not in AttributeDefinitions"
            ],
        ),
        (
            &format!("{KEYS}      GlobalSecondaryIndexes: [{{ IndexName: idx, Keys: [] }}]"),
            expect![[r#"
                the template cannot be used, for 3 reasons:
                  line 12: Resources.Table.Properties.GlobalSecondaryIndexes[0]: there is no property `Keys`
                  line 12: Resources.Table.Properties.GlobalSecondaryIndexes[0]: the property `KeySchema` is required
                  line 12: Resources.Table.Properties.GlobalSecondaryIndexes[0]: the property `Projection` is required"#]],
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
        expect![
            "the template cannot be used: line 14: Outputs.O.Value.Fn::GetAtt: `Table` has no attribute `StreamArn` with these properties"
        ],
    );
}
