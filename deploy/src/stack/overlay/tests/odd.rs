//! Odd overlays: calls of functions in wrong forms and places, attributes that a type does not have, YAML that
//! CloudFormation reads in another way; and what looks odd and is sound.

use super::refusals::refused;
use super::*;

/// Resources, conditions and mappings that the cases refer to. What is added stands in line 15.
const BASE: &str = r#"Conditions:
  Far: !Not [!Equals [!Ref 'AWS::Region', eu-west-1]]
Mappings:
  Days:
    far: { kept: 4, zones: [a, b] }
Resources:
  Q: { Type: 'AWS::SQS::Queue' }
  Nested:
    Type: AWS::CloudFormation::Stack
    Properties: { TemplateURL: 'https://x.example/t' }
  Mine: { Type: 'Custom::Thing', Properties: { ServiceToken: x } }
  Other: { Type: 'Our::Own::Thing' }
  P:
    Type: AWS::SSM::Parameter
"#;

/// The value of a property.
fn value(value: &str) -> String {
    format!("{BASE}    Properties: {{ Value: {value} }}\n")
}

/// The cases of a table: a text, and after `=>` the parts of its refusal.
fn cases(table: &'static str) -> Vec<(String, Vec<&'static str>)> {
    let mut cases = Vec::new();
    let mut text = String::new();
    for line in table.lines() {
        match line.strip_prefix("=> ") {
            Some(parts) => {
                let parts = parts.split(" … ").collect();
                cases.push((std::mem::take(&mut text), parts));
            }
            None => text += &format!("{line}\n"),
        }
    }
    cases
}

/// Each case is the value of a property in line 15.
fn refuse_values(table: &'static str) {
    for (text, parts) in cases(table) {
        refused(&value(text.trim_end()), 15, &parts);
    }
}

#[test]
fn an_attribute_that_a_type_does_not_have_is_refused() {
    refuse_values(
        r#"!GetAtt Q.arn
=> has no attribute `arn`, but `Arn`: it has Arn … AWS::SQS::Queue
!GetAtt Q.Url
=> no attribute `Url` … QueueUrl
!GetAtt [Q, QueueUrI]
=> but `QueueUrl`
!Sub 'x ${Q.Name}'
=> no attribute `Name` … QueueName
!Sub ['${Q.Name}${own}', { own: x }]
=> no attribute `Name`
!Sub ['${own}', { own: !GetAtt Q.Ann }]
=> no attribute `Ann` … Arn
{ 'Fn::GetAtt': [Connections, StreamARN] }
=> but `StreamArn` … AWS::DynamoDB::Table
!GetAtt DirectFunction.Name
=> no attribute `Name` … Arn
!GetAtt DirectRole.RoleName
=> no attribute `RoleName` … RoleId
!GetAtt DirectLogs.LogGroupArn
=> no attribute `LogGroupArn` … Arn
!GetAtt Api.Url
=> no attribute `Url` … ApiEndpoint
!GetAtt Nested.Arn
=> only its outputs … `Nested.Outputs.NAME`
!GetAtt Nested.Outputs
=> only its outputs
!GetAtt Nested.Outputs.
=> only its outputs
!GetAtt Nested.Outputs.A.B
=> only its outputs
!Sub '${Nested.Url}'
=> only its outputs
!GetAtt StageName.Value
=> `StageName` is a parameter … `!Ref StageName`
!Sub '${StageName.Value}'
=> `StageName` is a parameter
!GetAtt Far.Arn
=> no resource `Far`
!Ref Q.Arn
=> `Ref` takes no attribute … `!GetAtt Q.Arn`
"#,
    );
}

