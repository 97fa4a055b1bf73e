"""One OpenAPI 3.1 document made of several services' own ones."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, cast

from gateway.routes import RouteTable

Document = dict[str, Any]

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_BEARER: Document = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
_SECTIONS = ("schemas", "responses", "parameters", "examples", "requestBodies", "headers")


def merge(documents: Mapping[str, Document], table: RouteTable, info: Document) -> Document:
    """Return one document of the operations that `table` routes to the service that describes them.

    Components and operation ids that differ under one name are named after their service, too.
    """
    renamed = _renamed(documents)
    repeated = _repeated_operation_ids(documents)
    merged: Document = {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": "/"}],
        "tags": [],
        "paths": {},
        "components": {"securitySchemes": _BEARER},
        "security": [{"bearer": []}],
    }
    for service, document in documents.items():
        own = _with_references(document, {old: f"#/{new}" for old, new in renamed[service].items()})
        merged["tags"] += [tag for tag in own.get("tags", []) if tag not in merged["tags"]]
        merged["paths"] |= dict(_routed_paths(service, own, table, repeated))
        for reference, component in _components(own):
            _, section, name = renamed[service].get(f"#/{reference}", reference).split("/")
            merged["components"].setdefault(section, {})[name] = component
    return merged


def _routed_paths(
    service: str, document: Document, table: RouteTable, repeated: set[str]
) -> Iterator[tuple[str, Document]]:
    for path, item in document["paths"].items():
        route = table.find(path.encode())
        if route is None or route.service != service:
            continue
        for operation in (operation for method, operation in item.items() if method in _METHODS):
            operation.setdefault("tags", [service])
            if route.public:
                operation["security"] = []
            if operation.get("operationId") in repeated:
                operation["operationId"] = f"{service}_{operation['operationId']}"
        yield path, item


def _renamed(documents: Mapping[str, Document]) -> dict[str, dict[str, str]]:
    """Return for each service the references that change, and what they change to (without `#/`)."""
    definitions: dict[str, list[Document]] = {}
    for document in documents.values():
        for reference, component in _components(document):
            definitions.setdefault(reference, []).append(component)
    clashing = {name for name, found in definitions.items() if any(each != found[0] for each in found)}
    shared = {name: found[0] for name, found in definitions.items() if len(found) > 1}
    grown = True
    while grown:  # what refers to a component that differs by service differs by service, too
        referring = {name for name, each in shared.items() if clashing & set(_references(each))} - clashing
        clashing |= referring
        grown = bool(referring)
    return {
        service: {
            f"#/{reference}": f"{reference.rpartition('/')[0]}/{service}_{reference.rpartition('/')[2]}"
            for reference, _ in _components(document)
            if reference in clashing
        }
        for service, document in documents.items()
    }


def _components(document: Document) -> Iterator[tuple[str, Document]]:
    components = document.get("components", {})
    for section in _SECTIONS:
        for name, component in components.get(section, {}).items():
            yield f"components/{section}/{name}", component


def _repeated_operation_ids(documents: Mapping[str, Document]) -> set[str]:
    found = Counter(
        operation.get("operationId")
        for document in documents.values()
        for item in document["paths"].values()
        for method, operation in item.items()
        if method in _METHODS
    )
    return {name for name, count in found.items() if name and count > 1}


def _references(node: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(node, str):
        if node.startswith("#/components/"):
            yield node.removeprefix("#/")
    elif isinstance(node, dict | list):
        children = (
            cast("dict[str, Any]", node).values() if isinstance(node, dict) else cast("list[Any]", node)
        )
        for child in children:
            yield from _references(child)


def _with_references(node: Any, changed: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(node, dict):
        return {key: _with_references(value, changed) for key, value in cast("dict[str, Any]", node).items()}
    if isinstance(node, list):
        return [_with_references(value, changed) for value in cast("list[Any]", node)]
    return changed.get(node, node) if isinstance(node, str) else node
