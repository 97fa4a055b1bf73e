"""The trace of a request, wherever it was exported to: made, and looked at as a tree."""

from collections.abc import Sequence

from shared.identifiers import new_uuid
from tests.support.otlp import CLIENT, CONSUMER, SERVER, ReceivedSpan
from tests.support.platform import Platform

CALLER = "b7ad6b7169203331"
"""The span of the caller that `new_trace` makes up."""


def new_trace() -> tuple[str, str]:
    """Return a trace id, and the traceparent of a caller who does not record."""
    trace_id = new_uuid().hex
    return trace_id, f"00-{trace_id}-{CALLER}-00"


def only(spans: Sequence[ReceivedSpan], **attributes: object) -> ReceivedSpan:
    """Return the one span that has these."""
    [found] = [span for span in spans if attributes.items() <= vars(span).items()]
    return found


async def create_client(platform: Platform, headers: dict[str, str]) -> str:
    """Create a client and return its uuid."""
    body = {"name": "Kopi", "email": f"{new_uuid()}@example.com"}
    answer = await platform.http.post("/v1/master-client", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]["uuid"]


async def create_store(platform: Platform, headers: dict[str, str], client: str) -> None:
    """Create a store, code JKT-1, of a client."""
    body = {"client_uuid": client, "code": "JKT-1", "name": "Kopi"}
    answer = await platform.http.post("/v1/stores", json=body, headers=headers)
    assert answer.status_code == 201, answer.text


def is_whole(spans: Sequence[ReceivedSpan]) -> bool:
    """Tell whether the server spans of all three processes that creating a store takes have arrived."""
    services = {span.service for span in spans if span.kind == SERVER}
    return services >= {"gerai-gateway", "gerai-store", "gerai-client"}


def assert_tree_of_new_store(spans: Sequence[ReceivedSpan]) -> None:
    """Assert that creating a store is one tree: from the gateway to rows, Redis and the client service."""
    door = only(spans, service="gerai-gateway", kind=SERVER)
    forwarded = only(spans, service="gerai-gateway", kind=CLIENT)
    store = only(spans, service="gerai-store", kind=SERVER)
    assert (door.name, door.parent_id) == ("POST /v1/stores", CALLER)
    assert forwarded.parent_id == door.span_id
    assert (store.name, store.parent_id) == ("POST /v1/stores", forwarded.span_id)
    assert store.attributes["http.route"] == "/v1/stores"
    assert store.attributes["http.response.status_code"] == 201
    _assert_asked_client(spans, store)
    _assert_wrote(spans, store)
    assert any(span.attributes.get("db.system.name") == "redis" for span in spans)
    assert not any(span.failed for span in spans)


def _assert_asked_client(spans: Sequence[ReceivedSpan], store: ReceivedSpan) -> None:
    [asked] = [
        span
        for span in spans
        if span.service == "gerai-store" and span.attributes.get("peer.service") == "gerai-client"
    ]
    assert asked.parent_id == store.span_id
    assert only(spans, service="gerai-client", kind=SERVER).parent_id == asked.span_id


def _assert_wrote(spans: Sequence[ReceivedSpan], store: ReceivedSpan) -> None:
    statements = [span for span in spans if span.attributes.get("db.system.name") == "postgresql"]
    assert {"INSERT stores", "COMMIT"} <= {span.name for span in statements if span.service == "gerai-store"}
    insert = only(statements, name="INSERT stores")
    assert insert.parent_id == store.span_id
    assert insert.attributes["db.query.text"].startswith("INSERT INTO stores")
    assert "JKT-1" not in insert.attributes["db.query.text"]


def assert_consumed(spans: Sequence[ReceivedSpan], trace_id: str) -> None:
    """Assert that the store service handled the event of a client, linked to the request of `trace_id`."""
    [consumed] = [span for span in spans if span.kind == CONSUMER and trace_id in span.links]
    assert (consumed.service, consumed.name) == ("gerai-store", "process gerai:events:client")