#[test]
fn a_call_of_another_form_or_in_another_place_is_refused() {
    refuse_values(
        r#"!Ref [Q]
=> `Ref` takes one name … !GetAtt
!Ref
=> `Ref` takes one name
!Ref 'AWS::Regoin'
=> `AWS::Regoin`, but `AWS::Region`
!GetAtt Q
=> a logical id and an attribute
!GetAtt [Q]
=> a logical id and an attribute
!GetAtt [Q, A, B]
=> a logical id and an attribute
{ 'Fn::GetAtt': [!Ref Q, Arn] }
=> a logical id and an attribute
{ Ref: Q, Extra: x }
=> `Extra` cannot stand beside `Ref`
{ 'Fn::Sub': x, 'Fn::Join': ['', []] }
=> cannot stand beside
!Sub [x]
=> `Fn::Sub` takes a text
!Sub [x, [y]]
=> `Fn::Sub` takes a text
!Sub { a: b }
=> `Fn::Sub` takes a text
!Sub 'echo ${HOME:-x}'
=> `${HOME:-x}` in Fn::Sub is no name … `${!HOME:-x}`
!Sub 'x${}'
=> `${}` in Fn::Sub is no name
!Sub ['${a}${b}', { a: 1 }]
=> no resource or parameter `b`
!Join [a, b]
=> a separator and a list
!Join [!Ref Q, [b]]
=> a separator and a list
!Select [2, [a, b]]
=> there is no number 2
!Select [x, [a, b]]
=> a number from 0 on
!Select ['1', [a]]
=> there is no number 1
!Split ['', !Ref Q]
=> a separator and a text
!If [Far, a]
=> two values
!If [!Equals [a, b], c, d]
=> a condition's name and two values
!Equals [a, b]
=> belongs under `Conditions` … Fn::If
!FindInMap [Days, fra, kept]
=> no key `fra`, but `far`
!FindInMap [Days, far, kep]
=> no key `kep`, but `kept`
!FindInMap [Days, !Ref 'AWS::Region', kpet]
=> no key `kpet`, but `kept`
!FindInMap [Days, far]
=> a mapping's name and two keys
!FindInMap [Days, far, kept, { DefaultValue: x }]
=> a mapping's name and two keys
!ImportValue [x]
=> `Fn::ImportValue` takes one text
!ImportValue { 'Fn::Sub': '${Q}-x' }
=> cannot depend on a resource, and `Q` is one
!Base64 [x]
=> `Fn::Base64` takes one text
!Cidr [10.0.0.0/16]
=> a block, a count
!Length [a]
=> no function … paste
"#,
    );
}

#[test]
fn attributes_and_calls_that_are_permission_or_of_types_that_are_not_known_are_taken() {
    let all = r#"!GetAtt Q.Arn
!GetAtt [Q, !Ref 'AWS::Region']
!Sub '${Q.QueueName} ${!Q.Name} ${ Q.Arn }'
!GetAtt Nested.Outputs.Url
!Sub '${Nested.Outputs.Url}'
!GetAtt Mine.Whatever
!GetAtt Other.What.Ever
!GetAtt DirectFunction.Arn
!GetAtt Api.ApiEndpoint
!Sub ['${Q.Name}', { Q.Name: x }]
!Sub 'x$y{z}$'
!Sub 'x${'
!Select [0, !GetAZs '']
!Select [!FindInMap [Days, far, kept], !Split [',', !Ref Q]]
!Join ['', !FindInMap [Days, far, zones]]
!If [Far, !Ref 'AWS::NoValue', !ImportValue { 'Fn::Sub': '${AWS::StackName}-x' }]
!Base64 { 'Fn::Sub': '${Q}' }
!Cidr [10.0.0.0/16, 4, 8]
!Sub ['${a}', { a: !GetAtt Q.Arn }]"#;
    for call in all.lines() {
        accepted("", &value(call));
    }
}

/// Each case follows a resource, and begins in line 4.
const FORMS: &str = r#"    DependsOn: !Ref Api
=> 4: logical ids, as texts
    DependsOn: [Api, [Stage]]
=> 4: logical ids, as texts
    DependsOn: StageName
=> 4: is a parameter and no resource
    Condition: !Not [x]
=> 4: named by a text
    DeletionPolicy: retain
=> 4: one of Delete, Retain
    DeletionPolicy: !Ref Api
=> 4: one of Delete, Retain
    DeletionPolicy: Snapshot
