"""The page at /docs: the OpenAPI document as plain HTML, without a script or anything from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

Json = Mapping[str, Any]

_LIMITS = {
    "minimum": "from",
    "maximum": "to",
    "maxLength": "characters up to",
    "maxItems": "up to",
    "pattern": "pattern",
    "default": "otherwise",
}

STYLE = """\
:root { color-scheme: light dark; }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 56rem; margin: 0 auto; padding: 2rem 1.25rem; }
h2 { margin-top: 2.5rem; border-top: 1px solid #8886; padding-top: 1.25rem; font-size: 1.1rem; }
h2 code { font-size: 1rem; }
.method { display: inline-block; min-width: 3.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid #8883; }
"""


def page(openapi: Json) -> str:
    """One section for each operation, then the schemas they refer to."""
    info = openapi["info"]
    operations = [_operation(*one) for one in _operations(openapi)]
    schemas = [_schema(name, schema) for name, schema in openapi.get("components", {}).get("schemas", {}).items()]
    title = escape(f"{info['title']} {info['version']}")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: HTTP API</title>
<link rel="icon" href="static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="docs.css">
</head>
<body>
<h1>{title}: HTTP API</h1>
<p>{escape(info.get("summary", ""))}. The same as a document for tools: <a href="openapi.json">openapi.json</a>.
Errors are problem documents (RFC 9457, <code>application/problem+json</code>).</p>
{"".join(operations)}
<h2 id="schemas">Schemas</h2>
{"".join(schemas)}
</body>
</html>
"""


def _operations(openapi: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _operation(method: str, path: str, operation: Json) -> str:
    text = "".join(f"<p>{escape(part)}</p>" for part in operation.get("description", "").split("\n\n"))
    parameters = "".join(_parameter(one) for one in operation.get("parameters", ()))
    table = f"<table><tr><th>Parameter<th>In<th>Type</tr>{parameters}</table>" if parameters else ""
    body = _contents("Body", operation.get("requestBody", {}))
    responses = "".join(_contents(status, one) for status, one in operation["responses"].items())
    heading = f'<h2 id="{escape(operation["operationId"])}"><code class="method">{method}</code>'
    head = "<tr><th>What<th>Media type<th>Shape</tr>"
    return f"{heading} <code>{escape(path)}</code></h2>{text}{table}<table>{head}{body}{responses}</table>"


def _parameter(parameter: Json) -> str:
    name = f"<code>{escape(parameter['name'])}</code>{'' if parameter.get('required') else ' (optional)'}"
    return f"<tr><td>{name}<td>{escape(parameter['in'])}<td>{_shape(parameter['schema'])}</tr>"


def _contents(what: str, holder: Json) -> str:
    rows = holder.get("content", {}).items()
    shapes = [(media_type, _shape(content.get("schema", {}))) for media_type, content in rows]
    return "".join(f"<tr><td>{escape(what)}<td><code>{escape(name)}</code><td>{shape}</tr>" for name, shape in shapes)


def _shape(schema: Json) -> str:
    """A schema in a few words; a link where it has a section of its own."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_shape(one) for one in schema["anyOf"])
    if "items" in schema:
        return f"list of {_shape(schema['items'])}{_limits(schema)}"
    if "properties" in schema:
        return escape(f"{schema.get('title', 'object')}: {', '.join(schema['properties'])}")
    if "enum" in schema:
        return escape(" or ".join(json.dumps(value) for value in schema["enum"]))
    return escape(schema.get("format") or schema.get("type", "any")) + _limits(schema)


def _limits(schema: Json) -> str:
    return "".join(f", {words} {escape(str(schema[key]))}" for key, words in _LIMITS.items() if key in schema)


def _schema(name: str, schema: Json) -> str:
    required = schema.get("required", ())
    rows = "".join(_field(field, shape, field in required) for field, shape in schema.get("properties", {}).items())
    text = f"<p>{escape(schema.get('description', ''))}</p>"
    return f'<h3 id="schema-{escape(name)}">{escape(name)}</h3>{text}<table><tr><th>Field<th>Type</tr>{rows}</table>'


def _field(name: str, schema: Json, required: bool) -> str:
    return f"<tr><td><code>{escape(name)}</code>{'' if required else ' (optional)'}<td>{_shape(schema)}</tr>"
