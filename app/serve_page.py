"""The API's page for people, written from its OpenAPI schema: plain HTML that asks nobody for anything."""

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any

HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
_STYLE = """
body {font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c2733; background: #fff}
h2 {margin-top: 2.5rem; border-top: 1px solid #c8d0d8; padding-top: 1rem}
code, pre {font-family: ui-monospace, monospace; background: #eef2f5; border-radius: 4px}
code {padding: 0 .25em} pre {padding: .75rem; overflow-x: auto}
table {border-collapse: collapse; width: 100%}
th, td {text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #dde3e8}
"""


def page(schema: dict[str, Any]) -> str:
    """A whole HTML document: what can be asked, what comes back, and the fields of the answers."""
    title = escape(schema["info"]["title"])
    body = [
        f"<h1>{title} {escape(schema['info']['version'])}</h1>",
        f"<p>{escape(schema['info']['description'])}</p>",
        '<p>The same for programs: <a href="openapi.json">openapi.json</a></p>',
    ]
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            body += _operation(path, method.upper(), operation)
    body.append("<h2>Fields of the answers</h2>")
    for name, model in schema["components"]["schemas"].items():
        body += _model(name, model)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(body)}</body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{method} {escape(path)}</code></h2><p>{_prose(operation.get('description', ''))}</p>"
    if parameters := operation.get("parameters"):
        yield _table(
            ("Query", "Type", "Means"),
            [(one["name"], _type(one["schema"]), one.get("description", "")) for one in parameters],
        )
    if body := operation.get("requestBody"):
        yield f"<p>Body: {', '.join(f'<code>{escape(kind)}</code>' for kind in body['content'])}</p>"
    if example := operation.get("x-example"):
        yield f"<pre>{escape(example)}</pre>"
    answers = sorted(operation["responses"].items())
    yield _table(("Status", "", "Means"), [(code, _answer(one), one["description"]) for code, one in answers])


def _answer(response: dict[str, Any]) -> str:
    return ", ".join(_type(one.get("schema", {})) for one in response.get("content", {}).values())


def _model(name: str, model: dict[str, Any]) -> Iterator[str]:
    yield f"<h3>{escape(name)}</h3><p>{_prose(model.get('description', ''))}</p>"
    fields = model.get("properties", {}).items()
    yield _table(("Field", "Type", "Default"), [(key, _type(one), _default(one)) for key, one in fields])


def _default(field: dict[str, Any]) -> str:
    return json.dumps(field["default"]) if "default" in field else ""


def _type(schema: dict[str, Any]) -> str:
    """A field's type in words: `list of FilmAnswer`, `string or null`."""
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if isinstance(inner := schema.get("additionalProperties"), dict):
        return f"{_type(inner)} by finding"
    if "maximum" in schema:
        return f"{schema['type']} from {schema['minimum']} to {schema['maximum']}"
    return str(schema.get("const", schema.get("type", "")))


def _prose(text: str) -> str:
    """A docstring as HTML: what stands between backticks is code."""
    return re.sub("`(.*?)`", r"<code>\1</code>", escape(text))


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