=> 4: no snapshot can be kept … Retain
    UpdateReplacePolicy: RetainExceptOnCreate
=> 4: one of Delete, Retain, Snapshot
    Properties: !If [C, {}, {}]
=> 4: `Properties` must be a mapping
    CreationPolicy: none
=> 4: must be a mapping
    Properties: { Tags: { a: b } }
=> 4: `Tags` of AWS::SQS::Queue is a list … Key
    Properties: { Tags: [{ a: b }] }
=> 4: a `Key` and a `Value`
    Properties: { Tags: [{ Key: a, Value: b }, { Key: a, Value: c }] }
=> 4: the tag `a` is there twice
  R: { Type: AWS::SQS }
=> 4: such as AWS::SQS::Queue
  R: { Type: 'AWS::SQS::Queue ' }
=> 4: such as AWS::SQS::Queue
  R: { Type: 'AWS::SQS::Queue::X' }
=> 4: such as AWS::SQS::Queue
  R: { Type: 'AWS::Serverless::Function' }
=> 4: needs a transform … paste
  CodeKey: { Type: 'AWS::SQS::Queue' }
=> 4: is a parameter's of chatctl … another one
  Api: { Properties: { Tags: [{ Key: a, Value: b }] } }
=> 4: is a mapping of names
  Connections: { Properties: { Tags: { a: b } } }
=> 4: is a list
  DirectFunction: { Properties: !Ref Api }
=> 4: must be a mapping
  DirectFunction: { Properties: { MemorySize: !Ref Nothing } }
=> 4: `Nothing`
  DirectFunction: { DependsOn: Nothing }
=> 4: no resource `Nothing`
Outputs:
  X: { Value: [a] }
=> 5: one text … Fn::Join
Outputs:
  X: { Value: { a: b } }
=> 5: one text
Outputs:
  X: { Value: !GetAtt Q.Arm }
=> 5: but `Arn`
Outputs:
  X: { Value: a, Description: !Ref Q }
=> 5: `Description` is a text
Outputs:
  X: { Value: a, Condition: Never }
=> 5: no condition `Never`
Outputs:
  X: { Value: a, Export: b }
=> 5: `Export: { Name: … }`
Outputs:
  X: { Value: a, Export: { Name: !Ref Q } }
=> 5: cannot depend on a resource
Outputs:
  X: { Value: a, Export: { Name: n } }
  Y: { Value: a, Export: { Name: n } }
=> 6: another output exports this name
Conditions:
  C: true
=> 5: a condition is one of Fn::And
Conditions:
  C: !Ref StageName
=> 5: `Ref` decides nothing
Conditions:
  C: !If [D, a, b]
=> 5: `Fn::If` decides nothing
Conditions:
  C: !Equals [a]
=> 5: two values
Conditions:
  C: !Equals [!GetAtt Q.Arn, a]
=> 5: cannot use `Fn::GetAtt` … parameters
Conditions:
  C: !Equals [!ImportValue x, a]
=> 5: cannot use `Fn::ImportValue`
Conditions:
  C: !Equals [!Sub '${Q}', a]
=> 5: cannot use the resource `Q`
Conditions:
  C: !And [!Condition C2]
=> 5: two to ten conditions
Conditions:
  C: !Not [true]
=> 5: a condition is one of
Conditions:
  C: !Not [!Condition D]
=> 5: no condition `D`
Conditions:
  C: !Not [!Condition D]
  D: !Not [!Condition C]
=> 5: conditions are made of each other: C → D → C … take one
Mappings:
  M: { a: { b: !Ref Q } }
=> 5: without functions
Mappings:
  M: { a: { b: { c: d } } }
=> 5: further keys
Mappings:
  M: { a: b }
=> 5: must be a mapping
    Properties: &p { QueueName: x }
=> 4: anchors … repeat
    Properties: { <<: x }
=> 4: merge key … repeat
    Properties: { QueueName: a, QueueName: b }
=> 4: there twice
  Q: { Type: 'AWS::SNS::Topic' }
