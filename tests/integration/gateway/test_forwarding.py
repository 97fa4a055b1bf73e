"""What goes in comes out: requests and answers pass unchanged but for what a gateway must change."""

import asyncio
import gzip

import pytest

from tests.support.fake_service import FakeService, Received
from tests.support.gateway import RawAnswer, RunningGateway

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
SET_BY_THE_GATEWAY = {
    b"host",
    b"x-forwarded-for",
    b"x-forwarded-proto",
    b"x-forwarded-host",
    b"x-request-id",
    b"traceparent",
    b"x-request-timeout-ms",
}


async def forward(gateway: RunningGateway, store: FakeService, request: bytes) -> tuple[Received, RawAnswer]:
    """Send a request and return what the service received and what came back."""
    answer = await gateway.send(request)
    assert len(store.requests) == 1, answer.raw
    return store.requests[0], answer


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/stores",
        b"/v1/stores/",
        b"/v1/stores//a/%41%20%C3%A9;x=1/~a!$&'()*+,=:@",
        b"/v1/stores?q=o'brien&x=%27&y=[\"<>{}|^`]&&=&z",
        b"/v1/stores?next=/../internal",
    ],
)
async def test_path_and_query_arrive_byte_for_byte(
    gateway: RunningGateway, store: FakeService, target: bytes
) -> None:
    request, answer = await forward(gateway, store, b"GET " + target + b" HTTP/1.1\r\n\r\n")
    assert request.target == target
    assert answer.status == 200


@pytest.mark.parametrize("method", [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"REPORT"])
async def test_any_method_and_its_body_arrive(
    gateway: RunningGateway, store: FakeService, method: bytes
) -> None:
    body = b'{"a": "\xc3\xa9\x00\xff"}'
    head = b"%b /v1/stores HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    request, answer = await forward(gateway, store, head % (method, len(body)) + body)
    assert request.line == method + b" /v1/stores HTTP/1.1"
    assert request.one(b"content-length") == str(len(body)).encode()
    assert request.one(b"content-type") == b"application/json"
    assert store.bodies == [body]
    assert answer.status == 200


async def test_headers_arrive_in_order_with_duplicates_and_odd_bytes(
    gateway: RunningGateway, store: FakeService
) -> None:
    sent = [
        (b"X-Tag", b"one"),
        (b"X-Other", b""),
        (b"x-tag", b"caf\xe9 \xc3\xa9"),
        (b"Cookie", b"a=1; b=2"),
        (b"If-None-Match", b'"1", W/"2"'),
    ]
    lines = b"".join(b"%b: %b\r\n" % pair for pair in sent)
    request, _ = await forward(gateway, store, b"GET /v1/stores HTTP/1.1\r\n" + lines + b"\r\n")
    passed = [pair for pair in request.headers if pair[0] not in SET_BY_THE_GATEWAY | {b"authorization"}]
    assert passed == [(name.lower(), value) for name, value in sent]


async def test_nothing_is_added_but_what_the_gateway_must_say(
    gateway: RunningGateway, store: FakeService
) -> None:
    request, _ = await forward(gateway, store, b"GET /v1/stores HTTP/1.1\r\n\r\n")
    names = [name for name, _ in request.headers]
    assert sorted(names) == sorted(SET_BY_THE_GATEWAY | {b"authorization"})
    assert request.one(b"host") == store.url.removeprefix("http://").encode()
    assert request.one(b"authorization") == f"Bearer {gateway.token}".encode()


async def test_where_a_request_came_from_is_said_by_the_gateway_alone(
    gateway: RunningGateway, store: FakeService
) -> None:
    claims = [
        b"X-Forwarded-For: 10.0.0.1",
        b"X-Forwarded-Proto: https",
        b"X-Forwarded-Host: evil.test",
        b"X_Forwarded_For: 10.0.0.1",
        b"Forwarded: for=10.0.0.1",
        b"X-Real-IP: 10.0.0.1",
        b"X-User-ID: admin",
        b"X-Auth-Request-User: admin",
        b"X-Client-UUID: x",
        b"X-Roles: admin",
        b"X-Principal: admin",
        b"Remote-User: admin",
        b"X-Internal-Call: 1",
    ]
    request, _ = await forward(
        gateway,
        store,
        b"GET /v1/stores HTTP/1.1\r\n" + b"".join(claim + b"\r\n" for claim in claims) + b"\r\n",
    )
    assert request.one(b"x-forwarded-for") == b"127.0.0.1"
    assert request.one(b"x-forwarded-proto") == b"http"
    assert request.one(b"x-forwarded-host") == b"gerai.test"
    assert {name for name, _ in request.headers} == SET_BY_THE_GATEWAY | {b"authorization"}


