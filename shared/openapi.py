"""OpenAPI 3.1 descriptions from the same types that read requests and shape answers."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from string import Formatter
from typing import Any, cast

import msgspec
from litestar import Litestar
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.spec import (
    Components,
    Example,
    OpenAPIType,
    Operation,
    Parameter,
    Schema,
    SecurityScheme,
    Tag,
)

from shared.errors import FieldError, GeraiError, InvalidInput
from shared.responses import ErrorEnvelope, error_envelope
from shared.text import EXPLANATIONS

BEARER = "bearer"

_GENERIC_NAME = re.compile(r"(?P<generic>Envelope|Page)_(?:\w+\.)*(?P<of>\w+?)_(?=\W)")
_EXAMPLE_TRACE = "0af7651916cd43dd8448eb211c80319c"


def describe(title: str, version: str, tags: list[Tag]) -> OpenAPIConfig:
    """Describe one service; its operations take a bearer token unless they say otherwise."""
    scheme = SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")
    return OpenAPIConfig(
        title=title,
        version=version,
        tags=tags,
        components=Components(security_schemes={BEARER: scheme}),
        security=[{BEARER: []}],
    )


def responses(*errors: type[GeraiError]) -> dict[int, ResponseSpec]:
    """Return the error answers of an operation, each with an example."""
    by_status: dict[int, list[type[GeraiError]]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {status: _response(classes) for status, classes in sorted(by_status.items())}


def with_query(
    type_: type[msgspec.Struct], base: type[Operation] = Operation, without: Collection[str] = ()
) -> type[Operation]:
    """Return an operation class, made of `base`, whose query parameters are the fields of `type_`.

    Those named in `without` are left out.
    """

    @dataclass
    class QueryOperation(base):
        def __post_init__(self) -> None:
            getattr(super(), "__post_init__", _nothing)()
            own = [each for each in _query_parameters(type_) if each.name not in without]
            self.parameters = [*(self.parameters or []), *own]

    return QueryOperation


def _nothing() -> None: ...


def document(app: Litestar) -> dict[str, Any]:
    """Return the OpenAPI document of `app`, with short component names and rules told in words."""
    text = msgspec.json.encode(app.openapi_schema.to_schema()).decode()
    return _readable(msgspec.json.decode(_GENERIC_NAME.sub(r"\g<of>\g<generic>", text)))


def sample(error: type[GeraiError]) -> GeraiError:
    """Return an instance of `error` whose template is filled with the names of its parts."""
    names = [name for _, name, _, _ in Formatter().parse(error.template) if name]
    context: dict[str, Any] = {name: f"<{name}>" for name in names}
    if issubclass(error, InvalidInput):
        context["details"] = [FieldError("name", "is required")]
    return error(**context)


def _response(errors: list[type[GeraiError]]) -> ResponseSpec:
    samples = [sample(error) for error in errors]
    examples = [
        Example(
            id=each.code, summary=each.code, value=msgspec.to_builtins(error_envelope(each, _EXAMPLE_TRACE))
        )
        for each in samples
    ]
    description = " · ".join(each.code for each in samples)
    return ResponseSpec(ErrorEnvelope, description=description, examples=examples, generate_examples=False)


def _query_parameters(type_: type[msgspec.Struct]) -> list[Parameter]:
    described = msgspec.json.schema(type_)["$defs"][type_.__name__]
    return [
        Parameter(
            name=name,
            param_in="query",
            required=name in described.get("required", []),
            description=schema.get("description"),
            example=next(iter(schema.get("examples", [])), None),
            schema=_schema(schema),
        )
        for name, schema in (
            (name, _without_null(schema)) for name, schema in described["properties"].items()
        )
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    return options[0]


def _schema(described: dict[str, Any]) -> Schema:
    return Schema(
        type=OpenAPIType(described.get("type", "string")),  # msgspec gives an enum of strings no type
        format=described.get("format"),
        minimum=described.get("minimum"),
        maximum=described.get("maximum"),
        max_length=described.get("maxLength"),
        pattern=described.get("pattern"),
        enum=described.get("enum"),
        default=described.get("default"),
    )


def _readable(node: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Tell the patterns that EXPLANATIONS knows in words, and leave out what OpenAPI has no place for."""
    if isinstance(node, list):
        return [_readable(item) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    tidy = {name: _readable(value) for name, value in cast("dict[str, Any]", node).items()}
    explanation = EXPLANATIONS.get(str(tidy.get("pattern")))
    if explanation:
        del tidy["pattern"]
        tidy["description"] = f"{tidy.get('description', 'Text')}: {explanation}."
    if "value" in tidy and "summary" in tidy:
        tidy.pop("id", None)  # Litestar's name for an example, unknown to OpenAPI 3.1
    return tidy
