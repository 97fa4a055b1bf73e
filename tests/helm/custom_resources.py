"""Objects of kinds that operators define, held against their schemas as strictly as an API server would."""

from collections.abc import Iterator
from typing import Any

import yaml
from jsonschema import Draft4Validator

from infra.cluster.kinds import KINDS, definition

Schema = dict[str, Any]
Schemas = dict[tuple[str, str], Schema]

_TEXT = {"type": "string"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_METADATA = {
    "type": "object",
    "properties": {"name": _TEXT, "namespace": _TEXT, "labels": _TEXTS, "annotations": _TEXTS},
    "required": ["name", "namespace"],
}


def is_custom(each: dict[str, Any]) -> bool:
    """Tell whether Kubernetes itself does not know the kind of an object."""
    group, _, _ = each["apiVersion"].rpartition("/")
    return "." in group and not group.endswith(".k8s.io")


def served() -> Schemas:
    """Return the schemas of the kinds of infra.cluster.kinds, by each version that is served, and kind.

    Raises:
        CannotBuild: they cannot be had.
    """
    return {name: schema for kind in KINDS for name, schema in _versions(definition(kind).read_text())}


def faults(each: dict[str, Any], schemas: Schemas) -> list[str]:
    """Return what is wrong with an object, as `$.spec.data[0]: …`."""
    version, kind = each["apiVersion"], each["kind"]
    if (version, kind) not in schemas:
        return [f"$: no operator of infra/cluster/kinds.py serves {kind} of {version}"]
    errors = Draft4Validator(schemas[version, kind]).iter_errors(each)  # pyright: ignore[reportUnknownMemberType]
    return [f"{error.json_path}: {error.message}" for error in errors]


def break_field(each: dict[str, Any], field: str, value: str | None) -> None:
    """Set the field at a path in an object's spec to a value, or take it out."""
    place: Any = each["spec"]
    *path, last = field.split(".")
    for part in path:
        place = place[int(part) if part.isdigit() else part]
    place.pop(last, None)
    if value is not None:
        place[last] = value


def _versions(text: str) -> Iterator[tuple[tuple[str, str], Schema]]:
    defined = yaml.safe_load(text)["spec"]
    for version in defined["versions"]:
        if version["served"]:
            schema = version["schema"]["openAPIV3Schema"]
            schema["properties"]["metadata"] = _METADATA  # of which the server knows itself what it is
            yield (f"{defined['group']}/{version['name']}", defined["names"]["kind"]), _closed(schema)


def _closed(schema: Schema) -> Schema:
    """Return a schema that refuses every field it does not describe.

    That is what Kubernetes takes it for. It has none that describes a field in `allOf`, `anyOf` or `oneOf`
    alone.
    """
    closed = dict(schema)
    if schema.get("type") == "object" and "additionalProperties" not in schema:
        closed["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    for inner in ("additionalProperties", "items"):
        if isinstance(schema.get(inner), dict):
            closed[inner] = _closed(schema[inner])
    if fields := schema.get("properties"):
        closed["properties"] = {name: _closed(field) for name, field in fields.items()}
    return closed