async def test_hop_by_hop_headers_of_a_request_stay_behind(
    gateway: RunningGateway, store: FakeService
) -> None:
    hop = b"Keep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: Basic eA==\r\nUpgrade: h2c\r\nX-Mine: 1\r\n"
    request, _ = await forward(
        gateway, store, b"GET /v1/stores HTTP/1.1\r\nConnection: X-Mine\r\n" + hop + b"X-Yours: 2\r\n\r\n"
    )
    assert {name for name, _ in request.headers} == SET_BY_THE_GATEWAY | {b"authorization", b"x-yours"}


async def test_an_answer_comes_back_unchanged(gateway: RunningGateway, store: FakeService) -> None:
    body = gzip.compress(b'{"data": "compressed"}')
    store.answer = (
        b"HTTP/1.1 201 Whatever\r\nSet-Cookie: a=1\r\nX-Name: caf\xe9\r\nset-cookie: b=2\r\n"
        b'Content-Encoding: gzip\r\nETag: "1"\r\nContent-Length: %d\r\nLocation: /v1/stores/1\r\n\r\n'
        % len(body)
    ) + body
    _, answer = await forward(gateway, store, b"GET /v1/stores HTTP/1.1\r\nAccept-Encoding: gzip\r\n\r\n")
    assert answer.status == 201
    assert answer.body == body
    assert answer.all(b"set-cookie") == [b"a=1", b"b=2"]
    assert answer.all(b"x-name") == [b"caf\xe9"]
    assert answer.all(b"content-encoding") == [b"gzip"]
    assert answer.all(b"etag") == [b'"1"']
    assert answer.all(b"location") == [b"/v1/stores/1"]


async def test_hop_by_hop_headers_of_an_answer_stay_behind(
    gateway: RunningGateway, store: FakeService
) -> None:
    store.answer = (
        b"HTTP/1.1 200 OK\r\nConnection: X-Mine, close\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nServer: secret/1\r\n"
        b"Trailer: X-T\r\nX-Yours: 2\r\nDate: then\r\nContent-Length: 0\r\n\r\n"
    )
    _, answer = await forward(gateway, store, b"GET /v1/stores HTTP/1.1\r\n\r\n")
    names = [name for name, _ in answer.headers]
    assert sorted(names) == [
        b"connection",
        b"content-length",
        b"date",
        b"x-content-type-options",
        b"x-request-id",
        b"x-yours",
    ]
    assert answer.all(b"date") != [b"then"]


async def test_a_sane_request_id_goes_through_and_comes_back_once(
    gateway: RunningGateway, store: FakeService
) -> None:
    store.answer = b"HTTP/1.1 200 OK\r\nx-request-id: job-7\r\ncontent-length: 0\r\n\r\n"
    request, answer = await forward(gateway, store, b"GET /v1/stores HTTP/1.1\r\nX-Request-ID: job-7\r\n\r\n")
    assert request.one(b"x-request-id") == b"job-7"
    assert answer.all(b"x-request-id") == [b"job-7"]


@pytest.mark.parametrize("sent", [b"", b"a b", b"x" * 129, b"a\r\nX-Request-ID: b"])
async def test_any_other_request_id_is_replaced(
    gateway: RunningGateway, store: FakeService, sent: bytes
) -> None:
    request, answer = await forward(
        gateway, store, b"GET /v1/stores HTTP/1.1\r\nX-Request-ID: " + sent + b"\r\n\r\n"
    )
    (returned,) = answer.all(b"x-request-id")
    assert returned == request.one(b"x-request-id")
    assert returned not in {sent, b"a"}


