"""One description made of several."""

from gateway.merge import Document, merge
from gateway.routes import RouteTable, platform_routes

TABLE = RouteTable(platform_routes("/v1"))
INFO = {"title": "Gerai", "version": "1"}


def document(path: str, schemas: Document | None = None, **operation: object) -> Document:
    return {
        "openapi": "3.1.0",
        "info": {"title": "a service", "version": "1"},
        "paths": {path: {"get": {"responses": {}, **operation}}},
        "components": {
            "schemas": schemas or {},
            "securitySchemes": {"other": {"type": "http", "scheme": "basic"}},
        },
    }


def reference(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def test_only_what_is_routed_to_the_service_that_describes_it_is_kept() -> None:
    store = document("/v1/stores/{uuid}")
    store["paths"] |= {
        path: {"get": {}} for path in ("/healthz", "/internal/stores/count", "/v1/users", "/v1/x")
    }
    merged = merge({"store": store, "auth": document("/v1/users")}, TABLE, INFO)
    assert set(merged["paths"]) == {"/v1/stores/{uuid}", "/v1/users"}


def test_the_frame_is_the_gateways_own() -> None:
    merged = merge({"store": document("/v1/stores")}, TABLE, INFO)
    assert merged["openapi"].startswith("3.1")
    assert merged["info"] == INFO
    assert merged["servers"] == [{"url": "/"}]
    assert list(merged["components"]["securitySchemes"]) == ["bearer"]
    assert merged["security"] == [{"bearer": []}]


def test_equal_components_become_one() -> None:
    error = {"Error": {"type": "object"}}
    merged = merge(
        {"store": document("/v1/stores", error), "auth": document("/v1/users", error)}, TABLE, INFO
    )
    assert merged["components"]["schemas"] == error


def test_different_components_of_one_name_are_told_apart_with_all_that_refer_to_them() -> None:
    page = {"properties": {"data": {"items": reference("Item")}}}
    example = {"example": {"Item": "a property of that name is left alone"}}
    store = document(
        "/v1/stores", {"Item": {"type": "object"}, "Page": page}, schema=reference("Page"), **example
    )
    auth = document("/v1/users", {"Item": {"type": "string"}, "Page": page, "Own": reference("Item")})
    merged = merge({"store": store, "auth": auth}, TABLE, INFO)
    schemas = merged["components"]["schemas"]
    assert set(schemas) == {"store_Item", "auth_Item", "store_Page", "auth_Page", "Own"}
    assert schemas["store_Page"]["properties"]["data"]["items"] == reference("store_Item")
    assert schemas["auth_Page"]["properties"]["data"]["items"] == reference("auth_Item")
    assert schemas["Own"] == reference("auth_Item")
    operation = merged["paths"]["/v1/stores"]["get"]
    assert operation["schema"] == reference("store_Page")
    assert operation["example"] == example["example"]


def test_operations_have_a_tag_an_id_of_their_own_and_say_whether_they_are_public() -> None:
    login = document("/v1/auth/login", operationId="Create", tags=["sign-in"])
    merged = merge({"auth": login, "store": document("/v1/stores", operationId="Create")}, TABLE, INFO)
    public = merged["paths"]["/v1/auth/login"]["get"]
    protected = merged["paths"]["/v1/stores"]["get"]
    assert (public["operationId"], public["tags"], public["security"]) == ("auth_Create", ["sign-in"], [])
    assert (protected["operationId"], protected["tags"]) == ("store_Create", ["store"])
    assert "security" not in protected


def test_tags_are_listed_once() -> None:
    store, auth = document("/v1/stores"), document("/v1/users")
    store["tags"] = auth["tags"] = [{"name": "all", "description": "of them"}]
    assert merge({"store": store, "auth": auth}, TABLE, INFO)["tags"] == [
        {"name": "all", "description": "of them"}
    ]


def test_the_services_documents_are_not_changed() -> None:
    store = document("/v1/stores", {"Item": {"type": "object"}}, operationId="Create")
    auth = document("/v1/users", {"Item": {"type": "string"}}, operationId="Create")
    merge({"store": store, "auth": auth}, TABLE, INFO)
    assert store == document("/v1/stores", {"Item": {"type": "object"}}, operationId="Create")
