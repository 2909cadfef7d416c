"""Compares policies with two tables that AWS publishes and cfn-lint carries.

Reads one JSON object: `policies`, which count together, and `template`. Prints a line for each problem: an action that IAM
does not have, one that does not take the kind of resource that its statement names, and one that CloudFormation's
registry says the handlers of a type in the template need and that no policy allows.
"""

import json
import sys
from pathlib import Path

import cfnlint

DATA = Path(cfnlint.__file__).parent / "data"
IAM = json.loads((DATA / "AdditionalSpecs" / "Policies.json").read_text())

# The kinds of resources in ARNs, by service and the beginning of the ARN's last part.
KINDS = {
    ("cloudformation", "stack/"): "stack", ("cloudformation", "changeSet/"): "changeset",
    ("dynamodb", "table/"): "table", ("lambda", "function:"): "function", ("iam", "role/"): "role",
    ("logs", "log-group:"): "log-group", ("kms", "key/"): "key", ("secretsmanager", "secret:"): "Secret",
    ("ssm", "parameter/"): "parameter", ("cloudwatch", "alarm:"): "alarm", ("cloudwatch", "dashboard/"): "dashboard",
    ("sns", ""): "topic", ("sqs", ""): "queue", ("route53", "hostedzone/"): "hostedzone", ("route53", "change/"): "change",
}

# What the registry lists for properties that no stack of chatctl sets.
NOT_OURS = {
    "apigateway:TagResource", "apigateway:UntagResource",  # IAM has no such actions; it is a PUT on /tags.
    "dynamodb:AssociateTableReplica", "dynamodb:BatchWriteItem", "dynamodb:CreateTableReplica", "dynamodb:DeleteItem",
    "dynamodb:DeleteResourcePolicy", "dynamodb:DescribeImport", "dynamodb:DisableKinesisStreamingDestination",
    "dynamodb:EnableKinesisStreamingDestination", "dynamodb:GetItem", "dynamodb:ImportTable", "dynamodb:PutItem",
    "dynamodb:PutResourcePolicy", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateContinuousBackups",
    "dynamodb:UpdateContributorInsights", "dynamodb:UpdateItem", "dynamodb:UpdateKinesisStreamingDestination",
    "iam:AttachRolePolicy", "iam:CreateServiceLinkedRole", "iam:DeleteGroupPolicy", "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteUserPolicy", "iam:DetachRolePolicy", "iam:GetGroupPolicy", "iam:GetUserPolicy",
    "iam:PutGroupPolicy", "iam:PutRolePermissionsBoundary", "iam:PutUserPolicy", "iam:UpdateRoleDescription",
    "lambda:AssociateRuntimeAlias", "lambda:DeleteFunctionCodeSigningConfig", "lambda:DeleteFunctionConcurrency",
    "lambda:GetCodeSigningConfig", "lambda:GetLayerVersion", "lambda:PassCapacityProvider", "lambda:PublishVersion",
    "lambda:PutFunctionCodeSigningConfig", "lambda:PutFunctionConcurrency", "lambda:PutFunctionRecursionConfig",
    "lambda:PutFunctionScalingConfig", "lambda:PutRuntimeManagementConfig",
    "sns:PutDataProtectionPolicy",  # It needs the roles, too.
    "logs:AssociateKmsKey", "logs:CreateLogDelivery", "logs:CreateLogStream", "logs:DeleteIndexPolicy",
    "logs:DeleteResourcePolicy", "logs:DeleteRetentionPolicy", "logs:DescribeLogStreams", "logs:DisassociateKmsKey",
    "logs:PutBearerTokenAuthentication", "logs:PutDataProtectionPolicy", "logs:PutIndexPolicy",
    "logs:PutLogEvents", "logs:PutLogGroupDeletionProtection", "logs:PutResourcePolicy",
}

# Services that the registry names for features of other users: imports, streams, networks, file systems, keys.
OTHER_SERVICES = {"ec2", "elasticfilesystem", "firehose", "kinesis", "kms", "s3", "s3files"}


def listed(value):
    return value if isinstance(value, list) else [value]


def kind(resource):
    if resource == "*":
        return None
    _, _, service, _, _, rest = resource.split(":", 5)
    for (of, beginning), name in KINDS.items():
        if of == service and rest.startswith(beginning):
            return name
    if service == "s3":
        return "object" if "/" in rest else "bucket"
    if service == "apigateway":
        return None
    sys.exit(f"{resource} is of no known kind")


def actions_exist(policies):
    for statement in (statement for policy in policies for statement in policy["Statement"]):
        for action in listed(statement["Action"]):
            service, name = action.split(":")
            known = IAM.get(service, {}).get("Actions", {}).get(name.lower())
            if known is None:
                yield f"IAM has no action {action}"
                continue
            kinds = {kind(resource) for resource in listed(statement["Resource"])} - {None}
            taken = {one.lower() for one in known.get("Resources", [])}
            if not kinds and listed(statement["Resource"]) == ["*"]:
                continue
            if kinds and not any(one.lower() in taken for one in kinds):
                yield f"{action} takes no {' or '.join(sorted(kinds))}"


def handlers(types):
    for path in (DATA / "schemas" / "resources").glob("*.json"):
        text = path.read_text()
        if any(f'"{name}"' in text for name in types):
            schema = json.loads(text)
            if schema.get("typeName") in types:
                yield schema["typeName"], schema.get("handlers", {})


def nothing_missing(policies, template):
    allowed = {action.lower() for policy in policies for statement in policy["Statement"]
               for action in listed(statement["Action"])}
    types = {resource["Type"] for resource in template["Resources"].values()}
    seen = set()
    for name, all_handlers in handlers(types):
        seen.add(name)
        for verb, handler in all_handlers.items():
            if verb == "list":
                continue
            for action in handler.get("permissions", []):
                if action in NOT_OURS or action.split(":")[0] in OTHER_SERVICES:
                    continue
                if action.lower() not in allowed:
                    yield f"{name} needs {action}"
    for name in sorted(types - seen):
        yield f"the registry has no {name}"


asked = json.load(sys.stdin)
problems = [*actions_exist(asked["policies"]), *nothing_missing(asked["policies"], asked["template"])]
for line in sorted(set(problems)):
    print(line)