async def test_a_trace_goes_on_with_a_new_child(gateway: RunningGateway, store: FakeService) -> None:
    trace, parent = b"0af7651916cd43dd8448eb211c80319c", b"b7ad6b7169203331"
    request, _ = await forward(
        gateway, store, b"GET /v1/stores HTTP/1.1\r\nTraceparent: 00-%b-%b-01\r\n\r\n" % (trace, parent)
    )
    _, trace_id, span_id, _ = request.one(b"traceparent").split(b"-")
    assert trace_id == trace
    assert span_id != parent


async def test_redirects_are_passed_on_and_not_followed(gateway: RunningGateway, store: FakeService) -> None:
    store.answer = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /internal\r\ncontent-length: 0\r\n\r\n"
    request, answer = await forward(gateway, store, b"GET /v1/stores HTTP/1.1\r\n\r\n")
    assert request.target == b"/v1/stores"
    assert answer.status == 307
    assert answer.all(b"location") == [b"/internal"]


async def test_cookies_are_not_kept(gateway: RunningGateway, store: FakeService) -> None:
    store.answer = b"HTTP/1.1 200 OK\r\nset-cookie: a=1; Path=/\r\ncontent-length: 0\r\n\r\n"
    await gateway.send(b"GET /v1/stores HTTP/1.1\r\n\r\n")
    await gateway.send(b"GET /v1/stores HTTP/1.1\r\n\r\n")
    assert [request.all(b"cookie") for request in store.requests] == [[], []]


async def test_head_has_the_length_and_no_body(gateway: RunningGateway, store: FakeService) -> None:
    store.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 12345\r\n\r\n"
    _, answer = await forward(gateway, store, b"HEAD /v1/stores HTTP/1.1\r\n\r\n")
    assert answer.all(b"content-length") == [b"12345"]
    assert answer.body == b""
    store.answer = NO_CONTENT
    assert (await gateway.send(b"GET /v1/stores HTTP/1.1\r\n\r\n")).status == 204


async def test_no_content_has_neither_body_nor_length(gateway: RunningGateway, store: FakeService) -> None:
    store.answer = NO_CONTENT
    _, answer = await forward(gateway, store, b"DELETE /v1/stores/1 HTTP/1.1\r\n\r\n")
    assert answer.status == 204
    assert answer.body == b""
    assert not answer.all(b"transfer-encoding")


@pytest.mark.parametrize("length", [b"", b"content-length: 99\r\n"])
async def test_not_modified_has_no_body(gateway: RunningGateway, store: FakeService, length: bytes) -> None:
    store.answer = b'HTTP/1.1 304 Not Modified\r\netag: "1"\r\n' + length + b"\r\n"
    _, answer = await forward(gateway, store, b'GET /v1/stores HTTP/1.1\r\nIf-None-Match: "1"\r\n\r\n')
    assert answer.status == 304
    assert answer.body == b""
    assert answer.all(b"etag") == [b'"1"']


