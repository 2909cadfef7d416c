"""Judges requests to AWS by the service models that AWS publishes with botocore.

Reads a request a line, as JSON: `method`, `target` (path and query), `headers` (names in lower case) and `body` in
Base64. Answers each with a line: the `operation` that it is, and `violations` of that operation's model. What a request
must be is read from the model of the service that its signature names: the operation by the action, the target header or
the path; then the names, types, required members, enumerations and lengths of everything that it carries.
"""

import base64
import json
import re
import sys
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.validate

# Signing names that differ from the folder of the service's model.
SERVICES = {
    "apigateway": "apigatewayv2", "apigateway of REST": "apigateway", "execute-api": "apigatewaymanagementapi",
    "monitoring": "cloudwatch",
}

# Headers of every AWS request, which no operation's model lists.
COMMON_HEADERS = {
    "x-amz-date", "x-amz-content-sha256", "x-amz-user-agent", "x-amz-security-token", "x-amz-target",
    "x-amz-decoded-content-length", "x-amz-trailer",
}

LOADER = botocore.loaders.Loader()
MODELS = {}


class Violation(Exception):
    """Why a request is none that the model has."""


def model(service):
    if service not in MODELS:
        name = SERVICES.get(service, service)
        try:
            MODELS[service] = botocore.model.ServiceModel(LOADER.load_service_model(name, "service-2"))
        except botocore.exceptions.UnknownServiceError:
            raise Violation(f"there is no service that signs as {service!r}") from None
    return MODELS[service]