=> 4: `Q` is there twice
    Properties: { DelaySeconds: 1e1 }
=> 4: 1e1 becomes 10.0 … in quotes
    Properties: { DelaySeconds: 1.50 }
=> 4: 1.50 becomes 1.5 … in quotes
    Properties: { QueueName: 123456789012345678901234567890 }
=> 4: in quotes
    Properties: { DelaySeconds: .5 }
=> 4: YAML 1.1 … in quotes
    Properties: { DelaySeconds: .inf }
=> 4: YAML 1.1 … in quotes
    Properties: { QueueName: !!set { a } }
=> 4: no YAML tag
	 Properties: {}
=> 3: neither YAML nor JSON
"#;

#[test]
fn resources_outputs_conditions_mappings_and_yaml_of_an_odd_form_are_refused() {
    for (text, parts) in cases(FORMS) {
        let (line, first) = parts[0].split_once(": ").unwrap();
        let parts: Vec<&str> = std::iter::once(first)
            .chain(parts[1..].iter().copied())
            .collect();
        let own = "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n";
        refused(&format!("{own}{text}"), line.parse().unwrap(), &parts);
    }
    let named = "[domain]\nname = \"chat.example.com\"\n";
    let error = with(named, "Conditions:\n  HasHostedZone: !Equals [a, a]\n").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`HasHostedZone` under `Conditions` is chatctl's")
    );
}

#[test]
fn what_only_looks_odd_is_merged() {
    for text in [
        "\u{feff}Resources:\n  Q: { Type: 'AWS::SQS::Queue' }\n",
        "Resources:\r\n  Q:\r\n    Type: AWS::SQS::Queue\r\n    DependsOn: Api\r\n",
        "{\"Resources\": {\"Q\": {\"Type\": \"AWS::SQS::Queue\", \"Properties\": {\"Tags\": [{\"Key\": \"ü\", \"Value\": \"\"}]}}}}",
        "Resources:\n  Db: { Type: 'AWS::RDS::DBInstance', DeletionPolicy: Snapshot, UpdateReplacePolicy: Snapshot }\n",
        "Resources:\n  T: { Type: 'Our::Own::Thing', DeletionPolicy: Snapshot, Properties: { Tags: anything } }\n",
        "Resources:\n  M: { Type: 'Our::Own::Thing::MODULE' }\n",
        "Resources:\n  P: { Type: 'AWS::SSM::Parameter', Properties: { Type: String, Value: x, Tags: { a: b } } }\n",
        "Resources:\n  Q: { Type: 'AWS::SQS::Queue', Properties: { Tags: !If [C, [], []] } }\nConditions:\n  C: !Equals ['', '']\n",
        "Resources:\n  Q: { Type: 'AWS::SQS::Queue', Properties: { Tags: [!If [C, { Key: a, Value: b }, !Ref 'AWS::NoValue']] } }\n\
         Conditions:\n  C: !Or [!Condition D, !Equals [!Join ['', [a, !Ref StageName]], !Select [0, [a]]]]\n  D: !Not [!Equals [1, true]]\n",
        "Resources:\n  W: { Type: 'AWS::CloudFormation::WaitCondition', CreationPolicy: { ResourceSignal: { Count: 1 } } }\n",
        "Outputs:\n  X: { Value: 1.5, Export: { Name: !Sub '${AWS::StackName}-x' } }\n  Y: { Value: yes, Export: { Name: y } }\n",
        "Mappings:\n  M: { 012345678901: { a: [1, x], b: 1.0 } }\n",
        // Policies have conditions and variables of their own.
        "Resources:\n  P:\n    Type: AWS::IAM::Policy\n    Properties:\n      PolicyName: p\n      Roles: [!Ref DirectRole]\n      PolicyDocument:\n        \
         Statement: [{ Effect: Allow, Action: '*', Resource: 'x/${aws:username}', Condition: { Bool: { 'aws:SecureTransport': true } } }]\n",
    ] {
        accepted("", text);
    }
}