async def test_an_empty_body_keeps_its_length(gateway: RunningGateway, store: FakeService) -> None:
    request, _ = await forward(gateway, store, b"POST /v1/stores HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    assert request.one(b"content-length") == b"0"


async def test_a_request_without_a_body_stays_without(gateway: RunningGateway, store: FakeService) -> None:
    request, _ = await forward(gateway, store, b"GET /v1/stores HTTP/1.1\r\n\r\n")
    assert not request.all(b"content-length")
    assert not request.all(b"transfer-encoding")


async def test_a_chunked_body_arrives_chunked_and_without_its_trailers(
    gateway: RunningGateway, store: FakeService
) -> None:
    chunks = b"4\r\nabcd\r\n2;extension=1\r\nef\r\n0\r\nX-User-ID: admin\r\nX-Late: 1\r\n\r\n"
    head = b"POST /v1/stores HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n"
    request, answer = await forward(gateway, store, head + chunks)
    assert answer.status == 200
    assert store.bodies == [b"abcdef"]
    assert request.one(b"transfer-encoding") == b"chunked"
    assert not {b"x-user-id", b"x-late", b"trailer", b"content-length"} & {
        name for name, _ in request.headers
    }


async def test_a_waiting_client_is_told_to_continue(gateway: RunningGateway, store: FakeService) -> None:
    reader, writer = await gateway.connect()
    head = f"POST /v1/stores HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.token}\r\n"
    writer.write(head.encode() + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
    writer.write(b"body")
    assert await reader.readline() == b"\r\n"
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()
    assert store.bodies == [b"body"]
    assert not store.requests[0].all(b"expect")


async def test_interim_answers_stay_behind(gateway: RunningGateway, store: FakeService) -> None:
    store.answer = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    )
    _, answer = await forward(gateway, store, b"GET /v1/stores HTTP/1.1\r\n\r\n")
    assert (answer.status, answer.body, answer.all(b"link")) == (200, b"ok", [])


async def test_an_answer_that_ends_with_its_connection_arrives_whole(
    gateway: RunningGateway, store: FakeService
) -> None:
    async def until_close(request: Received, writer: asyncio.StreamWriter) -> None:
        del request
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        writer.close()

    store.behaviour = until_close
    _, answer = await forward(gateway, store, b"GET /v1/stores HTTP/1.1\r\n\r\n")
    assert answer.all(b"transfer-encoding") == [b"chunked"]
    assert answer.body == b"9\r\nall of it\r\n0\r\n\r\n"


async def test_trailers_of_an_answer_stay_behind(gateway: RunningGateway, store: FakeService) -> None:
    chunks = b"2\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n"
    store.answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-trailer\r\n\r\n" + chunks
    _, answer = await forward(gateway, store, b"GET /v1/stores HTTP/1.1\r\n\r\n")
    assert answer.status == 200
    assert not answer.all(b"x-trailer")
    assert b"ok" in answer.body


async def test_a_chunked_answer_arrives_as_it_comes(gateway: RunningGateway, store: FakeService) -> None:
    seen = asyncio.Event()

    async def in_two_steps(request: Received, writer: asyncio.StreamWriter) -> None:
        del request
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await seen.wait()
        writer.write(b"6\r\nsecond\r\n0\r\nX-Trailer: 1\r\n\r\n")

    store.behaviour = in_two_steps
    async with gateway.client() as client, client.stream("GET", "/v1/stores") as answer:
        pieces = answer.aiter_raw()
        assert await anext(pieces) == b"first"
        seen.set()
        assert await anext(pieces) == b"second"
        assert [piece async for piece in pieces] == []


async def test_connections_to_a_service_are_used_again(gateway: RunningGateway, store: FakeService) -> None:
    async with gateway.client() as client:
        await client.get("/v1/stores")
        before = store.opened
        for _ in range(50):
            assert (await client.get("/v1/stores")).status_code == 200
        await client.post("/v1/stores", content=b"x" * 100_000)
        store.answer = NO_CONTENT
        await client.request("HEAD", "/v1/stores")
        await client.get("/v1/stores")
    assert store.opened == before


async def test_a_service_that_closes_its_connection_gets_a_new_one(
    gateway: RunningGateway, store: FakeService
) -> None:
    store.answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    async with gateway.client() as client:
        await client.get("/v1/stores")
        for _ in range(3):
            before = store.opened
            assert (await client.get("/v1/stores")).status_code == 200
            assert store.opened == before + 1


async def test_pipelined_requests_are_answered_in_order(gateway: RunningGateway, store: FakeService) -> None:
    async def echo_target(request: Received, writer: asyncio.StreamWriter) -> None:
        name = request.target.rpartition(b"/")[2]
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(name), name))

    store.behaviour = echo_target
    authorization = f"Authorization: Bearer {gateway.token}\r\n".encode()
    one = b"GET /v1/stores/%b HTTP/1.1\r\nHost: x\r\n" + authorization
    answer = await gateway.send_bare(
        one % b"first" + b"\r\n" + one % b"second" + b"Connection: close\r\n\r\n"
    )
    assert answer.raw.index(b"\r\n\r\nfirst") < answer.raw.index(b"\r\n\r\nsecond")
