"""OpenAPI 3.1 descriptions from the same types that read requests and shape answers."""

from dataclasses import dataclass
from string import Formatter
from typing import Any

import msgspec
from litestar._openapi.schema_generation import SchemaCreator
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.spec import Components, Example, Operation, Parameter, SecurityScheme, Tag
from litestar.typing import FieldDefinition

from shared.errors import FieldError, GeraiError, InvalidInput
from shared.responses import ErrorEnvelope, error_envelope

BEARER = "bearer"

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


def with_query(type_: type[msgspec.Struct]) -> type[Operation]:
    """Return an operation class whose query parameters are the fields of `type_`."""

    @dataclass
    class QueryOperation(Operation):
        def __post_init__(self) -> None:
            self.parameters = [*(self.parameters or []), *_query_parameters(type_)]

    return QueryOperation


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
    creator = SchemaCreator()
    return [
        Parameter(
            name=field.encode_name,
            param_in="query",
            required=field.required,
            schema=creator.for_field_definition(FieldDefinition.from_annotation(field.type)),
        )
        for field in msgspec.structs.fields(type_)
    ]
