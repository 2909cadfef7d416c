"""Prints what AWS publishes of resource types, from the schemas that cfn-lint carries.

Reads names of types, one a line. Prints a line for each: the name, the form of its tags (`list` of keys and values,
`mapping`, or `-`), and the attributes that `Fn::GetAtt` takes, in order.
"""

import sys

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER


def tags(schema):
    found = schema.schema.get("properties", {}).get("Tags", {})
    if "$ref" in found:
        _, found = schema.resolver.resolve(found["$ref"])
    kind = found.get("type")
    if kind == "object":
        return "mapping"
    items = found.get("items", {})
    if "$ref" in items:
        _, items = schema.resolver.resolve(items["$ref"])
    is_list = kind == "array" and set(items.get("properties", {})) == {"Key", "Value"}
    return "list" if is_list else "-"


for name in sys.stdin.read().split():
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", name)
    attributes = sorted(attribute for attribute in schema.get_atts if "*" not in attribute)
    print(" ".join([name, tags(schema), *attributes]))
