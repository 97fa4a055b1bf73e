"""Which path goes where, and which is refused."""

import pytest

from gateway.routes import Route, RouteTable, is_plain_path, is_plain_query, platform_routes

TABLE = RouteTable(platform_routes("/v1"))


@pytest.mark.parametrize(
    ("path", "service", "public"),
    [
        ("/v1/auth/login", "auth", True),
        ("/v1/auth/refresh", "auth", True),
        ("/.well-known/jwks.json", "auth", True),
        ("/v1/auth/me", "auth", False),
        ("/v1/auth/login2", "auth", False),
        ("/v1/users", "auth", False),
        ("/v1/users/", "auth", False),
        ("/v1/audit", "auth", False),
        ("/v1/users/1/x", "auth", False),
        ("/v1/master-client", "client", False),
        ("/v1/master-client/1/workhour", "client", False),
        ("/v1/stores", "store", False),
        ("/v1/stores/1", "store", False),
        ("/v1/uncached/stores/1", "store", False),
    ],
)
def test_a_path_is_routed_by_its_first_segments(path: str, service: str, *, public: bool) -> None:
    route = TABLE.find(path.encode())
    assert route
    assert (route.service, route.public) == (service, public)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/storesx",
        "/v1/store",
        "/v1/uncached",
        "/v1/uncached/storesx",
        "/v1/Stores",
        "/v2/stores",
        "//v1/stores",
        "/internal",
        "/internal/stores",
        "/metrics",
        "/healthz",
        "/.well-known",
        "/.well-known/jwks.jsonx",
        "/.well-known/jwks_json",
        "/x/v1/stores",
    ],
)
def test_any_other_path_has_no_route(path: str) -> None:
    assert TABLE.find(path.encode()) is None


def test_the_version_prefix_moves_every_versioned_route() -> None:
    moved = RouteTable(platform_routes("/api/v2"))
    assert moved.find(b"/api/v2/stores")
    assert moved.find(b"/.well-known/jwks.json")
    assert moved.find(b"/v1/stores") is None


def test_the_longest_prefix_wins_in_any_order() -> None:
    short, long = Route("/a", "auth"), Route("/a/b", "client")
    for routes in ([short, long], [long, short]):
        table = RouteTable(routes)
        assert table.find(b"/a/b/c") == long
        assert table.find(b"/a/bc") == short


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/stores",
        "/v1/stores/",
        "/v1//stores",
        "/.well-known/jwks.json",
        "/v1/stores/a.b..c",
        "/v1/stores/...",
        "/v1/stores/%41%20%C3%A9%ff",
        "/v1/stores/~a!$&'()*+,;=:@b",
        "/v1/stores/%25%32%65",
    ],
)
def test_a_path_every_server_reads_alike_passes(path: str) -> None:
    assert is_plain_path(path.encode())


@pytest.mark.parametrize(
    "path",
    [
        "",
        "v1/stores",
        "*",
        "/..",
        "/.",
        "/v1/./stores",
        "/v1/stores/..",
        "/v1/stores/../../internal/x",
        "/v1/stores/%2e%2e/internal",
        "/v1/stores/.%2E/internal",
        "/v1/stores/%2e",
        "/v1/stores/..;/internal",
        "/v1/stores/..;a=b",
        "/v1/stores%2f..%2finternal",
        "/v1/stores/a%2Fb",
        "/v1/stores/..%5cinternal",
        "/v1/stores\\..\\internal",
        "/v1/stores/%00",
        "/v1/stores/%0d%0aX:1",
        "/v1/stores/%7f",
        "/v1/stores/%1F",
        "/v1/stores/%",
        "/v1/stores/%4",
        "/v1/stores/%zz",
        "/v1/stores/a b",
        "/v1/stores/a\n",
        "/v1/stores\n",
        "/v1/stores/{a}",
        "/v1/stores#x",
        "/v1/stores?x",
        "/v1/stör",
    ],
)
def test_an_ambiguous_path_does_not(path: str) -> None:
    assert not is_plain_path(path.encode())


def test_a_long_hostile_path_is_judged_at_once() -> None:
    assert not is_plain_path(b"/" + b"a" * 60_000 + b"\x01")


@pytest.mark.parametrize(
    "query", [b"", b"a=b&c", b"q=o'brien&x=%27&y=[\"<>{}|^`]", b"q=\xc3\xa9\xff", b"?&=#"]
)
def test_a_query_passes_as_it_is(query: bytes) -> None:
    assert is_plain_query(query)


@pytest.mark.parametrize("query", [b"a b", b"a\r\nX: 1", b"a\tb", b"a\x00", b"a\x7f", b"a\n"])
def test_a_query_that_could_end_the_request_line_does_not(query: bytes) -> None:
    assert not is_plain_query(query)