def signing_name(headers):
    found = re.search(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request", headers.get("authorization", ""))
    if not found:
        raise Violation("no signature names a service")
    return found.group(1)


def judge(request):
    operation = None
    try:
        name = signing_name(request["headers"])
        # Both generations of API Gateway have one signing name and one address.
        is_first = name == "apigateway" and not request["target"].startswith("/v2/")
        service = model("apigateway of REST" if is_first else name)
        request["body"] = base64.b64decode(request["body"])
        # Some services speak several; a target is in requests of one only.
        protocol, spoken = service.metadata["protocol"], service.metadata.get("protocols", [])
        if "json" in spoken and "x-amz-target" in request["headers"]:
            protocol = "json"
        read = {
            "query": of_query, "json": of_json, "rest-json": of_rest, "rest-xml": of_rest, "smithy-rpc-v2-cbor": of_cbor,
        }[protocol]
        operation, params = read(service, request)
        violations = violations_of(params, operation.input_shape)
    except Violation as violation:
        violations = [str(violation)]
    name = f"{operation.service_model.service_name}:{operation.name}" if operation else None
    return {"operation": name, "violations": violations}


def violations_of(params, shape):
    if shape is None:
        return [f"it takes no parameters, but has {sorted(params)}"] if params else []
    report = botocore.validate.ParamValidator().validate(params, shape)
    found = report.generate_report().splitlines() if report.has_errors() else []
    return found + list(beyond(params, shape, shape.name))


def beyond(value, shape, where):
    """What botocore itself leaves to the service: enumerations, greatest lengths and numbers."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, inner in value.items():
            if name in shape.members:
                yield from beyond(inner, shape.members[name], f"{where}.{name}")
    elif kind == "list" and isinstance(value, list):
        for at, inner in enumerate(value):
            yield from beyond(inner, shape.member, f"{where}[{at}]")
    elif kind == "map" and isinstance(value, dict):
        for name, inner in value.items():
            yield from beyond(name, shape.key, f"{where} (key)")
            yield from beyond(inner, shape.value, f"{where}.{name}")
    enum = shape.metadata.get("enum")
    if enum and isinstance(value, str) and value not in enum:
        yield f"{where}: {value!r} is none of {', '.join(enum)}"
    most = shape.metadata.get("max")
    if most is not None:
        size = len(value) if isinstance(value, (str, bytes, list, dict)) else value
        if not isinstance(value, bool) and size > most:
            yield f"{where}: {size} is more than {most}"


# ---- The query protocol -------------------------------------------------------------------------------------------


def of_query(service, request):
    if (request["method"], request["target"]) != ("POST", "/"):
        raise Violation(f"{request['method']} {request['target']}: the query protocol has POST / only")
    pairs = parse_qsl(request["body"].decode(), keep_blank_values=True, strict_parsing=True)
    flat = dict(pairs)
    if len(flat) != len(pairs):
        raise Violation("a parameter is there twice")
    version = flat.pop("Version", None)
    if version != service.api_version:
        raise Violation(f"Version is {version!r}, not {service.api_version!r}")
    operation = named(service, flat.pop("Action", None))
    tree = {}
    for name, value in flat.items():
        branch = tree
        *path, leaf = name.split(".")
        for part in path:
            branch = branch.setdefault(part, {})
            if not isinstance(branch, dict):
                raise Violation(f"{name}: {part} has a value already")
        branch[leaf] = value
    return operation, unflattened(tree, operation.input_shape, operation.name)


def named(service, name):
    if name not in service.operation_names:
        raise Violation(f"{service.service_name} has no operation {name!r}")
    return service.operation_model(name)


def unflattened(tree, shape, where):
    """The value of `shape` that the names with dots stand for."""
    if shape is None:
        return tree
    kind = shape.type_name
    if kind == "structure":
        by_name = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        value = {}
        for name, inner in as_tree(tree, where).items():
            member = by_name.get(name)
            if member is None:
                raise Violation(f"{where}: there is no parameter {name!r}")
            value[member] = unflattened(inner, shape.members[member], f"{where}.{name}")
        return value
    if kind == "list":
        if tree == "":
            return []
        tree = as_tree(tree, where)
        if not shape.serialization.get("flattened"):
            prefix = shape.member.serialization.get("name", "member")
            if list(tree) != [prefix]:
                raise Violation(f"{where}: a list is {prefix}.1, {prefix}.2 …, not {sorted(tree)}")
            tree = as_tree(tree[prefix], where)
        numbers = [str(number) for number in range(1, len(tree) + 1)]
        if sorted(tree, key=int) != numbers:
            raise Violation(f"{where}: the elements have the numbers {sorted(tree)}")
        return [unflattened(tree[number], shape.member, f"{where}.{number}") for number in numbers]
    return scalar(tree, shape, where)


def as_tree(tree, where):
    if not isinstance(tree, dict):
        raise Violation(f"{where} has parts, but the request has the value {tree!r}")
    return tree


def scalar(text, shape, where):
    """What a text stands for in a path, a query, a header or XML."""
    if not isinstance(text, str):
        raise Violation(f"{where} is one value, but the request has parts of it")
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
    except ValueError:
        raise Violation(f"{where}: {text!r} is no number") from None
    if kind == "boolean":
        if text not in ("true", "false"):
            raise Violation(f"{where}: {text!r} is neither true nor false")
        return text == "true"
    return text


# ---- JSON with a target -------------------------------------------------------------------------------------------


def of_json(service, request):
    prefix, _, name = request["headers"].get("x-amz-target", "").partition(".")
    if prefix != service.metadata["targetPrefix"]:
        raise Violation(f"the target's prefix is {prefix!r}, not {service.metadata['targetPrefix']!r}")
    expected = f"application/x-amz-json-{service.metadata['jsonVersion']}"
    if request["headers"].get("content-type") != expected:
        raise Violation(f"the content type is {request['headers'].get('content-type')!r}, not {expected!r}")
    return named(service, name), parsed(request["body"])


def parsed(body):
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise Violation(f"the body is not JSON: {error}") from None


# ---- CBOR (https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html) -----------------------------------


def of_cbor(service, request):
    if request["headers"].get("smithy-protocol") != "rpc-v2-cbor":
        raise Violation(f"the protocol is {request['headers'].get('smithy-protocol')!r}, not 'rpc-v2-cbor'")
    start = f"/service/{service.metadata['targetPrefix']}/operation/"
    if request["method"] != "POST" or not request["target"].startswith(start):
        raise Violation(f"{request['method']} {request['target']}: the protocol has POST {start}OPERATION only")
    parser = botocore.parsers.RpcV2CBORParser()
    try:
        params = parser.parse_data_item(parser.get_peekable_stream_from_bytes(request["body"]))
    except botocore.parsers.ResponseParserError as error:
        raise Violation(f"the body is not CBOR: {error}") from None
    return named(service, request["target"].removeprefix(start)), params


# ---- REST ---------------------------------------------------------------------------------------------------------


def of_rest(service, request):
    path, _, query = request["target"].partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    # `x-id` names the operation, where nothing else tells it from others.
    said = dict(pairs).get("x-id")
    pairs = [(name, value) for name, value in pairs if name != "x-id"]
    operations = [service.operation_model(name) for name in service.operation_names if said in (None, name)]
    # A deprecated operation has a newer one at the same place.
    found = [matched(operation, request, path, dict(pairs)) for operation in operations if not operation.deprecated]
    found = [match for match in found if match]
    if not found:
        raise Violation(f"{service.service_name} has no operation at {request['method']} {request['target']}")
    # The operation whose path and query say most: `/{Bucket}?policy` before `/{Bucket}`.
    _, operation, params = max(found, key=lambda match: match[0])
    shape = operation.input_shape
    members = shape.members if shape else {}
    fixed = {name for name, _ in parse_qsl(uri_of(operation)[1], keep_blank_values=True)}
    by_query = {m.serialization.get("name", n): n for n, m in members.items() if m.serialization.get("location") == "querystring"}
    for name, value in pairs:
        if name in by_query:
            member = members[by_query[name]]
            if member.type_name == "list":
                params.setdefault(by_query[name], []).append(scalar(value, member.member, name))
            else:
                params[by_query[name]] = scalar(value, member, name)
        elif name not in fixed:
            raise Violation(f"{operation.name} has no query parameter {name!r}")
    headers_into(params, operation, members, request["headers"])
    body_into(params, operation, members, request)
    return operation, params


def uri_of(operation):
    path, _, query = operation.http["requestUri"].partition("?")
    return path, query


def matched(operation, request, path, query):
    """How well the operation's path fits, the operation, and the labels' values; `None` if it does not."""
    if operation.http["method"] != request["method"]:
        return None
    pattern, fixed = uri_of(operation)
    for name, value in parse_qsl(fixed, keep_blank_values=True):
        if query.get(name) != value:
            return None
    labels, expression = [], ""
    for part in re.split(r"(\{[^}]+\})", pattern):
        if part.startswith("{"):
            labels.append(part.strip("{}+"))
            expression += "(.+)" if part.endswith("+}") else "([^/]+)"
        else:
            expression += re.escape(part)
    found = re.fullmatch(expression + "/?", path)
    if not found:
        return None
    members = operation.input_shape.members if operation.input_shape else {}
    by_label = {m.serialization.get("name", n): n for n, m in members.items() if m.serialization.get("location") == "uri"}
    params = {}
    for label, text in zip(labels, found.groups()):
        member = by_label[label]
        params[member] = scalar(unquote(text), members[member], label)
    weight = (len(parse_qsl(fixed, keep_blank_values=True)), pattern.count("/"), -len(labels))
    # Of two operations that look alike, the one that the request has all required parameters of.
    required = operation.input_shape.required_members if operation.input_shape else []
    given = {"querystring": query, "header": request["headers"]}
    needed = [members[n].serialization for n in required if members[n].serialization.get("location") in given]
    missing = sum(s["name"].lower() not in map(str.lower, given[s["location"]]) for s in needed)
    return (weight, -missing, len(needed)), operation, params


def headers_into(params, operation, members, headers):
    known = set()
    for name, member in members.items():
        where = member.serialization.get("location")
        key = member.serialization.get("name", name).lower()
        if where == "header":
            known.add(key)
            if key in headers:
                params[name] = scalar(headers[key], member, key)
        elif where == "headers":
            own = {header[len(key):]: value for header, value in headers.items() if header.startswith(key)}
            known.update(key + header for header in own)
            if own:
                params[name] = own
    for header in headers:
        is_checksum = header.startswith("x-amz-checksum-") and operation.http_checksum
        if header.startswith("x-amz-") and header not in known | COMMON_HEADERS and not is_checksum:
            raise Violation(f"{operation.name} has no header {header!r}")


def body_into(params, operation, members, request):
    payload = operation.input_shape.serialization.get("payload") if operation.input_shape else None
    in_body = {n: m for n, m in members.items() if "location" not in m.serialization}
    body = request["body"]
    if payload is None:
        if body and not in_body:
            raise Violation(f"{operation.name} has no body, but the request has {len(body)} bytes")
        if body:
            given = parsed(body)
            by_name = {m.serialization.get("name", n): n for n, m in in_body.items()}
            for name, value in given.items():
                if name not in by_name:
                    raise Violation(f"{operation.name} has no member {name!r} in its body")
                params[by_name[name]] = value
        return
    member = members[payload]
    if member.type_name in ("blob", "string"):
        params[payload] = body if member.type_name == "blob" else body.decode()
    elif body:
        if operation.service_model.metadata["protocol"] == "rest-json":
            params[payload] = parsed(body)
        else:
            params[payload] = of_document(member, body)


# ---- XML ----------------------------------------------------------------------------------------------------------


def of_document(shape, body):
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise Violation(f"the body is not XML: {error}") from None
    expected = shape.serialization.get("name", shape.name)
    if local(root.tag) != expected:
        raise Violation(f"the body is <{local(root.tag)}>, not <{expected}>")
    return of_element(shape, root)


def local(tag):
    return tag.rpartition("}")[2]


def of_element(shape, element):
    kind = shape.type_name
    if kind == "list":
        return [of_element(shape.member, child) for child in element]
    if kind != "structure":
        return scalar(element.text or "", shape, local(element.tag))
    by_name = {}
    for name, member in shape.members.items():
        flat = member.type_name == "list" and member.serialization.get("flattened")
        inner = member.member.serialization.get("name") if flat else None
        by_name[member.serialization.get("name", inner or name)] = (name, member, flat)
    value = {}
    for child in element:
        if local(child.tag) not in by_name:
            raise Violation(f"<{local(element.tag)}> has no member <{local(child.tag)}>")
        name, member, flat = by_name[local(child.tag)]
        if flat:
            value.setdefault(name, []).append(of_element(member.member, child))
        else:
            value[name] = of_element(member, child)
    return value


for line in sys.stdin:
    print(json.dumps(judge(json.loads(line))), flush=True)
